/*
 * Rules as netlink expressions, in the form that nft(8) makes, so that it lists them as they are
 * printed by ir_print: a field's protocol is checked before the field is read, and
 * fields of a key lie one after another in the registers.
 */
#include "netfw/apply.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>

/* How a field is read: from where, and what must be known before. */
struct source {
	enum { META, PAYLOAD, CT } from;
	uint32_t key;    /* META, CT: NFT_META_…, NFT_CT_…; PAYLOAD: NFT_PAYLOAD_… */
	uint32_t offset; /* PAYLOAD: bytes; CT: a direction, or NO_DIRECTION */
	enum { NOTHING, ETHER, IPV4, TRANSPORT } needs;
	uint8_t protocol; /* TRANSPORT */
};

#define NO_DIRECTION UINT32_MAX

static const struct source sources[IR_FIELD_COUNT] = {
	[IR_IIFNAME] = {META, NFT_META_IIFNAME, 0, NOTHING, 0},
	[IR_OIFNAME] = {META, NFT_META_OIFNAME, 0, NOTHING, 0},
	[IR_MARK] = {META, NFT_META_MARK, 0, NOTHING, 0},
	[IR_NFPROTO] = {META, NFT_META_NFPROTO, 0, NOTHING, 0},
	[IR_L4PROTO] = {META, NFT_META_L4PROTO, 0, NOTHING, 0},
	[IR_ETHER_SADDR] = {PAYLOAD, NFT_PAYLOAD_LL_HEADER, 6, ETHER, 0},
	[IR_IP_SADDR] = {PAYLOAD, NFT_PAYLOAD_NETWORK_HEADER, 12, IPV4, 0},
	[IR_IP_DADDR] = {PAYLOAD, NFT_PAYLOAD_NETWORK_HEADER, 16, IPV4, 0},
	[IR_TH_DPORT] = {PAYLOAD, NFT_PAYLOAD_TRANSPORT_HEADER, 2, NOTHING, 0},
	[IR_TCP_DPORT] = {PAYLOAD, NFT_PAYLOAD_TRANSPORT_HEADER, 2, TRANSPORT, IPPROTO_TCP},
	[IR_UDP_SPORT] = {PAYLOAD, NFT_PAYLOAD_TRANSPORT_HEADER, 0, TRANSPORT, IPPROTO_UDP},
	[IR_UDP_DPORT] = {PAYLOAD, NFT_PAYLOAD_TRANSPORT_HEADER, 2, TRANSPORT, IPPROTO_UDP},
	[IR_ICMP_TYPE] = {PAYLOAD, NFT_PAYLOAD_TRANSPORT_HEADER, 0, TRANSPORT, IPPROTO_ICMP},
	[IR_ICMP_CODE] = {PAYLOAD, NFT_PAYLOAD_TRANSPORT_HEADER, 1, TRANSPORT, IPPROTO_ICMP},
	[IR_ARP_SADDR_ETHER] = {PAYLOAD, NFT_PAYLOAD_NETWORK_HEADER, 8, NOTHING, 0},
	[IR_ARP_SADDR_IP] = {PAYLOAD, NFT_PAYLOAD_NETWORK_HEADER, 14, NOTHING, 0},
	[IR_CT_DIRECTION] = {CT, NFT_CT_DIRECTION, NO_DIRECTION, NOTHING, 0},
	[IR_CT_ORIGINAL_DADDR] = {CT, NFT_CT_DST_IP, 0, IPV4, 0},
	[IR_CT_REPLY_DADDR] = {CT, NFT_CT_DST_IP, 1, IPV4, 0},
};

/* What the statements before have made sure of. */
struct rule_build {
	struct nftnl_rule *rule;
	bool ether, ipv4;
	uint8_t protocol; /* 0: none */
};

static struct nftnl_expr *add_expression(struct rule_build *b, const char *name)
{
	struct nftnl_expr *e = nftnl_expr_alloc(name);

	nftnl_rule_add_expr(b->rule, e);
	return e;
}

static void add_meta(struct rule_build *b, uint32_t key, uint32_t reg)
{
	struct nftnl_expr *e = add_expression(b, "meta");

	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, reg);
}

static void add_payload(struct rule_build *b, uint32_t base, uint32_t offset, uint32_t len,
			uint32_t reg)
{
	struct nftnl_expr *e = add_expression(b, "payload");

	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, reg);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, len);
}

static void add_ct(struct rule_build *b, uint32_t key, uint32_t direction, uint32_t reg)
{
	struct nftnl_expr *e = add_expression(b, "ct");

	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, reg);
	if (direction != NO_DIRECTION)
		nftnl_expr_set_u8(e, NFTNL_EXPR_CT_DIR, (uint8_t)direction);
}

static void add_compare(struct rule_build *b, uint32_t op, const void *data, uint32_t len)
{
	struct nftnl_expr *e = add_expression(b, "cmp");

	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, op);
	nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, data, len);
}

static void add_bitwise(struct rule_build *b, uint32_t mask)
{
	struct nftnl_expr *e = add_expression(b, "bitwise");
	uint32_t none = 0;

	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, sizeof(mask));
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, &mask, sizeof(mask));
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, &none, sizeof(none));
}

static void add_immediate(struct rule_build *b, uint32_t reg, const void *data, uint32_t len)
{
	struct nftnl_expr *e = add_expression(b, "immediate");

	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, reg);
	nftnl_expr_set(e, NFTNL_EXPR_IMM_DATA, data, len);
}

static void need_ether(struct rule_build *b)
{
	uint16_t type = ARPHRD_ETHER;

	if (b->ether)
		return;
	add_meta(b, NFT_META_IIFTYPE, NFT_REG_1);
	add_compare(b, NFT_CMP_EQ, &type, sizeof(type));
	b->ether = true;
}

static void need_ipv4(struct rule_build *b)
{
	uint16_t type = htons(ETH_P_IP);
	uint8_t family = NFPROTO_IPV4;

	if (b->ipv4)
		return;
	if (b->ether) {
		add_payload(b, NFT_PAYLOAD_LL_HEADER, 12, sizeof(type), NFT_REG_1);
		add_compare(b, NFT_CMP_EQ, &type, sizeof(type));
	} else {
		add_meta(b, NFT_META_NFPROTO, NFT_REG_1);
		add_compare(b, NFT_CMP_EQ, &family, sizeof(family));
	}
	b->ipv4 = true;
}

static void need(struct rule_build *b, const struct source *s)
{
	uint8_t protocol = s->protocol;

	if (s->needs == ETHER)
		need_ether(b);
	if (s->needs == IPV4 || protocol == IPPROTO_ICMP)
		need_ipv4(b);
	if (s->needs != TRANSPORT || b->protocol == protocol)
		return;
	add_meta(b, NFT_META_L4PROTO, NFT_REG_1);
	add_compare(b, NFT_CMP_EQ, &protocol, sizeof(protocol));
	b->protocol = protocol;
}

/* Loads fields so that they are one key from register 1 on. */
static void load(struct rule_build *b, const struct ir_statement *s)
{
	uint32_t word = 0;

	for (size_t i = 0; i < s->field_count; i++)
		need(b, &sources[s->fields[i]]);
	for (size_t i = 0; i < s->field_count; i++) {
		const struct source *f = &sources[s->fields[i]];
		/* Registers of 16 bytes have numbers of their own. */
		uint32_t reg = word % 4 ? NFT_REG32_00 + word : NFT_REG_1 + word / 4;

		if (f->from == META)
			add_meta(b, f->key, reg);
		else if (f->from == CT)
			add_ct(b, f->key, f->offset, reg);
		else
			add_payload(b, f->key, f->offset, ir_field_info(s->fields[i])->len, reg);
		word += (uint32_t)ir_field_space(s->fields[i]) / 4;
	}
}

static void add_lookup(struct rule_build *b, const struct ir_statement *s, uint32_t reg)
{
	struct nftnl_expr *e = add_expression(b, "lookup");

	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	if (s->op != IR_OP_LOOKUP)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_DREG, reg);
	nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, s->name);
	if (s->invert)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

static void set_mark(struct rule_build *b)
{
	struct nftnl_expr *e = add_expression(b, "meta");

	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, NFT_META_MARK);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_SREG, NFT_REG_1);
}

static void add_nat(struct rule_build *b, bool source, bool ports)
{
	struct nftnl_expr *e = add_expression(b, "nat");

	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_TYPE, source ? NFT_NAT_SNAT : NFT_NAT_DNAT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_FAMILY, NFPROTO_IPV4);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MIN, NFT_REG_1);
	if (!ports)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_PROTO_MIN, NFT_REG_2);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_PROTO_MAX, NFT_REG_3);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED);
}

static void add_snat(struct rule_build *b, const struct ir_statement *s)
{
	uint32_t address = htonl(s->first);
	uint16_t first = htons(1024), last = htons(65535);

	add_immediate(b, NFT_REG_1, &address, sizeof(address));
	if (s->last) {
		add_immediate(b, NFT_REG_2, &first, sizeof(first));
		add_immediate(b, NFT_REG_3, &last, sizeof(last));
	}
	add_nat(b, true, s->last);
}

static const int verdicts[] = {[IR_ACCEPT] = NF_ACCEPT,
			       [IR_DROP] = NF_DROP,
			       [IR_RETURN] = NFT_RETURN,
			       [IR_JUMP] = NFT_JUMP,
			       [IR_GOTO] = NFT_GOTO};

static void add_verdict(struct rule_build *b, const struct ir_verdict *v)
{
	struct nftnl_expr *e = add_expression(b, "immediate");

	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)verdicts[v->kind]);
	if (v->chain)
		nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, v->chain);
}

static void add_range(struct rule_build *b, const struct ir_statement *s)
{
	uint16_t first = htons((uint16_t)s->first), last = htons((uint16_t)s->last);

	load(b, s);
	add_compare(b, NFT_CMP_GTE, &first, sizeof(first));
	add_compare(b, NFT_CMP_LTE, &last, sizeof(last));
}

static void add_cidr(struct rule_build *b, const struct ir_statement *s)
{
	uint32_t mask = htonl(UINT32_MAX << (32 - s->last)), address = htonl(s->first);

	load(b, s);
	add_bitwise(b, mask);
	add_compare(b, NFT_CMP_EQ, &address, sizeof(address));
}

/* Is one of these bits set in the connection's state or status? */
static void add_ct_bits(struct rule_build *b, uint32_t key, uint32_t bits)
{
	uint32_t none = 0;

	add_ct(b, key, NO_DIRECTION, NFT_REG_1);
	add_bitwise(b, bits);
	add_compare(b, NFT_CMP_NEQ, &none, sizeof(none));
}

static void add_statement(struct rule_build *b, const struct ir_statement *s)
{
	struct nftnl_expr *e;

	switch (s->op) {
	case IR_OP_MATCH:
		load(b, s);
		add_compare(b, s->invert ? NFT_CMP_NEQ : NFT_CMP_EQ, s->value, s->len);
		if (s->fields[0] == IR_L4PROTO && !s->invert)
			b->protocol = s->value[0];
		break;
	case IR_OP_RANGE:
		add_range(b, s);
		break;
	case IR_OP_CIDR:
		add_cidr(b, s);
		break;
	case IR_OP_LOOKUP:
		load(b, s);
		add_lookup(b, s, 0);
		break;
	case IR_OP_VERDICT_MAP:
		load(b, s);
		add_lookup(b, s, NFT_REG_VERDICT);
		break;
	case IR_OP_MARK_MAP:
		load(b, s);
		add_lookup(b, s, NFT_REG_1);
		set_mark(b);
		break;
	case IR_OP_MARK_SET:
		add_immediate(b, NFT_REG_1, &s->first, sizeof(s->first));
		set_mark(b);
		break;
	case IR_OP_CT_STATE:
		add_ct_bits(b, NFT_CT_STATE, s->first);
		break;
	case IR_OP_CT_CONFIRMED:
		add_ct_bits(b, NFT_CT_STATUS, IPS_CONFIRMED);
		break;
	case IR_OP_COUNTER:
		add_expression(b, "counter");
		break;
	case IR_OP_COUNT:
		e = add_expression(b, "objref");
		nftnl_expr_set_u32(e, NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
		nftnl_expr_set_str(e, NFTNL_EXPR_OBJREF_IMM_NAME, s->name);
		break;
	case IR_OP_LOG:
		e = add_expression(b, "log");
		nftnl_expr_set_u16(e, NFTNL_EXPR_LOG_GROUP, (uint16_t)s->first);
		nftnl_expr_set_str(e, NFTNL_EXPR_LOG_PREFIX, s->name);
		break;
	case IR_OP_VERDICT:
		add_verdict(b, &s->verdict);
		break;
	case IR_OP_SNAT_MAP:
	case IR_OP_DNAT_MAP:
		load(b, s);
		add_lookup(b, s, NFT_REG_1);
		add_nat(b, s->op == IR_OP_SNAT_MAP, false);
		break;
	case IR_OP_SNAT:
		add_snat(b, s);
		break;
	}
}

void apply_statements(struct nftnl_rule *rule, enum ir_family family, const struct ir_rule *r)
{
	struct rule_build b = {.rule = rule, .ipv4 = family != IR_INET};

	for (size_t i = 0; i < r->count; i++)
		add_statement(&b, &r->statements[i]);
}
