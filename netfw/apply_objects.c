/* Tables, chains, counters and sets as messages; a difference as a batch. */
#include "netfw/apply.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_arp.h>

#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>

/* Of nft(8): a set tells it in which byte order to show keys and data. */
enum { HOST_ENDIAN = 1, BIG_ENDIAN_ORDER = 2 };

uint16_t apply_family(enum ir_family family)
{
	return family == IR_ARP ? NFPROTO_ARP : NFPROTO_INET;
}

static struct nlmsghdr *start(struct batch *b, int type, enum ir_family family, uint16_t flags)
{
	return nftnl_nlmsg_build_hdr(batch_room(b), (uint16_t)type, apply_family(family), flags,
				     b->sequence);
}

static void put_table(struct batch *b, int type, enum ir_family family)
{
	struct nlmsghdr *message =
		start(b, type, family, type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0);
	struct nftnl_table *t = nftnl_table_alloc();

	nftnl_table_set_u32(t, NFTNL_TABLE_FAMILY, apply_family(family));
	nftnl_table_set_str(t, NFTNL_TABLE_NAME, IR_TABLE);
	/* Not dormant. */
	nftnl_table_set_u32(t, NFTNL_TABLE_FLAGS, 0);
	nftnl_table_nlmsg_build_payload(message, t);
	nftnl_table_free(t);
	batch_take(b, message);
}

static void set_hook(struct nftnl_chain *c, const struct ir_chain *chain)
{
	static const uint32_t hooks[] = {[IR_PREROUTING] = NF_INET_PRE_ROUTING,
					 [IR_INPUT] = NF_INET_LOCAL_IN,
					 [IR_FORWARD] = NF_INET_FORWARD,
					 [IR_POSTROUTING] = NF_INET_POST_ROUTING};
	uint32_t hook = chain->family == IR_ARP ? NF_ARP_IN : hooks[chain->hook];

	nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, hook);
	nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, chain->priority);
	nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, chain->nat ? "nat" : "filter");
	nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, chain->policy == IR_DROP ? NF_DROP : NF_ACCEPT);
}

static void put_chain(struct batch *b, int type, const struct ir_chain *chain)
{
	bool create = type == NFT_MSG_NEWCHAIN;
	struct nlmsghdr *message =
		start(b, type, chain->family, create ? NLM_F_CREATE | NLM_F_EXCL : 0);
	struct nftnl_chain *c = nftnl_chain_alloc();

	nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, IR_TABLE);
	nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, chain->name);
	if (create && chain->hook)
		set_hook(c, chain);
	nftnl_chain_nlmsg_build_payload(message, c);
	nftnl_chain_free(c);
	batch_take(b, message);
}

static void put_rules(struct batch *b, const struct ir_chain *chain)
{
	for (size_t i = 0; i < chain->rule_count; i++) {
		struct nlmsghdr *message =
			start(b, NFT_MSG_NEWRULE, chain->family, NLM_F_CREATE | NLM_F_APPEND);
		struct nftnl_rule *r = nftnl_rule_alloc();

		nftnl_rule_set_str(r, NFTNL_RULE_TABLE, IR_TABLE);
		nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, chain->name);
		apply_statements(r, chain->family, chain->rules[i]);
		nftnl_rule_nlmsg_build_payload(message, r);
		nftnl_rule_free(r);
		batch_take(b, message);
	}
}

/* All rules of a chain. */
static void put_flush(struct batch *b, const struct ir_chain *chain)
{
	struct nlmsghdr *message = start(b, NFT_MSG_DELRULE, chain->family, 0);
	struct nftnl_rule *r = nftnl_rule_alloc();

	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, IR_TABLE);
	nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, chain->name);
	nftnl_rule_nlmsg_build_payload(message, r);
	nftnl_rule_free(r);
	batch_take(b, message);
}

static void put_counter(struct batch *b, int type, const struct ir_counter *counter)
{
	bool create = type == NFT_MSG_NEWOBJ;
	struct nlmsghdr *message = start(b, type, IR_INET, create ? NLM_F_CREATE | NLM_F_EXCL : 0);
	struct nftnl_obj *o = nftnl_obj_alloc();

	nftnl_obj_set_str(o, NFTNL_OBJ_TABLE, IR_TABLE);
	nftnl_obj_set_str(o, NFTNL_OBJ_NAME, counter->name);
	nftnl_obj_set_u32(o, NFTNL_OBJ_TYPE, NFT_OBJECT_COUNTER);
	if (create) {
		nftnl_obj_set_u64(o, NFTNL_OBJ_CTR_PKTS, 0);
		nftnl_obj_set_u64(o, NFTNL_OBJ_CTR_BYTES, 0);
	}
	nftnl_obj_nlmsg_build_payload(message, o);
	nftnl_obj_free(o);
	batch_take(b, message);
}

static void set_data_type(struct nftnl_set *s, enum ir_data data)
{
	if (data == IR_DATA_VERDICT) {
		nftnl_set_set_u32(s, NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
		nftnl_set_set_u32(s, NFTNL_SET_DATA_LEN, sizeof(uint32_t));
		return;
	}
	nftnl_set_set_u32(s, NFTNL_SET_DATA_TYPE,
			  ir_field_info(data == IR_DATA_MARK ? IR_MARK : IR_IP_SADDR)->type_id);
	nftnl_set_set_u32(s, NFTNL_SET_DATA_LEN, sizeof(uint32_t));
}

static void set_byte_order(struct nftnl_set *s, const struct ir_set *set)
{
	struct nftnl_udata_buf *buf = nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN);
	enum ir_field field = set->fields[0];
	bool host = field == IR_IIFNAME || field == IR_OIFNAME || field == IR_MARK;

	nftnl_udata_put_u32(buf, NFTNL_UDATA_SET_KEYBYTEORDER,
			    set->field_count > 1 ? 0
			    : host               ? HOST_ENDIAN
						 : BIG_ENDIAN_ORDER);
	if (set->data == IR_DATA_MARK || set->data == IR_DATA_ADDRESS)
		nftnl_udata_put_u32(buf, NFTNL_UDATA_SET_DATABYTEORDER,
				    set->data == IR_DATA_MARK ? HOST_ENDIAN : BIG_ENDIAN_ORDER);
	nftnl_set_set_data(s, NFTNL_SET_USERDATA, nftnl_udata_buf_data(buf),
			   nftnl_udata_buf_len(buf));
	nftnl_udata_buf_free(buf);
}

static void describe_set(struct nftnl_set *s, const struct ir_set *set, uint32_t id)
{
	uint8_t lengths[IR_FIELDS_MAX];
	uint32_t flags = 0, type = 0;

	for (size_t i = 0; i < set->field_count; i++) {
		lengths[i] = ir_field_info(set->fields[i])->len;
		type = type << 6 | ir_field_info(set->fields[i])->type_id;
	}
	if (set->interval)
		flags |= NFT_SET_INTERVAL | NFT_SET_CONCAT;
	if (set->data)
		flags |= NFT_SET_MAP;
	nftnl_set_set_u32(s, NFTNL_SET_ID, id);
	nftnl_set_set_u32(s, NFTNL_SET_FLAGS, flags);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, type);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN,
			  set->field_count > 1 ? (uint32_t)ir_key_size(set) : lengths[0]);
	if (set->interval)
		nftnl_set_set_data(s, NFTNL_SET_DESC_CONCAT, lengths, (uint32_t)set->field_count);
	if (set->data)
		set_data_type(s, set->data);
	if (set->counter)
		nftnl_set_add_expr(s, nftnl_expr_alloc("counter"));
	set_byte_order(s, set);
}

static void put_set(struct batch *b, int type, const struct ir_set *set)
{
	bool create = type == NFT_MSG_NEWSET;
	struct nlmsghdr *message =
		start(b, type, set->family, create ? NLM_F_CREATE | NLM_F_EXCL : 0);
	struct nftnl_set *s = nftnl_set_alloc();

	nftnl_set_set_str(s, NFTNL_SET_TABLE, IR_TABLE);
	nftnl_set_set_str(s, NFTNL_SET_NAME, set->name);
	if (create)
		describe_set(s, set, b->sequence);
	nftnl_set_nlmsg_build_payload(message, s);
	nftnl_set_free(s);
	batch_take(b, message);
}

void apply_build(struct batch *b, const struct difference *d, uint32_t generation)
{
	batch_begin(b, generation);
	for (int family = IR_INET; d->kind != DIFFERENCE_CHANGE && family <= IR_ARP; family++) {
		put_table(b, NFT_MSG_NEWTABLE, (enum ir_family)family);
		if (d->kind != DIFFERENCE_ANEW)
			continue;
		put_table(b, NFT_MSG_DELTABLE, (enum ir_family)family);
		put_table(b, NFT_MSG_NEWTABLE, (enum ir_family)family);
	}
	for (size_t i = 0; i < d->remove.chain_count; i++)
		put_flush(b, d->remove.chains[i]);
	for (size_t i = 0; i < d->rewrite_count; i++)
		put_flush(b, d->rewrite[i]);
	apply_elements(b, NFT_MSG_DELSETELEM, &d->remove);
	for (size_t i = 0; i < d->remove.set_count; i++)
		put_set(b, NFT_MSG_DELSET, d->remove.sets[i]);
	for (size_t i = 0; i < d->remove.chain_count; i++)
		put_chain(b, NFT_MSG_DELCHAIN, d->remove.chains[i]);
	for (size_t i = 0; i < d->remove.counter_count; i++)
		put_counter(b, NFT_MSG_DELOBJ, d->remove.counters[i]);
	for (size_t i = 0; i < d->add.chain_count; i++)
		put_chain(b, NFT_MSG_NEWCHAIN, d->add.chains[i]);
	for (size_t i = 0; i < d->add.counter_count; i++)
		put_counter(b, NFT_MSG_NEWOBJ, d->add.counters[i]);
	for (size_t i = 0; i < d->add.set_count; i++)
		put_set(b, NFT_MSG_NEWSET, d->add.sets[i]);
	apply_elements(b, NFT_MSG_NEWSETELEM, &d->add);
	for (size_t i = 0; i < d->add.chain_count; i++)
		put_rules(b, d->add.chains[i]);
	for (size_t i = 0; i < d->rewrite_count; i++)
		put_rules(b, d->rewrite[i]);
	batch_end(b);
}
