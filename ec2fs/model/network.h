/*
 * What the kinds of the network tell one another, and the engine: facts read out of fields. Results
 * are borrowed like those of view.h; addresses are in host byte order.
 */
#ifndef EC2FS_MODEL_NETWORK_H
#define EC2FS_MODEL_NETWORK_H

#include "ec2fs/model/kinds.h"
#include "ec2fs/text/cidr.h"
#include "ec2fs/text/permission.h"

/* vpc.c */
/* The region's default VPC, or NULL. */
const struct resource *vpc_default(const struct view *v, uint64_t region);
/* Makes EC2's default VPC, with a subnet a zone, in a new region. */
void vpc_add_default(struct view *v, struct resource *region);
/* Its CIDR blocks, the first one first: false past the end, or while it has none. */
bool vpc_cidr(const struct resource *vpc, size_t index, struct cidr *ret);
bool vpc_has_internet(const struct resource *vpc);

/* subnet.c */
bool subnet_cidr(const struct resource *subnet, struct cidr *ret);
/* The default VPC's default subnet in that zone, or NULL. */
const struct resource *subnet_default(const struct view *v, uint64_t region, const char *zone);
/* A subnet of the region by name ("VPC/NAME", or NAME where only one VPC has it) or ID. */
const struct resource *subnet_refer(const struct view *v, uint64_t region, const char *text);
/* Is the address free for an interface there: in the subnet, not reserved, not taken?
 * InvalidParameterValue, InvalidIPAddress.InUse. */
int subnet_check_address(const struct view *v, const struct resource *subnet, uint32_t address,
			 struct ec2fs_error *error);
/* A free address. InsufficientFreeAddressesInSubnet. */
int subnet_free_address(const struct view *v, const struct resource *subnet, uint32_t *ret,
			struct ec2fs_error *error);
/* How many are free. */
uint64_t subnet_available(const struct view *v, const struct resource *subnet);

/* security_group.c */
/* The VPC that the group is in; NULL: none was written yet. */
const struct resource *security_group_vpc(const struct view *v, const struct resource *group);
/* The VPC's default group; NULL only while the VPC is being made. */
const struct resource *security_group_default(const struct view *v, const struct resource *vpc);
bool security_group_is_default(const struct resource *group);
/* A group of the VPC besides its default one, or NULL. */
const struct resource *security_group_in(const struct view *v, const struct resource *vpc);
/* For vpc.c: makes the default group of a new VPC, and takes it away with the VPC. */
struct resource *security_group_add_default(struct view *v, const struct resource *vpc);
void security_group_remove_default(struct view *v, const struct resource *vpc);
/* The VPC is called so now: its default group's name follows. */
void security_group_rename_default(struct view *v, const struct resource *vpc, const char *name);

/* security_group_rules.c */
/* Calls each with every permission; those of prefix lists once for each entry, as CIDRs. group
 * peers are told by their resource; peer is NULL for CIDRs. IPv6 is passed over: it matches
 * nothing. */
void security_group_each(const struct view *v, const struct resource *group, bool egress,
			 void (*each)(void *context, const struct permission *p,
				      const struct resource *peer),
			 void *context);
/* Another group with a rule that names this group or prefix list, or NULL. */
const struct resource *security_group_naming(const struct view *v, const struct resource *peer);
/* Has the group a rule that names another group? */
bool security_group_names_others(const struct view *v, const struct resource *group);
/* The group or prefix list is about to be called so: rules that name it follow. */
void security_groups_follow(struct view *v, const struct resource *peer, const char *name);
/* Would all groups that name the prefix list still be within their quota if it counted `max`?
 * RulesPerSecurityGroupLimitExceeded. */
int security_groups_check_prefix_list(const struct view *v, const struct resource *list,
				      uint64_t max, struct ec2fs_error *error);

/* prefix_list.c */
/* The region's list of that name or ID, or NULL. */
const struct resource *prefix_list_refer(const struct view *v, uint64_t region, const char *text);
/* Calls each with every entry. */
void prefix_list_each(const struct resource *list, void (*each)(void *context, struct cidr c),
		      void *context);

/* interface.c: the network interface of an instance */
/* Its VPC and subnet, as soon as a subnet is known; NULL for a draft that names none. */
const struct resource *instance_vpc(const struct view *v, const struct resource *instance);
const struct resource *instance_subnet(const struct view *v, const struct resource *instance);
/* 0: none. */
uint32_t instance_private_ip(const struct resource *instance);
/* Of its Elastic IP, or the automatic one; 0: none. */
uint32_t instance_public_ip(const struct view *v, const struct resource *instance);
/* Does it hold its private address (launched and not terminated)? */
bool instance_holds_address(const struct resource *instance);

/* address.c: Elastic IPs */
uint32_t address_public_ip(const struct resource *address);
/* The one that is associated with the instance, or NULL. */
const struct resource *address_of_instance(const struct view *v, const struct resource *instance);
/* The instance is terminated: its association ends. */
void address_instance_gone(struct view *v, const struct resource *instance);

/* public_pool.c: the public addresses that this cloud may give out */
/* A free address of the pool. InsufficientAddressCapacity. */
int public_address_free(const struct view *v, uint32_t *ret, struct ec2fs_error *error);
/* The blocks of the pool, *ret to be freed. */
size_t public_pool_blocks(const struct view *v, struct cidr **ret);

#endif
