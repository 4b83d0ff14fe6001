/* From the records of an instance to the machine that a provider builds, and its files. */
#ifndef EC2FS_ENGINE_MACHINE_H
#define EC2FS_ENGINE_MACHINE_H

#include "ec2fs/engine/internal.h"
#include "ec2fs/model/storage.h"
#include "netfw/netfw.h"

/* All of one instance that its steps need, copied out of the cloud; owns its texts. */
struct machine {
	struct compute *compute;
	struct provider *provider;
	struct volumes *volumes;
	struct machine_spec spec;
	bool launched; /* once before: its files are there */
	/* Its volumes, the root first, then the instance store. */
	struct machine_disk disks[MOST_ATTACHMENTS + INSTANCE_STORE_MOST];
	const char *volume_ids[MOST_ATTACHMENTS];
	size_t volume_count;
	struct instance_store store;
	char store_ids[INSTANCE_STORE_MOST][22];
	bool waits;         /* for a volume that is being made */
	char *broken;       /* why a volume could not be made; NULL: none */
	char *image_kernel; /* names of blobs, or NULL */
	char *image_ramdisk;
	bool image_gone;
	/* Where its tap is plugged in; netfw NULL: nowhere. */
	struct netfw *netfw;
	const char *vpc_id, *interface_id;
	char **texts; /* what spec points to */
	size_t text_count, text_capacity;
};

/* Fails when a zone or its back ends are gone; -EAGAIN: its storage cannot be reached now. */
int machine_describe(struct engine *e, const struct resource *r, struct machine *ret,
		     struct ec2fs_error *error);
/* Makes the instance's own copies of kernel and ramdisk. May be repeated. */
int machine_prepare(struct engine *e, struct machine *m, struct ec2fs_error *error);
/* The machine starts on a tap that plug, called with m, puts into that VPC. */
void machine_plug_into(struct machine *m, struct netfw *netfw, const char *vpc,
		       const char *interface,
		       int (*plug)(void *context, struct ec2fs_error *error));
/* all: the console too. */
void machine_remove_files(struct engine *e, const char *id, bool all);
/* What `@launched` would be now. */
const char *machine_boot_id(struct engine *e, const struct machine *m);
void machine_free(struct machine *m);

#define cleanup_machine __attribute__((cleanup(machine_free)))

#endif
