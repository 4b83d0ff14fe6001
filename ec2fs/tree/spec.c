/*
 * spec: everything settable of a resource as one keyed text, and a transaction when written. Built
 * from the table: the entries marked ENTRY_SPEC. What was written is shown again as it was written,
 * comments and order too, as long as it says what is.
 */
#include "ec2fs/tree/internal.h"

#include "ec2fs/text/keyed.h"
#include "ec2fs/text/suggest.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <string.h>

static void value_of(const struct show *s, const struct entry *e, struct strbuf *out)
{
	struct show one = *s;

	one.entry = e;
	(e->show ? e->show : show_field)(&one, out);
	while (out->len && out->data[out->len - 1] == '\n')
		strbuf_truncate(out, out->len - 1);
}

static const struct entry *spec_entry(const struct resource *r, const char *key)
{
	for (const struct entry *e = kind_ops(r->kind)->dir->entries; e->name; e++)
		if ((e->flags & ENTRY_SPEC) && strcmp(e->name, key) == 0)
			return e;
	return NULL;
}

struct comparing {
	const struct show *s;
	size_t found;
};

/* Stops (1) at the first line that does not say what is. */
static int compare_line(void *context, unsigned line, const char *key, const char *value,
			struct ec2fs_error *error)
{
	struct comparing *c = context;
	const struct entry *e = spec_entry(c->s->r, key);
	struct strbuf now cleanup_strbuf = STRBUF_INIT;

	(void)line;
	(void)error;
	if (!e)
		return 1;
	value_of(c->s, e, &now);
	c->found++;
	if (e->extra && e->extra->same)
		return !e->extra->same(strbuf_str(&now), value);
	return strcmp(strbuf_str(&now), value) != 0;
}

static bool still_true(const struct show *s, const struct bytes *written)
{
	struct comparing c = {.s = s};
	struct ec2fs_error ignored;

	return keyed_parse(written->data, written->len, compare_line, &c, &ignored) == 0 && c.found;
}

void show_spec(const struct show *s, struct strbuf *out)
{
	const struct field *written = resource_field(s->r, "spec");

	if (written && written->value && still_true(s, written->value)) {
		strbuf_add(out, written->value->data, written->value->len);
		return;
	}
	for (const struct entry *e = kind_ops(s->r->kind)->dir->entries; e->name; e++) {
		struct strbuf value cleanup_strbuf = STRBUF_INIT;

		if (!(e->flags & ENTRY_SPEC))
			continue;
		value_of(s, e, &value);
		if (value.len)
			strbuf_addf(out, "%s %s\n", e->name, strbuf_str(&value));
	}
}

struct storing {
	struct view *v;
	struct resource *r;
};

/* The refusal of a key that is none, with the one that was meant, or what a file of its own holds.
 */
static int unknown(const struct resource *r, unsigned line, const char *key,
		   struct ec2fs_error *error)
{
	const char *names[64], *near;
	size_t count = 0;

	for (const struct entry *e = kind_ops(r->kind)->dir->entries; e->name; e++) {
		if (strcmp(e->name, key) == 0)
			return ec2fs_fail_errno(
				error, EINVAL, EC2_UnknownParameter,
				"line %u: spec does not hold %s, which has a file of its own", line,
				key);
		if ((e->flags & ENTRY_SPEC) && count < sizeof(names) / sizeof(names[0]))
			names[count++] = e->name;
	}
	near = suggest(key, names, count);
	return ec2fs_fail_errno(error, EINVAL, EC2_UnknownParameter,
				"line %u: there is no %s; %s%s%s", line, key,
				near ? "did you mean " : "read spec to see what there is",
				near ? near : "", near ? "?" : "");
}

static int store_line(void *context, unsigned line, const char *key, const char *value,
		      struct ec2fs_error *error)
{
	struct storing *s = context;
	const struct entry *e = spec_entry(s->r, key);
	struct show show = {.view = s->v, .r = s->r};
	struct strbuf now cleanup_strbuf = STRBUF_INIT;
	int r;

	if (!e)
		return unknown(s->r, line, key, error);
	value_of(&show, e, &now);
	if (strcmp(strbuf_str(&now), value) == 0)
		return 0;
	r = e->store(s->v, s->r, value, strlen(value), error);
	return r < 0 ? ec2fs_wrap(error, "line %u: %s", line, key) : 0;
}

int store_spec(struct view *v, struct resource *r, const char *text, size_t len,
	       struct ec2fs_error *error)
{
	struct storing s = {v, r};
	const struct kind_ops *ops = kind_ops(r->kind);
	int result;

	v->together = ops->settle;
	result = keyed_parse(text, len, store_line, &s, error);
	v->together = false;
	/* What is tried may be the beginning of a text whose next line makes it right. */
	if (result == 0 && ops->settle && !v->trial)
		result = ops->settle(v, r, error);
	if (result < 0)
		return result;
	set_data(v, r, "spec", text, len);
	return 0;
}
