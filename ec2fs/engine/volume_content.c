/* What libblkid finds on a volume, looked at when somebody asks. */
#include "ec2fs/engine/storage.h"

#include "ec2fs/model/storage.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <fcntl.h>
#include <unistd.h>

/* Path of a volume that is made, to be freed; NULL of others. */
static char *path_of(struct engine *e, uint64_t number)
{
	cleanup_free char *zone = NULL;
	cleanup_free char *id = NULL;
	uint64_t region = 0;
	struct view v = cloud_read(e->cloud);
	const struct resource *r = view_get(&v, number);
	struct volumes *volumes;

	if (r && volume_made_size(r) && !storage_is_removed(r)) {
		region = r->parent;
		zone = xstrdup(resource_or(r, "availability-zone", ""));
		id = xstrdup(r->id);
	}
	cloud_read_end(e->cloud);
	volumes = id ? storage_of_zone(e, region, zone, NULL) : NULL;
	return volumes ? volumes->ops->path(volumes, id) : NULL;
}

static void add_line(struct strbuf *out, const char *key, const char *value)
{
	if (!*value)
		return;
	strbuf_addf(out, "%s ", key);
	/* A label is what somebody wrote on a disk: one line of a terminal at most. */
	for (; *value; value++)
		strbuf_addc(out, (unsigned char)*value < ' ' || *value == 127 ? '?' : *value);
	strbuf_addc(out, '\n');
}

int engine_refresh_filesystem(struct engine *e, uint64_t number, const char *id)
{
	cleanup_free char *path = path_of(e, number);
	cleanup_close int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	struct strbuf text cleanup_strbuf = STRBUF_INIT;
	struct disk_content content;

	/* Of one that is not there, or not to be read now, there is nothing to tell. */
	if (fd >= 0 && disk_content(fd, &content, NULL) == 0) {
		add_line(&text, "type", content.type);
		add_line(&text, "label", content.label);
		add_line(&text, "uuid", content.uuid);
	}
	live_keep(e, id, offsetof(struct live, content), &text);
	return 0;
}

void engine_filesystem(struct engine *e, const char *id, struct strbuf *out)
{
	live_show(e, id, offsetof(struct live, content), out);
}
