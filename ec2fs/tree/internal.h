/* What the files of tree share. */
#ifndef EC2FS_TREE_INTERNAL_H
#define EC2FS_TREE_INTERNAL_H

#include "ec2fs/engine/engine.h"
#include "ec2fs/store/blobs.h"
#include "ec2fs/tree/entry.h"
#include "ec2fs/tree/events.h"
#include "ec2fs/tree/refusals.h"
#include "ec2fs/tree/shown_times.h"

struct tree {
	struct cloud *cloud;
	struct engine *engine; /* NULL in tests of the tree alone */
	struct blobs *blobs;
	struct refusals *refusals;
	struct events *events;
	struct shown_times *shown_times;
	tree_watch_fn *watch; /* set once, before the first request */
	void *watch_context;
};

static inline struct actor actor_of(const struct tree_caller *who)
{
	return (struct actor){.uid = who->uid,
			      .gid = who->gid,
			      .group_count = who->group_count,
			      .groups = who->groups,
			      .copies = who->copies};
}

/* A node found in the tables. */
struct node {
	const struct resource *r;  /* for a link: the resource that it stands for */
	const struct entry *entry; /* NULL: the resource itself */
	const struct dir *dir;     /* of a directory */
	const struct links *links; /* of a link in links */
	tree_id id;
};

/* The identity of an entry of a resource: its name's hash, or its order, beside the resource's
 * number. By its name alone where it has no order. */
tree_id node_id(uint64_t number, const char *entry_name);
tree_id node_entry_id(uint64_t number, const struct entry *e);
tree_id node_resource_id(uint64_t number);
tree_id node_link_id(const struct links *links, uint64_t number);
/* The other way round, from an identity's lower 16 bits; NULL: there is no such entry. */
const struct entry *entry_by_number(enum kind kind, uint16_t number);
const struct links *links_by_number(uint16_t number);

/* nodes.c: the way down. All of these under cloud_read. */

/* -ESTALE when there is no such node. */
int node_get(const struct view *v, tree_id id, struct node *ret);
/* The same for who changes it, with the story. */
static inline int node_need(const struct view *v, tree_id id, struct node *ret,
			    struct ec2fs_error *error)
{
	return node_get(v, id, ret) == 0
		       ? 0
		       : ec2fs_fail_errno(error, ESTALE, EC2_InvalidParameterValue,
					  "it was removed meanwhile");
}
/* -ENOENT, -ENOTDIR. */
int node_lookup(struct tree *t, const struct view *v, const struct node *dir, const char *name,
		const struct tree_caller *who, struct node *ret);
/* An entry of the directory's table; -ENOENT when it is not there now. */
int node_fixed(struct tree *t, const struct view *v, const struct node *dir, const struct entry *e,
	       const struct tree_caller *who, struct node *ret);
/* A file or link of the directory's table, there now or not. -ENOENT. */
int node_lookup_absent(const struct node *dir, const char *name, struct node *ret);
/* Did the resource come with the one above? */
bool resource_is_inborn(const struct view *v, const struct resource *r);
bool resource_is_held(const struct view *v, const struct resource *r);

/* node_paths.c: the way up. */

/* The fixed directory that lists children of that kind, or NULL when the resource itself does. */
const struct entry *collection_entry(enum kind parent, enum kind child);
/* The one that lists the resource; NULL: the parent itself does. */
const struct entry *collection_entry_of(const struct resource *r);
/* The directory that lists resources of that kind below their parent. */
tree_id collection_id(const struct resource *r);
/* The fixed directory of r whose table has the entry; NULL: r's own has it. */
const struct entry *entry_holder(const struct resource *r, const struct entry *entry);
/* The directory that holds it. */
tree_id node_parent(const struct view *v, const struct node *n);
/* "us-east-1/instances/web-1", without a slash at either end. */
void resource_path(const struct view *v, const struct resource *r, struct strbuf *out);
void node_path(const struct view *v, const struct node *n, struct strbuf *out);
/* The relative path from where the link is to the resource. */
void node_path_to(const struct view *v, const struct node *link, const struct resource *target,
		  struct strbuf *out);

/* node_attributes.c: what it shows, and what stat(2) says of it. */

void node_show(struct tree *t, const struct view *v, const struct node *n,
	       const struct tree_caller *who, struct strbuf *out);
void node_fill(struct tree *t, const struct view *v, const struct node *n,
	       const struct tree_caller *who, struct tree_node *ret);
/* Of a file all but its size: nothing is rendered. */
void node_fill_unsized(struct tree *t, const struct view *v, const struct node *n,
		       const struct tree_caller *who, struct tree_node *ret);
/* Identity and mode only. */
void node_fill_brief(const struct node *n, struct tree_node *ret);

/* The content of a snapshot, imported or taken; as tree_blob_open(). */
int snapshot_open(struct tree *t, uint64_t number, struct luks **ret_luks, int *ret_fd,
		  uint64_t *ret_size);
bool snapshot_blocks(struct tree *t, uint64_t number, uint64_t *ret);

/* The watcher of the cloud (watch.c). */
cloud_watch_fn tree_cloud_changed;
void tree_tell(struct tree *t, enum tree_event event, tree_id id, tree_id parent, const char *name);
/* Tells that what the node shows changed, though no field of its own did. */
void tree_tell_shown(struct tree *t, tree_id id);
/* After a change at the node that succeeded: the story in `error` there is over. Without locks. */
void tree_accept(struct tree *t, tree_id id);

/* The field that tells when somebody set the mtime of a resource's directory; a fixed directory's
 * is called like it. ns since the epoch. */
#define DIR_TIME_SET "@time-set"
/* Fills in mtime; f is the fixed directory's field, NULL: none. (dir_times.c) */
void node_fill_dir_time(struct tree *t, const struct node *n, const struct field *f,
			struct tree_node *ret);
/* The mtime of a directory of r, by its key, is set in this change. */
void dir_time_is_set(const struct view *v, struct resource *r, const char *key);
/* This change of r lets the times that were set on directories above stand. */
void dir_times_hold(struct view *v, const struct resource *r);

#endif
