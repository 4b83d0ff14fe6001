/*
 * Rules of security groups, and lists of CIDR blocks: whatever comes is read or refused with a
 * reason; what was read is read as the same when it is printed; renaming a peer that no rule has
 * changes nothing, and there and back is where one was.
 */
#include "ec2fs/text/cidr_list.h"
#include "ec2fs/text/permission.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int print_each(void *context, unsigned line, const struct permission *p,
		      struct ec2fs_error *error)
{
	(void)line;
	(void)error;
	permission_print(p, context);
	strbuf_addc(context, '\n');
	return 0;
}

static int count_block(void *context, unsigned line, struct cidr c, struct ec2fs_error *error)
{
	(void)line;
	(void)error;
	++*(size_t *)context;
	if (c.prefix > 32 || !cidr_has(c, c.address))
		abort();
	return 0;
}

static void check_rename(const char *text, size_t size)
{
	struct strbuf there = STRBUF_INIT, back = STRBUF_INIT;

	if (!memmem(text, size, "sg:zz", 5) &&
	    permissions_replace_peer(text, size, "sg:a", "sg:zz", &there) &&
	    (!permissions_replace_peer(there.data, there.len, "sg:zz", "sg:a", &back) ||
	     back.len != size || memcmp(back.data, text, size) != 0))
		abort();
	strbuf_free(&there);
	strbuf_free(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf once = STRBUF_INIT, twice = STRBUF_INIT;
	struct ec2fs_error error = {0};
	const char *text = (const char *)data;
	size_t blocks = 0;

	if (permissions_parse(text, size, print_each, &once, &error) < 0) {
		if (!error.number || !*error.message)
			abort();
	} else {
		if (permissions_parse(strbuf_str(&once), once.len, print_each, &twice, &error) <
			    0 ||
		    strcmp(strbuf_str(&once), strbuf_str(&twice)) != 0)
			abort();
		check_rename(text, size);
	}
	error = (struct ec2fs_error){0};
	if (cidrs_parse(text, size, count_block, &blocks, &error) < 0 && !error.number)
		abort();
	strbuf_free(&once);
	strbuf_free(&twice);
	return 0;
}
