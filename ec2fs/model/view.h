/*
 * A view: the cloud as one reader or one change sees it. A reader's view is what is published; a
 * change's view has, over that, the versions it staged itself. Nothing staged is seen by others,
 * and a view that is thrown away changed nothing: that is how a write is tried.
 */
#ifndef EC2FS_MODEL_VIEW_H
#define EC2FS_MODEL_VIEW_H

#include "ec2fs/model/resource.h"
#include "ec2fs/util/error.h"

struct cloud;

struct view {
	struct cloud *cloud;
	const struct view *base;  /* the view below; NULL: the published cloud */
	struct resource **staged; /* one version a resource, owned */
	size_t staged_count, staged_capacity;
	int64_t now; /* ns since the epoch: the time of this change */
	uid_t uid;   /* who changes; new resources are theirs */
	gid_t gid;
	/* Several attributes are set as one (spec): each is judged by itself, the whole at the
	 * end. */
	bool together;
	/* Whole resources are being copied, in whatever order: what a text names may come after
	 * it. */
	bool copies;
	bool trial;           /* will be thrown away: skip what is costly and cannot fail */
	const void *prepared; /* made before the change began, for its store function (keys.h); or
				 NULL */
};

/* Reading. Results are borrowed: valid as long as the view's lock is held (cloud_read) or, for
 * staged ones, until the view ends. */
const struct resource *view_get(const struct view *v, uint64_t number);
const struct resource *view_find(const struct view *v, uint64_t parent, enum kind kind,
				 const char *name);
const struct resource *view_by_id(const struct view *v, const char *id);
/* The child of that kind with the lowest number above `after`; NULL at the end. */
const struct resource *view_next(const struct view *v, uint64_t parent, enum kind kind,
				 uint64_t after);
/* By name among the parent's children of that kind, or by ID. */
const struct resource *view_refer(const struct view *v, uint64_t parent, enum kind kind,
				  const char *name_or_id);
/* The region that the resource is in or is; NULL for the root. */
const struct resource *view_region(const struct view *v, const struct resource *r);
/* What the resource was before this change; NULL: it is new. */
const struct resource *view_before(const struct view *v, uint64_t number);
size_t view_count(const struct view *v, uint64_t parent, enum kind kind);
/* The resource of that kind with the lowest number above `after` that is about that one
 * (resource_reference); NULL at the end. */
const struct resource *view_next_about(const struct view *v, uint64_t number, enum kind kind,
				       uint64_t after);
/* Who holds the public address, or NULL. */
const struct resource *view_by_public_ip(const struct view *v, const char *address);

#define view_each(v, parent_number, kind, r)                                                       \
	for (const struct resource *(r) = view_next((v), (parent_number), (kind), 0); (r);         \
	     (r) = view_next((v), (parent_number), (kind), (r)->number))

#define view_each_about(v, about_number, kind, r)                                                  \
	for (const struct resource *(r) = view_next_about((v), (about_number), (kind), 0); (r);    \
	     (r) = view_next_about((v), (about_number), (kind), (r)->number))

/* Changing. A view of a change only (cloud.h). */
/* A new resource with an ID of its kind, the mode 0755, owned by who changes. The name is the
 * caller's to check. */
struct resource *view_create(struct view *v, uint64_t parent, enum kind kind, const char *name);
/* The staged version of r, to be changed; the same one when called again. */
struct resource *view_edit(struct view *v, const struct resource *r);
/* Takes the resource and all below it away. */
void view_delete(struct view *v, const struct resource *r);
void view_rename(struct view *v, const struct resource *r, const char *name);

/* Sets a field of a staged resource; its mtime becomes now when the value is another one, or was
 * never written. */
void set_text(struct view *v, struct resource *r, const char *key, const char *text);
void set_data(struct view *v, struct resource *r, const char *key, const void *data, size_t len);
void set_format(struct view *v, struct resource *r, const char *key, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Sets a default: the value is there, but nobody wrote it (mtime 0). */
void set_default(struct resource *r, const char *key, const char *text);
/* Takes the value away. */
void unset(struct view *v, struct resource *r, const char *key);

/* Random text of n lowercase hexadecimal digits, added at out, with a NUL. */
void view_random_hex(struct view *v, char *out, size_t n);

/* For cloud.c. */
void view_end(struct view *v);
/* The version staged in v itself (deleted ones too), or NULL. */
struct resource *view_staged(const struct view *v, uint64_t number);
/* Puts a version (whose reference it takes) in place of the staged one. */
void view_stage(struct view *v, struct resource *r);

#endif
