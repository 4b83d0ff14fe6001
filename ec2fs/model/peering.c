/* Peerings: a VPC asks for one, the other accepts it (VPC peering guide, "lifecycle"). */
#include "ec2fs/model/network.h"

#include "ec2fs/model/refer.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <inttypes.h>
#include <string.h>

int peering_make(struct view *v, const struct resource *parent, const char *name,
		 struct resource **ret, struct ec2fs_error *error)
{
	struct resource *r = view_create(v, parent->number, KIND_PEERING, name);

	(void)error;
	set_default(r, "state", "initiating-request");
	*ret = r;
	return 0;
}

int peering_remove(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	(void)error;
	view_delete(v, r);
	return 0;
}

int peering_rename(struct view *v, struct resource *r, const char *name, struct ec2fs_error *error)
{
	(void)error;
	view_rename(v, r, name);
	return 0;
}

bool peering_is_active(const struct resource *peering)
{
	return resource_is(peering, "state", "active");
}

bool peering_is_alive(const struct resource *peering)
{
	return peering_is_active(peering) || resource_is(peering, "state", "pending-acceptance");
}

const struct resource *peering_other(const struct view *v, const struct resource *peering,
				     const struct resource *vpc)
{
	const struct resource *r;

	if (peering->parent != vpc->number)
		return view_get(v, peering->parent);
	r = view_by_id(v, resource_or(peering, "peer-vpc", ""));
	return r && r->kind == KIND_VPC ? r : NULL;
}

/* All VPCs of all regions, one after the other; NULL at the end. */
static const struct resource *vpc_next(const struct view *v, const struct resource *after)
{
	const struct resource *region = NULL, *vpc;

	if (after) {
		vpc = view_next(v, after->parent, KIND_VPC, after->number);
		if (vpc)
			return vpc;
		region = view_get(v, after->parent);
	}
	while ((region = view_next(v, ROOT_NUMBER, KIND_REGION, region ? region->number : 0)) !=
	       NULL) {
		vpc = view_next(v, region->number, KIND_VPC, 0);
		if (vpc)
			return vpc;
	}
	return NULL;
}

const struct resource *peering_next(const struct view *v, const struct resource *vpc,
				    const struct resource *after)
{
	const struct resource *asker = NULL, *r;

	if (!after || after->parent == vpc->number) {
		r = view_next(v, vpc->number, KIND_PEERING, after ? after->number : 0);
		if (r)
			return r;
		asker = vpc_next(v, NULL);
		r = NULL;
	} else {
		asker = view_get(v, after->parent);
		r = after;
	}
	for (; asker; asker = vpc_next(v, asker), r = NULL)
		while (asker->number != vpc->number &&
		       (r = view_next(v, asker->number, KIND_PEERING, r ? r->number : 0)) != NULL)
			if (resource_is(r, "peer-vpc", vpc->id))
				return r;
	return NULL;
}

bool vpcs_are_peered(const struct view *v, const struct resource *vpc, const struct resource *other)
{
	for (const struct resource *p = NULL; (p = peering_next(v, vpc, p)) != NULL;)
		if (peering_is_active(p) && peering_other(v, p, vpc) == other)
			return true;
	return false;
}

/* "NAME" of a VPC of the same region, "REGION/NAME", or an ID. */
static int vpc_refer(const struct view *v, const struct resource *from, const char *text,
		     const struct resource **ret, struct ec2fs_error *error)
{
	const char *slash = strchr(text, '/');
	const struct resource *region = view_region(v, from), *r = view_by_id(v, text);
	cleanup_free char *name = NULL;

	if (r && r->kind == KIND_VPC) {
		*ret = r;
		return 0;
	}
	if (slash) {
		name = xasprintf("%.*s", (int)(slash - text), text);
		region = view_find(v, ROOT_NUMBER, KIND_REGION, name);
		if (!region)
			return ec2fs_fail(error, EC2_InvalidVpcID_NotFound,
					  "there is no region %s; write VPC or REGION/VPC", name);
		text = slash + 1;
	}
	return refer(v, region->number, KIND_VPC, EC2_InvalidVpcID_NotFound, text, ret, error);
}

/* Peerings that are there or are waiting. */
static int check_limit(const struct view *v, const struct resource *vpc, struct ec2fs_error *error)
{
	uint64_t limit = quota_get(view_region(v, vpc), "peerings-per-vpc"), n = 0;

	for (const struct resource *p = NULL; (p = peering_next(v, vpc, p)) != NULL;)
		n += peering_is_alive(p);
	if (n < limit)
		return 0;
	return ec2fs_fail(error, EC2_ActiveVpcPeeringConnectionPerVpcLimitExceeded,
			  "the VPC %s has %" PRIu64 " peerings, as many as the quota allows",
			  vpc->name, limit);
}

/* Blocks that both have; *mine is one of ours, *theirs the one it overlaps. */
static bool blocks_overlap(const struct resource *vpc, const struct resource *peer,
			   struct cidr *mine, struct cidr *theirs)
{
	for (size_t i = 0; vpc_cidr(vpc, i, mine); i++)
		for (size_t k = 0; vpc_cidr(peer, k, theirs); k++)
			if (cidr_overlaps(*mine, *theirs))
				return true;
	return false;
}

static int need_block(const struct resource *vpc, struct ec2fs_error *error)
{
	struct cidr c;

	if (vpc_cidr(vpc, 0, &c))
		return 0;
	return ec2fs_fail(error, EC2_IncorrectState,
			  "the VPC %s has no block yet; write one to its cidr-block", vpc->name);
}

int peering_set_peer_vpc(struct view *v, struct resource *r, const char *text, size_t len,
			 struct ec2fs_error *error)
{
	const struct resource *vpc = view_get(v, r->parent), *peer;
	char a[CIDR_TEXT], b[CIDR_TEXT];
	struct cidr mine, theirs;
	int result = vpc_refer(v, r, text, &peer, error);

	(void)len;
	if (result < 0)
		return result;
	if (resource_is(r, "peer-vpc", peer->id))
		return 0;
	if (resource_get(r, "peer-vpc"))
		return ec2fs_fail(error, EC2_OperationNotPermitted,
				  "a peering keeps its peer; make another one");
	if (peer->number == vpc->number)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "a VPC needs no peering to itself");
	for (const struct resource *p = NULL; (p = peering_next(v, vpc, p)) != NULL;)
		if (peering_is_alive(p) && peering_other(v, p, vpc) &&
		    peering_other(v, p, vpc)->number == peer->number)
			return ec2fs_fail(error, EC2_VpcPeeringConnectionAlreadyExists,
					  "%s and %s have the peering %s", vpc->name, peer->name,
					  p->name);
	result = need_block(vpc, error);
	if (result == 0)
		result = need_block(peer, error);
	if (result == 0)
		result = check_limit(v, vpc, error);
	if (result == 0)
		result = check_limit(v, peer, error);
	if (result < 0)
		return result;
	set_text(v, r, "peer-vpc", peer->id);
	if (!blocks_overlap(vpc, peer, &mine, &theirs)) {
		set_text(v, r, "state", "pending-acceptance");
		return 0;
	}
	cidr_print(mine, a);
	cidr_print(theirs, b);
	set_text(v, r, "state", "failed");
	set_format(v, r, "state-reason", "%s of %s overlaps %s of %s", a, vpc->name, b, peer->name);
	return 0;
}

/* Blocks may have come since it was asked for. */
static int check_accept(const struct view *v, const struct resource *r, struct ec2fs_error *error)
{
	const struct resource *vpc = view_get(v, r->parent), *peer = peering_other(v, r, vpc);
	struct cidr mine, theirs;

	if (!peer)
		return ec2fs_fail(error, EC2_InvalidVpcID_NotFound, "the other VPC is gone");
	if (blocks_overlap(vpc, peer, &mine, &theirs))
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "the blocks of %s and %s overlap", vpc->name, peer->name);
	return 0;
}

int peering_set_state(struct view *v, struct resource *r, const char *text, size_t len,
		      struct ec2fs_error *error)
{
	int result = 0;

	(void)len;
	if (resource_is(r, "state", text))
		return 0;
	if (strcmp(text, "active") != 0 && strcmp(text, "rejected") != 0)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "write active to accept the peering, or rejected");
	if (!resource_is(r, "state", "pending-acceptance"))
		return ec2fs_fail(error, EC2_InvalidStateTransition,
				  "it is %s; only what is pending-acceptance can be accepted or "
				  "rejected",
				  resource_or(r, "state", ""));
	if (*text == 'a')
		result = check_accept(v, r, error);
	if (result == 0)
		set_text(v, r, "state", text);
	return result;
}
