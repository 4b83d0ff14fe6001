#include "ec2fs/engine/machine.h"

#include "ec2fs/engine/encryption.h"
#include "ec2fs/engine/storage.h"

#include "ec2fs/model/instance.h"
#include "ec2fs/model/storage.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *keep(struct machine *m, char *text)
{
	array_reserve(m->texts, m->text_count, m->text_capacity);
	m->texts[m->text_count++] = text;
	return text;
}

static char *keep_copy(struct machine *m, const char *text)
{
	return text ? keep(m, xstrdup(text)) : NULL;
}

/* The blob's name is the first word of the field. */
static char *blob_of(struct machine *m, const struct resource *image, const char *key)
{
	const char *value = resource_get(image, key);

	return value ? keep(m, xasprintf("%.*s", (int)strcspn(value, " "), value)) : NULL;
}

static void describe_image(const struct view *v, const struct resource *r, struct machine *m)
{
	const struct resource *image = view_by_id(v, resource_or(r, "image", ""));

	m->image_gone = !image;
	if (!image)
		return;
	m->image_kernel = blob_of(m, image, "kernel");
	m->image_ramdisk = blob_of(m, image, "ramdisk");
}

static void describe_volume(struct engine *e, const struct resource *volume, struct machine *m)
{
	struct machine_disk *d = &m->disks[m->volume_count];
	struct volume_limits limits;

	if (m->volume_count == MOST_ATTACHMENTS)
		return;
	volume_limits(volume, &limits);
	d->iops = limits.iops;
	d->burst_iops = limits.burst_iops;
	d->bytes = limits.bytes;
	d->burst_bytes = limits.burst_bytes;
	d->burst_seconds = limits.burst_seconds;
	d->shared = resource_is(volume, "multi-attach-enabled", "true");
	if (volume_key(volume))
		d->key = keep(m, volume_key_path(e, volume_key(volume)));
	m->volume_ids[m->volume_count++] = keep_copy(m, volume->id);
	if (resource_is(volume, "state", "creating"))
		m->waits = true;
	else if (resource_is(volume, "state", "error") && !m->broken)
		m->broken = keep_copy(m, resource_or(volume, "state-reason", "it is in error"));
}

static void describe_volumes(struct engine *e, const struct view *v, const struct resource *r,
			     struct machine *m)
{
	/* The root first: guests, and firmware, see disks in this order. */
	for (int root = 1; root >= 0; root--)
		view_each (v, r->number, KIND_ATTACHMENT, a)
			if (attachment_is_root(v, a) == root && attachment_volume(v, a))
				describe_volume(e, attachment_volume(v, a), m);
	instance_store(v, r, &m->store);
	for (unsigned i = 0; i < m->store.count; i++)
		instance_store_id(r, i, m->store_ids[i]);
}

/* "vda" … "vdz", "vdaa" … */
static char *target_of(struct machine *m, size_t n)
{
	if (n < 26)
		return keep(m, xasprintf("vd%c", (char)('a' + n)));
	return keep(m, xasprintf("vd%c%c", (char)('a' + n / 26 - 1), (char)('a' + n % 26)));
}

static void place_disk(struct machine *m, const char *id)
{
	size_t n = m->spec.disk_count++;
	struct machine_disk *d = &m->disks[n];

	d->path = keep(m, m->volumes->ops->path(m->volumes, id));
	d->target = target_of(m, n);
	/* virtio's serial holds 20 bytes: "vol" and the 17 digits. */
	d->serial = keep(m, storage_serial(id));
	d->block = m->volumes->ops == &volumes_lvm;
}

static void describe_spec(struct engine *e, const struct view *v, const struct resource *r,
			  struct machine *m)
{
	const struct resource *type =
		view_find(v, r->parent, KIND_INSTANCE_TYPE, resource_or(r, "instance-type", ""));

	m->spec.id = keep_copy(m, r->id);
	m->spec.owner = cloud_uuid(e->cloud);
	m->spec.uuid = keep_copy(m, resource_get(r, "@uuid"));
	m->spec.type = keep_copy(m, resource_or(r, "instance-type", ""));
	m->spec.architecture = keep_copy(m, resource_or(r, "@architecture", "x86_64"));
	m->spec.mac = keep_copy(m, resource_get(r, "mac-address"));
	m->spec.cmdline = keep_copy(m, resource_get(r, "@cmdline"));
	m->spec.vcpus = type ? (unsigned)resource_u64(type, "vcpus", 1) : 1;
	m->spec.memory = type ? instance_type_memory(type) : 0;
}

int machine_describe(struct engine *e, const struct resource *r, struct machine *m,
		     struct ec2fs_error *error)
{
	cleanup_free char *compute = NULL;
	cleanup_free char *storage = NULL;
	const char *zone_name = resource_or(r, "availability-zone", "");
	struct view v = cloud_read(e->cloud);
	const struct resource *zone = view_find(&v, r->parent, KIND_ZONE, zone_name);

	if (zone) {
		compute = xstrdup(resource_or(zone, "compute", ""));
		storage = xstrdup(resource_or(zone, "storage", ""));
	}
	describe_spec(e, &v, r, m);
	describe_volumes(e, &v, r, m);
	describe_image(&v, r, m);
	m->launched = resource_get(r, "@launched");
	cloud_read_end(e->cloud);
	if (!compute)
		return ec2fs_fail(error, EC2_InvalidZone_NotFound,
				  "the availability zone %s is gone", zone_name);
	m->compute = engine_compute(e, compute, error);
	if (!m->compute)
		return -EINVAL;
	m->provider = m->compute->provider;
	m->volumes = engine_volumes(e, storage, error);
	if (!m->volumes)
		return -EAGAIN;
	m->spec.console = keep(m, engine_instance_path(e, r->id, "console"));
	m->spec.disks = m->disks;
	for (size_t i = 0; i < m->volume_count; i++)
		place_disk(m, m->volume_ids[i]);
	for (unsigned i = 0; i < m->store.count; i++)
		place_disk(m, m->store_ids[i]);
	return 0;
}

void machine_free(struct machine *m)
{
	for (size_t i = 0; i < m->text_count; i++)
		free(m->texts[i]);
	free(m->texts);
	*m = (struct machine){0};
}

static int make_dirs(struct engine *e, const struct machine *m, struct ec2fs_error *error)
{
	cleanup_free char *all = xasprintf("%s/instances", e->state_dir);
	cleanup_free char *own = engine_instance_path(e, m->spec.id, "");
	mode_t mode = 0711; /* the virtual machine's user must get through */

	if ((mkdir(all, mode) < 0 && errno != EEXIST) || (mkdir(own, mode) < 0 && errno != EEXIST))
		return ec2fs_fail_errno(error, errno, EC2_InternalError, "%s: %s", own,
					strerror(errno));
	return 0;
}

/* The instance's own name for a blob, which then may go: a hard link, or a copy across file
 * systems. */
static int own_copy(struct engine *e, const struct machine *m, const char *blob, const char *file,
		    struct ec2fs_error *error)
{
	cleanup_free char *from = blob_path(e->blobs, blob);
	cleanup_free char *to = engine_instance_path(e, m->spec.id, file);

	if (link(from, to) == 0 || errno == EEXIST)
		return 0;
	return ec2fs_fail_errno(error, errno, EC2_InternalError, "%s: %s", to, strerror(errno));
}

static int prepare_kernel(struct engine *e, struct machine *m, struct ec2fs_error *error)
{
	int r = 0;

	if (!m->launched && m->image_kernel)
		r = own_copy(e, m, m->image_kernel, "kernel", error);
	if (r == 0 && !m->launched && m->image_kernel && m->image_ramdisk)
		r = own_copy(e, m, m->image_ramdisk, "ramdisk", error);
	if (r < 0)
		return r;
	m->spec.kernel = keep(m, engine_instance_path(e, m->spec.id, "kernel"));
	m->spec.ramdisk = keep(m, engine_instance_path(e, m->spec.id, "ramdisk"));
	if (access(m->spec.kernel, F_OK) < 0)
		m->spec.kernel = m->spec.ramdisk = m->spec.cmdline = NULL;
	else if (access(m->spec.ramdisk, F_OK) < 0)
		m->spec.ramdisk = NULL;
	return 0;
}

int machine_prepare(struct engine *e, struct machine *m, struct ec2fs_error *error)
{
	int r = make_dirs(e, m, error);

	if (r < 0)
		return r;
	if (!m->launched && m->image_gone)
		return ec2fs_fail(error, EC2_InvalidAMIID_NotFound,
				  "the image was removed before the instance had its copy");
	return prepare_kernel(e, m, error);
}

void machine_plug_into(struct machine *m, struct netfw *netfw, const char *vpc,
		       const char *interface, int (*plug)(void *context, struct ec2fs_error *error))
{
	char tap[16];

	netfw_tap_name(interface, tap);
	m->netfw = netfw;
	m->vpc_id = keep_copy(m, vpc);
	m->interface_id = keep_copy(m, interface);
	m->spec.tap = keep_copy(m, tap);
	m->spec.plug = plug;
	m->spec.context = m;
}

void machine_remove_files(struct engine *e, const char *id, bool all)
{
	cleanup_free char *own = engine_instance_path(e, id, "");
	cleanup_dir DIR *dir = opendir(own);
	struct dirent *d;

	while (dir && (d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (all || strncmp(d->d_name, "console", strlen("console")) != 0)
			unlinkat(dirfd(dir), d->d_name, 0);
	}
	if (all)
		rmdir(own);
}

const char *machine_boot_id(struct engine *e, const struct machine *m)
{
	return m->provider->ops->forgets ? e->process_id : e->boot_id;
}
