/* What of a VPC is neither a group nor an interface: its services, gateways, subnets and ACLs. */
#include "netfw/compile.h"

#include "netfw/compile_frame.h"
#include "netfw/disjoint.h"
#include "netfw/names.h"
#include "netfw/well_known.h"

#include <netinet/in.h>
#include <string.h>

static void add_service(struct ir *ir, uint32_t address, uint32_t protocol, uint32_t port)
{
	struct ir_element *e = ir_add_element(ir, &frame_services);
	size_t at = 0;

	key_number(e->key, &at, IR_IP_DADDR, address);
	key_number(e->key, &at, IR_L4PROTO, protocol);
	key_number(e->key, &at, IR_TH_DPORT, port);
}

static void add_resolver(struct ir *ir, uint32_t address)
{
	add_service(ir, address, IPPROTO_UDP, 53);
	add_service(ir, address, IPPROTO_TCP, 53);
}

static void add_services(struct ir *ir, const struct netfw_vpc *vpc)
{
	bool first = vpc->cidr_count > 0;

	add_service(ir, METADATA, IPPROTO_TCP, 80);
	for (size_t i = 0; i < vpc->subnet_count; i++) {
		size_t at = 0;

		key_number(ir_add_element(ir, &frame_routers)->key, &at, IR_IP_DADDR,
			   vpc->subnets[i].cidr.address + 1);
		if (vpc->cidr_count && vpc->subnets[i].cidr.address == vpc->cidrs[0].address)
			first = false;
	}
	if (!vpc->dns)
		return;
	add_resolver(ir, RESOLVER);
	/* The resolver of the VPC is at the base of its first block, whether in a subnet or not. */
	if (first)
		add_resolver(ir, vpc->cidrs[0].address + 2);
	for (size_t i = 0; i < vpc->subnet_count; i++)
		add_resolver(ir, vpc->subnets[i].cidr.address + 2);
}

static void add_link(struct ir *ir, const char *device)
{
	size_t at = 0;

	key_bytes(ir_add_element(ir, &frame_links)->key, &at, IR_IIFNAME, device, strlen(device));
}

static void add_links(struct ir *ir, const struct netfw_vpc *vpc)
{
	char device[16];

	for (size_t i = 0; i < vpc->peering_count; i++) {
		netfw_peering_name(vpc->peerings[i].id, device);
		add_link(ir, device);
	}
	if (vpc->gateway_id) {
		netfw_gateway_name(vpc->gateway_id, device);
		add_link(ir, device);
	}
}

/* Packets of other protocols are dropped before they come here: to-gateway. */
static void add_nat(struct ir *ir, struct ir_chain *c, const struct netfw_nat *nat)
{
	static const uint32_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP};
	uint32_t address = nat->public_ip ? nat->public_ip : nat->private_ip;
	char device[16];

	netfw_nat_name(nat->id, device);
	for (size_t i = 0; i < sizeof(protocols) / sizeof(*protocols); i++) {
		struct ir_rule *r = ir_add_rule(ir, c);

		rule_device(r, IR_OIFNAME, device);
		rule_match(r, IR_L4PROTO, protocols[i]);
		rule_snat(r, address, protocols[i] != IPPROTO_ICMP);
	}
}

static void add_srcnat(struct ir *ir, const struct netfw_vpc *vpc)
{
	const enum ir_field source[] = {IR_IP_SADDR, IR_NO_FIELD};
	struct ir_chain *c = ir_add_chain(ir, IR_INET, "srcnat");
	struct ir_rule *r = ir_add_rule(ir, c);

	c->hook = IR_POSTROUTING;
	c->nat = true;
	c->priority = 100;
	c->policy = IR_ACCEPT;
	rule_device(r, IR_OIFNAME, NETFW_IGW);
	rule_map(r, IR_OP_SNAT_MAP, frame_public.name, source);
	/* Nothing leaves under a private address. */
	r = ir_add_rule(ir, c);
	rule_device(r, IR_OIFNAME, NETFW_IGW);
	rule_counter(r);
	rule_verdict(r, IR_DROP);
	for (size_t i = 0; i < vpc->nat_count; i++)
		add_nat(ir, c, &vpc->nats[i]);
}

static const struct netfw_acl *find_acl(const struct netfw_vpc *vpc, const char *id)
{
	for (size_t i = 0; i < vpc->acl_count; i++)
		if (!strcmp(vpc->acls[i].id, id))
			return &vpc->acls[i];
	return NULL;
}

bool compile_acl_restricts(const struct netfw_vpc *vpc, const struct netfw_subnet *subnet)
{
	const struct netfw_acl *acl = subnet->acl ? find_acl(vpc, subnet->acl) : NULL;

	return subnet->acl && !(acl && acl->allows_all);
}

struct ir_set *compile_subnet_set(struct ir *ir, const char *subnet)
{
	struct ir_set *set = ir_alloc(ir, sizeof(*set));

	*set = (struct ir_set){
		.name = ir_text(ir, subnet), .fields = {IR_IIFNAME}, .field_count = 1};
	return set;
}

/* Inside a subnet its ACL says nothing. */
static void add_boundary(struct ir *ir, const struct netfw_subnet *subnet, bool out)
{
	const enum ir_field other[] = {out ? IR_OIFNAME : IR_IIFNAME, IR_NO_FIELD};
	const char *way = out ? "out" : "in";
	struct ir_chain *c = ir_add_chain(ir, IR_INET, ir_format(ir, "%s-%s", subnet->id, way));
	struct ir_rule *r = ir_add_rule(ir, c);

	rule_lookup(r, ir_text(ir, subnet->id), other);
	rule_goto(r, out ? "rules-out" : "rules-in");
	rule_jump(ir_add_rule(ir, c), ir_format(ir, "%s-%s", subnet->acl, way));
	rule_goto(ir_add_rule(ir, c), out ? "rules-out" : "rules-in");
}

static bool has_chain(const struct ir *ir, const char *id)
{
	size_t len = strlen(id);

	for (size_t i = 0; i < ir->view.chain_count; i++)
		if (!strncmp(ir->view.chains[i]->name, id, len) &&
		    !strcmp(ir->view.chains[i]->name + len, "-in"))
			return true;
	return false;
}

struct ir *compile_vpc(const struct netfw_vpc *vpc, uint32_t log_group)
{
	struct ir *ir = ir_new();
	bool acls = false;

	for (size_t i = 0; i < vpc->subnet_count; i++)
		acls |= compile_acl_restricts(vpc, &vpc->subnets[i]);
	compile_frame(ir, acls, log_group);
	add_services(ir, vpc);
	add_links(ir, vpc);
	add_srcnat(ir, vpc);
	for (size_t i = 0; i < vpc->subnet_count; i++) {
		const struct netfw_subnet *subnet = &vpc->subnets[i];

		view_set(&ir->view, compile_subnet_set(ir, subnet->id));
		if (!compile_acl_restricts(vpc, subnet))
			continue;
		if (!has_chain(ir, subnet->acl))
			compile_acl(ir, subnet->acl, find_acl(vpc, subnet->acl));
		add_boundary(ir, subnet, true);
		add_boundary(ir, subnet, false);
	}
	return ir;
}
