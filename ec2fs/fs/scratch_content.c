/* What scratch files hold. */
#include "ec2fs/fs/scratch.h"
#include "ec2fs/fs/scratch_internal.h"

#include "ec2fs/fs/copy.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* In memory; a directory with larger attributes allows twice the largest. */
#define TEXT_MAX ((uint64_t)64 * 1024)

void scratch_forget_content(struct scratch *s)
{
	if (!s->blob && s->fd >= 0)
		close(s->fd);
	tree_blob_free(s->blob);
	s->blob = NULL;
	s->fd = -1;
	s->size = 0;
	strbuf_free(&s->text);
}

/* Which attributes are beside it? */
struct beside {
	const char *name; /* the scratch file's */
	tree_id blob;
	bool blob_named; /* it is the one that the scratch file's name mentions */
	uint64_t largest;
};

static int look_beside(void *context, const char *name, uint64_t cookie,
		       const struct tree_node *node)
{
	struct beside *b = context;

	(void)cookie;
	if (!S_ISREG(node->mode))
		return 0;
	if (!(node->flags & TREE_BLOB)) {
		b->largest = node->max > b->largest ? node->max : b->largest;
	} else if (!b->blob || (!b->blob_named && strstr(b->name, name))) {
		b->blob = node->id;
		b->blob_named = strstr(b->name, name) != NULL;
	}
	return 0;
}

static int too_big(struct scratch *s, const struct tree_caller *who, const char *name)
{
	struct ec2fs_error error;

	ec2fs_fail(&error, EC2_ValueTooLong,
		   "a temporary file for the attributes of this directory has at most %llu bytes",
		   (unsigned long long)TEXT_MAX);
	return tree_refuse(s->fs->tree, scratch_dir(s), name, who, NULL, 0, &error);
}

/* Room for `end` bytes; the content may move into a blob. Locked. */
static int make_room(struct scratch *s, const struct tree_caller *who, uint64_t end)
{
	cleanup_free char *name = NULL;
	struct tree_blob *blob;
	struct beside beside = {0};
	int fd, r;

	if (end <= TEXT_MAX || s->blob)
		return 0;
	name = scratch_name(s);
	beside.name = name ? name : "";
	tree_list(s->fs->tree, scratch_dir(s), 0, true, who, look_beside, &beside);
	if (!beside.blob)
		return end <= 2 * beside.largest ? 0 : too_big(s, who, name);
	r = tree_blob_begin(s->fs->tree, beside.blob, who, &blob, &fd);
	if (r < 0)
		return r;
	r = write_all(fd, strbuf_str(&s->text), s->text.len, 0);
	if (r < 0) {
		tree_blob_free(blob);
		return r;
	}
	s->blob = blob;
	s->blob_of = beside.blob;
	s->fd = fd;
	s->size = s->text.len;
	strbuf_free(&s->text);
	return 0;
}

static uint64_t size_of(const struct scratch *s)
{
	return s->fd >= 0 ? s->size : s->text.len;
}

void scratch_stat(struct scratch *s, struct stat *ret)
{
	pthread_mutex_lock(&s->lock);
	*ret = (struct stat){
		.st_ino = s->ino,
		.st_mode = s->mode,
		.st_nlink = 1,
		.st_uid = s->uid,
		.st_gid = s->gid,
		.st_size = (off_t)size_of(s),
		.st_blocks = (blkcnt_t)((size_of(s) + 511) / 512),
		.st_blksize = 4096,
		.st_mtim = {s->mtime / NS_PER_SECOND, s->mtime % NS_PER_SECOND},
	};
	ret->st_atim = ret->st_ctim = ret->st_mtim;
	pthread_mutex_unlock(&s->lock);
}

void scratch_set_meta(struct scratch *s, const struct tree_meta *meta)
{
	pthread_mutex_lock(&s->lock);
	s->meta.set |= meta->set;
	if (meta->set & TREE_SET_MODE) {
		s->meta.mode = meta->mode;
		s->mode = (s->mode & S_IFMT) | meta->mode;
	}
	if (meta->set & TREE_SET_UID)
		s->meta.uid = s->uid = meta->uid;
	if (meta->set & TREE_SET_GID)
		s->meta.gid = s->gid = meta->gid;
	if (meta->set & TREE_SET_MTIME)
		s->meta.mtime = s->mtime = meta->mtime;
	pthread_mutex_unlock(&s->lock);
}

struct tree_meta scratch_meta(struct scratch *s)
{
	struct tree_meta meta;

	pthread_mutex_lock(&s->lock);
	meta = s->meta;
	pthread_mutex_unlock(&s->lock);
	return meta;
}

/* Written just now: a time set before does not hold any more. Locked. */
static void touch(struct scratch *s)
{
	s->mtime = wall_now();
	s->meta.set &= ~(unsigned)TREE_SET_MTIME;
	s->copy_of = 0;
}

static ssize_t read_locked(struct scratch *s, char *buffer, size_t size, off_t off)
{
	uint64_t from = (uint64_t)off;

	if (from >= size_of(s))
		return 0;
	if (size > size_of(s) - from)
		size = size_of(s) - from;
	if (s->fd >= 0) {
		ssize_t got = pread(s->fd, buffer, size, off);

		return got < 0 ? -errno : got;
	}
	memcpy(buffer, s->text.data + from, size);
	return (ssize_t)size;
}

ssize_t scratch_read(struct scratch *s, char *buffer, size_t size, off_t off)
{
	ssize_t got;

	pthread_mutex_lock(&s->lock);
	got = read_locked(s, buffer, size, off);
	pthread_mutex_unlock(&s->lock);
	return got;
}

/* Fills up to `size` with NULs, or cuts. Locked, and there is room. */
static int set_size(struct scratch *s, uint64_t size)
{
	static const char nuls[512];

	if (s->fd >= 0) {
		if (!s->blob)
			return -EFBIG; /* a copy of a blob, to read from */
		if (ftruncate(s->fd, (off_t)size) < 0)
			return -errno;
		s->size = size;
		return 0;
	}
	strbuf_truncate(&s->text, size);
	while (s->text.len < size) {
		size_t more = size - s->text.len;

		strbuf_add(&s->text, nuls, more < sizeof(nuls) ? more : sizeof(nuls));
	}
	return 0;
}

static ssize_t write_locked(struct scratch *s, const struct tree_caller *who, const char *data,
			    size_t len, uint64_t off)
{
	uint64_t end = off + len;
	int r = make_room(s, who, end);

	if (r == 0 && end > size_of(s))
		r = set_size(s, end);
	if (r < 0)
		return r;
	if (s->fd >= 0) {
		r = s->blob ? write_all(s->fd, data, len, (off_t)off) : -EFBIG;
		if (r < 0)
			return r;
	} else if (len) {
		memcpy(s->text.data + off, data, len);
	}
	touch(s);
	return (ssize_t)len;
}

ssize_t scratch_write(struct scratch *s, const struct tree_caller *who, const char *data,
		      size_t len, off_t off, bool append)
{
	ssize_t written;

	pthread_mutex_lock(&s->lock);
	written = write_locked(s, who, data, len, append ? size_of(s) : (uint64_t)off);
	pthread_mutex_unlock(&s->lock);
	return written;
}

int scratch_truncate(struct scratch *s, const struct tree_caller *who, off_t size)
{
	int r;

	pthread_mutex_lock(&s->lock);
	r = make_room(s, who, (uint64_t)size);
	if (r == 0)
		r = set_size(s, (uint64_t)size);
	if (r == 0)
		touch(s);
	pthread_mutex_unlock(&s->lock);
	return r;
}

void scratch_copy_text(struct scratch *s, tree_id id, const char *data, size_t len)
{
	pthread_mutex_lock(&s->lock);
	scratch_forget_content(s);
	strbuf_add(&s->text, data, len);
	s->copy_of = id;
	pthread_mutex_unlock(&s->lock);
}

void scratch_copy_file(struct scratch *s, tree_id id, int fd, uint64_t size)
{
	pthread_mutex_lock(&s->lock);
	scratch_forget_content(s);
	s->fd = fd;
	s->size = size;
	s->copy_of = id;
	pthread_mutex_unlock(&s->lock);
}

static bool same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

bool scratch_is_copy(struct scratch *s, tree_id id, const struct tree_caller *who)
{
	struct strbuf text cleanup_strbuf = STRBUF_INIT;
	bool is = false;
	uint64_t size;
	int fd;

	pthread_mutex_lock(&s->lock);
	if (s->copy_of == id && s->fd >= 0) {
		if (tree_blob_open(s->fs->tree, id, NULL, &fd, &size) == 0) {
			is = same_file(fd, s->fd);
			close(fd);
		}
	} else if (s->copy_of == id) {
		is = tree_show(s->fs->tree, id, who, &text) == 0 && text.len == s->text.len &&
		     memcmp(strbuf_str(&text), strbuf_str(&s->text), text.len) == 0;
	}
	pthread_mutex_unlock(&s->lock);
	return is;
}

int scratch_content(struct scratch *s, size_t max, struct strbuf *out)
{
	int r = 0;

	pthread_mutex_lock(&s->lock);
	if (size_of(s) > max) {
		r = -EFBIG;
	} else if (s->fd < 0) {
		strbuf_add(out, strbuf_str(&s->text), s->text.len);
	} else {
		char part[4096];
		off_t off = 0;
		ssize_t got;

		while ((got = read_locked(s, part, sizeof(part), off)) > 0) {
			strbuf_add(out, part, (size_t)got);
			off += got;
		}
		r = (int)got;
	}
	pthread_mutex_unlock(&s->lock);
	return r;
}

/* Locked. */
static int commit_copy(struct scratch *s, tree_id id, const struct tree_caller *who)
{
	struct tree_blob *blob;
	int fd, r;

	r = tree_blob_begin(s->fs->tree, id, who, &blob, &fd);
	if (r < 0)
		return r;
	r = s->fd >= 0 ? copy_all(s->fd, fd, s->size)
		       : write_all(fd, strbuf_str(&s->text), s->text.len, 0);
	if (r == 0)
		r = tree_blob_commit(blob);
	tree_blob_free(blob);
	return r;
}

int scratch_commit_blob(struct scratch *s, tree_id id, const struct tree_caller *who)
{
	int r;

	pthread_mutex_lock(&s->lock);
	/* Begun for this very attribute: nothing has to be copied. */
	r = s->blob && s->blob_of == id ? tree_blob_commit(s->blob) : commit_copy(s, id, who);
	pthread_mutex_unlock(&s->lock);
	return r;
}
