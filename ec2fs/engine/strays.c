/* Volumes and snapshots of this cloud that no record names: a kill may leave them. */
#include "ec2fs/engine/storage.h"

#include "ec2fs/model/instance.h"
#include "ec2fs/model/storage.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/log.h"
#include "ec2fs/util/memory.h"

#include <fcntl.h>
#include <string.h>

/* Those found; the back end tells only what has this cloud's tags. */
struct strays {
	struct engine *engine;
	struct {
		char *id;
		bool snapshot;
	} * all;
	size_t count, capacity;
};

/* A disk of an instance's store has no record of its own. */
static bool is_stored(const struct view *v, const char *id)
{
	view_each (v, ROOT_NUMBER, KIND_REGION, region)
		view_each (v, region->number, KIND_INSTANCE, r) {
			struct instance_store store;
			char disk[22];

			if (instance_state(r) == INSTANCE_DRAFT)
				continue;
			instance_store(v, r, &store);
			for (unsigned i = 0; i < store.count; i++) {
				instance_store_id(r, i, disk);
				if (strcmp(disk, id) == 0)
					return true;
			}
		}
	return false;
}

static void look_at(void *context, const struct volume_found *found)
{
	struct strays *s = context;
	struct view v = cloud_read(s->engine->cloud);
	bool named = view_by_id(&v, found->id) || is_stored(&v, found->id);

	cloud_read_end(s->engine->cloud);
	if (named)
		return;
	array_reserve(s->all, s->count, s->capacity);
	s->all[s->count].id = xstrdup(found->id);
	s->all[s->count++].snapshot = found->snapshot;
}

/* QEMU locks the images that it has. */
static bool is_in_use(struct volumes *v, const char *id)
{
	cleanup_free char *path = v->ops->path(v, id);
	cleanup_close int fd = open(path, O_RDWR | O_CLOEXEC);
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fd >= 0 && (fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type != F_UNLCK);
}

void storage_remove_strays(struct engine *e, struct volumes *v)
{
	struct strays s = {.engine = e};
	struct ec2fs_error error = {0};

	if (v->ops->list(v, look_at, &s, &error) < 0)
		log_warning("what is stored cannot be listed: %s", error.message);
	for (size_t i = 0; i < s.count; i++) {
		const char *id = s.all[i].id;
		int r = 0;

		if (s.all[i].snapshot) {
			r = v->ops->remove_snapshot(v, id, &error);
		} else if (is_in_use(v, id)) {
			log_warning("%s, which no record names, is in use: it stays", id);
			continue;
		} else {
			r = v->ops->remove(v, id, &error);
		}
		if (r < 0)
			log_warning("%s, which no record names, stays: %s", id, error.message);
		else
			log_info("removed %s, which no record names", id);
		free(s.all[i].id);
		s.all[i].id = NULL;
	}
	for (size_t i = 0; i < s.count; i++)
		free(s.all[i].id);
	free(s.all);
}
