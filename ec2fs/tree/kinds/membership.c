/* instances/NAME/security-groups/GROUP: a link to a group that the instance is in. */
#include "ec2fs/model/kinds.h"
#include "ec2fs/tree/internal.h"

static void show_target(const struct show *s, struct strbuf *out)
{
	const struct resource *group = membership_group(s->view, s->r);

	if (group)
		show_path_to(s, group, out);
}

static const struct entry link = {.name = "group", .mode = S_IFLNK | 0777, .show = show_target};

const struct kind_ops membership_kind = {.file = &link, .remove = membership_remove};
