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
	if (image_needs_conversion(r))
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
	if (o->value)
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

void engine_image_job(struct engine *e, const struct resource *r)
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

static int remove_record(struct view *v, void *context, struct ec2fs_error *error)
{
	const struct resource *r = view_get(v, *(const uint64_t *)context);

	(void)error;
	if (r)
		volume_saw_gone(v, view_edit(v, r));
	return 0;
}

void engine_volume_job(struct engine *e, const struct resource *r)
{
	cleanup_free char *storage = NULL;
	struct ec2fs_error error = {0};
	uint64_t number = r->number;
	struct volumes *volumes;
	struct view v;

	if (!resource_is(r, "state", "deleting"))
		return;
	v = cloud_read(e->cloud);
	{
		const struct resource *zone = view_find(&v, r->parent, KIND_ZONE,
							resource_or(r, "availability-zone", ""));

		if (zone)
			storage = xstrdup(resource_or(zone, "storage", ""));
	}
	cloud_read_end(e->cloud);
	volumes = storage ? engine_volumes(e, storage, &error) : NULL;
	if (volumes && volumes->ops->remove(volumes, r->id, &error) < 0) {
		queue_kick_at(e->queue, number, queue_now() + 5000000000LL);
		return;
	}
	cloud_change(e->cloud, NULL, remove_record, &number, &error);
}
