/*
 * volumes: block storage. One small table of functions a back end, one folder each (file, lvm),
 * listed in volumes.c. A volume is named by its ID ("vol-" and 17 hex digits), a snapshot by its
 * own ("snap-" and 17). Like providers, this layer keeps no state of its own that must survive
 * beside the volumes themselves.
 *
 * Every function may block, for seconds, and may be called from several threads at once for
 * different volumes and snapshots; the caller holds no lock. What a function made is on disk when
 * it returns. Each may be repeated: after a kill at any instant, calling it again finishes the
 * work, and sweep() removes what nobody will finish.
 */
#ifndef VOLUMES_VOLUMES_H
#define VOLUMES_VOLUMES_H

#include "ec2fs/util/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct volumes {
	const struct volumes_ops *ops;
	/* back ends embed this struct as their first member */
};

/* A volume or snapshot that is there, whole. */
struct volume_found {
	const char *id;
	bool snapshot;
	uint64_t size; /* bytes that a guest sees */
};

/* A snapshot to be taken: of which volume, and its own ID. */
struct volume_snapshot {
	const char *volume, *id;
};

struct volumes_capacity {
	uint64_t total, available; /* bytes */
	/* How full it is: hundredths of a percent, 0-10000. Metadata: lvm's, else 0. */
	unsigned data, metadata;
	/*
	 * What the zone's administrator should know, a sentence; "" when all is well. Told early:
	 * from VOLUMES_EARLY on. From VOLUMES_FULL on nothing new is made (refused is true).
	 */
	char notice[240];
	bool refused;
};

#define VOLUMES_EARLY 8000
#define VOLUMES_FULL 9500

/* Told now and then while bytes are copied: 0-100. */
typedef void volumes_progress_fn(void *context, int percent);

struct volumes_ops {
	const char *name; /* "file", "lvm" */

	/* Is this value of a zone's `storage` file one of ours ("file:DIR")? Pure. */
	bool (*claims)(const char *uri);
	/* 0, or -EINVAL and the story. Pure. */
	int (*check)(const char *uri, struct ec2fs_error *error);
	/*
	 * Returns at once. What is there is marked as owner's, a cloud's UUID, and nothing that is
	 * marked otherwise, or not at all, is ever touched. file makes its directory (0711). made:
	 * the owner has volumes there, so that an empty place is not the right one (ENODEV).
	 */
	int (*open)(const char *uri, const char *owner, bool made, struct volumes **ret,
		    struct ec2fs_error *error);
	void (*close)(struct volumes *v);
	/* Do both, of this back end, keep their volumes in one place? Returns at once. */
	bool (*same)(struct volumes *v, struct volumes *other);
	/*
	 * Called once before the functions below, and again when it failed: waits for programs of
	 * an earlier life, activates what is there, removes what is half made.
	 */
	int (*sweep)(struct volumes *v, struct ec2fs_error *error);

	/*
	 * A volume of size bytes, thin, whose beginning is the content of the raw image, a path
	 * (NULL: all zeroes). It appears under its name whole or not at all: a half-made one is
	 * begun again, one that is there already is left as it is (success). lvm makes sizes
	 * whole extents (4 MiB by default). Bigger than what fits: InsufficientVolumeCapacity
	 * (ENOSPC).
	 */
	int (*create)(struct volumes *v, const char *id, uint64_t size, const char *image,
		      struct ec2fs_error *error);
	/*
	 * The same, beginning as the snapshot, and no smaller (InvalidParameterValue). In constant
	 * time where snapshots are. No such snapshot: InternalError, ENOENT.
	 */
	int (*clone)(struct volumes *v, const char *id, uint64_t size, const char *snapshot,
		     struct ec2fs_error *error);
	/* Grows it; a size that it has already is a success, a smaller one InvalidParameterValue.
	 * Who has it open sees the new size of the device at once, QEMU when it is told. */
	int (*resize)(struct volumes *v, const char *id, uint64_t size, struct ec2fs_error *error);
	/* All zeroes again, and the space given back. Nobody may have it open. */
	int (*wipe)(struct volumes *v, const char *id, struct ec2fs_error *error);
	/* Absent is a success. In use: VolumeInUse (EBUSY). */
	int (*remove)(struct volumes *v, const char *id, struct ec2fs_error *error);
	/* Path of the file or block device, to be freed by the caller; never NULL. */
	char *(*path)(struct volumes *v, const char *id);

	/*
	 * How many volumes may be written to while snapshot() takes theirs in one call: 1 where
	 * cloning is instant (lvm, file where it has FICLONE), else 0. For more the caller pauses
	 * the writers while the call lasts.
	 */
	size_t (*live_snapshots)(struct volumes *v);
	/*
	 * Takes snapshots of several volumes, all or none. All there already: success, nothing
	 * done; some: they are removed and all taken again, at this instant. progress may be NULL.
	 */
	int (*snapshot)(struct volumes *v, const struct volume_snapshot *snapshots, size_t count,
			volumes_progress_fn *progress, void *context, struct ec2fs_error *error);
	/*
	 * A snapshot with the first size bytes of a raw image, or of another back end's snapshot:
	 * what volumes are cloned from afterwards, without copying. The file at path must not
	 * change any more (file takes a hard link when it can). One that is there is left as it is.
	 */
	int (*import)(struct volumes *v, const char *id, const char *path, uint64_t size,
		      volumes_progress_fn *progress, void *context, struct ec2fs_error *error);
	/* Volumes cloned from it, and other snapshots, stay whole. Absent is a success. Being
	 * read: IncorrectState (EBUSY) with lvm. */
	int (*remove_snapshot)(struct volumes *v, const char *id, struct ec2fs_error *error);
	/*
	 * A path from which the snapshot can be read, freed by the caller, and its size in bytes:
	 * a device may have some more. Good until the snapshot is removed.
	 */
	int (*snapshot_path)(struct volumes *v, const char *id, char **ret, uint64_t *ret_size,
			     struct ec2fs_error *error);

	/* Calls each for every volume and snapshot that is there; half-made ones are not told. */
	int (*list)(struct volumes *v,
		    void (*each)(void *context, const struct volume_found *found), void *context,
		    struct ec2fs_error *error);
	/* Cheap: runs no program. */
	int (*capacity)(struct volumes *v, struct volumes_capacity *ret, struct ec2fs_error *error);
};

/* The back end that claims the URI, or NULL. */
const struct volumes_ops *volumes_for(const char *uri);

extern const struct volumes_ops volumes_file, volumes_lvm;

/*
 * Copies the first size bytes of a file or block device to another (both open, out all zeroes as
 * far as it goes), but not what is zeroes already. A file is grown to size. progress may be NULL.
 * Does not fsync. 0 or a negative errno.
 */
int volumes_copy(int in, int out, uint64_t size, volumes_progress_fn *progress, void *context);

/* The same for a whole file into an empty one: by FICLONE where the file system can. */
int volumes_copy_sparse(int in, int out);

/* Bytes of an open file or block device. 0 or a negative errno. */
int volumes_size(int fd, uint64_t *ret);

/* What libblkid finds on a volume or device: "" where there is nothing. */
struct disk_content {
	char type[32]; /* "ext4", "xfs", "LVM2_member" …; a partition table: "gpt", "dos" */
	char label[256], uuid[64];
};

/* Looks at an open file or block device. Something that is several things at once has the type
 * "ambiguous". */
int disk_content(int fd, struct disk_content *ret, struct ec2fs_error *error);

/* What a disk image is, told by its first bytes. */
enum disk_format { DISK_RAW, DISK_QCOW2 };

struct disk_info {
	enum disk_format format;
	uint64_t virtual_size; /* bytes that a guest sees */
};

/*
 * Looks at an image file. Refused with InvalidParameterValue (EINVAL): empty, a length that is no
 * multiple of 512 (raw), other formats and archives known by their magic (VMDK, VHD, VHDX, VDI,
 * QED, ISO 9660 is fine, gzip, xz, zstd, bzip2, zip, tar), a qcow2 with a backing file, an external
 * data file, encryption, unknown incompatible features, or a virtual size that is 0 or over 64 TiB.
 */
int disk_probe(int fd, struct disk_info *ret, struct ec2fs_error *error);

/*
 * Converts a qcow2 file to a raw one with qemu-img, sparse; progress (0-100) is told now and then
 * when the function is not NULL. The output is removed again on failure.
 */
int disk_convert(const char *from, const char *to, void (*progress)(void *context, int percent),
		 void *context, struct ec2fs_error *error);

#endif
