/* Tells netfw of records: a VPC as a whole, or what of it changed. */
#include "ec2fs/engine/network_internal.h"

#include "ec2fs/engine/network_index.h"
#include "ec2fs/model/instance.h"
#include "ec2fs/model/network.h"

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

		if (instance_vpc(&v, instance) != r || !network_is_plugged(&v, instance) ||
		    !netfw_of_interface(&v, instance, &a, &i))
			continue;
		netfw_change_interface(change, &i);
		network_index_set(n->index, vpc.id, i.address, instance->number);
	}
	cloud_read_end(e->cloud);
	return netfw_change_commit(change, error);
}

int network_ensure_vpc(struct engine *e, const char *compute, uint64_t number, const char *id,
		       struct ec2fs_error *error)
{
	int r;

	pthread_mutex_lock(&e->network->lock);
	r = network_open(e, compute, error);
	if (r == 0 && !netfw_vpc_known(e->network->netfw, id))
		r = tell_whole(e, number, error);
	pthread_mutex_unlock(&e->network->lock);
	return r;
}

bool network_vpc_known(struct engine *e, const char *id)
{
	bool known;

	pthread_mutex_lock(&e->network->lock);
	known = e->network->netfw && netfw_vpc_known(e->network->netfw, id);
	pthread_mutex_unlock(&e->network->lock);
	return known;
}

int network_tell_interface(struct engine *e, uint64_t instance, const char *vpc,
			   struct ec2fs_error *error)
{
	struct arena a cleanup_arena = ARENA_INIT;
	struct netfw_interface i;
	struct netfw_change *change;
	struct view v = cloud_read(e->cloud);
	const struct resource *r = view_get(&v, instance);
	bool there = r && network_is_plugged(&v, r) && netfw_of_interface(&v, r, &a, &i);

	cloud_read_end(e->cloud);
	if (!there)
		return 0;
	change = netfw_change_begin(e->network->netfw, vpc, false);
	netfw_change_interface(change, &i);
	network_index_set(e->network->index, vpc, i.address, instance);
	return netfw_change_commit(change, error);
}

int network_tell_vpc(struct engine *e, uint64_t number, struct ec2fs_error *error)
{
	struct arena a cleanup_arena = ARENA_INIT;
	struct netfw_change *change;
	struct netfw_vpc vpc;
	struct view v = cloud_read(e->cloud);
	const struct resource *r = view_get(&v, number);

	if (r)
		netfw_of_vpc(&v, r, &a, &vpc);
	cloud_read_end(e->cloud);
	if (!r || !network_vpc_known(e, vpc.id))
		return 0;
	change = netfw_change_begin(e->network->netfw, vpc.id, false);
	netfw_change_vpc(change, &vpc);
	return netfw_change_commit(change, error);
}

int network_tell_group(struct engine *e, uint64_t number, struct ec2fs_error *error)
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
	if (!vpc_id || !network_vpc_known(e, vpc_id))
		return 0;
	change = netfw_change_begin(e->network->netfw, vpc_id, false);
	netfw_change_group(change, &group);
	return netfw_change_commit(change, error);
}
