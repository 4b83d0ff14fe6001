/* qcow2 to raw, by qemu-img. */
#include "volumes/volumes.h"

#include "ec2fs/util/spawn.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A big disk on a slow machine: a day. */
#define TIMEOUT_MS (24 * 3600 * 1000)

struct watching {
	void (*progress)(void *context, int percent);
	void *context;
	char line[64];
	size_t len;
	int last;
};

/* "    (12.34/100%)", a carriage return between. */
static void look(void *context, const char *data, size_t len)
{
	struct watching *w = context;

	for (size_t i = 0; i < len; i++) {
		const char *open;

		if (data[i] != '\r' && data[i] != '\n') {
			if (w->len + 1 < sizeof(w->line))
				w->line[w->len++] = data[i];
			continue;
		}
		w->line[w->len] = '\0';
		w->len = 0;
		open = strchr(w->line, '(');
		if (open && isdigit((unsigned char)open[1]) && atoi(open + 1) != w->last) {
			w->last = atoi(open + 1);
			w->progress(w->context, w->last);
		}
	}
}

int disk_convert(const char *from, const char *to, void (*progress)(void *context, int percent),
		 void *context, struct ec2fs_error *error)
{
	const char *const argv[] = {"qemu-img", "convert", "-p", "-f", "qcow2", "-O",
				    "raw",      "--",      from, to,   NULL};
	struct watching w = {.progress = progress, .context = context, .last = -1};
	int r = spawn_stream(argv, TIMEOUT_MS, NULL, progress ? look : NULL, &w, error);

	if (r < 0)
		unlink(to);
	return r;
}
