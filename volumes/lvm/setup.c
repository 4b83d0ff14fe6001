/* Finding the pool, or making it where that was asked for; and cleaning up after an earlier life.
 */
#include "volumes/lvm/internal.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "ec2fs/util/strbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* What is left is for the pool's metadata, when it must grow or be repaired. */
#define POOL_EXTENTS "95%FREE"

struct group {
	struct lvm_volumes *v;
	bool there, ours, making;
	uint64_t extent;
};

static void see_group(void *context, const struct lvm_row *row)
{
	struct group *g = context;
	struct lvm_volumes *v = g->v;
	const char *tags = lvm_field(row, "vg_tags"), *device = lvm_field(row, "pv_name");
	char owner[80] = "";

	if (strcmp(lvm_field(row, "vg_name"), v->uri.vg) != 0)
		return;
	lvm_tagged(tags, LVM_OWNER, owner, sizeof(owner));
	g->there = true;
	g->ours = strcmp(owner, v->owner) == 0;
	g->making = lvm_tagged(tags, LVM_MAKING, NULL, 0);
	g->extent = strtoull(lvm_field(row, "vg_extent_size"), NULL, 10);
	/* One that is missing has no path. */
	if (*device != '/')
		return;
	array_reserve(v->devices, v->device_count, v->device_capacity);
	v->devices[v->device_count++] = xstrdup(device);
}

static int find_group(struct lvm_volumes *v, struct group *g, struct ec2fs_error *error)
{
	cleanup_free char *selected = xasprintf("vg_name=\"%s\"", v->uri.vg);
	const char *const vgs[] = {
		"vgs",      "--reportformat", "json", "--units",
		"b",        "--nosuffix",     "-o",   "vg_name,vg_tags,vg_extent_size,pv_name",
		"--select", selected,         NULL};
	struct strbuf out cleanup_strbuf = STRBUF_INIT;
	int r;

	*g = (struct group){.v = v};
	while (v->device_count)
		free(v->devices[--v->device_count]);
	r = lvm_run(v, vgs, &out, error);
	if (r == 0)
		r = lvm_parse(strbuf_str(&out), out.len, "vg", see_group, g, error);
	if (r == 0 && g->there && !g->extent)
		r = ec2fs_fail(error, EC2_InternalError, "lvm tells no size of extents of %s",
			       v->uri.vg);
	return r;
}

static void see_member(void *context, const struct lvm_row *row)
{
	*(bool *)context |= *lvm_field(row, "vg_name") != '\0';
}

/* A physical volume of no group holds nothing: a vgcreate was cut short, or somebody prepared it.
 */
static int is_member(struct lvm_volumes *v, bool *ret, struct ec2fs_error *error)
{
	const char *const pvs[] = {
		"pvs", "--reportformat", "json", "-o", "pv_name,vg_name", v->uri.device, NULL};
	struct strbuf out cleanup_strbuf = STRBUF_INIT;
	int r = lvm_run(v, pvs, &out, error);

	*ret = false;
	return r < 0 ? r : lvm_parse(strbuf_str(&out), out.len, "pv", see_member, ret, error);
}

/* May the device be made ours? What is on it is told, and where that was asked for wiped. */
static int clear_device(struct lvm_volumes *v, struct ec2fs_error *error)
{
	const char *device = v->uri.device;
	const char *const wipefs[] = {"wipefs", "--quiet", "--all", device, NULL};
	cleanup_close int fd = open(device, O_RDONLY | O_EXCL | O_CLOEXEC);
	struct disk_content c;
	struct stat st;
	bool member = false;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return ec2fs_fail_errno(error, errno, EC2_InternalError, "%s: %s", device,
					strerror(errno));
	if (!S_ISBLK(st.st_mode))
		return ec2fs_fail(error, EC2_InvalidParameterValue, "%s is no disk", device);
	r = disk_content(fd, &c, error);
	if (r == 0 && strcmp(c.type, "LVM2_member") == 0)
		r = is_member(v, &member, error);
	if (r < 0 || !*c.type || (strcmp(c.type, "LVM2_member") == 0 && !member))
		return r;
	if (member || !v->uri.overwrite)
		return ec2fs_fail_errno(
			error, EEXIST, EC2_IncorrectState, "%s is not empty: it holds %s%s%s%s. %s",
			device, c.type, *c.label ? " \"" : "", c.label, *c.label ? "\"" : "",
			member ? "It belongs to another volume group: choose another disk"
			       : "Choose another disk, or add ,overwrite to lose what is there");
	close(steal_fd(&fd));
	return lvm_run_other(v, wipefs, NULL, error);
}

/*
 * The group has ec2fs.making until the pool is there: one that was cut short is ours from the first
 * to the last byte, and is made again.
 */
static int make_group(struct lvm_volumes *v, struct group *g, struct ec2fs_error *error)
{
	cleanup_free char *owner = xasprintf(LVM_OWNER "%s", v->owner);
	const char *vg = v->uri.vg;
	int r = 0;

	if (!*v->uri.device)
		return ec2fs_fail_errno(error, ENODEV, EC2_InvalidParameterValue,
					"there is no volume group %s: make it and its thin pool %s "
					"with vgcreate and lvcreate, or write "
					"lvm:%s/%s,device=/dev/DISK to have ec2fs do so",
					vg, v->uri.pool, vg, v->uri.pool);
	if (g->there)
		r = lvm_do(v, error, "vgremove", "--quiet", "--yes", "--force", vg);
	if (r == 0)
		r = clear_device(v, error);
	if (r == 0)
		r = lvm_do(v, error, "vgcreate", "--quiet", "--yes", "--addtag", owner, "--addtag",
			   LVM_MAKING, vg, v->uri.device);
	if (r == 0)
		r = lvm_do(v, error, "lvcreate", "--quiet", "--yes", "--type", "thin-pool",
			   "--name", v->uri.pool, "--extents", POOL_EXTENTS, "--zero", "y",
			   "--addtag", owner, vg);
	if (r == 0)
		r = lvm_do(v, error, "vgchange", "--quiet", "--deltag", LVM_MAKING, vg);
	return r < 0 ? r : find_group(v, g, error);
}

struct pool {
	struct lvm_volumes *v;
	char type[32], zero[16];
	uint64_t chunk;
	size_t half_made;
	/* Of ours the one that was begun last, by its number in the pool; "" when there is none. */
	char last[40];
	uint64_t last_number;
};

static void see_volume(void *context, const struct lvm_row *row)
{
	struct pool *p = context;
	struct lvm_known one;

	if (lvm_is_ours(row, p->v->owner, &one)) {
		uint64_t number = strtoull(lvm_field(row, "thin_id"), NULL, 10);

		p->half_made += one.making;
		if (number > p->last_number) {
			p->last_number = number;
			memcpy(p->last, one.id, sizeof(p->last));
		}
	}
	if (strcmp(lvm_field(row, "lv_name"), p->v->uri.pool) != 0)
		return;
	snprintf(p->type, sizeof(p->type), "%s", lvm_field(row, "segtype"));
	snprintf(p->zero, sizeof(p->zero), "%s", lvm_field(row, "zero"));
	p->chunk = strtoull(lvm_field(row, "chunk_size"), NULL, 10);
}

static int check_pool(const struct pool *p, struct ec2fs_error *error)
{
	const char *vg = p->v->uri.vg, *pool = p->v->uri.pool;

	if (!*p->type)
		return ec2fs_fail_errno(error, ENODEV, EC2_InvalidParameterValue,
					"the volume group %s has no thin pool %s: make it with "
					"lvcreate --type thin-pool --name %s --extents %s %s",
					vg, pool, pool, POOL_EXTENTS, vg);
	if (strcmp(p->type, "thin-pool") != 0 || !p->chunk)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "%s/%s is no thin pool: its type is %s", vg, pool, p->type);
	/* Else a new volume shows what a removed one had. */
	if (strcmp(p->zero, "zero") != 0)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "the thin pool %s/%s does not zero what it gives out, and one "
				  "instance would read another's data: lvchange --zero y %s/%s",
				  vg, pool, vg, pool);
	return 0;
}

/* lvm writes its records before it tells the pool, one command at a time: of what was being made
 * when the power went, the last one may be in these alone. Nobody was told that it was made. */
static int drop_when_absent(struct lvm_volumes *v, const char *id, struct ec2fs_error *error)
{
	cleanup_free char *name = xasprintf("%s/%s", v->uri.vg, id);
	bool there;
	int r = lvm_is_in_pool(v, id, &there, error);

	if (r < 0 || there)
		return r;
	r = lvm_do(v, error, "lvremove", "--quiet", "--yes", name);
	if (r == 0)
		lvm_forget(v, id);
	return r;
}

/* Snapshots stay inactive by their flag. One that the pool has not got (lvm_is_in_pool) keeps none
 * of the others from coming. */
static int activate_ours(struct lvm_volumes *v, const char *ours, struct ec2fs_error *error)
{
	struct ec2fs_error why = {0};
	int r = lvm_do(v, &why, "lvchange", "--quiet", "--activate", "y", "--select", ours,
		       v->uri.vg);

	if (r == 0 || lvm_tells_absence(&why))
		return 0;
	return ec2fs_fail_errno(error, why.number, why.code, "%s", why.message);
}

static int tidy(struct lvm_volumes *v, const struct pool *p, struct ec2fs_error *error)
{
	cleanup_free char *pool = xasprintf("%s/%s", v->uri.vg, v->uri.pool);
	cleanup_free char *ours = xasprintf("lv_tags=\"" LVM_OWNER "%s\"", v->owner);
	cleanup_free char *half = xasprintf("%s && lv_tags=\"" LVM_MAKING "\"", ours);
	int r = lvm_do(v, error, "lvchange", "--quiet", "--activate", "y", pool);

	if (r == 0 && *p->last)
		r = drop_when_absent(v, p->last, error);
	if (r == 0)
		r = activate_ours(v, ours, error);
	if (r == 0 && p->half_made)
		r = lvm_do(v, error, "lvremove", "--quiet", "--yes", "--select", half, v->uri.vg);
	if (r == 0 && p->half_made)
		r = lvm_look(v, NULL, NULL, error);
	return r;
}

static int sweep(struct lvm_volumes *v, struct ec2fs_error *error)
{
	struct pool p = {.v = v};
	struct group g;
	int r = lvm_wait_for_others(v, error);

	if (r == 0)
		r = find_group(v, &g, error);
	if (r == 0 && (!g.there || (g.ours && g.making)))
		r = make_group(v, &g, error);
	if (r == 0)
		r = lvm_look(v, see_volume, &p, error);
	if (r == 0)
		r = check_pool(&p, error);
	if (r < 0)
		return r;
	pthread_mutex_lock(&v->lock);
	v->extent = g.extent;
	v->chunk = p.chunk;
	pthread_mutex_unlock(&v->lock);
	r = tidy(v, &p, error);
	return r < 0 ? r : lvm_flush(v, error);
}

int lvm_sweep(struct volumes *base, struct ec2fs_error *error)
{
	struct lvm_volumes *v = lvm_of(base);
	int r = 0;

	pthread_mutex_lock(&v->setup);
	if (!v->ready)
		r = sweep(v, error);
	if (r == 0)
		v->ready = true;
	pthread_mutex_unlock(&v->setup);
	return r;
}

int lvm_ready(struct lvm_volumes *v, struct ec2fs_error *error)
{
	return lvm_sweep(&v->base, error);
}
