/* A machine's place in its VPC, while it starts, runs and ends. */
#include "ec2fs/engine/network_internal.h"

#include "ec2fs/engine/network_index.h"
#include "ec2fs/model/instance.h"
#include "ec2fs/model/network.h"

uint64_t network_vpc_of(struct engine *e, uint64_t instance, struct arena *a, const char **ret_id)
{
	struct view v = cloud_read(e->cloud);
	const struct resource *r = view_get(&v, instance);
	const struct resource *vpc = r ? instance_vpc(&v, r) : NULL;
	uint64_t number = vpc ? vpc->number : 0;

	*ret_id = vpc ? arena_copy(a, vpc->id) : NULL;
	cloud_read_end(e->cloud);
	return number;
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
	uint64_t number = network_vpc_of(e, r->number, &a, &vpc);
	int result;

	if (!network_takes_taps(m->compute->uri))
		return 0;
	if (!number || !interface)
		return ec2fs_fail(error, EC2_InvalidSubnetID_NotFound, "its subnet is gone");
	result = network_ensure_vpc(e, m->compute->uri, number, vpc, error);
	if (result == 0)
		result = network_tell_interface(e, r->number, vpc, error);
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
	uint64_t number = network_vpc_of(e, r->number, &a, &vpc);

	return number && network_takes_taps(m->compute->uri)
		       ? network_ensure_vpc(e, m->compute->uri, number, vpc, error)
		       : 0;
}

int network_release(struct engine *e, const struct resource *r, struct machine *m,
		    struct ec2fs_error *error)
{
	struct arena a cleanup_arena = ARENA_INIT;
	const char *interface = resource_get(r, "network-interface"), *vpc;
	uint64_t number = network_vpc_of(e, r->number, &a, &vpc);
	struct netfw_change *change;
	int result;

	if (!number || !interface || !network_takes_taps(m->compute->uri))
		return 0;
	result = network_ensure_vpc(e, m->compute->uri, number, vpc, error);
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
	if (!network_vpc_of(e, instance, a, ret_vpc) || !network_vpc_known(e, *ret_vpc))
		return NULL;
	v = cloud_read(e->cloud);
	r = view_get(&v, instance);
	if (r)
		*ret_interface = arena_copy(a, resource_get(r, "network-interface"));
	cloud_read_end(e->cloud);
	return *ret_interface ? e->network->netfw : NULL;
}
