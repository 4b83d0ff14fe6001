/*
 * store: where the cloud's state lives. Rows by resource and attribute, each stamped with the
 * revision of the commit that wrote it; compare-and-set transactions; a watch. The interface is
 * what an etcd cluster offers, so that one can stand behind it; SQLite is the embedded default.
 */
#ifndef EC2FS_STORE_STORE_H
#define EC2FS_STORE_STORE_H

#include "ec2fs/util/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

/* One attribute of one resource, with the file facts that its file shows. */
struct store_row {
	uint64_t resource;
	const char *attribute;
	const void *value; /* NULL with has_value false: the row holds file facts only */
	size_t len;
	bool has_value;
	int64_t mtime; /* ns since the epoch; 0: never written */
	int32_t mode;  /* permission bits, -1: the default */
	int64_t uid;   /* -1: the resource's */
	int64_t gid;
	uint64_t revision; /* of the commit that wrote it; ignored in a commit */
};

enum store_verb {
	STORE_PUT,            /* row, whole */
	STORE_DELETE,         /* row.resource and row.attribute */
	STORE_DELETE_RESOURCE /* every row of row.resource */
};

struct store_op {
	enum store_verb verb;
	struct store_row row; /* borrowed until the commit returns */
};

/* Told after each commit, in order of revision, by the thread that committed. */
typedef void store_watch_fn(void *context, uint64_t revision, const struct store_op *ops,
			    size_t count);

/*
 * Opens or creates the state in directory dir (made with mode 0700 unless present), migrates an
 * older schema forward in one transaction, and takes the lock (flock on DIR/lock) that makes this
 * process its only writer: held by another, EBUSY with the holder's pid in the message. A schema
 * newer than ours: Unsupported. The store serializes its callers itself.
 */
int store_open(const char *dir, struct store **ret, struct ec2fs_error *error);
void store_close(struct store *s);

/* The UUID made when the state was created; a string owned by s. */
const char *store_uuid(const struct store *s);
/* The revision of the last commit. */
uint64_t store_revision(struct store *s);

/* Calls each for every row, ordered by resource, then attribute; stops at its first non-zero answer
 * and returns that. Row contents are borrowed for the call. */
int store_list(struct store *s, int (*each)(void *context, const struct store_row *row),
	       void *context, struct ec2fs_error *error);
/* One row to each, or -ENOENT (UnknownParameter). */
int store_get(struct store *s, uint64_t resource, const char *attribute,
	      int (*each)(void *context, const struct store_row *row), void *context,
	      struct ec2fs_error *error);

/*
 * Applies all ops or none, durably: when it returns 0 they survive a power cut. expected is the
 * revision the caller has seen last; when another writer has committed since, -EAGAIN
 * (RequestLimitExceeded) and nothing is changed. *ret_revision, if not NULL, is the new revision.
 * Disk full: InsufficientVolumeCapacity (ENOSPC); other trouble: InternalError (EIO).
 * A failed commit leaves the store usable for the next one.
 */
int store_commit(struct store *s, uint64_t expected, const struct store_op *ops, size_t count,
		 uint64_t *ret_revision, struct ec2fs_error *error);

/* One watcher; NULL ends it. */
void store_watch(struct store *s, store_watch_fn *fn, void *context);

#endif
