/* The job of a volume: made, grown, removed; its limits told to who has it. */
#include "ec2fs/engine/storage.h"

#include "ec2fs/engine/encryption.h"
#include "ec2fs/model/instance.h"
#include "ec2fs/model/storage.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/log.h"
#include "ec2fs/util/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#define SOON (500 * 1000000LL)
#define LATER (5 * 1000000000LL)

/* What a volume begins as, copied out of the cloud. */
struct origin {
	char *image;          /* path of a raw file, or NULL */
	char *snapshot;       /* ID, or NULL */
	char *blob;           /* path of an imported snapshot's content, or NULL */
	uint64_t blob_size;   /* bytes */
	bool encrypted;       /* the snapshot is */
	char *home;           /* storage where the snapshot was taken, or NULL */
	uint64_t snapshot_no; /* its number */
};

static void origin_free(struct origin *o)
{
	free(o->image);
	free(o->snapshot);
	free(o->blob);
	free(o->home);
}

static char *path_of_blob(struct engine *e, const char *value)
{
	cleanup_free char *name = xasprintf("%.*s", (int)strcspn(value, " "), value);

	return blob_path(e->blobs, name);
}

static int find_origin(struct engine *e, const struct resource *r, struct origin *ret,
		       struct ec2fs_error *error)
{
	struct view v = cloud_read(e->cloud);
	const struct resource *source, *zone;
	int result = volume_source(&v, r, &source, error);

	if (result == 0 && source && source->kind == KIND_IMAGE) {
		if (resource_get(source, "disk"))
			ret->image = path_of_blob(e, resource_get(source, "disk"));
	} else if (result == 0 && source) {
		ret->snapshot = xstrdup(source->id);
		ret->snapshot_no = source->number;
		ret->encrypted = snapshot_is_encrypted(source);
		zone = view_find(&v, source->parent, KIND_ZONE, resource_or(source, "@zone", ""));
		if (resource_get(source, "disk")) {
			ret->blob = path_of_blob(e, resource_get(source, "disk"));
			ret->blob_size = snapshot_disk_size(source);
		} else if (zone) {
			ret->home = xstrdup(resource_or(zone, "storage", ""));
		}
	}
	cloud_read_end(e->cloud);
	return result;
}

/* Where the snapshot was taken; -EAGAIN when that cannot be reached now. */
static int find_home(struct engine *e, const struct origin *o, struct volumes **ret,
		     struct ec2fs_error *error)
{
	struct ec2fs_error why = {0};

	if (!o->home)
		return ec2fs_fail(error, EC2_InvalidSnapshot_NotFound,
				  "the availability zone where %s was taken is gone", o->snapshot);
	*ret = engine_volumes(e, o->home, &why);
	if (*ret)
		return 0;
	return ec2fs_fail(error, EC2_Unavailable,
			  "the storage of the snapshot cannot be reached: %s", why.message);
}

/* One job at a time makes a snapshot's copy. False: another one does, and kicks this one's when it
 * has ended. */
static bool begin_bringing(struct engine *e, const char *snapshot)
{
	struct live *l;
	bool ours;

	pthread_mutex_lock(&e->lock);
	l = live_get(e, snapshot);
	ours = !l->brought;
	l->brought = true;
	l->awaited |= !ours;
	pthread_mutex_unlock(&e->lock);
	return ours;
}

static void end_bringing(struct engine *e, uint64_t region, const char *snapshot)
{
	struct live *l;
	struct view v;
	bool awaited;

	pthread_mutex_lock(&e->lock);
	l = live_get(e, snapshot);
	awaited = l->awaited;
	l->brought = l->awaited = false;
	pthread_mutex_unlock(&e->lock);
	if (!awaited)
		return;
	v = cloud_read(e->cloud);
	view_each (&v, region, KIND_VOLUME, r)
		if (resource_is(r, "state", "creating") && resource_is(r, "snapshot", snapshot))
			queue_kick(e->queue, r->number);
	cloud_read_end(e->cloud);
}

/* The snapshot is where the volume will be: it was imported, or taken in another zone. *ret_size:
 * its bytes, where they were counted. -EAGAIN and no story: another job is just bringing it. */
static int bring_snapshot(struct engine *e, struct volumes *to, uint64_t region,
			  const struct origin *o, uint64_t *ret_size, struct ec2fs_error *error)
{
	cleanup_free char *taken = NULL;
	uint64_t size = o->blob_size;
	struct volumes *from;
	int r = 0;

	if (!o->blob) {
		r = find_home(e, o, &from, error);
		if (r < 0 || from == to)
			return r;
		r = from->ops->snapshot_path(from, o->snapshot, &taken, ret_size, error);
		size = *ret_size;
	}
	if (r < 0)
		return r;
	if (!begin_bringing(e, o->snapshot))
		return -EAGAIN;
	r = to->ops->import(to, o->snapshot, o->blob ? o->blob : taken, size, NULL, NULL, error);
	end_bringing(e, region, o->snapshot);
	return r;
}

/* What is not encrypted becomes so on its way into the volume. */
static int make_encrypted(struct engine *e, const struct resource *r, struct volumes *volumes,
			  const struct origin *o, struct ec2fs_error *error)
{
	cleanup_free char *path = volumes->ops->path(volumes, r->id);
	cleanup_free char *snapshot = NULL;
	struct encryption_source source = {o->image ? o->image : o->blob, o->blob_size};
	struct volumes *home;
	struct stat st;
	int result = 0;

	if (o->image) {
		if (stat(o->image, &st) < 0)
			return ec2fs_fail_errno(error, errno, EC2_InternalError, "%s: %s", o->image,
						strerror(errno));
		source.size = (uint64_t)st.st_size;
	} else if (o->snapshot && !o->blob) {
		result = find_home(e, o, &home, error);
		if (result == 0)
			result = home->ops->snapshot_path(home, o->snapshot, &snapshot,
							  &source.size, error);
		source.path = snapshot;
	}
	if (result == 0)
		result = volumes->ops->create(volumes, r->id,
					      encryption_held_size(r, volume_size(r)), NULL, error);
	if (result < 0)
		return result;
	result = encryption_make(e, volume_key(r), path, &source, error);
	if (result < 0)
		volumes->ops->remove(volumes, r->id, NULL);
	return result;
}

static bool is_there(struct engine *e, uint64_t number)
{
	struct view v = cloud_read(e->cloud);
	bool there = view_get(&v, number);

	cloud_read_end(e->cloud);
	return there;
}

static int make_from_snapshot(struct engine *e, const struct resource *r, struct volumes *volumes,
			      const struct origin *o, struct ec2fs_error *error)
{
	uint64_t size = encryption_held_size(r, volume_size(r)), least = 0;
	int result = bring_snapshot(e, volumes, r->parent, o, &least, error);

	/* Extents of another volume group may have made it bigger than a volume of that size is. */
	if (result == 0)
		result = volumes->ops->clone(volumes, r->id, size > least ? size : least,
					     o->snapshot, error);
	/* Removed while its copy was brought here, for a volume that was removed too. */
	if (!is_there(e, o->snapshot_no))
		volumes->ops->remove_snapshot(volumes, o->snapshot, NULL);
	return result;
}

static int make(struct engine *e, const struct resource *r, struct ec2fs_error *error)
{
	__attribute__((cleanup(origin_free))) struct origin o = {0};
	struct volumes *volumes;
	int result = storage_reach(e, r->parent, resource_or(r, "availability-zone", ""), &volumes,
				   error);

	if (result == 0)
		result = find_origin(e, r, &o, error);
	if (result < 0)
		return result;
	if (volume_key(r) && !o.encrypted)
		result = make_encrypted(e, r, volumes, &o, error);
	else if (o.snapshot)
		result = make_from_snapshot(e, r, volumes, &o, error);
	else
		result = volumes->ops->create(volumes, r->id, volume_size(r), o.image, error);
	return storage_outcome(volumes, result);
}

static void record_created(struct view *v, struct resource *r, const void *context)
{
	volume_saw_created(v, r, *(const uint64_t *)context);
}

static void record_failure(struct view *v, struct resource *r, const void *context)
{
	volume_saw_failure(v, r, context);
}

static void create(struct engine *e, const struct resource *r)
{
	uint64_t size = volume_size(r);
	struct ec2fs_error error = {0};
	int result = make(e, r, &error);

	if (result == -EAGAIN) {
		if (error.number)
			storage_wait(e, r, &error);
		return;
	}
	if (result < 0) {
		log_warning("%s cannot be made: %s", r->id, error.message);
		engine_record(e, r->number, record_failure, &error);
	} else {
		engine_record(e, r->number, record_created, &size);
	}
	storage_tell_zone(e, r->parent, resource_or(r, "availability-zone", ""));
	storage_kick_instances(e, r->number);
}

static void record_modified(struct view *v, struct resource *r, const void *context)
{
	volume_saw_modified(v, r, *(const uint64_t *)context);
}

static void record_optimized(struct view *v, struct resource *r, const void *context)
{
	(void)context;
	volume_saw_optimized(v, r);
}

static void record_modification_failure(struct view *v, struct resource *r, const void *context)
{
	volume_saw_modification_failure(v, r, context);
}

static void grow(struct engine *e, const struct resource *r)
{
	struct ec2fs_error error = {0};
	struct volumes *volumes;
	uint64_t size = volume_size(r);
	int result = storage_reach(e, r->parent, resource_or(r, "availability-zone", ""), &volumes,
				   &error);

	if (result == 0 && size > volume_made_size(r))
		result =
			volumes->ops->resize(volumes, r->id, encryption_held_size(r, size), &error);
	if (volumes)
		result = storage_outcome(volumes, result);
	if (result == -EAGAIN)
		storage_wait(e, r, &error);
	else if (result < 0)
		engine_record(e, r->number, record_modification_failure, &error);
	else
		engine_record(e, r->number, record_modified, &size);
}

struct user {
	char id[32];
	uint64_t number;
	bool runs, between;
};

/* Machines that have the volume are told its size and what it lets through. */
static void optimize(struct engine *e, const struct resource *r)
{
	cleanup_free char *serial = storage_serial(r->id);
	struct machine_disk disk = {.serial = serial};
	struct user users[32] = {0};
	struct ec2fs_error error = {0};
	struct volume_limits limits;
	size_t count = 0;
	struct view v = cloud_read(e->cloud);
	int result = 0;

	view_each_about(&v, r->number, KIND_ATTACHMENT, a)
	{
		const struct resource *instance = attachment_instance(&v, a);
		enum instance_state s = instance ? instance_state(instance) : INSTANCE_TERMINATED;
		enum attachment_state is = attachment_state(a);

		if (count == sizeof(users) / sizeof(users[0]) || !instance)
			continue;
		snprintf(users[count].id, sizeof(users[count].id), "%s", instance->id);
		users[count].number = instance->number;
		users[count].runs = s == INSTANCE_RUNNING && is == ATTACHMENT_ATTACHED;
		/* It starts, perhaps with what was: it is told once it runs. */
		users[count++].between = s == INSTANCE_PENDING || is == ATTACHMENT_ATTACHING;
	}
	cloud_read_end(e->cloud);
	volume_limits(r, &limits);
	disk.iops = limits.iops;
	disk.burst_iops = limits.burst_iops;
	disk.bytes = limits.bytes;
	disk.burst_bytes = limits.burst_bytes;
	disk.burst_seconds = limits.burst_seconds;
	for (size_t i = 0; result == 0 && i < count; i++) {
		struct provider *p = live_provider(e, users[i].number);

		if (users[i].between)
			result = -EAGAIN;
		/* Its back end cannot be reached, or it has just ended. */
		if (users[i].runs && !p)
			result = -EAGAIN;
		if (!users[i].runs || !p)
			continue;
		result = p->ops->resize_disk(p, users[i].id, serial, volume_made_size(r), &error);
		if (result == 0)
			result = p->ops->set_limits(p, users[i].id, &disk, &error);
		/* It has ended meanwhile. */
		if (result == -ENOENT)
			result = 0;
		if (result < 0)
			log_warning("%s: %s", users[i].id, error.message);
	}
	if (result < 0)
		queue_kick_at(e->queue, r->number, queue_now() + SOON);
	else
		engine_record(e, r->number, record_optimized, NULL);
}

static void record_gone(struct view *v, struct resource *r, const void *context)
{
	(void)context;
	volume_saw_gone(v, r);
}

static void remove_volume(struct engine *e, const struct resource *r)
{
	struct ec2fs_error error = {0};
	struct volumes *volumes;
	struct view v = cloud_read(e->cloud);
	bool may_go = volume_may_go(&v, r);
	bool zone = view_find(&v, r->parent, KIND_ZONE, resource_or(r, "availability-zone", ""));

	cloud_read_end(e->cloud);
	if (!may_go) {
		queue_kick_at(e->queue, r->number, queue_now() + SOON);
		return;
	}
	/* Where its zone is gone nothing can be removed any more. */
	volumes = zone ? storage_of_zone(e, r->parent, resource_or(r, "availability-zone", ""),
					 &error)
		       : NULL;
	if (zone && (!volumes || volumes->ops->remove(volumes, r->id, &error) < 0)) {
		log_warning("%s cannot be removed yet: %s", r->id, error.message);
		queue_kick_at(e->queue, r->number, queue_now() + LATER);
		return;
	}
	live_forget(e, r->id);
	if (engine_record(e, r->number, record_gone, NULL) == 0)
		volume_key_forget(e, volume_key(r));
	if (zone)
		storage_tell_zone(e, r->parent, resource_or(r, "availability-zone", ""));
}

bool engine_volume_has_job(const struct resource *r)
{
	return resource_is(r, "state", "creating") || resource_is(r, "state", "deleting") ||
	       volume_is_modifying(r);
}

void engine_volume_job(struct engine *e, const struct resource *r)
{
	if (resource_is(r, "state", "creating"))
		create(e, r);
	else if (resource_is(r, "state", "deleting"))
		remove_volume(e, r);
	else if (resource_is(r, "modification-state", "modifying"))
		grow(e, r);
	else if (resource_is(r, "modification-state", "optimizing"))
		optimize(e, r);
}
