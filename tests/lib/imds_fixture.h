/* Facts of an instance that has everything, for tests of the metadata service and its bench. */
#ifndef TESTS_LIB_IMDS_FIXTURE_H
#define TESTS_LIB_IMDS_FIXTURE_H

#include "ec2fs/util/memory.h"
#include "netfw/netfw.h"

#include <stdlib.h>
#include <string.h>

static inline char **imds_sample_list(const char *a, const char *b)
{
	char **list = xcalloc(2, sizeof(*list));

	list[0] = xstrdup(a);
	list[1] = xstrdup(b);
	return list;
}

static inline void imds_sample(struct imds_facts *f)
{
	*f = (struct imds_facts){
		.endpoint = true,
		.tags_served = true,
		.hops = 1,
		.instance_id = xstrdup("i-0123456789abcdef0"),
		.image_id = xstrdup("ami-0abcdef1234567890"),
		.instance_type = xstrdup("t3.micro"),
		.region = xstrdup("us-east-1"),
		.availability_zone = xstrdup("us-east-1a"),
		.account = xstrdup("123456789012"),
		.architecture = xstrdup("x86_64"),
		.reservation_id = xstrdup("r-0123456789abcdef0"),
		.launch_time = xstrdup("2024-05-06T07:08:09Z"),
		.launch_index = 3,
		.kernel_id = xstrdup("aki-01234567"),
		.ramdisk_id = xstrdup("ari-01234567"),
		.local_hostname = xstrdup("ip-10-0-1-5.ec2.internal"),
		.public_hostname = xstrdup("ec2-192-0-2-7.compute-1.amazonaws.com"),
		.domain = xstrdup("ec2.internal"),
		.mac = xstrdup("02:00:0a:00:01:05"),
		.local_ipv4 = xstrdup("10.0.1.5"),
		.public_ipv4 = xstrdup("192.0.2.7"),
		.interface_id = xstrdup("eni-0123456789abcdef0"),
		.subnet_id = xstrdup("subnet-0123456789abcdef0"),
		.subnet_cidr = xstrdup("10.0.1.0/24"),
		.vpc_id = xstrdup("vpc-0123456789abcdef0"),
		.vpc_cidr = xstrdup("10.0.0.0/16"),
		.owner_id = xstrdup("123456789012"),
		.vpc_cidrs = imds_sample_list("10.0.0.0/16", "10.1.0.0/16"),
		.vpc_cidr_count = 2,
		.group_names = imds_sample_list("default", "web"),
		.group_ids = imds_sample_list("sg-0123456789abcdef0", "sg-0fedcba9876543210"),
		.group_count = 2,
		.key_name = xstrdup("my key"),
		.public_key = xstrdup("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGZ my key"),
		.root_device = xstrdup("/dev/xvda"),
		.devices = imds_sample_list("sdf", "sdg"),
		.device_count = 2,
		.store_names = imds_sample_list("ephemeral0", "ephemeral2"),
		.store_devices = imds_sample_list("sdb", "sdc"),
		.store_count = 2,
		.tag_keys = imds_sample_list("Name", "env:stage"),
		.tag_values = imds_sample_list("web 1", ""),
		.tag_count = 2,
		.user_data = xstrdup("#!/bin/sh\necho hello\n"),
		.user_data_size = 21,
		.action = "none",
	};
}

/* Takes away each optional fact for which its bit of `without` is set: what a VPC with no public
 * addresses, an instance with no key … knows. */
#define IMDS_OPTIONAL 13
static inline void imds_sample_without(struct imds_facts *f, unsigned without)
{
	char **optional[] = {&f->kernel_id,     &f->ramdisk_id, &f->public_hostname,
			     &f->public_ipv4,   &f->key_name,   &f->public_key,
			     &f->root_device,   &f->mac,        &f->subnet_cidr,
			     &f->local_hostname};

	for (unsigned i = 0; i < sizeof(optional) / sizeof(optional[0]); i++) {
		if (without & 1u << i) {
			free(*optional[i]);
			*optional[i] = NULL;
		}
	}
	if (without & 1u << 10)
		f->user_data_size = 0;
	if (without & 1u << 11)
		f->tags_served = false;
	if (without & 1u << 12) {
		free(f->devices[0]);
		free(f->devices[1]);
		f->device_count = 0;
		for (int i = 0; i < 2; i++) {
			free(f->store_names[i]);
			free(f->store_devices[i]);
		}
		f->store_count = 0;
	}
}

#endif
