/* "lvm:VG/POOL": how a zone names its thin pool. */
#include "volumes/lvm/internal.h"

#include <string.h>

#define SCHEME "lvm:"
#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+_.-"

bool lvm_claims(const char *uri)
{
	return strncmp(uri, SCHEME, strlen(SCHEME)) == 0;
}

/* Takes the name at *at, which must end before one of the characters of ends. */
static bool take_name(const char **at, const char *ends, char *to, size_t size)
{
	size_t len = strspn(*at, NAME_CHARS);

	if (!len || len >= size || **at == '-' || !strchr(ends, (*at)[len]))
		return false;
	memcpy(to, *at, len);
	to[len] = '\0';
	*at += len;
	return strcmp(to, ".") != 0 && strcmp(to, "..") != 0;
}

static bool take_option(const char **at, struct lvm_uri *u)
{
	size_t len = strcspn(*at, ",");
	const char *option = *at;

	*at += len;
	if (len == strlen("overwrite") && strncmp(option, "overwrite", len) == 0) {
		u->overwrite = true;
		return u->device[0];
	}
	if (strncmp(option, "device=/", strlen("device=/")) != 0 || u->device[0])
		return false;
	option += strlen("device=");
	len -= strlen("device=");
	if (len >= sizeof(u->device))
		return false;
	memcpy(u->device, option, len);
	u->device[len] = '\0';
	return true;
}

int lvm_uri_parse(const char *uri, struct lvm_uri *ret, struct ec2fs_error *error)
{
	const char *at = uri + strlen(SCHEME);
	struct lvm_uri u = {0};
	bool good;

	good = take_name(&at, "/", u.vg, sizeof(u.vg)) && *at++ == '/' &&
	       take_name(&at, ",", u.pool, sizeof(u.pool));
	while (good && *at == ',') {
		at++;
		good = take_option(&at, &u);
	}
	if (!good || *at)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "write lvm:, a volume group, / and its thin pool, such as "
				  "lvm:ec2/pool; and where ec2fs is to make both of an empty disk, "
				  ",device=/dev/DISK after that");
	*ret = u;
	return 0;
}

int lvm_check(const char *uri, struct ec2fs_error *error)
{
	struct lvm_uri u;

	return lvm_uri_parse(uri, &u, error);
}
