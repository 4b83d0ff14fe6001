/* OPEN, READ, WRITE, FLUSH, FSYNC, RELEASE of files. */
#include "ec2fs/fs/blob_file.h"
#include "ec2fs/fs/hidden.h"
#include "ec2fs/fs/invalidate.h"
#include "ec2fs/fs/nodes.h"
#include "ec2fs/fs/open_file.h"
#include "ec2fs/fs/refresh.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/strbuf.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* The kernel opened it by that number. */
static int opened_by(struct fs *fs, struct open_file *of, const struct tree_node *node,
		     fuse_ino_t ino, int flags)
{
	of->ino = ino;
	if (!(node->flags & TREE_WAIT) || (flags & O_ACCMODE) == O_RDONLY)
		return 0;
	of->claims = wait_ino_claim(fs, node, ino);
	if (of->claims)
		return 0;
	open_file_unref(fs, of);
	return -ESTALE;
}

void fs_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct tree_caller who = caller_of(req);
	struct node_ref node cleanup_node = {0};
	uint64_t since = changes_now(fs);
	struct tree_node facts;
	int r = node_resolve(fs, ino, &node);

	if (r == 0 && node.scratch) {
		open_scratch(fs, node.scratch, &who, fi);
		if (fi->flags & O_TRUNC)
			r = scratch_truncate(node.scratch, &who, 0);
	} else if (r == 0) {
		r = tree_facts(fs->tree, node.id, &who, &facts);
		if (r == 0 && (facts.flags & TREE_REFRESH)) {
			refresh_and_open(fs, req, &facts, fi);
			return;
		}
		if (r == 0)
			r = open_node(fs, &facts, &who, since, fi);
		if (r == 0)
			r = opened_by(fs, open_file_of(fi), &facts, ino, fi->flags);
	}
	if (r < 0)
		reply_result(req, r);
	else if (fuse_reply_open(req, fi) == -ENOENT)
		open_file_unref(fs, open_file_of(fi));
}

/* Changed since it was opened. The kernel knows, and has asked for the size: that of the new. */
static void render_anew(struct fs *fs, struct open_file *of)
{
	struct strbuf text cleanup_strbuf = STRBUF_INIT;
	uint64_t since = changes_of(fs, of->id), now = changes_now(fs);

	if (changed_since(fs, of->id, since) || tree_show(fs->tree, of->id, &of->who, &text) < 0)
		return;
	strbuf_truncate(&of->shown, 0);
	strbuf_add(&of->shown, strbuf_str(&text), text.len);
	of->since = now;
}

static bool is_stale(struct fs *fs, const struct open_file *of)
{
	return of->cached && changes_of(fs, of->id) > of->since;
}

static void read_shown(fuse_req_t req, const struct open_file *of, size_t size, off_t off)
{
	size_t len = of->shown.len;

	if ((uint64_t)off >= len)
		fuse_reply_buf(req, NULL, 0);
	else
		fuse_reply_buf(req, of->shown.data + off,
			       len - (size_t)off < size ? len - (size_t)off : size);
}

static void read_encrypted(fuse_req_t req, const struct open_file *of, size_t size, off_t off)
{
	uint64_t left = (uint64_t)off < of->size ? of->size - (uint64_t)off : 0;
	size_t len = left < size ? (size_t)left : size;
	cleanup_free char *buffer = malloc(len ? len : 1);
	ssize_t n = buffer ? luks_read(of->luks, of->fd, buffer, len, off) : -1;

	if (n < 0)
		reply_result(req, buffer ? -errno : -ENOMEM);
	else
		fuse_reply_buf(req, buffer, (size_t)n);
}

static void read_blob(fuse_req_t req, const struct open_file *of, size_t size, off_t off)
{
	struct fuse_bufvec out = FUSE_BUFVEC_INIT(size);

	if (of->fd < 0) {
		fuse_reply_buf(req, NULL, 0);
		return;
	}
	if (of->luks) {
		read_encrypted(req, of, size, off);
		return;
	}
	out.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
	out.buf[0].fd = of->fd;
	out.buf[0].pos = off;
	fuse_reply_data(req, &out, FUSE_BUF_SPLICE_MOVE);
}

/*
 * Who reads to the end of a log, or begins anew, sees what has come to it. A log that is too long
 * forgets its older half: who reads on misses nothing that is still there. To a reader with a size
 * of his own it only grows; who has none and begins anew because it got shorter (tail -f over NFS:
 * "file truncated") is told nothing twice.
 */
static void render_more(struct fs *fs, struct open_file *of, size_t size, uint64_t off)
{
	struct strbuf text cleanup_strbuf = STRBUF_INIT;
	int64_t start, skip, from = of->log_from;
	uint64_t forgotten;

	if (off && off + size <= of->shown_from + of->shown.len)
		return;
	/* What was there at its opening, a moment ago; `tail -n 0` over NFS begins later. */
	if (!off && !of->log_read && monotonic_now() - of->opened < NS_PER_SECOND / 10)
		return;
	if (tree_show_log(fs->tree, of->id, &of->who, &forgotten, &text) < 0)
		return;
	start = (int64_t)forgotten;
	if (off == 0 && start > from)
		from = of->process || forgotten > of->log_read ? start : (int64_t)of->log_read;
	else if (from + (int64_t)off < start || from > start + (int64_t)text.len)
		from = start - (int64_t)off; /* the latter: it was begun anew */
	of->log_from = from;
	skip = from > start ? from - start : 0;
	of->shown_from = skip ? 0 : (uint64_t)(start - from);
	strbuf_truncate(&of->shown, 0);
	if ((size_t)skip < text.len)
		strbuf_add(&of->shown, text.data + skip, text.len - (size_t)skip);
}

static void read_log(fuse_req_t req, struct open_file *of, size_t size, uint64_t off)
{
	uint64_t at, read;

	render_more(fs_of(req), of, size, off);
	at = off > of->shown_from ? off - of->shown_from : 0;
	if (at >= of->shown.len)
		size = 0;
	else if (of->shown.len - at < size)
		size = of->shown.len - at;
	read = (uint64_t)of->log_from + off + size;
	if (of->log_read < read)
		of->log_read = read;
	fuse_reply_buf(req, size ? of->shown.data + at : NULL, size);
}

/* The kernel keeps in its pages what this open saw; when that is old, it is not to be kept. */
static void read_node(fuse_req_t req, struct open_file *of, size_t size, off_t off)
{
	struct fs *fs = fs_of(req);
	bool stale;

	if (of->mode != OPEN_BLOB && off == 0 && is_stale(fs, of))
		render_anew(fs, of);
	if (of->mode == OPEN_TEXT && (of->flags & TREE_LOG)) {
		read_log(req, of, size, (uint64_t)off);
		return;
	}
	stale = is_stale(fs, of);
	if (stale)
		invalidate_node(fs, of->id);
	if (of->mode == OPEN_BLOB)
		read_blob(req, of, size, off);
	else
		read_shown(req, of, size, off);
	if (stale)
		invalidate_node(fs, of->id);
}

static void read_scratch(fuse_req_t req, struct open_file *of, size_t size, off_t off)
{
	cleanup_free char *buffer = malloc(size ? size : 1);
	ssize_t n = buffer ? scratch_read(of->scratch, buffer, size, off) : -ENOMEM;

	if (n < 0)
		reply_result(req, (int)n);
	else
		fuse_reply_buf(req, buffer, (size_t)n);
}

/* What a handle that also writes reads: what it wrote, or else what is there. */
static int render(struct fs *fs, struct open_file *of)
{
	int r = 0;

	if (of->rendered)
		return 0;
	if (of->started && of->text.len)
		strbuf_add(&of->shown, of->text.data, of->text.len);
	else if (of->mode == OPEN_TEXT)
		r = tree_show(fs->tree, of->id, &of->who, &of->shown);
	of->rendered = r == 0;
	return r;
}

void fs_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct open_file *of = open_file_ref(open_file_of(fi));
	struct fs *fs = fs_of(req);
	int r = 0;

	(void)ino;
	pthread_mutex_lock(&of->lock);
	if (of->mode == OPEN_SCRATCH)
		read_scratch(req, of, size, off);
	else if (of->mode != OPEN_BLOB && (r = render(fs, of)) < 0)
		reply_result(req, r);
	else
		read_node(req, of, size, off);
	pthread_mutex_unlock(&of->lock);
	open_file_unref(fs, of);
}

static int write_text(fuse_req_t req, struct open_file *of, struct fuse_bufvec *in, off_t off,
		      int flags)
{
	size_t len = fuse_buf_size(in);
	struct fuse_bufvec flat = FUSE_BUFVEC_INIT(len);
	cleanup_free char *data = malloc(len ? len : 1);
	ssize_t n;

	if (!data)
		return -ENOMEM;
	flat.buf[0].mem = data;
	n = fuse_buf_copy(&flat, in, 0);
	if (n < 0)
		return (int)n;
	of->rendered = false;
	strbuf_truncate(&of->shown, 0);
	of->synced = flags & (O_SYNC | O_DSYNC);
	return open_file_write(fs_of(req), of, req, data, (size_t)n, off);
}

void fs_write_buf(fuse_req_t req, fuse_ino_t ino, struct fuse_bufvec *in, off_t off,
		  struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct open_file *of = open_file_ref(open_file_of(fi));
	size_t len = fuse_buf_size(in);
	bool blob = of->mode == OPEN_BLOB;
	ssize_t n;

	(void)ino;
	pthread_mutex_lock(&of->lock);
	if (blob) {
		n = blob_file_write(fs, of, in, off);
	} else {
		n = write_text(req, of, in, off, fi->flags);
		if (n == 0)
			n = (ssize_t)len;
	}
	pthread_mutex_unlock(&of->lock);
	open_file_unref(fs, of);
	/* Given to the waiters: they answer. */
	if (n == -EINPROGRESS)
		return;
	if (blob && n >= 0)
		fuse_reply_write(req, (size_t)n);
	else
		reply_when_known(fs, req, true, n);
}

static void flush(fuse_req_t req, const struct fuse_file_info *fi, const struct tree_caller *closer)
{
	struct fs *fs = fs_of(req);
	struct open_file *of = open_file_of(fi);
	int r;

	pthread_mutex_lock(&of->lock);
	r = open_file_flush(fs, of, closer);
	pthread_mutex_unlock(&of->lock);
	reply_when_known(fs, req, false, r);
}

void fs_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct tree_caller who = caller_of(req);

	(void)ino;
	flush(req, fi, &who);
}

void fs_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	(void)ino;
	(void)datasync;
	flush(req, fi, NULL);
}

void fs_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct open_file *of = open_file_of(fi);

	(void)ino;
	pthread_mutex_lock(&of->lock);
	open_file_finish(fs, of);
	pthread_mutex_unlock(&of->lock);
	open_file_unref(fs, of);
	reply_result(req, 0);
}

void fs_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg,
	      struct fuse_file_info *fi, unsigned flags, const void *in, size_t in_size,
	      size_t out_size)
{
	(void)ino;
	(void)cmd;
	(void)arg;
	(void)fi;
	(void)flags;
	(void)in;
	(void)in_size;
	(void)out_size;
	reply_result(req, -ENOTTY);
}
