/* Routing rules of a network namespace: which packet asks which table. */
#include "netfw/routes.h"

#include "ec2fs/util/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct rule_list {
	struct rule *rules;
	size_t count, capacity;
};

static void collect(void *context, const struct nlmsghdr *h)
{
	const struct fib_rule_hdr *f = mnl_nlmsg_get_payload(h);
	struct rule_list *list = context;
	const struct nlattr *a;
	struct rule rule = {.from.prefix = f->src_len};

	if (h->nlmsg_type != RTM_NEWRULE || f->family != AF_INET)
		return;
	if (f->action == FR_ACT_TO_TBL)
		rule.table = f->table;
	mnl_attr_for_each(a, h, sizeof(*f))
	{
		switch (mnl_attr_get_type(a)) {
		case FRA_PRIORITY:
			rule.priority = mnl_attr_get_u32(a);
			break;
		case FRA_IIFNAME:
			strncpy(rule.in, mnl_attr_get_str(a), sizeof(rule.in) - 1);
			break;
		case FRA_SRC:
			rule.from.address = ntohl(mnl_attr_get_u32(a));
			break;
		case FRA_TABLE:
			if (f->action == FR_ACT_TO_TBL)
				rule.table = mnl_attr_get_u32(a);
			break;
		default:
			break;
		}
	}
	if (rule.priority == 0) /* the kernel's own */
		return;
	array_reserve(list->rules, list->count, list->capacity);
	list->rules[list->count++] = rule;
}

static int change(struct rtnl *r, uint16_t type, uint16_t flags, const struct rule *rule,
		  struct ec2fs_error *error)
{
	struct fib_rule_hdr f = {.family = AF_INET,
				 .src_len = rule->from.prefix,
				 .action = rule->table ? FR_ACT_TO_TBL : FR_ACT_BLACKHOLE};
	struct rtnl_message m;
	int got;

	rtnl_start(&m, type, flags, &f, sizeof(f));
	mnl_attr_put_u32(&m.header, FRA_PRIORITY, rule->priority);
	if (rule->in[0])
		mnl_attr_put_strz(&m.header, FRA_IIFNAME, rule->in);
	if (rule->from.prefix)
		mnl_attr_put_u32(&m.header, FRA_SRC, htonl(rule->from.address));
	if (rule->table)
		mnl_attr_put_u32(&m.header, FRA_TABLE, rule->table);
	got = rtnl_send(r, &m);
	if (got == 0 || (type == RTM_DELRULE && got == -ENOENT) ||
	    (type == RTM_NEWRULE && got == -EEXIST))
		return 0;
	return rtnl_fail(r, got, error, "%s the routing rule %u",
			 type == RTM_NEWRULE ? "add" : "delete", rule->priority);
}

static bool same(const struct rule *x, const struct rule *y)
{
	return x->priority == y->priority && x->table == y->table &&
	       x->from.address == y->from.address && x->from.prefix == y->from.prefix &&
	       strcmp(x->in, y->in) == 0;
}

static bool has(const struct rule *rules, size_t count, const struct rule *one)
{
	for (size_t i = 0; i < count; i++)
		if (same(&rules[i], one))
			return true;
	return false;
}

int rules_sync(struct rtnl *r, const struct rule *wanted, size_t count, struct ec2fs_error *error)
{
	struct fib_rule_hdr f = {.family = AF_INET};
	struct rule_list there = {0};
	struct rtnl_message m;
	int got;

	rtnl_start(&m, RTM_GETRULE, NLM_F_DUMP, &f, sizeof(f));
	got = rtnl_dump(r, &m, collect, &there);
	if (got < 0)
		got = rtnl_fail(r, got, error, "list the routing rules");
	/* A new rule comes behind an old one of the same priority: it acts when that is deleted. */
	for (size_t i = 0; got == 0 && i < count; i++)
		if (!has(there.rules, there.count, &wanted[i]))
			got = change(r, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, &wanted[i], error);
	for (size_t i = 0; got == 0 && i < there.count; i++)
		if (!has(wanted, count, &there.rules[i]))
			got = change(r, RTM_DELRULE, 0, &there.rules[i], error);
	free(there.rules);
	return got;
}
