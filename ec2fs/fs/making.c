/* Names that come and go: MKDIR, RMDIR, CREATE, MKNOD, UNLINK, SYMLINK, LINK. */
#include "ec2fs/fs/asker.h"
#include "ec2fs/fs/callers.h"
#include "ec2fs/fs/dismantling.h"
#include "ec2fs/fs/hidden.h"
#include "ec2fs/fs/invalidate.h"
#include "ec2fs/fs/maker.h"
#include "ec2fs/fs/names.h"
#include "ec2fs/fs/nodes.h"
#include "ec2fs/fs/open_file.h"
#include "ec2fs/fs/relinking.h"
#include "ec2fs/util/strbuf.h"

#include <fcntl.h>
#include <string.h>

static void reply_node(fuse_req_t req, const struct tree_node *node, tree_id dir, uint64_t since)
{
	struct fs *fs = fs_of(req);
	struct fuse_entry_param e;
	tree_id home;
	/* A snapshot that is made in its volume's directory is at home elsewhere: the name becomes
	 * a link. */
	bool elsewhere =
		S_ISDIR(node->mode) && tree_parent(fs->tree, node->id, &home) == 0 && home != dir;

	node_entry(fs, node, since, elsewhere || maker_at_work(fs, dir), &e);
	fuse_reply_entry(req, &e);
}

void fs_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct fs *fs = fs_of(req);
	struct tree_caller who = caller_of(req);
	uint64_t since = changes_now(fs);
	struct tree_node node;
	tree_id dir;
	int r = place_resolve(fs, parent, name, &dir);

	if (r < 0) {
		reply_result(req, r);
		return;
	}
	relinking_goes_on(fs, &who, dir, NULL);
	/* A fixed directory that its maker did not see is made by making it; so is what came with
	 * its resource. */
	r = tree_lookup(fs->tree, dir, name, &who, &node);
	if (r == 0 && S_ISDIR(node.mode) &&
	    (!(node.flags & TREE_RESOURCE) || node.flags & TREE_INBORN)) {
		unhide_name(fs, dir, name);
		maker_made(fs, dir, name);
	} else {
		who.copies = who.brings_time = maker_lives(fs, &who);
		r = tree_mkdir(fs->tree, dir, name, mode, &who, &node);
	}
	if (r < 0) {
		reply_result(req, r);
		return;
	}
	maker_begins(fs, node.id, &who);
	reply_node(req, &node, dir, since);
}

/* rm -r was refused: what it has passed, there and above, stays, and there is an error to be read.
 */
static void show_again(struct fs *fs, tree_id id, const struct tree_caller *who)
{
	do
		unhide_names_of(fs, id, who);
	while (id != TREE_ROOT && tree_parent(fs->tree, id, &id) == 0);
}

void fs_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fs *fs = fs_of(req);
	struct tree_caller who = caller_of(req);
	struct tree_node node = {0}, facts;
	tree_id dir;
	bool found, remembered;
	int r = place_resolve(fs, parent, name, &dir);

	if (r < 0) {
		reply_result(req, r);
		return;
	}
	relinking_goes_on(fs, &who, dir, NULL);
	found = tree_lookup(fs->tree, dir, name, &who, &node) == 0;
	/* by-id keeps a terminated instance for a while; not for who removes it there. */
	remembered = tree_stat(fs->tree, dir, &who, &facts) == 0 && (facts.flags & TREE_COMPUTED);
	/* rm -r of something above: what came with a VPC goes with it. */
	if (!found || !(node.flags & TREE_INBORN) || !asker_removes_below(who.pid)) {
		if (found && (node.flags & TREE_RESOURCE) && !remembered)
			r = dismantling_check(fs, &who, node.id);
		/* What rm -r leaves in a fixed directory is hidden from it. */
		if (r == 0 &&
		    !(found && !(node.flags & TREE_RESOURCE) && hides_names(fs, node.id) &&
		      dismantling_is_vain(fs, &who, dir, &node))) {
			r = tree_rmdir(fs->tree, dir, name, &who);
			if (r < 0 && found)
				show_again(fs, node.id, &who);
		}
	}
	if (r == 0 && found && (node.flags & TREE_RESOURCE))
		dismantling_done(fs, node.id);
	if (r == 0)
		dismantling_note(fs, &who, dir, &node);
	if (r == 0 && remembered)
		hide_name(fs, dir, name);
	reply_result(req, r);
}

/* A name that the directory does not know: a tool's temporary file, a tag, or a typing error. */
static int make_scratch(struct fs *fs, const struct tree_node *dir, const char *name, mode_t mode,
			int flags, const struct tree_caller *who, struct scratch **ret)
{
	bool temporary = (flags & O_ACCMODE) == O_RDWR && (flags & O_EXCL);
	/* tar holds the place of a link with a file that nobody may use. */
	bool place = (flags & O_EXCL) && (((dir->flags & TREE_COMPUTED) && name_is_id(name)) ||
					  ((dir->flags & TREE_LINKS) &&
					   (!(mode & 07777) || maker_is_itself(fs, dir->id, who))));
	struct strbuf hint cleanup_strbuf = STRBUF_INIT;
	struct ec2fs_error error;

	if (!name_is_probe(name) && (temporary || place || name_is_derived(fs, dir, name, who)))
		return scratch_make(fs, dir->id, name, SCRATCH_FILE, mode, who, NULL, ret);
	if (dir->flags & TREE_FREE_FILES)
		return scratch_make(fs, dir->id, name, SCRATCH_NEW, mode, who, NULL, ret);
	tree_suggest(fs->tree, dir->id, name, &hint);
	ec2fs_fail(&error, EC2_UnknownParameter, "there is no %s here%s%s", name,
		   hint.len ? "; " : "", strbuf_str(&hint));
	return tree_refuse(fs->tree, dir->id, name, who, NULL, 0, &error);
}

/* Opens the attribute of that name, which the maker or a recent unlink made to look absent. */
static int create_known(struct fs *fs, tree_id dir, const char *name, const struct tree_node *node,
			const struct tree_caller *who, uint64_t since, struct fuse_file_info *fi)
{
	bool copying = (fi->flags & O_EXCL) && maker_is(fs, dir, who);
	/* Whoever unlinks it first (mv, install, git) has seen it, and writes it. */
	bool unlinked = name_is_hidden(fs, dir, name);
	bool pretend =
		(copying && (node->flags & TREE_COMPUTED)) ||
		(copying && (node->flags & TREE_NOT_COPIED) && !unlinked) ||
		((node->flags & TREE_COMPUTED) && (unlinked || maker_is_itself(fs, dir, who)));

	if (S_ISDIR(node->mode))
		return -EISDIR;
	unhide_name(fs, dir, name);
	relinking_made(fs, dir, name);
	dismantling_undo(fs, node->id);
	if (copying)
		maker_copies(fs, dir);
	maker_made(fs, dir, name);
	if (!pretend) {
		struct tree_caller copier = *who;

		copier.copies = copying;
		fi->flags |= O_TRUNC;
		return open_node(fs, node, &copier, since, fi);
	}
	open_discarding(fs, node->id, who, fi);
	return 0;
}

void fs_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
	       struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct tree_caller who = caller_of(req);
	struct scratch *s cleanup_scratch = NULL;
	uint64_t since = changes_now(fs);
	struct fuse_entry_param e;
	struct tree_node node, dir;
	tree_id id;
	bool known;
	int r = place_resolve(fs, parent, name, &id);

	if (r == 0)
		r = tree_stat(fs->tree, id, &who, &dir);
	if (r < 0) {
		reply_result(req, r);
		return;
	}
	relinking_goes_on(fs, &who, id, name);
	s = scratch_find(fs, id, name, &who);
	/* (What is removed and remembered, by-id/i-…, is hidden from who removed it.) */
	known = !s && !((dir.flags & TREE_COMPUTED) && name_is_hidden(fs, id, name)) &&
		(tree_lookup(fs->tree, id, name, &who, &node) == 0 ||
		 /* What the original has at times, and its copy has not: computed, too. */
		 ((fi->flags & O_EXCL) && maker_is(fs, id, &who) &&
		  tree_lookup_absent(fs->tree, id, name, &who, &node) == 0));
	if (known && S_ISLNK(node.mode) && (fi->flags & O_EXCL) &&
	    (maker_is(fs, id, &who) || name_is_hidden(fs, id, name))) {
		/* tar holds the place of a link with a file. The link has come since the resource
		 * was made, and is not the maker's to see, or he has just unlinked it. */
		r = scratch_make(fs, id, name, SCRATCH_FILE, mode, &who, NULL, &s);
		if (r == 0) {
			open_scratch(fs, s, &who, fi);
			scratch_entry(s, &e);
		}
	} else if (known && S_ISLNK(node.mode)) {
		r = -EEXIST;
	} else if (known) {
		r = create_known(fs, id, name, &node, &who, since, fi);
		if (r == 0)
			node_entry(fs, &node, since, true, &e);
	} else {
		if (!s)
			r = make_scratch(fs, &dir, name, mode, fi->flags, &who, &s);
		if (r == 0) {
			open_scratch(fs, s, &who, fi);
			scratch_entry(s, &e);
		}
	}
	if (r < 0)
		reply_result(req, r);
	else if (fuse_reply_create(req, &e, fi) == -ENOENT)
		open_file_unref(fs, open_file_of(fi));
}

/* How an NFS server makes files: the flags of open are not known. */
void fs_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	struct fs *fs = fs_of(req);
	struct tree_caller who = caller_of(req);
	struct scratch *s cleanup_scratch = NULL;
	struct fuse_entry_param e;
	struct tree_node node, dir;
	uint64_t since = changes_now(fs);
	tree_id id;
	int r = place_resolve(fs, parent, name, &id);

	(void)rdev;
	if (r == 0 && !S_ISREG(mode))
		r = -EPERM;
	if (r == 0)
		r = tree_stat(fs->tree, id, &who, &dir);
	if (r == 0 && tree_lookup(fs->tree, id, name, &who, &node) == 0) {
		unhide_name(fs, id, name);
		reply_node(req, &node, id, since);
		return;
	}
	if (r == 0)
		r = make_scratch(fs, &dir, name, mode,
				 name_looks_temporary(name) ? O_RDWR | O_EXCL : O_WRONLY, &who, &s);
	if (r < 0) {
		reply_result(req, r);
		return;
	}
	scratch_entry(s, &e);
	fuse_reply_entry(req, &e);
}

/* False: it just became a file of the tree. */
static bool drop_scratch(struct fs *fs, struct scratch *s)
{
	pthread_mutex_t *lock = commit_lock(fs, scratch_dir(s));
	bool is;

	pthread_mutex_lock(lock);
	is = !scratch_became(s);
	if (is)
		scratch_drop(s);
	pthread_mutex_unlock(lock);
	return is;
}

/* What an unlink of that node does: it may stay, and not be seen by the caller for a moment. */
static int unlink_node(struct fs *fs, const struct tree_caller *who, tree_id dir, const char *name,
		       const struct tree_node *node)
{
	bool optional = node->flags & TREE_OPTIONAL, free = tree_is_free(node);
	int r = 0;

	/* rm -r: of what will not go, or what goes with the rest. */
	if (((free || optional) && !(node->flags & TREE_HOLDS) &&
	     dismantling_is_vain(fs, who, dir, node)) ||
	    ((node->flags & TREE_HELD) && asker_removes_below(who->pid))) {
		hide_name(fs, dir, name);
		return 0;
	}
	/* Perhaps it is made anew. */
	if ((S_ISLNK(node->mode) ? free : optional && !free) &&
	    relinking_unlinks(fs, who, dir, name))
		return 0;
	if (free && !optional)
		return tree_unlink(fs->tree, dir, name, who);
	/* An optional file that is always listed comes back empty; for who makes it anew it is
	 * gone. */
	if (optional)
		r = tree_unset(fs->tree, node->id, who);
	if (r == 0)
		hide_name(fs, dir, name);
	return r;
}

void fs_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fs *fs = fs_of(req);
	struct tree_caller who = caller_of(req);
	struct scratch *s cleanup_scratch = NULL;
	struct tree_node node;
	tree_id dir;
	int r = place_resolve(fs, parent, name, &dir);

	if (r == 0)
		s = scratch_find(fs, dir, name, &who);
	if (s) {
		bool dropped;

		/* Before it is gone, and its link with it. */
		relinking_is_due(fs, dir, name);
		dropped = drop_scratch(fs, s);
		/* tar makes the link now whose place it held. */
		if (dropped && tree_lookup(fs->tree, dir, name, &who, &node) == 0 &&
		    S_ISLNK(node.mode))
			hide_name(fs, dir, name);
		if (dropped) {
			reply_result(req, 0);
			return;
		}
	}
	if (r == 0)
		relinking_goes_on(fs, &who, dir, NULL);
	if (r == 0)
		r = tree_lookup(fs->tree, dir, name, &who, &node);
	if (r == 0)
		r = unlink_node(fs, &who, dir, name, &node);
	if (r == 0)
		dismantling_note(fs, &who, dir, &node);
	reply_result(req, r);
}

void fs_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	struct fs *fs = fs_of(req);
	struct tree_caller who = caller_of(req);
	struct scratch *s cleanup_scratch = NULL;
	uint64_t since = changes_now(fs);
	struct fuse_entry_param e;
	struct tree_node node, facts;
	bool left_out, again, temporary = name_is_link_temporary(name);
	tree_id dir;
	int r = place_resolve(fs, parent, name, &dir);

	if (r < 0) {
		reply_result(req, r);
		return;
	}
	r = tree_stat(fs->tree, dir, &who, &facts);
	if (r < 0) {
		reply_result(req, r);
		return;
	}
	relinking_goes_on(fs, &who, dir, name);
	again = unhide_name(fs, dir, name);
	again = relinking_made(fs, dir, name) || again;
	caller_fill_groups(&who);
	who.copies = maker_is_itself(fs, dir, &who);
	/* Links are places, not values: whoever copies a directory does not attach its volumes
	 * twice. In an archive's by-id they have other names now. */
	left_out = (who.copies && !(facts.flags & TREE_COPIED_LINKS)) ||
		   ((facts.flags & TREE_COMPUTED) && name_is_id(name) && maker_lives(fs, &who));
	/* Those that the copy's spec has made are there. */
	if (who.copies && tree_lookup(fs->tree, dir, name, &who, &node) == 0 &&
	    S_ISLNK(node.mode)) {
		maker_made(fs, dir, name);
	} else if (again && tree_lookup(fs->tree, dir, name, &who, &node) == 0 &&
		   S_ISLNK(node.mode) && !tree_is_free(&node)) {
		/* What it leads to is told here, and not chosen. */
		r = 0;
	} else if (temporary || left_out) {
		r = scratch_make(fs, dir, name, temporary ? SCRATCH_LINK : SCRATCH_COPIED_LINK,
				 0777, &who, target, &s);
		if (r == 0) {
			scratch_entry(s, &e);
			fuse_reply_entry(req, &e);
			return;
		}
	} else {
		r = tree_symlink(fs->tree, dir, name, target, again, &who, &node);
	}
	if (r < 0)
		reply_result(req, r);
	else
		reply_node(req, &node, dir, since);
}

void fs_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t new_parent, const char *new_name)
{
	(void)ino;
	(void)new_parent;
	(void)new_name;
	/* What has one place has one name; tools that try this first go on with a rename. */
	reply_result(req, -EPERM);
}
