/*
 * netfw_threads OWNER DIRECTORY ROUNDS: four threads change four VPCs at once, for that many
 * rounds: gateways, peerings with each other, public addresses that wander, taps. At the end each
 * VPC has an internet gateway, one interface with the public address 198.51.100.VPC, its tap, and
 * peerings with the next VPC and the one before. Prints what failed; exit status 1.
 */
#include "netfw/netfw.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VPCS 4

static struct netfw *netfw;
static int rounds;
static const char *const ids[VPCS] = {"vpc-0f000000000000001", "vpc-0f000000000000002",
				      "vpc-0f000000000000003", "vpc-0f000000000000004"};
static const char *const interfaces[VPCS] = {"eni-0f000000000000001", "eni-0f000000000000002",
					     "eni-0f000000000000003", "eni-0f000000000000004"};
static const char *const peerings[VPCS] = {"pcx-0f000000000000001", "pcx-0f000000000000002",
					   "pcx-0f000000000000003", "pcx-0f000000000000004"};

static bool check(const char *what, int number, int r, const struct ec2fs_error *error)
{
	if (r == 0)
		return true;
	printf("%s of VPC %d: %s: %s\n", what, number, ec2_code_name(error->code), error->message);
	return false;
}

static uint32_t network(int number)
{
	return 0x0a000000U + ((uint32_t)number << 16);
}

/* bits: 1 internet gateway, 2 and 4 peerings, 8 a wandering address, 16 all anew. */
static bool describe(int number, unsigned bits)
{
	int after = (number + 1) % VPCS, before = (number + VPCS - 1) % VPCS;
	struct netfw_cidr cidr = {network(number), 16};
	struct netfw_route routes[] = {
		{.target = NETFW_INTERNET},
		{.to = {network(after), 16}, .target = NETFW_PEERING, .id = peerings[number]},
		{.to = {network(before), 16}, .target = NETFW_PEERING, .id = peerings[before]}};
	struct netfw_route_table table = {.id = "rtb-1", .routes = routes, .route_count = 3};
	struct netfw_acl acl = {.id = "acl-1", .allows_all = true};
	struct netfw_subnet subnet = {"subnet-1", {network(number), 24}, "rtb-1", "acl-1"};
	struct netfw_peering described[2];
	struct netfw_vpc vpc = {.id = ids[number],
				.cidrs = &cidr,
				.cidr_count = 1,
				.subnets = &subnet,
				.subnet_count = 1,
				.route_tables = &table,
				.route_table_count = 1,
				.acls = &acl,
				.acl_count = 1,
				.peerings = described,
				.internet = bits & 1};
	struct netfw_rule all = {.protocol = -1, .to = 65535, .type = -1, .code = -1};
	struct netfw_group group = {"sg-1", &all, &all, 1, 1};
	const char *groups[] = {"sg-1"};
	struct netfw_interface interface = {.id = interfaces[number],
					    .mac = {2, 0, 0, 0, 0, (uint8_t)number},
					    .address = network(number) + 5,
					    .public_ip = 0xc6336400U +
							 (bits & 8 ? 9 : (uint32_t)number + 1),
					    .subnet = "subnet-1",
					    .source_dest_check = !(bits & 2),
					    .groups = groups,
					    .group_count = 1,
					    .host_name = "ip-10"};
	struct netfw_change *c = netfw_change_begin(netfw, ids[number], bits & 16);
	struct ec2fs_error error;

	if (bits & 2)
		described[vpc.peering_count++] =
			(struct netfw_peering){peerings[number], ids[after]};
	if (bits & 4)
		described[vpc.peering_count++] =
			(struct netfw_peering){peerings[before], ids[before]};
	netfw_change_vpc(c, &vpc);
	netfw_change_group(c, &group);
	netfw_change_interface(c, &interface);
	return check("a change", number, netfw_change_commit(c, &error), &error);
}

static void count(void *context, const char *vpc)
{
	(void)vpc;
	++*(int *)context;
}

static void *change(void *context)
{
	int number = (int)(intptr_t)context, seen = 0;
	unsigned random = (unsigned)number;
	struct ec2fs_error error;
	bool fine = describe(number, 16);

	for (int i = 0; fine && i < rounds; i++) {
		fine = describe(number, (unsigned)rand_r(&random) >> 4);
		if (fine && i % 4 == 0)
			fine = check("making the tap", number,
				     netfw_tap_create(netfw, interfaces[number], &error), &error);
		if (fine && i % 4 == 0)
			fine = check(
				"attaching the tap", number,
				netfw_tap_attach(netfw, ids[number], interfaces[number], &error),
				&error);
		if (fine && i % 4 == 2)
			fine = check(
				"removing the tap", number,
				netfw_tap_remove(netfw, ids[number], interfaces[number], &error),
				&error);
		if (fine && i % 5 == 0)
			fine = check("listing", number, netfw_vpc_list(netfw, count, &seen, &error),
				     &error);
		fine = fine && netfw_vpc_known(netfw, ids[number]);
	}
	fine = fine && describe(number, 1 | 2 | 4 | 16) &&
	       check("making the tap", number, netfw_tap_create(netfw, interfaces[number], &error),
		     &error) &&
	       check("attaching the tap", number,
		     netfw_tap_attach(netfw, ids[number], interfaces[number], &error), &error);
	return fine ? NULL : (void *)ids[number];
}

int main(int argc, char **argv)
{
	struct netfw_options options = {.hypervisor = -1};
	struct netfw_cidr pool = {0xc6336400U, 24};
	struct ec2fs_error error;
	pthread_t threads[VPCS];
	bool fine;

	if (argc != 4)
		return 2;
	options.owner = argv[1];
	options.directory = argv[2];
	rounds = atoi(argv[3]);
	if (!check("opening", 0, netfw_open(&options, &netfw, &error), &error))
		return 1;
	fine = check("the pool", 0, netfw_set_pool(netfw, &pool, 1, &error), &error);
	for (int i = 0; i < VPCS; i++)
		pthread_create(&threads[i], NULL, change, (void *)(intptr_t)i);
	for (int i = 0; i < VPCS; i++) {
		void *failed;

		pthread_join(threads[i], &failed);
		fine = fine && !failed;
	}
	netfw_close(netfw);
	return !fine;
}
