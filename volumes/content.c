/* What is on a volume or device, told by libblkid. */
#include "volumes/volumes.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static void get(blkid_probe probe, const char *name, char *to, size_t size)
{
	const char *value;

	if (*to || blkid_probe_lookup_value(probe, name, &value, NULL) != 0)
		return;
	snprintf(to, size, "%s", value);
	/* A guest chose its label, and it is shown on terminals. */
	for (; *to; to++)
		if ((unsigned char)*to < ' ' || *to == 0x7f)
			*to = '?';
}

int disk_content(int fd, struct disk_content *ret, struct ec2fs_error *error)
{
	struct disk_content c = {0};
	blkid_probe probe = blkid_new_probe();
	int r = -1;

	errno = ENOMEM;
	if (probe && blkid_probe_set_device(probe, fd, 0, 0) == 0) {
		blkid_probe_enable_superblocks(probe, 1);
		blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_LABEL |
								 BLKID_SUBLKS_UUID);
		blkid_probe_enable_partitions(probe, 1);
		errno = EIO;
		/* 0: something, 1: nothing, -2: several things at once */
		r = blkid_do_safeprobe(probe);
	}
	if (r == 0) {
		get(probe, "TYPE", c.type, sizeof(c.type));
		get(probe, "PTTYPE", c.type, sizeof(c.type));
		get(probe, "LABEL", c.label, sizeof(c.label));
		get(probe, "UUID", c.uuid, sizeof(c.uuid));
		get(probe, "PTUUID", c.uuid, sizeof(c.uuid));
	}
	if (r == -2)
		snprintf(c.type, sizeof(c.type), "ambiguous");
	r = r == -1 ? -errno : 0;
	blkid_free_probe(probe);
	if (r < 0)
		return ec2fs_fail_errno(error, -r, EC2_InternalError, "looking at a disk: %s",
					strerror(-r));
	*ret = c;
	return 0;
}
