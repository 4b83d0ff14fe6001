#include "ec2fs/text/size.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char units[] = "KMGT";

/* The factor of a unit as written behind the number, or 0. */
static uint64_t factor_of(const char *text, uint64_t unit)
{
	const char *at;

	text += strspn(text, " ");
	if (!*text)
		return unit;
	if (strcmp(text, "B") == 0)
		return 1;
	at = strchr(units, *text);
	if (!at || (text[1] && strcmp(text + 1, "iB") != 0))
		return 0;
	return (uint64_t)1 << (10 * (at - units + 1));
}

int size_parse(const char *text, uint64_t unit, uint64_t *ret, struct ec2fs_error *error)
{
	size_t digits = strspn(text, "0123456789");
	uint64_t factor = factor_of(text + digits, unit), bytes;
	unsigned long long n;

	if (!digits || !factor)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "this is no size; write one such as 512 MiB or 8 GiB");
	errno = 0;
	n = strtoull(text, NULL, 10);
	if (errno || __builtin_mul_overflow(n, factor, &bytes))
		return ec2fs_fail_errno(error, ERANGE, EC2_InvalidParameterValue,
					"this is more than any machine holds");
	*ret = bytes;
	return 0;
}

void size_print(uint64_t bytes, struct strbuf *out)
{
	int unit = 0;

	while (bytes && unit < 4 && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	if (unit)
		strbuf_addf(out, "%" PRIu64 " %ciB", bytes, units[unit - 1]);
	else
		strbuf_addf(out, "%" PRIu64 " B", bytes);
}
