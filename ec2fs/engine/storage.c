/* What volumes, snapshots and instances share: whose back end, who writes, who has to wait. */
#include "ec2fs/engine/storage.h"

#include "ec2fs/engine/machine.h"
#include "ec2fs/model/storage.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/log.h"
#include "ec2fs/util/memory.h"

#include <errno.h>
#include <string.h>

/* What cannot be reached: a disk is mounted, a volume group activated. */
#define TRY_AGAIN (5 * 1000000000LL)

struct volumes *storage_of_zone(struct engine *e, uint64_t region, const char *name,
				struct ec2fs_error *error)
{
	cleanup_free char *storage = NULL;
	struct view v = cloud_read(e->cloud);
	const struct resource *zone = view_find(&v, region, KIND_ZONE, name);

	if (zone)
		storage = xstrdup(resource_or(zone, "storage", ""));
	cloud_read_end(e->cloud);
	if (!storage) {
		ec2fs_fail(error, EC2_InvalidZone_NotFound, "the availability zone %s is gone",
			   name);
		return NULL;
	}
	return engine_volumes(e, storage, error);
}

int storage_reach(struct engine *e, uint64_t region, const char *zone, struct volumes **ret,
		  struct ec2fs_error *error)
{
	struct ec2fs_error why = {0};

	*ret = storage_of_zone(e, region, zone, &why);
	if (*ret)
		return 0;
	if (why.code == EC2_InvalidZone_NotFound)
		return ec2fs_fail(error, why.code, "%s", why.message);
	return ec2fs_fail(error, EC2_Unavailable, "the storage of %s cannot be reached: %s", zone,
			  why.message);
}

int storage_outcome(struct volumes *v, int result)
{
	struct volumes_capacity capacity;

	if (result >= 0 || result == -ENOSPC)
		return result;
	return v->ops->capacity(v, &capacity, NULL) < 0 ? -EAGAIN : result;
}

static void record_waiting(struct view *v, struct resource *r, const void *context)
{
	if (resource_is(r, "state", "creating") || resource_is(r, "state", "pending") ||
	    volume_is_modifying(r))
		set_text(v, r, "state-reason", context);
}

void storage_wait(struct engine *e, const struct resource *r, const struct ec2fs_error *why)
{
	cleanup_free char *story = xasprintf("Server.%s: %s; it is tried again",
					     ec2_code_name(why->code), why->message);

	if (!resource_is(r, "state-reason", story))
		engine_record(e, r->number, record_waiting, story);
	queue_kick_at(e->queue, r->number, queue_now() + TRY_AGAIN);
}

/* Other messages stand: only what was told from here goes. */
static void record_notice(struct view *v, struct resource *r, const void *context)
{
	const char *notice = context;

	if (*notice)
		set_text(v, r, "messages", notice);
	else if (resource_is(r, "messages", resource_or(r, "@notice", "")))
		unset(v, r, "messages");
	if (*notice)
		set_text(v, r, "@notice", notice);
	else
		unset(v, r, "@notice");
}

void storage_tell_zone(struct engine *e, uint64_t region, const char *name)
{
	struct volumes *volumes = storage_of_zone(e, region, name, NULL);
	struct volumes_capacity capacity = {0};
	uint64_t number = 0;
	bool known = true;
	struct view v;
	const struct resource *zone;

	if (!volumes || volumes->ops->capacity(volumes, &capacity, NULL) < 0)
		return;
	v = cloud_read(e->cloud);
	zone = view_find(&v, region, KIND_ZONE, name);
	if (zone) {
		number = zone->number;
		known = strcmp(resource_or(zone, "@notice", ""), capacity.notice) == 0;
	}
	cloud_read_end(e->cloud);
	if (!known)
		engine_record(e, number, record_notice, capacity.notice);
}

void storage_kick_instances(struct engine *e, uint64_t volume)
{
	struct view v = cloud_read(e->cloud);

	view_each_about(&v, volume, KIND_ATTACHMENT, a) queue_kick(e->queue, a->parent);
	cloud_read_end(e->cloud);
}

char *storage_serial(const char *volume_id)
{
	return xasprintf("vol%s", volume_id + strlen("vol-"));
}

bool storage_machine_begins(struct engine *e, const char *instance, const struct machine *m)
{
	bool free_to_go = true;

	pthread_mutex_lock(&e->lock);
	for (size_t i = 0; i < m->volume_count; i++)
		if (live_get(e, m->volume_ids[i])->frozen)
			free_to_go = false;
	live_get(e, instance)->begins = free_to_go;
	pthread_mutex_unlock(&e->lock);
	return free_to_go;
}

void storage_machine_began(struct engine *e, const char *instance)
{
	pthread_mutex_lock(&e->lock);
	live_get(e, instance)->begins = false;
	pthread_mutex_unlock(&e->lock);
}

void storage_freeze(struct engine *e, const char *const *volumes, size_t count, bool on)
{
	pthread_mutex_lock(&e->lock);
	for (size_t i = 0; i < count; i++)
		live_get(e, volumes[i])->frozen += on ? 1 : -1U;
	pthread_mutex_unlock(&e->lock);
}

bool storage_machine_is_on_its_way(struct engine *e, const char *instance)
{
	bool begins;

	pthread_mutex_lock(&e->lock);
	begins = live_get(e, instance)->begins;
	pthread_mutex_unlock(&e->lock);
	return begins;
}

void storage_hold(struct engine *e, const char *instance, bool on)
{
	pthread_mutex_lock(&e->lock);
	live_get(e, instance)->held += on ? 1 : -1U;
	pthread_mutex_unlock(&e->lock);
}

bool storage_is_held(struct engine *e, const char *instance)
{
	bool held;

	pthread_mutex_lock(&e->lock);
	held = live_get(e, instance)->held;
	pthread_mutex_unlock(&e->lock);
	return held;
}

int storage_make_ephemeral(struct machine *m, bool fresh, struct ec2fs_error *error)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < m->store.count; i++) {
		if (fresh)
			r = m->volumes->ops->remove(m->volumes, m->store_ids[i], error);
		if (r == 0)
			r = m->volumes->ops->create(m->volumes, m->store_ids[i], m->store.bytes,
						    NULL, error);
	}
	return r;
}

void storage_remove_ephemeral(struct machine *m)
{
	struct ec2fs_error error;

	for (unsigned i = 0; i < m->store.count; i++)
		if (m->volumes->ops->remove(m->volumes, m->store_ids[i], &error) < 0)
			log_warning("%s: its instance store: %s", m->spec.id, error.message);
}
