#include "ec2fs/model/view.h"

#include "ec2fs/model/cloud.h"
#include "ec2fs/model/index.h"
#include "ec2fs/util/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct resource *view_staged(const struct view *v, uint64_t number)
{
	for (size_t i = v->staged_count; i-- > 0;)
		if (v->staged[i]->number == number)
			return v->staged[i];
	return NULL;
}

/* The version nearest to the top, deleted ones too. */
static const struct resource *top_version(const struct view *v, uint64_t number)
{
	for (const struct view *w = v; w; w = w->base) {
		struct resource *r = view_staged(w, number);

		if (r)
			return r;
	}
	return index_get(cloud_index(v->cloud), number);
}

const struct resource *view_get(const struct view *v, uint64_t number)
{
	const struct resource *r = top_version(v, number);

	return r && !r->deleted ? r : NULL;
}

const struct resource *view_before(const struct view *v, uint64_t number)
{
	const struct resource *r =
		v->base ? top_version(v->base, number) : index_get(cloud_index(v->cloud), number);

	return r && !r->deleted ? r : NULL;
}

static bool answers_to(const struct resource *r, uint64_t parent, enum kind kind, const char *name)
{
	return !r->deleted && r->parent == parent && r->kind == kind && strcmp(r->name, name) == 0;
}

const struct resource *view_find(const struct view *v, uint64_t parent, enum kind kind,
				 const char *name)
{
	const struct resource *r;

	for (const struct view *w = v; w; w = w->base)
		for (size_t i = 0; i < w->staged_count; i++) {
			r = w->staged[i];
			/* A version above may have renamed or deleted it. */
			if (answers_to(r, parent, kind, name) && top_version(v, r->number) == r)
				return r;
		}
	r = index_find(cloud_index(v->cloud), parent, kind, name);
	return r && top_version(v, r->number) == r ? r : NULL;
}

const struct resource *view_by_id(const struct view *v, const char *id)
{
	const struct resource *r;

	if (!*id)
		return NULL;
	/* IDs never change, so any version that has it tells the number. */
	for (const struct view *w = v; w; w = w->base)
		for (size_t i = 0; i < w->staged_count; i++)
			if (strcmp(w->staged[i]->id, id) == 0)
				return view_get(v, w->staged[i]->number);
	r = index_by_id(cloud_index(v->cloud), id);
	return r ? view_get(v, r->number) : NULL;
}

const struct resource *view_next(const struct view *v, uint64_t parent, enum kind kind,
				 uint64_t after)
{
	const struct resource *best = NULL;
	uint64_t number = after;

	/* Parents and kinds never change either: only staged creations are not in the index. */
	while ((number = index_next(cloud_index(v->cloud), parent, kind, number)) != 0) {
		best = view_get(v, number);
		if (best)
			break;
	}
	for (const struct view *w = v; w; w = w->base)
		for (size_t i = 0; i < w->staged_count; i++) {
			const struct resource *r = w->staged[i];

			if (r->parent == parent && r->kind == kind && r->number > after &&
			    r->kind != KIND_ROOT && (!best || r->number < best->number)) {
				r = view_get(v, r->number);
				best = r ? r : best;
			}
		}
	return best;
}

const struct resource *view_refer(const struct view *v, uint64_t parent, enum kind kind,
				  const char *name_or_id)
{
	const struct resource *r = view_find(v, parent, kind, name_or_id);

	if (r)
		return r;
	r = view_by_id(v, name_or_id);
	return r && r->parent == parent && r->kind == kind ? r : NULL;
}

const struct resource *view_region(const struct view *v, const struct resource *r)
{
	while (r && r->kind != KIND_REGION && r->kind != KIND_ROOT)
		r = view_get(v, r->parent);
	return r && r->kind == KIND_REGION ? r : NULL;
}

size_t view_count(const struct view *v, uint64_t parent, enum kind kind)
{
	const struct index *x = cloud_index(v->cloud);
	size_t n = index_count(x, parent, kind);

	for (const struct view *w = v; w; w = w->base)
		for (size_t i = 0; i < w->staged_count; i++) {
			const struct resource *r = w->staged[i];

			if (r->parent != parent || r->kind != kind || kind == KIND_ROOT ||
			    top_version(v, r->number) != r)
				continue;
			n += !r->deleted;
			n -= index_get(x, r->number) != NULL;
		}
	return n;
}

const struct resource *view_next_about(const struct view *v, uint64_t number, enum kind kind,
				       uint64_t after)
{
	const struct resource *best = NULL, *r;
	uint64_t at = after;

	while (!best && (at = index_next_about(cloud_index(v->cloud), number, kind, at)) != 0) {
		r = view_get(v, at);
		if (r && resource_reference(r) == number)
			best = r;
	}
	for (const struct view *w = v; w; w = w->base)
		for (size_t i = 0; i < w->staged_count; i++) {
			r = w->staged[i];
			if (r->kind != kind || r->number <= after || r->deleted ||
			    (best && r->number >= best->number) ||
			    resource_reference(r) != number || top_version(v, r->number) != r)
				continue;
			best = r;
		}
	return best;
}

const struct resource *view_by_public_ip(const struct view *v, const char *address)
{
	const struct resource *r;

	for (const struct view *w = v; w; w = w->base)
		for (size_t i = 0; i < w->staged_count; i++) {
			const char *held = resource_public_ip(w->staged[i]);

			r = w->staged[i];
			if (held && strcmp(held, address) == 0 && !r->deleted &&
			    top_version(v, r->number) == r)
				return r;
		}
	r = index_by_public_ip(cloud_index(v->cloud), address);
	return r && top_version(v, r->number) == r ? r : NULL;
}

void view_random_hex(struct view *v, char *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char byte;

		cloud_random(v->cloud, &byte, 1);
		out[i] = "0123456789abcdef"[byte & 15];
	}
	out[n] = '\0';
}

static char *new_id(struct view *v, enum kind kind)
{
	char digits[18];
	char *id;

	if (!kind_prefix(kind))
		return xstrdup("");
	for (;;) {
		view_random_hex(v, digits, 17);
		id = xasprintf("%s-%s", kind_prefix(kind), digits);
		if (!view_by_id(v, id))
			return id;
		free(id);
	}
}

void view_stage(struct view *v, struct resource *r)
{
	for (size_t i = 0; i < v->staged_count; i++)
		if (v->staged[i]->number == r->number) {
			resource_unref(v->staged[i]);
			v->staged[i] = r;
			return;
		}
	array_reserve(v->staged, v->staged_count, v->staged_capacity);
	v->staged[v->staged_count++] = r;
}

struct resource *view_create(struct view *v, uint64_t parent, enum kind kind, const char *name)
{
	char *id = new_id(v, kind);
	struct resource *r = resource_new(cloud_new_number(v->cloud), parent, kind, name, id);

	free(id);
	r->mode = 0755;
	r->uid = v->uid;
	r->gid = v->gid;
	r->mtime = v->now;
	view_stage(v, r);
	return r;
}

struct resource *view_edit(struct view *v, const struct resource *r)
{
	struct resource *staged = view_staged(v, r->number);

	if (!staged) {
		staged = resource_copy(top_version(v, r->number));
		view_stage(v, staged);
	}
	return staged;
}

void view_delete(struct view *v, const struct resource *r)
{
	uint64_t number = r->number;
	struct resource *gone;

	for (enum kind kind = KIND_ROOT; kind < KIND_COUNT; kind++)
		view_each (v, number, kind, child)
			view_delete(v, child);
	gone = view_edit(v, r);
	gone->deleted = true;
	gone->mtime = v->now;
}

static bool is_in(const struct view *v, gid_t gid)
{
	for (unsigned i = 0; i < v->group_count; i++)
		if (v->groups[i] == gid)
			return true;
	return v->gid == gid;
}

int view_may(const struct view *v, const struct resource *r, unsigned want,
	     struct ec2fs_error *error)
{
	unsigned shift = r->uid == v->uid ? 6 : is_in(v, r->gid) ? 3 : 0;

	if (v->uid == 0 || (r->mode >> shift & want) == want)
		return 0;
	return ec2fs_fail(error, EC2_UnauthorizedOperation,
			  "the %s %s is somebody else's, who has to allow you this: chmod %s%s",
			  kind_name(r->kind), r->name, shift == 3 ? "g" : "o",
			  want == 2 ? "+w" : "+r");
}

void view_rename(struct view *v, const struct resource *r, const char *name)
{
	struct resource *staged = view_edit(v, r);
	char *copy = xstrdup(name);

	free(staged->name);
	staged->name = copy;
	staged->mtime = v->now;
}

void set_data(struct view *v, struct resource *r, const char *key, const void *data, size_t len)
{
	struct field *f = resource_field_make(r, key);
	bool same = f->value && f->value->len == len && memcmp(f->value->data, data, len) == 0;

	if (same && f->mtime)
		return;
	if (!same) {
		struct bytes *value = bytes_new(data, len);

		bytes_unref(f->value);
		f->value = value;
	}
	f->mtime = v->now;
	r->mtime = v->now;
}

void set_text(struct view *v, struct resource *r, const char *key, const char *text)
{
	set_data(v, r, key, text, strlen(text));
}

void set_format(struct view *v, struct resource *r, const char *key, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		abort();
	va_end(args);
	set_text(v, r, key, text);
	free(text);
}

void set_default(struct resource *r, const char *key, const char *text)
{
	struct field *f = resource_field_make(r, key);

	bytes_unref(f->value);
	f->value = bytes_new(text, strlen(text));
}

void unset(struct view *v, struct resource *r, const char *key)
{
	struct field *f = (struct field *)resource_field(r, key);

	if (!f || !f->value)
		return;
	resource_field_drop(r, key);
	r->mtime = v->now;
}

void view_end(struct view *v)
{
	for (size_t i = 0; i < v->staged_count; i++)
		resource_unref(v->staged[i]);
	free(v->staged);
	v->staged = NULL;
	v->staged_count = v->staged_capacity = 0;
}
