#include "ec2fs/model/refer.h"

#include "ec2fs/text/suggest.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <ctype.h>
#include <string.h>

/* A name near to the text, or NULL. */
static const char *nearest(const struct view *v, uint64_t parent, enum kind kind, const char *text)
{
	size_t count = 0, capacity = 0;
	cleanup_free const char **names = NULL;

	view_each (v, parent, kind, r) {
		array_reserve(names, count, capacity);
		names[count++] = r->name;
	}
	return suggest(text, names, count);
}

int refer(const struct view *v, uint64_t parent, enum kind kind, enum ec2_code code,
	  const char *text, const struct resource **ret, struct ec2fs_error *error)
{
	const struct resource *r = view_refer(v, parent, kind, text);
	const char *near;

	if (r) {
		*ret = r;
		return 0;
	}
	near = nearest(v, parent, kind, text);
	return ec2fs_fail(error, code, "there is no %s %s here%s%s%s", kind_name(kind), text,
			  near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

bool zone_is_foreign(const struct view *v, uint64_t region, const char *text,
		     const struct resource **ret_zone)
{
	const struct resource *r = view_get(v, region);
	size_t len = strlen(text), here = r ? strlen(r->name) : 0;
	cleanup_free char *name = NULL;

	/* xx-direction-1a */
	if (!r || len < 4 || !islower((unsigned char)text[len - 1]) ||
	    !isdigit((unsigned char)text[len - 2]) || !strchr(text, '-') ||
	    (len == here + 1 && strncmp(text, r->name, here) == 0))
		return false;
	name = xasprintf("%s%c", r->name, text[len - 1]);
	if (ret_zone)
		*ret_zone = view_find(v, region, KIND_ZONE, name);
	return true;
}

const struct resource *refer_zone(const struct view *v, uint64_t region, const char *current,
				  const char *text)
{
	const struct resource *r = view_refer(v, region, KIND_ZONE, text);

	if (r || !zone_is_foreign(v, region, text, &r) || !r)
		return r;
	return v->copies || (current && strcmp(current, r->name) == 0) ? r : NULL;
}

void set_document(struct view *v, struct resource *r, const char *key, const char *text, size_t len)
{
	if (strspn(text, " \t\r\n") == len)
		unset(v, r, key);
	else
		set_data(v, r, key, text, len);
}
