/* The numbers that nodes are known by, and what they stand for. */
#include "ec2fs/tree/internal.h"

#include "ec2fs/util/table.h"

#include <pthread.h>

/* Links, wherever they are. */
static const struct links *const all_links[] = {&by_id_links, &volume_snapshot_links,
						&instance_address_links};
#define LINKS_COUNT (sizeof(all_links) / sizeof(all_links[0]))

/* 2 to 65535: 0 is the resource's own directory, and 1 makes the root's identity. */
static uint16_t name_number(const char *name)
{
	return (uint16_t)(2 + hash_str(name, 0x6e6f6465) % 65534);
}

tree_id node_id(uint64_t number, const char *entry_name)
{
	return number << 16 | name_number(entry_name);
}

tree_id node_resource_id(uint64_t number)
{
	return number == ROOT_NUMBER ? TREE_ROOT : number << 16;
}

tree_id node_link_id(const struct links *links, uint64_t number)
{
	return number << 16 | name_number(links->salt);
}

#define ORDERED 0xff00

static uint16_t entry_number(const struct entry *e)
{
	return e->order ? (uint16_t)(ORDERED + e->order)
			: name_number(e->identity ? e->identity : e->name);
}

tree_id node_entry_id(uint64_t number, const struct entry *e)
{
	return number << 16 | entry_number(e);
}

/* The entries of a kind of resource by their numbers; made once. */
#define NUMBERED 256
static struct numbered {
	uint16_t number;
	const struct entry *entry; /* NULL: empty */
} numbered[KIND_COUNT][NUMBERED];
static uint16_t link_numbers[LINKS_COUNT];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Fixed directories may hold fixed entries of their own: names, or identities, are unique within a
 * resource's tables. */
static void number_entries(struct numbered *of_kind, const struct dir *dir)
{
	for (const struct entry *e = dir ? dir->entries : NULL; e && e->name; e++) {
		uint16_t number = entry_number(e);
		size_t i = number % NUMBERED;

		while (of_kind[i].entry)
			i = (i + 1) % NUMBERED;
		of_kind[i] = (struct numbered){number, e};
		number_entries(of_kind, e->dir);
	}
}

static void number_all(void)
{
	for (enum kind kind = KIND_ROOT; kind < KIND_COUNT; kind++)
		number_entries(numbered[kind], kind_ops(kind)->dir);
	for (size_t i = 0; i < LINKS_COUNT; i++)
		link_numbers[i] = name_number(all_links[i]->salt);
}

const struct entry *entry_by_number(enum kind kind, uint16_t number)
{
	size_t i = number % NUMBERED;

	pthread_once(&once, number_all);
	while (numbered[kind][i].entry && numbered[kind][i].number != number)
		i = (i + 1) % NUMBERED;
	return numbered[kind][i].entry;
}

const struct links *links_by_number(uint16_t number)
{
	pthread_once(&once, number_all);
	for (size_t i = 0; i < LINKS_COUNT; i++)
		if (link_numbers[i] == number)
			return all_links[i];
	return NULL;
}
