/* The life of the networks: opened, swept, told of what went; and the jobs of their records. */
#include "ec2fs/engine/network_internal.h"

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

struct network *network_new(void)
{
	struct network *n = xnew(struct network);

	pthread_mutex_init(&n->lock, NULL);
	pthread_mutex_init(&n->gone_lock, NULL);
	n->index = network_index_new();
	return n;
}

bool network_takes_taps(const char *compute)
{
	const struct provider_ops *ops = provider_for(compute);

	return ops && ops->takes_taps && ops->takes_taps(compute);
}

bool network_is_plugged(const struct view *v, const struct resource *r)
{
	enum instance_state s = instance_state(r);
	const struct resource *zone =
		view_find(v, r->parent, KIND_ZONE, resource_or(r, "availability-zone", ""));

	return (s == INSTANCE_PENDING || s == INSTANCE_RUNNING || s == INSTANCE_STOPPING) && zone &&
	       network_takes_taps(resource_or(zone, "compute", ""));
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
				used = used ||
				       (instance_vpc(&v, r) == vpc && network_is_plugged(&v, r));
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

int network_open(struct engine *e, const char *compute, struct ec2fs_error *error)
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
	if (!network_vpc_known(e, g->vpc))
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
			if (!compute && network_takes_taps(resource_or(zone, "compute", "")))
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
	r = network_open(e, compute ? compute : "qemu:///system", &error);
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
		result = network_tell_vpc(e, number, &error);
	else if (kind == KIND_SECURITY_GROUP)
		result = network_tell_group(e, number, &error);
	else if (kind == KIND_INSTANCE && network_vpc_of(e, number, &a, &vpc) &&
		 network_vpc_known(e, vpc))
		result = network_tell_interface(e, number, vpc, &error);
	if (result < 0) {
		log_warning("the network does not follow, trying again: %s", error.message);
		queue_kick_at(e->queue, number | NETWORK_JOB, queue_now() + RETRY);
	}
}
