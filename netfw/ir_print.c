/* A ruleset as text: what `nft -f` reads, in an order that depends on the content alone. */
#include "netfw/ir.h"

#include "ec2fs/util/memory.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static const char *const family_names[] = {[IR_INET] = "inet", [IR_ARP] = "arp"};
static const char *const verdict_names[] = {[IR_ACCEPT] = "accept",
					    [IR_DROP] = "drop",
					    [IR_RETURN] = "return",
					    [IR_JUMP] = "jump",
					    [IR_GOTO] = "goto"};
static const char *const hook_names[] = {[IR_PREROUTING] = "prerouting",
					 [IR_INPUT] = "input",
					 [IR_FORWARD] = "forward",
					 [IR_POSTROUTING] = "postrouting"};

static void print_address(uint32_t address, struct strbuf *out)
{
	strbuf_addf(out, "%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255,
		    address & 255);
}

static void print_verdict(const struct ir_verdict *v, struct strbuf *out)
{
	strbuf_adds(out, verdict_names[v->kind]);
	if (v->chain)
		strbuf_addf(out, " %s", v->chain);
}

/* One field of a key or a match, from the packet's bytes. */
static void print_value(enum ir_field field, const uint8_t *bytes, struct strbuf *out)
{
	uint32_t word;
	uint16_t half;

	memcpy(&word, bytes, sizeof(word));
	memcpy(&half, bytes, sizeof(half));
	switch (field) {
	case IR_IIFNAME:
	case IR_OIFNAME:
		strbuf_addf(out, "\"%.15s\"", (const char *)bytes);
		break;
	case IR_ETHER_SADDR:
	case IR_ARP_SADDR_ETHER:
		strbuf_addf(out, "%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2],
			    bytes[3], bytes[4], bytes[5]);
		break;
	case IR_MARK:
		strbuf_addf(out, "0x%08x", word);
		break;
	case IR_NFPROTO:
		strbuf_adds(out, bytes[0] == 2 ? "ipv4" : "ipv6");
		break;
	case IR_CT_DIRECTION:
		strbuf_adds(out, bytes[0] ? "reply" : "original");
		break;
	default:
		if (ir_field_info(field)->len == 4)
			print_address(ntohl(word), out);
		else if (ir_field_info(field)->len == 2)
			strbuf_addf(out, "%u", ntohs(half));
		else
			strbuf_addf(out, "%u", bytes[0]);
	}
}

static void print_key(const struct ir_element *e, struct strbuf *out)
{
	size_t offset = 0;

	for (size_t i = 0; i < e->set->field_count; i++) {
		enum ir_field field = e->set->fields[i];

		if (i)
			strbuf_adds(out, " . ");
		print_value(field, e->key + offset, out);
		if (e->set->interval &&
		    memcmp(e->key + offset, e->end + offset, ir_field_space(field)) != 0) {
			strbuf_addc(out, '-');
			print_value(field, e->end + offset, out);
		}
		offset += ir_field_space(field);
	}
}

static void print_fields(const struct ir_statement *s, struct strbuf *out)
{
	for (size_t i = 0; i < s->field_count; i++)
		strbuf_addf(out, "%s%s", i ? " . " : "", ir_field_info(s->fields[i])->text);
}

static void print_match(const struct ir_statement *s, struct strbuf *out)
{
	strbuf_addf(out, "%s ", ir_field_info(s->fields[0])->text);
	if (s->invert)
		strbuf_adds(out, "!= ");
	if (s->len < ir_field_info(s->fields[0])->len)
		strbuf_addf(out, "\"%.*s*\"", s->len, (const char *)s->value);
	else
		print_value(s->fields[0], s->value, out);
}

static void print_states(uint32_t states, struct strbuf *out)
{
	static const char *const names[] = {"invalid", "established", "related", "new"};
	const char *comma = "";

	strbuf_adds(out, "ct state ");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!(states & 1U << i))
			continue;
		strbuf_addf(out, "%s%s", comma, names[i]);
		comma = ",";
	}
}

static void print_statement(const struct ir_statement *s, struct strbuf *out)
{
	switch (s->op) {
	case IR_OP_MATCH:
		print_match(s, out);
		break;
	case IR_OP_RANGE:
		strbuf_addf(out, "%s %u-%u", ir_field_info(s->fields[0])->text, s->first, s->last);
		break;
	case IR_OP_CIDR:
		strbuf_addf(out, "%s ", ir_field_info(s->fields[0])->text);
		print_address(s->first, out);
		strbuf_addf(out, "/%u", s->last);
		break;
	case IR_OP_LOOKUP:
		print_fields(s, out);
		strbuf_addf(out, " %s@%s", s->invert ? "!= " : "", s->name);
		break;
	case IR_OP_VERDICT_MAP:
		print_fields(s, out);
		strbuf_addf(out, " vmap @%s", s->name);
		break;
	case IR_OP_MARK_MAP:
		strbuf_adds(out, "meta mark set ");
		print_fields(s, out);
		strbuf_addf(out, " map @%s", s->name);
		break;
	case IR_OP_MARK_SET:
		strbuf_addf(out, "meta mark set 0x%08x", s->first);
		break;
	case IR_OP_CT_STATE:
		print_states(s->first, out);
		break;
	case IR_OP_CT_CONFIRMED:
		strbuf_adds(out, "ct status confirmed");
		break;
	case IR_OP_COUNTER:
		strbuf_adds(out, "counter");
		break;
	case IR_OP_COUNT:
		strbuf_addf(out, "counter name \"%s\"", s->name);
		break;
	case IR_OP_LOG:
		strbuf_addf(out, "log prefix \"%s\" group %u", s->name, s->first);
		break;
	case IR_OP_VERDICT:
		print_verdict(&s->verdict, out);
		break;
	case IR_OP_SNAT_MAP:
	case IR_OP_DNAT_MAP:
		strbuf_addf(out, "%s ip to ", s->op == IR_OP_SNAT_MAP ? "snat" : "dnat");
		print_fields(s, out);
		strbuf_addf(out, " map @%s", s->name);
		break;
	case IR_OP_SNAT:
		strbuf_adds(out, "snat ip to ");
		print_address(s->first, out);
		if (s->last)
			strbuf_adds(out, ":1024-65535");
		break;
	}
}

void ir_print_rule(const struct ir_rule *r, struct strbuf *out)
{
	for (size_t i = 0; i < r->count; i++) {
		if (i)
			strbuf_addc(out, ' ');
		print_statement(&r->statements[i], out);
	}
}

static void print_set(const struct ir_set *set, struct ir_element *const *elements, size_t count,
		      struct strbuf *out)
{
	static const char *const data[] = {
		[IR_DATA_MARK] = " : mark",
		[IR_DATA_ADDRESS] = " : ipv4_addr",
		[IR_DATA_VERDICT] = " : verdict",
	};

	strbuf_addf(out, "\t%s %s {\n\t\ttype ", set->data ? "map" : "set", set->name);
	for (size_t i = 0; i < set->field_count; i++)
		strbuf_addf(out, "%s%s", i ? " . " : "", ir_field_info(set->fields[i])->type);
	strbuf_addf(out, "%s\n", set->data ? data[set->data] : "");
	if (set->interval)
		strbuf_adds(out, "\t\tflags interval\n");
	if (set->counter)
		strbuf_adds(out, "\t\tcounter\n");
	for (size_t i = 0; i < count; i++) {
		strbuf_adds(out, i ? ",\n\t\t\t" : "\t\telements = {\n\t\t\t");
		print_key(elements[i], out);
		if (set->counter)
			strbuf_adds(out, " counter");
		if (set->data)
			strbuf_adds(out, " : ");
		if (set->data == IR_DATA_MARK)
			strbuf_addf(out, "0x%08x", elements[i]->value);
		else if (set->data == IR_DATA_ADDRESS)
			print_address(elements[i]->value, out);
		else if (set->data == IR_DATA_VERDICT)
			print_verdict(&elements[i]->verdict, out);
	}
	if (count)
		strbuf_adds(out, "\n\t\t}\n");
	strbuf_adds(out, "\t}\n");
}

static void print_chain(const struct ir_chain *chain, struct strbuf *out)
{
	strbuf_addf(out, "\tchain %s {\n", chain->name);
	if (chain->hook)
		strbuf_addf(out, "\t\ttype %s hook %s priority %d; policy %s;\n",
			    chain->nat ? "nat" : "filter", hook_names[chain->hook], chain->priority,
			    verdict_names[chain->policy]);
	for (size_t i = 0; i < chain->rule_count; i++) {
		strbuf_adds(out, "\t\t");
		ir_print_rule(chain->rules[i], out);
		strbuf_addc(out, '\n');
	}
	strbuf_adds(out, "\t}\n");
}

static int by_chain(const void *a, const void *b)
{
	const struct ir_chain *x = *(struct ir_chain *const *)a, *y = *(struct ir_chain *const *)b;

	/* Base chains last: they refer to the others. */
	if (!x->hook != !y->hook)
		return x->hook ? 1 : -1;
	return strcmp(x->name, y->name);
}

static int by_counter(const void *a, const void *b)
{
	return strcmp((*(struct ir_counter *const *)a)->name,
		      (*(struct ir_counter *const *)b)->name);
}

static int by_set(const void *a, const void *b)
{
	return strcmp((*(struct ir_set *const *)a)->name, (*(struct ir_set *const *)b)->name);
}

static int by_element(const void *a, const void *b)
{
	return ir_compare_elements(*(struct ir_element *const *)a, *(struct ir_element *const *)b);
}

static void print_table(const struct ir_view *v, enum ir_family family, struct strbuf *out)
{
	size_t at = 0, first;

	strbuf_addf(out, "table %s " IR_TABLE " {\n", family_names[family]);
	for (size_t i = 0; family == IR_INET && i < v->counter_count; i++)
		strbuf_addf(out, "\tcounter %s {\n\t}\n", v->counters[i]->name);
	for (size_t i = 0; i < v->set_count; i++) {
		if (v->sets[i]->family != family)
			continue;
		while (at < v->element_count &&
		       (v->elements[at]->set->family < family ||
			(v->elements[at]->set->family == family &&
			 strcmp(v->elements[at]->set->name, v->sets[i]->name) < 0)))
			at++;
		first = at;
		while (at < v->element_count && v->elements[at]->set->family == family &&
		       !strcmp(v->elements[at]->set->name, v->sets[i]->name))
			at++;
		print_set(v->sets[i], v->elements + first, at - first, out);
	}
	for (size_t i = 0; i < v->chain_count; i++)
		if (v->chains[i]->family == family)
			print_chain(v->chains[i], out);
	strbuf_adds(out, "}\n");
}

static void *sorted(const void *array, size_t count, size_t size,
		    int (*compare)(const void *, const void *))
{
	void *copy = xcalloc(count + 1, size);

	if (count) {
		memcpy(copy, array, count * size);
		qsort(copy, count, size, compare);
	}
	return copy;
}

void ir_print(const struct ir_view *v, struct strbuf *out)
{
	struct ir_view s = *v;

	s.chains = sorted(v->chains, v->chain_count, sizeof(*v->chains), by_chain);
	s.counters = sorted(v->counters, v->counter_count, sizeof(*v->counters), by_counter);
	s.sets = sorted(v->sets, v->set_count, sizeof(*v->sets), by_set);
	s.elements = sorted(v->elements, v->element_count, sizeof(*v->elements), by_element);
	print_table(&s, IR_INET, out);
	print_table(&s, IR_ARP, out);
	view_free(&s);
}
