#include "ec2fs/text/cidr_list.h"

#include "ec2fs/text/lines.h"
#include "ec2fs/text/permission.h"

#include <string.h>

struct parsing {
	cidr_fn *each;
	void *context;
	struct permission_set seen; /* of CIDRs alone */
};

static int parse_line(void *context, unsigned line, char *content, struct ec2fs_error *error)
{
	struct parsing *s = context;
	struct permission p = {.peer = PEER_CIDR};
	unsigned first;
	int r;

	if (strpbrk(content, " \t\r"))
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "%.64s: one CIDR block a line; write descriptions after a #",
				  content);
	if (address_parse(content, &p.cidr.address, NULL) == 0)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "%.64s has no prefix length; write %.64s/32", content, content);
	r = cidr_parse(content, &p.cidr, error);
	if (r < 0)
		return r;
	if (!permission_set_add(&s->seen, &p, line, &first))
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "%.64s stands in line %u already; take one away", content, first);
	return s->each(s->context, line, p.cidr, error);
}

int cidrs_parse(const char *text, size_t len, cidr_fn *each, void *context,
		struct ec2fs_error *error)
{
	struct parsing s = {.each = each, .context = context};
	int r = lines_parse(text, len, EC2_InvalidParameterValue, parse_line, &s, error);

	permission_set_free(&s.seen);
	return r;
}
