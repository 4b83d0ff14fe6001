/*
 * Network ACLs: stateless, asked at the boundary of a subnet in both directions, by every packet,
 * before connections are looked at. Their entries are rules one after another, as they are
 * numbered: the order is their meaning, EC2 allows 20 of them, and the default ACL makes no rules.
 */
#include "netfw/compile.h"

#include "ec2fs/util/memory.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static int by_number(const void *p, const void *q)
{
	const struct netfw_acl_entry *a = *(const struct netfw_acl_entry *const *)p,
				     *b = *(const struct netfw_acl_entry *const *)q;

	return (a->number > b->number) - (a->number < b->number);
}

static void add_entry(struct ir *ir, struct ir_chain *chain, const struct netfw_acl_entry *e,
		      const char *dropped)
{
	struct ir_rule *r = ir_add_rule(ir, chain);
	bool all_ports = e->from == 0 && e->to == UINT16_MAX;

	rule_cidr(r, e->egress ? IR_IP_DADDR : IR_IP_SADDR, e->cidr.address, e->cidr.prefix);
	if ((e->protocol == IPPROTO_TCP || e->protocol == IPPROTO_UDP) && !all_ports)
		rule_range(r, e->protocol == IPPROTO_TCP ? IR_TCP_DPORT : IR_UDP_DPORT, e->from,
			   e->to);
	else if (e->protocol == IPPROTO_ICMP && e->type >= 0)
		rule_match(r, IR_ICMP_TYPE, (uint32_t)e->type);
	else if (e->protocol >= 0)
		rule_match(r, IR_L4PROTO, (uint32_t)e->protocol);
	if (e->protocol == IPPROTO_ICMP && e->type >= 0 && e->code >= 0)
		rule_match(r, IR_ICMP_CODE, (uint32_t)e->code);
	if (e->allow)
		rule_verdict(r, IR_RETURN);
	else
		rule_goto(r, dropped);
}

void compile_acl(struct ir *ir, const char *id, const struct netfw_acl *acl)
{
	size_t count = acl ? acl->entry_count : 0;
	const struct netfw_acl_entry **sorted = xcalloc(count + 1, sizeof(*sorted));

	for (size_t i = 0; i < count; i++)
		sorted[i] = &acl->entries[i];
	qsort(sorted, count, sizeof(*sorted), by_number);
	for (int out = 0; out < 2; out++) {
		const char *dropped = out ? "dropped-out" : "dropped-in";
		struct ir_chain *c =
			ir_add_chain(ir, IR_INET, ir_format(ir, "%s-%s", id, out ? "out" : "in"));

		for (size_t i = 0; i < count; i++)
			if (sorted[i]->egress == (bool)out)
				add_entry(ir, c, sorted[i], dropped);
		rule_goto(ir_add_rule(ir, c), dropped);
	}
	free(sorted);
}
