#include "ec2fs/model/kinds.h"
#include "ec2fs/tree/internal.h"

static const struct dir subnets_dir = {
	.title = "vpcs/VPC/subnets", .child = KIND_SUBNET, .make = subnet_make};
static const struct dir route_tables_dir = {
	.title = "vpcs/VPC/route-tables", .child = KIND_ROUTE_TABLE, .make = route_table_make};
static const struct dir network_acls_dir = {
	.title = "vpcs/VPC/network-acls", .child = KIND_NETWORK_ACL, .make = network_acl_make};
static const struct dir nat_gateways_dir = {
	.title = "vpcs/VPC/nat-gateways", .child = KIND_NAT_GATEWAY, .make = nat_gateway_make};
static const struct dir peerings_dir = {
	.title = "vpcs/VPC/peerings", .child = KIND_PEERING, .make = peering_make};
static const struct dir vpn_dir = {
	.title = "vpcs/VPC/vpn", .child = KIND_VPN_GATEWAY, .make = vpn_gateway_make};

static const struct entry entries[] = {
	{.name = "vpc-id", .mode = S_IFREG | 0444, .show = show_id, .help = "vpc-…"},
	{.name = "subnets",
	 .mode = S_IFDIR | 0755,
	 .dir = &subnets_dir,
	 .help = "a range of its addresses in one zone each"},
	{.name = "route-tables",
	 .mode = S_IFDIR | 0755,
	 .dir = &route_tables_dir,
	 .help = "where packets go"},
	{.name = "network-acls",
	 .mode = S_IFDIR | 0755,
	 .dir = &network_acls_dir,
	 .help = "stateless filters of subnets"},
	{.name = "nat-gateways",
	 .mode = S_IFDIR | 0755,
	 .dir = &nat_gateways_dir,
	 .help = "ways out for subnets without public addresses"},
	{.name = "peerings",
	 .mode = S_IFDIR | 0755,
	 .dir = &peerings_dir,
	 .help = "joints to other VPCs"},
	{.name = "vpn",
	 .mode = S_IFDIR | 0755,
	 .dir = &vpn_dir,
	 .help = "joints to your own network"},
	{.name = "tags", .mode = S_IFDIR | 0755, .dir = &tags_dir, .help = "a file each"},
	{.name = "error",
	 .mode = S_IFREG | 0444,
	 .show = show_error,
	 .help = "why the last change was refused"},
	{0},
};

static const struct dir vpc_dir = {.title = "vpcs/NAME", .entries = entries};

const struct kind_ops vpc_kind = {.dir = &vpc_dir, .remove = vpc_remove, .rename = vpc_rename};
