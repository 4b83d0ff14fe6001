/* Names: what is made, removed, renamed and linked in directories. */
#include "ec2fs/tree/internal.h"

#include "ec2fs/model/kinds.h"
#include "ec2fs/model/refer.h"
#include "ec2fs/text/name.h"
#include "ec2fs/text/suggest.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <stdlib.h>
#include <string.h>

/* One operation on a name in a directory. */
struct naming {
	struct tree *tree;
	tree_id dir;
	const char *name;
	const struct tree_caller *who;
	mode_t mode;
	const char *text; /* create: the content; symlink: the target */
	size_t len;
	tree_id to; /* rename */
	const char *new_name;
	bool replace;
	uint64_t number; /* out: the resource made */
	tree_id made;
};

static int find_dir(const struct view *v, tree_id id, struct node *ret, struct ec2fs_error *error)
{
	int r = node_get(v, id, ret);

	if (r < 0)
		return ec2fs_fail_errno(error, ESTALE, EC2_InvalidParameterValue,
					"the directory was removed meanwhile");
	if (!ret->dir)
		return ec2fs_fail_errno(error, ENOTDIR, EC2_InvalidParameterValue,
					"this is no directory");
	return 0;
}

static int not_here(const struct node *d, const char *verb, struct ec2fs_error *error)
{
	return ec2fs_fail(error, EC2_OperationNotPermitted, "nothing can be %s in %s", verb,
			  d->dir->title);
}

static int make(struct view *v, void *context, struct ec2fs_error *error)
{
	struct naming *n = context;
	struct resource *made;
	struct node d, found;
	int r = find_dir(v, n->dir, &d, error);

	if (r < 0)
		return r;
	if (!d.dir->make)
		return not_here(&d, "made", error);
	if (!n->text && kind_ops(d.dir->child)->file)
		return ec2fs_fail(error, EC2_OperationNotPermitted,
				  "%s holds files, not directories", d.dir->title);
	if (node_lookup(n->tree, v, &d, n->name, n->who, &found) == 0)
		return ec2fs_fail(error, EC2_ResourceExists, "%s is there already", n->name);
	if (d.dir->child != KIND_TAG) {
		r = name_check(n->name, error);
		if (r < 0)
			return r;
	}
	r = d.dir->make(v, d.r, n->name, &made, error);
	if (r < 0)
		return r;
	r = owner_quota_check(v, made, error);
	if (r < 0)
		return r;
	made->mode = n->mode & 07777;
	n->number = made->number;
	if (n->who->brings_time)
		dir_times_hold(v, made);
	if (n->text) {
		const struct entry *file = kind_ops(made->kind)->file;

		return file->store(v, made, n->text, n->len, error);
	}
	return 0;
}

/* Tells the refusal; or what was made, and the last refusal there is over. */
static int finish(struct naming *n, int r, struct ec2fs_error *error, struct tree_node *ret)
{
	if (r < 0)
		return tree_refuse(n->tree, n->dir, n->name, n->who, n->text, n->len, error);
	tree_accept(n->tree, n->dir);
	if (ret)
		return tree_stat(n->tree, n->made ? n->made : node_resource_id(n->number), n->who,
				 ret);
	return 0;
}

int tree_mkdir(struct tree *t, tree_id dir, const char *name, mode_t mode,
	       const struct tree_caller *who, struct tree_node *ret)
{
	struct naming n = {.tree = t, .dir = dir, .name = name, .who = who, .mode = mode};
	struct actor actor = actor_of(who);
	struct ec2fs_error error = {0};

	return finish(&n, cloud_change(t->cloud, &actor, make, &n, &error), &error, ret);
}

int tree_create(struct tree *t, tree_id dir, const char *name, mode_t mode,
		const struct tree_caller *who, const void *data, size_t len, struct tree_node *ret)
{
	struct naming n = {.tree = t, .dir = dir, .name = name, .who = who, .mode = mode};
	struct actor actor = actor_of(who);
	struct ec2fs_error error = {0};
	cleanup_free char *text = NULL;
	int r = 0;

	if (len && ((const char *)data)[len - 1] == '\n')
		len--;
	if (len > SCALAR_MAX)
		r = ec2fs_fail(&error, EC2_ValueTooLong, "%zu bytes are too many", len);
	else if (memchr(data ? data : "", '\0', data ? len : 0))
		r = ec2fs_fail(&error, EC2_InvalidParameterValue, "there is a NUL byte in this");
	if (r == 0) {
		text = xasprintf("%.*s", (int)len, data ? (const char *)data : "");
		n.text = text;
		n.len = len;
		r = cloud_change(t->cloud, &actor, make, &n, &error);
	}
	return finish(&n, r, &error, ret);
}

static int drop(struct view *v, void *context, struct ec2fs_error *error)
{
	struct naming *n = context;
	struct node d, found;
	int r = find_dir(v, n->dir, &d, error);

	if (r < 0)
		return r;
	if (node_lookup(n->tree, v, &d, n->name, n->who, &found) < 0)
		return ec2fs_fail_errno(error, ENOENT, EC2_InvalidParameterValue, "there is no %s",
					n->name);
	n->made = found.id;
	if (found.links) {
		if (!found.links->drop)
			return not_here(&d, "removed", error);
		return found.links->drop(v, found.r, error);
	}
	if (found.entry && found.entry != kind_ops(found.r->kind)->file) {
		/* A fixed directory comes with its resource and goes with it; "rm -r" asks on its
		 * way. */
		const struct dir *dir = found.dir;

		/* What nobody makes, nobody has to remove (by-id). */
		if (!dir || dir->child == KIND_ROOT || (!dir->make && !dir->make_link))
			return 0;
		view_each (v, found.r->number, dir->child, child)
			if (!resource_is_inborn(v, child) && !resource_is_held(v, child) &&
			    (!dir->lists || dir->lists(child)))
				return ec2fs_fail(error, EC2_DependencyViolation, "%s is not empty",
						  n->name);
		return 0;
	}
	return kind_ops(found.r->kind)->remove(v, view_edit(v, found.r), error);
}

int tree_rmdir(struct tree *t, tree_id dir, const char *name, const struct tree_caller *who)
{
	struct naming n = {.tree = t, .dir = dir, .name = name, .who = who};
	struct actor actor = actor_of(who);
	struct ec2fs_error error = {0};
	int r = cloud_change(t->cloud, &actor, drop, &n, &error);

	/* The resource that was to go tells the story, not its collection. */
	if (r < 0 && n.made)
		return tree_refuse(t, n.made, NULL, who, NULL, 0, &error);
	return finish(&n, r, &error, NULL);
}

static int remove_it(struct view *v, void *context, struct ec2fs_error *error)
{
	tree_id *id = context;
	const struct kind_ops *ops;
	struct node n;

	if (node_get(v, *id, &n) < 0 || n.entry)
		return -ESTALE;
	ops = kind_ops(n.r->kind);
	return ops->remove ? ops->remove(v, view_edit(v, n.r), error) : 0;
}

bool tree_stays(struct tree *t, tree_id id, const struct tree_caller *who)
{
	struct actor actor = actor_of(who);
	struct ec2fs_error ignored = {0};

	return cloud_try(t->cloud, &actor, remove_it, &id, &ignored) < 0;
}

int tree_unlink(struct tree *t, tree_id dir, const char *name, const struct tree_caller *who)
{
	return tree_rmdir(t, dir, name, who);
}

static int rename_in(struct view *v, void *context, struct ec2fs_error *error)
{
	struct naming *n = context;
	struct node d, to, found, there;
	int r = find_dir(v, n->dir, &d, error);

	if (r == 0)
		r = find_dir(v, n->to, &to, error);
	if (r < 0)
		return r;
	if (node_lookup(n->tree, v, &d, n->name, n->who, &found) < 0)
		return ec2fs_fail_errno(error, ENOENT, EC2_InvalidParameterValue, "there is no %s",
					n->name);
	if (found.links || (found.entry && found.entry != kind_ops(found.r->kind)->file) ||
	    !kind_ops(found.r->kind)->rename)
		return ec2fs_fail(error, EC2_OperationNotPermitted, "%s has a name of its own",
				  n->name);
	if (n->dir != n->to)
		return ec2fs_fail(error, EC2_OperationNotPermitted,
				  "%s cannot move out of %s; cp makes it again elsewhere", n->name,
				  d.dir->title);
	if (found.r->kind != KIND_TAG) {
		r = name_check(n->new_name, error);
		if (r < 0)
			return r;
	}
	if (node_lookup(n->tree, v, &to, n->new_name, n->who, &there) == 0) {
		if (there.r == found.r)
			return 0;
		if (!n->replace || found.r->kind != KIND_TAG)
			return ec2fs_fail(error, EC2_ResourceExists, "%s is there already",
					  n->new_name);
		view_delete(v, there.r);
	}
	return kind_ops(found.r->kind)->rename(v, view_edit(v, found.r), n->new_name, error);
}

int tree_rename(struct tree *t, tree_id from, const char *name, tree_id to, const char *new_name,
		bool replace, const struct tree_caller *who)
{
	struct naming n = {.tree = t,
			   .dir = from,
			   .name = name,
			   .to = to,
			   .new_name = new_name,
			   .replace = replace,
			   .who = who};
	struct actor actor = actor_of(who);
	struct ec2fs_error error = {0};

	return finish(&n, cloud_change(t->cloud, &actor, rename_in, &n, &error), &error, NULL);
}

/* A part of a link's target is not there: the resource that it names, or the way to it. */
static int leads_nowhere(const struct view *v, const struct node *from, const struct node *at,
			 const char *part, const char *target, struct ec2fs_error *error)
{
	static const struct {
		enum kind kind;
		enum ec2_code code;
	} linked[] = {{KIND_VOLUME, EC2_InvalidVolume_NotFound},
		      {KIND_SECURITY_GROUP, EC2_InvalidGroup_NotFound},
		      {KIND_ADDRESS, EC2_InvalidAllocationID_NotFound}};
	const char *last = from->dir ? strrchr(from->dir->title, '/') : NULL;
	const struct resource *found;

	for (size_t i = 0; at->dir && i < sizeof(linked) / sizeof(linked[0]); i++)
		if (at->dir->child == linked[i].kind && at->r->kind == KIND_REGION) {
			int r = refer(v, at->r->number, linked[i].kind, linked[i].code, part,
				      &found, error);

			return r < 0 ? r
				     : ec2fs_fail_errno(error, ENOENT, linked[i].code,
							"%s is an ID; link to its name, %s", part,
							found->name);
		}
	return ec2fs_fail_errno(error, ENOENT, EC2_InvalidParameterValue,
				"%s leads nowhere, seen from the link; write ../../..%s/NAME",
				target, last ? last : "");
}

/* The resource that a relative target means, seen from the directory. */
static int resolve(struct tree *t, const struct view *v, const struct node *from,
		   const char *target, const struct tree_caller *who, struct node *ret,
		   struct ec2fs_error *error)
{
	cleanup_free char *copy = xstrdup(target);
	char *save = NULL;

	*ret = *from;
	if (*target == '/')
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "%s: the target must be relative, such as ../../../volumes/data",
				  target);
	for (char *part = strtok_r(copy, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
		struct node next;

		if (strcmp(part, ".") == 0)
			continue;
		if (strcmp(part, "..") == 0) {
			if (node_get(v, node_parent(v, ret), &next) < 0)
				return -ESTALE;
		} else if (node_lookup(t, v, ret, part, who, &next) < 0) {
			return leads_nowhere(v, from, ret, part, target, error);
		}
		*ret = next;
	}
	return 0;
}

/* Does the link, which is there, lead to the target? */
static bool leads_to(struct naming *n, const struct view *v, const struct node *d,
		     const struct node *link, const struct node *target)
{
	struct strbuf path cleanup_strbuf = STRBUF_INIT;
	struct ec2fs_error ignored;
	struct node is;

	if (link->links)
		return link->r == target->r;
	node_show(n->tree, v, link, n->who, &path);
	return resolve(n->tree, v, d, strbuf_str(&path), n->who, &is, &ignored) == 0 &&
	       is.id == target->id;
}

static int link_to(struct view *v, void *context, struct ec2fs_error *error)
{
	struct naming *n = context;
	struct node d, target, is;
	int r = find_dir(v, n->dir, &d, error);

	if (r < 0)
		return r;
	if (!d.dir->make_link && (!d.dir->links || !d.dir->links->make))
		return not_here(&d, "linked", error);
	r = resolve(n->tree, v, &d, n->text, n->who, &target, error);
	if (r < 0)
		return r;
	if (node_lookup(n->tree, v, &d, n->name, n->who, &is) == 0) {
		if (!n->replace)
			return ec2fs_fail(error, EC2_ResourceExists, "%s is taken", n->name);
		n->made = is.id;
		if (leads_to(n, v, &d, &is, &target))
			return 0;
		/* Both or neither: what is there stays when the new one is refused. */
		r = drop(v, n, error);
		n->made = 0;
		if (r < 0)
			return r;
	}
	if (d.dir->make_link) {
		struct resource *made;

		if (target.entry)
			return ec2fs_fail(error, EC2_InvalidParameterValue,
					  "%s is no resource's directory", n->text);
		r = d.dir->make_link(v, d.r, n->name, target.r, &made, error);
		if (r == 0)
			n->number = made->number;
		return r;
	}
	n->made = node_link_id(d.dir->links, target.r->number);
	return d.dir->links->make(v, view_edit(v, d.r), n->name, target.r, error);
}

int tree_symlink(struct tree *t, tree_id dir, const char *name, const char *target, bool replace,
		 const struct tree_caller *who, struct tree_node *ret)
{
	struct naming n = {.tree = t,
			   .dir = dir,
			   .name = name,
			   .who = who,
			   .replace = replace,
			   .text = target,
			   .len = strlen(target)};
	struct actor actor = actor_of(who);
	struct ec2fs_error error = {0};

	return finish(&n, cloud_change(t->cloud, &actor, link_to, &n, &error), &error, ret);
}

void tree_suggest(struct tree *t, tree_id dir, const char *name, struct strbuf *out)
{
	struct view v = cloud_read(t->cloud);
	const char *names[128];
	size_t count = 0;
	struct node d;
	const char *near;

	if (node_get(&v, dir, &d) == 0 && d.dir)
		for (const struct entry *e = d.dir->entries; e && e->name && count < 128; e++)
			names[count++] = e->name;
	cloud_read_end(t->cloud);
	near = suggest(name, names, count);
	if (near)
		strbuf_addf(out, "did you mean %s?", near);
}
