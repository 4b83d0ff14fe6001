/* READDIR and READDIRPLUS: the tree's entries without what is hidden, and the reader's scratch
 * files. */
#include "ec2fs/fs/asker.h"
#include "ec2fs/fs/hidden.h"
#include "ec2fs/fs/invalidate.h"
#include "ec2fs/fs/maker.h"
#include "ec2fs/fs/nodes.h"

#include <stdlib.h>

/* Cookies of the tree are below this one; scratch files come after all of them. */
#define SCRATCH_COOKIE (UINT64_C(1) << 62)

struct listing {
	fuse_req_t req;
	struct fs *fs;
	struct tree_caller who;
	tree_id dir;
	uint64_t since;
	bool plus, brief, full;
	bool hides; /* from a maker whose wishes cannot be told */
	char *buffer;
	size_t len, size;
};

static int add(struct listing *l, const char *name, const struct fuse_entry_param *e,
	       uint64_t cookie)
{
	size_t left = l->size - l->len, n;

	if (l->plus)
		n = fuse_add_direntry_plus(l->req, l->buffer + l->len, left, name, e,
					   (off_t)cookie);
	else
		n = fuse_add_direntry(l->req, l->buffer + l->len, left, name, &e->attr,
				      (off_t)cookie);
	if (n > left) {
		l->full = true;
		return 1;
	}
	l->len += n;
	return 0;
}

static int add_node(void *context, const char *name, uint64_t cookie, const struct tree_node *node)
{
	struct listing *l = context;
	struct fuse_entry_param e = {.attr = {.st_ino = node->id, .st_mode = node->mode}};

	if (name_is_hidden(l->fs, l->dir, name))
		return 0;
	/* Whether somebody wrote it is known of full facts only. */
	if (l->hides) {
		struct tree_node facts;

		if (tree_lookup(l->fs->tree, l->dir, name, &l->who, &facts) == 0 &&
		    maker_misses(l->fs, l->dir, name, &facts, &l->who))
			return 0;
	}
	if (l->plus)
		node_entry(l->fs, node, l->since, l->brief, &e);
	return add(l, name, &e, cookie);
}

static int add_scratch(void *context, const char *name, uint64_t cookie, struct scratch *s)
{
	struct listing *l = context;
	struct fuse_entry_param e;
	struct tree_node made;

	/* A new file is the tree's a moment before it stops being a scratch file. */
	if (scratch_kind(s) == SCRATCH_NEW &&
	    tree_lookup(l->fs->tree, l->dir, name, &l->who, &made) == 0)
		return 0;
	scratch_entry(s, &e);
	return add(l, name, &e, SCRATCH_COOKIE | cookie);
}

/* "." and ".." have the cookies 1 and 2. */
static int add_dots(struct listing *l, off_t after)
{
	static const char *const names[] = {".", ".."};

	for (off_t i = after; i < 2; i++) {
		/* An inode number of 0 makes READDIRPLUS leave the cache alone. */
		struct fuse_entry_param e = {.attr = {.st_ino = l->dir, .st_mode = S_IFDIR}};
		int r = add(l, names[i], &e, (uint64_t)i + 1);

		if (r)
			return r;
	}
	return 0;
}

/* Would everybody be told the same, until something is made or removed there? */
static bool is_plain(const struct listing *l)
{
	return !l->brief && !hides_names(l->fs, l->dir) && !scratch_in(l->fs, l->dir);
}

static void list(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, bool plus)
{
	struct listing l = {.req = req, .fs = fs_of(req), .who = caller_of(req), .plus = plus};
	uint64_t after = (uint64_t)off;
	bool plain;
	int r = dir_resolve(l.fs, ino, &l.dir);

	if (r < 0) {
		reply_result(req, r);
		return;
	}
	l.since = changes_now(l.fs);
	l.brief = maker_at_work(l.fs, l.dir);
	l.hides = l.brief && asker_of(l.who.pid, "") == ASKER_UNKNOWN;
	plain = is_plain(&l);
	l.size = size;
	l.buffer = malloc(size);
	if (!l.buffer) {
		reply_result(req, -ENOMEM);
		return;
	}
	if (after < 2)
		add_dots(&l, off);
	if (!l.full && after < SCRATCH_COOKIE)
		r = tree_list(l.fs->tree, l.dir, after < 3 ? 0 : after, plus, &l.who, add_node, &l);
	if (r == 0 && !l.full)
		scratch_list(l.fs, l.dir, l.who.uid,
			     after >= SCRATCH_COOKIE ? after & ~SCRATCH_COOKIE : 0, add_scratch,
			     &l);
	if (r == 0)
		listing_told(l.fs, l.dir, plain && is_plain(&l), !l.len);
	if (r < 0)
		reply_result(req, r);
	else
		fuse_reply_buf(req, l.buffer, l.len);
	free(l.buffer);
}

/*
 * ENOSYS: directories need not be opened, and the kernel keeps their listings. To read one that did
 * not change then costs no request at all.
 */
void fs_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	if (fs_of(req)->keeps_listings)
		reply_result(req, -ENOSYS);
	else
		fuse_reply_open(req, fi);
}

void fs_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	(void)fi;
	list(req, ino, size, off, false);
}

void fs_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi)
{
	(void)fi;
	list(req, ino, size, off, true);
}
