/* How full the thin pool is, asked of the kernel itself: no program is run for it. */
#include "volumes/lvm/internal.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/dm-ioctl.h>
#include <string.h>
#include <sys/ioctl.h>

#define CONTROL "/dev/mapper/control"
#define TARGET "thin-pool"
#define MOST_STATUS 1024

int lvm_pool_parse(const char *status, struct lvm_pool_status *ret)
{
	struct lvm_pool_status s = {0};
	char mode[24] = "";
	int at = 0;

	if (strncmp(status, "Fail", 4) == 0 || strncmp(status, "Error", 5) == 0) {
		s.mode = POOL_FAILED;
		*ret = s;
		return 0;
	}
	/* Documentation/admin-guide/device-mapper/thin-provisioning.rst of the kernel, "Status". */
	if (sscanf(status, "%*u %" SCNu64 "/%" SCNu64 " %" SCNu64 "/%" SCNu64 " %*s %23s%n",
		   &s.metadata, &s.metadata_total, &s.data, &s.data_total, mode, &at) != 5 ||
	    !s.metadata_total || !s.data_total)
		return -EINVAL;
	if (strcmp(mode, "rw") == 0)
		s.mode = POOL_WRITABLE;
	else if (strcmp(mode, "out_of_data_space") == 0)
		s.mode = POOL_OUT_OF_SPACE;
	else if (strcmp(mode, "ro") == 0)
		s.mode = POOL_READ_ONLY;
	else
		return -EINVAL;
	s.waits = strstr(status + at, "queue_if_no_space");
	s.needs_check = strstr(status + at, "needs_check");
	*ret = s;
	return 0;
}

static unsigned share(uint64_t part, uint64_t whole)
{
	return (unsigned)((double)part / (double)whole * 10000);
}

void lvm_pool_tell(const struct lvm_pool_status *s, const struct lvm_uri *uri, uint64_t chunk,
		   struct volumes_capacity *ret)
{
	struct volumes_capacity c = {.data = 10000, .metadata = 10000};
	char name[120];

	snprintf(name, sizeof(name), "the thin pool %.50s/%.50s", uri->vg, uri->pool);
	if (s->mode != POOL_FAILED) {
		c.total = s->data_total * chunk;
		c.available = (s->data_total - s->data) * chunk;
		c.data = share(s->data, s->data_total);
		c.metadata = share(s->metadata, s->metadata_total);
	}
	c.refused = s->mode != POOL_WRITABLE || s->needs_check || c.data >= VOLUMES_FULL ||
		    c.metadata >= VOLUMES_FULL;
	if (s->mode == POOL_FAILED)
		snprintf(c.notice, sizeof(c.notice),
			 "%s has failed: lvconvert --repair may mend it", name);
	else if (s->mode == POOL_READ_ONLY || s->needs_check)
		snprintf(c.notice, sizeof(c.notice),
			 "%s is damaged and can only be read: lvconvert --repair may mend it",
			 name);
	else if (s->mode == POOL_OUT_OF_SPACE)
		snprintf(c.notice, sizeof(c.notice),
			 "%s is full: writes of new data %s; lvextend makes it larger", name,
			 s->waits ? "wait for a minute and then fail" : "fail");
	else if (c.data >= VOLUMES_EARLY || c.metadata >= VOLUMES_EARLY)
		snprintf(c.notice, sizeof(c.notice),
			 "%s is %u %% full, its metadata %u %%%s; lvextend makes it larger", name,
			 c.data / 100, c.metadata / 100, c.refused ? ": nothing new is made" : "");
	*ret = c;
}

/* A dash is doubled in device-mapper's names. */
static void add_name(char **to, const char *name)
{
	for (; *name; name++) {
		if (*name == '-')
			*(*to)++ = '-';
		*(*to)++ = *name;
	}
}

struct query {
	struct dm_ioctl head;
	char rest[MOST_STATUS];
};

/* The pool is VG-POOL-tpool while it has volumes, else VG-POOL alone. */
static int ask(const struct lvm_uri *uri, const char *ending, struct query *q)
{
	cleanup_close int fd = open(CONTROL, O_RDWR | O_CLOEXEC);
	char name[2 * (sizeof(uri->vg) + sizeof(uri->pool)) + sizeof("--tpool")];
	char *to = name;

	if (fd < 0)
		return -errno;
	add_name(&to, uri->vg);
	*to++ = '-';
	add_name(&to, uri->pool);
	memcpy(to, ending, strlen(ending) + 1);
	if (strlen(name) >= sizeof(q->head.name))
		return -ENAMETOOLONG;
	*q = (struct query){.head = {.version = {4, 0, 0},
				     .data_size = sizeof(*q),
				     .data_start = offsetof(struct query, rest),
				     /* No commit of the pool for a look at it. */
				     .flags = DM_NOFLUSH_FLAG}};
	memcpy(q->head.name, name, strlen(name) + 1);
	return ioctl(fd, DM_TABLE_STATUS, q) < 0 ? -errno : 0;
}

/* The first target's status, within q. */
static const char *status_of(struct query *q)
{
	struct dm_target_spec spec;
	const char *at = (const char *)q + q->head.data_start;

	q->rest[sizeof(q->rest) - 1] = '\0';
	if (!q->head.target_count || (q->head.flags & DM_BUFFER_FULL_FLAG) ||
	    q->head.data_start > sizeof(*q) - sizeof(spec))
		return NULL;
	memcpy(&spec, at, sizeof(spec));
	return strncmp(spec.target_type, TARGET, sizeof(spec.target_type)) == 0 ? at + sizeof(spec)
										: NULL;
}

int lvm_capacity(struct volumes *base, struct volumes_capacity *ret, struct ec2fs_error *error)
{
	struct lvm_volumes *v = lvm_of(base);
	struct lvm_pool_status s;
	const char *status;
	struct query q;
	uint64_t chunk;
	int r;

	pthread_mutex_lock(&v->lock);
	chunk = v->chunk;
	pthread_mutex_unlock(&v->lock);
	if (!chunk)
		return ec2fs_fail_errno(error, ENODEV, EC2_Unavailable,
					"the thin pool %s/%s is not there yet", v->uri.vg,
					v->uri.pool);
	r = ask(&v->uri, "-tpool", &q);
	if (r == -ENXIO)
		r = ask(&v->uri, "", &q);
	status = r == 0 ? status_of(&q) : NULL;
	if (r == 0 && (!status || lvm_pool_parse(status, &s) < 0))
		r = -EPROTO;
	if (r < 0)
		return ec2fs_fail_errno(error, -r, EC2_InternalError, "the thin pool %s/%s: %s",
					v->uri.vg, v->uri.pool,
					r == -ENXIO ? "it is not active" : strerror(-r));
	lvm_pool_tell(&s, &v->uri, chunk, ret);
	return 0;
}

int lvm_promise(struct lvm_volumes *v, uint64_t bytes, struct ec2fs_error *error)
{
	struct volumes_capacity c;
	bool fits;
	int r = lvm_capacity(&v->base, &c, error);

	if (r < 0)
		return r;
	if (c.refused)
		return ec2fs_fail(error, EC2_InsufficientVolumeCapacity, "%s", c.notice);
	pthread_mutex_lock(&v->lock);
	fits = !bytes || (c.available >= bytes && c.available - bytes >= v->promised);
	if (fits)
		v->promised += bytes;
	pthread_mutex_unlock(&v->lock);
	if (!fits)
		return ec2fs_fail(error, EC2_InsufficientVolumeCapacity,
				  "%" PRIu64 " MiB do not fit into the thin pool %s/%s, which has "
				  "%" PRIu64 " MiB left",
				  bytes >> 20, v->uri.vg, v->uri.pool, c.available >> 20);
	return 0;
}

void lvm_kept(struct lvm_volumes *v, uint64_t bytes)
{
	pthread_mutex_lock(&v->lock);
	v->promised -= bytes;
	pthread_mutex_unlock(&v->lock);
}
