/*
 * The cloud: the published state and the one way to change it. A change is a function over a view:
 * it validates everything first, stages versions, and returns 0 or a refusal. What it staged is
 * then committed to the store, together with what others staged meanwhile (one fsync for all), and
 * published only after that. A failed commit changes nothing.
 *
 * Locks, in this order: writer (serializes change functions), index (readers and publishing).
 * Neither is held across the store's commit, nor when a change function's caller gets its answer.
 */
#ifndef EC2FS_MODEL_CLOUD_H
#define EC2FS_MODEL_CLOUD_H

#include "ec2fs/model/view.h"
#include "ec2fs/store/store.h"

struct cloud;
struct index;

/* Where time and randomness come from: a test gives its own, and every run is the same. */
struct cloud_env {
	int64_t (*now)(void *context); /* ns since the epoch */
	void (*random)(void *context, void *out, size_t len);
	void *context;
};

/* Reads everything from the store (which outlives the cloud) and starts the committing thread. env
 * NULL: the system's clock and getrandom(2). */
int cloud_open(struct store *store, const struct cloud_env *env, struct cloud **ret,
	       struct ec2fs_error *error);
/* Waits for commits under way, frees. No change may be under way. */
void cloud_close(struct cloud *c);

/* Begins and ends reading: between them nothing is published, so keep it short; never nest it, nor
 * call cloud_change inside. */
struct view cloud_read(struct cloud *c);
void cloud_read_end(struct cloud *c);

typedef int change_fn(struct view *v, void *context, struct ec2fs_error *error);

/* Who changes, and with what at hand; NULL for the daemon itself. */
struct actor {
	uid_t uid;
	gid_t gid;
	const void *prepared;
	bool copies;
};

/*
 * Runs the function and makes what it staged durable and visible; returns its refusal, or that of
 * the store (ENOSPC, EIO). The function runs under the writer lock: no I/O in it, no waiting. A
 * change that staged nothing succeeds at once.
 */
int cloud_change(struct cloud *c, const struct actor *who, change_fn *fn, void *context,
		 struct ec2fs_error *error);
/* Runs the function on a view that is thrown away: would it be refused? */
int cloud_try(struct cloud *c, const struct actor *who, change_fn *fn, void *context,
	      struct ec2fs_error *error);

/* A published change: was (NULL: new) and is (NULL: gone). */
struct cloud_event {
	const struct resource *was, *is;
};

/*
 * A watcher is told each commit's changes after they are published and before those who made them
 * get their answer, by the committing thread: no change may be made in it, no lock that is held
 * around a change be taken. At most 4 watchers; add them before the first change.
 */
typedef void cloud_watch_fn(void *context, const struct cloud_event *events, size_t count);
void cloud_watch(struct cloud *c, cloud_watch_fn *fn, void *context);

int64_t cloud_now(struct cloud *c);
void cloud_random(struct cloud *c, void *out, size_t len);
const char *cloud_uuid(struct cloud *c);

/* For view.c. */
const struct index *cloud_index(const struct cloud *c);
uint64_t cloud_new_number(struct cloud *c);

/* For tree: times of the directories that hold children. Inside cloud_read only. */
int64_t cloud_children_mtime(struct cloud *c, uint64_t parent, enum kind kind);

#endif
