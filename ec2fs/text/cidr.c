#include "ec2fs/text/cidr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static uint32_t mask(uint8_t prefix)
{
	return prefix ? ~0u << (32 - prefix) : 0;
}

int address_parse(const char *text, uint32_t *ret, struct ec2fs_error *error)
{
	struct in_addr in;

	if (inet_pton(AF_INET, text, &in) != 1)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "%.64s is no IPv4 address, such as 10.0.0.5", text);
	*ret = ntohl(in.s_addr);
	return 0;
}

void address_print(uint32_t a, char out[CIDR_TEXT])
{
	snprintf(out, CIDR_TEXT, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

/* One or two digits, no sign, no leading zero. */
static int prefix_parse(const char *text)
{
	int n = 0;

	if (!*text || strlen(text) > 2 || (text[0] == '0' && text[1]))
		return -1;
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return -1;
		n = n * 10 + (*p - '0');
	}
	return n <= 32 ? n : -1;
}

int cidr_parse(const char *text, struct cidr *ret, struct ec2fs_error *error)
{
	const char *slash = strchr(text, '/');
	char address[CIDR_TEXT], right[CIDR_TEXT];
	int prefix = slash ? prefix_parse(slash + 1) : -1;
	struct cidr c;

	if (prefix < 0 || slash - text >= CIDR_TEXT)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "%.64s is no CIDR block, such as 10.0.0.0/16", text);
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (address_parse(address, &c.address, NULL) < 0)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "%.64s is no CIDR block, such as 10.0.0.0/16", text);
	c.prefix = (uint8_t)prefix;
	if (c.address & ~mask(c.prefix)) {
		c.address &= mask(c.prefix);
		cidr_print(c, right);
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "%.64s has host bits; the block is %s", text, right);
	}
	*ret = c;
	return 0;
}

void cidr_print(struct cidr c, char out[CIDR_TEXT])
{
	address_print(c.address, out);
	snprintf(out + strlen(out), CIDR_TEXT - strlen(out), "/%u", c.prefix);
}

uint32_t cidr_last(struct cidr c)
{
	return c.address | ~mask(c.prefix);
}

bool cidr_has(struct cidr c, uint32_t address)
{
	return (address & mask(c.prefix)) == c.address;
}

bool cidr_contains(struct cidr outer, struct cidr inner)
{
	return inner.prefix >= outer.prefix && cidr_has(outer, inner.address);
}

bool cidr_overlaps(struct cidr a, struct cidr b)
{
	return cidr_contains(a, b) || cidr_contains(b, a);
}
