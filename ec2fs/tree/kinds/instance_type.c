/* instance-types/NAME: processors, memory and disks of an instance. */
#include "ec2fs/model/kinds.h"
#include "ec2fs/tree/internal.h"

static const struct entry entries[] = {
	ENTRY_RW("vcpus", instance_type_set_vcpus, "number of virtual CPUs"),
	ENTRY_RW("memory", instance_type_set_memory, "such as 512 MiB"),
	ENTRY_RW("architecture", instance_type_set_architecture, "x86_64 or arm64"),
	ENTRY_RW("instance-storage", instance_type_set_storage,
		 "disks that live as long as the machine, COUNTxSIZE in GB; empty: none"),
	ENTRY_ERROR,
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
