/* The job of a snapshot: taken with those of its group, imported, removed. */
#include "ec2fs/engine/storage.h"

#include "ec2fs/engine/encryption.h"
#include "ec2fs/model/instance.h"
#include "ec2fs/model/storage.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/log.h"
#include "ec2fs/util/memory.h"

#include <string.h>

#define SOON (300 * 1000000LL)
#define LATER (5 * 1000000000LL)

/* An instance that has one of the volumes. */
struct writer {
	char id[32];
	uint64_t number;
	struct provider *provider; /* paused by us; NULL: not */
};

/* A group that is to be taken, copied out of the cloud. */
struct group {
	struct volume_snapshot all[SNAPSHOT_GROUP_MAX];
	uint64_t numbers[SNAPSHOT_GROUP_MAX];
	size_t count;
	char *zone;
	uint64_t region;
	struct writer *writers;
	size_t writer_count, writer_capacity;
	char *gone; /* a volume that is not there any more, told */
	uint64_t restarts;
	enum instance_state restarts_state;
};

static void group_free(struct group *g)
{
	for (size_t i = 0; i < g->count; i++) {
		free((char *)g->all[i].id);
		free((char *)g->all[i].volume);
	}
	free(g->writers);
	free(g->zone);
	free(g->gone);
}

static void add_writers(const struct view *v, const struct resource *volume, struct group *g)
{
	view_each_about(v, volume->number, KIND_ATTACHMENT, a)
	{
		const struct resource *instance = attachment_instance(v, a);
		bool known = !instance;
		struct writer *writer;

		for (size_t i = 0; !known && i < g->writer_count; i++)
			known = g->writers[i].number == instance->number;
		if (known)
			continue;
		array_reserve(g->writers, g->writer_count, g->writer_capacity);
		writer = &g->writers[g->writer_count++];
		*writer = (struct writer){.number = instance->number};
		snprintf(writer->id, sizeof(writer->id), "%s", instance->id);
	}
}

/* False: another one's job takes it. */
static bool describe(struct engine *e, const struct resource *r, struct group *g)
{
	const struct resource *all[SNAPSHOT_GROUP_MAX], *restarts;
	struct view v = cloud_read(e->cloud);
	size_t count = snapshot_group(&v, r, all);
	bool ours = count && all[0]->number == r->number;

	if (count && !ours)
		queue_kick(e->queue, all[0]->number);
	restarts = ours ? snapshot_restarts(&v, r) : NULL;
	if (restarts) {
		g->restarts = restarts->number;
		g->restarts_state = instance_state(restarts);
	}
	g->region = r->parent;
	g->zone = xstrdup(resource_or(r, "@zone", ""));
	for (size_t i = 0; ours && i < count; i++) {
		const struct resource *volume = snapshot_volume(&v, all[i]);

		if (!volume && !g->gone)
			g->gone = xstrdup(all[i]->id);
		g->all[i].id = xstrdup(all[i]->id);
		g->all[i].volume = xstrdup(volume ? volume->id : "");
		g->numbers[i] = all[i]->number;
		g->count = i + 1;
		if (volume)
			add_writers(&v, volume, g);
	}
	cloud_read_end(e->cloud);
	return ours;
}

static void record_stop(struct view *v, struct resource *r, const void *context)
{
	struct ec2fs_error error;

	(void)context;
	if (instance_pause_begin(v, r, &error) < 0)
		log_warning("%s runs on while its image is made: %s", r->id, error.message);
}

/* Is the instance that is to be restarted shut down, or will not be? */
static bool await_restart(struct engine *e, struct group *g)
{
	struct view v;
	const struct resource *r;
	bool protected;

	switch (g->restarts ? g->restarts_state : INSTANCE_STOPPED) {
	case INSTANCE_RUNNING:
		engine_record(e, g->restarts, record_stop, NULL);
		v = cloud_read(e->cloud);
		r = view_get(&v, g->restarts);
		protected = r && instance_state(r) == INSTANCE_RUNNING;
		cloud_read_end(e->cloud);
		return protected;
	case INSTANCE_PENDING:
	case INSTANCE_STOPPING:
		return false;
	default:
		return true;
	}
}

/* Who runs the writer, if anything may run; -EAGAIN when nobody can tell. */
static int find_provider(struct engine *e, uint64_t number, struct provider **ret)
{
	cleanup_free char *uri = NULL;
	struct compute *c;
	struct view v = cloud_read(e->cloud);
	const struct resource *r = view_get(&v, number);
	enum instance_state s = r ? instance_state(r) : INSTANCE_TERMINATED;
	const struct resource *zone =
		s == INSTANCE_DRAFT || s == INSTANCE_STOPPED || s == INSTANCE_TERMINATED
			? NULL
			: view_find(&v, r->parent, KIND_ZONE,
				    resource_or(r, "availability-zone", ""));

	if (zone)
		uri = xstrdup(resource_or(zone, "compute", ""));
	cloud_read_end(e->cloud);
	*ret = NULL;
	if (!uri)
		return 0;
	c = engine_compute(e, uri, NULL);
	if (!c || !atomic_load(&c->up))
		return -EAGAIN;
	*ret = c->provider;
	return 0;
}

static void resume(struct engine *e, struct group *g)
{
	struct ec2fs_error error;

	for (size_t i = 0; i < g->writer_count; i++) {
		struct provider *p = g->writers[i].provider;

		if (!p)
			continue;
		if (p->ops->resume(p, g->writers[i].id, &error) < 0)
			log_warning("%s cannot go on yet: %s", g->writers[i].id, error.message);
		storage_hold(e, g->writers[i].id, false);
		/* Its own job looks whether it goes on. */
		queue_kick(e->queue, g->writers[i].number);
	}
}

/* Those that write stand still. -EAGAIN: one of them is just starting. */
static int hold(struct engine *e, struct group *g, struct ec2fs_error *error)
{
	for (size_t i = 0; i < g->writer_count; i++) {
		struct provider *p;
		int r;

		if (storage_machine_is_on_its_way(e, g->writers[i].id))
			return -EAGAIN;
		r = find_provider(e, g->writers[i].number, &p);
		if (r < 0)
			return r;
		if (!p)
			continue;
		storage_hold(e, g->writers[i].id, true);
		r = p->ops->pause(p, g->writers[i].id, error);
		if (r == 0)
			g->writers[i].provider = p;
		else
			storage_hold(e, g->writers[i].id, false);
		/* It has ended. */
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

struct reporting {
	struct engine *engine;
	const struct group *group;
	int told;
};

static void record_progress(struct view *v, struct resource *r, const void *context)
{
	snapshot_saw_progress(v, r, *(const int *)context);
}

static void progress(void *context, int percent)
{
	struct reporting *p = context;

	if (percent < p->told + 20)
		return;
	p->told = percent - percent % 20;
	for (size_t i = 0; i < p->group->count; i++)
		engine_record(p->engine, p->group->numbers[i], record_progress, &p->told);
}

static int take(struct engine *e, struct group *g, struct ec2fs_error *error)
{
	struct volumes *volumes;
	struct reporting reporting = {.engine = e, .group = g};
	const char *ids[SNAPSHOT_GROUP_MAX];
	int r = storage_reach(e, g->region, g->zone, &volumes, error);

	if (r < 0)
		return r;
	if (g->gone)
		return ec2fs_fail(error, EC2_InvalidVolume_NotFound, "the volume of %s is gone",
				  g->gone);
	for (size_t i = 0; i < g->count; i++)
		ids[i] = g->all[i].volume;
	storage_freeze(e, ids, g->count, true);
	if (g->count > volumes->ops->live_snapshots(volumes))
		r = hold(e, g, error);
	if (r == 0)
		r = volumes->ops->snapshot(volumes, g->all, g->count, progress, &reporting, error);
	resume(e, g);
	storage_freeze(e, ids, g->count, false);
	return storage_outcome(volumes, r);
}

struct outcome {
	const struct group *group;
	const struct ec2fs_error *failure; /* NULL: taken */
};

/* All of the group in one change, and the instance that was shut down for it. */
static int record_outcome(struct view *v, void *context, struct ec2fs_error *error)
{
	const struct outcome *o = context;
	const struct resource *r;

	for (size_t i = 0; i < o->group->count; i++) {
		r = view_get(v, o->group->numbers[i]);
		if (r && o->failure)
			snapshot_saw_failure(v, view_edit(v, r), o->failure);
		else if (r)
			snapshot_saw_completed(v, view_edit(v, r));
	}
	r = o->group->restarts ? view_get(v, o->group->restarts) : NULL;
	if (r && instance_is_paused(r)) {
		struct resource *staged = view_edit(v, r);
		struct ec2fs_error why;

		if (instance_pause_end(v, staged, &why) < 0)
			set_format(v, staged, "state-reason", "Server.%s: %s",
				   ec2_code_name(why.code), why.message);
	}
	(void)error;
	return 0;
}

static void take_group(struct engine *e, const struct resource *r)
{
	__attribute__((cleanup(group_free))) struct group g = {0};
	struct ec2fs_error error = {0};
	struct outcome o = {.group = &g};
	int result;

	if (!describe(e, r, &g))
		return;
	if (!await_restart(e, &g)) {
		queue_kick_at(e->queue, r->number, queue_now() + SOON);
		return;
	}
	result = take(e, &g, &error);
	if (result == -EAGAIN && error.number) {
		storage_wait(e, r, &error);
		return;
	}
	/* A machine is just starting, or its provider is not there. */
	if (result == -EAGAIN) {
		queue_kick_at(e->queue, r->number, queue_now() + SOON);
		return;
	}
	if (result < 0) {
		log_warning("%s cannot be taken: %s", r->id, error.message);
		o.failure = &error;
	}
	storage_tell_zone(e, g.region, g.zone);
	if (cloud_change(e->cloud, NULL, record_outcome, &o, NULL) < 0)
		queue_kick_at(e->queue, r->number, queue_now() + LATER);
}

static void record_gone(struct view *v, struct resource *r, const void *context)
{
	(void)context;
	snapshot_saw_gone(v, r);
}

/* Wherever a zone of the region may have got a copy of it. */
static int remove_everywhere(struct engine *e, const struct resource *r, struct ec2fs_error *error)
{
	char **uris = NULL;
	size_t count = 0, capacity = 0;
	struct view v = cloud_read(e->cloud);
	int result = 0;

	view_each (&v, r->parent, KIND_ZONE, zone) {
		array_reserve(uris, count, capacity);
		uris[count++] = xstrdup(resource_or(zone, "storage", ""));
	}
	cloud_read_end(e->cloud);
	for (size_t i = 0; i < count; i++) {
		struct volumes *volumes = engine_volumes(e, uris[i], error);

		if (!volumes)
			result = -EIO;
		else if (volumes->ops->remove_snapshot(volumes, r->id, error) < 0)
			result = -EBUSY;
		free(uris[i]);
	}
	free(uris);
	return result;
}

static void remove_snapshot(struct engine *e, const struct resource *r)
{
	struct ec2fs_error error = {0};
	struct view v = cloud_read(e->cloud);
	bool may_go = snapshot_may_go(&v, r);

	cloud_read_end(e->cloud);
	if (!may_go) {
		queue_kick_at(e->queue, r->number, queue_now() + SOON);
	} else if (remove_everywhere(e, r, &error) < 0) {
		log_warning("%s cannot be removed yet: %s", r->id, error.message);
		queue_kick_at(e->queue, r->number, queue_now() + LATER);
	} else if (engine_record(e, r->number, record_gone, NULL) == 0) {
		live_forget(e, r->id);
		volume_key_forget(e, volume_key(r));
	}
}

bool engine_snapshot_has_job(const struct resource *r)
{
	return resource_is(r, "state", "pending") || storage_is_removed(r);
}

void engine_snapshot_job(struct engine *e, const struct resource *r)
{
	if (resource_is(r, "state", "pending") && snapshot_needs_conversion(r))
		engine_import_job(e, r);
	else if (resource_is(r, "state", "pending") && !resource_get(r, "disk"))
		take_group(e, r);
	else if (storage_is_removed(r))
		remove_snapshot(e, r);
}
