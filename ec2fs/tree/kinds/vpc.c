/* vpcs/NAME: a network, and its collections. */
#include "ec2fs/model/names.h"
#include "ec2fs/tree/internal.h"
#include "ec2fs/tree/kinds/vpc_map.h"

static const struct dir subnets_dir = {
	.title = "vpcs/VPC/subnets",
	.entries = UNLISTED_README("subnets"),
	.child = KIND_SUBNET,
	.make = subnet_make,
	.about = "A subnet is a block of the VPC's addresses, in one zone. Its instances "
		 "are public where its route table leads to the internet gateway and they "
		 "have a public address.",
	.examples = "mkdir web; echo 10.0.1.0/24 > web/cidr-block\n"
		    "echo true > web/map-public-ip-on-launch\n"
		    "mkdir ../../../instances/app; echo main/web > ../../../instances/app/subnet\n",
};
static const struct dir route_tables_dir = {
	.title = "vpcs/VPC/route-tables",
	.entries = UNLISTED_README("route-tables"),
	.child = KIND_ROUTE_TABLE,
	.make = route_table_make,
	.about = "A route is DESTINATION TARGET, a line each; the longest prefix wins. "
		 "main decides for all subnets that name no table.",
	.examples = "mkdir public; echo '0.0.0.0/0 internet-gateway' >> public/routes\n"
		    "echo public > ../subnets/web/route-table\n"
		    "cat public/effective-routes            # what holds, and what leads nowhere\n",
};
static const struct dir network_acls_dir = {
	.title = "vpcs/VPC/network-acls",
	.entries = UNLISTED_README("network-acls"),
	.child = KIND_NETWORK_ACL,
	.make = network_acl_make,
	.about = "A network ACL filters a subnet's packets, one by one: it knows no "
		 "connections, so answers need an entry too. An entry is NUMBER allow|deny "
		 "PROTOCOL PORTS CIDR; the lowest number that matches decides.",
	.examples = "mkdir web; echo '100 allow tcp 443 0.0.0.0/0' > web/ingress\n"
		    "echo '100 allow tcp 1024-65535 0.0.0.0/0' > web/egress\n"
		    "echo web > ../subnets/web/network-acl\n",
};
static const struct dir nat_gateways_dir = {
	.title = "vpcs/VPC/nat-gateways",
	.entries = UNLISTED_README("nat-gateways"),
	.child = KIND_NAT_GATEWAY,
	.make = nat_gateway_make,
	.about = "A NAT gateway lets subnets reach out that nobody shall reach. It is in a "
		 "public subnet and sends from an Elastic IP; a route nat:NAME leads to "
		 "it.",
	.examples = "mkdir ../../../addresses/out out; echo out > out/address\n"
		    "echo web > out/subnet\n"
		    "echo '0.0.0.0/0 nat:out' >> ../route-tables/main/routes\n",
};
static const struct dir peerings_dir = {
	.title = "vpcs/VPC/peerings",
	.entries = UNLISTED_README("peerings"),
	.child = KIND_PEERING,
	.make = peering_make,
	.about = "A peering makes two VPCs reach each other: the one asks, the other "
		 "accepts, and both need a route peering:NAME. Their blocks must not "
		 "overlap.",
	.examples = "mkdir to-shared; echo shared > to-shared/peer-vpc           # ask\n"
		    "echo active > to-shared/state                               # accept\n"
		    "echo '10.1.0.0/16 peering:to-shared' >> ../route-tables/main/routes\n",
};
static const struct dir vpn_dir = {
	.title = "vpcs/VPC/vpn",
	.entries = UNLISTED_README("vpn"),
	.child = KIND_VPN_GATEWAY,
	.make = vpn_gateway_make,
	.about = "A VPN gateway joins the VPC to a network of yours, at an interface of "
		 "the host such as a WireGuard device. The device and its keys are yours "
		 "to set up.",
	.examples = "mkdir office; echo wg0 > office/interface\n"
		    "echo 192.168.7.0/24 > office/routes    # what is there\n"
		    "echo true > ../route-tables/main/propagating\n",
};

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
	ENTRY_ID("vpc-id", "vpc-…"),
	ENTRY_RW("cidr-block", vpc_set_cidr_block,
		 "its addresses, a /16 to /28 such as 10.0.0.0/16; kept once subnets are in it"),
	ENTRY_RW("cidr-blocks", vpc_set_cidr_blocks, "up to four further blocks, one a line",
		 .flags = TREE_DOCUMENT, .max = 4096, .show = show_document, .order = 1),
	ENTRY_RO("state", "pending until it has a block, then available"),
	ENTRY_RO("is-default", "true: where instances go that name no subnet"),
	ENTRY_RW("enable-dns-support", vpc_set_dns_support,
		 "true: its DNS server answers, at the block's base + 2"),
	ENTRY_RW("enable-dns-hostnames", vpc_set_dns_hostnames,
		 "true: public addresses have names"),
	ENTRY_RW("dhcp-options", vpc_set_dhcp_options,
		 "domain-name, domain-name-servers, ntp-servers: KEY VALUE lines",
		 .flags = TREE_DOCUMENT, .max = 4096, .show = show_dhcp_options),
	ENTRY_RW("flow-log-options", vpc_set_flow_log_options,
		 "traffic-type ALL, ACCEPT or REJECT, max-aggregation-interval: KEY VALUE lines; "
		 "empty: off",
		 .flags = TREE_DOCUMENT, .max = 1024, .show = show_document),
	ENTRY_RO("flow-logs", "who talked to whom, a line a flow, the newest last",
		 .flags = TREE_LIVE | TREE_LOG, .show = show_flow_logs),
	ENTRY_RO("map.svg", "a drawing of it", .flags = TREE_LIVE, .show = show_map),
	ENTRY_DIR("peerings", &peerings_dir, "joints to other VPCs; mkdir asks for one",
		  .order = 7),
	ENTRY_DIR("vpn", &vpn_dir, "the joint to your own network", .order = 6),
	ENTRY_DIR("nat-gateways", &nat_gateways_dir,
		  "ways out for subnets without public addresses", .order = 5),
	ENTRY_RW("internet-gateway", vpc_set_internet_gateway,
		 "true attaches one, false detaches it", .unset = vpc_unset_internet_gateway,
		 .flags = TREE_HOLDS),
	ENTRY_DIR("subnets", &subnets_dir, "a block of its addresses in one zone each", .order = 4),
	ENTRY_DIR("route-tables", &route_tables_dir, "where packets go", .order = 3),
	ENTRY_DIR("network-acls", &network_acls_dir, "stateless filters of subnets", .order = 2),
	ENTRY_TAGS,
	ENTRY_ERROR,
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
