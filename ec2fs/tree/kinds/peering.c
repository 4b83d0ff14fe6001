#include "ec2fs/model/network.h"
#include "ec2fs/tree/internal.h"

/* "NAME", or "REGION/NAME" of another region; the ID of one that is gone. */
static void show_peer(const struct show *s, struct strbuf *out)
{
	const char *id = resource_get(s->r, "peer-vpc");
	const struct resource *vpc = id ? view_by_id(s->view, id) : NULL;
	const struct resource *region = vpc ? view_region(s->view, vpc) : NULL;

	if (region && region != view_region(s->view, s->r))
		strbuf_addf(out, "%s/%s\n", region->name, vpc->name);
	else if (id)
		strbuf_addf(out, "%s\n", vpc ? vpc->name : id);
}

static const struct entry entries[] = {
	{.name = "vpc-peering-connection-id",
	 .mode = S_IFREG | 0444,
	 .show = show_id,
	 .help = "pcx-…"},
	{.name = "peer-vpc",
	 .mode = S_IFREG | 0644,
	 .flags = TREE_LIVE,
	 .show = show_peer,
	 .store = peering_set_peer_vpc,
	 .help = "the VPC that is asked: NAME, or REGION/NAME; written once"},
	{.name = "state",
	 .mode = S_IFREG | 0644,
	 .flags = TREE_NOT_COPIED,
	 .store = peering_set_state,
	 .help = "pending-acceptance; write active to accept, or rejected"},
	{.name = "state-reason",
	 .mode = S_IFREG | 0444,
	 .present = field_present,
	 .help = "why it failed"},
	{.name = "tags", .mode = S_IFDIR | 0755, .dir = &tags_dir, .help = "a file each"},
	{.name = "error",
	 .mode = S_IFREG | 0444,
	 .show = show_error,
	 .help = "why the last change was refused"},
	{0},
};

static const struct dir peering_dir = {.title = "vpcs/VPC/peerings/NAME", .entries = entries};

const struct kind_ops peering_kind = {
	.dir = &peering_dir, .remove = peering_remove, .rename = peering_rename};
