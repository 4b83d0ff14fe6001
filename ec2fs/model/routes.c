/*
 * The routes of a table, one a line: `DESTINATION TARGET  # comment`.
 *
 *	10.0.0.0/16 local
 *	0.0.0.0/0 internet-gateway
 *	10.1.0.0/16 peering:shared       # also nat:NAME, instance:NAME, vpn:NAME
 *
 * The field holds what was written, with IDs in the place of names, so that renaming a target
 * changes no route.
 */
#include "ec2fs/model/routes_internal.h"

#include "ec2fs/model/instance.h"
#include "ec2fs/text/words.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <string.h>

const struct route_target_info route_targets[ROUTE_TARGET_COUNT] = {
	[ROUTE_LOCAL] = {"local", KIND_ROOT, 0},
	[ROUTE_INTERNET] = {"internet-gateway", KIND_ROOT, 0},
	[ROUTE_NAT] = {"nat:", KIND_NAT_GATEWAY, EC2_InvalidNatGatewayID_NotFound},
	[ROUTE_INSTANCE] = {"instance:", KIND_INSTANCE, EC2_InvalidInstanceID_NotFound},
	[ROUTE_PEERING] = {"peering:", KIND_PEERING, EC2_InvalidVpcPeeringConnectionID_NotFound},
	[ROUTE_VPN] = {"vpn:", KIND_VPN_GATEWAY, EC2_InvalidVpnGatewayID_NotFound},
};

enum route_target route_target_parse(const char *word, const char **ret_name)
{
	enum route_target t = ROUTE_LOCAL;

	for (; t < ROUTE_TARGET_COUNT; t++) {
		size_t len = strlen(route_targets[t].prefix);

		*ret_name = word + len;
		if (route_targets[t].kind == KIND_ROOT
			    ? strcmp(word, route_targets[t].prefix) == 0
			    : strncmp(word, route_targets[t].prefix, len) == 0)
			break;
	}
	return t;
}

bool is_block_of(const struct resource *vpc, struct cidr c)
{
	struct cidr block;

	for (size_t i = 0; vpc_cidr(vpc, i, &block); i++)
		if (same_cidr(block, c))
			return true;
	return false;
}

/* The VPC's peering of that name or ID: its own, or one that it was asked for; NULL when there is
 * none, or several that it was asked for. */
static const struct resource *peering_refer(const struct view *v, const struct resource *vpc,
					    const char *text)
{
	const struct resource *p = view_find(v, vpc->number, KIND_PEERING, text), *found = NULL;

	if (p)
		return p;
	while ((p = peering_next(v, vpc, p)) != NULL) {
		if (strcmp(p->id, text) == 0)
			return p;
		if (strcmp(p->name, text) != 0)
			continue;
		if (found)
			return NULL;
		found = p;
	}
	return found;
}

const struct resource *route_target_find(const struct view *v, const struct resource *vpc,
					 enum route_target t, const char *text)
{
	if (t == ROUTE_PEERING)
		return peering_refer(v, vpc, text);
	return view_refer(v, t == ROUTE_INSTANCE ? vpc->parent : vpc->number, route_targets[t].kind,
			  text);
}

/* Can it take no packets? */
static bool is_blackhole(const struct view *v, const struct resource *vpc, const struct route *r)
{
	switch (r->target) {
	case ROUTE_LOCAL:
		return false;
	case ROUTE_INTERNET:
		return !vpc_has_internet(vpc);
	case ROUTE_NAT:
		return !r->through || !nat_gateway_is_available(r->through);
	case ROUTE_INSTANCE:
		return !r->through || (instance_state(r->through) != INSTANCE_RUNNING &&
				       instance_state(r->through) != INSTANCE_PENDING);
	case ROUTE_PEERING:
		return !r->through || !peering_is_active(r->through) ||
		       !peering_other(v, r->through, vpc);
	default:
		return !r->through || !vpn_gateway_is_available(r->through);
	}
}

/* Handing out routes. */
struct handing {
	const struct view *v;
	const struct resource *vpc;
	void (*each)(void *context, const struct route *r);
	void *context;
	struct cidr *written;
	size_t count, capacity;
};

static void hand_out(struct handing *h, struct route *r)
{
	r->blackhole = is_blackhole(h->v, h->vpc, r);
	h->each(h->context, r);
}

static int hand_out_line(void *context, const struct words *w, struct ec2fs_error *error)
{
	struct handing *h = context;
	struct route r = {0};
	const char *name;

	(void)error;
	r.target = route_target_parse(w->word[1], &name);
	if (r.target == ROUTE_LOCAL || r.target == ROUTE_TARGET_COUNT ||
	    cidr_parse(w->word[0], &r.to, NULL) < 0)
		return 0;
	r.id = name;
	if (route_targets[r.target].kind != KIND_ROOT)
		r.through = route_target_find(h->v, h->vpc, r.target, name);
	array_reserve(h->written, h->count, h->capacity);
	h->written[h->count++] = r.to;
	hand_out(h, &r);
	return 0;
}

static void hand_out_propagated(void *context, struct cidr c)
{
	struct handing *h = context;
	struct route r = {.to = c, .target = ROUTE_VPN, .propagated = true};

	/* A route that somebody wrote goes before one that came by itself. */
	for (size_t i = 0; i < h->count; i++)
		if (same_cidr(h->written[i], c))
			return;
	if (vpc_contains(h->vpc, c))
		return;
	r.through = vpc_vpn_gateway(h->v, h->vpc);
	r.id = r.through->id;
	hand_out(h, &r);
}

void routes_each(const struct view *v, const struct resource *table,
		 void (*each)(void *context, const struct route *r), void *context)
{
	struct handing h = {
		.v = v, .vpc = view_get(v, table->parent), .each = each, .context = context};
	const char *text = resource_or(table, "routes", "");
	const struct resource *gateway;
	struct cidr block;

	for (size_t i = 0; vpc_cidr(h.vpc, i, &block); i++) {
		struct route local = {.to = block, .target = ROUTE_LOCAL};

		hand_out(&h, &local);
	}
	words_parse(text, strlen(text), hand_out_line, &h, NULL);
	gateway = vpc_vpn_gateway(v, h.vpc);
	if (gateway && resource_is(table, "propagating", "true"))
		vpn_gateway_routes(gateway, hand_out_propagated, &h);
	free(h.written);
}

void route_target_show(const struct view *v, const struct resource *vpc, const struct route *r,
		       struct strbuf *out)
{
	strbuf_adds(out, route_targets[r->target].prefix);
	if (route_targets[r->target].kind == KIND_ROOT)
		return;
	if (!r->through) {
		strbuf_adds(out, r->id);
		return;
	}
	/* A name that cannot be written in a line, or means another one here, gives way to the ID.
	 */
	if (strpbrk(r->through->name, " \t#") ||
	    route_target_find(v, vpc, r->target, r->through->name) != r->through)
		strbuf_adds(out, r->through->id);
	else
		strbuf_adds(out, r->through->name);
}

struct showing {
	const struct view *v;
	const struct resource *vpc;
	const char *text;
	size_t copied;
	struct strbuf *out;
};

static int show_line(void *context, const struct words *w, struct ec2fs_error *error)
{
	struct showing *s = context;
	struct route r = {0};
	struct cidr c;
	const char *name;

	(void)error;
	r.target = route_target_parse(w->word[1], &name);
	if (r.target == ROUTE_LOCAL && cidr_parse(w->word[0], &c, NULL) == 0 &&
	    !is_block_of(s->vpc, c)) {
		/* The block has gone, and its route with it. */
		strbuf_add(s->out, s->text + s->copied, w->begin - s->copied);
		s->copied = w->end;
		return 0;
	}
	if (route_targets[r.target].kind == KIND_ROOT)
		return 0;
	r.through = route_target_find(s->v, s->vpc, r.target, name);
	if (!r.through)
		return 0;
	strbuf_add(s->out, s->text + s->copied, w->at[1] - s->copied);
	route_target_show(s->v, s->vpc, &r, s->out);
	s->copied = w->at[1] + strlen(w->word[1]);
	return 0;
}

void routes_show(const struct view *v, const struct resource *table, struct strbuf *out)
{
	const char *text = resource_get(table, "routes");
	struct showing s = {v, view_get(v, table->parent), text, 0, out};
	struct cidr block;
	char line[CIDR_TEXT];

	for (size_t i = 0; !text && vpc_cidr(s.vpc, i, &block); i++) {
		cidr_print(block, line);
		strbuf_addf(out, "%s local\n", line);
	}
	if (!text)
		return;
	words_parse(text, strlen(text), show_line, &s, NULL);
	strbuf_adds(out, text + s.copied);
}
