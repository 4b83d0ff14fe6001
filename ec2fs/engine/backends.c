/* What is behind zones: what they compute with is opened once for each URI, watched, and asked what
 * is there; disks are opened for those who read them. */
#include "ec2fs/engine/internal.h"

#include "ec2fs/engine/encryption.h"
#include "ec2fs/engine/storage.h"

#include "ec2fs/model/instance.h"
#include "ec2fs/model/storage.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/log.h"
#include "ec2fs/util/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A volume group may appear, a file system be mounted. */
#define STORAGE_RETRY 10000000000LL

int engine_check_compute(const char *uri, struct ec2fs_error *error)
{
	const struct provider_ops *ops = provider_for(uri);

	if (!ops)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "write a libvirt URI such as qemu:///system, or sim");
	return ops->check(uri, error);
}

int engine_check_storage(const char *uri, struct ec2fs_error *error)
{
	const struct volumes_ops *ops = volumes_for(uri);

	if (!ops)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "write file: and a directory, or lvm:, a volume "
				  "group, / and its thin pool");
	return ops->check(uri, error);
}

/* Kicks the zones that the provider serves; their jobs look at everything. */
static void kick_zones(struct engine *e, const char *uri)
{
	struct view v = cloud_read(e->cloud);

	view_each (&v, ROOT_NUMBER, KIND_REGION, region)
		view_each (&v, region->number, KIND_ZONE, zone)
			if (resource_is(zone, "compute", uri))
				queue_kick(e->queue, zone->number);
	cloud_read_end(e->cloud);
}

static void on_machine(void *context, const char *id, enum machine_end end)
{
	struct compute *c = context;
	struct engine *e = c->engine;
	uint64_t number = 0;
	struct view v;

	v = cloud_read(e->cloud);
	{
		const struct resource *r = view_by_id(&v, id);

		if (r)
			number = r->number;
	}
	cloud_read_end(e->cloud);
	if (!number)
		return;
	if (end != MACHINE_END_UNKNOWN) {
		pthread_mutex_lock(&e->lock);
		live_get(e, id)->end = end;
		pthread_mutex_unlock(&e->lock);
	}
	queue_kick(e->queue, number);
}

static void on_disk_kept(void *context, const char *id)
{
	struct compute *c = context;

	pthread_mutex_lock(&c->engine->lock);
	live_get(c->engine, id)->kept = queue_now();
	pthread_mutex_unlock(&c->engine->lock);
	on_machine(context, id, MACHINE_END_UNKNOWN);
}

static void on_link(void *context, bool up)
{
	struct compute *c = context;

	atomic_store(&c->up, up);
	log_info("%s is %s", c->uri, up ? "reached" : "not reachable; retrying");
	kick_zones(c->engine, c->uri);
}

struct compute *engine_compute(struct engine *e, const char *uri, struct ec2fs_error *error)
{
	static const struct provider_events events = {on_machine, on_disk_kept, on_link};
	const struct provider_ops *ops = provider_for(uri);
	struct compute *c = NULL;
	int r;

	if (!ops) {
		ec2fs_fail(error, EC2_InvalidParameterValue, "nothing serves compute %s", uri);
		return NULL;
	}
	pthread_mutex_lock(&e->lock);
	for (size_t i = 0; i < e->compute_count && !c; i++)
		if (strcmp(e->computes[i]->uri, uri) == 0)
			c = e->computes[i];
	if (!c) {
		c = xnew(struct compute);
		c->engine = e;
		c->uri = xstrdup(uri);
		/* Returns at once (provider.h), so the lock is not held across real work. */
		r = ops->open(uri, &events, c, &c->provider, error);
		if (r < 0) {
			free(c->uri);
			free(c);
			c = NULL;
		} else {
			array_reserve(e->computes, e->compute_count, e->compute_capacity);
			e->computes[e->compute_count++] = c;
		}
	}
	pthread_mutex_unlock(&e->lock);
	return c;
}

void engine_close_computes(struct engine *e)
{
	for (size_t i = 0; i < e->compute_count; i++) {
		struct compute *c = e->computes[i];

		c->provider->ops->close(c->provider);
		free(c->uri);
		free(c);
	}
	free(e->computes);
	e->computes = NULL;
	e->compute_count = 0;
}

static void record_capacity(struct view *v, struct resource *r, const void *context)
{
	const struct provider_capacity *c = context;

	set_format(v, r, "@memory", "%" PRIu64, c->memory);
	set_format(v, r, "@vcpus", "%u", c->vcpus);
	unset(v, r, "messages");
	unset(v, r, "@notice");
}

static void record_trouble(struct view *v, struct resource *r, const void *context)
{
	set_text(v, r, "messages", context);
}

struct strays {
	struct engine *engine;
	struct compute *compute;
	char **ids;
	size_t count, capacity;
};

/* A machine of ours that no record wants: what is left of a removal that was cut short. */
static void look_at(void *context, const char *id, enum machine_state state)
{
	struct strays *s = context;
	struct view v = cloud_read(s->engine->cloud);
	const struct resource *r = view_by_id(&v, id);
	enum instance_state is = r ? instance_state(r) : INSTANCE_TERMINATED;
	bool wanted = is != INSTANCE_DRAFT && is != INSTANCE_STOPPED && is != INSTANCE_TERMINATED;

	(void)state;
	cloud_read_end(s->engine->cloud);
	if (wanted)
		return;
	array_reserve(s->ids, s->count, s->capacity);
	s->ids[s->count++] = xstrdup(id);
}

static void remove_strays(struct engine *e, struct compute *c)
{
	struct strays s = {.engine = e, .compute = c};
	struct ec2fs_error error;

	if (c->provider->ops->list(c->provider, cloud_uuid(e->cloud), look_at, &s, &error) < 0)
		log_warning("%s: %s", c->uri, error.message);
	for (size_t i = 0; i < s.count; i++) {
		log_warning("removing the machine %s, which nothing wants", s.ids[i]);
		c->provider->ops->destroy(c->provider, s.ids[i], NULL);
		free(s.ids[i]);
	}
	free(s.ids);
}

void engine_zone_job(struct engine *e, const struct resource *zone)
{
	struct ec2fs_error error = {0};
	struct provider_capacity capacity;
	struct compute *c = engine_compute(e, resource_or(zone, "compute", ""), &error);
	struct view v;

	if (!c || !engine_volumes(e, resource_or(zone, "storage", ""), &error)) {
		if (!resource_is(zone, "messages", error.message))
			engine_record(e, zone->number, record_trouble, error.message);
		queue_kick_at(e->queue, zone->number, queue_now() + STORAGE_RETRY);
		return;
	}
	if (!atomic_load(&c->up)) {
		struct strbuf text cleanup_strbuf = STRBUF_INIT;

		strbuf_addf(&text, "%s is not reachable; retrying", c->uri);
		if (!resource_is(zone, "messages", strbuf_str(&text)) &&
		    resource_get(zone, "@memory"))
			engine_record(e, zone->number, record_trouble, strbuf_str(&text));
		return;
	}
	if (c->provider->ops->capacity(c->provider, &capacity, &error) == 0 &&
	    (resource_u64(zone, "@memory", 0) != capacity.memory ||
	     resource_u64(zone, "@vcpus", 0) != capacity.vcpus ||
	     strcmp(resource_or(zone, "messages", ""), resource_or(zone, "@notice", "")) != 0))
		engine_record(e, zone->number, record_capacity, &capacity);
	storage_tell_zone(e, zone->parent, zone->name);
	remove_strays(e, c);
	v = cloud_read(e->cloud);
	view_each (&v, zone->parent, KIND_INSTANCE, r)
		if (resource_is(r, "availability-zone", zone->name) &&
		    instance_state(r) != INSTANCE_DRAFT && instance_state(r) != INSTANCE_STOPPED)
			queue_kick(e->queue, r->number);
	cloud_read_end(e->cloud);
}

int engine_snapshot_open(struct engine *e, uint64_t number, struct luks **ret_luks, int *ret_fd,
			 uint64_t *ret_size)
{
	cleanup_free char *storage = NULL;
	cleanup_free char *path = NULL;
	cleanup_free char *id = NULL;
	cleanup_free char *key = NULL;
	cleanup_close int fd = -1;
	struct view v = cloud_read(e->cloud);
	const struct resource *r = view_get(&v, number), *zone = NULL;
	struct volumes *volumes;
	uint64_t size = 0;
	int result = 0;

	if (r && resource_is(r, "state", "completed"))
		zone = view_find(&v, r->parent, KIND_ZONE, resource_or(r, "@zone", ""));
	if (zone) {
		storage = xstrdup(resource_or(zone, "storage", ""));
		id = xstrdup(r->id);
		size = snapshot_size(r);
		if (volume_key(r))
			key = xstrdup(volume_key(r));
	}
	cloud_read_end(e->cloud);
	if (key && !ret_luks)
		return -EOPNOTSUPP;
	volumes = storage ? engine_volumes(e, storage, NULL) : NULL;
	if (!volumes || volumes->ops->snapshot_path(volumes, id, &path, ret_size, NULL) < 0)
		return -ENODATA;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (key) {
		result = encryption_open(e, key, fd, ret_luks, NULL);
		*ret_size = size;
	}
	if (result == 0)
		*ret_fd = steal_fd(&fd);
	return result;
}

bool engine_snapshot_blocks(struct engine *e, uint64_t number, uint64_t *ret)
{
	cleanup_free char *storage = NULL;
	cleanup_free char *path = NULL;
	cleanup_free char *id = NULL;
	struct view v = cloud_read(e->cloud);
	const struct resource *r = view_get(&v, number), *zone = NULL;
	struct stat st;

	if (r && resource_is(r, "state", "completed"))
		zone = view_find(&v, r->parent, KIND_ZONE, resource_or(r, "@zone", ""));
	if (zone) {
		storage = xstrdup(resource_or(zone, "storage", ""));
		id = xstrdup(r->id);
	}
	cloud_read_end(e->cloud);
	path = zone ? engine_volume_path(e, storage, id) : NULL;
	if (!path || stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	*ret = (uint64_t)st.st_blocks;
	return true;
}
