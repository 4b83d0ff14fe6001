/* LOOKUP, GETATTR, SETATTR, READLINK, STATFS. */
#include "ec2fs/fs/asker.h"
#include "ec2fs/fs/hidden.h"
#include "ec2fs/fs/invalidate.h"
#include "ec2fs/fs/maker.h"
#include "ec2fs/fs/nodes.h"
#include "ec2fs/fs/open_file.h"
#include "ec2fs/fs/set_times.h"
#include "ec2fs/util/strbuf.h"

#include <string.h>
#include <sys/statvfs.h>

/* A temporary file that became a file of the tree keeps its st_ino for those who have its number:
 * to an NFS client a number that changes is a stale file. */
static ino_t number_shown(fuse_ino_t ino, ino_t own)
{
	return ino & SCRATCH_BIT ? ino : own;
}

/*
 * "." and "..", which only an NFS server asks for: it has a number from a client, and the kernel
 * does not know it (any more). "." is answered with that very number, or the kernel takes the
 * answer for another file's.
 */
static int lookup_dots(struct fs *fs, fuse_ino_t ino, const char *name,
		       const struct tree_caller *who, struct fuse_entry_param *ret)
{
	struct node_ref node cleanup_node = {0};
	bool itself = !name[1];
	uint64_t since = changes_now(fs);
	struct tree_node facts;
	tree_id id;
	int r = node_resolve(fs, ino, &node);

	if (r < 0)
		return r;
	id = node.id;
	if (itself && node.scratch) {
		scratch_entry(node.scratch, ret);
	} else {
		if (!itself && node.scratch)
			id = scratch_dir(node.scratch);
		else if (!itself)
			r = tree_parent(fs->tree, node.id, &id);
		if (r == 0)
			r = tree_stat(fs->tree, id, who, &facts);
		if (r < 0)
			return r;
		node_entry(fs, &facts, since, true, ret);
	}
	if (itself) {
		ret->ino = ino;
		ret->attr.st_ino = number_shown(ino, ret->attr.st_ino);
	}
	return 0;
}

static int lookup(struct fs *fs, fuse_ino_t parent, const char *name, const struct tree_caller *who,
		  struct fuse_entry_param *ret)
{
	struct scratch *s cleanup_scratch = NULL;
	uint64_t since = changes_now(fs);
	struct tree_node node;
	tree_id dir;
	int r;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return lookup_dots(fs, parent, name, who, ret);
	r = place_resolve(fs, parent, name, &dir);
	if (r < 0)
		return r;
	s = scratch_find(fs, dir, name, who);
	if (s) {
		scratch_entry(s, ret);
		return 0;
	}
	r = name_is_hidden(fs, dir, name) ? -ENOENT : tree_lookup(fs->tree, dir, name, who, &node);
	if (r == 0 && maker_misses(fs, dir, name, &node, who) &&
	    asker_of(who->pid, name) != ASKER_OTHER)
		r = -ENOENT;
	if (r == 0)
		node_entry(fs, &node, since, maker_at_work(fs, dir), ret);
	return r;
}

void fs_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct tree_caller who = caller_of(req);
	struct fuse_entry_param e;
	int r = lookup(fs_of(req), parent, name, &who, &e);

	if (r < 0)
		reply_result(req, r);
	else
		fuse_reply_entry(req, &e);
}

/* tail -f reads no further than the size says, and begins anew when that shrinks: to who reads a
 * log it grows as it comes, whatever is forgotten at its beginning. */
static void set_log_size(struct fs *fs, tree_id id, const struct tree_caller *who, struct stat *st)
{
	struct strbuf text cleanup_strbuf = STRBUF_INIT;
	uint64_t start;
	int64_t from;

	if (!open_file_log_from(fs, id, who, &from) ||
	    tree_show_log(fs->tree, id, who, &start, &text) < 0)
		return;
	from = (int64_t)(start + text.len) - from;
	/* Less than nothing: it was begun anew, and has the size that it has. */
	if (from >= 0)
		st->st_size = from;
}

static int node_stat(struct fs *fs, fuse_ino_t ino, const struct node_ref *node,
		     const struct tree_caller *who, struct stat *ret, double *timeout)
{
	uint64_t since = changes_now(fs), length;
	struct tree_node facts;
	int r;

	*timeout = 0;
	if (node->scratch) {
		scratch_stat(node->scratch, ret);
		return 0;
	}
	r = tree_stat(fs->tree, node->id, who, &facts);
	if (r < 0)
		return r;
	*timeout = node_attr(fs, &facts, since, ret);
	if ((facts.flags & TREE_DOCUMENT) && open_file_length(fs, node->id, who->pid, &length)) {
		ret->st_size = (off_t)length;
		*timeout = 0;
	}
	if (facts.flags & TREE_LOG)
		set_log_size(fs, node->id, who, ret);
	ret->st_ino = number_shown(ino, ret->st_ino);
	return 0;
}

static void reply_stat(fuse_req_t req, fuse_ino_t ino, const struct node_ref *node)
{
	struct tree_caller who = caller_of(req);
	double timeout;
	struct stat st;
	int r = node_stat(fs_of(req), ino, node, &who, &st, &timeout);

	if (r < 0)
		reply_result(req, r);
	else
		fuse_reply_attr(req, &st, timeout);
}

void fs_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct node_ref node cleanup_node = {0};
	int r = node_resolve(fs_of(req), ino, &node);

	(void)fi;
	if (r < 0)
		reply_result(req, r);
	else
		reply_stat(req, ino, &node);
}

static struct tree_meta meta_of(const struct stat *attr, int to_set)
{
	struct tree_meta m = {0};

	if (to_set & FUSE_SET_ATTR_MODE) {
		m.set |= TREE_SET_MODE;
		m.mode = attr->st_mode & 07777;
	}
	if (to_set & FUSE_SET_ATTR_UID) {
		m.set |= TREE_SET_UID;
		m.uid = attr->st_uid;
	}
	if (to_set & FUSE_SET_ATTR_GID) {
		m.set |= TREE_SET_GID;
		m.gid = attr->st_gid;
	}
	if (to_set & FUSE_SET_ATTR_MTIME_NOW) {
		m.set |= TREE_SET_MTIME;
		m.mtime = wall_now();
	} else if (to_set & FUSE_SET_ATTR_MTIME) {
		m.set |= TREE_SET_MTIME;
		m.mtime = attr->st_mtim.tv_sec * NS_PER_SECOND + attr->st_mtim.tv_nsec;
	}
	return m;
}

/*
 * truncate(2), without an open file: clears a document, is nothing where it changes nothing. The
 * servers of NFS and 9P send O_TRUNC this way, right after they have opened the file.
 */
static int truncate_node(struct fs *fs, const struct node_ref *node, const struct tree_caller *who,
			 off_t size, bool *ret_later)
{
	struct tree_node facts;
	int r;

	if (node->scratch)
		return scratch_truncate(node->scratch, who, size);
	*ret_later = size == 0 && open_files_truncate(fs, node->id, who);
	if (*ret_later)
		return 0;
	r = tree_stat(fs->tree, node->id, who, &facts);
	if (r < 0)
		return r;
	if ((uint64_t)size == facts.size || (size == 0 && !(facts.flags & TREE_DOCUMENT)))
		return 0;
	return size == 0 ? tree_store(fs->tree, node->id, who, "", 0) : -EINVAL;
}

void fs_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
		struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct tree_caller who = caller_of(req);
	struct tree_meta meta = meta_of(attr, to_set);
	struct node_ref node cleanup_node = {0};
	bool handle = (to_set & FUSE_SET_ATTR_SIZE) && fi;
	int r = node_resolve(fs, ino, &node);

	if (r == 0 && handle) {
		struct open_file *of = open_file_of(fi);

		pthread_mutex_lock(&of->lock);
		r = open_file_truncate(fs, of, attr->st_size);
		pthread_mutex_unlock(&of->lock);
	} else if (r == 0 && (to_set & FUSE_SET_ATTR_SIZE)) {
		r = truncate_node(fs, &node, &who, attr->st_size, &handle);
	}
	if (r == 0 && meta.set && node.scratch)
		scratch_set_meta(node.scratch, &meta);
	else if (r == 0 && meta.set)
		r = tree_set_meta(fs->tree, node.id, &who, &meta);
	if (r == 0 && (meta.set & TREE_SET_MTIME) && !node.scratch)
		time_was_set(fs, node.id, meta.mtime);
	if (r < 0) {
		reply_result(req, r);
	} else if (handle) {
		double timeout;
		struct stat st;

		/* To who truncates through a handle the file is that long, until it is closed. */
		r = node_stat(fs, ino, &node, &who, &st, &timeout);
		st.st_size = attr->st_size;
		if (r < 0)
			reply_result(req, r);
		else
			fuse_reply_attr(req, &st, 0);
	} else {
		reply_stat(req, ino, &node);
	}
}

void fs_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct fs *fs = fs_of(req);
	struct strbuf target cleanup_strbuf = STRBUF_INIT;
	struct node_ref node cleanup_node = {0};
	int r = node_resolve(fs, ino, &node);

	if (r == 0 && node.scratch)
		r = scratch_content(node.scratch, 4096, &target);
	else if (r == 0)
		r = tree_readlink(fs->tree, node.id, &target);
	if (r < 0)
		reply_result(req, r);
	else
		fuse_reply_readlink(req, strbuf_str(&target));
}

void fs_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct fs *fs = fs_of(req);
	struct node_ref node cleanup_node = {0};
	uint64_t total = 0, available = 0, files = 0;
	struct statvfs st = {.f_bsize = 4096, .f_frsize = 4096, .f_namemax = 255};
	int r = node_resolve(fs, ino, &node);

	if (r == 0)
		r = tree_statfs(fs->tree, node.scratch ? TREE_ROOT : node.id, &total, &available,
				&files);
	if (r < 0) {
		reply_result(req, r);
		return;
	}
	st.f_blocks = total / st.f_frsize;
	st.f_bfree = st.f_bavail = available / st.f_frsize;
	/* Quotas limit what is made, and nothing the names: what watches `df -i` has to see room.
	 */
	st.f_ffree = st.f_favail = UINT32_MAX;
	st.f_files = files + st.f_ffree;
	fuse_reply_statfs(req, &st);
}
