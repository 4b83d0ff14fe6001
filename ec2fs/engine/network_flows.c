/* Flow logs: who wants to know of them, and the files of VPCs that are gone. */
#include "ec2fs/engine/network.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <string.h>

static char *network_directory(const struct engine *e)
{
	return xasprintf("%s/network", e->state_dir);
}

void engine_flow_logs(struct engine *e, const char *vpc, struct strbuf *out)
{
	cleanup_free char *directory = network_directory(e);

	netfw_flow_log_show(directory, vpc, out);
}

void engine_watch_flow_logs(struct engine *e, void (*fn)(void *context, uint64_t vpc),
			    void *context)
{
	e->flow_logged = fn;
	e->flow_logged_context = context;
}

void network_flow_logged(void *context, const char *id)
{
	struct engine *e = context;
	struct view v = cloud_read(e->cloud);
	const struct resource *vpc = view_by_id(&v, id);
	uint64_t number = vpc ? vpc->number : NO_NUMBER;

	cloud_read_end(e->cloud);
	if (number != NO_NUMBER && e->flow_logged)
		e->flow_logged(e->flow_logged_context, number);
}

void network_forget_flow_log(struct engine *e, const char *vpc)
{
	cleanup_free char *directory = network_directory(e);

	netfw_flow_log_remove(directory, vpc);
}

/* A removal of the VPC may have been cut short. */
void network_sweep_flow_logs(struct engine *e)
{
	cleanup_free char *path = network_directory(e);
	cleanup_dir DIR *d = opendir(path);
	const struct dirent *entry;

	while (d && (entry = readdir(d))) {
		struct view v;
		bool wanted;

		if (strncmp(entry->d_name, "vpc-", 4) != 0)
			continue;
		v = cloud_read(e->cloud);
		wanted = view_by_id(&v, entry->d_name);
		cloud_read_end(e->cloud);
		if (!wanted)
			netfw_flow_log_remove(path, entry->d_name);
	}
}
