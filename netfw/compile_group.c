/*
 * A security group: its members, and for each direction a chain that accepts what a rule of the
 * group allows. The rules are elements of sets, so that a packet asks few sets, however many rules
 * there are, and a rule more or less is an element more or less.
 */
#include "netfw/compile.h"

#include "ec2fs/util/memory.h"
#include "netfw/disjoint.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* How a rule tells what it allows, and by which fields a packet is compared with that. */
enum family { PORTS, ICMP, PROTOCOLS, FAMILY_COUNT };

static const struct {
	const char *name;
	enum ir_field kind, value;
} families[FAMILY_COUNT] = {
	[PORTS] = {"ports", IR_L4PROTO, IR_TH_DPORT},
	[ICMP] = {"icmp", IR_ICMP_TYPE, IR_ICMP_CODE},
	[PROTOCOLS] = {"protocols", IR_NO_FIELD, IR_L4PROTO},
};

struct direction {
	struct ir *ir;
	struct ir_chain *chain;
	const char *name; /* of chain and counter: sg-…-in */
	const char *preposition;
	const char *accepted;
	enum ir_field address; /* of the peer */
	const struct netfw_rule **rules;
	size_t rule_count;
};

static int by_peer(const void *p, const void *q)
{
	const struct netfw_rule *a = *(const struct netfw_rule *const *)p,
				*b = *(const struct netfw_rule *const *)q;

	if (!a->group || !b->group)
		return (a->group ? 1 : 0) - (b->group ? 1 : 0);
	return strcmp(a->group, b->group);
}

static bool same_peer(const struct netfw_rule *a, const struct netfw_rule *b)
{
	return a->group && b->group && !strcmp(a->group, b->group);
}

static enum family family_of(const struct netfw_rule *rule)
{
	switch (rule->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		return PORTS;
	case IPPROTO_ICMP:
		return ICMP;
	default:
		return PROTOCOLS;
	}
}

static struct box box_of(const struct netfw_rule *rule)
{
	struct box b = {.value_last = 255};

	if (!rule->group) {
		b.address = rule->cidr.address;
		b.prefix = rule->cidr.prefix;
	}
	switch (family_of(rule)) {
	case PORTS:
		b.kind_first = b.kind_last = (uint16_t)rule->protocol;
		b.value_first = rule->from;
		b.value_last = rule->to;
		break;
	case ICMP:
		b.kind_last = 255;
		if (rule->type < 0)
			break;
		b.kind_first = b.kind_last = (uint16_t)rule->type;
		if (rule->code >= 0)
			b.value_first = b.value_last = (uint16_t)rule->code;
		break;
	default:
		if (rule->protocol >= 0)
			b.value_first = b.value_last = (uint16_t)rule->protocol;
	}
	return b;
}

/* The last statements of a rule that accepts. */
static void accept_by(struct direction *d, struct ir_rule *r)
{
	rule_count(r, d->name);
	rule_goto(r, d->accepted);
}

static void add_box(struct direction *d, const struct ir_set *set, enum family family,
		    const struct box *b)
{
	struct ir_element *e = ir_add_element(d->ir, set);
	size_t at = 0, end = 0;

	if (set->fields[0] == d->address) {
		key_number(e->key, &at, d->address, b->address);
		key_number(e->end, &end, d->address, cidr_last(b->address, b->prefix));
	}
	if (families[family].kind) {
		key_number(e->key, &at, families[family].kind, b->kind_first);
		key_number(e->end, &end, families[family].kind, b->kind_last);
	}
	key_number(e->key, &at, families[family].value, b->value_first);
	key_number(e->end, &end, families[family].value, b->value_last);
}

/* One set with its elements, and the rule that asks it. peer: a group, or NULL for CIDRs. */
static void add_level(struct direction *d, enum family family, const char *peer,
		      const struct box *boxes, size_t count, unsigned level)
{
	struct ir_set set = {.interval = true};
	struct ir_rule *r = ir_add_rule(d->ir, d->chain);
	enum ir_field asked[IR_FIELDS_MAX] = {IR_NO_FIELD};
	const enum ir_field address[] = {d->address, IR_NO_FIELD};
	const struct ir_set *s;

	if (!peer)
		set.fields[set.field_count++] = d->address;
	if (families[family].kind)
		set.fields[set.field_count++] = families[family].kind;
	set.fields[set.field_count++] = families[family].value;
	/* Protocols of a peer are single numbers: all would need no set. */
	set.interval = set.field_count > 1;
	if (peer)
		set.name = ir_format(d->ir, "%s-%s-%s-%s", d->name, families[family].name,
				     d->preposition, peer);
	else if (level)
		set.name = ir_format(d->ir, "%s-%s-%u", d->name, families[family].name, level + 1);
	else
		set.name = ir_format(d->ir, "%s-%s", d->name, families[family].name);
	s = ir_add_set(d->ir, &set);
	for (size_t i = 0; i < count; i++)
		if (boxes[i].level == level)
			add_box(d, s, family, &boxes[i]);
	memcpy(asked, set.fields, sizeof(asked));
	if (peer)
		rule_lookup(r, ir_format(d->ir, "members-%s", peer), address);
	rule_lookup(r, s->name, asked);
	accept_by(d, r);
}

/* Single protocols as they stand: their set has no ranges that could take in neighbours. */
static size_t single_values(struct box *boxes, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		bool known = false;

		for (size_t j = 0; j < kept; j++)
			known |= boxes[j].value_first == boxes[i].value_first;
		if (!known)
			boxes[kept++] = boxes[i];
	}
	return kept;
}

/* The rules from one peer, or all with CIDRs. */
static void compile_peer(struct direction *d, const struct netfw_rule **rules, size_t count)
{
	const char *peer = rules[0]->group;
	struct box *boxes = xcalloc(count, sizeof(*boxes));

	for (int f = 0; f < FAMILY_COUNT; f++) {
		unsigned levels = 0;
		size_t n = 0;

		for (size_t i = 0; i < count; i++)
			if (family_of(rules[i]) == (enum family)f)
				boxes[n++] = box_of(rules[i]);
		if (peer && f == PROTOCOLS) {
			n = single_values(boxes, n);
			for (size_t i = 0; i < n; i++)
				boxes[i].level = 0;
		} else {
			n = disjoint(boxes, n);
		}
		for (size_t i = 0; i < n; i++)
			if (boxes[i].level >= levels)
				levels = boxes[i].level + 1;
		for (unsigned level = 0; level < levels; level++)
			add_level(d, (enum family)f, peer, boxes, n, level);
	}
	free(boxes);
}

static bool all_protocols(const struct netfw_rule **rules, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (rules[i]->protocol < 0)
			return true;
	return false;
}

static void compile_direction(struct direction *d)
{
	struct ir_rule *r;
	size_t next;

	ir_add_counter(d->ir, d->name);
	d->chain = ir_add_chain(d->ir, IR_INET, d->name);
	for (size_t i = 0; i < d->rule_count; i++) {
		const struct netfw_rule *rule = d->rules[i];

		/* The usual egress: no set needs to be asked. */
		if (!rule->group && rule->protocol < 0 && rule->cidr.prefix == 0) {
			accept_by(d, ir_add_rule(d->ir, d->chain));
			return;
		}
	}
	if (d->rule_count)
		qsort(d->rules, d->rule_count, sizeof(struct netfw_rule *), by_peer);
	for (size_t i = 0; i < d->rule_count; i = next) {
		const char *peer = d->rules[i]->group;

		for (next = i + 1; next < d->rule_count; next++)
			if (peer ? !same_peer(d->rules[i], d->rules[next])
				 : d->rules[next]->group != NULL)
				break;
		if (peer && all_protocols(d->rules + i, next - i)) {
			const enum ir_field address[] = {d->address, IR_NO_FIELD};

			r = ir_add_rule(d->ir, d->chain);
			rule_lookup(r, ir_format(d->ir, "members-%s", peer), address);
			accept_by(d, r);
		} else {
			compile_peer(d, d->rules + i, next - i);
		}
	}
}

struct ir_set *compile_members_set(struct ir *ir, const char *group)
{
	struct ir_set *set = ir_alloc(ir, sizeof(*set));

	*set = (struct ir_set){.name = ir_format(ir, "members-%s", group),
			       .fields = {IR_IP_SADDR},
			       .field_count = 1};
	return set;
}

struct ir *compile_group(const struct netfw_group *group)
{
	struct ir *ir = ir_new();
	struct direction d = {.ir = ir};

	view_set(&ir->view, compile_members_set(ir, group->id));
	for (int out = 0; out < 2; out++) {
		const struct netfw_rule *rules = out ? group->egress : group->ingress;

		d.rule_count = out ? group->egress_count : group->ingress_count;
		d.rules = xcalloc(d.rule_count + 1, sizeof(*d.rules));
		for (size_t i = 0; i < d.rule_count; i++)
			d.rules[i] = &rules[i];
		d.name = ir_format(ir, "%s-%s", group->id, out ? "out" : "in");
		d.preposition = out ? "to" : "from";
		d.accepted = out ? "accepted-out" : "accepted-in";
		d.address = out ? IR_IP_DADDR : IR_IP_SADDR;
		compile_direction(&d);
		free(d.rules);
	}
	return ir;
}
