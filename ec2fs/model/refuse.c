/* Refusals that several kinds share. */
#include "ec2fs/model/kinds.h"

#include "ec2fs/text/suggest.h"
#include "ec2fs/util/cleanup.h"

#include <stdlib.h>

int no_such(const struct view *v, uint64_t parent, enum kind kind, enum ec2_code code,
	    const char *text, struct ec2fs_error *error)
{
	size_t count = 0, capacity = view_count(v, parent, kind);
	cleanup_free const char **all = calloc(capacity ? capacity : 1, sizeof(*all));
	const char *near;

	view_each (v, parent, kind, r)
		if (all && count < capacity)
			all[count++] = r->name;
	near = all ? suggest(text, all, count) : NULL;
	return ec2fs_fail(error, code, "there is no %s %.128s here%s%s%s", kind_name(kind), text,
			  near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}
