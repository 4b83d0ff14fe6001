/* What libblkid finds on a volume, looked at when somebody asks. */
#include "ec2fs/engine/storage.h"

#include "ec2fs/engine/encryption.h"
#include "ec2fs/model/storage.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PIECE (256 << 10)
/* Signatures are near the beginning, or at the end: of RAID, of a partition table's copy. */
#define HEAD (2 << 20)
#define TAIL (1 << 20)

/* Path of a volume that is made, to be freed; NULL of others. *ret_key: of an encrypted one. */
static char *path_of(struct engine *e, uint64_t number, char **ret_key, uint64_t *ret_size)
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
		if (volume_key(r))
			*ret_key = xstrdup(volume_key(r));
		*ret_size = volume_made_size(r);
	}
	cloud_read_end(e->cloud);
	volumes = id ? storage_of_zone(e, region, zone, NULL) : NULL;
	return volumes ? volumes->ops->path(volumes, id) : NULL;
}

static int copy_clear(const struct luks *l, int in, int out, off_t from, off_t to)
{
	cleanup_free char *data = malloc(PIECE);
	ssize_t n = 1;

	while (data && from < to && n > 0) {
		size_t want = to - from < PIECE ? (size_t)(to - from) : PIECE;

		n = luks_read(l, in, data, want, from);
		if (n > 0 && pwrite(out, data, (size_t)n, from) != n)
			n = -1;
		from += n;
	}
	return data && n >= 0 ? 0 : -EIO;
}

/* In memory, in the clear: the parts where libblkid looks, with nothing between. */
static int clear_parts(struct engine *e, const char *key, int fd, uint64_t size)
{
	cleanup_luks struct luks *l = NULL;
	cleanup_close int clear = memfd_create("volume", MFD_CLOEXEC);
	off_t end = (off_t)size, head = end < HEAD ? end : HEAD;
	off_t tail = end - head < TAIL ? head : end - TAIL;

	if (clear < 0 || ftruncate(clear, end) < 0 || encryption_open(e, key, fd, &l, NULL) < 0 ||
	    copy_clear(l, fd, clear, 0, head) < 0 || copy_clear(l, fd, clear, tail, end) < 0)
		return -1;
	return steal_fd(&clear);
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

/* Was the file written to since then? Times are those of clock ticks, so a file that was written
 * a moment before it was looked at may have been written again. */
static bool is_as_it_was(const struct stat *was, const struct stat *is)
{
	return S_ISREG(is->st_mode) && was->st_dev == is->st_dev && was->st_ino == is->st_ino &&
	       was->st_size == is->st_size && was->st_mtim.tv_sec == is->st_mtim.tv_sec &&
	       was->st_mtim.tv_nsec == is->st_mtim.tv_nsec;
}

/* st: the file's before it was looked at; its path when it was still then, else NULL. */
static void keep_state(struct engine *e, const char *id, const char *path, const struct stat *st)
{
	struct live *l;

	pthread_mutex_lock(&e->lock);
	l = live_get(e, id);
	free(l->content_path);
	l->content_path = path ? xstrdup(path) : NULL;
	if (path)
		l->content_of = *st;
	pthread_mutex_unlock(&e->lock);
}

bool engine_filesystem_is_known(struct engine *e, const char *id)
{
	cleanup_free char *path = NULL;
	struct stat was, is;
	const struct live *l;

	pthread_mutex_lock(&e->lock);
	l = live_get(e, id);
	if (l->content_path) {
		path = xstrdup(l->content_path);
		was = l->content_of;
	}
	pthread_mutex_unlock(&e->lock);
	return path && stat(path, &is) == 0 && is_as_it_was(&was, &is);
}

int engine_refresh_filesystem(struct engine *e, uint64_t number, const char *id)
{
	cleanup_free char *key = NULL;
	uint64_t size = 0;
	cleanup_free char *path = path_of(e, number, &key, &size);
	cleanup_close int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	cleanup_close int clear = fd >= 0 && key ? clear_parts(e, key, fd, size) : -1;
	struct strbuf text cleanup_strbuf = STRBUF_INIT;
	struct disk_content content;
	struct stat st;
	bool still = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		     st.st_mtim.tv_sec + 2 < time(NULL);

	/* Of one that is not there, or not to be read now, there is nothing to tell. */
	if ((key ? clear : fd) >= 0 && disk_content(key ? clear : fd, &content, NULL) == 0) {
		add_line(&text, "type", content.type);
		add_line(&text, "label", content.label);
		add_line(&text, "uuid", content.uuid);
	}
	live_keep(e, id, offsetof(struct live, content), &text);
	keep_state(e, id, still ? path : NULL, &st);
	return 0;
}

void engine_filesystem(struct engine *e, const char *id, struct strbuf *out)
{
	live_show(e, id, offsetof(struct live, content), out);
}
