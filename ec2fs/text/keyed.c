#include "ec2fs/text/keyed.h"

#include "ec2fs/text/name.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <stdbool.h>
#include <string.h>

struct keys {
	char **keys; /* borrowed from the copied text */
	size_t count, capacity;
};

static bool seen(struct keys *k, char *key)
{
	for (size_t i = 0; i < k->count; i++)
		if (strcmp(k->keys[i], key) == 0)
			return true;
	array_reserve(k->keys, k->count, k->capacity);
	k->keys[k->count++] = key;
	return false;
}

/* Blanks at both ends go. */
static char *trim(char *s)
{
	size_t len;

	s += strspn(s, " \t");
	len = strlen(s);
	while (len && strchr(" \t\r", s[len - 1]))
		s[--len] = '\0';
	return s;
}

static int parse_line(char *text, unsigned line, struct keys *keys, keyed_line_fn *each,
		      void *context, struct ec2fs_error *error)
{
	char *key = trim(text), *value;
	size_t len = strcspn(key, " \t");

	if (!*key || *key == '#')
		return 0;
	if (!key[len])
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "line %u: %s has no value; write KEY VALUE", line, key);
	key[len] = '\0';
	value = trim(key + len + 1);
	if (seen(keys, key))
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "line %u: %s stands there twice", line, key);
	return each(context, line, key, value, error);
}

int keyed_parse(const char *text, size_t len, keyed_line_fn *each, void *context,
		struct ec2fs_error *error)
{
	cleanup_free char *copy = NULL;
	struct keys keys = {0};
	unsigned line = 0;
	int r = 0;

	r = text_check(text, len, true, error);
	if (r < 0)
		return r;
	copy = xasprintf("%.*s", (int)len, text);
	for (char *rest = copy, *one; r == 0 && (one = strsep(&rest, "\n")) != NULL;)
		r = parse_line(one, ++line, &keys, each, context, error);
	free(keys.keys);
	return r;
}
