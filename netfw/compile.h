/*
 * Descriptions (netfw.h) become rulesets as data (ir.h). Pure. Each of these makes the objects that
 * one description accounts for; together they are the tables. docs/networks.md tells what they are.
 */
#ifndef NETFW_COMPILE_H
#define NETFW_COMPILE_H

#include "netfw/ir.h"
#include "netfw/netfw.h"

/* What an interface shares with others of the same subnet and the same groups: their rules are
 * chosen by its number, so that one instance more is a few elements, and neither chain nor rule. */
struct class_description {
	uint32_t number; /* not 0 */
	const char *subnet;
	/* In the VPC no network ACL restricts anything; another subnet's does; this one's does. */
	enum class_acl { CLASS_NO_ACLS, CLASS_OPEN, CLASS_RESTRICTED } acl;
	const char *const *groups;
	size_t group_count;
};

/* The frame of the tables, and all of a VPC but its groups and interfaces. log_group: where
 * refused packets are also told to nflog; 0: nowhere. */
struct ir *compile_vpc(const struct netfw_vpc *vpc, uint32_t log_group);
/* Does the ACL of a subnet restrict anything? One that is named but not described does. */
bool compile_acl_restricts(const struct netfw_vpc *vpc, const struct netfw_subnet *subnet);
struct ir *compile_group(const struct netfw_group *group);
struct ir *compile_class(const struct class_description *class);
struct ir *compile_interface(const struct netfw_interface *interface, uint32_t class_number);

/* Chains of an ACL, into ir; of compile_vpc. */
void compile_acl(struct ir *ir, const char *id, const struct netfw_acl *acl);

/* Sets of the frame, which interfaces and classes have elements in. */
extern const struct ir_set frame_sources, frame_forwarders, frame_clients, frame_arp_sources,
	frame_arp_clients, frame_addresses, frame_to, frame_to_any, frame_dropped_out,
	frame_dropped_in, frame_public, frame_private, frame_internet_in, frame_internet_out,
	frame_classes_out, frame_classes_in, frame_acls_out, frame_acls_in;

/* A group's set of member addresses, a subnet's set of taps; only for elements to refer to. */
struct ir_set *compile_members_set(struct ir *ir, const char *group);
struct ir_set *compile_subnet_set(struct ir *ir, const char *subnet);

#endif
