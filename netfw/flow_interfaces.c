/* The interfaces whose flows are told, and the addresses that may be talked to without a word. */
#include "netfw/flow_table_internal.h"

#include "ec2fs/util/memory.h"
#include "netfw/well_known.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void flow_table_set_vpc(struct flow_table *t, const struct netfw_vpc *vpc)
{
	size_t n = 0;

	free(t->reserved);
	t->reserved = xcalloc(5 + vpc->cidr_count + 2 * vpc->subnet_count, sizeof(*t->reserved));
	t->reserved[n++] = METADATA;
	t->reserved[n++] = RESOLVER;
	t->reserved[n++] = CLOCK;
	t->reserved[n++] = INADDR_ANY;
	t->reserved[n++] = INADDR_BROADCAST;
	for (size_t i = 0; i < vpc->cidr_count; i++)
		t->reserved[n++] = vpc->cidrs[i].address + 2;
	for (size_t i = 0; i < vpc->subnet_count; i++) {
		t->reserved[n++] = vpc->subnets[i].cidr.address + 1;
		t->reserved[n++] = vpc->subnets[i].cidr.address + 2;
	}
	qsort(t->reserved, n, sizeof(*t->reserved), by_number);
	t->reserved_count = n;
}

static bool same_id(const void *item, const void *key)
{
	return strcmp(((const struct interface *)item)->id, key) == 0;
}

static bool same_item(const void *item, const void *key)
{
	return item == key;
}

void flow_table_set_interface(struct flow_table *t, const char *id, uint32_t address)
{
	struct interface *i = table_find(&t->by_id, hash_str(id, 0), same_id, id);

	if (!i) {
		i = xnew(struct interface);
		snprintf(i->id, sizeof(i->id), "%s", id);
		netfw_tap_name(id, i->tap);
		table_add(&t->by_id, hash_str(i->id, 0), i);
		table_add(&t->by_tap, hash_str(i->tap, 0), i);
	} else {
		table_remove(&t->by_address, hash_u64(i->address), same_item, i);
	}
	i->gone = false;
	/* One that is gone and had it before. */
	table_remove(&t->by_address, hash_u64(address), same_address, &address);
	i->address = address;
	table_add(&t->by_address, hash_u64(address), i);
}

void flow_table_drop_interface(struct flow_table *t, const char *id)
{
	struct interface *i = table_find(&t->by_id, hash_str(id, 0), same_id, id);

	if (i)
		i->gone = true;
}

void flow_bury_interfaces(struct flow_table *t)
{
	struct interface **gone = xcalloc(t->by_id.count + 1, sizeof(struct interface *));
	size_t count = 0;

	for (size_t c = 0; c < t->by_id.capacity; c++) {
		struct interface *i = t->by_id.cells[c].item;

		if (i && i->gone)
			gone[count++] = i;
	}
	while (count) {
		struct interface *i = gone[--count];

		table_remove(&t->by_address, hash_u64(i->address), same_item, i);
		table_remove(&t->by_tap, hash_str(i->tap, 0), same_item, i);
		table_remove(&t->by_id, hash_str(i->id, 0), same_item, i);
		free(i);
	}
	free(gone);
}
