/*
 * What the files of the back end `lvm` share.
 *
 * A volume or snapshot is a thin logical volume VG/ID with the tags ec2fs.owner=UUID and
 * ec2fs.id=ID; one that takes several commands to make has ec2fs.making until it is whole. An
 * imported snapshot also has ec2fs.size=BYTES, for a logical volume is whole extents.
 */
#ifndef VOLUMES_LVM_INTERNAL_H
#define VOLUMES_LVM_INTERNAL_H

#include "ec2fs/util/strbuf.h"
#include "volumes/volumes.h"

#include <pthread.h>

#define LVM_OWNER "ec2fs.owner="
#define LVM_ID "ec2fs.id="
#define LVM_SIZE "ec2fs.size="
#define LVM_MAKING "ec2fs.making"

/* "lvm:VG/POOL", and perhaps ",device=PATH" and ",overwrite". */
struct lvm_uri {
	char vg[128], pool[128];
	char device[256];
	bool overwrite;
};

/* One that is ours, as it was last seen or made. */
struct lvm_known {
	char id[40];
	uint64_t size; /* bytes that were asked for, or those of the logical volume */
	bool making;
};

struct lvm_volumes {
	struct volumes base;
	struct lvm_uri uri;
	char *owner;
	char *lock_path;       /* held, shared, by every program that was started */
	pthread_mutex_t setup; /* held while sweeping; nests outside lock */
	bool ready;            /* under setup */
	/* Written while sweeping, and no more once ready is true; chunk under lock as well. */
	uint64_t extent; /* bytes */
	uint64_t chunk;  /* bytes that the pool gives out at once */
	char **devices;  /* the physical volumes */
	size_t device_count, device_capacity;
	pthread_mutex_t lock; /* what follows */
	struct lvm_known *known;
	size_t known_count, known_capacity;
	uint64_t promised; /* bytes that are being copied into the pool */
};

static inline struct lvm_volumes *lvm_of(struct volumes *v)
{
	return (struct lvm_volumes *)v;
}

/* command.c: programs. */

/* Keeps of what lvm told only what is no warning, on one line. */
void lvm_words(char *text);
/* The error in EC2's terms, by lvm's words. */
enum ec2_code lvm_code(const char *words);
/*
 * Runs `lvm …` (argv without it, NULL at the end). On failure the story is lvm's own. An orphan of
 * a killed daemon holds lock_path until it ends; nothing kills it, for it may have suspended
 * devices.
 */
int lvm_run(struct lvm_volumes *v, const char *const *argv, struct strbuf *out,
	    struct ec2fs_error *error);
#define lvm_do(v, error, ...) lvm_run(v, (const char *const[]){__VA_ARGS__, NULL}, NULL, error)
/* Any other program, in the same way; argv with its name. */
int lvm_run_other(struct lvm_volumes *v, const char *const *argv, struct strbuf *out,
		  struct ec2fs_error *error);
/* Waits until no program of an earlier life runs. */
int lvm_wait_for_others(struct lvm_volumes *v, struct ec2fs_error *error);
/* What was done is on the disks, not in their caches: lvm itself does not ask them. */
int lvm_flush(struct lvm_volumes *v, struct ec2fs_error *error);

/* report.c: what lvm reports in JSON. */

struct lvm_row; /* of a report; lives while each() runs */
/* The field's text, "" when it is not there. */
const char *lvm_field(const struct lvm_row *row, const char *name);
/* Is it among the comma-separated tags, whole? With an ending '=', the value behind it in *ret. */
bool lvm_tagged(const char *tags, const char *tag, char *ret, size_t size);
/* Calls each for the rows of the report that has that name: "lv", "vg", "pv". */
int lvm_parse(const char *json, size_t len, const char *name,
	      void (*each)(void *context, const struct lvm_row *row), void *context,
	      struct ec2fs_error *error);
/* The row as one of ours: false when it is not. */
bool lvm_is_ours(const struct lvm_row *row, const char *owner, struct lvm_known *ret);
/* Asks lvm for all logical volumes of the group, and calls each; what is ours is known then. */
int lvm_look(struct lvm_volumes *v, void (*each)(void *context, const struct lvm_row *row),
	     void *context, struct ec2fs_error *error);

/* What is known; each takes v->lock. */
bool lvm_find(struct lvm_volumes *v, const char *id, struct lvm_known *ret);
void lvm_remember(struct lvm_volumes *v, const struct lvm_known *one);
void lvm_forget(struct lvm_volumes *v, const char *id);
/* The same, asking lvm when it is not known: -ENOENT and the story when it is not there, whole. */
int lvm_get(struct lvm_volumes *v, const char *id, struct lvm_known *ret,
	    struct ec2fs_error *error);

/* pool.c: how full the pool is. */

struct lvm_pool_status {
	uint64_t metadata, metadata_total, data, data_total; /* blocks */
	enum { POOL_FAILED, POOL_READ_ONLY, POOL_OUT_OF_SPACE, POOL_WRITABLE } mode;
	bool needs_check, waits; /* when it is full writes wait, for a minute, rather than fail */
};

/* Parses the status that the kernel's thin-pool target tells. 0 or -EINVAL. */
int lvm_pool_parse(const char *status, struct lvm_pool_status *ret);
/* What that means for the zone. */
void lvm_pool_tell(const struct lvm_pool_status *s, const struct lvm_uri *uri, uint64_t chunk,
		   struct volumes_capacity *ret);
int lvm_capacity(struct volumes *v, struct volumes_capacity *ret, struct ec2fs_error *error);
/*
 * InsufficientVolumeCapacity when the pool is too full for anything new, or for bytes more. They
 * are promised until lvm_kept().
 */
int lvm_promise(struct lvm_volumes *v, uint64_t bytes, struct ec2fs_error *error);
void lvm_kept(struct lvm_volumes *v, uint64_t bytes);

/* setup.c */
int lvm_sweep(struct volumes *v, struct ec2fs_error *error);
/* Sweeps when that has not been done yet, or has failed. */
int lvm_ready(struct lvm_volumes *v, struct ec2fs_error *error);

/* uri.c */
bool lvm_claims(const char *uri);
int lvm_check(const char *uri, struct ec2fs_error *error);
int lvm_uri_parse(const char *uri, struct lvm_uri *ret, struct ec2fs_error *error);

/* make.c: what volumes and snapshots have in common. */

/* Up to whole extents. */
uint64_t lvm_round(const struct lvm_volumes *v, uint64_t size);
/* How one begins: all zeroes, or as another. */
struct lvm_start {
	const char *id;
	uint64_t size;      /* of the logical volume, when origin is NULL */
	const char *origin; /* an ID */
	uint64_t told_size; /* for the tag ec2fs.size; 0: none */
	bool read_only, making;
};
/*
 * Makes it, and knows it then. One that is there, whole, is *ret_there; a half-made one is removed
 * first, and what is not ours refused.
 */
int lvm_begin(struct lvm_volumes *v, const struct lvm_start *start, bool *ret_there,
	      struct ec2fs_error *error);
/*
 * Has the pool got what lvm's records say it has? When the power went between the two, it has not:
 * then nobody was told that it was made, and it is to be made anew. Activates it.
 */
int lvm_is_in_pool(struct lvm_volumes *v, const char *id, bool *ret, struct ec2fs_error *error);
/* Is that why activating it failed? */
bool lvm_tells_absence(const struct ec2fs_error *why);
/* Takes away the tag ec2fs.making; read_only also makes it so. */
int lvm_finish(struct lvm_volumes *v, const char *id, bool read_only, struct ec2fs_error *error);
/* Copies the first size bytes of the file at path to its device, onto the disk. */
int lvm_fill(struct lvm_volumes *v, const char *id, const char *path, uint64_t size,
	     volumes_progress_fn *progress, void *context, struct ec2fs_error *error);
/* Absent is a success. */
int lvm_remove(struct volumes *v, const char *id, struct ec2fs_error *error);
char *lvm_path(struct volumes *v, const char *id);

/* snapshots.c */
size_t lvm_live_snapshots(struct volumes *v);
int lvm_snapshot(struct volumes *v, const struct volume_snapshot *snapshots, size_t count,
		 volumes_progress_fn *progress, void *context, struct ec2fs_error *error);
int lvm_import(struct volumes *v, const char *id, const char *path, uint64_t size,
	       volumes_progress_fn *progress, void *context, struct ec2fs_error *error);
int lvm_remove_snapshot(struct volumes *v, const char *id, struct ec2fs_error *error);
int lvm_snapshot_path(struct volumes *v, const char *id, char **ret, uint64_t *ret_size,
		      struct ec2fs_error *error);

#endif
