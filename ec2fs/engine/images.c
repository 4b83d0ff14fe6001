/* Imports: a qcow2 becomes raw once, so that a launch copies or clones and never converts. */
#include "ec2fs/engine/internal.h"

#include "ec2fs/model/instance.h"
#include "ec2fs/model/storage.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

int engine_inspect_disk(int fd, char **ret_value, struct ec2fs_error *error)
{
	struct disk_info info;
	int r = disk_probe(fd, &info, error);

	if (r == 0)
		*ret_value = xasprintf("%s %" PRIu64, info.format == DISK_QCOW2 ? "qcow2" : "raw",
				       info.virtual_size);
	return r;
}

/* Each tenth of the way is recorded: a record is an fsync. */
#define REPORT_EVERY 10

struct import {
	struct engine *engine;
	uint64_t number;
	int reported;
};

static void record_progress(struct view *v, struct resource *r, const void *context)
{
	if (!image_needs_conversion(r))
		return;
	set_format(v, r, "progress", "%d%%", *(const int *)context);
}

static void progress(void *context, int percent)
{
	struct import *i = context;

	if (percent < i->reported + REPORT_EVERY)
		return;
	i->reported = percent - percent % REPORT_EVERY;
	engine_record(i->engine, i->number, record_progress, &i->reported);
}

struct outcome {
	const char *source; /* what was converted: the field's value then */
	const char *value;
	const struct ec2fs_error *error;
};

static void record_outcome(struct view *v, struct resource *r, const void *context)
{
	const struct outcome *o = context;

	/* Another disk may have been written meanwhile; its own job follows. */
	if (!resource_is(r, "disk", o->source))
		return;
	if (r->kind == KIND_SNAPSHOT && o->value)
		snapshot_imported(v, r, o->value);
	else if (r->kind == KIND_SNAPSHOT)
		snapshot_saw_failure(v, r, o->error);
	else if (o->value)
		image_imported(v, r, o->value);
	else
		image_import_failed(v, r, o->error);
}

/* The raw file takes the place of a temporary blob and becomes one. */
static int convert(struct engine *e, struct import *i, const char *from, char **ret_name,
		   uint64_t *ret_size, struct ec2fs_error *error)
{
	cleanup_free char *name = NULL;
	cleanup_free char *to = NULL;
	cleanup_close int fd = -1;
	struct stat st;
	int r = blob_begin(e->blobs, &fd, &name, error);

	if (r < 0)
		return r;
	to = blob_temporary_path(e->blobs, name);
	r = disk_convert(from, to, progress, i, error);
	if (r == 0) {
		close(steal_fd(&fd));
		fd = open(to, O_RDWR | O_CLOEXEC);
		if (fd < 0 || fchmod(fd, 0644) < 0 || fstat(fd, &st) < 0)
			r = ec2fs_fail_errno(error, errno, EC2_InternalError, "%s: %s", to,
					     strerror(errno));
	}
	if (r == 0)
		r = blob_finish(e->blobs, fd, name, error);
	if (r < 0) {
		blob_abandon(e->blobs, name);
		return r;
	}
	*ret_size = (uint64_t)st.st_size;
	*ret_name = steal_pointer(&name);
	return 0;
}

void engine_import_job(struct engine *e, const struct resource *r)
{
	const char *source = resource_or(r, "disk", "");
	struct import i = {.engine = e, .number = r->number};
	cleanup_free char *blob = xasprintf("%.*s", (int)strcspn(source, " "), source);
	cleanup_free char *from = blob_path(e->blobs, blob);
	cleanup_free char *name = NULL;
	cleanup_free char *value = NULL;
	struct ec2fs_error error = {0};
	struct outcome o = {.source = source, .error = &error};
	uint64_t size;

	if (!image_needs_conversion(r))
		return;
	if (convert(e, &i, from, &name, &size, &error) == 0) {
		value = xasprintf("%s %" PRIu64 " raw %" PRIu64, name, size, size);
		o.value = value;
	}
	engine_record(e, r->number, record_outcome, &o);
}

/* An instance's own kernel or ramdisk as a blob: *ret is the field's value, NULL where it has none.
 */
static int own_blob(struct engine *e, const char *instance, const char *file, char **ret,
		    struct ec2fs_error *error)
{
	cleanup_free char *from = engine_instance_path(e, instance, file);
	cleanup_free char *name = NULL;
	cleanup_close int in = open(from, O_RDONLY | O_CLOEXEC);
	cleanup_close int out = -1;
	struct stat st;
	int r;

	if (in < 0)
		return errno == ENOENT ? 0
				       : ec2fs_fail_errno(error, errno, EC2_InternalError, "%s: %s",
							  from, strerror(errno));
	r = blob_begin(e->blobs, &out, &name, error);
	if (r < 0)
		return r;
	if (fstat(in, &st) < 0)
		r = -errno;
	else
		r = volumes_copy(in, out, (uint64_t)st.st_size, NULL, NULL);
	if (r < 0)
		ec2fs_fail_errno(error, -r, EC2_InternalError, "%s: %s", from, strerror(-r));
	else
		r = blob_finish(e->blobs, out, name, error);
	if (r < 0) {
		blob_abandon(e->blobs, name);
		return r;
	}
	*ret = xasprintf("%s %jd", name, (intmax_t)st.st_size);
	return 0;
}

struct kernel {
	const char *kernel, *ramdisk;
};

static void record_kernel(struct view *v, struct resource *r, const void *context)
{
	const struct kernel *k = context;

	image_saw_kernel(v, r, k->kernel, k->ramdisk);
}

static void record_no_kernel(struct view *v, struct resource *r, const void *context)
{
	image_import_failed(v, r, context);
}

static void copy_kernel(struct engine *e, const struct resource *r)
{
	cleanup_free char *instance = xstrdup(resource_or(r, "@kernel-of", ""));
	cleanup_free char *kernel = NULL;
	cleanup_free char *ramdisk = NULL;
	struct ec2fs_error error = {0};
	int result = own_blob(e, instance, "kernel", &kernel, &error);

	if (result == 0)
		result = own_blob(e, instance, "ramdisk", &ramdisk, &error);
	if (result == 0 && !kernel)
		result = ec2fs_fail(&error, EC2_InvalidInstanceID_NotFound,
				    "the instance %s, whose kernel it boots, is gone", instance);
	if (result < 0)
		engine_record(e, r->number, record_no_kernel, &error);
	else
		engine_record(e, r->number, record_kernel, &(struct kernel){kernel, ramdisk});
}

bool engine_image_has_job(const struct resource *r)
{
	return image_needs_conversion(r) || image_wants_kernel(r);
}

void engine_image_job(struct engine *e, const struct resource *r)
{
	if (image_wants_kernel(r))
		copy_kernel(e, r);
	else
		engine_import_job(e, r);
}
