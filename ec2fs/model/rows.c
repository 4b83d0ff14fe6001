#include "ec2fs/model/rows.h"

#include "ec2fs/util/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SELF "@self"        /* "KIND PARENT ID NAME"; its file facts are the directory's */
#define NEXT "@next-number" /* of the root */

static struct store_op *add(struct rows *rows, enum store_verb verb, uint64_t resource,
			    const char *attribute)
{
	struct store_op *op;

	array_reserve(rows->ops, rows->count, rows->capacity);
	op = &rows->ops[rows->count++];
	*op = (struct store_op){.verb = verb,
				.row = {.resource = resource,
					.attribute = attribute,
					.mode = -1,
					.uid = -1,
					.gid = -1}};
	return op;
}

static char *keep(struct rows *rows, char *text)
{
	array_reserve(rows->texts, rows->text_count, rows->text_capacity);
	rows->texts[rows->text_count++] = text;
	return text;
}

static void add_self(struct rows *rows, const struct resource *r)
{
	struct store_row *row = &add(rows, STORE_PUT, r->number, SELF)->row;

	row->value = keep(rows, xasprintf("%s %" PRIu64 " %s %s", kind_name(r->kind), r->parent,
					  *r->id ? r->id : "-", r->name));
	row->len = strlen(row->value);
	row->has_value = true;
	row->mtime = r->mtime;
	row->mode = (int32_t)r->mode;
	row->uid = r->uid;
	row->gid = r->gid;
}

static bool same_self(const struct resource *a, const struct resource *b)
{
	return a->mode == b->mode && a->uid == b->uid && a->gid == b->gid && a->mtime == b->mtime &&
	       strcmp(a->name, b->name) == 0;
}

static bool same_field(const struct field *a, const struct field *b)
{
	return a->value == b->value && a->mtime == b->mtime && a->mode == b->mode &&
	       a->uid == b->uid && a->gid == b->gid;
}

void rows_add_change(struct rows *rows, const struct resource *was, const struct resource *is)
{
	if (is->deleted) {
		if (was)
			add(rows, STORE_DELETE_RESOURCE, is->number, "");
		return;
	}
	if (!was || !same_self(was, is))
		add_self(rows, is);
	for (size_t i = 0; i < is->field_count; i++) {
		const struct field *f = &is->fields[i];
		const struct field *old = was ? resource_field(was, f->key) : NULL;
		struct store_row *row;

		if (old && same_field(old, f))
			continue;
		row = &add(rows, STORE_PUT, is->number, f->key)->row;
		row->has_value = f->value;
		row->value = f->value ? f->value->data : NULL;
		row->len = f->value ? f->value->len : 0;
		row->mtime = f->mtime;
		row->mode = f->mode;
		row->uid = f->uid;
		row->gid = f->gid;
	}
	for (size_t i = 0; was && i < was->field_count; i++)
		if (!resource_field(is, was->fields[i].key))
			add(rows, STORE_DELETE, is->number, was->fields[i].key);
}

void rows_add_next_number(struct rows *rows, uint64_t next)
{
	struct store_row *row = &add(rows, STORE_PUT, ROOT_NUMBER, NEXT)->row;

	row->value = keep(rows, xasprintf("%" PRIu64, next));
	row->len = strlen(row->value);
	row->has_value = true;
}

void rows_free(struct rows *rows)
{
	for (size_t i = 0; i < rows->text_count; i++)
		free(rows->texts[i]);
	free(rows->texts);
	free(rows->ops);
}

bool rows_next_number(const struct store_row *row, uint64_t *number)
{
	char digits[24];

	if (row->resource != ROOT_NUMBER || strcmp(row->attribute, NEXT) != 0 ||
	    row->len >= sizeof(digits))
		return false;
	memcpy(digits, row->value, row->len);
	digits[row->len] = '\0';
	*number = strtoull(digits, NULL, 10);
	return true;
}

struct resource *rows_begin_resource(uint64_t number)
{
	struct resource *r = resource_new(number, ROOT_NUMBER, KIND_ROOT, "", "");

	r->mode = 0755;
	return r;
}

static int read_self(struct resource *r, const struct store_row *row)
{
	char kind[32], id[64];
	char *text = NULL;
	int at = 0, result = -EBADMSG;

	text = xasprintf("%.*s", (int)row->len, (const char *)row->value);
	if (sscanf(text, "%31s %" SCNu64 " %63s%n", kind, &r->parent, id, &at) == 3 && at > 0 &&
	    text[at] == ' ') {
		r->kind = kind_by_name(kind);
		free(r->name);
		free(r->id);
		r->name = xstrdup(text + at + 1); /* it may begin with a blank */
		r->id = xstrdup(strcmp(id, "-") == 0 ? "" : id);
		r->mode = (mode_t)row->mode;
		r->uid = (uid_t)row->uid;
		r->gid = (gid_t)row->gid;
		r->mtime = row->mtime;
		result = r->kind < KIND_COUNT ? 0 : -EBADMSG;
	}
	free(text);
	return result;
}

int rows_read(struct resource *r, const struct store_row *row)
{
	struct field *f;

	if (strcmp(row->attribute, SELF) == 0)
		return read_self(r, row);
	f = resource_field_make(r, row->attribute);
	if (row->has_value) {
		bytes_unref(f->value);
		f->value = bytes_new(row->value, row->len);
	}
	f->mtime = row->mtime;
	f->mode = row->mode;
	f->uid = row->uid;
	f->gid = row->gid;
	return 0;
}
