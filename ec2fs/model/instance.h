/*
 * Instances: EC2's states and what may happen in each (EC2 user guide, "Instance lifecycle").
 *
 * Two fields hold it: `state`, what is, and `@wanted`, what was asked for last (running, stopped,
 * hibernated, terminated). Users write what they want; the engine tells what it sees; the rules of
 * both stand here.
 */
#ifndef EC2FS_MODEL_INSTANCE_H
#define EC2FS_MODEL_INSTANCE_H

#include "ec2fs/model/kinds.h"

enum instance_state {
	INSTANCE_DRAFT, /* made, not launched: EC2 has no name for it */
	INSTANCE_PENDING,
	INSTANCE_RUNNING,
	INSTANCE_STOPPING,
	INSTANCE_STOPPED,
	INSTANCE_SHUTTING_DOWN,
	INSTANCE_TERMINATED,
	INSTANCE_STATE_COUNT
};

const char *instance_state_name(enum instance_state state);
/* By name, or INSTANCE_STATE_COUNT. */
enum instance_state instance_state_by_name(const char *name);
enum instance_state instance_state(const struct resource *r);
bool instance_wants(const struct resource *r, const char *wanted);

/* What users do. */
MAKER(instance_make);
REMOVER(instance_remove);
RENAMER(instance_rename);
SETTER(instance_set_image);
SETTER(instance_set_type);
SETTER(instance_set_key_pair);
SETTER(instance_set_zone);
SETTER(instance_set_user_data);
SETTER(instance_set_mappings);
int instance_unset_user_data(struct view *v, struct resource *r, struct ec2fs_error *error);
int instance_unset_key_pair(struct view *v, struct resource *r, struct ec2fs_error *error);
SETTER(instance_set_termination_protection);
SETTER(instance_set_stop_protection);
SETTER(instance_set_shutdown_behavior);
SETTER(instance_set_hibernation);
SETTER(instance_set_state);
/* A running one stops for as long as an image of it takes (CreateImage without NoReboot), and
 * starts again, unless its user has asked meanwhile that it be stopped, or started it. */
int instance_pause_begin(struct view *v, struct resource *r, struct ec2fs_error *error);
int instance_pause_end(struct view *v, struct resource *r, struct ec2fs_error *error);
bool instance_is_paused(const struct resource *r);
/* reboot, reset, stop, stop --force, start, terminate. */
SETTER(instance_command);

/* What the engine sees. Each is a no-op when the state has gone on meanwhile. */
/* The machine runs. */
void instance_saw_running(struct view *v, struct resource *r);
/* The machine is gone; the reason is NULL when this was asked for. */
void instance_saw_gone(struct view *v, struct resource *r, const char *reason);
/* The machine is gone because its memory is on disk. */
void instance_saw_hibernated(struct view *v, struct resource *r);
/* The launch or start cannot succeed: terminated (a launch) or stopped again (a start). */
void instance_saw_failure(struct view *v, struct resource *r, const struct ec2fs_error *why);
/* Everything of a terminated instance is given back. */
void instance_saw_cleaned(struct view *v, struct resource *r);
/* A reboot was carried out. */
void instance_saw_reboot(struct view *v, struct resource *r);

/* Refuses a change of what is fixed at launch. */
int instance_need_draft(const struct resource *r, const char *what, struct ec2fs_error *error);
/* The time (ns since the epoch) after which a terminated instance is forgotten. */
int64_t instance_forget_time(const struct resource *r);

#endif
