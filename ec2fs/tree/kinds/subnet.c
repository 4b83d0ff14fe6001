/* vpcs/VPC/subnets/NAME: a block of addresses in one zone. */
#include "ec2fs/model/network.h"
#include "ec2fs/tree/internal.h"

#include <inttypes.h>

static void show_available(const struct show *s, struct strbuf *out)
{
	strbuf_addf(out, "%" PRIu64 "\n", subnet_available(s->view, s->r));
}

static const struct entry entries[] = {
	ENTRY_ID("subnet-id", "subnet-…"),
	ENTRY_RW("availability-zone", subnet_set_zone, "where its instances are; written once"),
	ENTRY_RW("cidr-block", subnet_set_cidr_block,
		 "its addresses, within a block of the VPC; written once"),
	ENTRY_RO("state", "pending until it has a block, then available"),
	ENTRY_RO("available-ip-address-count", "free addresses; five of a block are reserved",
		 .flags = TREE_LIVE, .show = show_available),
	ENTRY_RW("map-public-ip-on-launch", subnet_set_map_public_ip,
		 "true: its instances get a public address"),
	ENTRY_RW("route-table", subnet_set_route_table,
		 "name of a route table; empty: the VPC's main one", .flags = ENTRY_VOLATILE,
		 .show = show_reference, .unset = subnet_unset_route_table),
	ENTRY_RW("network-acl", subnet_set_network_acl,
		 "name of a network ACL; empty: the VPC's default one", .flags = ENTRY_VOLATILE,
		 .show = show_reference, .unset = subnet_unset_network_acl),
	ENTRY_RO("default-for-az", "true: where the zone's instances go that name no subnet"),
	ENTRY_TAGS,
	ENTRY_ERROR,
	{0},
};

static const struct dir subnet_dir = {.title = "vpcs/VPC/subnets/NAME", .entries = entries};

const struct kind_ops subnet_kind = {
	.dir = &subnet_dir, .remove = subnet_remove, .rename = subnet_rename};
