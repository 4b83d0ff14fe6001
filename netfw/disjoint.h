/*
 * Sets of the kernel that hold ranges refuse elements that overlap; rules of a security group may
 * overlap as they like. CIDRs overlap only by containing one another, so: elements of one CIDR are
 * merged until they are disjoint, and CIDRs are given levels, those of one level being disjoint. A
 * packet asks each level once. Nothing is multiplied: there are never more boxes than rules.
 */
#ifndef NETFW_DISJOINT_H
#define NETFW_DISJOINT_H

#include <stddef.h>
#include <stdint.h>

/* Addresses of a CIDR × kinds × values: protocols × ports, ICMP types × codes. All inclusive. */
struct box {
	uint32_t address; /* host byte order, no host bits */
	uint8_t prefix;
	uint16_t kind_first, kind_last; /* one kind, or all of them with all values */
	uint16_t value_first, value_last;
	unsigned level; /* set by disjoint(): how many other CIDRs contain this one */
};

/* The last address of a CIDR. */
static inline uint32_t cidr_last(uint32_t address, uint8_t prefix)
{
	return prefix ? address | (uint32_t)((1ULL << (32 - prefix)) - 1) : UINT32_MAX;
}

/* Sorts and merges count boxes in place; the boxes of one level are disjoint then. Returns how many
 * are left. */
size_t disjoint(struct box *boxes, size_t count);

#endif
