#include "ec2fs/model/index.h"

#include "ec2fs/util/memory.h"
#include "ec2fs/util/table.h"

#include <stdlib.h>
#include <string.h>

/* The children of one kind, in the order they were made. */
struct children {
	uint64_t *numbers;
	size_t count, capacity;
	int64_t mtime;
};

struct slot {
	uint64_t number;
	struct resource
		*r; /* NULL: gone, kept for its children's times (a parent that never was) */
	struct children *children; /* KIND_COUNT of them, or NULL */
	struct children *about;    /* those that are about it, likewise */
};

struct index {
	struct table by_number, by_name, by_id, by_public_ip; /* of struct slot */
};

struct name_key {
	uint64_t parent;
	enum kind kind;
	const char *name;
};

static bool same_number(const void *item, const void *key)
{
	return ((const struct slot *)item)->number == *(const uint64_t *)key;
}

static bool same_id(const void *item, const void *key)
{
	return strcmp(((const struct slot *)item)->r->id, key) == 0;
}

static bool same_name(const void *item, const void *key)
{
	const struct resource *r = ((const struct slot *)item)->r;
	const struct name_key *k = key;

	return r->parent == k->parent && r->kind == k->kind && strcmp(r->name, k->name) == 0;
}

static bool same_public_ip(const void *item, const void *key)
{
	const char *address = resource_public_ip(((const struct slot *)item)->r);

	return address && strcmp(address, key) == 0;
}

static uint64_t name_hash(uint64_t parent, enum kind kind, const char *name)
{
	return hash_str(name, parent * KIND_COUNT + kind);
}

struct index *index_new(void)
{
	return xnew(struct index);
}

static void children_free(struct children *all)
{
	for (int k = 0; all && k < KIND_COUNT; k++)
		free(all[k].numbers);
	free(all);
}

static void slot_free(struct slot *s)
{
	children_free(s->children);
	children_free(s->about);
	free(s);
}

void index_free(struct index *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->by_number.capacity; i++) {
		struct slot *s = x->by_number.cells[i].item;

		if (!s)
			continue;
		resource_unref(s->r);
		slot_free(s);
	}
	table_free(&x->by_number);
	table_free(&x->by_name);
	table_free(&x->by_id);
	table_free(&x->by_public_ip);
	free(x);
}

static struct slot *slot_get(const struct index *x, uint64_t number)
{
	return table_find(&x->by_number, hash_u64(number), same_number, &number);
}

static struct slot *slot_make(struct index *x, uint64_t number)
{
	struct slot *s = slot_get(x, number);

	if (!s) {
		s = xnew(struct slot);
		s->number = number;
		table_add(&x->by_number, hash_u64(number), s);
	}
	return s;
}

const struct resource *index_get(const struct index *x, uint64_t number)
{
	const struct slot *s = slot_get(x, number);

	return s ? s->r : NULL;
}

const struct resource *index_find(const struct index *x, uint64_t parent, enum kind kind,
				  const char *name)
{
	struct name_key key = {parent, kind, name};
	const struct slot *s =
		table_find(&x->by_name, name_hash(parent, kind, name), same_name, &key);

	return s ? s->r : NULL;
}

const struct resource *index_by_id(const struct index *x, const char *id)
{
	const struct slot *s = table_find(&x->by_id, hash_str(id, 0), same_id, id);

	return s ? s->r : NULL;
}

const struct resource *index_by_public_ip(const struct index *x, const char *address)
{
	const struct slot *s =
		table_find(&x->by_public_ip, hash_str(address, 0), same_public_ip, address);

	return s ? s->r : NULL;
}

/* Where number is in the sorted array, or where it would be. */
static size_t position(const struct children *c, uint64_t number)
{
	size_t low = 0, high = c->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c->numbers[middle] < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static uint64_t next_in(const struct children *all, enum kind kind, uint64_t after)
{
	const struct children *c = all ? &all[kind] : NULL;
	size_t i = c ? position(c, after + 1) : 0;

	return c && i < c->count ? c->numbers[i] : 0;
}

uint64_t index_next(const struct index *x, uint64_t parent, enum kind kind, uint64_t after)
{
	const struct slot *s = slot_get(x, parent);

	return s ? next_in(s->children, kind, after) : 0;
}

uint64_t index_next_about(const struct index *x, uint64_t number, enum kind kind, uint64_t after)
{
	const struct slot *s = slot_get(x, number);

	return s ? next_in(s->about, kind, after) : 0;
}

size_t index_count(const struct index *x, uint64_t parent, enum kind kind)
{
	const struct slot *s = slot_get(x, parent);

	return s && s->children ? s->children[kind].count : 0;
}

int64_t index_children_mtime(const struct index *x, uint64_t parent, enum kind kind)
{
	const struct slot *s = slot_get(x, parent);

	return s && s->children ? s->children[kind].mtime : 0;
}

static struct children *children_of(struct index *x, const struct resource *r)
{
	struct slot *parent = slot_make(x, r->parent);

	if (!parent->children)
		parent->children = xcalloc(KIND_COUNT, sizeof(*parent->children));
	return &parent->children[r->kind];
}

static void number_add(struct children *c, uint64_t number)
{
	size_t i = position(c, number);

	array_reserve(c->numbers, c->count, c->capacity);
	memmove(c->numbers + i + 1, c->numbers + i, (c->count - i) * sizeof(*c->numbers));
	c->numbers[i] = number;
	c->count++;
}

static void number_remove(struct children *c, uint64_t number)
{
	size_t i = position(c, number);

	if (i == c->count || c->numbers[i] != number)
		return;
	memmove(c->numbers + i, c->numbers + i + 1, (c->count - i - 1) * sizeof(*c->numbers));
	c->count--;
}

/* r is about another resource than its version before was. */
static void refile_about(struct index *x, const struct resource *was, const struct resource *is)
{
	uint64_t old = was ? resource_reference(was) : NO_NUMBER;
	uint64_t new = is ? resource_reference(is) : NO_NUMBER;
	struct slot *s;

	if (old == new)
		return;
	s = old != NO_NUMBER ? slot_get(x, old) : NULL;
	if (s && s->about)
		number_remove(&s->about[was->kind], was->number);
	if (new == NO_NUMBER)
		return;
	s = slot_make(x, new);
	if (!s->about)
		s->about = xcalloc(KIND_COUNT, sizeof(*s->about));
	number_add(&s->about[is->kind], is->number);
}

/* Before the slot has its new version, and after. */
static void public_ip_remove(struct index *x, const struct resource *was)
{
	const char *address = was ? resource_public_ip(was) : NULL;

	if (address)
		table_remove(&x->by_public_ip, hash_str(address, 0), same_number, &was->number);
}

static void public_ip_add(struct index *x, struct slot *s)
{
	const char *address = resource_public_ip(s->r);

	if (address)
		table_add(&x->by_public_ip, hash_str(address, 0), s);
}

/* A change is seen in the times of all directories above it. */
static void touch_above(struct index *x, const struct resource *r)
{
	int64_t when = r->mtime;

	while (r && r->kind != KIND_ROOT) {
		struct children *c = children_of(x, r);

		if (c->mtime < when)
			c->mtime = when;
		r = index_get(x, r->parent);
	}
}

struct resource *index_publish(struct index *x, struct resource *r)
{
	struct slot *s = slot_make(x, r->number);
	struct resource *old = s->r;
	bool is_child = r->kind != KIND_ROOT;

	if (old) {
		/* By its number: in one commit a name may pass from one resource to another. */
		table_remove(&x->by_name, name_hash(old->parent, old->kind, old->name), same_number,
			     &old->number);
		if (r->deleted && *old->id)
			table_remove(&x->by_id, hash_str(old->id, 0), same_id, old->id);
	}
	touch_above(x, r);
	refile_about(x, old, r->deleted ? NULL : r);
	public_ip_remove(x, old);
	if (r->deleted) {
		if (old && is_child)
			number_remove(children_of(x, old), r->number);
		s->r = NULL;
		table_remove(&x->by_number, hash_u64(r->number), same_number, &r->number);
		slot_free(s);
		return old;
	}
	s->r = resource_ref(r);
	public_ip_add(x, s);
	table_add(&x->by_name, name_hash(r->parent, r->kind, r->name), s);
	if (!old) {
		if (*r->id)
			table_add(&x->by_id, hash_str(r->id, 0), s);
		if (is_child)
			number_add(children_of(x, r), r->number);
	}
	return old;
}
