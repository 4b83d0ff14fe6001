/* The root: one directory a region, and what is true of the whole cloud. */
#include "ec2fs/model/instance.h"
#include "ec2fs/tree/internal.h"

#include <inttypes.h>
#include <string.h>

static void show_version(const struct show *s, struct strbuf *out)
{
	(void)s;
	strbuf_adds(out, EC2FS_VERSION "\n");
}

static void show_events(const struct show *s, struct strbuf *out)
{
	events_show(s->tree->events, s->log_start, out);
}

static void show_errors(const struct show *s, struct strbuf *out)
{
	refusals_show(s->tree->refusals, s->who ? s->who->uid : 0, out);
}

static void show_public_pool(const struct show *s, struct strbuf *out)
{
	strbuf_adds(out, public_pool_text(s->view));
}

/* Prometheus's text format, version 0.0.4. */
static void show_metrics(const struct show *s, struct strbuf *out)
{
	static const enum kind kinds[] = {KIND_IMAGE, KIND_INSTANCE, KIND_KEY_PAIR, KIND_VOLUME,
					  KIND_SNAPSHOT};

	strbuf_adds(out, "# HELP ec2fs_resources Resources of a region, by kind.\n"
			 "# TYPE ec2fs_resources gauge\n");
	view_each (s->view, ROOT_NUMBER, KIND_REGION, region) {
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			strbuf_addf(out, "ec2fs_resources{region=\"%s\",kind=\"%s\"} %zu\n",
				    region->name, kind_name(kinds[i]),
				    view_count(s->view, region->number, kinds[i]));
	}
	strbuf_adds(out, "# HELP ec2fs_instances Instances of a region, by state.\n"
			 "# TYPE ec2fs_instances gauge\n");
	view_each (s->view, ROOT_NUMBER, KIND_REGION, region) {
		size_t counts[INSTANCE_STATE_COUNT] = {0};

		view_each (s->view, region->number, KIND_INSTANCE, r)
			counts[instance_state(r)]++;
		for (int i = 0; i < INSTANCE_STATE_COUNT; i++)
			strbuf_addf(out, "ec2fs_instances{region=\"%s\",state=\"%s\"} %zu\n",
				    region->name, instance_state_name((enum instance_state)i),
				    counts[i]);
	}
	strbuf_addf(out,
		    "# HELP ec2fs_refusals_total Changes that were refused since the start.\n"
		    "# TYPE ec2fs_refusals_total counter\n"
		    "ec2fs_refusals_total %" PRIu64 "\n",
		    refusals_count(s->tree->refusals));
}

static const struct entry entries[] = {
	ENTRY_RO("README",
		 "how to begin; each region has one, and each directory in which mkdir makes "
		 "something",
		 .flags = ENTRY_CONSTANT, .show = show_readme),
	ENTRY_RO("version", "of the daemon that serves this tree", .show = show_version),
	ENTRY_RO("events", "recent changes, a line each, the newest last",
		 .flags = TREE_LIVE | TREE_LOG, .show = show_events),
	ENTRY_RO("metrics", "figures of the whole cloud in Prometheus's text format",
		 .flags = TREE_LIVE, .show = show_metrics),
	ENTRY_RW("public-ipv4-pool", public_pool_set,
		 "CIDR lines: the public addresses that all regions give out",
		 .flags = TREE_DOCUMENT, .max = 64 * 1024, .show = show_public_pool),
	ENTRY_RO("errors", "your last refusals, the newest first (root sees everybody's)",
		 .flags = TREE_PER_CALLER, .show = show_errors),
	{0},
};

static const struct dir root_dir = {
	.title = "/",
	.entries = entries,
	.child = KIND_REGION,
	.make = region_make,
	.about = "This directory is a cloud. The directories here are its regions; what is in them "
		 "is made with mkdir, set with echo, read with cat, and removed with rm -r. man "
		 "ec2fs.tree tells every file.",
	.examples = "cat us-east-1/README                   # what is in a region\n"
		    "mkdir eu-central-1                     # another region\n"
		    "cat errors                             # what was refused lately, and why\n",
};

const struct kind_ops root_kind = {.dir = &root_dir};
