/* Volumes as thin logical volumes of LVM: "lvm:VG/POOL". */
#include "volumes/lvm/internal.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

/* Gone with a reboot, like the programs that hold it. */
#define LOCK_DIR "/run/lock"

static int open_pool(const char *uri, const char *owner, bool made, struct volumes **ret,
		     struct ec2fs_error *error)
{
	struct lvm_volumes *v = xnew(struct lvm_volumes);
	int r = lvm_uri_parse(uri, &v->uri, error);

	/* A volume group is there or not. */
	(void)made;
	if (r < 0) {
		free(v);
		return r;
	}
	v->base.ops = &volumes_lvm;
	v->owner = xstrdup(owner);
	v->lock_path = xasprintf(LOCK_DIR "/ec2fs-lvm-%s", owner);
	pthread_mutex_init(&v->setup, NULL);
	pthread_mutex_init(&v->lock, NULL);
	*ret = &v->base;
	return 0;
}

static void close_pool(struct volumes *base)
{
	struct lvm_volumes *v = lvm_of(base);

	for (size_t i = 0; i < v->device_count; i++)
		free(v->devices[i]);
	free(v->devices);
	free(v->known);
	free(v->owner);
	free(v->lock_path);
	pthread_mutex_destroy(&v->setup);
	pthread_mutex_destroy(&v->lock);
	free(v);
}

static bool same_pool(struct volumes *base, struct volumes *other)
{
	return strcmp(lvm_of(base)->uri.vg, lvm_of(other)->uri.vg) == 0 &&
	       strcmp(lvm_of(base)->uri.pool, lvm_of(other)->uri.pool) == 0;
}

static int image_size(const char *image, uint64_t volume, uint64_t *ret, struct ec2fs_error *error)
{
	cleanup_close int fd = open(image, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : volumes_size(fd, ret);

	if (r < 0)
		return ec2fs_fail_errno(error, -r, EC2_InternalError, "%s: %s", image,
					strerror(-r));
	if (*ret > volume)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "the image is bigger than the volume");
	return 0;
}

static int create(struct volumes *base, const char *id, uint64_t size, const char *image,
		  struct ec2fs_error *error)
{
	struct lvm_volumes *v = lvm_of(base);
	struct lvm_start start = {.id = id, .making = image};
	uint64_t bytes = 0;
	bool there;
	int r = lvm_ready(v, error);

	if (r == 0 && image)
		r = image_size(image, size, &bytes, error);
	if (r == 0)
		r = lvm_promise(v, 0, error);
	if (r < 0)
		return r;
	start.size = lvm_round(v, size);
	r = lvm_begin(v, &start, &there, error);
	if (r < 0 || there)
		return r;
	if (!image)
		return lvm_flush(v, error);
	r = lvm_fill(v, id, image, bytes, NULL, NULL, error);
	if (r == 0)
		r = lvm_finish(v, id, false, error);
	if (r < 0)
		lvm_remove(base, id, NULL);
	return r;
}

static int extend(struct lvm_volumes *v, const char *id, uint64_t size, struct ec2fs_error *error)
{
	cleanup_free char *name = xasprintf("%s/%s", v->uri.vg, id);
	cleanup_free char *to = xasprintf("%" PRIu64 "b", size);

	return lvm_do(v, error, "lvextend", "--quiet", "--size", to, name);
}

static int clone_snapshot(struct volumes *base, const char *id, uint64_t size, const char *snapshot,
			  struct ec2fs_error *error)
{
	struct lvm_volumes *v = lvm_of(base);
	struct lvm_start start = {.id = id, .origin = snapshot};
	struct lvm_known from;
	bool there;
	int r = lvm_ready(v, error);

	if (r == 0)
		r = lvm_get(v, snapshot, &from, error);
	if (r < 0)
		return r;
	/* In extents both are what they are. */
	if (lvm_round(v, size) < lvm_round(v, from.size))
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "the snapshot is bigger than the volume");
	r = lvm_promise(v, 0, error);
	if (r < 0)
		return r;
	size = lvm_round(v, size);
	start.size = lvm_round(v, from.size);
	/* Of the same size it appears by one command. */
	start.making = start.size < size;
	r = lvm_begin(v, &start, &there, error);
	if (r < 0 || there)
		return r;
	if (!start.making)
		return lvm_flush(v, error);
	r = extend(v, id, size, error);
	if (r == 0) {
		struct lvm_known one = {.size = size, .making = true};

		memcpy(one.id, id, strlen(id) + 1);
		lvm_remember(v, &one);
		r = lvm_finish(v, id, false, error);
	}
	if (r < 0)
		lvm_remove(base, id, NULL);
	return r;
}

static int resize(struct volumes *base, const char *id, uint64_t size, struct ec2fs_error *error)
{
	struct lvm_volumes *v = lvm_of(base);
	struct lvm_known one;
	int r = lvm_ready(v, error);

	if (r == 0)
		r = lvm_get(v, id, &one, error);
	if (r < 0)
		return r;
	size = lvm_round(v, size);
	if (size < one.size)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "a volume only grows, and this one has %" PRIu64 " bytes",
				  one.size);
	if (size > one.size) {
		r = extend(v, id, size, error);
		if (r < 0)
			return r;
		one.size = size;
		lvm_remember(v, &one);
	}
	return lvm_flush(v, error);
}

/* A block that is not discarded whole stays: the last one, where blocks are no part of an extent.
 */
static int wipe_device(int fd, uint64_t size, uint64_t chunk)
{
	uint64_t all[2] = {0, size};
	uint64_t tail[2] = {size - size % chunk, size % chunk};

	if (ioctl(fd, BLKDISCARD, all) < 0) {
		if (errno != EOPNOTSUPP)
			return -errno;
		tail[0] = 0;
		tail[1] = size;
	}
	if (tail[1] && ioctl(fd, BLKZEROOUT, tail) < 0)
		return -errno;
	return fsync(fd) < 0 ? -errno : 0;
}

static int wipe(struct volumes *base, const char *id, struct ec2fs_error *error)
{
	struct lvm_volumes *v = lvm_of(base);
	cleanup_free char *path = lvm_path(base, id);
	cleanup_close int fd = -1;
	struct lvm_known one;
	uint64_t size;
	int r = lvm_ready(v, error);

	if (r == 0)
		r = lvm_get(v, id, &one, error);
	if (r < 0)
		return r;
	/* O_EXCL: not while it is mounted here. */
	fd = open(path, O_RDWR | O_EXCL | O_CLOEXEC);
	r = fd < 0 ? -errno : volumes_size(fd, &size);
	if (r == 0)
		r = wipe_device(fd, size, v->chunk);
	if (r == -EBUSY)
		return ec2fs_fail(error, EC2_VolumeInUse, "%s is in use", path);
	if (r < 0)
		return ec2fs_fail_errno(error, -r, EC2_InternalError, "wiping %s: %s", path,
					strerror(-r));
	return 0;
}

struct listing {
	struct lvm_volumes *v;
	void (*each)(void *context, const struct volume_found *found);
	void *context;
};

static void tell_one(void *context, const struct lvm_row *row)
{
	struct listing *l = context;
	struct lvm_known one;
	struct volume_found found = {.id = one.id};

	if (!lvm_is_ours(row, l->v->owner, &one) || one.making)
		return;
	found.snapshot = strncmp(one.id, "snap-", strlen("snap-")) == 0;
	found.size = one.size;
	l->each(l->context, &found);
}

static int list(struct volumes *base, void (*each)(void *context, const struct volume_found *found),
		void *context, struct ec2fs_error *error)
{
	struct listing l = {lvm_of(base), each, context};
	int r = lvm_ready(l.v, error);

	return r < 0 ? r : lvm_look(l.v, tell_one, &l, error);
}

const struct volumes_ops volumes_lvm = {
	.name = "lvm",
	.claims = lvm_claims,
	.check = lvm_check,
	.open = open_pool,
	.close = close_pool,
	.same = same_pool,
	.sweep = lvm_sweep,
	.create = create,
	.clone = clone_snapshot,
	.resize = resize,
	.wipe = wipe,
	.remove = lvm_remove,
	.path = lvm_path,
	.live_snapshots = lvm_live_snapshots,
	.snapshot = lvm_snapshot,
	.import = lvm_import,
	.remove_snapshot = lvm_remove_snapshot,
	.snapshot_path = lvm_snapshot_path,
	.list = list,
	.capacity = lvm_capacity,
};
