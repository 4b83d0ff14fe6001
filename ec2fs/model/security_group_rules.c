/* The rules of security groups: what they may name, how many there may be, who names whom. */
#include "ec2fs/model/network.h"

#include "ec2fs/model/refer.h"
#include "ec2fs/text/lines.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static const char *const directions[] = {"ingress", "egress"};

/* One document, while it is judged. */
struct judging {
	const struct view *v;
	const struct resource *group;
	uint64_t limit, ipv4, ipv6;     /* EC2 counts the families apart */
	struct permission_set resolved; /* groups and lists by their IDs */
	const struct bytes *was;        /* the document that it replaces; NULL: none */
	/* Judged as if that list counted so much. */
	const struct resource *list;
	uint64_t list_max;
};

static bool names(const struct bytes *rules, const char *peer);

/* Rules come in copies of groups before the groups (and their VPCs) that they name, and go round in
 * circles. Such a rule matches nobody until the group is there; it may be written again. */
static bool may_come(const struct judging *j, const struct permission *p)
{
	cleanup_free char *peer = xasprintf("%s:%s", p->peer == PEER_GROUP ? "sg" : "pl", p->name);

	return j->v->copies || (j->was && names(j->was, peer));
}

/* May members of one be meant in a rule of the other? */
static bool within_reach(const struct view *v, const struct resource *group,
			 const struct resource *peer)
{
	const struct resource *vpc = security_group_vpc(v, group);
	const struct resource *other = security_group_vpc(v, peer);

	return vpc == other || (vpc && other && vpcs_are_peered(v, vpc, other));
}

static int find_group(const struct judging *j, const struct permission *p,
		      const struct resource **ret, struct ec2fs_error *error)
{
	const struct resource *vpc = security_group_vpc(j->v, j->group);
	const struct resource *peer;
	int r = refer(j->v, j->group->parent, KIND_SECURITY_GROUP, EC2_InvalidGroup_NotFound,
		      p->name, &peer, error);

	if (r < 0)
		return r;
	if (peer->number != j->group->number && !vpc)
		return ec2fs_fail(error, EC2_MissingParameter,
				  "write the group's vpc before rules that name other groups");
	if (peer->number != j->group->number && !within_reach(j->v, j->group, peer))
		return ec2fs_fail(
			error, EC2_InvalidGroup_NotFound,
			"the security group %s is neither in the VPC %s nor in one that has an "
			"active peering with it; write its CIDR block instead",
			peer->name, vpc->name);
	*ret = peer;
	return 0;
}

/* A peer may be written by its name and by its ID: the same rule to EC2. */
static int check_resolved(struct judging *j, unsigned line, const struct permission *p,
			  const struct resource *peer, struct ec2fs_error *error)
{
	struct permission by_id = *p;
	unsigned first;

	by_id.name = peer->id;
	if (permission_set_add(&j->resolved, &by_id, line, &first))
		return 0;
	return ec2fs_fail(error, EC2_InvalidPermission_Duplicate,
			  "%s and %s are the same %s, and the rule stands in line %u already",
			  peer->name, peer->id, kind_name(peer->kind), first);
}

static int judge(void *context, unsigned line, const struct permission *p,
		 struct ec2fs_error *error)
{
	struct judging *j = context;
	const struct resource *peer = NULL;
	int r = 0;

	switch (p->peer) {
	case PEER_CIDR:
		j->ipv4++;
		break;
	case PEER_CIDR6:
		j->ipv6++;
		break;
	case PEER_GROUP:
		r = find_group(j, p, &peer, error);
		if (r < 0 && r != -EACCES && may_come(j, p))
			r = 0;
		j->ipv4++;
		j->ipv6++;
		break;
	case PEER_PREFIX_LIST:
		r = refer(j->v, j->group->parent, KIND_PREFIX_LIST,
			  EC2_InvalidPrefixListID_NotFound, p->name, &peer, error);
		if (r == -EACCES || (r < 0 && !may_come(j, p)))
			return r;
		r = 0;
		j->ipv4 += !peer ? 1
			   : j->list && peer->number == j->list->number
				   ? j->list_max
				   : prefix_list_max_entries(peer);
		break;
	}
	if (r == 0 && peer)
		r = check_resolved(j, line, p, peer, error);
	if (r < 0)
		return r;
	if (j->ipv4 > j->limit || j->ipv6 > j->limit)
		return ec2fs_fail(error, EC2_RulesPerSecurityGroupLimitExceeded,
				  "%" PRIu64 " rules are as many as one direction may have (each "
				  "port of a list is one, a prefix list counts its max-entries): "
				  "take some away, or raise rules-per-security-group in the "
				  "region's quotas",
				  j->limit);
	return 0;
}

static int judge_text(struct judging *j, const char *text, size_t len, struct ec2fs_error *error)
{
	int r;

	j->ipv4 = j->ipv6 = 0;
	j->limit = quota_get(view_get(j->v, j->group->parent), "rules-per-security-group");
	r = permissions_parse(text, len, judge, j, error);
	permission_set_free(&j->resolved);
	return r;
}

static int set_rules(struct view *v, struct resource *r, const char *direction, const char *text,
		     size_t len, struct ec2fs_error *error)
{
	struct strbuf whole cleanup_strbuf = STRBUF_INIT;
	const struct field *f = resource_field(r, direction);
	struct judging j = {.v = v, .group = r, .was = f ? f->value : NULL};
	int result = judge_text(&j, text, len, error);

	if (result < 0)
		return result;
	lines_complete(text, len, &whole);
	set_data(v, r, direction, strbuf_str(&whole), whole.len);
	return 0;
}

int security_group_set_ingress(struct view *v, struct resource *r, const char *text, size_t len,
			       struct ec2fs_error *error)
{
	return set_rules(v, r, "ingress", text, len, error);
}

int security_group_set_egress(struct view *v, struct resource *r, const char *text, size_t len,
			      struct ec2fs_error *error)
{
	return set_rules(v, r, "egress", text, len, error);
}

static const struct bytes *rules_of(const struct resource *group, bool egress)
{
	const struct field *f = resource_field(group, directions[egress]);

	return f ? f->value : NULL;
}

struct telling {
	const struct view *v;
	const struct resource *group;
	void (*each)(void *context, const struct permission *p, const struct resource *peer);
	void *context;
	struct permission entry; /* of a prefix list, but for its CIDR */
};

static void tell_entry(void *context, struct cidr c)
{
	struct telling *t = context;

	t->entry.cidr = c;
	t->each(t->context, &t->entry, NULL);
}

static int tell(void *context, unsigned line, const struct permission *p, struct ec2fs_error *error)
{
	struct telling *t = context;
	const struct resource *peer;

	(void)line;
	(void)error;
	switch (p->peer) {
	case PEER_CIDR:
		t->each(t->context, p, NULL);
		break;
	case PEER_CIDR6:
		break;
	case PEER_GROUP:
		peer = view_refer(t->v, t->group->parent, KIND_SECURITY_GROUP, p->name);
		/* Of another VPC: one that is still to come into this one, or stale. */
		if (peer && within_reach(t->v, t->group, peer))
			t->each(t->context, p, peer);
		break;
	case PEER_PREFIX_LIST:
		peer = prefix_list_refer(t->v, t->group->parent, p->name);
		t->entry = *p;
		t->entry.peer = PEER_CIDR;
		t->entry.name = NULL;
		if (peer)
			prefix_list_each(peer, tell_entry, t);
		break;
	}
	return 0;
}

void security_group_each(const struct view *v, const struct resource *group, bool egress,
			 void (*each)(void *context, const struct permission *p,
				      const struct resource *peer),
			 void *context)
{
	const struct bytes *rules = rules_of(group, egress);
	struct telling t = {.v = v, .group = group, .each = each, .context = context};

	if (rules)
		permissions_parse(rules->data, rules->len, tell, &t, NULL);
}

static char *peer_text(const struct resource *peer, const char *name)
{
	return xasprintf("%s:%s", peer->kind == KIND_SECURITY_GROUP ? "sg" : "pl", name);
}

static bool names(const struct bytes *rules, const char *peer)
{
	struct strbuf ignored cleanup_strbuf = STRBUF_INIT;

	/* Most texts do not have it anywhere. */
	return memmem(rules->data, rules->len, peer, strlen(peer)) &&
	       permissions_replace_peer(rules->data, rules->len, peer, "", &ignored);
}

static bool group_names(const struct resource *group, const char *by_name, const char *by_id)
{
	for (int egress = 0; egress < 2; egress++) {
		const struct bytes *rules = rules_of(group, egress);

		if (rules && (names(rules, by_name) || names(rules, by_id)))
			return true;
	}
	return false;
}

const struct resource *security_group_naming(const struct view *v, const struct resource *peer)
{
	cleanup_free char *by_name = peer_text(peer, peer->name);
	cleanup_free char *by_id = peer_text(peer, peer->id);
	bool is_group = peer->kind == KIND_SECURITY_GROUP;

	view_each (v, peer->parent, KIND_SECURITY_GROUP, r)
		if (r->number != peer->number &&
		    (!is_group || security_group_vpc(v, r) == security_group_vpc(v, peer)) &&
		    group_names(r, by_name, by_id))
			return r;
	return NULL;
}

bool security_group_mentions(const struct resource *group, const struct resource *peer)
{
	cleanup_free char *by_name = peer_text(peer, peer->name);
	cleanup_free char *by_id = peer_text(peer, peer->id);

	return group_names(group, by_name, by_id);
}

struct others {
	const struct resource *group;
	bool found;
};

static void see_other(void *context, const struct permission *p, const struct resource *peer)
{
	struct others *o = context;

	(void)p;
	o->found |= peer && peer->number != o->group->number;
}

bool security_group_names_others(const struct view *v, const struct resource *group)
{
	struct others o = {.group = group};

	for (int egress = 0; egress < 2; egress++)
		security_group_each(v, group, egress, see_other, &o);
	return o.found;
}

void security_groups_follow(struct view *v, const struct resource *peer, const char *name)
{
	cleanup_free char *old = peer_text(peer, peer->name);
	/* " #" would begin a comment. */
	cleanup_free char *new = peer_text(peer, strstr(name, " #") ? peer->id : name);

	view_each (v, peer->parent, KIND_SECURITY_GROUP, r)
		for (int egress = 0; egress < 2; egress++) {
			const struct bytes *rules = rules_of(r, egress);
			struct strbuf text cleanup_strbuf = STRBUF_INIT;

			if (rules &&
			    permissions_replace_peer(rules->data, rules->len, old, new, &text))
				set_data(v, view_edit(v, r), directions[egress], strbuf_str(&text),
					 text.len);
		}
}

int security_groups_check_prefix_list(const struct view *v, const struct resource *list,
				      uint64_t max, struct ec2fs_error *error)
{
	cleanup_free char *by_name = peer_text(list, list->name);
	cleanup_free char *by_id = peer_text(list, list->id);

	view_each (v, list->parent, KIND_SECURITY_GROUP, r) {
		struct judging j = {.v = v, .group = r, .list = list, .list_max = max};

		for (int egress = 0; egress < 2; egress++) {
			const struct bytes *rules = rules_of(r, egress);
			int result = 0;

			j.was = rules;
			if (rules && (names(rules, by_name) || names(rules, by_id)))
				result = judge_text(&j, rules->data, rules->len, error);
			if (result < 0)
				return ec2fs_wrap(error, "%s of the security group %s",
						  directions[egress], r->name);
		}
	}
	return 0;
}
