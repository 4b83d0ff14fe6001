#include "ec2fs/model/names.h"
#include "ec2fs/tree/internal.h"
#include "ec2fs/tree/kinds/vpc_map.h"

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

/* What was written; else EC2's own. */
static void show_dhcp_options(const struct show *s, struct strbuf *out)
{
	if (resource_get(s->r, "dhcp-options")) {
		show_document(s, out);
		return;
	}
	strbuf_adds(out, "domain-name ");
	vpc_domain(s->view, s->r, out);
	strbuf_adds(out, "\ndomain-name-servers AmazonProvidedDNS\n");
}

static void show_map(const struct show *s, struct strbuf *out)
{
	vpc_map(s->view, s->r, out);
}

static void show_flow_logs(const struct show *s, struct strbuf *out)
{
	if (s->tree->engine)
		engine_flow_logs(s->tree->engine, s->r->id, out);
}

/* "rm -r" goes through a directory in this order: first what builds upon the rest. Copying tools go
 * by .order, the other way. */
static const struct entry entries[] = {
	{.name = "vpc-id", .mode = S_IFREG | 0444, .show = show_id, .help = "vpc-…"},
	{.name = "cidr-block",
	 .mode = S_IFREG | 0644,
	 .store = vpc_set_cidr_block,
	 .help = "its addresses, a /16 to /28 such as 10.0.0.0/16; kept once subnets are in it"},
	{.name = "cidr-blocks",
	 .mode = S_IFREG | 0644,
	 .flags = TREE_DOCUMENT,
	 .max = 4096,
	 .show = show_document,
	 .store = vpc_set_cidr_blocks,
	 .order = 1,
	 .help = "up to four further blocks, one a line"},
	{.name = "state",
	 .mode = S_IFREG | 0444,
	 .help = "pending until it has a block, then available"},
	{.name = "is-default",
	 .mode = S_IFREG | 0444,
	 .help = "true: where instances go that name no subnet"},
	{.name = "enable-dns-support",
	 .mode = S_IFREG | 0644,
	 .store = vpc_set_dns_support,
	 .help = "true: its DNS server answers, at the block's base + 2"},
	{.name = "enable-dns-hostnames",
	 .mode = S_IFREG | 0644,
	 .store = vpc_set_dns_hostnames,
	 .help = "true: public addresses have names"},
	{.name = "dhcp-options",
	 .mode = S_IFREG | 0644,
	 .flags = TREE_DOCUMENT,
	 .max = 4096,
	 .show = show_dhcp_options,
	 .store = vpc_set_dhcp_options,
	 .help = "domain-name, domain-name-servers, ntp-servers: KEY VALUE lines"},
	{.name = "flow-log-options",
	 .mode = S_IFREG | 0644,
	 .flags = TREE_DOCUMENT,
	 .max = 1024,
	 .show = show_document,
	 .store = vpc_set_flow_log_options,
	 .help = "traffic-type ALL, ACCEPT or REJECT, max-aggregation-interval: KEY VALUE lines; "
		 "empty: off"},
	{.name = "flow-logs",
	 .mode = S_IFREG | 0444,
	 .flags = TREE_LIVE | TREE_LOG,
	 .show = show_flow_logs,
	 .help = "who talked to whom, a line a flow, the newest last"},
	{.name = "map.svg",
	 .mode = S_IFREG | 0444,
	 .flags = TREE_LIVE,
	 .show = show_map,
	 .help = "a drawing of it"},
	{.name = "peerings",
	 .mode = S_IFDIR | 0755,
	 .dir = &peerings_dir,
	 .order = 7,
	 .help = "joints to other VPCs; mkdir asks for one"},
	{.name = "vpn",
	 .mode = S_IFDIR | 0755,
	 .dir = &vpn_dir,
	 .order = 6,
	 .help = "the joint to your own network"},
	{.name = "nat-gateways",
	 .mode = S_IFDIR | 0755,
	 .dir = &nat_gateways_dir,
	 .order = 5,
	 .help = "ways out for subnets without public addresses"},
	{.name = "internet-gateway",
	 .mode = S_IFREG | 0644,
	 .store = vpc_set_internet_gateway,
	 .unset = vpc_unset_internet_gateway,
	 .help = "true attaches one, false detaches it"},
	{.name = "subnets",
	 .mode = S_IFDIR | 0755,
	 .dir = &subnets_dir,
	 .order = 4,
	 .help = "a block of its addresses in one zone each"},
	{.name = "route-tables",
	 .mode = S_IFDIR | 0755,
	 .dir = &route_tables_dir,
	 .order = 3,
	 .help = "where packets go"},
	{.name = "network-acls",
	 .mode = S_IFDIR | 0755,
	 .dir = &network_acls_dir,
	 .order = 2,
	 .help = "stateless filters of subnets"},
	{.name = "tags", .mode = S_IFDIR | 0755, .dir = &tags_dir, .help = "a file each"},
	{.name = "error",
	 .mode = S_IFREG | 0444,
	 .show = show_error,
	 .help = "why the last change was refused"},
	{0},
};

static const struct dir vpc_dir = {.title = "vpcs/NAME", .entries = entries};

/* The region's, until somebody uses it or begins to take it apart. */
static bool is_inborn(const struct view *v, const struct resource *r)
{
	return resource_is(r, "is-default", "true") && vpc_has_internet(r) &&
	       view_next(v, r->number, KIND_SUBNET, 0) && vpc_is_pristine(v, r);
}

const struct kind_ops vpc_kind = {
	.dir = &vpc_dir, .remove = vpc_remove, .rename = vpc_rename, .inborn = is_inborn};
