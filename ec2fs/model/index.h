/*
 * The published cloud: the current version of every resource, found by number, by ID, by name and
 * by parent. Guarded by cloud.c's lock: many readers, or the one who publishes.
 */
#ifndef EC2FS_MODEL_INDEX_H
#define EC2FS_MODEL_INDEX_H

#include "ec2fs/model/resource.h"

struct index;

struct index *index_new(void);
void index_free(struct index *x);

const struct resource *index_get(const struct index *x, uint64_t number);
const struct resource *index_find(const struct index *x, uint64_t parent, enum kind kind,
				  const char *name);
const struct resource *index_by_id(const struct index *x, const char *id);
/* The number of the first child above `after`, or 0. */
uint64_t index_next(const struct index *x, uint64_t parent, enum kind kind, uint64_t after);
size_t index_count(const struct index *x, uint64_t parent, enum kind kind);
/* The number of the first resource of that kind above `after` that is about `number`
 * (resource_reference), or 0. */
uint64_t index_next_about(const struct index *x, uint64_t number, enum kind kind, uint64_t after);
/* Who holds the public address (resource_public_ip), or NULL. */
const struct resource *index_by_public_ip(const struct index *x, const char *address);
/* When a child of that kind last changed, came or went: ns, 0 for never. */
int64_t index_children_mtime(const struct index *x, uint64_t parent, enum kind kind);

/* Puts the version in place of the published one of its number (taking one reference) or, when it
 * is marked deleted, takes that away. Returns the version that was, whose reference passes to the
 * caller; NULL for a new one. */
struct resource *index_publish(struct index *x, struct resource *r);

#endif
