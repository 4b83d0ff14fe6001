/* A ruleset as data: its objects and their memory, and which of them are the same. */
#include "netfw/ir.h"

#include "ec2fs/util/memory.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of nft's datatypes (enum datatypes in its include/datatype.h): part of its ABI, since
 * they are stored with a set in the kernel. */
static const struct ir_field_info field_infos[IR_FIELD_COUNT] = {
	[IR_IIFNAME] = {"iifname", "ifname", 16, 41},
	[IR_OIFNAME] = {"oifname", "ifname", 16, 41},
	[IR_MARK] = {"meta mark", "mark", 4, 19},
	[IR_NFPROTO] = {"meta nfproto", "nf_proto", 1, 2},
	[IR_L4PROTO] = {"meta l4proto", "inet_proto", 1, 12},
	[IR_ETHER_SADDR] = {"ether saddr", "ether_addr", 6, 9},
	[IR_IP_SADDR] = {"ip saddr", "ipv4_addr", 4, 7},
	[IR_IP_DADDR] = {"ip daddr", "ipv4_addr", 4, 7},
	[IR_TH_DPORT] = {"th dport", "inet_service", 2, 13},
	[IR_TCP_DPORT] = {"tcp dport", "inet_service", 2, 13},
	[IR_UDP_SPORT] = {"udp sport", "inet_service", 2, 13},
	[IR_UDP_DPORT] = {"udp dport", "inet_service", 2, 13},
	[IR_ICMP_TYPE] = {"icmp type", "icmp_type", 1, 14},
	[IR_ICMP_CODE] = {"icmp code", "icmp_code", 1, 32},
	[IR_ARP_SADDR_ETHER] = {"arp saddr ether", "ether_addr", 6, 9},
	[IR_ARP_SADDR_IP] = {"arp saddr ip", "ipv4_addr", 4, 7},
	[IR_CT_DIRECTION] = {"ct direction", "ct_dir", 1, 27},
	[IR_CT_ORIGINAL_DADDR] = {"ct original ip daddr", "ipv4_addr", 4, 7},
	[IR_CT_REPLY_DADDR] = {"ct reply ip daddr", "ipv4_addr", 4, 7},
};

const struct ir_field_info *ir_field_info(enum ir_field field)
{
	return &field_infos[field];
}

#define FIRST_BLOCK 2048
#define LARGEST_BLOCK (1 << 20)

struct ir_block {
	struct ir_block *next;
	size_t used, size;
	char data[] __attribute__((aligned(16)));
};

struct ir *ir_new(void)
{
	return xnew(struct ir);
}

void view_free(struct ir_view *v)
{
	free(v->chains);
	free(v->counters);
	free(v->sets);
	free(v->elements);
	*v = (struct ir_view){0};
}

void ir_free(struct ir *ir)
{
	if (!ir)
		return;
	for (size_t i = 0; i < ir->view.chain_count; i++)
		free(ir->view.chains[i]->rules);
	view_free(&ir->view);
	for (struct ir_block *b = ir->blocks, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	free(ir);
}

void *ir_alloc(struct ir *ir, size_t size)
{
	struct ir_block *b = ir->blocks;
	void *p;

	size = (size + 15) & ~(size_t)15;
	if (!b || b->size - b->used < size) {
		/* Blocks grow with what is there, so that many elements are few blocks. */
		size_t room = b ? 2 * b->size : FIRST_BLOCK;

		room = room > LARGEST_BLOCK ? LARGEST_BLOCK : room;
		room = room < size ? size : room;
		b = xcalloc(1, sizeof(*b) + room);
		b->size = room;
		b->next = ir->blocks;
		ir->blocks = b;
	}
	p = b->data + b->used;
	b->used += size;
	return p;
}

const char *ir_text(struct ir *ir, const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(ir_alloc(ir, size), text, size);
}

const char *ir_format(struct ir *ir, const char *format, ...)
{
	va_list args, again;
	int len;
	char *text;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	text = ir_alloc(ir, (size_t)(len < 0 ? 0 : len) + 1);
	vsnprintf(text, (size_t)(len < 0 ? 0 : len) + 1, format, args);
	va_end(args);
	return text;
}

void view_chain(struct ir_view *v, struct ir_chain *chain)
{
	array_reserve(v->chains, v->chain_count, v->chain_capacity);
	v->chains[v->chain_count++] = chain;
}

void view_counter(struct ir_view *v, struct ir_counter *counter)
{
	array_reserve(v->counters, v->counter_count, v->counter_capacity);
	v->counters[v->counter_count++] = counter;
}

void view_set(struct ir_view *v, struct ir_set *set)
{
	array_reserve(v->sets, v->set_count, v->set_capacity);
	v->sets[v->set_count++] = set;
}

void view_element(struct ir_view *v, struct ir_element *element)
{
	array_reserve(v->elements, v->element_count, v->element_capacity);
	v->elements[v->element_count++] = element;
}

void view_add(struct ir_view *v, const struct ir *ir)
{
	for (size_t i = 0; i < ir->view.chain_count; i++)
		view_chain(v, ir->view.chains[i]);
	for (size_t i = 0; i < ir->view.counter_count; i++)
		view_counter(v, ir->view.counters[i]);
	for (size_t i = 0; i < ir->view.set_count; i++)
		view_set(v, ir->view.sets[i]);
	for (size_t i = 0; i < ir->view.element_count; i++)
		view_element(v, ir->view.elements[i]);
}

struct ir_chain *ir_add_chain(struct ir *ir, enum ir_family family, const char *name)
{
	struct ir_chain *chain = ir_alloc(ir, sizeof(*chain));

	*chain = (struct ir_chain){.family = family, .name = ir_text(ir, name)};
	view_chain(&ir->view, chain);
	return chain;
}

struct ir_rule *ir_add_rule(struct ir *ir, struct ir_chain *chain)
{
	struct ir_rule *rule = ir_alloc(ir, sizeof(*rule));

	array_reserve(chain->rules, chain->rule_count, chain->rule_capacity);
	chain->rules[chain->rule_count++] = rule;
	return rule;
}

void ir_add_counter(struct ir *ir, const char *name)
{
	struct ir_counter *counter = ir_alloc(ir, sizeof(*counter));

	counter->name = ir_text(ir, name);
	view_counter(&ir->view, counter);
}

struct ir_set *ir_add_set(struct ir *ir, const struct ir_set *set)
{
	struct ir_set *copy = ir_alloc(ir, sizeof(*copy));

	*copy = *set;
	copy->name = ir_text(ir, set->name);
	view_set(&ir->view, copy);
	return copy;
}

struct ir_element *ir_add_element(struct ir *ir, const struct ir_set *set)
{
	struct ir_element *element = ir_alloc(ir, sizeof(*element));

	element->set = set;
	view_element(&ir->view, element);
	return element;
}

void key_bytes(uint8_t *key, size_t *offset, enum ir_field field, const void *bytes, size_t len)
{
	size_t room = ir_field_info(field)->len;

	memcpy(key + *offset, bytes, len < room ? len : room);
	*offset += ir_field_space(field);
}

void key_number(uint8_t *key, size_t *offset, enum ir_field field, uint32_t number)
{
	uint32_t wide = htonl(number);
	uint16_t half = htons((uint16_t)number);
	uint8_t byte = (uint8_t)number;

	if (field == IR_MARK) /* the kernel's own, not a part of the packet */
		key_bytes(key, offset, field, &number, sizeof(number));
	else if (ir_field_info(field)->len == 1)
		key_bytes(key, offset, field, &byte, sizeof(byte));
	else if (ir_field_info(field)->len == 2)
		key_bytes(key, offset, field, &half, sizeof(half));
	else
		key_bytes(key, offset, field, &wide, sizeof(wide));
}

size_t ir_key_size(const struct ir_set *set)
{
	size_t size = 0;

	for (size_t i = 0; i < set->field_count; i++)
		size += ir_field_space(set->fields[i]);
	return size;
}

bool ir_same_set(const struct ir_set *a, const struct ir_set *b)
{
	return a->field_count == b->field_count && a->data == b->data &&
	       a->interval == b->interval && a->counter == b->counter &&
	       !memcmp(a->fields, b->fields, sizeof(a->fields));
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_verdict(const struct ir_verdict *a, const struct ir_verdict *b)
{
	return a->kind == b->kind && same_text(a->chain, b->chain);
}

bool ir_same_rule(const struct ir_rule *a, const struct ir_rule *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct ir_statement *s = &a->statements[i], *t = &b->statements[i];

		if (s->op != t->op || s->invert != t->invert || s->len != t->len ||
		    s->first != t->first || s->last != t->last ||
		    s->field_count != t->field_count ||
		    memcmp(s->fields, t->fields, sizeof(s->fields)) ||
		    memcmp(s->value, t->value, sizeof(s->value)) || !same_text(s->name, t->name) ||
		    !same_verdict(&s->verdict, &t->verdict))
			return false;
	}
	return true;
}

int ir_compare_elements(const struct ir_element *a, const struct ir_element *b)
{
	int order = 0;

	if (a->set != b->set) {
		order = (int)a->set->family - (int)b->set->family;
		if (!order)
			order = strcmp(a->set->name, b->set->name);
	}
	if (!order)
		order = memcmp(a->key, b->key, sizeof(a->key));
	if (!order)
		order = memcmp(a->end, b->end, sizeof(a->end));
	return order;
}

bool ir_same_payload(const struct ir_element *a, const struct ir_element *b)
{
	return a->value == b->value && same_verdict(&a->verdict, &b->verdict);
}
