/* Show and store functions that any table may use. */
#include "ec2fs/tree/internal.h"

#include "ec2fs/model/wait.h"
#include "ec2fs/util/memory.h"

#include <string.h>

void show_field(const struct show *s, struct strbuf *out)
{
	const struct field *f = resource_field(s->r, s->entry->name);

	if (!f || !f->value || !f->value->len)
		return;
	strbuf_add(out, f->value->data, f->value->len);
	strbuf_addc(out, '\n');
}

void show_document(const struct show *s, struct strbuf *out)
{
	const struct field *f = resource_field(s->r, s->entry->name);

	if (f && f->value)
		strbuf_add(out, f->value->data, f->value->len);
}

void show_id(const struct show *s, struct strbuf *out)
{
	strbuf_addf(out, "%s\n", s->r->id);
}

void show_error(const struct show *s, struct strbuf *out)
{
	refusals_show_last(s->tree->refusals, s->r->number, out);
}

/* The name of what the field refers to by its ID; of what is gone, the ID. */
void show_reference(const struct show *s, struct strbuf *out)
{
	const char *id = resource_get(s->r, s->entry->name);
	const struct resource *to = id ? view_by_id(s->view, id) : NULL;

	if (id)
		strbuf_addf(out, "%s\n", to ? to->name : id);
}

char *storage_of(const struct view *v, const struct resource *r, const char *key)
{
	const struct resource *zone = view_find(v, r->parent, KIND_ZONE, resource_or(r, key, ""));

	return zone ? xstrdup(resource_or(zone, "storage", "")) : NULL;
}

void show_nothing(const struct show *s, struct strbuf *out)
{
	(void)s;
	(void)out;
}

/* fs does the waiting; here only the text is judged. */
int store_wait(struct view *v, struct resource *r, const char *text, size_t len,
	       struct ec2fs_error *error)
{
	int64_t timeout;
	int result = state_wait(v, r, text, &timeout, error);

	(void)len;
	return result == -EINPROGRESS ? 0 : result;
}

const struct entry_extra wait_extra = {.wait = state_wait};

bool field_present(const struct show *s)
{
	return resource_get(s->r, s->entry->name);
}
