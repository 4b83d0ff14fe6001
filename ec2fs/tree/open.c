#include "ec2fs/tree/open.h"

#include "ec2fs/tree/internal.h"
#include "ec2fs/util/memory.h"

#include <stdlib.h>
#include <string.h>

static void flow_logged(void *context, uint64_t vpc)
{
	tree_tell(context, TREE_CHANGED, node_id(vpc, "flow-logs"), 0, NULL);
}

struct tree *tree_open(struct cloud *cloud, struct engine *engine, struct blobs *blobs)
{
	struct tree *t = xnew(struct tree);

	t->cloud = cloud;
	t->engine = engine;
	t->blobs = blobs;
	t->refusals = refusals_new();
	t->shown_times = shown_times_new();
	t->events = events_new();
	cloud_watch(cloud, tree_cloud_changed, t);
	if (engine)
		engine_watch_flow_logs(engine, flow_logged, t);
	return t;
}

void tree_close(struct tree *t)
{
	if (!t)
		return;
	refusals_free(t->refusals);
	shown_times_free(t->shown_times);
	events_free(t->events);
	free(t);
}

void tree_watch(struct tree *t, tree_watch_fn *fn, void *context)
{
	t->watch_context = context;
	t->watch = fn;
}

static void describe(const struct dir *dir,
		     void (*each)(void *, const char *, const char *, mode_t, const char *),
		     void *context)
{
	for (const struct entry *e = dir->entries; e && e->name; e++) {
		each(context, dir->title, e->name, e->mode, e->help);
		if (e->dir)
			describe(e->dir, each, context);
	}
}

void tree_describe(void (*each)(void *context, const char *dir, const char *name, mode_t mode,
				const char *help),
		   void *context)
{
	for (enum kind kind = KIND_ROOT; kind < KIND_COUNT; kind++)
		if (kind_ops(kind)->dir)
			describe(kind_ops(kind)->dir, each, context);
}
