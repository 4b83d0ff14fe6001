/*
 * RENAME: the moment at which a temporary file becomes the value (sed -i, rsync, Ansible, editors),
 * at which an attribute is kept as a copy (f to f~), and at which a resource gets another name.
 */
#include "ec2fs/fs/callers.h"
#include "ec2fs/fs/hidden.h"
#include "ec2fs/fs/invalidate.h"
#include "ec2fs/fs/maker.h"
#include "ec2fs/fs/names.h"
#include "ec2fs/fs/nodes.h"
#include "ec2fs/fs/relinking.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/strbuf.h"

#include <stdio.h>
#include <string.h>

struct renaming {
	struct fs *fs;
	struct tree_caller who;
	tree_id from, to;
	const char *name, *new_name;
	bool replace;
};

static int refuse(const struct renaming *x, const char *message)
{
	struct ec2fs_error error;

	ec2fs_fail(&error, EC2_OperationNotPermitted, "%s", message);
	return tree_refuse(x->fs->tree, x->from, x->name, &x->who, NULL, 0, &error);
}

/* Mode, owner and time that the tool gave its temporary file are the value's. */
static void carry_meta(const struct renaming *x, struct scratch *s, tree_id id)
{
	struct tree_meta meta = scratch_meta(s);

	if (meta.set)
		tree_set_meta(x->fs->tree, id, &x->who, &meta);
}

/* What rsync brings of an original's IDs and states; and what would act, before the copy is whole.
 */
static bool is_passed_over(const struct renaming *x, struct scratch *s,
			   const struct tree_node *node)
{
	cleanup_free char *name = scratch_name(s);

	if (node->flags & TREE_COMPUTED)
		return x->who.copies || (name && name_is_rsync_temporary(name, x->new_name));
	return x->who.copies && node->flags & TREE_NOT_COPIED;
}

static int become_attribute(const struct renaming *x, struct scratch *s,
			    const struct tree_node *node)
{
	struct strbuf text cleanup_strbuf = STRBUF_INIT;
	int r;

	if (S_ISDIR(node->mode))
		return -EISDIR;
	if (is_passed_over(x, s, node)) {
		if (!(node->flags & TREE_COMPUTED))
			carry_meta(x, s, node->id);
		return 0;
	}
	if (node->flags & TREE_COMPUTED) {
		struct ec2fs_error error;

		ec2fs_fail(&error, EC2_UnauthorizedOperation,
			   "it tells what is, and cannot be written");
		return tree_refuse(x->fs->tree, node->id, NULL, &x->who, NULL, 0, &error);
	}
	/* Renamed away and back, by an editor that could not write: nothing happened. */
	if (scratch_is_copy(s, node->id, &x->who)) {
		r = 0;
	} else if (node->flags & TREE_BLOB) {
		r = scratch_commit_blob(s, node->id, &x->who);
	} else {
		r = scratch_content(s, node->max + 1, &text);
		if (r == 0)
			r = tree_store(x->fs->tree, node->id, &x->who, strbuf_str(&text), text.len);
	}
	if (r < 0)
		return r;
	carry_meta(x, s, node->id);
	return 0;
}

static int become_free_file(const struct renaming *x, struct scratch *s, tree_id *ret)
{
	struct strbuf text cleanup_strbuf = STRBUF_INIT;
	struct tree_node made;
	struct stat st;
	int r = scratch_content(s, 4097, &text);

	if (r < 0)
		return r;
	scratch_stat(s, &st);
	/* mkstemp's 0600 is its caution, not its wish. */
	r = tree_create(x->fs->tree, x->to, x->new_name,
			scratch_meta(s).set & TREE_SET_MODE ? st.st_mode & 07777 : 0644, &x->who,
			strbuf_str(&text), text.len, &made);
	if (r < 0)
		return r;
	carry_meta(x, s, made.id);
	*ret = made.id;
	return 0;
}

/* ln -sf: the temporary link replaces what is there. */
static int become_link(const struct renaming *x, struct scratch *s)
{
	struct strbuf target cleanup_strbuf = STRBUF_INIT;
	struct tree_node node;
	int r = scratch_content(s, 4096, &target);

	if (r == 0)
		r = tree_symlink(x->fs->tree, x->to, x->new_name, strbuf_str(&target), true,
				 &x->who, &node);
	if (r < 0)
		return r;
	scratch_become(s, node.id);
	/* Where it pointed there already nothing else tells the kernel. */
	invalidate_entry(x->fs, x->to, x->new_name);
	return 0;
}

static int rename_scratch(const struct renaming *x, struct scratch *s)
{
	struct tree_node node, dir;
	tree_id id = 0;
	int r;

	if (scratch_kind(s) == SCRATCH_LINK)
		return become_link(x, s);
	r = tree_lookup(x->fs->tree, x->to, x->new_name, &x->who, &node);
	if (r == -ENOENT && x->who.copies)
		r = tree_lookup_absent(x->fs->tree, x->to, x->new_name, &x->who, &node);
	if (r == 0) {
		r = become_attribute(x, s, &node);
		id = node.id;
	} else {
		r = tree_stat(x->fs->tree, x->to, &x->who, &dir);
		if (r < 0)
			return r;
		if (name_is_derived(x->fs, &dir, x->new_name, &x->who)) {
			scratch_move(s, x->to, x->new_name);
			return 0;
		}
		if (!(dir.flags & TREE_FREE_FILES)) {
			struct strbuf hint cleanup_strbuf = STRBUF_INIT;
			struct ec2fs_error error;

			tree_suggest(x->fs->tree, x->to, x->new_name, &hint);
			ec2fs_fail(&error, EC2_UnknownParameter, "there is no %s here%s%s",
				   x->new_name, hint.len ? "; " : "", strbuf_str(&hint));
			return tree_refuse(x->fs->tree, x->to, x->new_name, &x->who, NULL, 0,
					   &error);
		}
		r = become_free_file(x, s, &id);
	}
	if (r < 0)
		return r;
	unhide_name(x->fs, x->to, x->new_name);
	maker_made(x->fs, x->to, x->new_name);
	/* The kernel now has the scratch file's number under the name: it means the attribute, and
	 * is asked for anew. */
	scratch_become(s, id);
	invalidate_entry(x->fs, x->to, x->new_name);
	return 0;
}

/* An attribute renamed to a copy's name: the copy is a scratch file, the attribute keeps its value.
 */
static int keep_copy(const struct renaming *x, const struct tree_node *node)
{
	struct strbuf text cleanup_strbuf = STRBUF_INIT;
	struct scratch *s cleanup_scratch = NULL, *old cleanup_scratch = NULL;
	uint64_t size;
	int fd, r;

	old = scratch_find(x->fs, x->to, x->new_name, &x->who);
	if (old)
		scratch_drop(old);
	r = scratch_make(x->fs, x->to, x->new_name, SCRATCH_FILE, node->mode, &x->who, NULL, &s);
	if (r < 0)
		return r;
	if (node->flags & TREE_BLOB) {
		r = tree_blob_open(x->fs->tree, node->id, NULL, &fd, &size);
		if (r == 0)
			scratch_copy_file(s, node->id, fd, size);
		r = r == -ENODATA ? 0 : r;
	} else {
		r = tree_show(x->fs->tree, node->id, &x->who, &text);
		if (r == 0)
			scratch_copy_text(s, node->id, strbuf_str(&text), text.len);
	}
	if (r < 0) {
		scratch_drop(s);
		return r;
	}
	node_rename_away(x->fs, node->id, s);
	hide_name(x->fs, x->from, x->name);
	return 0;
}

static int rename_node(const struct renaming *x)
{
	struct tree_node node, dir;
	int r = tree_lookup(x->fs->tree, x->from, x->name, &x->who, &node);

	if (r == 0)
		r = tree_stat(x->fs->tree, x->to, &x->who, &dir);
	if (r < 0)
		return r;
	if (S_ISREG(node.mode) && x->from == x->to &&
	    name_is_derived(x->fs, &dir, x->new_name, &x->who))
		return keep_copy(x, &node);
	if ((node.flags & TREE_RESOURCE) || tree_is_free(&node))
		return tree_rename(x->fs->tree, x->from, x->name, x->to, x->new_name, x->replace,
				   &x->who);
	return refuse(x, "an attribute has its name and its place; copy its value with cp");
}

void fs_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
	       const char *new_name, unsigned int flags)
{
	struct renaming x = {.fs = fs_of(req),
			     .who = caller_of(req),
			     .name = name,
			     .new_name = new_name,
			     .replace = !(flags & RENAME_NOREPLACE)};
	struct scratch *s cleanup_scratch = NULL;
	int r = flags & ~(unsigned)RENAME_NOREPLACE ? -EINVAL : 0;

	if (r == 0)
		r = place_resolve(x.fs, parent, name, &x.from);
	if (r == 0)
		r = place_resolve(x.fs, new_parent, new_name, &x.to);
	if (r == 0) {
		relinking_goes_on(x.fs, &x.who, x.to, NULL);
		caller_fill_groups(&x.who);
		x.who.copies = maker_lives(x.fs, &x.who);
		s = scratch_find(x.fs, x.from, name, &x.who);
		x.who.brings_time = s && scratch_meta(s).set & TREE_SET_MTIME;
		r = s ? rename_scratch(&x, s) : rename_node(&x);
	}
	reply_result(req, r);
}
