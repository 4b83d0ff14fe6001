#include "ec2fs/engine/network.h"

#include "ec2fs/engine/network_index.h"
#include "ec2fs/model/instance.h"
#include "ec2fs/model/network.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/log.h"
#include "ec2fs/util/memory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How soon what could not be told to the kernel is tried again. */
#define RETRY (2 * 1000000000LL)

/* A group or VPC that was removed: its record is gone, so this is all that its job has. */
struct gone {
	char *vpc, *group; /* group NULL: the VPC itself */
};

struct network {
	/* Held while netfw is opened and while a VPC is described as a whole, so that a change that
	 * comes meanwhile waits and is told after it. */
	pthread_mutex_t lock;
	struct netfw *netfw;
	bool begun;                  /* only the root's job touches it */
	struct network_index *index; /* has a lock of its own */
	pthread_mutex_t gone_lock;   /* guards what follows; nothing else is taken under it */
	struct gone *gone;
	size_t gone_count, gone_capacity;
};

struct network *network_new(void)
{
	struct network *n = xnew(struct network);

	pthread_mutex_init(&n->lock, NULL);
	pthread_mutex_init(&n->gone_lock, NULL);
	n->index = network_index_new();
	return n;
}

static bool takes_taps(const char *compute)
{
	const struct provider_ops *ops = provider_for(compute);

	return ops && ops->takes_taps && ops->takes_taps(compute);
}

/* Is there a machine, or about to be one, that is plugged into its VPC? Under cloud_read. */
static bool is_plugged(const struct view *v, const struct resource *r)
{
	enum instance_state s = instance_state(r);
	const struct resource *zone =
		view_find(v, r->parent, KIND_ZONE, resource_or(r, "availability-zone", ""));

	return (s == INSTANCE_PENDING || s == INSTANCE_RUNNING || s == INSTANCE_STOPPING) && zone &&
	       takes_taps(resource_or(zone, "compute", ""));
}

/* A VPC without a machine needs no namespace: the next launch makes it again. */
static void remove_idle(struct engine *e)
{
	struct arena a cleanup_arena = ARENA_INIT;
	struct idle {
		const char *id;
		struct idle *next;
	} *all = NULL;
	struct view v = cloud_read(e->cloud);

	view_each (&v, ROOT_NUMBER, KIND_REGION, region)
		view_each (&v, region->number, KIND_VPC, vpc) {
			struct idle *one = arena_alloc(&a, sizeof(*one));
			bool used = false;

			view_each (&v, region->number, KIND_INSTANCE, r)
				used = used || (instance_vpc(&v, r) == vpc && is_plugged(&v, r));
			one->id = arena_copy(&a, vpc->id);
			one->next = used ? NULL : all;
			all = used ? all : one;
		}
	cloud_read_end(e->cloud);
	for (struct idle *i = all; i; i = i->next)
		netfw_vpc_remove(e->network->netfw, i->id, NULL);
}

void network_free(struct engine *e)
{
	struct network *n = e->network;

	if (n->netfw)
		remove_idle(e);
	netfw_close(n->netfw);
	for (size_t i = 0; i < n->gone_count; i++) {
		free(n->gone[i].vpc);
		free(n->gone[i].group);
	}
	free(n->gone);
	pthread_mutex_destroy(&n->lock);
	pthread_mutex_destroy(&n->gone_lock);
	network_index_free(n->index);
	free(n);
}

static int set_pool(struct engine *e, struct ec2fs_error *error)
{
	struct arena a cleanup_arena = ARENA_INIT;
	struct view v = cloud_read(e->cloud);
	struct netfw_cidr *cidrs;
	size_t count;

	count = netfw_of_pool(&v, &a, &cidrs);
	cloud_read_end(e->cloud);
	return netfw_set_pool(e->network->netfw, cidrs, count, error);
}

/* n->lock is held. */
static int open_netfw(struct engine *e, const char *compute, struct ec2fs_error *error)
{
	const struct provider_ops *ops = provider_for(compute);
	cleanup_free char *directory = xasprintf("%s/network", e->state_dir);
	cleanup_close int hypervisor =
		ops && ops->network_namespace ? ops->network_namespace(compute) : -1;
	struct netfw_options options = {.owner = cloud_uuid(e->cloud),
					.directory = directory,
					.hypervisor = hypervisor,
					.facts = network_facts,
					.flow_logged = network_flow_logged,
					.context = e};
	int r;

	if (e->network->netfw)
		return 0;
	r = netfw_open(&options, &e->network->netfw, error);
	if (r == 0)
		r = set_pool(e, error);
	if (r < 0) {
		netfw_close(e->network->netfw);
		e->network->netfw = NULL;
	}
	return r;
}

/* All of a VPC, as its records are now. n->lock is held. */
static int tell_whole(struct engine *e, uint64_t number, struct ec2fs_error *error)
{
	struct network *n = e->network;
	struct arena a cleanup_arena = ARENA_INIT;
	struct netfw_change *change;
	struct netfw_vpc vpc;
	const struct resource *r;
	struct view v = cloud_read(e->cloud);

	r = view_get(&v, number);
	if (!r) {
		cloud_read_end(e->cloud);
		return 0;
	}
	netfw_of_vpc(&v, r, &a, &vpc);
	change = netfw_change_begin(n->netfw, vpc.id, true);
	netfw_change_vpc(change, &vpc);
	view_each (&v, r->parent, KIND_SECURITY_GROUP, group) {
		struct netfw_group g;

		if (security_group_vpc(&v, group) != r)
			continue;
		netfw_of_group(&v, group, &a, &g);
		netfw_change_group(change, &g);
	}
	view_each (&v, r->parent, KIND_INSTANCE, instance) {
		struct netfw_interface i;

		if (instance_vpc(&v, instance) != r || !is_plugged(&v, instance) ||
		    !netfw_of_interface(&v, instance, &a, &i))
			continue;
		netfw_change_interface(change, &i);
		network_index_set(n->index, vpc.id, i.address, instance->number);
	}
	cloud_read_end(e->cloud);
	return netfw_change_commit(change, error);
}

/* The VPC's number, its ID in the arena; 0 when there is none. */
static uint64_t vpc_of(struct engine *e, uint64_t instance, struct arena *a, const char **ret_id)
{
	struct view v = cloud_read(e->cloud);
	const struct resource *r = view_get(&v, instance);
	const struct resource *vpc = r ? instance_vpc(&v, r) : NULL;
	uint64_t number = vpc ? vpc->number : 0;

	*ret_id = vpc ? arena_copy(a, vpc->id) : NULL;
	cloud_read_end(e->cloud);
	return number;
}

static int ensure_vpc(struct engine *e, const char *compute, uint64_t number, const char *id,
		      struct ec2fs_error *error)
{
	int r;

	pthread_mutex_lock(&e->network->lock);
	r = open_netfw(e, compute, error);
	if (r == 0 && !netfw_vpc_known(e->network->netfw, id))
		r = tell_whole(e, number, error);
	pthread_mutex_unlock(&e->network->lock);
	return r;
}

/* Is it described, so that parts of it can be? Waits for a whole description that is under way. */
static bool vpc_known(struct engine *e, const char *id)
{
	bool known;

	pthread_mutex_lock(&e->network->lock);
	known = e->network->netfw && netfw_vpc_known(e->network->netfw, id);
	pthread_mutex_unlock(&e->network->lock);
	return known;
}

static int tell_interface(struct engine *e, uint64_t instance, const char *vpc,
			  struct ec2fs_error *error)
{
	struct arena a cleanup_arena = ARENA_INIT;
	struct netfw_interface i;
	struct netfw_change *change;
	struct view v = cloud_read(e->cloud);
	const struct resource *r = view_get(&v, instance);
	bool there = r && is_plugged(&v, r) && netfw_of_interface(&v, r, &a, &i);

	cloud_read_end(e->cloud);
	if (!there)
		return 0;
	change = netfw_change_begin(e->network->netfw, vpc, false);
	netfw_change_interface(change, &i);
	network_index_set(e->network->index, vpc, i.address, instance);
	return netfw_change_commit(change, error);
}

static int plug(void *context, struct ec2fs_error *error)
{
	const struct machine *m = context;

	return netfw_tap_attach(m->netfw, m->vpc_id, m->interface_id, error);
}

int network_prepare(struct engine *e, const struct resource *r, struct machine *m,
		    struct ec2fs_error *error)
{
	struct arena a cleanup_arena = ARENA_INIT;
	const char *interface = resource_get(r, "network-interface"), *vpc;
	uint64_t number = vpc_of(e, r->number, &a, &vpc);
	int result;

	if (!takes_taps(m->compute->uri))
		return 0;
	if (!number || !interface)
		return ec2fs_fail(error, EC2_InvalidSubnetID_NotFound, "its subnet is gone");
	result = ensure_vpc(e, m->compute->uri, number, vpc, error);
	if (result == 0)
		result = tell_interface(e, r->number, vpc, error);
	if (result == 0 && !m->provider->ops->makes_taps)
		result = netfw_tap_create(e->network->netfw, interface, error);
	if (result < 0)
		return result;
	machine_plug_into(m, e->network->netfw, vpc, interface, plug);
	return 0;
}

int network_watch(struct engine *e, const struct resource *r, struct machine *m,
		  struct ec2fs_error *error)
{
	struct arena a cleanup_arena = ARENA_INIT;
	const char *vpc;
	uint64_t number = vpc_of(e, r->number, &a, &vpc);

	return number && takes_taps(m->compute->uri)
		       ? ensure_vpc(e, m->compute->uri, number, vpc, error)
		       : 0;
}

int network_release(struct engine *e, const struct resource *r, struct machine *m,
		    struct ec2fs_error *error)
{
	struct arena a cleanup_arena = ARENA_INIT;
	const char *interface = resource_get(r, "network-interface"), *vpc;
	uint64_t number = vpc_of(e, r->number, &a, &vpc);
	struct netfw_change *change;
	int result;

	if (!number || !interface || !takes_taps(m->compute->uri))
		return 0;
	result = ensure_vpc(e, m->compute->uri, number, vpc, error);
	if (result < 0)
		return result;
	result = netfw_tap_remove(e->network->netfw, vpc, interface, error);
	if (result < 0)
		return result;
	network_index_drop(e->network->index, vpc, instance_private_ip(r), r->number);
	change = netfw_change_begin(e->network->netfw, vpc, false);
	netfw_change_drop_interface(change, interface);
	return netfw_change_commit(change, error);
}

uint64_t network_instance_at(struct engine *e, const char *vpc, uint32_t address)
{
	return network_index_get(e->network->index, vpc, address);
}

struct netfw *network_interface_of(struct engine *e, uint64_t instance, struct arena *a,
				   const char **ret_vpc, const char **ret_interface)
{
	const struct resource *r;
	struct view v;

	*ret_interface = NULL;
	if (!vpc_of(e, instance, a, ret_vpc) || !vpc_known(e, *ret_vpc))
		return NULL;
	v = cloud_read(e->cloud);
	r = view_get(&v, instance);
	if (r)
		*ret_interface = arena_copy(a, resource_get(r, "network-interface"));
	cloud_read_end(e->cloud);
	return *ret_interface ? e->network->netfw : NULL;
}

void network_forget(struct engine *e, const char *vpc, const char *group)
{
	struct network *n = e->network;

	pthread_mutex_lock(&n->gone_lock);
	array_reserve(n->gone, n->gone_count, n->gone_capacity);
	n->gone[n->gone_count++] = (struct gone){xstrdup(vpc), group ? xstrdup(group) : NULL};
	pthread_mutex_unlock(&n->gone_lock);
	queue_kick(e->queue, ROOT_NUMBER | NETWORK_JOB);
}

static int remove_one(struct engine *e, const struct gone *g, struct ec2fs_error *error)
{
	struct netfw_change *change;
	int r = 0;

	if (!g->group) {
		if (e->network->netfw)
			r = netfw_vpc_remove(e->network->netfw, g->vpc, error);
		network_forget_flow_log(e, g->vpc);
		return r;
	}
	if (!e->network->netfw)
		return 0;
	if (!vpc_known(e, g->vpc))
		return 0;
	change = netfw_change_begin(e->network->netfw, g->vpc, false);
	netfw_change_drop_group(change, g->group);
	return netfw_change_commit(change, error);
}

static void remove_gone(struct engine *e)
{
	struct network *n = e->network;
	struct ec2fs_error error = {0};
	struct gone g;

	for (;;) {
		pthread_mutex_lock(&n->gone_lock);
		g = n->gone_count ? n->gone[--n->gone_count] : (struct gone){0};
		pthread_mutex_unlock(&n->gone_lock);
		if (!g.vpc)
			return;
		if (remove_one(e, &g, &error) < 0)
			log_warning("%s: %s", g.vpc, error.message);
		free(g.vpc);
		free(g.group);
	}
}

static int tell_vpc(struct engine *e, uint64_t number, struct ec2fs_error *error)
{
	struct arena a cleanup_arena = ARENA_INIT;
	struct netfw_change *change;
	struct netfw_vpc vpc;
	struct view v = cloud_read(e->cloud);
	const struct resource *r = view_get(&v, number);

	if (r)
		netfw_of_vpc(&v, r, &a, &vpc);
	cloud_read_end(e->cloud);
	if (!r || !vpc_known(e, vpc.id))
		return 0;
	change = netfw_change_begin(e->network->netfw, vpc.id, false);
	netfw_change_vpc(change, &vpc);
	return netfw_change_commit(change, error);
}

static int tell_group(struct engine *e, uint64_t number, struct ec2fs_error *error)
{
	struct arena a cleanup_arena = ARENA_INIT;
	struct netfw_change *change;
	struct netfw_group group;
	const char *vpc_id = NULL;
	struct view v = cloud_read(e->cloud);
	const struct resource *r = view_get(&v, number);
	const struct resource *vpc = r ? security_group_vpc(&v, r) : NULL;

	if (vpc) {
		vpc_id = arena_copy(&a, vpc->id);
		netfw_of_group(&v, r, &a, &group);
	}
	cloud_read_end(e->cloud);
	if (!vpc_id || !vpc_known(e, vpc_id))
		return 0;
	change = netfw_change_begin(e->network->netfw, vpc_id, false);
	netfw_change_group(change, &group);
	return netfw_change_commit(change, error);
}

/* VPCs that a removal left behind when it was cut short. */
static void look_at(void *context, const char *id)
{
	struct engine *e = context;
	struct view v = cloud_read(e->cloud);
	bool wanted = view_by_id(&v, id);

	cloud_read_end(e->cloud);
	if (!wanted)
		network_forget(e, id, NULL);
}

/* The back end of a zone whose machines are plugged into taps; NULL when there is none. To be
 * freed. */
static char *any_compute(struct engine *e)
{
	char *compute = NULL;
	struct view v = cloud_read(e->cloud);

	view_each (&v, ROOT_NUMBER, KIND_REGION, region)
		view_each (&v, region->number, KIND_ZONE, zone)
			if (!compute && takes_taps(resource_or(zone, "compute", "")))
				compute = xstrdup(resource_get(zone, "compute"));
	cloud_read_end(e->cloud);
	return compute;
}

/* After a start of the daemon: what nothing wants any more goes. */
static void begin(struct engine *e)
{
	cleanup_free char *directory = xasprintf("%s/network", e->state_dir);
	cleanup_free char *compute = any_compute(e);
	struct ec2fs_error error = {0};
	int r;

	if (access(directory, F_OK) < 0)
		return;
	network_sweep_flow_logs(e);
	pthread_mutex_lock(&e->network->lock);
	r = open_netfw(e, compute ? compute : "qemu:///system", &error);
	pthread_mutex_unlock(&e->network->lock);
	if (r == 0)
		r = netfw_vpc_list(e->network->netfw, look_at, e, &error);
	if (r < 0)
		log_warning("networks: %s", error.message);
}

static int tell_root(struct engine *e, struct ec2fs_error *error)
{
	if (!e->network->begun)
		begin(e);
	e->network->begun = true;
	remove_gone(e);
	return e->network->netfw ? set_pool(e, error) : 0;
}

void network_job(struct engine *e, uint64_t number)
{
	struct arena a cleanup_arena = ARENA_INIT;
	struct ec2fs_error error = {0};
	enum kind kind = KIND_COUNT;
	const char *vpc = NULL;
	const struct resource *r;
	struct view v = cloud_read(e->cloud);
	int result = 0;

	r = view_get(&v, number);
	if (r)
		kind = r->kind;
	cloud_read_end(e->cloud);
	if (kind == KIND_ROOT)
		result = tell_root(e, &error);
	else if (kind == KIND_VPC)
		result = tell_vpc(e, number, &error);
	else if (kind == KIND_SECURITY_GROUP)
		result = tell_group(e, number, &error);
	else if (kind == KIND_INSTANCE && vpc_of(e, number, &a, &vpc) && vpc_known(e, vpc))
		result = tell_interface(e, number, vpc, &error);
	if (result < 0) {
		log_warning("the network does not follow, trying again: %s", error.message);
		queue_kick_at(e->queue, number | NETWORK_JOB, queue_now() + RETRY);
	}
}
