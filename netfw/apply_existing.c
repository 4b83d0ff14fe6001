/*
 * What is in the tables already. After a start of the daemon that is taken away, and what should be
 * there put in its place, in one transaction. The tables and their base chains stay: a base chain
 * that is deleted goes on for some microseconds with no rules, and drops what a new one of the same
 * name would let pass.
 */
#include "netfw/apply.h"

#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_arp.h>

#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/object.h>
#include <libnftnl/set.h>

struct listing {
	struct ir *ir;
	enum ir_family family;
	int result; /* of an error */
	bool done;
};

/* A hook that we have no name for is none of ours: such a chain goes. */
static void take_hook(struct ir_chain *chain, const struct nftnl_chain *c)
{
	static const enum ir_hook hooks[] = {[NF_INET_PRE_ROUTING] = IR_PREROUTING,
					     [NF_INET_LOCAL_IN] = IR_INPUT,
					     [NF_INET_FORWARD] = IR_FORWARD,
					     [NF_INET_POST_ROUTING] = IR_POSTROUTING};
	uint32_t hook;
	const char *type = nftnl_chain_get_str(c, NFTNL_CHAIN_TYPE);

	if (!nftnl_chain_is_set(c, NFTNL_CHAIN_HOOKNUM))
		return;
	hook = nftnl_chain_get_u32(c, NFTNL_CHAIN_HOOKNUM);
	if (chain->family == IR_ARP)
		chain->hook = hook == NF_ARP_IN ? IR_INPUT : IR_NO_HOOK;
	else if (hook < sizeof(hooks) / sizeof(*hooks))
		chain->hook = hooks[hook];
	chain->nat = type && !strcmp(type, "nat");
	chain->priority = nftnl_chain_get_s32(c, NFTNL_CHAIN_PRIO);
	chain->policy = nftnl_chain_get_u32(c, NFTNL_CHAIN_POLICY) == NF_DROP ? IR_DROP : IR_ACCEPT;
}

static bool is_ours(const char *table)
{
	return table && !strcmp(table, IR_TABLE);
}

static void take_chain(struct listing *l, const struct nlmsghdr *m)
{
	struct nftnl_chain *c = nftnl_chain_alloc();

	if (nftnl_chain_nlmsg_parse(m, c) == 0 &&
	    is_ours(nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE)))
		take_hook(ir_add_chain(l->ir, l->family, nftnl_chain_get_str(c, NFTNL_CHAIN_NAME)),
			  c);
	nftnl_chain_free(c);
}

static void take_set(struct listing *l, const struct nlmsghdr *m)
{
	struct nftnl_set *s = nftnl_set_alloc();

	/* Anonymous sets go with their rules. */
	if (nftnl_set_nlmsg_parse(m, s) == 0 && is_ours(nftnl_set_get_str(s, NFTNL_SET_TABLE)) &&
	    !(nftnl_set_get_u32(s, NFTNL_SET_FLAGS) & NFT_SET_ANONYMOUS))
		ir_add_set(l->ir, &(struct ir_set){.family = l->family,
						   .name = nftnl_set_get_str(s, NFTNL_SET_NAME)});
	nftnl_set_free(s);
}

static void take_counter(struct listing *l, const struct nlmsghdr *m)
{
	struct nftnl_obj *o = nftnl_obj_alloc();

	if (nftnl_obj_nlmsg_parse(m, o) == 0 && is_ours(nftnl_obj_get_str(o, NFTNL_OBJ_TABLE)) &&
	    nftnl_obj_get_u32(o, NFTNL_OBJ_TYPE) == NFT_OBJECT_COUNTER)
		ir_add_counter(l->ir, nftnl_obj_get_str(o, NFTNL_OBJ_NAME));
	nftnl_obj_free(o);
}

static int look_at_object(const struct nlmsghdr *m, void *context)
{
	struct listing *l = context;

	if (m->nlmsg_seq != REQUEST_SEQUENCE)
		return 0;
	switch (m->nlmsg_type) {
	case NLMSG_ERROR:
		l->result = ((const struct nlmsgerr *)mnl_nlmsg_get_payload(m))->error;
		l->done = true;
		return 1;
	case NLMSG_DONE:
		l->done = true;
		return 1;
	case NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN:
		take_chain(l, m);
		return 0;
	case NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSET:
		take_set(l, m);
		return 0;
	case NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWOBJ:
		/* The ARP table has none of ours. */
		if (l->family == IR_INET)
			take_counter(l, m);
		return 0;
	default:
		return 0;
	}
}

static int list(int fd, struct listing *l, uint16_t type, struct ec2fs_error *error)
{
	char buffer[256];
	struct nlmsghdr *m = nftnl_nlmsg_build_hdr(buffer, type, apply_family(l->family),
						   NLM_F_DUMP, REQUEST_SEQUENCE);
	int result = apply_ask(fd, m, look_at_object, l);

	result = result < 0 ? result : l->result;
	if (!result && !l->done)
		result = -EIO;
	l->done = false;
	return result == 0
		       ? 0
		       : ec2fs_fail_errno(error, -result, EC2_InternalError,
					  "cannot list the kernel's rules: %s", strerror(-result));
}

int apply_existing(int fd, struct ir **ret, struct ec2fs_error *error)
{
	static const uint16_t types[] = {NFT_MSG_GETCHAIN, NFT_MSG_GETSET, NFT_MSG_GETOBJ};
	cleanup_ir struct ir *ir = ir_new();

	for (int family = IR_INET; family <= IR_ARP; family++)
		for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
			struct listing l = {.ir = ir, .family = (enum ir_family)family};
			int result = list(fd, &l, types[i], error);

			if (result < 0)
				return result;
		}
	*ret = ir;
	ir = NULL;
	return 0;
}
