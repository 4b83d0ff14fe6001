/* What a disk image is. The qcow2 header: docs/interop/qcow2.txt of QEMU. */
#include "volumes/volumes.h"

#include <endian.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_VIRTUAL (64ULL << 40)

struct qcow2_header {
	uint32_t magic, version;
	uint64_t backing_file_offset;
	uint32_t backing_file_size, cluster_bits;
	uint64_t size;
	uint32_t crypt_method, l1_size;
	uint64_t l1_table_offset, refcount_table_offset;
	uint32_t refcount_table_clusters, snapshots;
	uint64_t snapshots_offset;
	uint64_t incompatible_features; /* version 3 from here on */
} __attribute__((packed));

#define QCOW2_MAGIC 0x514649fbU
#define QCOW2_DIRTY 1U
#define QCOW2_CORRUPT 2U
#define QCOW2_EXTERNAL_DATA 4U
#define QCOW2_COMPRESSION 8U
#define QCOW2_EXTENDED_L2 16U

/* Formats that are neither, by their first bytes. */
static const struct {
	const char *magic;
	size_t len;
	off_t at;
	const char *name, *cure;
} others[] = {
	{"KDMV", 4, 0, "a VMDK disk", "convert it with qemu-img convert -O qcow2"},
	{"# Disk DescriptorFile", 21, 0, "a VMDK descriptor", "convert it with qemu-img convert"},
	{"vhdxfile", 8, 0, "a VHDX disk", "convert it with qemu-img convert -O qcow2"},
	{"conectix", 8, 0, "a VHD disk", "convert it with qemu-img convert -O qcow2"},
	{"<<< ", 4, 0, "a VDI disk", "convert it with qemu-img convert -O qcow2"},
	{"QED\0", 4, 0, "a QED disk", "convert it with qemu-img convert -O qcow2"},
	{"\x1f\x8b", 2, 0, "gzip data", "unpack it with gunzip first"},
	{"\xfd"
	 "7zXZ",
	 5, 0, "xz data", "unpack it with unxz first"},
	{"\x28\xb5\x2f\xfd", 4, 0, "zstd data", "unpack it with unzstd first"},
	{"BZh", 3, 0, "bzip2 data", "unpack it with bunzip2 first"},
	{"PK\x03\x04", 4, 0, "a zip archive", "unpack it first"},
	{"ustar", 5, 257, "a tar archive", "unpack it first"},
};

static int probe_qcow2(const struct qcow2_header *h, ssize_t len, struct disk_info *ret,
		       struct ec2fs_error *error)
{
	uint32_t version = be32toh(h->version);
	uint64_t size = be64toh(h->size), features = 0;

	if (len < (ssize_t)offsetof(struct qcow2_header, incompatible_features) ||
	    (version == 3 && len < (ssize_t)sizeof(*h)))
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "the qcow2 file ends within its header");
	if (version != 2 && version != 3)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "qcow2 of version %u is not known; version 2 and 3 are", version);
	if (version == 3)
		features = be64toh(h->incompatible_features);
	/* Whoever imports an image must not read other files of the host through it. */
	if (h->backing_file_offset)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "the qcow2 file has a backing file; make it whole with qemu-img "
				  "convert");
	if (features & QCOW2_EXTERNAL_DATA)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "the qcow2 file keeps its data in another file; make it whole "
				  "with qemu-img convert");
	if (features & QCOW2_CORRUPT)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "the qcow2 file is marked as corrupt; try qemu-img check -r all");
	if (features & ~(uint64_t)(QCOW2_DIRTY | QCOW2_COMPRESSION | QCOW2_EXTENDED_L2))
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "the qcow2 file uses features that are not known here");
	if (h->crypt_method)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "the qcow2 file is encrypted; decrypt it with qemu-img convert");
	if (!size || size > MOST_VIRTUAL)
		return ec2fs_fail(
			error, EC2_InvalidParameterValue,
			"the disk's virtual size is %llu bytes; it must be from 1 byte to "
			"64 TiB",
			(unsigned long long)size);
	*ret = (struct disk_info){DISK_QCOW2, size};
	return 0;
}

int disk_probe(int fd, struct disk_info *ret, struct ec2fs_error *error)
{
	unsigned char head[512] = {0};
	struct qcow2_header h;
	struct stat st;
	ssize_t n = pread(fd, head, sizeof(head), 0);

	if (n < 0 || fstat(fd, &st) < 0)
		return ec2fs_fail_errno(error, errno, EC2_InternalError, "%s", strerror(errno));
	if (n == 0)
		return ec2fs_fail(error, EC2_InvalidParameterValue, "the disk image is empty");
	memcpy(&h, head, sizeof(h));
	if (n >= 4 && be32toh(h.magic) == QCOW2_MAGIC)
		return probe_qcow2(&h, n, ret, error);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (n >= others[i].at + (ssize_t)others[i].len &&
		    memcmp(head + others[i].at, others[i].magic, others[i].len) == 0)
			return ec2fs_fail(error, EC2_InvalidParameterValue,
					  "this is %s, and a disk is raw or qcow2: %s",
					  others[i].name, others[i].cure);
	if (st.st_size % 512)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "a raw disk is whole sectors of 512 bytes, and this has %lld "
				  "bytes: it is cut short, or no disk",
				  (long long)st.st_size);
	*ret = (struct disk_info){DISK_RAW, (uint64_t)st.st_size};
	return 0;
}
