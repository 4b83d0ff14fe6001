#include "ec2fs/tree/open.h"

#include "ec2fs/tree/internal.h"
#include "ec2fs/util/memory.h"

#include <stdlib.h>

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
	events_free(t->events);
	free(t);
}

void tree_watch(struct tree *t, tree_watch_fn *fn, void *context)
{
	t->watch_context = context;
	t->watch = fn;
}
