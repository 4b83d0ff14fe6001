/*
 * Elements of sets as messages. There may be a hundred thousand in a batch, and a dozen are most of
 * any small one: they are written as they stand, without an object of libnftnl's for each.
 */
#include "netfw/apply.h"

#include "ec2fs/util/memory.h"
#include "ec2fs/util/table.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <libnftnl/common.h>

/* An attribute's length is 16 bits: so much is in one message, and one element more. */
#define ELEMENTS_SIZE 60000

/* The elements of one set. */
struct bundle {
	const struct ir_set *set;
	uint32_t first, last; /* indexes; the list goes on in `next` */
};

static bool same_bundle(const void *item, const void *key)
{
	const struct bundle *b = item;
	const struct ir_set *set = key;

	return b->set == set || (b->set->family == set->family && !strcmp(b->set->name, set->name));
}

static void put_value(struct nlmsghdr *m, uint16_t type, const void *data, size_t len)
{
	struct nlattr *nest = mnl_attr_nest_start(m, type);

	mnl_attr_put(m, NFTA_DATA_VALUE, len, data);
	mnl_attr_nest_end(m, nest);
}

static void put_verdict(struct nlmsghdr *m, const struct ir_verdict *v)
{
	static const int32_t codes[] = {[IR_ACCEPT] = NF_ACCEPT,
					[IR_DROP] = NF_DROP,
					[IR_RETURN] = NFT_RETURN,
					[IR_JUMP] = NFT_JUMP,
					[IR_GOTO] = NFT_GOTO};
	struct nlattr *data = mnl_attr_nest_start(m, NFTA_SET_ELEM_DATA);
	struct nlattr *verdict = mnl_attr_nest_start(m, NFTA_DATA_VERDICT);

	mnl_attr_put_u32(m, NFTA_VERDICT_CODE, htonl((uint32_t)codes[v->kind]));
	if (v->chain)
		mnl_attr_put_strz(m, NFTA_VERDICT_CHAIN, v->chain);
	mnl_attr_nest_end(m, verdict);
	mnl_attr_nest_end(m, data);
}

static void put_element(struct nlmsghdr *m, const struct ir_element *e, size_t len, bool data)
{
	struct nlattr *nest = mnl_attr_nest_start(m, NFTA_LIST_ELEM);
	uint32_t value = e->set->data == IR_DATA_ADDRESS ? htonl(e->value) : e->value;

	put_value(m, NFTA_SET_ELEM_KEY, e->key, len);
	if (e->set->interval)
		put_value(m, NFTA_SET_ELEM_KEY_END, e->end, len);
	if (data && e->set->data == IR_DATA_VERDICT)
		put_verdict(m, &e->verdict);
	else if (data && e->set->data)
		put_value(m, NFTA_SET_ELEM_DATA, &value, sizeof(value));
	mnl_attr_nest_end(m, nest);
}

static size_t key_len(const struct ir_set *set)
{
	return set->field_count > 1 ? ir_key_size(set) : ir_field_info(set->fields[0])->len;
}

/* The elements of a set from *at on, as many as fit; moves *at on. */
static void put_some(struct nlmsghdr *m, const struct ir_view *v, const uint32_t *next,
		     uint32_t *at, bool data)
{
	const struct ir_set *set = v->elements[*at]->set;
	size_t len = key_len(set);
	struct nlattr *nest;

	mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_TABLE, IR_TABLE);
	mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_SET, set->name);
	nest = mnl_attr_nest_start(m, NFTA_SET_ELEM_LIST_ELEMENTS);
	do {
		put_element(m, v->elements[*at], len, data);
		*at = next[*at];
	} while (*at != UINT32_MAX && m->nlmsg_len < ELEMENTS_SIZE);
	mnl_attr_nest_end(m, nest);
}

void apply_elements(struct batch *b, int type, const struct ir_view *v)
{
	bool create = type == NFT_MSG_NEWSETELEM;
	struct table table = {0};
	struct bundle *bundles, *last = NULL;
	uint32_t *next, count = 0;

	if (!v->element_count)
		return;
	bundles = xcalloc(v->element_count, sizeof(*bundles));
	next = xcalloc(v->element_count, sizeof(*next));
	for (uint32_t i = 0; i < v->element_count; i++) {
		const struct ir_set *set = v->elements[i]->set;
		uint64_t hash;

		next[i] = UINT32_MAX;
		if (last && same_bundle(last, set)) {
			next[last->last] = i;
			last->last = i;
			continue;
		}
		hash = hash_str(set->name, set->family);
		last = table_find(&table, hash, same_bundle, set);
		if (last) {
			next[last->last] = i;
		} else {
			last = &bundles[count++];
			*last = (struct bundle){set, i, i};
			table_add(&table, hash, last);
		}
		last->last = i;
	}
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = bundles[i].first;

		while (at != UINT32_MAX) {
			struct nlmsghdr *m = nftnl_nlmsg_build_hdr(
				batch_room(b), (uint16_t)type, apply_family(bundles[i].set->family),
				create ? NLM_F_CREATE | NLM_F_EXCL : 0, b->sequence);

			put_some(m, v, next, &at, create);
			batch_take(b, m);
		}
	}
	free(next);
	free(bundles);
	table_free(&table);
}

void apply_ask_element(struct nlmsghdr *m, const struct ir_element *e)
{
	struct ir_element *one = (struct ir_element *)e;
	const struct ir_view v = {.elements = &one, .element_count = 1};
	uint32_t at = 0, next = UINT32_MAX;

	put_some(m, &v, &next, &at, false);
}
