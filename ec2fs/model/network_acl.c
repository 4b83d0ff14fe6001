/*
 * Network ACLs: stateless filters of subnets, entries in the order of their numbers, one a line:
 * `NUMBER allow|deny PROTOCOL PORTS CIDR  # comment`.
 *
 *	100 allow tcp 443 0.0.0.0/0
 *	110 allow icmp echo-request 10.0.0.0/8
 *	200 deny all - 198.51.100.0/24
 */
#include "ec2fs/model/network.h"

#include "ec2fs/text/number.h"
#include "ec2fs/text/words.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_ACL "@default-acl" /* of the VPC: the ACL's number */
#define ALLOW_ALL "100 allow all - 0.0.0.0/0\n"
#define NUMBER_MOST 32766 /* EC2's own last entry, which denies, is 32767 */

struct resource *network_acl_add_default(struct view *v, const struct resource *vpc)
{
	struct resource *r = view_create(v, vpc->number, KIND_NETWORK_ACL, "default");

	set_default(r, "is-default", "true");
	set_default(r, "ingress", ALLOW_ALL);
	set_default(r, "egress", ALLOW_ALL);
	set_format(v, view_edit(v, vpc), DEFAULT_ACL, "%" PRIu64, r->number);
	return r;
}

int network_acl_make(struct view *v, const struct resource *parent, const char *name,
		     struct resource **ret, struct ec2fs_error *error)
{
	uint64_t limit = quota_get(view_region(v, parent), "network-acls-per-vpc");

	if (view_count(v, parent->number, KIND_NETWORK_ACL) >= limit)
		return ec2fs_fail(error, EC2_NetworkAclLimitExceeded,
				  "there are %" PRIu64 " network ACLs, as many as the quota allows",
				  limit);
	*ret = view_create(v, parent->number, KIND_NETWORK_ACL, name);
	set_default(*ret, "is-default", "false");
	subnets_meet(v, *ret, "network-acl");
	return 0;
}

const struct resource *vpc_default_acl(const struct view *v, const struct resource *vpc)
{
	return vpc ? view_get(v, resource_u64(vpc, DEFAULT_ACL, NO_NUMBER)) : NULL;
}

bool network_acl_is_default(const struct view *v, const struct resource *acl)
{
	(void)v;
	return resource_is(acl, "is-default", "true");
}

int network_acl_remove(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	if (network_acl_is_default(v, r)) {
		/* It goes with its VPC, as fixed directories do; "rm -r" asks on its way there. */
		if (!view_next(v, r->parent, KIND_SUBNET, 0))
			return 0;
		return ec2fs_fail(error, EC2_CannotDelete,
				  "this is the VPC's default network ACL, which goes with the VPC");
	}
	view_each (v, r->parent, KIND_SUBNET, subnet)
		if (resource_is(subnet, "network-acl", r->id))
			return ec2fs_fail(error, EC2_DependencyViolation,
					  "the subnet %s uses it; write another one, or an empty "
					  "line, to its network-acl",
					  subnet->name);
	view_delete(v, r);
	return 0;
}

int network_acl_rename(struct view *v, struct resource *r, const char *name,
		       struct ec2fs_error *error)
{
	(void)error;
	view_rename(v, r, name);
	return 0;
}

/* One permission, of a CIDR. */
static int take_permission(void *context, unsigned line, const struct permission *p,
			   struct ec2fs_error *error)
{
	struct acl_entry *e = context;

	(void)line;
	if (p->peer != PEER_CIDR)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "an entry is about an IPv4 CIDR block, such as 10.0.0.0/8");
	if (e->cidr.prefix != UINT8_MAX)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "an entry has one port or one range; write a line for each");
	e->protocol = p->protocol;
	e->from = p->from;
	e->to = p->to;
	e->type = p->type;
	e->code = p->code;
	e->cidr = p->cidr;
	return 0;
}

static int entry_parse(const struct words *w, struct acl_entry *ret, struct ec2fs_error *error)
{
	cleanup_free char *permission = NULL;
	struct ec2fs_error own = {0};
	uint64_t number;
	int r;

	if (w->count != 5 || (strcmp(w->word[1], "allow") != 0 && strcmp(w->word[1], "deny") != 0))
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "write NUMBER allow|deny PROTOCOL PORTS CIDR, such as "
				  "100 allow tcp 22 203.0.113.0/24");
	r = number_parse(w->word[0], 1, NUMBER_MOST, &number, error);
	if (r < 0)
		return r;
	*ret = (struct acl_entry){.number = (unsigned)number,
				  .allow = w->word[1][0] == 'a',
				  .cidr = {.prefix = UINT8_MAX}};
	/* What follows is said as in a security group. */
	permission = xasprintf("%s %s %s", w->word[2], w->word[3], w->word[4]);
	r = permissions_parse(permission, strlen(permission), take_permission, ret, &own);
	if (r < 0) {
		const char *told =
			strncmp(own.message, "line 1: ", 8) == 0 ? own.message + 8 : own.message;

		return ec2fs_fail(error, EC2_InvalidParameterValue, "%s", told);
	}
	return 0;
}

struct entries {
	struct acl_entry *all;
	size_t count, capacity;
	uint64_t limit;
};

static int add_entry(void *context, const struct words *w, struct ec2fs_error *error)
{
	struct entries *e = context;
	struct acl_entry entry;
	int r = entry_parse(w, &entry, error);

	if (r < 0)
		return r;
	for (size_t i = 0; i < e->count; i++)
		if (e->all[i].number == entry.number)
			return ec2fs_fail(error, EC2_NetworkAclEntryAlreadyExists,
					  "there is an entry %u already", entry.number);
	if (e->count >= e->limit)
		return ec2fs_fail(error, EC2_NetworkAclEntryLimitExceeded,
				  "there are more than %" PRIu64 " entries, as many as the quota "
				  "allows in one direction",
				  e->limit);
	array_reserve(e->all, e->count, e->capacity);
	e->all[e->count++] = entry;
	return 0;
}

static int set_entries(struct view *v, struct resource *r, const char *key, const char *text,
		       size_t len, struct ec2fs_error *error)
{
	struct entries e = {.limit = quota_get(view_region(v, r), "rules-per-network-acl")};
	int result = words_parse(text, len, add_entry, &e, error);

	free(e.all);
	if (result == 0)
		set_data(v, r, key, text, len);
	return result;
}

int network_acl_set_ingress(struct view *v, struct resource *r, const char *text, size_t len,
			    struct ec2fs_error *error)
{
	return set_entries(v, r, "ingress", text, len, error);
}

int network_acl_set_egress(struct view *v, struct resource *r, const char *text, size_t len,
			   struct ec2fs_error *error)
{
	return set_entries(v, r, "egress", text, len, error);
}

static int by_number(const void *a, const void *b)
{
	const struct acl_entry *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

void network_acl_each(const struct resource *acl, bool egress,
		      void (*each)(void *context, const struct acl_entry *e), void *context)
{
	const char *text = resource_or(acl, egress ? "egress" : "ingress", "");
	struct entries e = {.limit = UINT64_MAX};

	words_parse(text, strlen(text), add_entry, &e, NULL);
	if (e.count)
		qsort(e.all, e.count, sizeof(*e.all), by_number);
	for (size_t i = 0; i < e.count; i++)
		each(context, &e.all[i]);
	free(e.all);
}

struct first {
	bool seen, allows_all;
};

static void note_first(void *context, const struct acl_entry *e)
{
	struct first *f = context;

	if (!f->seen)
		f->allows_all = e->allow && e->protocol == PROTOCOL_ALL && !e->cidr.prefix;
	f->seen = true;
}

bool network_acl_allows_all(const struct resource *acl)
{
	struct first in = {0}, out = {0};

	network_acl_each(acl, false, note_first, &in);
	network_acl_each(acl, true, note_first, &out);
	return in.allows_all && out.allows_all;
}
