/* The tree's tables keep what is promised of them: inode numbers that differ, words for every
 * entry. */
#include "ec2fs/tree/internal.h"
#include "tests/lib/check.h"

#include <string.h>

#define MOST 128

struct seen {
	tree_id ids[MOST];
	const char *names[MOST];
	size_t count;
};

static void see(struct seen *s, tree_id id, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->ids[i] == id)
			fail_msg("%s and %s have the same inode number", s->names[i], name);
	assert_true(s->count < MOST);
	s->ids[s->count] = id;
	s->names[s->count++] = name;
}

static void see_entries(struct seen *s, const struct dir *dir)
{
	for (const struct entry *e = dir->entries; e && e->name; e++) {
		see(s, node_entry_id(1, e), e->name);
		if (e->dir)
			see_entries(s, e->dir);
	}
}

static void the_files_of_a_resource_have_different_inode_numbers(void **state)
{
	(void)state;
	for (enum kind kind = KIND_ROOT; kind < KIND_COUNT; kind++) {
		struct seen s = {.count = 0};

		if (!kind_ops(kind)->dir)
			continue;
		see(&s, node_resource_id(1), "the resource");
		see(&s, node_link_id(&by_id_links, 1), "by-id");
		see(&s, node_link_id(&volume_snapshot_links, 1), "a volume's snapshots");
		see(&s, node_link_id(&instance_address_links, 1), "an instance's addresses");
		see_entries(&s, kind_ops(kind)->dir);
	}
}

static void check_words(const struct dir *dir)
{
	bool collection = dir->make && !kind_ops(dir->child)->file;

	if (!dir->title)
		fail_msg("a directory has no title");
	if (!dir->about != !dir->examples || (collection && dir->child != KIND_ROOT && !dir->about))
		fail_msg("%s: about or examples are missing", dir->title);
	if (dir->about && (!dir->entries || strcmp(dir->entries[0].name, "README") != 0))
		fail_msg("%s has no README to tell about it", dir->title);
	for (const struct entry *e = dir->entries; e && e->name; e++) {
		if (!e->help || !*e->help || strchr(e->help, '\n'))
			fail_msg("%s/%s: help is missing, or is no single line", dir->title,
				 e->name);
		if (e->dir)
			check_words(e->dir);
	}
}

static void every_entry_has_its_words(void **state)
{
	(void)state;
	for (enum kind kind = KIND_ROOT; kind < KIND_COUNT; kind++)
		if (kind_ops(kind)->dir)
			check_words(kind_ops(kind)->dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_files_of_a_resource_have_different_inode_numbers),
		cmocka_unit_test(every_entry_has_its_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
