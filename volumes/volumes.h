/*
 * volumes: block storage. One small table of functions a back end (file; lvm later), one folder
 * each, listed in volumes.c. A volume is named by its ID ("vol-" and 17 hex digits). Like
 * providers, this layer keeps no state of its own that must survive beside the volumes themselves.
 *
 * Every function may block and may be called from several threads at once for different volumes;
 * the caller holds no lock. What a function made is on disk (fsync) when it returns.
 */
#ifndef VOLUMES_VOLUMES_H
#define VOLUMES_VOLUMES_H

#include "ec2fs/util/error.h"

#include <stdbool.h>
#include <stdint.h>

struct volumes {
	const struct volumes_ops *ops;
	/* back ends embed this struct as their first member */
};

struct volumes_ops {
	const char *name; /* "file" */

	/* Is this value of a zone's `storage` file one of ours ("file:DIR")? Pure. */
	bool (*claims)(const char *uri);
	/* 0, or -EINVAL and the story. Pure. */
	int (*check)(const char *uri, struct ec2fs_error *error);
	/* Makes the directory (0711) when it is missing. */
	int (*open)(const char *uri, struct volumes **ret, struct ec2fs_error *error);
	void (*close)(struct volumes *v);

	/*
	 * A volume of size bytes, thin, whose beginning is the content of the raw image (NULL: all
	 * zeroes). It appears under its name whole or not at all: a half-made one of an earlier
	 * life is begun again, one that is there already is left as it is (success).
	 * Bigger than what fits: InsufficientVolumeCapacity (ENOSPC).
	 */
	int (*create)(struct volumes *v, const char *id, uint64_t size, const char *image,
		      struct ec2fs_error *error);
	/* Absent is a success. */
	int (*remove)(struct volumes *v, const char *id, struct ec2fs_error *error);
	/* Path of the file or block device, to be freed by the caller; never NULL. */
	char *(*path)(struct volumes *v, const char *id);
	/* Calls each for every volume that is there; half-made ones are not told. */
	int (*list)(struct volumes *v, void (*each)(void *context, const char *id), void *context,
		    struct ec2fs_error *error);
	/* Removes half-made volumes of an earlier life; called once before the others. */
	int (*sweep)(struct volumes *v, struct ec2fs_error *error);
	/* Bytes in all and free. */
	int (*capacity)(struct volumes *v, uint64_t *total, uint64_t *available,
			struct ec2fs_error *error);
};

/* The back end that claims the URI, or NULL. */
const struct volumes_ops *volumes_for(const char *uri);

extern const struct volumes_ops volumes_file;

/*
 * Copies a file's bytes from in to out (both open, out empty): by FICLONE where the file system
 * can, else only the ranges that hold data. Does not fsync. 0 or a negative errno.
 */
int volumes_copy_sparse(int in, int out);

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
