#include "ec2fs/model/network.h"
#include "ec2fs/tree/internal.h"

#include <inttypes.h>

static void show_available(const struct show *s, struct strbuf *out)
{
	strbuf_addf(out, "%" PRIu64 "\n", subnet_available(s->view, s->r));
}

static const struct entry entries[] = {
	{.name = "subnet-id", .mode = S_IFREG | 0444, .show = show_id, .help = "subnet-…"},
	{.name = "availability-zone",
	 .mode = S_IFREG | 0644,
	 .store = subnet_set_zone,
	 .help = "where its instances are; written once"},
	{.name = "cidr-block",
	 .mode = S_IFREG | 0644,
	 .store = subnet_set_cidr_block,
	 .help = "its addresses, within a block of the VPC; written once"},
	{.name = "state",
	 .mode = S_IFREG | 0444,
	 .help = "pending until it has a block, then available"},
	{.name = "available-ip-address-count",
	 .mode = S_IFREG | 0444,
	 .flags = TREE_LIVE,
	 .show = show_available,
	 .help = "free addresses; five of a block are reserved"},
	{.name = "map-public-ip-on-launch",
	 .mode = S_IFREG | 0644,
	 .store = subnet_set_map_public_ip,
	 .help = "true: its instances get a public address"},
	{.name = "route-table",
	 .mode = S_IFREG | 0644,
	 .flags = ENTRY_VOLATILE,
	 .show = show_reference,
	 .store = subnet_set_route_table,
	 .unset = subnet_unset_route_table,
	 .help = "name of a route table; empty: the VPC's main one"},
	{.name = "network-acl",
	 .mode = S_IFREG | 0644,
	 .flags = ENTRY_VOLATILE,
	 .show = show_reference,
	 .store = subnet_set_network_acl,
	 .unset = subnet_unset_network_acl,
	 .help = "name of a network ACL; empty: the VPC's default one"},
	{.name = "default-for-az",
	 .mode = S_IFREG | 0444,
	 .help = "true: where the zone's instances go that name no subnet"},
	{.name = "tags", .mode = S_IFDIR | 0755, .dir = &tags_dir, .help = "a file each"},
	{.name = "error",
	 .mode = S_IFREG | 0444,
	 .show = show_error,
	 .help = "why the last change was refused"},
	{0},
};

static const struct dir subnet_dir = {.title = "vpcs/VPC/subnets/NAME", .entries = entries};

const struct kind_ops subnet_kind = {
	.dir = &subnet_dir, .remove = subnet_remove, .rename = subnet_rename};
