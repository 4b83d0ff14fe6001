#include "ec2fs/model/kinds.h"
#include "ec2fs/tree/internal.h"

static const struct entry entries[] = {
	{.name = "vcpus",
	 .mode = S_IFREG | 0644,
	 .store = instance_type_set_vcpus,
	 .help = "number of virtual CPUs"},
	{.name = "memory",
	 .mode = S_IFREG | 0644,
	 .store = instance_type_set_memory,
	 .help = "such as 512 MiB"},
	{.name = "architecture",
	 .mode = S_IFREG | 0644,
	 .store = instance_type_set_architecture,
	 .help = "x86_64 or arm64"},
	{.name = "instance-storage",
	 .mode = S_IFREG | 0644,
	 .store = instance_type_set_storage,
	 .help = "disks that live as long as the machine, COUNTxSIZE in GB; empty: none"},
	{.name = "error",
	 .mode = S_IFREG | 0444,
	 .show = show_error,
	 .help = "why the last change was refused"},
	{0},
};

static const struct dir type_dir = {.title = "instance-types/NAME", .entries = entries};

/* EC2's come with the region. */
static bool is_inborn(const struct view *v, const struct resource *r)
{
	(void)v;
	return instance_type_in_catalogue(r->name);
}

const struct kind_ops instance_type_kind = {.dir = &type_dir,
					    .inborn = is_inborn,
					    .remove = instance_type_remove,
					    .rename = instance_type_rename};
