/* The engine's life: its back ends, its queue, and which job a change of the cloud kicks. */
#include "ec2fs/engine/internal.h"

#include "ec2fs/engine/encryption.h"
#include "ec2fs/engine/network.h"
#include "ec2fs/model/instance.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/log.h"
#include "ec2fs/util/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define WORKERS 12

struct record {
	uint64_t number;
	void (*fn)(struct view *v, struct resource *r, const void *context);
	const void *context;
};

static int record(struct view *v, void *context, struct ec2fs_error *error)
{
	struct record *rec = context;
	const struct resource *r = view_get(v, rec->number);

	(void)error;
	if (r)
		rec->fn(v, view_edit(v, r), rec->context);
	return 0;
}

int engine_record(struct engine *e, uint64_t number,
		  void (*fn)(struct view *v, struct resource *r, const void *context),
		  const void *context)
{
	struct record rec = {number, fn, context};
	struct ec2fs_error error;
	int r = cloud_change(e->cloud, NULL, record, &rec, &error);

	if (r < 0) {
		/* What could not be recorded (a full disk) is found again by looking. */
		log_warning("what happened could not be recorded, trying again: %s", error.message);
		queue_kick_at(e->queue, number, queue_now() + 2000000000LL);
	}
	return r;
}

char *engine_instance_path(struct engine *e, const char *id, const char *file)
{
	return xasprintf("%s/instances/%s%s%s", e->state_dir, id, *file ? "/" : "", file);
}

static void empty_trash(struct engine *e)
{
	for (;;) {
		char *name = NULL;

		pthread_mutex_lock(&e->lock);
		if (e->trash_count)
			name = e->trash[--e->trash_count];
		pthread_mutex_unlock(&e->lock);
		if (!name)
			return;
		blob_remove(e->blobs, name);
		free(name);
	}
}

/* The job of that number, on a worker of the queue. */
static void run_job(void *context, uint64_t number)
{
	struct engine *e = context;
	struct resource *r;
	struct view v;

	if (number & NETWORK_JOB) {
		network_job(e, number & ~NETWORK_JOB);
		return;
	}
	if (number == TRASH_JOB) {
		empty_trash(e);
		return;
	}
	v = cloud_read(e->cloud);
	r = resource_ref((struct resource *)view_get(&v, number));
	cloud_read_end(e->cloud);
	if (!r)
		return;
	switch (r->kind) {
	case KIND_ZONE:
		engine_zone_job(e, r);
		break;
	case KIND_INSTANCE:
		engine_instance_job(e, r);
		break;
	case KIND_IMAGE:
		engine_image_job(e, r);
		break;
	case KIND_VOLUME:
		engine_volume_job(e, r);
		break;
	case KIND_SNAPSHOT:
		engine_snapshot_job(e, r);
		break;
	default:
		break;
	}
	resource_unref(r);
}

static bool differs(const struct resource *was, const struct resource *is, const char *key)
{
	const char *a = was ? resource_get(was, key) : NULL, *b = resource_get(is, key);

	return strcmp(a ? a : "", b ? b : "") != 0;
}

/* Does this change leave something to do? */
static bool needs_job(const struct resource *was, const struct resource *is)
{
	switch (is->kind) {
	case KIND_INSTANCE:
		return differs(was, is, "state") || differs(was, is, "@wanted") ||
		       differs(was, is, "@stop") || differs(was, is, "@reboot");
	case KIND_IMAGE:
		return (differs(was, is, "disk") || differs(was, is, "@kernel-of")) &&
		       engine_image_has_job(is);
	case KIND_VOLUME:
		return (differs(was, is, "state") || differs(was, is, "modification-state")) &&
		       engine_volume_has_job(is);
	case KIND_SNAPSHOT:
		return (differs(was, is, "state") || differs(was, is, "@removed") ||
			differs(was, is, "disk")) &&
		       engine_snapshot_has_job(is);
	case KIND_ZONE:
		return differs(was, is, "compute") || differs(was, is, "storage");
	default:
		return false;
	}
}

static void discard_blob(struct engine *e, const struct resource *was, const struct resource *is,
			 const char *key)
{
	const char *old = resource_get(was, key);

	if (!old || (is && !differs(was, is, key)))
		return;
	pthread_mutex_lock(&e->lock);
	array_reserve(e->trash, e->trash_count, e->trash_capacity);
	e->trash[e->trash_count++] = xasprintf("%.*s", (int)strcspn(old, " "), old);
	pthread_mutex_unlock(&e->lock);
	queue_kick(e->queue, TRASH_JOB);
}

/* The watcher of the cloud: a committed change becomes jobs. */
static void cloud_changed(void *context, const struct cloud_event *events, size_t count)
{
	struct engine *e = context;

	atomic_fetch_add(&e->changes, 1);
	for (size_t i = 0; i < count; i++) {
		const struct resource *was = events[i].was, *is = events[i].is;

		if (was && (was->kind == KIND_IMAGE || was->kind == KIND_SNAPSHOT)) {
			discard_blob(e, was, is, "disk");
			discard_blob(e, was, is, "kernel");
			discard_blob(e, was, is, "ramdisk");
		}
		if (!atomic_load(&e->started))
			continue;
		if (is && needs_job(was, is))
			queue_kick(e->queue, is->number);
		/* What a running machine gets or loses is its instance's to do. */
		if (is && is->kind == KIND_ATTACHMENT &&
		    (differs(was, is, "state") || differs(was, is, "@force")))
			queue_kick(e->queue, is->parent);
		network_changed(e, was, is);
	}
}

static char *read_boot_id(void)
{
	cleanup_file FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	char line[64] = "unknown";

	if (f && fgets(line, sizeof(line), f))
		line[strcspn(line, "\n")] = '\0';
	return xstrdup(line);
}

struct engine *engine_new(struct cloud *cloud, struct blobs *blobs,
			  const struct engine_options *options)
{
	struct engine *e = xnew(struct engine);
	uint64_t life;

	e->cloud = cloud;
	e->blobs = blobs;
	e->state_dir = xstrdup(options->state_dir);
	e->stop_timeout = options->stop_timeout * 1000000000LL;
	e->boot_id = read_boot_id();
	cloud_random(cloud, &life, sizeof(life));
	e->process_id = xasprintf("%016" PRIx64, life);
	pthread_mutex_init(&e->lock, NULL);
	e->network = network_new();
	atomic_init(&e->changes, 1);
	e->queue = queue_new(run_job, e, WORKERS);
	cloud_watch(cloud, cloud_changed, e);
	return e;
}

/* Whatever might have been under way: looking twice does no harm. */
int engine_start(struct engine *e, struct ec2fs_error *error)
{
	static const enum kind kinds[] = {KIND_ZONE, KIND_IMAGE, KIND_VOLUME, KIND_SNAPSHOT,
					  KIND_INSTANCE};
	struct view v;

	(void)error;
	volume_keys_sweep(e);
	v = cloud_read(e->cloud);
	atomic_store(&e->started, true);
	view_each (&v, ROOT_NUMBER, KIND_REGION, region) {
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			view_each (&v, region->number, kinds[i], r) {
				if (r->kind == KIND_VOLUME && !engine_volume_has_job(r))
					continue;
				if (r->kind == KIND_SNAPSHOT && !engine_snapshot_has_job(r))
					continue;
				if (r->kind == KIND_IMAGE && !engine_image_has_job(r))
					continue;
				if (r->kind == KIND_INSTANCE &&
				    (instance_state(r) == INSTANCE_DRAFT ||
				     instance_state(r) == INSTANCE_STOPPED))
					continue;
				queue_kick(e->queue, r->number);
			}
	}
	cloud_read_end(e->cloud);
	queue_kick(e->queue, ROOT_NUMBER | NETWORK_JOB);
	return 0;
}

void engine_stop(struct engine *e)
{
	if (!e)
		return;
	/* Jobs use the back ends, whose events kick the queue. */
	queue_stop(e->queue);
	engine_close_computes(e);
	engine_close_storages(e);
	network_free(e);
	queue_free(e->queue);
	for (size_t i = 0; i < e->live.capacity; i++)
		live_free(e->live.cells[i].item);
	table_free(&e->live);
	for (size_t i = 0; i < e->trash_count; i++)
		free(e->trash[i]);
	free(e->trash);
	free(e->boot_id);
	free(e->process_id);
	free(e->state_dir);
	pthread_mutex_destroy(&e->lock);
	free(e);
}
