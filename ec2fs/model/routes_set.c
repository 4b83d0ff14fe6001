/* Takes a new text of a table's routes. */
#include "ec2fs/model/routes_internal.h"

#include "ec2fs/model/instance.h"
#include "ec2fs/model/refer.h"
#include "ec2fs/text/words.h"
#include "ec2fs/util/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct taking {
	const struct view *v;
	const struct resource *table, *vpc;
	const char *text;
	size_t copied;
	struct strbuf out; /* the text with IDs */
	struct cidr *seen;
	size_t count, capacity;
	uint64_t written, limit; /* without the local ones */
};

struct old_route {
	struct cidr to;
	const char *target;
};

static int is_old_route(void *context, const struct words *w, struct ec2fs_error *error)
{
	const struct old_route *o = context;
	struct cidr c;

	(void)error;
	return cidr_parse(w->word[0], &c, NULL) == 0 && same_cidr(c, o->to) &&
	       strcmp(w->word[1], o->target) == 0;
}

/* Did the table have this very route before? Its target may be gone. */
static bool was_there(const struct taking *t, struct cidr to, const char *target)
{
	const char *text = resource_or(t->table, "routes", "");
	struct old_route o = {to, target};

	return words_parse(text, strlen(text), is_old_route, &o, NULL) == 1;
}

static int check_destination(struct taking *t, struct cidr to, enum route_target target,
			     const char *text, struct ec2fs_error *error)
{
	static const struct cidr kept = {UINT32_C(0xa9fea800), 22}; /* 169.254.168.0/22 */

	for (size_t i = 0; i < t->count; i++)
		if (same_cidr(t->seen[i], to))
			return ec2fs_fail(error, EC2_RouteAlreadyExists,
					  "there is a route to %s already", text);
	array_reserve(t->seen, t->count, t->capacity);
	t->seen[t->count++] = to;
	if (target == ROUTE_LOCAL) {
		if (is_block_of(t->vpc, to))
			return 0;
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "%s is no block of the VPC; only those are local", text);
	}
	if (++t->written > t->limit)
		return ec2fs_fail(error, EC2_RouteLimitExceeded,
				  "these are more than %" PRIu64
				  " routes beside the local ones, as "
				  "many as the quota allows",
				  t->limit);
	if (vpc_contains(t->vpc, to))
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "%s is within the VPC, where all routes are local", text);
	if (cidr_contains(kept, to))
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "%s is within 169.254.168.0/22, which is not routed", text);
	return 0;
}

/* A target that can be named; *ret is NULL for the internet gateway. */
static int check_target(struct taking *t, enum route_target target, const char *name,
			const struct resource **ret, struct ec2fs_error *error)
{
	const struct resource *subnet;
	int result;

	*ret = NULL;
	if (target == ROUTE_INTERNET)
		return vpc_has_internet(t->vpc)
			       ? 0
			       : ec2fs_fail(error, EC2_Gateway_NotAttached,
					    "the VPC has no internet gateway; write true to its "
					    "internet-gateway first");
	*ret = route_target_find(t->v, t->vpc, target, name);
	if (!*ret) {
		result = refer(t->v, target == ROUTE_INSTANCE ? t->vpc->parent : t->vpc->number,
			       route_targets[target].kind, route_targets[target].missing, name, ret,
			       error);
		if (result < 0)
			return result;
	}
	if (target != ROUTE_INSTANCE)
		return 0;
	if (!instance_holds_address(*ret))
		return ec2fs_fail(error, EC2_IncorrectInstanceState,
				  "the instance %s has no interface yet: it is not launched", name);
	subnet = instance_subnet(t->v, *ret);
	if (!subnet || subnet->parent != t->vpc->number)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "the instance %s is not in this VPC", name);
	return 0;
}

static int take_route(void *context, const struct words *w, struct ec2fs_error *error)
{
	struct taking *t = context;
	const struct resource *through;
	enum route_target target;
	const char *name;
	struct cidr to;
	int result;

	if (w->count != 2)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "write DESTINATION TARGET, such as 0.0.0.0/0 internet-gateway");
	result = cidr_parse(w->word[0], &to, error);
	if (result < 0)
		return result;
	target = route_target_parse(w->word[1], &name);
	if (target == ROUTE_TARGET_COUNT)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "%s is no target: there are local, internet-gateway, nat:NAME, "
				  "instance:NAME, peering:NAME and vpn:NAME",
				  w->word[1]);
	result = check_destination(t, to, target, w->word[0], error);
	if (result < 0 || target == ROUTE_LOCAL || was_there(t, to, w->word[1]))
		return result;
	result = check_target(t, target, name, &through, error);
	if (result < 0 || !through)
		return result;
	strbuf_add(&t->out, t->text + t->copied, w->at[1] - t->copied);
	strbuf_addf(&t->out, "%s%s", route_targets[target].prefix, through->id);
	t->copied = w->at[1] + strlen(w->word[1]);
	return 0;
}

int route_table_set_routes(struct view *v, struct resource *r, const char *text, size_t len,
			   struct ec2fs_error *error)
{
	struct taking t = {.v = v, .table = r, .text = text};
	int result;

	t.vpc = view_get(v, r->parent);
	t.limit = quota_get(view_region(v, r), "routes-per-table");
	result = words_parse(text, len, take_route, &t, error);
	if (result == 0) {
		strbuf_adds(&t.out, text + t.copied);
		set_document(v, r, "routes", strbuf_str(&t.out), t.out.len);
	}
	strbuf_free(&t.out);
	free(t.seen);
	return result;
}
