#include "ec2fs/text/name.h"

#include <ctype.h>
#include <string.h>

#define NAME_MAX_BYTES 255
#define TAG_KEY_MAX 128
#define TAG_VALUE_MAX 256

/* Bytes of the character that begins with that byte, 0 when none can (RFC 3629). */
static size_t sequence_length(unsigned char c)
{
	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c <= 0xdf)
		return 2;
	if (c >= 0xe0 && c <= 0xef)
		return 3;
	return c >= 0xf0 && c <= 0xf4 ? 4 : 0;
}

long utf8_length(const char *text, size_t len, size_t *ret_bad)
{
	const unsigned char *p = (const unsigned char *)text;
	long count = 0;

	for (size_t i = 0; i < len; count++) {
		size_t n = sequence_length(p[i]);
		bool bad = !n || n > len - i;

		for (size_t k = 1; !bad && k < n; k++)
			bad = (p[i + k] & 0xc0) != 0x80;
		/* Overlong forms, surrogates, beyond U+10FFFF. */
		if (!bad && n > 2)
			bad = (p[i] == 0xe0 && p[i + 1] < 0xa0) ||
			      (p[i] == 0xed && p[i + 1] > 0x9f) ||
			      (p[i] == 0xf0 && p[i + 1] < 0x90) ||
			      (p[i] == 0xf4 && p[i + 1] > 0x8f);
		if (bad) {
			*ret_bad = i;
			return -1;
		}
		i += n;
	}
	return count;
}

static int check_text(const char *text, size_t len, const char *what, struct ec2fs_error *error)
{
	size_t bad;

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 127)
			return ec2fs_fail(error, EC2_InvalidParameterValue,
					  "%s has a control character at byte %zu", what, i + 1);
	if (utf8_length(text, len, &bad) < 0)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "%s is not UTF-8 from byte %zu on", what, bad + 1);
	return 0;
}

int text_check(const char *text, size_t len, bool lines, struct ec2fs_error *error)
{
	size_t bad;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\t' || (lines && (c == '\n' || c == '\r')))
			continue;
		if (c < ' ' || c == 127)
			return ec2fs_fail(error, EC2_InvalidParameterValue,
					  "this is to be text, and has a control character (%u) at "
					  "byte %zu",
					  c, i + 1);
	}
	if (utf8_length(text, len, &bad) < 0)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "this is to be text, and is not UTF-8 from byte %zu on", bad + 1);
	return 0;
}

/* "tmp.XXXXXXXXXX", mktemp's own pattern: whoever wants a scratch directory wants no resource. */
static bool looks_temporary(const char *name)
{
	size_t i = 4;

	if (strncmp(name, "tmp.", 4) != 0)
		return false;
	while (isalnum((unsigned char)name[i]))
		i++;
	return !name[i] && i >= 10;
}

int name_check(const char *name, struct ec2fs_error *error)
{
	size_t len = strlen(name);

	if (!len)
		return ec2fs_fail(error, EC2_InvalidParameterValue, "the name is empty");
	if (len > NAME_MAX_BYTES)
		return ec2fs_fail(error, EC2_NameTooLong, "a name has at most %d bytes",
				  NAME_MAX_BYTES);
	if (name[0] == '.')
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "a name does not begin with a dot: such names are for tools");
	if (looks_temporary(name))
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "this is a name for temporary files; choose another, such as "
				  "mktemp -d web-XXXXXX makes");
	return check_text(name, len, "the name", error);
}

int tag_key_check(const char *key, struct ec2fs_error *error)
{
	size_t len = strlen(key), bad;
	int r = check_text(key, len, "the key", error);

	if (r < 0)
		return r;
	if (utf8_length(key, len, &bad) > TAG_KEY_MAX)
		return ec2fs_fail(error, EC2_NameTooLong, "a tag's key has at most %d characters",
				  TAG_KEY_MAX);
	if (strncasecmp(key, "aws:", 4) == 0)
		return ec2fs_fail(error, EC2_InvalidTagKey_Malformed,
				  "keys that begin with aws: are reserved");
	return 0;
}

int tag_value_check(const char *value, size_t len, struct ec2fs_error *error)
{
	size_t bad;
	int r = check_text(value, len, "the value", error);

	if (r == 0 && utf8_length(value, len, &bad) > TAG_VALUE_MAX)
		r = ec2fs_fail(error, EC2_ValueTooLong, "a tag's value has at most %d characters",
			       TAG_VALUE_MAX);
	return r;
}
