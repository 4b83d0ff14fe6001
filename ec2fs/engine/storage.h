/* What the jobs of volumes, snapshots and instances share about storage. */
#ifndef EC2FS_ENGINE_STORAGE_H
#define EC2FS_ENGINE_STORAGE_H

#include "ec2fs/engine/internal.h"

struct machine;

/* The back end of a zone of the region; NULL and the story when it has none. */
struct volumes *storage_of_zone(struct engine *e, uint64_t region, const char *zone,
				struct ec2fs_error *error);
/*
 * The same for what can wait: 0, -EAGAIN and the story when it cannot be reached now (the volume
 * group is not there, the file system not mounted), or what will not change.
 */
int storage_reach(struct engine *e, uint64_t region, const char *zone, struct volumes **ret,
		  struct ec2fs_error *error);
/* What an operation there has come to: -EAGAIN instead when it failed because the storage is gone.
 */
int storage_outcome(struct volumes *v, int result);
/* Tells in a volume's or snapshot's state-reason what it waits for, and when it is tried again. */
void storage_wait(struct engine *e, const struct resource *r, const struct ec2fs_error *why);
/* The zone's messages tell what its administrator should know of its storage, as it is now. */
void storage_tell_zone(struct engine *e, uint64_t region, const char *zone);
/* Kicks the instances that have the volume. */
void storage_kick_instances(struct engine *e, uint64_t volume);
/* "vol0123456789abcdef0": the serial by which guests know a volume, to be freed. */
char *storage_serial(const char *volume_id);

/*
 * Who writes to a volume, and who wants it to stand still. A machine that is about to get disks
 * says so first, and is refused while one of them is frozen; who freezes them is refused while such
 * a machine is on its way. Both look after they said what they do, so they never miss each other.
 */
bool storage_machine_begins(struct engine *e, const char *instance, const struct machine *m);
void storage_machine_began(struct engine *e, const char *instance);
void storage_freeze(struct engine *e, const char *const *volumes, size_t count, bool on);
bool storage_machine_is_on_its_way(struct engine *e, const char *instance);
/* A machine that somebody paused, for a moment. */
void storage_hold(struct engine *e, const char *instance, bool on);
bool storage_is_held(struct engine *e, const char *instance);

/* Disks of the instance store: made for a machine that starts, removed after its end. */
int storage_make_ephemeral(struct machine *m, bool fresh, struct ec2fs_error *error);
void storage_remove_ephemeral(struct machine *m);

/* strays.c: once after the sweep, removes volumes and snapshots of this cloud that no record names
 * and nobody has open. */
void storage_remove_strays(struct engine *e, struct volumes *v);

/* attachments.c: disks that a running machine gets and loses. */
void engine_attachments(struct engine *e, const struct resource *instance, struct machine *m);

#endif
