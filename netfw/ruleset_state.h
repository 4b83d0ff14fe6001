/*
 * What one VPC's ruleset is made of, in memory: as it is applied, and as it will be when the change
 * that is open is committed. Of netfw/ruleset*.c.
 *
 * References count for the time after the change: staging moves them, and rolling back moves them
 * back. What was touched is looked at again when the change ends.
 */
#ifndef NETFW_RULESET_STATE_H
#define NETFW_RULESET_STATE_H

#include "ec2fs/util/table.h"
#include "netfw/apply.h"
#include "netfw/compile.h"
#include "netfw/ruleset.h"

struct group_version {
	struct ir *ir;
	bool described; /* or only named, by an interface or a rule: empty */
	char **peers;   /* groups that its rules name */
	size_t peer_count;
};

struct group {
	char *id;
	struct group_version *current; /* applied; NULL: nothing */
	struct group_version *next;    /* while is_staged */
	bool is_staged, touched;
	unsigned references; /* classes and rules that name it */
};

struct class
{
	uint32_t number;
	char *key, *subnet;
	struct group **groups;
	size_t group_count;
	struct ir *current, *next; /* next: while has_next */
	bool has_next, touched;
	enum class_acl acl, next_acl; /* of current, of next */
	unsigned references;          /* interfaces */
};

struct interface_version {
	struct netfw_interface description;
	char **groups; /* sorted, each once */
	struct class *class;
};

struct interface {
	char *id;
	struct interface_version *current, *next;
	bool is_staged;
};

struct subnet {
	char *id;
	bool acl; /* restricts */
};

struct vpc_version {
	char *id;
	struct ir *ir;
	struct subnet *subnets;
	size_t subnet_count;
	bool acls; /* one of them restricts */
};

struct ruleset {
	int fd;
	uint32_t generation; /* of the kernel's ruleset as we left it; 0: unknown */
	uint32_t log_group;
	unsigned replacements; /* how often all was put in place anew */
	struct batch batch;
	struct vpc_version *vpc, *next_vpc; /* next: NULL when not staged */
	struct table groups, classes, interfaces;
	uint32_t last_class;
	bool open, whole;
	struct group **staged_groups, **touched_groups;
	struct class **touched_classes;
	struct interface **staged_interfaces;
	size_t staged_group_count, staged_group_capacity, touched_group_count,
		touched_group_capacity, touched_class_count, touched_class_capacity,
		staged_interface_count, staged_interface_capacity;
};

#define table_each(pointer, table)                                                                 \
	for (size_t at_##pointer = 0; at_##pointer < (table)->capacity; at_##pointer++)            \
		if (((pointer) = (table)->cells[at_##pointer].item))

/* In each of these NULL stages that it goes. The text of a description is copied. */
void state_stage_vpc(struct ruleset *r, const struct netfw_vpc *vpc);
void state_stage_group(struct ruleset *r, const char *id, const struct netfw_group *group);
void state_stage_interface(struct ruleset *r, const char *id,
			   const struct netfw_interface *interface);
/* Stages that all goes that was not staged. */
void state_stage_rest(struct ruleset *r);
void state_touch_class(struct ruleset *r, struct class *class);

struct interface *state_find_interface(struct ruleset *r, const char *id);
/* The subnet as of after the change, or NULL. */
const struct subnet *state_find_subnet(const struct ruleset *r, const char *id);

/* Who names a group or a class holds it: more, or less. NULL holds nothing. */
void state_hold_peers(struct ruleset *r, const struct group_version *v, bool more);
void state_hold_class(struct ruleset *r, struct class *c, bool more);
/* A group that is named, but not described, is an empty one. */
void state_prepare_group(struct group *g);
struct ir *state_class_ir(const struct class *c, enum class_acl acl);
/* These accept NULL. */
void state_free_group_version(struct group_version *v);
void state_free_interface_version(struct interface_version *v);
void state_free_vpc_version(struct vpc_version *v);
void state_free_class(struct class *c);
/* Out of the tables, and freed. */
void state_forget_interface(struct ruleset *r, struct interface *i);
void state_forget_class(struct ruleset *r, struct class *c);
void state_forget_group(struct ruleset *r, struct group *g);

/* Prepares next of all that was touched; may be repeated. */
int state_prepare(struct ruleset *r, struct ec2fs_error *error);
/* Ends the change: what is next becomes what is, or the other way round. */
void state_publish(struct ruleset *r);
void state_roll_back(struct ruleset *r);
void state_free(struct ruleset *r);

#endif
