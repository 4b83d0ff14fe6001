/* Snapshots: thin volumes that nobody writes to. */
#include "volumes/lvm/internal.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

size_t lvm_live_snapshots(struct volumes *base)
{
	(void)base;
	return 1;
}

static int take(struct lvm_volumes *v, const struct volume_snapshot *s, bool *ret_there,
		struct ec2fs_error *error)
{
	struct lvm_start start = {.id = s->id, .origin = s->volume, .read_only = true};
	struct lvm_known volume;
	int r = lvm_get(v, s->volume, &volume, error);

	if (r < 0)
		return r;
	start.size = volume.size;
	return lvm_begin(v, &start, ret_there, error);
}

/* Removes those that a kill has left, of another instant, unless all are there. */
static int clear(struct lvm_volumes *v, const struct volume_snapshot *snapshots, size_t count,
		 bool *ret_all, struct ec2fs_error *error)
{
	struct lvm_known one;
	size_t there = 0;
	int r = lvm_look(v, NULL, NULL, error);

	for (size_t i = 0; r == 0 && i < count; i++)
		there += lvm_find(v, snapshots[i].id, &one);
	*ret_all = there == count;
	for (size_t i = 0; r == 0 && *ret_all && i < count; i++)
		r = lvm_is_in_pool(v, snapshots[i].id, ret_all, error);
	for (size_t i = 0; r == 0 && there && !*ret_all && i < count; i++)
		if (lvm_find(v, snapshots[i].id, &one))
			r = lvm_remove(&v->base, snapshots[i].id, error);
	return r;
}

int lvm_snapshot(struct volumes *base, const struct volume_snapshot *snapshots, size_t count,
		 volumes_progress_fn *progress, void *context, struct ec2fs_error *error)
{
	struct lvm_volumes *v = lvm_of(base);
	bool there = false;
	size_t taken;
	int r = lvm_ready(v, error);

	(void)progress;
	(void)context;
	/* One alone appears by one command: no need to look. */
	if (r == 0 && count > 1)
		r = clear(v, snapshots, count, &there, error);
	if (r < 0 || (count > 1 && there))
		return r;
	r = lvm_promise(v, 0, error);
	for (taken = 0; r == 0 && taken < count; taken++)
		r = take(v, &snapshots[taken], &there, error);
	if (r == 0)
		return lvm_flush(v, error);
	while (count > 1 && taken-- > 0)
		lvm_remove(base, snapshots[taken].id, NULL);
	return r;
}

int lvm_import(struct volumes *base, const char *id, const char *path, uint64_t size,
	       volumes_progress_fn *progress, void *context, struct ec2fs_error *error)
{
	struct lvm_volumes *v = lvm_of(base);
	struct lvm_start start = {.id = id, .told_size = size, .making = true};
	bool there;
	int r = lvm_ready(v, error);

	if (r == 0)
		r = lvm_promise(v, 0, error);
	if (r < 0)
		return r;
	start.size = lvm_round(v, size);
	r = lvm_begin(v, &start, &there, error);
	if (r < 0 || there)
		return r;
	r = lvm_fill(v, id, path, size, progress, context, error);
	if (r == 0)
		r = lvm_finish(v, id, true, error);
	if (r < 0)
		lvm_remove(base, id, NULL);
	return r;
}

int lvm_remove_snapshot(struct volumes *base, const char *id, struct ec2fs_error *error)
{
	struct ec2fs_error e;
	int r = lvm_remove(base, id, &e);

	if (r == 0)
		return 0;
	return ec2fs_fail_errno(error, e.number,
				e.code == EC2_VolumeInUse ? EC2_IncorrectState : e.code, "%s",
				e.message);
}

int lvm_snapshot_path(struct volumes *base, const char *id, char **ret, uint64_t *ret_size,
		      struct ec2fs_error *error)
{
	struct lvm_volumes *v = lvm_of(base);
	cleanup_free char *name = xasprintf("%s/%s", v->uri.vg, id);
	cleanup_free char *path = lvm_path(base, id);
	struct lvm_known one;
	struct stat st;
	int r = lvm_ready(v, error);

	if (r == 0)
		r = lvm_get(v, id, &one, error);
	if (r == 0 && stat(path, &st) < 0)
		r = lvm_do(v, error, "lvchange", "--quiet", "--activate", "y",
			   "--ignoreactivationskip", name);
	if (r < 0)
		return r;
	*ret = steal_pointer(&path);
	*ret_size = one.size;
	return 0;
}
