/* Flow logs of a VPC: on and off, as it is described. */
#include "netfw/internal.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <stdlib.h>

/* When a connection began is known while flow logs are on. */
static void set_timestamps(struct vpc *v, const char *value)
{
	struct netns_setting timestamp = {"netfilter/nf_conntrack_timestamp", value, 1};

	netns_set(&v->ns, &timestamp, 1, NULL);
}

static int start(struct vpc *v, const struct netfw_vpc *next, struct ec2fs_error *error)
{
	struct netfw *n = v->netfw;
	cleanup_free char *directory = xasprintf("%s/%s", n->directory, v->id);
	int r;

	set_timestamps(v, "1");
	r = flow_logs_start(v->ns.fd, directory, next, n->flow_logged, n->context, &v->flow_logs,
			    error);
	if (r < 0) {
		set_timestamps(v, "0");
		return r;
	}
	for (size_t c = 0; c < v->interfaces.capacity; c++) {
		const struct interface *i = v->interfaces.cells[c].item;

		if (i)
			flow_logs_set_interface(v->flow_logs, i->is->id, i->is->address);
	}
	return 0;
}

int flows_prepare(struct vpc *v, const struct netfw_vpc *next, bool *ret_new,
		  struct ec2fs_error *error)
{
	int r;

	*ret_new = false;
	if (!next || !next->flow_logs.flows || v->flow_logs)
		return 0;
	r = start(v, next, error);
	*ret_new = r == 0;
	return r;
}

void flows_settle(struct vpc *v)
{
	if (!v->flow_logs)
		return;
	if (v->is->flow_logs.flows) {
		flow_logs_set_vpc(v->flow_logs, v->is);
	} else {
		flows_end(v);
		set_timestamps(v, "0");
	}
}

void flows_end(struct vpc *v)
{
	flow_logs_stop(v->flow_logs);
	v->flow_logs = NULL;
}
