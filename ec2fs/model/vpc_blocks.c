/* The CIDR blocks of a VPC (VPC user guide, "VPC CIDR blocks"). */
#include "ec2fs/model/network.h"

#include "ec2fs/model/refer.h"
#include "ec2fs/text/words.h"
#include "ec2fs/util/strbuf.h"

#include <string.h>

#define BLOCKS_MOST 5 /* EC2's quota, "IPv4 CIDR blocks per VPC" */
#define BLOCK(a, b, c, d, prefix)                                                                  \
	{                                                                                          \
		(uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d), prefix                           \
	}

struct looking {
	size_t index;
	struct cidr *ret;
};

static int take_block(void *context, const struct words *w, struct ec2fs_error *error)
{
	struct looking *l = context;

	(void)error;
	if (l->index--)
		return 0;
	return cidr_parse(w->word[0], l->ret, NULL) == 0;
}

bool vpc_cidr(const struct resource *vpc, size_t index, struct cidr *ret)
{
	const char *further = resource_or(vpc, "cidr-blocks", "");
	struct looking l = {index - 1, ret};

	if (index == 0)
		return cidr_parse(resource_or(vpc, "cidr-block", ""), ret, NULL) == 0;
	return words_parse(further, strlen(further), take_block, &l, NULL) == 1;
}

bool vpc_contains(const struct resource *vpc, struct cidr c)
{
	struct cidr block;

	for (size_t i = 0; vpc_cidr(vpc, i, &block); i++)
		if (cidr_contains(block, c))
			return true;
	return false;
}

/* 1 to 3 for the private ranges of RFC 1918, 0 for others. */
static int private_range(struct cidr c)
{
	static const struct cidr ranges[] = {BLOCK(10, 0, 0, 0, 8), BLOCK(172, 16, 0, 0, 12),
					     BLOCK(192, 168, 0, 0, 16)};

	for (int i = 0; i < 3; i++)
		if (cidr_contains(ranges[i], c))
			return i + 1;
	return 0;
}

/* Is it a block that any VPC may have? */
static int block_parse(const char *text, struct cidr *ret, struct ec2fs_error *error)
{
	static const struct {
		struct cidr block;
		const char *what;
	} forbidden[] = {
		{BLOCK(0, 0, 0, 0, 8), "this network"},
		{BLOCK(127, 0, 0, 0, 8), "loopback addresses"},
		{BLOCK(169, 254, 0, 0, 16), "link-local addresses"},
		{BLOCK(224, 0, 0, 0, 3), "multicast or reserved addresses"},
	};
	int result = cidr_parse(text, ret, error);

	if (result < 0)
		return result;
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		if (cidr_overlaps(forbidden[i].block, *ret))
			return ec2fs_fail(error, EC2_InvalidParameterValue,
					  "%s are %s; choose private ones, such as 10.0.0.0/16",
					  text, forbidden[i].what);
	if (ret->prefix < 16 || ret->prefix > 28)
		return ec2fs_fail(error, EC2_InvalidVpcRange,
				  "%s: a VPC's block is a /16, the largest, to a /28, the smallest",
				  text);
	return 0;
}

struct contained {
	struct cidr block;
	bool found;
	char text[CIDR_TEXT];
};

static void note_contained(void *context, const struct route *r)
{
	struct contained *c = context;

	if (r->target == ROUTE_LOCAL || c->found || !cidr_contains(c->block, r->to))
		return;
	c->found = true;
	cidr_print(r->to, c->text);
}

/* Nothing that leads elsewhere may lie in it: local routes are never less specific than others. */
static int check_routes(const struct view *v, const struct resource *vpc, struct cidr block,
			struct ec2fs_error *error)
{
	view_each (v, vpc->number, KIND_ROUTE_TABLE, table) {
		struct contained c = {.block = block};

		routes_each(v, table, note_contained, &c);
		if (c.found)
			return ec2fs_fail(error, EC2_InvalidParameterValue,
					  "the route table %s has a route to %s, which is in this "
					  "block",
					  table->name, c.text);
	}
	return 0;
}

/* The VPCs at the other ends of active peerings have other addresses. */
static int check_peers(const struct view *v, const struct resource *vpc, struct cidr block,
		       struct ec2fs_error *error)
{
	const struct resource *peering = NULL, *other;
	struct cidr theirs;

	while ((peering = peering_next(v, vpc, peering)) != NULL) {
		if (!peering_is_active(peering))
			continue;
		other = peering_other(v, peering, vpc);
		for (size_t i = 0; other && vpc_cidr(other, i, &theirs); i++)
			if (cidr_overlaps(theirs, block))
				return ec2fs_fail(error, EC2_InvalidParameterValue,
						  "it overlaps the VPC %s, to which there is the "
						  "peering %s",
						  other->name, peering->name);
	}
	return 0;
}

/* A subnet in that block, or NULL. */
static const struct resource *subnet_in(const struct view *v, const struct resource *vpc,
					struct cidr block)
{
	struct cidr c;

	view_each (v, vpc->number, KIND_SUBNET, subnet)
		if (subnet_cidr(subnet, &c) && cidr_contains(block, c))
			return subnet;
	return NULL;
}

int vpc_set_cidr_block(struct view *v, struct resource *r, const char *text, size_t len,
		       struct ec2fs_error *error)
{
	const struct resource *subnet;
	struct cidr c, old;
	int result;

	(void)len;
	if (resource_is(r, "cidr-block", text)) {
		set_text(v, r, "cidr-block", text);
		return 0;
	}
	result = block_parse(text, &c, error);
	if (result < 0)
		return result;
	if (vpc_cidr(r, 0, &old)) {
		subnet = subnet_in(v, r, old);
		if (subnet)
			return ec2fs_fail_errno(error, EBUSY, EC2_DependencyViolation,
						"the subnet %s is in the block; make another VPC",
						subnet->name);
		if (vpc_cidr(r, 1, &old))
			return ec2fs_fail_errno(
				error, EBUSY, EC2_DependencyViolation,
				"there are further blocks; empty cidr-blocks first");
	}
	result = check_routes(v, r, c, error);
	if (result == 0)
		result = check_peers(v, r, c, error);
	if (result < 0)
		return result;
	set_text(v, r, "cidr-block", text);
	set_text(v, r, "state", "available");
	return 0;
}

struct blocks {
	const struct view *v;
	const struct resource *vpc;
	struct cidr all[BLOCKS_MOST];
	size_t count;
};

/* One more block beside those before it. */
static int check_block(struct blocks *b, const char *text, struct ec2fs_error *error)
{
	struct cidr c;
	int result = block_parse(text, &c, error);
	bool there = false;

	if (result < 0)
		return result;
	if (b->count == BLOCKS_MOST)
		return ec2fs_fail(error, EC2_ResourceLimitExceeded,
				  "a VPC has at most %d blocks, cidr-block among them",
				  BLOCKS_MOST);
	for (size_t i = 0; i < b->count; i++)
		if (cidr_overlaps(b->all[i], c))
			return ec2fs_fail(error, EC2_InvalidParameterValue,
					  "%s overlaps another block of the VPC", text);
	if (private_range(c) && private_range(c) != private_range(b->all[0]))
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "%s is from another private range than cidr-block", text);
	for (size_t i = 1; vpc_cidr(b->vpc, i, &b->all[b->count]); i++)
		there |= b->all[b->count].address == c.address &&
			 b->all[b->count].prefix == c.prefix;
	if (!there)
		result = check_routes(b->v, b->vpc, c, error);
	if (result == 0 && !there)
		result = check_peers(b->v, b->vpc, c, error);
	b->all[b->count++] = c;
	return result;
}

static int check_line(void *context, const struct words *w, struct ec2fs_error *error)
{
	if (w->count != 1)
		return ec2fs_fail(error, EC2_InvalidParameterValue, "write one CIDR block a line");
	return check_block(context, w->word[0], error);
}

int vpc_set_cidr_blocks(struct view *v, struct resource *r, const char *text, size_t len,
			struct ec2fs_error *error)
{
	struct blocks b = {.v = v, .vpc = r};
	struct cidr old;
	int result;

	if (!vpc_cidr(r, 0, &b.all[0])) {
		if (strspn(text, " \t\r\n") == len)
			return 0;
		return ec2fs_fail(error, EC2_MissingParameter,
				  "write the first block to cidr-block before");
	}
	b.count = 1;
	result = words_parse(text, len, check_line, &b, error);
	for (size_t i = 1; result == 0 && vpc_cidr(r, i, &old); i++) {
		const struct resource *subnet = subnet_in(v, r, old);
		bool kept = false;

		for (size_t k = 1; k < b.count; k++)
			kept |= b.all[k].address == old.address && b.all[k].prefix == old.prefix;
		if (!kept && subnet)
			result = ec2fs_fail_errno(
				error, EBUSY, EC2_DependencyViolation,
				"the subnet %s is in a block that is not there any "
				"more",
				subnet->name);
	}
	if (result < 0)
		return result;
	set_document(v, r, "cidr-blocks", text, len);
	return 0;
}
