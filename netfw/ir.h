/*
 * A ruleset as data: what the compiler makes of a description, what is compared with what is
 * applied, printed for golden tests, and turned into netlink messages (apply.h). Only what ec2fs
 * needs of nftables is here. Pure: no I/O.
 *
 * An `ir` holds objects of one description. Text given to it is copied; everything lives until
 * ir_free, or, for a view, as long as the irs it was made of.
 */
#ifndef NETFW_IR_H
#define NETFW_IR_H

#include "ec2fs/util/strbuf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IR_TABLE "ec2fs"

enum ir_family { IR_INET, IR_ARP };

/* What of a packet a rule looks at. */
enum ir_field {
	IR_NO_FIELD,
	IR_IIFNAME,
	IR_OIFNAME,
	IR_MARK,
	IR_NFPROTO,
	IR_L4PROTO,
	IR_ETHER_SADDR,
	IR_IP_SADDR,
	IR_IP_DADDR,
	IR_TH_DPORT,
	IR_TCP_DPORT,
	IR_UDP_SPORT,
	IR_UDP_DPORT,
	IR_ICMP_TYPE,
	IR_ICMP_CODE,
	IR_ARP_SADDR_ETHER,
	IR_ARP_SADDR_IP,
	IR_CT_DIRECTION,
	IR_CT_ORIGINAL_DADDR,
	IR_CT_REPLY_DADDR,
	IR_FIELD_COUNT
};

struct ir_field_info {
	const char *text; /* as nft(8) writes it */
	const char *type; /* nft(8)'s name of its type */
	uint8_t len;      /* bytes */
	uint8_t type_id;  /* the number by which nft(8) knows the type of a set's key */
};
const struct ir_field_info *ir_field_info(enum ir_field field);

/* Bytes that a field takes in a key: a multiple of four. */
static inline size_t ir_field_space(enum ir_field field)
{
	return (ir_field_info(field)->len + 3U) & ~3U;
}

#define IR_FIELDS_MAX 3
#define IR_KEY_MAX 28 /* ifname, MAC, IPv4 address */

enum ir_verdict_kind { IR_ACCEPT, IR_DROP, IR_RETURN, IR_JUMP, IR_GOTO };

struct ir_verdict {
	enum ir_verdict_kind kind;
	const char *chain; /* IR_JUMP, IR_GOTO */
};

enum ir_data { IR_NO_DATA, IR_DATA_MARK, IR_DATA_ADDRESS, IR_DATA_VERDICT };

struct ir_set {
	enum ir_family family;
	const char *name;
	enum ir_field fields[IR_FIELDS_MAX];
	size_t field_count;
	enum ir_data data; /* a map, if any */
	bool interval;     /* keys are ranges in every field; two or more fields */
	bool counter;      /* an element counts its packets */
};

/* Keys are in the packet's byte order, fields in the space that they take in registers. */
struct ir_element {
	const struct ir_set *set; /* which family, name and shape; not owned */
	uint8_t key[IR_KEY_MAX];
	uint8_t end[IR_KEY_MAX]; /* of an interval set, inclusive */
	uint32_t value;          /* a mark, or an address in host byte order */
	struct ir_verdict verdict;
};

enum ir_op {
	IR_OP_MATCH,        /* field is (not) value; of `len` bytes: a prefix of a name */
	IR_OP_RANGE,        /* field is in first … last, numbers */
	IR_OP_CIDR,         /* field, an address, is in first/last */
	IR_OP_LOOKUP,       /* fields are (not) in the set `name` */
	IR_OP_VERDICT_MAP,  /* the verdict that map `name` has for fields */
	IR_OP_MARK_MAP,     /* the mark becomes what map `name` has for fields */
	IR_OP_MARK_SET,     /* the mark becomes `first` */
	IR_OP_CT_STATE,     /* the connection's state is one of `first`: IR_CT_… */
	IR_OP_CT_CONFIRMED, /* an earlier packet of the connection has passed, this one is counted
			     */
	IR_OP_COUNTER,      /* counts, in the rule */
	IR_OP_COUNT,        /* counts, in the counter `name` */
	IR_OP_LOG,          /* to nflog group `first`, with the prefix `name` */
	IR_OP_VERDICT,
	IR_OP_SNAT_MAP, /* the address that map `name` has for fields becomes the source */
	IR_OP_DNAT_MAP, /* … the destination */
	IR_OP_SNAT      /* the source becomes address `first`; last: its port, too, a high one */
};

#define IR_CT_INVALID 1U
#define IR_CT_ESTABLISHED 2U
#define IR_CT_RELATED 4U
#define IR_CT_NEW 8U

struct ir_statement {
	enum ir_op op;
	bool invert;
	enum ir_field fields[IR_FIELDS_MAX];
	size_t field_count;
	uint8_t value[16];
	uint8_t len;
	uint32_t first, last;
	const char *name;
	struct ir_verdict verdict;
};

#define IR_STATEMENTS_MAX 6

struct ir_rule {
	struct ir_statement statements[IR_STATEMENTS_MAX];
	size_t count;
};

enum ir_hook { IR_NO_HOOK, IR_PREROUTING, IR_INPUT, IR_FORWARD, IR_POSTROUTING };

struct ir_chain {
	enum ir_family family;
	const char *name;
	enum ir_hook hook; /* a base chain, if any */
	bool nat;
	int priority;
	enum ir_verdict_kind policy;
	struct ir_rule **rules;
	size_t rule_count, rule_capacity;
};

struct ir_counter {
	const char *name; /* family inet */
};

/* Objects of one ir or several, not owned. */
struct ir_view {
	struct ir_chain **chains;
	struct ir_counter **counters;
	struct ir_set **sets;
	struct ir_element **elements;
	size_t chain_count, counter_count, set_count, element_count;
	size_t chain_capacity, counter_capacity, set_capacity, element_capacity;
};

struct ir {
	struct ir_view view;
	struct ir_block *blocks; /* the memory of it all */
};

struct ir *ir_new(void);
/* Accepts NULL. */
void ir_free(struct ir *ir);
static inline void ir_freep(struct ir **ir)
{
	ir_free(*ir);
}
#define cleanup_ir __attribute__((cleanup(ir_freep)))
/* Memory that lives as long as ir. */
void *ir_alloc(struct ir *ir, size_t size) __attribute__((returns_nonnull));
const char *ir_text(struct ir *ir, const char *text) __attribute__((returns_nonnull));
const char *ir_format(struct ir *ir, const char *format, ...)
	__attribute__((format(printf, 2, 3), returns_nonnull));

struct ir_chain *ir_add_chain(struct ir *ir, enum ir_family family, const char *name);
struct ir_rule *ir_add_rule(struct ir *ir, struct ir_chain *chain);
void ir_add_counter(struct ir *ir, const char *name);
struct ir_set *ir_add_set(struct ir *ir, const struct ir_set *set);
/* An element without key yet; put one with ir_key. */
struct ir_element *ir_add_element(struct ir *ir, const struct ir_set *set);

/* Statements are added in the order of the packet's way through the rule. */
void rule_match(struct ir_rule *r, enum ir_field field, uint32_t value);
/* A device's name; a final "*" makes it a prefix. */
void rule_device(struct ir_rule *r, enum ir_field field, const char *name);
void rule_not_device(struct ir_rule *r, enum ir_field field, const char *name);
void rule_range(struct ir_rule *r, enum ir_field field, uint32_t first, uint32_t last);
void rule_cidr(struct ir_rule *r, enum ir_field field, uint32_t address, uint8_t prefix);
/* Fields end with IR_NO_FIELD; name must live as long as the rule. */
void rule_lookup(struct ir_rule *r, const char *set, const enum ir_field *fields);
void rule_not_in(struct ir_rule *r, const char *set, const enum ir_field *fields);
void rule_map(struct ir_rule *r, enum ir_op op, const char *map, const enum ir_field *fields);
void rule_ct_state(struct ir_rule *r, uint32_t states);
void rule_ct_confirmed(struct ir_rule *r);
void rule_mark(struct ir_rule *r, uint32_t mark);
void rule_counter(struct ir_rule *r);
void rule_count(struct ir_rule *r, const char *counter);
void rule_log(struct ir_rule *r, uint32_t group, const char *prefix);
void rule_snat(struct ir_rule *r, uint32_t address, bool ports);
void rule_verdict(struct ir_rule *r, enum ir_verdict_kind kind);
void rule_jump(struct ir_rule *r, const char *chain);
void rule_goto(struct ir_rule *r, const char *chain);

/* Puts a field into a key at *offset, and moves that on. Numbers and addresses in host order. */
void key_number(uint8_t *key, size_t *offset, enum ir_field field, uint32_t number);
void key_bytes(uint8_t *key, size_t *offset, enum ir_field field, const void *bytes, size_t len);

bool ir_same_set(const struct ir_set *a, const struct ir_set *b);
bool ir_same_rule(const struct ir_rule *a, const struct ir_rule *b);
/* Bytes of a set's key. */
size_t ir_key_size(const struct ir_set *set);
/* By family, set and key: the order in which a difference is found. */
int ir_compare_elements(const struct ir_element *a, const struct ir_element *b);
/* Do they carry the same? Key and set are the same. */
bool ir_same_payload(const struct ir_element *a, const struct ir_element *b);

void view_chain(struct ir_view *v, struct ir_chain *chain);
void view_counter(struct ir_view *v, struct ir_counter *counter);
void view_set(struct ir_view *v, struct ir_set *set);
void view_element(struct ir_view *v, struct ir_element *element);
/* All of an ir. */
void view_add(struct ir_view *v, const struct ir *ir);
void view_free(struct ir_view *v);

/* As a file for `nft -f`, sorted, so that two of the same content are the same text. */
void ir_print(const struct ir_view *v, struct strbuf *out);
/* One rule, without newline. */
void ir_print_rule(const struct ir_rule *r, struct strbuf *out);

#endif
