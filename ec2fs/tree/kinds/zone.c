/* availability-zones/NAME: what runs machines and holds volumes. */
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
	ENTRY_RW("state", zone_set_state, "available, or why nothing is launched here"),
	ENTRY_RO("messages", "trouble with compute or storage"),
	ENTRY_RW("compute", zone_set_compute, "what runs the machines: a libvirt URI, or sim"),
	ENTRY_RW("storage", zone_set_storage, "what holds the volumes: file:DIR"),
	ENTRY_RO("capacity", "of the host, and what is taken", .flags = TREE_LIVE,
		 .show = show_capacity),
	ENTRY_ERROR,
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
