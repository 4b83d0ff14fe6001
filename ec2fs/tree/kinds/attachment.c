/* instances/NAME/volumes/DEVICE: a link to the attached volume. */
#include "ec2fs/model/storage.h"
#include "ec2fs/tree/internal.h"

static void show_target(const struct show *s, struct strbuf *out)
{
	const struct resource *volume = attachment_volume(s->view, s->r);

	if (volume)
		show_path_to(s, volume, out);
}

static const struct entry link = {.name = "volume", .mode = S_IFLNK | 0777, .show = show_target};

const struct kind_ops attachment_kind = {
	.file = &link, .remove = attachment_remove, .held = attachment_is_held};
