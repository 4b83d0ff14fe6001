#include "ec2fs/text/number.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int number_parse(const char *text, uint64_t least, uint64_t most, uint64_t *ret,
		 struct ec2fs_error *error)
{
	unsigned long long n;

	if (!*text || text[strspn(text, "0123456789")])
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "this is no number; write one from %" PRIu64 " to %" PRIu64,
				  least, most);
	errno = 0;
	n = strtoull(text, NULL, 10);
	if (errno || n < least || n > most)
		return ec2fs_fail_errno(error, ERANGE, EC2_InvalidParameterValue,
					"write a number from %" PRIu64 " to %" PRIu64, least, most);
	*ret = n;
	return 0;
}

int bool_parse(const char *text, bool *ret, struct ec2fs_error *error)
{
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return ec2fs_fail(error, EC2_InvalidParameterValue, "write true or false");
	*ret = *text == 't';
	return 0;
}
