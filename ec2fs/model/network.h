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
/* Makes EC2's default VPC, with a subnet a zone, in a region that has none. */
void vpc_add_default(struct view *v, struct resource *region);
/* Is nothing left in it but what came with it, and with its region? */
bool vpc_is_pristine(const struct view *v, const struct resource *vpc);
/* Its CIDR blocks, the first one first: false past the end, or while it has none. */
bool vpc_cidr(const struct resource *vpc, size_t index, struct cidr *ret);
/* Is all of the block the VPC's? */
bool vpc_contains(const struct resource *vpc, struct cidr c);
bool vpc_has_internet(const struct resource *vpc);
/* enable-dns-support. */
bool vpc_has_dns(const struct resource *vpc);

/* vpc_options.c: DHCP; the domain name is vpc_domain's (names.h). */
#define DHCP_SERVERS_MOST 4
struct dhcp_options {
	uint32_t name_servers[DHCP_SERVERS_MOST]; /* none: the VPC's own, AmazonProvidedDNS */
	size_t name_server_count;
	uint32_t ntp_servers[DHCP_SERVERS_MOST];
	size_t ntp_server_count;
};
void vpc_dhcp_options(const struct resource *vpc, struct dhcp_options *ret);
struct flow_log_options {
	bool accepted, rejected; /* neither: off */
	unsigned interval;       /* seconds that are told together */
};
void vpc_flow_log_options(const struct resource *vpc, struct flow_log_options *ret);

/* subnet.c */
bool subnet_cidr(const struct resource *subnet, struct cidr *ret);
/* The default VPC's default subnet in that zone, or NULL. */
const struct resource *subnet_default(const struct view *v, uint64_t region, const char *zone);
/* Makes it, in the first free /20 of the default VPC, where there is room. */
void subnet_add_default(struct view *v, const struct resource *vpc, const struct resource *zone);
/* A subnet of the region by name ("VPC/NAME", or NAME where only one VPC has it) or ID. */
const struct resource *subnet_refer(const struct view *v, uint64_t region, const char *text);
/* What decides for it: its own, or the VPC's main table and default ACL. */
const struct resource *subnet_route_table(const struct view *v, const struct resource *subnet);
/* A route table or network ACL was made: subnets whose copies name it in that attribute have it. */
void subnets_meet(struct view *v, const struct resource *made, const char *key);
const struct resource *subnet_network_acl(const struct view *v, const struct resource *subnet);

/* subnet_addresses.c */
/* Is the address free for an interface there: in the subnet, not reserved, not taken?
 * InvalidParameterValue, InvalidIPAddress.InUse. */
int subnet_check_address(const struct view *v, const struct resource *subnet, uint32_t address,
			 struct ec2fs_error *error);
/* A free address. InsufficientFreeAddressesInSubnet. */
int subnet_free_address(const struct view *v, const struct resource *subnet, uint32_t *ret,
			struct ec2fs_error *error);
/* How many are free. */
uint64_t subnet_available(const struct view *v, const struct resource *subnet);
/* What has an interface there: an instance or NAT gateway, or NULL. */
const struct resource *subnet_inhabitant(const struct view *v, const struct resource *subnet);

/* routes.c */
enum route_target {
	ROUTE_LOCAL,
	ROUTE_INTERNET,
	ROUTE_NAT,
	ROUTE_INSTANCE,
	ROUTE_PEERING,
	ROUTE_VPN,
	ROUTE_TARGET_COUNT
};
struct route {
	struct cidr to;
	enum route_target target;
	/* The NAT gateway, instance, peering or VPN gateway; NULL for others, and when it is gone.
	 */
	const struct resource *through;
	const char *id;  /* its ID, also when it is gone; valid during the call */
	bool blackhole;  /* the target is gone, or cannot take packets now */
	bool propagated; /* from a VPN gateway; else written */
};
/* Calls each with every route of the table: the local ones, the written, the propagated. */
void routes_each(const struct view *v, const struct resource *table,
		 void (*each)(void *context, const struct route *r), void *context);

/* route_table.c */
/* The one that serves all subnets without a table of their own. */
const struct resource *vpc_main_table(const struct view *v, const struct resource *vpc);
struct resource *route_table_add_main(struct view *v, const struct resource *vpc);
bool route_table_is_main(const struct view *v, const struct resource *table);

/* network_acl.c */
struct acl_entry {
	unsigned number; /* 1 to 32766: the lowest that matches decides; none: deny */
	bool allow;
	int protocol;       /* IANA's number; -1: all */
	uint16_t from, to;  /* TCP, UDP: ports */
	int16_t type, code; /* ICMP; -1: any */
	struct cidr cidr;
};
/* Calls each with every entry of one direction, by number. */
void network_acl_each(const struct resource *acl, bool egress,
		      void (*each)(void *context, const struct acl_entry *e), void *context);
/* Does the first entry of both directions allow everything? */
bool network_acl_allows_all(const struct resource *acl);
const struct resource *vpc_default_acl(const struct view *v, const struct resource *vpc);
struct resource *network_acl_add_default(struct view *v, const struct resource *vpc);
bool network_acl_is_default(const struct view *v, const struct resource *acl);

/* nat_gateway.c */
bool nat_gateway_is_available(const struct resource *nat);
/* 0: none yet. */
uint32_t nat_gateway_private_ip(const struct resource *nat);
uint32_t nat_gateway_public_ip(const struct view *v, const struct resource *nat);
const struct resource *nat_gateway_subnet(const struct view *v, const struct resource *nat);
/* The NAT gateway that has the Elastic IP, or NULL. */
const struct resource *nat_gateway_of_address(const struct view *v, const struct resource *address);

/* peering.c */
bool peering_is_active(const struct resource *peering);
/* Active, or waiting to be accepted. */
bool peering_is_alive(const struct resource *peering);
/* The VPC at the other end; NULL when there is none (yet, or any more). */
const struct resource *peering_other(const struct view *v, const struct resource *peering,
				     const struct resource *vpc);
/* The VPC's next peering: those it asked for, then those it was asked for; after: NULL at first. A
 * peering has its directory in the VPC that asked. */
const struct resource *peering_next(const struct view *v, const struct resource *vpc,
				    const struct resource *after);
/* Have the two VPCs an active peering? */
bool vpcs_are_peered(const struct view *v, const struct resource *vpc,
		     const struct resource *other);

/* vpn_gateway.c */
/* The VPC's VPN gateway, or NULL. */
const struct resource *vpc_vpn_gateway(const struct view *v, const struct resource *vpc);
bool vpn_gateway_is_available(const struct resource *gateway);
/* Calls each with every CIDR that is reached through it. */
void vpn_gateway_routes(const struct resource *gateway, void (*each)(void *context, struct cidr c),
			void *context);

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
 * peers are told by their resource, of the same VPC or of one that it has an active peering with
 * (VPC peering guide, "Reference security groups"); peer is NULL for CIDRs. IPv6 is passed over: it
 * matches nothing. */
void security_group_each(const struct view *v, const struct resource *group, bool egress,
			 void (*each)(void *context, const struct permission *p,
				      const struct resource *peer),
			 void *context);
/* Has the group a rule with the name or ID of that group or prefix list? */
bool security_group_mentions(const struct resource *group, const struct resource *peer);
/* Another group (of its VPC) with a rule that names this group or prefix list, or NULL. */
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
