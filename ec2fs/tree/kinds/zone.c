#include "ec2fs/model/admission.h"
#include "ec2fs/tree/internal.h"

#include <inttypes.h>
#include <string.h>

static void show_capacity(const struct show *s, struct strbuf *out)
{
	uint64_t memory, vcpus;

	admission_usage(s->view, s->r->parent, s->r->name, &memory, &vcpus);
	strbuf_addf(out, "vcpus %" PRIu64 "\n", resource_u64(s->r, "@vcpus", 0));
	strbuf_addf(out, "vcpus-used %" PRIu64 "\n", vcpus);
	strbuf_addf(out, "memory %" PRIu64 " MiB\n", resource_u64(s->r, "@memory", 0) / MIB);
	strbuf_addf(out, "memory-used %" PRIu64 " MiB\n", memory / MIB);
}

static const struct entry entries[] = {
	{.name = "state",
	 .mode = S_IFREG | 0644,
	 .store = zone_set_state,
	 .help = "available, or why nothing is launched here"},
	{.name = "messages", .mode = S_IFREG | 0444, .help = "trouble with compute or storage"},
	{.name = "compute",
	 .mode = S_IFREG | 0644,
	 .store = zone_set_compute,
	 .help = "what runs the machines: a libvirt URI, or sim"},
	{.name = "storage",
	 .mode = S_IFREG | 0644,
	 .store = zone_set_storage,
	 .help = "what holds the volumes: file:DIR"},
	{.name = "capacity",
	 .mode = S_IFREG | 0444,
	 .flags = TREE_LIVE,
	 .show = show_capacity,
	 .help = "of the host, and what is taken"},
	{.name = "error",
	 .mode = S_IFREG | 0444,
	 .show = show_error,
	 .help = "why the last change was refused"},
	{0},
};

static const struct dir zone_dir = {.title = "availability-zones/NAME", .entries = entries};

/* Every region has this one from the beginning. */
static bool is_inborn(const struct view *v, const struct resource *r)
{
	(void)v;
	return r->name[0] && r->name[strlen(r->name) - 1] == 'a';
}

const struct kind_ops zone_kind = {.dir = &zone_dir, .remove = zone_remove, .inborn = is_inborn};
