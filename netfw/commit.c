/*
 * A change takes effect: the ruleset first, in one batch, then addresses, links and routes.
 *
 * In this order nothing ever passes that should not: what is new is not there before its rules are,
 * and what goes is dropped by the rules (who has none reaches nobody) before its links and routes
 * go. When the batch is refused nothing has changed. When something after it fails, the VPC counts
 * as not known: the engine describes it as a whole again, and that repairs what is missing.
 */
#include "netfw/change.h"
#include "netfw/internal.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "netfw/describe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* As of a router between subnets; no packet is dropped for the way that it came. */
static const struct netns_setting settings[] = {
	{"ipv4/ip_forward", "1", 0},
	{"ipv4/conf/all/rp_filter", "0", 0},
	{"ipv4/conf/default/rp_filter", "0", 0},
	{"ipv4/conf/all/send_redirects", "0", 0},
	{"ipv4/conf/default/send_redirects", "0", 0},
	{"ipv4/conf/all/accept_redirects", "0", 0},
	{"ipv4/conf/default/accept_redirects", "0", 0},
	{"ipv4/conf/all/accept_source_route", "0", 0},
	{"ipv4/conf/default/accept_source_route", "0", 0},
	{"ipv4/conf/default/proxy_arp", "1", 0},
	{"ipv4/conf/all/log_martians", "0", 0},
	{"ipv4/conf/default/log_martians", "0", 0},
	{"ipv6/conf/all/disable_ipv6", "1", 1},
	{"ipv6/conf/default/disable_ipv6", "1", 1},
	{"netfilter/nf_conntrack_acct", "1", 1},
	/* EC2's idle timeouts where they are not the kernel's. */
	{"netfilter/nf_conntrack_udp_timeout_stream", "180", 1},
};

struct changed {
	struct interface *interface;
	struct netfw_interface *was; /* owned; NULL: it is new */
};

/* What a commit has done so far. */
struct work {
	bool everything;       /* look at all that is in the kernel */
	struct netfw_vpc *old; /* the description before, or NULL; owned */
	bool routers;          /* the interfaces without source/dest check are others */
	struct changed *changed;
	struct interface **gone; /* owned */
	size_t changed_count, changed_capacity, gone_count, gone_capacity;
};

static void free_work(struct work *w)
{
	for (size_t i = 0; i < w->changed_count; i++)
		describe_free_interface(w->changed[i].was);
	for (size_t i = 0; i < w->gone_count; i++)
		interface_free(w->gone[i]);
	free(w->changed);
	free(w->gone);
	describe_free_vpc(w->old);
}

static int open_ruleset(struct vpc *v, struct ec2fs_error *error)
{
	int fd;

	if (v->rules)
		return 0;
	fd = netns_socket(v->ns.fd, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
	if (fd < 0)
		return ec2fs_fail(error, EC2_InternalError, "cannot reach the rules of %s: %s",
				  v->id, strerror(-fd));
	v->rules = ruleset_new(fd);
	return 0;
}

/* The namespace is open and set. *ret_made: it is new. */
static int prepare(struct vpc *v, const struct netfw_change *c, bool *ret_made,
		   struct ec2fs_error *error)
{
	size_t count = sizeof(settings) / sizeof(*settings);
	int r;

	*ret_made = false;
	if (!c->description && (c->whole || !v->known))
		return ec2fs_fail(error, EC2_InternalError, "%s was not described yet", v->id);
	r = vpc_open(v, error);
	if (r == -ENOENT) {
		*ret_made = true;
		r = netns_create(&v->ns, v->id, v->netfw->mark, settings, count, error);
	} else if (r == 0 && !v->known) {
		r = netns_set(&v->ns, settings, count, error);
	}
	return r < 0 ? r : open_ruleset(v, error);
}

static int commit_rules(struct vpc *v, const struct netfw_change *c, bool whole,
			struct ec2fs_error *error)
{
	ruleset_begin(v->rules, whole);
	if (c->description) {
		ruleset_log(v->rules, c->description->flow_logs.flows ? FLOW_LOGS_GROUP : 0);
		ruleset_vpc(v->rules, c->description);
	}
	for (size_t i = 0; i < c->count; i++) {
		const void *what = c->staged[i].what;

		switch (c->staged[i].kind) {
		case STAGED_GROUP:
			ruleset_group(v->rules, what);
			break;
		case STAGED_DROP_GROUP:
			ruleset_drop_group(v->rules, what);
			break;
		case STAGED_INTERFACE:
			ruleset_interface(v->rules, what);
			break;
		case STAGED_DROP_INTERFACE:
			ruleset_drop_interface(v->rules, what);
			break;
		}
	}
	return ruleset_commit(v->rules, error);
}

/* But for its groups, which only the rules know. */
static bool same(const struct netfw_interface *a, const struct netfw_interface *b)
{
	return memcmp(a->mac, b->mac, sizeof(a->mac)) == 0 && a->address == b->address &&
	       a->public_ip == b->public_ip && strcmp(a->subnet, b->subnet) == 0 &&
	       a->source_dest_check == b->source_dest_check &&
	       strcmp(a->host_name ? a->host_name : "", b->host_name ? b->host_name : "") == 0;
}

static void take_interface(struct vpc *v, const char *id, struct work *w)
{
	struct interface *i = vpc_take(v, id);

	if (!i)
		return;
	w->routers |= !i->is->source_dest_check;
	for (size_t j = 0; j < w->changed_count; j++)
		if (w->changed[j].interface == i) {
			describe_free_interface(w->changed[j].was);
			w->changed[j--] = w->changed[--w->changed_count];
		}
	array_reserve(w->gone, w->gone_count, w->gone_capacity);
	w->gone[w->gone_count++] = i;
}

/* Takes is. */
static void put_interface(struct vpc *v, struct netfw_interface *is, struct work *w)
{
	struct netfw_interface *old;
	struct interface *i = vpc_put(v, is, &old);

	i->told = true;
	if (!w->everything && old && same(old, is)) {
		describe_free_interface(old);
		return;
	}
	w->routers |= (old && !old->source_dest_check) || !is->source_dest_check;
	array_reserve(w->changed, w->changed_count, w->changed_capacity);
	w->changed[w->changed_count++] = (struct changed){i, old};
}

static void set_told(struct vpc *v, bool told)
{
	for (size_t c = 0; c < v->interfaces.capacity; c++) {
		struct interface *i = v->interfaces.cells[c].item;

		if (i)
			i->told = told;
	}
}

/* Who was not told by a whole change goes. */
static void take_untold(struct vpc *v, struct work *w)
{
	struct interface **untold = xcalloc(v->interfaces.count + 1, sizeof(*untold));
	size_t count = 0;

	for (size_t c = 0; c < v->interfaces.capacity; c++) {
		struct interface *i = v->interfaces.cells[c].item;

		if (i && !i->told)
			untold[count++] = i;
	}
	for (size_t i = 0; i < count; i++)
		take_interface(v, untold[i]->is->id, w);
	free(untold);
}

/* The rules are in force: what was staged is what is. */
static void adopt(struct vpc *v, struct netfw_change *c, struct work *w)
{
	if (w->everything)
		set_told(v, false);
	if (c->description) {
		w->old = v->is;
		v->is = steal_pointer(&c->description);
	}
	for (size_t i = 0; i < c->count; i++) {
		if (c->staged[i].kind == STAGED_INTERFACE)
			put_interface(v, steal_pointer(&c->staged[i].what), w);
		else if (c->staged[i].kind == STAGED_DROP_INTERFACE)
			take_interface(v, c->staged[i].what, w);
	}
	if (w->everything)
		take_untold(v, w);
}

static int converge_gone(struct vpc *v, const struct work *w, struct ec2fs_error *error)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < w->gone_count; i++) {
		r = interface_disconnect(v, w->gone[i], error);
		if (r == 0)
			r = outside_withdraw(v, w->gone[i], error);
		services_drop_host(v, w->gone[i]->is);
	}
	return r;
}

static int converge_changed(struct vpc *v, const struct changed *c, bool everything,
			    struct ec2fs_error *error)
{
	const struct netfw_interface *is = c->interface->is, *was = c->was;
	int r = 0;

	if (was && (was->address != is->address || memcmp(was->mac, is->mac, sizeof(is->mac)) != 0))
		services_drop_host(v, was);
	if (was && was->address != is->address)
		r = interface_unroute(v, c->interface, was->address, error);
	if (r == 0)
		r = services_host(v, c->interface, error);
	if (r == 0 && !everything)
		r = interface_reconnect(v, c->interface, error);
	if (r == 0 && !everything)
		r = outside_publish(v, c->interface, error);
	return r;
}

/* The kernel gets what v->is and v->interfaces say. */
static int converge(struct vpc *v, const struct work *w, bool described, struct ec2fs_error *error)
{
	const struct netfw_vpc *old = w->everything ? NULL : w->old;
	bool routes = described || w->routers;
	int r = 0;

	if (described)
		r = services_sync(v, error);
	if (r == 0 && described)
		r = routing_set_cidrs(v, old, error);
	if (r == 0)
		r = converge_gone(v, w, error);
	if (r == 0 && described)
		r = outside_sync(v, old, error);
	if (r == 0 && w->everything)
		r = interfaces_sync(v, error);
	for (size_t i = 0; r == 0 && i < w->changed_count; i++) {
		r = converge_changed(v, &w->changed[i], w->everything, error);
		routes |= routing_uses(v, w->changed[i].interface->is->id);
	}
	if (r == 0 && routes)
		r = routing_sync(v, described ? old : v->is, error);
	return r;
}

static int commit(struct vpc *v, struct netfw_change *c, struct ec2fs_error *error)
{
	bool described = c->description, made, listening = false;
	struct work w = {.everything = c->whole || !v->known};
	int r = prepare(v, c, &made, error);

	if (r == 0)
		r = flows_prepare(v, c->description, &listening, error);
	if (r == 0)
		r = commit_rules(v, c, w.everything, error);
	if (r < 0 && listening)
		flows_end(v);
	if (r < 0 && made) {
		vpc_forget(v);
		netns_remove(v->id, v->netfw->mark, NULL);
	}
	if (r < 0)
		return r;
	adopt(v, c, &w);
	if (described)
		flows_settle(v);
	r = converge(v, &w, described, error);
	v->known = r == 0;
	free_work(&w);
	return r;
}

/* The other side of a new peering has its link now, and routes to it. */
static int route_peer(struct netfw *n, const char *id, struct ec2fs_error *error)
{
	struct vpc *v = vpc_acquire(n, id);
	int r = v->known ? routing_sync(v, v->is, error) : 0;

	vpc_release(v);
	return r;
}

int netfw_change_commit(struct netfw_change *c, struct ec2fs_error *error)
{
	struct vpc *v = vpc_acquire(c->netfw, c->vpc);
	int r = commit(v, c, error);
	size_t count = v->joined_count;
	char **joined = steal_pointer(&v->joined);

	v->joined_count = v->joined_capacity = 0;
	vpc_release(v);
	for (size_t i = 0; i < count; i++) {
		if (r == 0)
			r = route_peer(c->netfw, joined[i], error);
		free(joined[i]);
	}
	free(joined);
	netfw_change_cancel(c);
	return r;
}
