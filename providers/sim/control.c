/*
 * Telling a simulated guest what to do: write a word into the file CONSOLE.guest, where CONSOLE is
 * the path of the machine's serial console. The guest takes the file away and obeys:
 *
 * - poweroff: it shuts down by itself
 * - crash: its kernel panics
 * - hang: it does not listen to the power button any more
 *
 * Any other word is printed on its console. inotify tells of the file; nothing polls.
 */
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "providers/sim/world.h"

#include <limits.h>
#include <string.h>
#include <sys/inotify.h>

#define SUFFIX ".guest"

struct directory {
	int watch;
	unsigned machines;
	char *path;
};

static bool same_watch(const void *item, const void *key)
{
	return ((const struct directory *)item)->watch == *(const int *)key;
}

static struct directory *find_directory(struct sim_world *w, int watch)
{
	return table_find(&w->directories, hash_u64((uint64_t)watch), same_watch, &watch);
}

void sim_control_watch(struct sim_world *w, struct sim_machine *m)
{
	const char *slash = strrchr(m->console, '/');
	cleanup_free char *path =
		slash ? xasprintf("%.*s", (int)(slash - m->console), m->console) : xstrdup(".");
	struct directory *d;

	m->watch = w->inotify_fd < 0 ? -1
				     : inotify_add_watch(w->inotify_fd, *path ? path : "/",
							 IN_CLOSE_WRITE | IN_MOVED_TO);
	if (m->watch < 0) {
		sim_machine_print(m, "sim: cannot watch %s, this guest takes no words: %m", path);
		return;
	}
	d = find_directory(w, m->watch);
	if (!d) {
		d = xnew(struct directory);
		d->watch = m->watch;
		d->path = steal_pointer(&path);
		table_add(&w->directories, hash_u64((uint64_t)d->watch), d);
	}
	d->machines++;
}

void sim_control_forget(struct sim_world *w, struct sim_machine *m)
{
	struct directory *d = m->watch < 0 ? NULL : find_directory(w, m->watch);

	m->watch = -1;
	if (!d || --d->machines)
		return;
	table_remove(&w->directories, hash_u64((uint64_t)d->watch), same_watch, &d->watch);
	inotify_rm_watch(w->inotify_fd, d->watch); /* fails if the directory is gone */
	free(d->path);
	free(d);
}

static bool same_console(const void *item, const void *key)
{
	return strcmp(((const struct sim_machine *)item)->console, key) == 0;
}

static void obey(struct sim_world *w, struct sim_machine *m, const char *word)
{
	if (strcmp(word, "poweroff") == 0) {
		m->off_ns = sim_now();
		sim_machine_plan(w, m, m->off_ns);
	} else if (strcmp(word, "crash") == 0) {
		m->crash_ns = sim_now();
		sim_machine_plan(w, m, m->crash_ns);
	} else if (strcmp(word, "hang") == 0) {
		m->deaf = true;
	} else {
		sim_machine_print(m, "%s", word);
	}
}

static void hear(struct sim_world *w, struct sim_machine *m)
{
	cleanup_free char *path = xasprintf("%s" SUFFIX, m->console);
	cleanup_file FILE *f = fopen(path, "re");
	char line[256];

	if (!f)
		return;
	unlink(path);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (*line)
			obey(w, m, line);
	}
}

static void file_written(struct sim_world *w, int watch, const char *name)
{
	struct directory *d = find_directory(w, watch);
	size_t len = strlen(name), suffix = strlen(SUFFIX);
	cleanup_free char *console = NULL;
	struct sim_machine *m;

	if (!d || len <= suffix || strcmp(name + len - suffix, SUFFIX) != 0)
		return;
	console = xasprintf("%s/%.*s", d->path, (int)(len - suffix), name);
	m = table_find(&w->by_console, hash_str(console, 0), same_console, console);
	if (m)
		hear(w, m);
}

void sim_control_read(struct sim_world *w)
{
	char buffer[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)]
		__attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t got;

	while ((got = read(w->inotify_fd, buffer, sizeof(buffer))) > 0)
		for (char *at = buffer; at < buffer + got;) {
			const struct inotify_event *e = (const struct inotify_event *)at;

			if (e->len)
				file_written(w, e->wd, e->name);
			at += sizeof(*e) + e->len;
		}
}
