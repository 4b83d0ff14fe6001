/*
 * The frame of a VPC's tables. Interfaces, groups and the rest of the VPC are elements of its sets
 * and chains that it leads to; a packet passes
 *
 *   antispoof (raw)  →  dstnat  →  egress: what its sender may send
 *                               →  ingress: what its receiver may get  →  srcnat
 *                               →  input: what the VPC's own services may get
 */
#include "netfw/compile_frame.h"

#include "netfw/compile.h"
#include "netfw/names.h"

#include <netinet/in.h>

#include <linux/netfilter.h>

#define FIELDS(...) ((const enum ir_field[]){__VA_ARGS__, IR_NO_FIELD})
#define ANY_TAP "tap*"
#define ANY_NAT "nat*"
#define DHCP_CLIENT 68
#define DHCP_SERVER 67

#define SET(variable, set_name, ...)                                                               \
	const struct ir_set frame_##variable = {                                                   \
		.name = set_name,                                                                  \
		.fields = {__VA_ARGS__},                                                           \
		.field_count =                                                                     \
			sizeof((const enum ir_field[]){__VA_ARGS__}) / sizeof(enum ir_field),      \
		SET_REST}

#define SET_REST
/* An interface's address; its MAC. */
SET(addresses, "addresses", IR_IIFNAME, IR_IP_SADDR);
SET(clients, "clients", IR_IIFNAME, IR_ETHER_SADDR);
/* Services of the VPC: address, protocol, port. Its routers' addresses. Peerings and gateways. */
SET(services, "services", IR_IP_DADDR, IR_L4PROTO, IR_TH_DPORT);
SET(routers, "routers", IR_IP_DADDR);
SET(links, "links", IR_IIFNAME);
SET(nat_protocols, "nat-protocols", IR_L4PROTO);
/* Private and public address of one interface, as a connection to or from the internet has them. */
SET(internet_in, "internet-in", IR_IP_DADDR, IR_CT_ORIGINAL_DADDR);
SET(internet_out, "internet-out", IR_IP_SADDR, IR_CT_ORIGINAL_DADDR);
#undef SET_REST
#define SET_REST .family = IR_ARP
SET(arp_sources, "sources", IR_IIFNAME, IR_ARP_SADDR_ETHER, IR_ARP_SADDR_IP);
SET(arp_clients, "clients", IR_IIFNAME, IR_ARP_SADDR_ETHER);
#undef SET_REST
/* The class of the sender, by what it may send as, or by its MAC where only that is checked; and
 * that of the receiver. The elements count all of an interface's packets. */
#define SET_REST .data = IR_DATA_MARK, .counter = true
SET(sources, "sources", IR_IIFNAME, IR_ETHER_SADDR, IR_IP_SADDR);
SET(forwarders, "forwarders", IR_IIFNAME, IR_ETHER_SADDR);
SET(to, "to", IR_OIFNAME, IR_IP_DADDR);
SET(to_any, "to-any", IR_OIFNAME);
#undef SET_REST
#define SET_REST .counter = true
SET(dropped_out, "dropped-out", IR_IIFNAME);
SET(dropped_in, "dropped-in", IR_OIFNAME);
#undef SET_REST
#define SET_REST .data = IR_DATA_ADDRESS
SET(public, "public-addresses", IR_IP_SADDR);
SET(private, "private-addresses", IR_IP_DADDR);
#undef SET_REST
#define SET_REST .data = IR_DATA_VERDICT
SET(classes_out, "classes-out", IR_MARK);
SET(classes_in, "classes-in", IR_MARK);
SET(acls_out, "acls-out", IR_MARK);
SET(acls_in, "acls-in", IR_MARK);
#undef SET_REST

static struct ir_chain *base_chain(struct ir *ir, const char *name, enum ir_hook hook, int priority,
				   enum ir_verdict_kind policy)
{
	struct ir_chain *chain = ir_add_chain(ir, IR_INET, name);

	chain->hook = hook;
	chain->priority = priority;
	chain->policy = policy;
	return chain;
}

static void drop_counted(struct ir *ir, struct ir_chain *chain)
{
	struct ir_rule *r = ir_add_rule(ir, chain);

	rule_counter(r);
	rule_verdict(r, IR_DROP);
}

/*
 * No guest sends as somebody else. Before connection tracking: a forged packet must not end a
 * connection of its victim's. The same look at the sender finds its class, which the packet keeps
 * as its mark up to `egress`. The first rule is for most packets, the last ones for few.
 */
static void add_antispoof(struct ir *ir)
{
	struct ir_chain *c = base_chain(ir, "antispoof", IR_PREROUTING, -300, IR_ACCEPT);
	struct ir_rule *r = ir_add_rule(ir, c);

	rule_map(r, IR_OP_MARK_MAP, frame_sources.name, frame_sources.fields);
	rule_verdict(r, IR_ACCEPT);
	r = ir_add_rule(ir, c);
	rule_device(r, IR_IIFNAME, "lo");
	rule_verdict(r, IR_ACCEPT);
	r = ir_add_rule(ir, c);
	rule_match(r, IR_NFPROTO, NFPROTO_IPV6);
	rule_counter(r);
	rule_verdict(r, IR_DROP);
	r = ir_add_rule(ir, c);
	rule_not_device(r, IR_IIFNAME, ANY_TAP);
	rule_mark(r, 0);
	rule_verdict(r, IR_ACCEPT);
	r = ir_add_rule(ir, c);
	rule_map(r, IR_OP_MARK_MAP, frame_forwarders.name, FIELDS(IR_IIFNAME, IR_ETHER_SADDR));
	rule_verdict(r, IR_ACCEPT);
	r = ir_add_rule(ir, c);
	rule_lookup(r, frame_clients.name, FIELDS(IR_IIFNAME, IR_ETHER_SADDR));
	rule_match(r, IR_IP_SADDR, INADDR_ANY);
	rule_match(r, IR_UDP_SPORT, DHCP_CLIENT);
	rule_match(r, IR_UDP_DPORT, DHCP_SERVER);
	rule_verdict(r, IR_ACCEPT);
	drop_counted(ir, c);
}

static void add_arp(struct ir *ir)
{
	struct ir_chain *c = ir_add_chain(ir, IR_ARP, "input");
	struct ir_rule *r = ir_add_rule(ir, c);

	c->hook = IR_INPUT;
	c->policy = IR_ACCEPT;
	rule_not_device(r, IR_IIFNAME, ANY_TAP);
	rule_verdict(r, IR_ACCEPT);
	r = ir_add_rule(ir, c);
	rule_lookup(r, frame_arp_sources.name, frame_arp_sources.fields);
	rule_verdict(r, IR_ACCEPT);
	/* A probe: does anybody have the address that I am to take? */
	r = ir_add_rule(ir, c);
	rule_lookup(r, frame_arp_clients.name, FIELDS(IR_IIFNAME, IR_ARP_SADDR_ETHER));
	rule_match(r, IR_ARP_SADDR_IP, INADDR_ANY);
	rule_verdict(r, IR_ACCEPT);
	drop_counted(ir, c);
}

static void add_dstnat(struct ir *ir)
{
	struct ir_chain *c = base_chain(ir, "dstnat", IR_PREROUTING, -100, IR_ACCEPT);
	struct ir_rule *r = ir_add_rule(ir, c);

	c->nat = true;
	rule_device(r, IR_IIFNAME, NETFW_IGW);
	rule_map(r, IR_OP_DNAT_MAP, frame_private.name, FIELDS(IR_IP_DADDR));
}

/* Where all that was accepted, or dropped, in one direction passes last. */
static void add_accepted(struct ir *ir, const char *name)
{
	rule_verdict(ir_add_rule(ir, ir_add_chain(ir, IR_INET, name)), IR_ACCEPT);
}

static void add_dropped(struct ir *ir, const char *name, uint32_t log_group,
			const struct ir_set *count)
{
	struct ir_chain *c = ir_add_chain(ir, IR_INET, name);
	struct ir_rule *r;

	if (log_group) {
		/* Its connection has counted it already, as one that passes. */
		r = ir_add_rule(ir, c);
		rule_ct_confirmed(r);
		rule_log(r, log_group, "counted");
		rule_log(ir_add_rule(ir, c), log_group, c->name);
	}
	r = ir_add_rule(ir, c);
	rule_lookup(r, count->name, FIELDS(count->fields[0]));
	rule_verdict(r, IR_DROP);
	rule_verdict(ir_add_rule(ir, c), IR_DROP);
}

/*
 * One of a connection's addresses is that of the interface now, or the address was moved since the
 * connection began: then it ends, and nothing leaves under an address that is another's. A packet
 * out that is not translated yet shows the private address twice; in, that would be a forgery.
 */
static void add_internet(struct ir *ir, const char *name, const struct ir_set *set)
{
	struct ir_chain *c = ir_add_chain(ir, IR_INET, name);
	bool out = set == &frame_internet_out;
	struct ir_rule *r = ir_add_rule(ir, c);

	rule_match(r, IR_CT_DIRECTION, 0);
	rule_lookup(r, set->name,
		    FIELDS(set->fields[0], out ? IR_CT_REPLY_DADDR : IR_CT_ORIGINAL_DADDR));
	rule_verdict(r, IR_ACCEPT);
	r = ir_add_rule(ir, c);
	rule_match(r, IR_CT_DIRECTION, 1);
	rule_lookup(r, set->name,
		    FIELDS(set->fields[0], out ? IR_CT_ORIGINAL_DADDR : IR_CT_REPLY_DADDR));
	rule_verdict(r, IR_ACCEPT);
	drop_counted(ir, c);
}

static void add_from_gateway(struct ir *ir)
{
	struct ir_chain *c = ir_add_chain(ir, IR_INET, "from-gateway");
	struct ir_rule *r = ir_add_rule(ir, c);

	rule_ct_state(r, IR_CT_INVALID);
	rule_counter(r);
	rule_verdict(r, IR_DROP);
	r = ir_add_rule(ir, c);
	rule_device(r, IR_IIFNAME, NETFW_IGW);
	rule_goto(r, "from-internet");
	r = ir_add_rule(ir, c);
	rule_device(r, IR_IIFNAME, ANY_NAT);
	rule_ct_state(r, IR_CT_ESTABLISHED | IR_CT_RELATED);
	rule_verdict(r, IR_ACCEPT);
	r = ir_add_rule(ir, c);
	rule_lookup(r, frame_links.name, FIELDS(IR_IIFNAME));
	rule_verdict(r, IR_ACCEPT);
	drop_counted(ir, c);
}

/* From one gateway to another there is no way. */
static void add_to_gateway(struct ir *ir)
{
	struct ir_chain *c = ir_add_chain(ir, IR_INET, "to-gateway");
	struct ir_rule *r = ir_add_rule(ir, c);

	rule_not_device(r, IR_IIFNAME, ANY_TAP);
	rule_counter(r);
	rule_verdict(r, IR_DROP);
	r = ir_add_rule(ir, c);
	rule_device(r, IR_OIFNAME, NETFW_IGW);
	rule_goto(r, "to-internet");
	r = ir_add_rule(ir, c);
	rule_device(r, IR_OIFNAME, ANY_NAT);
	rule_lookup(r, frame_nat_protocols.name, FIELDS(IR_L4PROTO));
	rule_verdict(r, IR_ACCEPT);
	r = ir_add_rule(ir, c);
	rule_lookup(r, frame_links.name, FIELDS(IR_OIFNAME));
	rule_verdict(r, IR_ACCEPT);
	drop_counted(ir, c);
}

/* What an interface sends or gets: connections that were accepted before, or by the rules of its
 * class. What is in no map is dropped here, as everywhere. */
static void add_rules(struct ir *ir, bool out)
{
	struct ir_chain *c = ir_add_chain(ir, IR_INET, out ? "rules-out" : "rules-in");
	struct ir_rule *r = ir_add_rule(ir, c);

	rule_ct_state(r, IR_CT_ESTABLISHED | IR_CT_RELATED);
	rule_verdict(r, IR_ACCEPT);
	r = ir_add_rule(ir, c);
	rule_ct_state(r, IR_CT_INVALID);
	rule_goto(r, out ? "dropped-out" : "dropped-in");
	rule_map(ir_add_rule(ir, c), IR_OP_VERDICT_MAP,
		 out ? frame_classes_out.name : frame_classes_in.name, FIELDS(IR_MARK));
	rule_verdict(ir_add_rule(ir, c), IR_DROP);
}

/* Before these the subnet's ACL, which is stateless; it leads there. */
static void add_acls(struct ir *ir, bool out)
{
	const struct ir_set *map = out ? &frame_acls_out : &frame_acls_in;
	struct ir_chain *c = ir_add_chain(ir, IR_INET, map->name);

	rule_map(ir_add_rule(ir, c), IR_OP_VERDICT_MAP, map->name, FIELDS(IR_MARK));
	rule_verdict(ir_add_rule(ir, c), IR_DROP);
}

static void add_egress(struct ir *ir, bool acls)
{
	struct ir_chain *c = base_chain(ir, "egress", IR_FORWARD, 0, IR_DROP);
	struct ir_rule *r = ir_add_rule(ir, c);

	rule_match(r, IR_MARK, 0);
	rule_goto(r, "from-gateway");
	rule_goto(ir_add_rule(ir, c), acls ? "acls-out" : "rules-out");
}

/* A rule whose map has nothing ends there, and the next one is looked at. */
static void add_ingress(struct ir *ir, bool acls)
{
	struct ir_chain *c = base_chain(ir, "ingress", IR_FORWARD, 10, IR_DROP);
	struct ir_rule *r = ir_add_rule(ir, c);

	/* Destination check: to no other address than its own. */
	rule_map(r, IR_OP_MARK_MAP, frame_to.name, frame_to.fields);
	rule_goto(r, acls ? "acls-in" : "rules-in");
	r = ir_add_rule(ir, c);
	rule_map(r, IR_OP_MARK_MAP, frame_to_any.name, FIELDS(IR_OIFNAME));
	rule_goto(r, acls ? "acls-in" : "rules-in");
	rule_goto(ir_add_rule(ir, c), "to-gateway");
}

/* The VPC's own services: DHCP, DNS, metadata, and the router's answer to ping. A forwarder reaches
 * them under its own address only: by that the metadata service knows who asks. */
static void add_input(struct ir *ir)
{
	struct ir_chain *c = base_chain(ir, "input", IR_INPUT, 0, IR_DROP);
	struct ir_rule *r = ir_add_rule(ir, c);

	rule_device(r, IR_IIFNAME, "lo");
	rule_verdict(r, IR_ACCEPT);
	r = ir_add_rule(ir, c);
	rule_device(r, IR_IIFNAME, ANY_TAP);
	rule_match(r, IR_UDP_SPORT, DHCP_CLIENT);
	rule_match(r, IR_UDP_DPORT, DHCP_SERVER);
	rule_verdict(r, IR_ACCEPT);
	r = ir_add_rule(ir, c);
	rule_device(r, IR_IIFNAME, ANY_TAP);
	rule_not_in(r, frame_addresses.name, frame_addresses.fields);
	rule_goto(r, "dropped-out");
	r = ir_add_rule(ir, c);
	rule_ct_state(r, IR_CT_ESTABLISHED | IR_CT_RELATED);
	rule_verdict(r, IR_ACCEPT);
	r = ir_add_rule(ir, c);
	rule_not_device(r, IR_IIFNAME, ANY_TAP);
	rule_counter(r);
	rule_verdict(r, IR_DROP);
	r = ir_add_rule(ir, c);
	rule_lookup(r, frame_services.name, frame_services.fields);
	rule_verdict(r, IR_ACCEPT);
	r = ir_add_rule(ir, c);
	rule_match(r, IR_ICMP_TYPE, 8);
	rule_lookup(r, frame_routers.name, FIELDS(IR_IP_DADDR));
	rule_verdict(r, IR_ACCEPT);
	rule_goto(ir_add_rule(ir, c), "dropped-out");
}

void compile_frame(struct ir *ir, bool acls, uint32_t log_group)
{
	static const struct ir_set *const sets[] = {
		&frame_sources,     &frame_forwarders,   &frame_clients,     &frame_services,
		&frame_routers,     &frame_links,        &frame_internet_in, &frame_internet_out,
		&frame_addresses,   &frame_to,           &frame_to_any,      &frame_dropped_out,
		&frame_dropped_in,  &frame_public,       &frame_private,     &frame_classes_out,
		&frame_classes_in,  &frame_acls_out,     &frame_acls_in,     &frame_arp_sources,
		&frame_arp_clients, &frame_nat_protocols};
	static const uint32_t translated[] = {IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP};

	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++)
		ir_add_set(ir, sets[i]);
	for (size_t i = 0; i < sizeof(translated) / sizeof(*translated); i++) {
		size_t at = 0;

		key_number(ir_add_element(ir, &frame_nat_protocols)->key, &at, IR_L4PROTO,
			   translated[i]);
	}
	add_antispoof(ir);
	add_arp(ir);
	add_dstnat(ir);
	add_accepted(ir, "accepted-out");
	add_accepted(ir, "accepted-in");
	add_dropped(ir, "dropped-out", log_group, &frame_dropped_out);
	add_dropped(ir, "dropped-in", log_group, &frame_dropped_in);
	add_internet(ir, "from-internet", &frame_internet_in);
	add_internet(ir, "to-internet", &frame_internet_out);
	add_from_gateway(ir);
	add_to_gateway(ir);
	for (int out = 0; out < 2; out++) {
		add_rules(ir, out);
		if (acls)
			add_acls(ir, out);
	}
	add_egress(ir, acls);
	add_ingress(ir, acls);
	add_input(ir);
}
