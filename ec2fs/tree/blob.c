/* Files too big for a row: written to a blob of their own, taken whole by a transaction. */
#include "ec2fs/tree/internal.h"
#include "ec2fs/tree/open.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* At once, of two files. */
#define COMPARED ((size_t)256 << 10)

struct tree_blob {
	struct tree *tree;
	tree_id id;
	struct tree_caller who;
	int fd;
	char *name;
	bool committed;
};

/* The entry, when it is one that takes a blob. */
static int blob_entry(struct tree *t, tree_id id, const struct entry **ret,
		      struct ec2fs_error *error)
{
	struct view v = cloud_read(t->cloud);
	struct node n;
	int r = node_need(&v, id, &n, error);

	cloud_read_end(t->cloud);
	if (r < 0)
		return r;
	if (!n.entry || !(n.entry->flags & TREE_BLOB) || !n.entry->store)
		return ec2fs_fail(error, EC2_UnauthorizedOperation, "it cannot be written");
	*ret = n.entry;
	return 0;
}

int tree_blob_begin(struct tree *t, tree_id id, const struct tree_caller *who,
		    struct tree_blob **ret, int *ret_fd)
{
	struct ec2fs_error error = {0};
	const struct entry *e;
	struct tree_blob *b;
	char *name;
	int fd, r;

	r = blob_entry(t, id, &e, &error);
	if (r == 0)
		r = blob_begin(t->blobs, &fd, &name, &error);
	if (r < 0)
		return tree_refuse(t, id, NULL, who, NULL, 0, &error);
	b = xnew(struct tree_blob);
	*b = (struct tree_blob){.tree = t, .id = id, .who = *who, .fd = fd, .name = name};
	*ret = b;
	*ret_fd = fd;
	return 0;
}

struct taking {
	tree_id id;
	const char *value;
};

static int take(struct view *v, void *context, struct ec2fs_error *error)
{
	const struct taking *t = context;
	struct node n;
	int r = node_need(v, t->id, &n, error);

	if (r < 0)
		return r;
	return n.entry->store(v, view_edit(v, n.r), t->value, strlen(t->value), error);
}

/* Where data goes on at or after off; end when there is none, off where that cannot be told. */
static off_t next_data(const struct luks *l, int fd, off_t off, off_t end)
{
	off_t found = l ? luks_seek(l, fd, off, SEEK_DATA) : lseek(fd, off, SEEK_DATA);

	if (found < 0)
		return errno == ENXIO ? end : off;
	return found < end ? found : end;
}

/* Is the same there already, byte by byte? */
static bool is_there(const struct tree_blob *b, uint64_t size)
{
	struct luks *l cleanup_luks = NULL;
	cleanup_close int fd = -1;
	cleanup_free char *one = malloc(COMPARED);
	cleanup_free char *other = malloc(COMPARED);
	off_t off = 0, end = (off_t)size;
	uint64_t is;

	if (!one || !other || tree_blob_open(b->tree, b->id, &l, &fd, &is) < 0 || is != size)
		return false;
	while (off < end) {
		off_t written = next_data(NULL, b->fd, off, end),
		      there = next_data(l, fd, off, end);
		size_t len;
		ssize_t n;

		off = written < there ? written : there;
		len = end - off < (off_t)COMPARED ? (size_t)(end - off) : COMPARED;
		n = len ? pread(b->fd, one, len, off) : 0;
		if (n < 0 || (len && n == 0) ||
		    (l ? luks_read(l, fd, other, (size_t)n, off)
		       : pread(fd, other, (size_t)n, off)) != n ||
		    memcmp(one, other, (size_t)n) != 0)
			return false;
		off += n;
	}
	return true;
}

int tree_blob_commit(struct tree_blob *b)
{
	struct actor actor = actor_of(&b->who);
	struct ec2fs_error error = {0};
	cleanup_free char *extra = NULL;
	cleanup_free char *value = NULL;
	struct taking taking = {.id = b->id};
	const struct entry *e;
	struct stat st;
	int r = blob_entry(b->tree, b->id, &e, &error);

	if (r == 0 && fstat(b->fd, &st) < 0)
		r = ec2fs_fail_errno(&error, errno, EC2_InternalError, "%s", strerror(errno));
	if (r == 0 && st.st_size == 0)
		r = ec2fs_fail(&error, EC2_InvalidParameterValue, "it is empty");
	if (r == 0 && e->extra && e->extra->inspect)
		r = e->extra->inspect(b->fd, &extra, &error);
	if (r == 0)
		r = blob_finish(b->tree->blobs, b->fd, b->name, &error);
	if (r == 0) {
		b->committed = true;
		value = xasprintf("%s %" PRIu64 "%s%s", b->name, (uint64_t)st.st_size,
				  extra && *extra ? " " : "", extra ? extra : "");
		taking.value = value;
		r = cloud_change(b->tree->cloud, &actor, take, &taking, &error);
		if (r < 0)
			blob_remove(b->tree->blobs, b->name);
		/* What is read may be written again, also where it is fixed. */
		if (r < 0 && error.code == EC2_IncorrectState && is_there(b, (uint64_t)st.st_size))
			return 0;
	}
	if (r < 0)
		return tree_refuse(b->tree, b->id, NULL, &b->who, NULL, 0, &error);
	tree_accept(b->tree, b->id);
	return 0;
}

void tree_blob_free(struct tree_blob *b)
{
	if (!b)
		return;
	if (!b->committed)
		blob_abandon(b->tree->blobs, b->name);
	close(b->fd);
	free(b->name);
	free(b);
}

/* Does any field name the blob? */
static bool wanted(void *context, const char *name)
{
	static const char *const keys[] = {"disk", "kernel", "ramdisk"};
	static const enum kind kinds[] = {KIND_IMAGE, KIND_SNAPSHOT};
	struct tree *t = context;
	struct view v = cloud_read(t->cloud);
	size_t len = strlen(name);
	bool found = false;

	view_each (&v, ROOT_NUMBER, KIND_REGION, region)
		for (size_t k = 0; k < 2; k++)
			view_each (&v, region->number, kinds[k], r)
				for (size_t i = 0; i < 3; i++) {
					const char *value = resource_or(r, keys[i], "");

					if (strncmp(value, name, len) == 0 &&
					    (value[len] == ' ' || !value[len]))
						found = true;
				}
	cloud_read_end(t->cloud);
	return found;
}

int tree_sweep_blobs(struct tree *t, struct ec2fs_error *error)
{
	return blobs_sweep(t->blobs, wanted, t, error);
}
