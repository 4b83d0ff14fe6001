/* What zones store with: opened once, however many zones name it and in whatever spelling. */
#include "ec2fs/engine/internal.h"

#include "ec2fs/engine/storage.h"
#include "ec2fs/model/storage.h"
#include "ec2fs/util/memory.h"

#include <stdlib.h>
#include <string.h>

static struct storage *find_named(struct engine *e, const char *uri)
{
	for (size_t i = 0; i < e->storage_count; i++)
		if (strcmp(e->storages[i]->uri, uri) == 0)
			return e->storages[i];
	return NULL;
}

/* The first that is the same under another name. Two that sweep would each take for half made what
 * the other is making. */
static struct storage *find_same(struct engine *e, struct volumes *v)
{
	for (size_t i = 0; i < e->storage_count; i++) {
		struct storage *s = e->storages[i];

		if (s->first == s && s->volumes->ops == v->ops && v->ops->same(s->volumes, v))
			return s;
	}
	return NULL;
}

static bool is_in_zone(const struct resource *r, const struct resource *zone)
{
	if (r->kind == KIND_VOLUME)
		return volume_made_size(r) && resource_is(r, "availability-zone", zone->name);
	return resource_is(r, "state", "completed") && !resource_get(r, "disk") &&
	       resource_is(r, "@zone", zone->name);
}

/* Is there anything that must be in it? */
static bool has_made(struct engine *e, const char *uri)
{
	static const enum kind kinds[] = {KIND_VOLUME, KIND_SNAPSHOT};
	struct view v = cloud_read(e->cloud);
	bool made = false;

	view_each (&v, ROOT_NUMBER, KIND_REGION, region)
		view_each (&v, region->number, KIND_ZONE, zone)
			for (size_t i = 0; i < 2 && resource_is(zone, "storage", uri); i++)
				view_each (&v, region->number, kinds[i], r)
					made |= is_in_zone(r, zone);
	cloud_read_end(e->cloud);
	return made;
}

/* Opened when first asked for, which takes no time. made: it has volumes. */
static struct storage *open_once(struct engine *e, const char *uri, bool made,
				 struct ec2fs_error *error)
{
	const struct volumes_ops *ops = volumes_for(uri);
	struct storage *s;
	struct volumes *v;

	if (!ops) {
		ec2fs_fail(error, EC2_InvalidParameterValue, "nothing serves storage %s", uri);
		return NULL;
	}
	pthread_mutex_lock(&e->lock);
	s = find_named(e, uri);
	if (!s && ops->open(uri, cloud_uuid(e->cloud), made, &v, error) == 0) {
		s = xnew(struct storage);
		s->uri = xstrdup(uri);
		s->volumes = v;
		s->first = find_same(e, v);
		if (!s->first)
			s->first = s;
		pthread_mutex_init(&s->sweeping, NULL);
		array_reserve(e->storages, e->storage_count, e->storage_capacity);
		e->storages[e->storage_count++] = s;
	}
	pthread_mutex_unlock(&e->lock);
	return s;
}

/* Who asks does not hold the cloud's index. */
static struct storage *storage_of(struct engine *e, const char *uri, struct ec2fs_error *error)
{
	struct storage *s;

	pthread_mutex_lock(&e->lock);
	s = find_named(e, uri);
	pthread_mutex_unlock(&e->lock);
	return s ? s : open_once(e, uri, has_made(e, uri), error);
}

/* Half-made volumes go before the first new one comes. The spelling that it succeeds with is used
 * from then on: one may say more than another, such as of which disk a pool is to be made. */
static int sweep(struct engine *e, struct storage *s, struct ec2fs_error *error)
{
	struct storage *first = s->first;
	int r;

	if (first->swept)
		return 0;
	r = s->volumes->ops->sweep(s->volumes, error);
	if (r < 0)
		return r;
	if (s != first) {
		struct volumes *v = s->volumes;

		pthread_mutex_lock(&e->lock);
		s->volumes = first->volumes;
		first->volumes = v;
		pthread_mutex_unlock(&e->lock);
	}
	storage_remove_strays(e, first->volumes);
	first->swept = true;
	return 0;
}

struct volumes *engine_volumes(struct engine *e, const char *uri, struct ec2fs_error *error)
{
	struct storage *s = storage_of(e, uri, error);
	struct volumes *v = NULL;

	if (!s)
		return NULL;
	/* Who comes meanwhile waits. */
	pthread_mutex_lock(&s->first->sweeping);
	if (sweep(e, s, error) == 0)
		v = s->first->volumes;
	pthread_mutex_unlock(&s->first->sweeping);
	return v;
}

char *engine_volume_path(struct engine *e, const char *uri, const char *id)
{
	struct storage *s = open_once(e, uri, true, NULL);
	char *path;

	if (!s)
		return NULL;
	pthread_mutex_lock(&e->lock);
	path = s->volumes->ops->path(s->volumes, id);
	pthread_mutex_unlock(&e->lock);
	return path;
}

void engine_storage(struct engine *e, char *const *uris, size_t count, uint64_t *total,
		    uint64_t *available)
{
	struct volumes **asked = xcalloc(count, sizeof(*asked));

	*total = *available = 0;
	for (size_t i = 0; i < count; i++) {
		struct volumes_capacity capacity = {0};
		bool again = false;

		asked[i] = engine_volumes(e, uris[i], NULL);
		for (size_t j = 0; j < i; j++)
			again |= asked[j] == asked[i];
		if (!asked[i] || again || asked[i]->ops->capacity(asked[i], &capacity, NULL) < 0)
			continue;
		*total += capacity.total;
		*available += capacity.available;
	}
	free(asked);
}

void engine_close_storages(struct engine *e)
{
	for (size_t i = 0; i < e->storage_count; i++) {
		struct storage *s = e->storages[i];

		s->volumes->ops->close(s->volumes);
		pthread_mutex_destroy(&s->sweeping);
		free(s->uri);
		free(s);
	}
	free(e->storages);
	e->storages = NULL;
	e->storage_count = 0;
}
