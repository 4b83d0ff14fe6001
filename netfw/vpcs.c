/* The VPCs that netfw knows, and their interfaces. */
#include "netfw/internal.h"

#include "ec2fs/util/memory.h"
#include "netfw/describe.h"
#include "netfw/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool same_vpc(const void *item, const void *key)
{
	return strcmp(((const struct vpc *)item)->id, key) == 0;
}

static bool same_interface(const void *item, const void *key)
{
	return strcmp(((const struct interface *)item)->is->id, key) == 0;
}

struct vpc *vpc_acquire(struct netfw *n, const char *id)
{
	uint64_t hash = hash_str(id, 0);
	struct vpc *v;

	pthread_mutex_lock(&n->mutex);
	v = table_find(&n->vpcs, hash, same_vpc, id);
	if (!v) {
		size_t len = strlen(id);

		v = xnew(struct vpc);
		v->netfw = n;
		v->id = xstrdup(id);
		v->ns = (struct netns)NETNS_INIT;
		snprintf(v->edge_link, sizeof(v->edge_link), "igw%s",
			 len > 12 ? id + len - 12 : id);
		pthread_mutex_init(&v->mutex, NULL);
		table_add(&n->vpcs, hash, v);
	}
	v->users++;
	pthread_mutex_unlock(&n->mutex);
	pthread_mutex_lock(&v->mutex);
	return v;
}

void vpc_release(struct vpc *v)
{
	struct netfw *n = v->netfw;
	bool empty = v->ns.fd < 0 && !v->known;

	pthread_mutex_unlock(&v->mutex);
	pthread_mutex_lock(&n->mutex);
	/* With no other user nobody can have filled it since. */
	if (--v->users == 0 && empty)
		table_remove(&n->vpcs, hash_str(v->id, 0), same_vpc, v->id);
	else
		v = NULL;
	pthread_mutex_unlock(&n->mutex);
	if (!v)
		return;
	vpc_forget(v);
	pthread_mutex_destroy(&v->mutex);
	free(v->id);
	free(v);
}

int vpc_open(struct vpc *v, struct ec2fs_error *error)
{
	return v->ns.fd >= 0 ? 0 : netns_open(&v->ns, v->id, v->netfw->mark, error);
}

struct interface *vpc_find(const struct vpc *v, const char *interface)
{
	return table_find(&v->interfaces, hash_str(interface, 0), same_interface, interface);
}

bool vpc_of_interface(struct netfw *n, const char *interface, char id[64])
{
	struct interface *i;

	pthread_mutex_lock(&n->mutex);
	i = table_find(&n->places, hash_str(interface, 0), same_interface, interface);
	if (i)
		snprintf(id, 64, "%s", i->vpc->id);
	pthread_mutex_unlock(&n->mutex);
	return i != NULL;
}

static void note_router(struct vpc *v, struct interface *i)
{
	uint64_t hash = hash_str(i->is->id, 0);

	table_remove(&v->routers, hash, same_interface, i->is->id);
	if (!i->is->source_dest_check)
		table_add(&v->routers, hash, i);
}

struct interface *vpc_put(struct vpc *v, struct netfw_interface *is,
			  struct netfw_interface **ret_old)
{
	struct netfw *n = v->netfw;
	struct interface *i = vpc_find(v, is->id);
	uint64_t hash = hash_str(is->id, 0);

	*ret_old = NULL;
	if (i) {
		*ret_old = i->is;
		pthread_mutex_lock(&n->mutex); /* others compare the ID */
		i->is = is;
		pthread_mutex_unlock(&n->mutex);
	} else {
		i = xnew(struct interface);
		i->vpc = v;
		i->is = is;
		netfw_tap_name(is->id, i->tap);
		table_add(&v->interfaces, hash, i);
		pthread_mutex_lock(&n->mutex);
		table_add(&n->places, hash, i);
		pthread_mutex_unlock(&n->mutex);
	}
	note_router(v, i);
	if (v->flow_logs)
		flow_logs_set_interface(v->flow_logs, is->id, is->address);
	return i;
}

struct interface *vpc_take(struct vpc *v, const char *interface)
{
	struct netfw *n = v->netfw;
	uint64_t hash = hash_str(interface, 0);
	struct interface *i = table_remove(&v->interfaces, hash, same_interface, interface);

	if (!i)
		return NULL;
	table_remove(&v->routers, hash, same_interface, interface);
	if (v->flow_logs)
		flow_logs_drop_interface(v->flow_logs, interface);
	pthread_mutex_lock(&n->mutex);
	if (table_find(&n->places, hash, same_interface, interface) == i)
		table_remove(&n->places, hash, same_interface, interface);
	pthread_mutex_unlock(&n->mutex);
	return i;
}

void interface_free(struct interface *i)
{
	if (!i)
		return;
	describe_free_interface(i->is);
	free(i);
}

static void forget_interfaces(struct vpc *v)
{
	struct netfw *n = v->netfw;

	pthread_mutex_lock(&n->mutex);
	for (size_t c = 0; c < v->interfaces.capacity; c++) {
		struct interface *i = v->interfaces.cells[c].item;

		if (i &&
		    table_find(&n->places, hash_str(i->is->id, 0), same_interface, i->is->id) == i)
			table_remove(&n->places, hash_str(i->is->id, 0), same_interface, i->is->id);
	}
	pthread_mutex_unlock(&n->mutex);
	for (size_t c = 0; c < v->interfaces.capacity; c++)
		interface_free(v->interfaces.cells[c].item);
	table_free(&v->interfaces);
	table_free(&v->routers);
}

void vpc_forget(struct vpc *v)
{
	flows_end(v);
	imds_stop(v->imds);
	dhcp_close(v->dhcp);
	ruleset_free(v->rules);
	v->imds = NULL;
	v->dhcp = NULL;
	v->rules = NULL;
	netns_close(&v->ns);
	forget_interfaces(v);
	describe_free_vpc(v->is);
	v->is = NULL;
	v->known = false;
}
