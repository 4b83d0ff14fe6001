/* Facts of an instance for the metadata service: freed here, whoever made them. */
#include "netfw/netfw.h"

#include <stdlib.h>

static void free_list(char **list, size_t count)
{
	for (size_t i = 0; list && i < count; i++)
		free(list[i]);
	free(list);
}

void imds_facts_free(struct imds_facts *f)
{
	char *texts[] = {
		f->instance_id,
		f->image_id,
		f->instance_type,
		f->region,
		f->availability_zone,
		f->account,
		f->architecture,
		f->reservation_id,
		f->launch_time,
		f->kernel_id,
		f->ramdisk_id,
		f->local_hostname,
		f->public_hostname,
		f->domain,
		f->mac,
		f->local_ipv4,
		f->public_ipv4,
		f->interface_id,
		f->subnet_id,
		f->subnet_cidr,
		f->vpc_id,
		f->vpc_cidr,
		f->owner_id,
		f->key_name,
		f->public_key,
		f->root_device,
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
	free_list(f->vpc_cidrs, f->vpc_cidr_count);
	free_list(f->group_names, f->group_count);
	free_list(f->group_ids, f->group_count);
	free_list(f->devices, f->device_count);
	free_list(f->store_names, f->store_count);
	free_list(f->store_devices, f->store_count);
	free_list(f->tag_keys, f->tag_count);
	free_list(f->tag_values, f->tag_count);
	free(f->user_data);
	*f = (struct imds_facts){0};
}
