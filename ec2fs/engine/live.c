/* What is seen of a running instance and kept in memory only: console, screen, figures. */
#include "ec2fs/engine/internal.h"

#include "ec2fs/engine/network.h"

#include "ec2fs/model/instance.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* EC2 shows the latest 64 KiB. */
#define CONSOLE_SHOWN (64 * 1024)

static bool same_id(const void *item, const void *key)
{
	return strcmp(((const struct live *)item)->id, key) == 0;
}

struct live *live_get(struct engine *e, const char *id)
{
	struct live *l = table_find(&e->live, hash_str(id, 0), same_id, id);

	if (!l) {
		l = xnew(struct live);
		l->id = xstrdup(id);
		table_add(&e->live, hash_str(id, 0), l);
	}
	return l;
}

void live_free(struct live *l)
{
	if (!l)
		return;
	bytes_unref(l->screenshot);
	bytes_unref(l->metrics);
	bytes_unref(l->status_checks);
	bytes_unref(l->content);
	free(l->content_path);
	free(l->answered);
	free(l->id);
	free(l);
}

void live_forget(struct engine *e, const char *id)
{
	struct live *l;

	pthread_mutex_lock(&e->lock);
	l = table_remove(&e->live, hash_str(id, 0), same_id, id);
	pthread_mutex_unlock(&e->lock);
	live_free(l);
}

void engine_console(struct engine *e, const char *id, uint64_t *ret_start, struct strbuf *out)
{
	cleanup_free char *path = engine_instance_path(e, id, "console");
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buffer[8192];
	struct stat st;
	off_t at = 0;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	if (st.st_size > CONSOLE_SHOWN)
		at = st.st_size - CONSOLE_SHOWN;
	if (ret_start)
		*ret_start = (uint64_t)at;
	/* No further than it was: a guest may write faster than this reads. */
	while (at < st.st_size && (n = pread(fd, buffer, sizeof(buffer), at)) > 0) {
		if (n > st.st_size - at)
			n = st.st_size - at;
		strbuf_add(out, buffer, (size_t)n);
		at += n;
	}
}

void live_show(struct engine *e, const char *id, size_t offset, struct strbuf *out)
{
	struct live *l;
	struct bytes *b;

	pthread_mutex_lock(&e->lock);
	l = table_find(&e->live, hash_str(id, 0), same_id, id);
	b = l ? bytes_ref(*(struct bytes **)((char *)l + offset)) : NULL;
	pthread_mutex_unlock(&e->lock);
	if (b)
		strbuf_add(out, b->data, b->len);
	bytes_unref(b);
}

void engine_screenshot(struct engine *e, const char *id, struct strbuf *out)
{
	live_show(e, id, offsetof(struct live, screenshot), out);
}

void engine_metrics(struct engine *e, const char *id, struct strbuf *out)
{
	live_show(e, id, offsetof(struct live, metrics), out);
}

void live_keep(struct engine *e, const char *id, size_t offset, const struct strbuf *text)
{
	struct bytes **slot, *old, *new = bytes_new(strbuf_str(text), text->len);

	pthread_mutex_lock(&e->lock);
	slot = (struct bytes **)((char *)live_get(e, id) + offset);
	old = *slot;
	*slot = new;
	pthread_mutex_unlock(&e->lock);
	bytes_unref(old);
}

struct provider *live_provider(struct engine *e, uint64_t number)
{
	cleanup_free char *uri = NULL;
	struct compute *c;
	struct view v = cloud_read(e->cloud);
	const struct resource *r = view_get(&v, number);

	if (r && instance_state(r) == INSTANCE_RUNNING) {
		const struct resource *zone = view_find(&v, r->parent, KIND_ZONE,
							resource_or(r, "availability-zone", ""));

		if (zone)
			uri = xstrdup(resource_or(zone, "compute", ""));
	}
	cloud_read_end(e->cloud);
	c = uri ? engine_compute(e, uri, NULL) : NULL;
	return c && atomic_load(&c->up) ? c->provider : NULL;
}

int engine_refresh_screenshot(struct engine *e, uint64_t number, const char *id)
{
	struct strbuf png cleanup_strbuf = STRBUF_INIT;
	struct provider *p = live_provider(e, number);
	int r = p ? p->ops->screenshot(p, id, &png, NULL) : 0;

	/* Of a machine that does not run there is nothing to see. */
	if (r == 0)
		live_keep(e, id, offsetof(struct live, screenshot), &png);
	return r;
}

int engine_refresh_metrics(struct engine *e, uint64_t number, const char *id)
{
	struct strbuf text cleanup_strbuf = STRBUF_INIT;
	struct provider *p = live_provider(e, number);
	struct machine_stats s;
	int r;

	if (!p) {
		live_keep(e, id, offsetof(struct live, metrics), &text);
		return 0;
	}
	r = p->ops->stats(p, id, &s, NULL);
	if (r < 0)
		return r;
	strbuf_addf(&text, "cpu-seconds %" PRIu64 ".%03u\n", s.cpu_ns / 1000000000,
		    (unsigned)(s.cpu_ns / 1000000 % 1000));
	strbuf_addf(&text, "memory-bytes %" PRIu64 "\n", s.memory);
	strbuf_addf(&text, "disk-read-bytes %" PRIu64 "\n", s.disk_read_bytes);
	strbuf_addf(&text, "disk-write-bytes %" PRIu64 "\n", s.disk_write_bytes);
	strbuf_addf(&text, "disk-read-ops %" PRIu64 "\n", s.disk_read_requests);
	strbuf_addf(&text, "disk-write-ops %" PRIu64 "\n", s.disk_write_requests);
	if (!network_metrics(e, number, &text)) {
		strbuf_addf(&text, "network-in %" PRIu64 "\n", s.net_receive_bytes);
		strbuf_addf(&text, "network-out %" PRIu64 "\n", s.net_transmit_bytes);
		strbuf_addf(&text, "network-packets-in %" PRIu64 "\n", s.net_receive_packets);
		strbuf_addf(&text, "network-packets-out %" PRIu64 "\n", s.net_transmit_packets);
	}
	live_keep(e, id, offsetof(struct live, metrics), &text);
	return 0;
}
