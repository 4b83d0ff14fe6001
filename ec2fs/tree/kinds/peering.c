/* vpcs/VPC/peerings/NAME: a joint of two VPCs. */
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
	ENTRY_ID("vpc-peering-connection-id", "pcx-…"),
	ENTRY_RW("peer-vpc", peering_set_peer_vpc,
		 "the VPC that is asked: NAME, or REGION/NAME; written once", .flags = TREE_LIVE,
		 .show = show_peer),
	ENTRY_RW("state", peering_set_state,
		 "pending-acceptance; write active to accept, or rejected",
		 .flags = TREE_NOT_COPIED),
	ENTRY_RO("state-reason", "why it failed", .present = field_present),
	ENTRY_TAGS,
	ENTRY_ERROR,
	{0},
};

static const struct dir peering_dir = {.title = "vpcs/VPC/peerings/NAME", .entries = entries};

const struct kind_ops peering_kind = {
	.dir = &peering_dir, .remove = peering_remove, .rename = peering_rename};
