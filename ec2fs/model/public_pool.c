/* The public addresses that this cloud may give out: a list of CIDR blocks at the root. */
#include "ec2fs/model/network.h"

#include "ec2fs/model/cloud.h"
#include "ec2fs/text/cidr_list.h"
#include "ec2fs/text/lines.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <string.h>

#define FIELD "public-ipv4-pool"
#define BLOCKS_MOST 256

static const char preset[] =
	"198.51.100.0/24  # TEST-NET-2 of RFC 5737: routed on this host alone\n";

/* Never public, and of use to the host itself (RFC 6890). */
static const struct {
	struct cidr block;
	const char *what;
} never[] = {
	{{0x00000000, 8}, "this network"},
	{{0x7f000000, 8}, "loopback"},
	{{0xa9fe0000, 16}, "link-local"},
	{{0xe0000000, 3}, "multicast or reserved"},
};

const char *public_pool_text(const struct view *v)
{
	return resource_or(view_get(v, ROOT_NUMBER), FIELD, preset);
}

struct pool {
	struct cidr *blocks;
	size_t count, capacity;
};

static void pool_free(struct pool *p)
{
	free(p->blocks);
}

static int add_block(void *context, unsigned line, struct cidr c, struct ec2fs_error *error)
{
	struct pool *p = context;
	char text[CIDR_TEXT];

	(void)line;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (cidr_overlaps(never[i].block, c))
			return ec2fs_fail(error, EC2_InvalidParameterValue,
					  "there are %s addresses in this block", never[i].what);
	for (size_t i = 0; i < p->count; i++)
		if (cidr_overlaps(p->blocks[i], c)) {
			cidr_print(p->blocks[i], text);
			return ec2fs_fail(error, EC2_InvalidParameterValue,
					  "the block overlaps %s; take one away", text);
		}
	if (p->count == BLOCKS_MOST)
		return ec2fs_fail(error, EC2_InvalidParameterValue, "at most %d blocks fit",
				  BLOCKS_MOST);
	array_reserve(p->blocks, p->count, p->capacity);
	p->blocks[p->count++] = c;
	return 0;
}

size_t public_pool_blocks(const struct view *v, struct cidr **ret)
{
	const char *text = public_pool_text(v);
	struct pool p = {0};

	cidrs_parse(text, strlen(text), add_block, &p, NULL);
	*ret = p.blocks;
	return p.count;
}

static int check_holder(const struct resource *region, const struct resource *holder,
			const struct pool *p, struct ec2fs_error *error)
{
	const char *text = resource_public_ip(holder);
	uint32_t address;

	if (!text || address_parse(text, &address, NULL) < 0)
		return 0;
	for (size_t i = 0; i < p->count; i++)
		if (cidr_has(p->blocks[i], address))
			return 0;
	return ec2fs_fail(error, EC2_InvalidIPAddress_InUse,
			  "%s would not be in the pool any more, and the %s %s of %s has it", text,
			  kind_name(holder->kind), holder->name, region->name);
}

static int check_holders(const struct view *v, const struct pool *p, struct ec2fs_error *error)
{
	static const enum kind kinds[] = {KIND_ADDRESS, KIND_INSTANCE};
	int result = 0;

	view_each (v, ROOT_NUMBER, KIND_REGION, region)
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			view_each (v, region->number, kinds[i], r) {
				result = check_holder(region, r, p, error);
				if (result < 0)
					return result;
			}
	return 0;
}

int public_pool_set(struct view *v, struct resource *r, const char *text, size_t len,
		    struct ec2fs_error *error)
{
	struct strbuf whole cleanup_strbuf = STRBUF_INIT;
	struct pool p __attribute__((cleanup(pool_free))) = {0};
	int result = cidrs_parse(text, len, add_block, &p, error);

	if (result == 0)
		result = check_holders(v, &p, error);
	if (result < 0)
		return result;
	lines_complete(text, len, &whole);
	set_data(v, r, FIELD, strbuf_str(&whole), whole.len);
	return 0;
}

/* Of a block with room for them, the first and the last address are the network's own. */
static uint64_t usable(struct cidr c)
{
	uint64_t n = (uint64_t)cidr_last(c) - c.address + 1;

	return c.prefix <= 30 ? n - 2 : n;
}

static uint32_t nth(const struct cidr *blocks, uint64_t n)
{
	while (n >= usable(*blocks))
		n -= usable(*blocks++);
	return blocks->address + (uint32_t)n + (blocks->prefix <= 30);
}

/*
 * Looks from a random place on, so that an address that was given back is not the next one given
 * out: somebody may still send to it.
 */
int public_address_free(const struct view *v, uint32_t *ret, struct ec2fs_error *error)
{
	cleanup_free struct cidr *blocks = NULL;
	size_t count = public_pool_blocks(v, &blocks);
	uint64_t total = 0, begin;
	char text[CIDR_TEXT];

	for (size_t i = 0; i < count; i++)
		total += usable(blocks[i]);
	cloud_random(v->cloud, &begin, sizeof(begin));
	for (uint64_t i = 0; i < total; i++) {
		uint32_t address = nth(blocks, (begin % total + i) % total);

		address_print(address, text);
		if (view_by_public_ip(v, text))
			continue;
		*ret = address;
		return 0;
	}
	return ec2fs_fail(error, EC2_InsufficientAddressCapacity,
			  "all %llu addresses of public-ipv4-pool are taken: release one, or add a "
			  "block to that file at the root",
			  (unsigned long long)total);
}
