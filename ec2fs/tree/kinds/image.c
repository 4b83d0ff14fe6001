/* images/NAME: what instances boot from. */
#include "ec2fs/model/block_devices.h"
#include "ec2fs/model/storage.h"
#include "ec2fs/tree/internal.h"
#include "ec2fs/util/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KERNEL_MAX (512ULL << 20)

static uint64_t disk_size(const struct show *s)
{
	const struct resource *snapshot = image_root_snapshot(s->view, s->r);
	/* "NAME SIZE …", written by tree_blob_commit. */
	const char *size = strchr(resource_or(s->r, "disk", ""), ' ');

	if (size)
		return strtoull(size, NULL, 10);
	return snapshot ? snapshot_disk_size(snapshot) : 0;
}

/* What its root volumes begin as. */
static int open_disk(struct tree *t, uint64_t number, struct luks **ret_luks, int *ret_fd,
		     uint64_t *ret_size)
{
	struct view v = cloud_read(t->cloud);
	const struct resource *image = view_get(&v, number);
	const struct resource *snapshot = image ? image_root_snapshot(&v, image) : NULL;

	number = snapshot ? snapshot->number : 0;
	cloud_read_end(t->cloud);
	return number ? snapshot_open(t, number, ret_luks, ret_fd, ret_size) : -ENODATA;
}

static bool disk_blocks(struct tree *t, uint64_t number, uint64_t *ret)
{
	struct view v = cloud_read(t->cloud);
	const struct resource *image = view_get(&v, number);
	const struct resource *snapshot = image ? image_root_snapshot(&v, image) : NULL;

	number = snapshot ? snapshot->number : 0;
	cloud_read_end(t->cloud);
	return number && snapshot_blocks(t, number, ret);
}

static void show_mappings(const struct show *s, struct strbuf *out)
{
	block_devices_print(s->view, s->r, out);
}

static const struct entry_extra disk_extra = {.inspect = engine_inspect_disk,
					      .size = disk_size,
					      .open = open_disk,
					      .blocks = disk_blocks};

/* A Linux kernel image: bzImage has "HdrS" at 0x202 (x86 boot protocol), ELF and arm64's Image
 * their magic. */
static int inspect_kernel(int fd, char **ret_value, struct ec2fs_error *error)
{
	unsigned char head[0x206] = {0};
	ssize_t n = pread(fd, head, sizeof(head), 0);
	bool x86 = n == sizeof(head) && memcmp(head + 0x202, "HdrS", 4) == 0;
	bool elf = n >= 4 && memcmp(head, "\177ELF", 4) == 0;
	bool arm = n >= 0x3c && memcmp(head + 0x38, "ARM\x64", 4) == 0;

	if (!x86 && !elf && !arm)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "this is no Linux kernel (a bzImage, vmlinux or arm64 Image)");
	*ret_value = xstrdup("");
	return 0;
}

static const struct entry_extra kernel_extra = {.inspect = inspect_kernel};

static const struct entry entries[] = {
	ENTRY_ID("image-id", "ami-…"),
	ENTRY_RO("state", "pending until there is something to boot, available, or failed"),
	ENTRY_RO("state-reason", "why it failed", .present = field_present),
	ENTRY_RO("progress", "of a conversion", .present = field_present),
	ENTRY_RW("disk", image_set_disk, "raw or qcow2: write one to import it; reading gives raw",
		 .flags = TREE_BLOB, .max = (size_t)DISK_MAX, .extra = &disk_extra),
	ENTRY_RW("kernel", image_set_kernel, "boot this instead of the disk's boot loader",
		 .flags = TREE_BLOB, .max = (size_t)KERNEL_MAX, .unset = image_unset_kernel,
		 .extra = &kernel_extra),
	ENTRY_RW("ramdisk", image_set_ramdisk, "initramfs that goes with the kernel",
		 .flags = TREE_BLOB, .max = (size_t)KERNEL_MAX, .unset = image_unset_ramdisk),
	ENTRY_RW("cmdline", image_set_cmdline, "arguments of the kernel",
		 .unset = image_unset_cmdline),
	ENTRY_RW("description", image_set_description, "free text"),
	ENTRY_RW("architecture", image_set_architecture, "x86_64 or arm64"),
	ENTRY_RW("root-device-name", image_set_root_device_name, "such as /dev/xvda"),
	ENTRY_RW("block-device-mappings", image_set_mappings,
		 "disks of its instances: DEVICE snapshot:NAME, size:GIB, ephemeralN or none, a "
		 "line each",
		 .flags = TREE_DOCUMENT | ENTRY_VOLATILE, .max = 16 * 1024, .show = show_mappings),
	ENTRY_RW("no-reboot", image_set_no_reboot,
		 "true: the source instance runs on while it is copied", .flags = TREE_NOT_COPIED),
	ENTRY_RW("source-instance", image_set_source_instance,
		 "name or ID; writing it makes the image of that instance's volumes",
		 .flags = ENTRY_VOLATILE | TREE_NOT_COPIED, .show = show_reference),
	ENTRY_RW("source-snapshot", image_set_source_snapshot,
		 "name or ID of the snapshot of a root volume",
		 .flags = ENTRY_VOLATILE | TREE_NOT_COPIED, .show = show_reference),
	ENTRY_RO("creation-date", "when it was made"),
	ENTRY_WAIT,
	ENTRY_TAGS,
	ENTRY_ERROR,
	{0},
};

static const struct dir image_dir = {.title = "images/NAME", .entries = entries};

const struct kind_ops image_kind = {
	.dir = &image_dir, .remove = image_remove, .rename = image_rename};
