/* Overlapping boxes of addresses, protocols and ports made disjoint. */
#include "netfw/disjoint.h"

#include <stdbool.h>
#include <stdlib.h>

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

/* A CIDR comes before those within it; in one CIDR what is all comes first. */
static int by_place(const void *p, const void *q)
{
	const struct box *a = p, *b = q;
	int order = COMPARE(a->address, b->address);

	if (!order)
		order = COMPARE(a->prefix, b->prefix);
	if (!order)
		order = COMPARE(b->kind_last - b->kind_first, a->kind_last - a->kind_first);
	if (!order)
		order = COMPARE(a->kind_first, b->kind_first);
	if (!order)
		order = COMPARE(a->value_first, b->value_first);
	return order;
}

static bool same_cidr(const struct box *a, const struct box *b)
{
	return a->address == b->address && a->prefix == b->prefix;
}

/* Takes b into a, which comes before it in the order of by_place. */
static bool merge(struct box *a, const struct box *b)
{
	if (!same_cidr(a, b))
		return false;
	if (a->kind_first != a->kind_last)
		return true;
	if (a->kind_first != b->kind_first || b->value_first > (uint32_t)a->value_last + 1)
		return false;
	if (b->value_last > a->value_last)
		a->value_last = b->value_last;
	return true;
}

size_t disjoint(struct box *boxes, size_t count)
{
	const struct box *around[33]; /* the CIDRs that contain the one looked at */
	unsigned depth = 0;
	size_t kept = 0;

	if (!count)
		return 0;
	qsort(boxes, count, sizeof(*boxes), by_place);
	for (size_t i = 1; i < count; i++)
		if (!merge(&boxes[kept], &boxes[i]))
			boxes[++kept] = boxes[i];
	kept++;
	for (size_t i = 0; i < kept; i++) {
		while (depth && boxes[i].address > cidr_last(around[depth - 1]->address,
							     around[depth - 1]->prefix))
			depth--;
		if (!depth || !same_cidr(around[depth - 1], &boxes[i]))
			around[depth++] = &boxes[i];
		boxes[i].level = depth - 1;
	}
	return kept;
}
