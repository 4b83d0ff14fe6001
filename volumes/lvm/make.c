/* Making thin volumes, in steps any of which may be the last. */
#include "volumes/lvm/internal.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#define MOST_WORDS 32

uint64_t lvm_round(const struct lvm_volumes *v, uint64_t size)
{
	uint64_t extents = size / v->extent + (size % v->extent != 0);

	return (extents ? extents : 1) * v->extent;
}

char *lvm_path(struct volumes *base, const char *id)
{
	return xasprintf("/dev/%s/%s", lvm_of(base)->uri.vg, id);
}

static int lvcreate(struct lvm_volumes *v, const struct lvm_start *s, struct ec2fs_error *error)
{
	cleanup_free char *owner = xasprintf(LVM_OWNER "%s", v->owner);
	cleanup_free char *id = xasprintf(LVM_ID "%s", s->id);
	cleanup_free char *told = xasprintf(LVM_SIZE "%" PRIu64, s->told_size);
	cleanup_free char *size = xasprintf("%" PRIu64 "b", s->size);
	cleanup_free char *origin = NULL;
	const char *argv[MOST_WORDS] = {"lvcreate", "--quiet", "--yes",    "--name", s->id,
					"--addtag", owner,     "--addtag", id};
	size_t n = 9;

	if (s->making) {
		argv[n++] = "--addtag";
		argv[n++] = LVM_MAKING;
	}
	if (s->told_size) {
		argv[n++] = "--addtag";
		argv[n++] = told;
	}
	if (s->read_only) {
		/* It is not activated by itself: there may be thousands. */
		argv[n++] = "--permission";
		argv[n++] = "r";
		argv[n++] = "--setactivationskip";
		argv[n++] = "y";
	} else if (s->origin) {
		argv[n++] = "--setactivationskip";
		argv[n++] = "n";
	}
	if (s->origin) {
		origin = xasprintf("%s/%s", v->uri.vg, s->origin);
		argv[n++] = "--snapshot";
		argv[n++] = origin;
	} else {
		argv[n++] = "--type";
		argv[n++] = "thin";
		argv[n++] = "--virtualsize";
		argv[n++] = size;
		argv[n++] = "--thinpool";
		argv[n++] = v->uri.pool;
		argv[n++] = v->uri.vg;
	}
	return lvm_run(v, argv, NULL, error);
}

struct sought {
	const char *id;
	bool there;
};

static void see(void *context, const struct lvm_row *row)
{
	struct sought *s = context;

	s->there |= strcmp(lvm_field(row, "lv_name"), s->id) == 0;
}

bool lvm_tells_absence(const struct ec2fs_error *why)
{
	/* The kernel's ENODATA, of a thin device whose number its pool does not know. */
	return strstr(why->message, "No data available") != NULL;
}

int lvm_is_in_pool(struct lvm_volumes *v, const char *id, bool *ret, struct ec2fs_error *error)
{
	cleanup_free char *name = xasprintf("%s/%s", v->uri.vg, id);
	struct ec2fs_error why = {0};
	int r = lvm_do(v, &why, "lvchange", "--quiet", "--activate", "y", "--ignoreactivationskip",
		       name);

	*ret = r == 0;
	if (r == 0 || lvm_tells_absence(&why))
		return 0;
	return ec2fs_fail_errno(error, why.number, why.code, "%s", why.message);
}

/* Why could it not be made? *ret_there: because it is there; 0 without that: it may be tried again.
 */
static int find_out(struct lvm_volumes *v, const char *id, const struct ec2fs_error *why,
		    bool *ret_there, struct ec2fs_error *error)
{
	struct sought s = {.id = id};
	struct lvm_known one;
	int r = lvm_look(v, see, &s, error);

	if (r < 0)
		return r;
	if (!s.there)
		return ec2fs_fail_errno(error, why->number, why->code, "%s", why->message);
	if (!lvm_find(v, id, &one))
		return ec2fs_fail_errno(error, EEXIST, EC2_IncorrectState,
					"the logical volume %s/%s is there and has not this "
					"cloud's tags: it stays as it is",
					v->uri.vg, id);
	r = one.making ? 0 : lvm_is_in_pool(v, id, ret_there, error);
	return r < 0 || *ret_there ? r : lvm_remove(&v->base, id, error);
}

int lvm_begin(struct lvm_volumes *v, const struct lvm_start *s, bool *ret_there,
	      struct ec2fs_error *error)
{
	struct lvm_known one = {.size = s->told_size ? s->told_size : s->size, .making = s->making};
	struct ec2fs_error why;
	int r = 0;

	if (strlen(s->id) >= sizeof(one.id))
		return ec2fs_fail(error, EC2_InvalidParameterValue, "%s is no ID", s->id);
	memcpy(one.id, s->id, strlen(s->id) + 1);
	*ret_there = false;
	/* It is asked what is there only when something is: one program less. */
	for (int i = 0; i < 2; i++) {
		if (lvcreate(v, s, &why) == 0) {
			lvm_remember(v, &one);
			return 0;
		}
		r = find_out(v, s->id, &why, ret_there, error);
		if (r < 0 || *ret_there)
			return r;
	}
	return ec2fs_fail_errno(error, why.number, why.code, "%s", why.message);
}

int lvm_finish(struct lvm_volumes *v, const char *id, bool read_only, struct ec2fs_error *error)
{
	cleanup_free char *name = xasprintf("%s/%s", v->uri.vg, id);
	struct lvm_known one;
	int r = 0;

	if (read_only)
		r = lvm_do(v, error, "lvchange", "--quiet", "--permission", "r",
			   "--setactivationskip", "y", "--deltag", LVM_MAKING, name);
	else
		r = lvm_do(v, error, "lvchange", "--quiet", "--deltag", LVM_MAKING, name);
	if (r == 0)
		r = lvm_flush(v, error);
	if (r == 0 && lvm_find(v, id, &one)) {
		one.making = false;
		lvm_remember(v, &one);
	}
	return r;
}

int lvm_fill(struct lvm_volumes *v, const char *id, const char *path, uint64_t size,
	     volumes_progress_fn *progress, void *context, struct ec2fs_error *error)
{
	cleanup_free char *device = lvm_path(&v->base, id);
	cleanup_close int in = open(path, O_RDONLY | O_CLOEXEC);
	cleanup_close int out = -1;
	uint64_t bytes = size;
	struct stat st;
	int r;

	if (in < 0 || fstat(in, &st) < 0)
		return ec2fs_fail_errno(error, errno, EC2_InternalError, "%s: %s", path,
					strerror(errno));
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_blocks * 512 < bytes)
		bytes = (uint64_t)st.st_blocks * 512;
	r = lvm_promise(v, bytes, error);
	if (r < 0)
		return r;
	out = open(device, O_WRONLY | O_CLOEXEC);
	r = out < 0 ? -errno : volumes_copy(in, out, size, progress, context);
	if (r == 0 && fsync(out) < 0)
		r = -errno;
	lvm_kept(v, bytes);
	if (r == 0)
		return 0;
	/* A full pool's writes fail with EIO, or with this. */
	if (r == -ENOSPC || lvm_promise(v, 0, error) == -ENOSPC)
		return ec2fs_fail(error, EC2_InsufficientVolumeCapacity,
				  "the thin pool %s/%s became full meanwhile", v->uri.vg,
				  v->uri.pool);
	return ec2fs_fail_errno(error, -r, EC2_InternalError, "%s: %s", device, strerror(-r));
}

int lvm_remove(struct volumes *base, const char *id, struct ec2fs_error *error)
{
	struct lvm_volumes *v = lvm_of(base);
	/* Nothing that has not our tag is selected, whatever its name is. */
	cleanup_free char *selected =
		xasprintf("lv_name=\"%s\" && lv_tags=\"" LVM_OWNER "%s\"", id, v->owner);
	int r = lvm_ready(v, error);

	if (r == 0)
		r = lvm_do(v, error, "lvremove", "--quiet", "--yes", "--select", selected,
			   v->uri.vg);
	if (r == 0)
		lvm_forget(v, id);
	return r == 0 ? lvm_flush(v, error) : r;
}
