#include "ec2fs/fs/names.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

static bool has_file(struct fs *fs, tree_id dir, const char *name, size_t len,
		     const struct tree_caller *who)
{
	char candidate[NAME_MAX + 1];
	struct tree_node node;

	if (!len || len > NAME_MAX)
		return false;
	memcpy(candidate, name, len);
	candidate[len] = '\0';
	return tree_lookup(fs->tree, dir, candidate, who, &node) == 0 && S_ISREG(node.mode);
}

static bool all_digits(const char *s)
{
	return s[strspn(s, "0123456789")] == '\0';
}

bool name_is_derived(struct fs *fs, const struct tree_node *dir, const char *name,
		     const struct tree_caller *who)
{
	bool free_names = dir->flags & TREE_FREE_FILES;
	size_t len = strlen(name);
	const char *base = name;

	if (name[0] == '#' && len > 2 && name[len - 1] == '#')
		return has_file(fs, dir->id, name + 1, len - 2, who);
	if (name[0] == '.')
		base += name[1] == '#' || name[1] == '~' ? 2 : 1;
	if (name[0] == '.' && has_file(fs, dir->id, base, strlen(base), who))
		return name[1] == '#';
	/* What follows the file's name begins with one of these. */
	for (const char *p = base; (p = strpbrk(p, ".~")) != NULL; p++) {
		bool copy = *p == '~' && all_digits(p + 1);
		bool suffix = *p == '.' && (name[0] == '.' || !free_names);

		if ((copy || suffix) && has_file(fs, dir->id, base, (size_t)(p - base), who))
			return true;
	}
	return false;
}

static bool alphanumeric(const char *s, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!isalnum((unsigned char)s[i]))
			return false;
	return s[count] == '\0';
}

bool name_looks_temporary(const char *name)
{
	return name[0] == '.' || (strncmp(name, "sed", 3) == 0 && alphanumeric(name, 9)) ||
	       (strncmp(name, "XX", 2) == 0 && alphanumeric(name, 8)) ||
	       (strncmp(name, "tmp", 3) == 0 && strlen(name) > 6);
}

bool name_is_id(const char *name)
{
	size_t prefix = strspn(name, "abcdefghijklmnopqrstuvwxyz");

	return prefix && name[prefix] == '-' && strlen(name + prefix + 1) == 17 &&
	       strspn(name + prefix + 1, "0123456789abcdef") == 17;
}

bool name_is_rsync_temporary(const char *name, const char *of)
{
	size_t len = strlen(of);

	return name[0] == '.' && strncmp(name + 1, of, len) == 0 && name[1 + len] == '.' &&
	       strlen(name + len + 2) == 6 && alphanumeric(name + len + 2, 6);
}

bool name_makes_nothing(const char *name)
{
	return name[0] == '.' || (strncmp(name, "tmp.", 4) == 0 && strlen(name) >= 4 + 3);
}

bool name_is_link_temporary(const char *name)
{
	return strlen(name) == 8 && strncmp(name, "Cu", 2) == 0 && alphanumeric(name, 8);
}

bool name_is_probe(const char *name)
{
	return strcmp(name, "4913") == 0;
}
