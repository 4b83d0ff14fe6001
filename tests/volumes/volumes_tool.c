/*
 * volumes_tool URI COMMAND…: what the engine asks of a back end, from a shell. Each command is a
 * line on standard output when it is done: "ok COMMAND…", and no more than that is acknowledged.
 *
 *	create VOL BYTES [IMAGE]     clone VOL BYTES SNAP     resize VOL BYTES     wipe VOL
 *	remove VOL|SNAP              snapshot VOL SNAP [VOL SNAP…]
 *	import SNAP FILE             path VOL                 snapshot-path SNAP
 *	list                         capacity                 content PATH
 *	batch                        reads commands from standard input; "&" before one: a thread;
 *	                             "wait": until they are done
 *
 * OWNER in the environment is the cloud's UUID.
 */
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "volumes/volumes.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MOST_WORDS 40

struct command {
	struct volumes *v;
	char *line;
	char *words[MOST_WORDS];
	int count;
	pthread_t thread;
	int result;
};

static void say(const char *verdict, const struct command *c, const char *more)
{
	char text[2048];
	int n = snprintf(text, sizeof(text), "%s", verdict);

	for (int i = 0; i < c->count; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " %s", c->words[i]);
	snprintf(text + n, sizeof(text) - (size_t)n, "%s%s", *more ? ": " : "", more);
	/* One write: lines of threads do not mix. */
	puts(text);
	fflush(stdout);
}

static void tell_found(void *context, const struct volume_found *found)
{
	(void)context;
	printf("%s %s %" PRIu64 "\n", found->snapshot ? "snapshot" : "volume", found->id,
	       found->size);
}

static int capacity(struct volumes *v, struct ec2fs_error *error)
{
	struct volumes_capacity c;
	int r = v->ops->capacity(v, &c, error);

	if (r == 0)
		printf("total %" PRIu64 "\navailable %" PRIu64 "\ndata %u.%02u\nmetadata %u.%02u\n"
		       "refused %d\nnotice %s\n",
		       c.total, c.available, c.data / 100, c.data % 100, c.metadata / 100,
		       c.metadata % 100, c.refused, c.notice);
	return r;
}

static int content(const char *path, struct ec2fs_error *error)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct disk_content c;
	int r = disk_content(fd, &c, error);

	if (r == 0)
		printf("type %s\nlabel %s\nuuid %s\n", c.type, c.label, c.uuid);
	return r;
}

static int snapshot(const struct command *c, struct ec2fs_error *error)
{
	struct volume_snapshot pairs[MOST_WORDS / 2];
	size_t count = 0;

	for (int i = 1; i + 1 < c->count; i += 2)
		pairs[count++] = (struct volume_snapshot){c->words[i], c->words[i + 1]};
	return c->v->ops->snapshot(c->v, pairs, count, NULL, NULL, error);
}

static int import(const struct command *c, struct ec2fs_error *error)
{
	cleanup_close int fd = open(c->words[2], O_RDONLY | O_CLOEXEC);
	uint64_t size = 0;

	if (fd >= 0)
		volumes_size(fd, &size);
	return c->v->ops->import(c->v, c->words[1], c->words[2], size, NULL, NULL, error);
}

static int show_path(const struct command *c, struct ec2fs_error *error)
{
	cleanup_free char *path = NULL;
	uint64_t size;
	int r = 0;

	if (strcmp(c->words[0], "path") == 0)
		path = c->v->ops->path(c->v, c->words[1]);
	else
		r = c->v->ops->snapshot_path(c->v, c->words[1], &path, &size, error);
	if (r == 0)
		puts(path);
	return r;
}

static int act(const struct command *c, struct ec2fs_error *error)
{
	const struct volumes_ops *ops = c->v->ops;
	const char *what = c->words[0], *id = c->count > 1 ? c->words[1] : "";
	uint64_t size = c->count > 2 ? strtoull(c->words[2], NULL, 10) : 0;

	if (strcmp(what, "create") == 0)
		return ops->create(c->v, id, size, c->count > 3 ? c->words[3] : NULL, error);
	if (strcmp(what, "clone") == 0 && c->count > 3)
		return ops->clone(c->v, id, size, c->words[3], error);
	if (strcmp(what, "resize") == 0)
		return ops->resize(c->v, id, size, error);
	if (strcmp(what, "wipe") == 0)
		return ops->wipe(c->v, id, error);
	if (strcmp(what, "remove") == 0)
		return strncmp(id, "snap-", 5) == 0 ? ops->remove_snapshot(c->v, id, error)
						    : ops->remove(c->v, id, error);
	if (strcmp(what, "snapshot") == 0)
		return snapshot(c, error);
	if (strcmp(what, "import") == 0 && c->count > 2)
		return import(c, error);
	if (strcmp(what, "path") == 0 || strcmp(what, "snapshot-path") == 0)
		return show_path(c, error);
	if (strcmp(what, "list") == 0)
		return ops->list(c->v, tell_found, NULL, error);
	if (strcmp(what, "capacity") == 0)
		return capacity(c->v, error);
	if (strcmp(what, "content") == 0)
		return content(id, error);
	return ec2fs_fail(error, EC2_InvalidParameter, "%s: no such command", what);
}

static void *perform(void *context)
{
	struct command *c = context;
	struct ec2fs_error error = {0};

	c->result = act(c, &error);
	if (c->result == 0) {
		say("ok", c, "");
	} else {
		cleanup_free char *story = xasprintf("%s (%s): %s", strerror(error.number),
						     ec2_code_name(error.code), error.message);

		say("failed", c, story);
	}
	return NULL;
}

/* Waits for them all; the last failure, or what came before. */
static int join(struct command **running, size_t *count, int result)
{
	for (size_t i = 0; i < *count; i++) {
		pthread_join(running[i]->thread, NULL);
		result = running[i]->result ? running[i]->result : result;
		free(running[i]->line);
		free(running[i]);
	}
	*count = 0;
	return result;
}

/* Lines of standard input, those after a "&" all at once; 0 or the last failure. */
static int batch(struct volumes *v)
{
	struct command *running[256];
	size_t count = 0, size = 0;
	char *line = NULL;
	int result = 0;

	while (getline(&line, &size, stdin) > 0 && count < 256) {
		struct command *c = xnew(struct command);
		bool aside = line[0] == '&';
		char *rest = c->line = xstrdup(line + aside), *word;

		c->v = v;
		while ((word = strsep(&rest, " \n")) != NULL && c->count < MOST_WORDS)
			if (*word)
				c->words[c->count++] = word;
		if (c->count && aside) {
			pthread_create(&c->thread, NULL, perform, c);
			running[count++] = c;
			continue;
		}
		if (c->count && strcmp(c->words[0], "wait") == 0)
			result = join(running, &count, result);
		else if (c->count)
			perform(c);
		result = c->result ? c->result : result;
		free(c->line);
		free(c);
	}
	free(line);
	return join(running, &count, result);
}

int main(int argc, char **argv)
{
	const struct volumes_ops *ops = argc > 2 ? volumes_for(argv[1]) : NULL;
	struct command c = {.count = argc - 2};
	struct ec2fs_error error = {0};
	const char *owner = getenv("OWNER");
	int r;

	if (!ops || c.count > MOST_WORDS) {
		fputs("usage: volumes_tool URI COMMAND…\n", stderr);
		return 2;
	}
	memcpy(c.words, argv + 2, (size_t)c.count * sizeof(*argv));
	r = ops->check(argv[1], &error);
	if (r == 0)
		r = ops->open(argv[1], owner ? owner : "test", false, &c.v, &error);
	if (r == 0) {
		r = ops->sweep(c.v, &error);
		if (r < 0)
			ops->close(c.v);
	}
	if (r < 0) {
		printf("failed sweep: %s (%s): %s\n", strerror(error.number),
		       ec2_code_name(error.code), error.message);
		return 1;
	}
	if (strcmp(c.words[0], "batch") == 0)
		c.result = batch(c.v);
	else
		perform(&c);
	ops->close(c.v);
	return c.result == 0 ? 0 : 1;
}
