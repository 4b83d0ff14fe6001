/*
 * providers: what runs the machines. One small table of functions a back end (libvirt, sim), one
 * folder each, listed in providers.c. This layer knows machines, not instances: it keeps no state
 * that must survive and decides nothing; the engine asks, looks, and asks again.
 *
 * Every function may block and may be called from several threads at once; the caller holds no
 * lock. A machine is named by the ID of its instance ("i-" and 17 hex digits).
 */
#ifndef PROVIDERS_PROVIDER_H
#define PROVIDERS_PROVIDER_H

#include "ec2fs/util/error.h"
#include "ec2fs/util/strbuf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum machine_state {
	MACHINE_ABSENT,  /* nothing of that name runs */
	MACHINE_RUNNING, /* its virtual CPUs run, or would if the guest had not gone to sleep */
	MACHINE_PAUSED,  /* exists, but its CPUs stand still */
	MACHINE_STOPPING /* it is on its way out: shutting down or being saved */
};

/* Why a machine that was there is not there any more. */
enum machine_end {
	MACHINE_END_UNKNOWN,   /* nobody watched */
	MACHINE_END_GUEST,     /* the guest powered itself off, or obeyed the power button */
	MACHINE_END_DESTROYED, /* somebody pulled the plug */
	MACHINE_END_CRASHED,   /* the guest's kernel panicked, or the virtual machine's program died
				*/
	MACHINE_END_SAVED      /* its memory went to a file */
};

struct machine_disk {
	const char *path;   /* an image in raw format, or a block device */
	const char *target; /* the name the host gives it: "vda", "vdb" … */
	const char *serial; /* at most 20 bytes: the volume's ID without its dash */
	const char *key;    /* it is LUKS: path of a file with its passphrase; NULL: it is not */
	const char *secret; /* this, direct, native: set and used by libvirt's own files only */
	/* A second, 0: no limit. burst: above the lasting one, 0: none; for so many seconds, which
	 * what is not used of the lasting one brings back. */
	uint64_t iops, burst_iops, bytes, burst_bytes, burst_seconds;
	bool block; /* a block device, not a file */
	bool read_only;
	bool shared; /* other machines may have it at the same time */
	bool direct; /* past the host's page cache */
	bool native; /* by the kernel's asynchronous I/O, not by threads; of direct ones only */
};

/* All that is needed to build one machine. Everything is borrowed for the time of the call. */
struct machine_spec {
	const char *id;    /* i-0123456789abcdef0 */
	const char *owner; /* UUID of the state directory; list() tells only machines of it */
	const char *uuid;  /* begins with "ec2": cloud-init looks for that */
	const char *type;  /* t3.micro: DMI's product name */
	const char *architecture; /* EC2's: x86_64 or arm64 */
	unsigned vcpus;
	uint64_t memory;     /* bytes */
	const char *kernel;  /* direct boot: path, or NULL to boot the first disk */
	const char *ramdisk; /* path or NULL */
	const char *cmdline; /* or NULL */
	const char *console; /* path of the file that the serial port is appended to */
	const char *mac;     /* 02:xx:… of the first network interface */
	const char *tap;     /* a tap that waits for the machine; NULL: the back end's own user-mode
				network, if it has any */
	/* With a tap: called once the machine has opened it and before its processors run, to put
	 * the tap where it belongs. It may be called again for a machine that is there already. */
	int (*plug)(void *context, struct ec2fs_error *error);
	void *context;
	const struct machine_disk *disks;
	size_t disk_count;
};

struct machine_stats {
	uint64_t cpu_ns; /* virtual CPU time used so far */
	uint64_t memory; /* bytes resident on the host; 0 when unknown */
	uint64_t disk_read_bytes, disk_write_bytes, disk_read_requests, disk_write_requests;
	uint64_t net_receive_bytes, net_transmit_bytes, net_receive_packets, net_transmit_packets;
};

struct provider_capacity {
	unsigned vcpus;   /* of the host */
	uint64_t memory;  /* bytes of the host */
	bool accelerated; /* KVM, not emulation */
};

/* Told by the provider from threads of its own, holding no lock of its own. */
struct provider_events {
	/* The machine ended or changed, or has lost a disk; look again. end is UNKNOWN unless it
	 * has just gone. */
	void (*machine)(void *context, const char *id, enum machine_end end);
	/* The guest was asked for a disk and said no. NULL: nobody wants to know. */
	void (*disk_kept)(void *context, const char *id);
	/* The link to the back end came (true) or went (false); on true look at everything again.
	 */
	void (*link)(void *context, bool up);
};

struct provider {
	const struct provider_ops *ops;
	/* back ends embed this struct as their first member */
};

struct provider_ops {
	const char *name; /* "libvirt", "sim" */
	/* Machines end with this process: to them its next start is a restart of the host. */
	bool forgets;
	/* Can machines of this URI be plugged into taps? Pure. NULL: never. */
	bool (*takes_taps)(const char *uri);
	/* It makes the link of that name itself, in this process's network namespace. */
	bool makes_taps;
	/* The network namespace in which machines of this URI open their taps: a descriptor that is
	 * the caller's to close, or -1 for this process's own. NULL: its own. */
	int (*network_namespace)(const char *uri);

	/* Is this value of a zone's `compute` file one of ours? Pure; 0, or -EINVAL with the story.
	 */
	bool (*claims)(const char *uri);
	int (*check)(const char *uri, struct ec2fs_error *error);
	/*
	 * Begins to serve that URI. Returns at once: a back end that must connect does so in a
	 * thread of its own, retries with back-off (at most 30 s apart) as long as it is open, and
	 * tells by events->link. No wake-ups while all is well.
	 */
	int (*open)(const char *uri, const struct provider_events *events, void *context,
		    struct provider **ret, struct ec2fs_error *error);
	/* Ends the service; the machines go on. No event comes after it returned. */
	void (*close)(struct provider *p);

	/*
	 * The verbs. All are idempotent: starting what runs and destroying what is absent succeed.
	 * No link: Unavailable (EAGAIN). No such machine where one is needed:
	 * InvalidInstanceID_NotFound.
	 */
	int (*start)(struct provider *p, const struct machine_spec *spec,
		     struct ec2fs_error *error);
	/* Resumes from a file that save() wrote; the file stays. */
	int (*restore)(struct provider *p, const struct machine_spec *spec, const char *file,
		       struct ec2fs_error *error);
	int (*save)(struct provider *p, const char *id, const char *file,
		    struct ec2fs_error *error);
	/* Presses the power button; the guest may take its time or not listen. */
	int (*shutdown)(struct provider *p, const char *id, struct ec2fs_error *error);
	/* Pulls the plug. */
	int (*destroy)(struct provider *p, const char *id, struct ec2fs_error *error);
	/* Asks the guest to restart (power button, then on again); running all the while. */
	int (*reboot)(struct provider *p, const char *id, struct ec2fs_error *error);
	/* Restarts without asking. */
	int (*reset)(struct provider *p, const char *id, struct ec2fs_error *error);

	/* Its processors stand still, and what they wrote is in its disks; they go on. */
	int (*pause)(struct provider *p, const char *id, struct ec2fs_error *error);
	int (*resume)(struct provider *p, const char *id, struct ec2fs_error *error);

	/*
	 * Disks of a machine that runs, known by their serials. Giving one that it has succeeds,
	 * and so does taking one that it has not, or telling it of that. disk->target is not looked
	 * at.
	 */
	int (*attach_disk)(struct provider *p, const char *id, const struct machine_disk *disk,
			   struct ec2fs_error *error);
	/* Asks the guest, and does not wait for it: events->machine when it has let go, disk_kept
	 * when it will not; has_disk() tells how it is. It may not have heard. */
	int (*detach_disk)(struct provider *p, const char *id, const char *serial,
			   struct ec2fs_error *error);
	int (*has_disk)(struct provider *p, const char *id, const char *serial, bool *ret,
			struct ec2fs_error *error);
	/*
	 * Takes away what the disk is made of, whatever the guest says: when it returns nobody
	 * writes to it any more, and it is free for others. The guest gets I/O errors, and keeps
	 * the device until it lets go. It is not given the same disk before, nor can it be saved.
	 */
	int (*cut_disk)(struct provider *p, const char *id, const char *serial,
			struct ec2fs_error *error);
	/* What the disk is made of has grown to so many bytes: the guest is told. */
	int (*resize_disk)(struct provider *p, const char *id, const char *serial, uint64_t bytes,
			   struct ec2fs_error *error);
	/* By its serial, iops, bytes and bursts. */
	int (*set_limits)(struct provider *p, const char *id, const struct machine_disk *disk,
			  struct ec2fs_error *error);

	/* What is there now. Absent is a success with MACHINE_ABSENT. */
	int (*observe)(struct provider *p, const char *id, enum machine_state *ret,
		       struct ec2fs_error *error);
	/* Calls each for every machine of that owner. */
	int (*list)(struct provider *p, const char *owner,
		    void (*each)(void *context, const char *id, enum machine_state state),
		    void *context, struct ec2fs_error *error);
	int (*stats)(struct provider *p, const char *id, struct machine_stats *ret,
		     struct ec2fs_error *error);
	/* The screen as a PNG file's bytes, appended to out. */
	int (*screenshot)(struct provider *p, const char *id, struct strbuf *out,
			  struct ec2fs_error *error);
	int (*capacity)(struct provider *p, struct provider_capacity *ret,
			struct ec2fs_error *error);
};

/* The back end that claims the URI, or NULL. */
const struct provider_ops *provider_for(const char *uri);

extern const struct provider_ops provider_libvirt;
extern const struct provider_ops provider_sim;

#endif
