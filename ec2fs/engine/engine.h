/*
 * engine: makes what is wanted be. For each resource that needs work there is one job at a time; a
 * job looks at wanted and observed, takes a step that may be repeated, and records it through the
 * model. After kill -9 at any instruction the next start looks again and goes on.
 */
#ifndef EC2FS_ENGINE_ENGINE_H
#define EC2FS_ENGINE_ENGINE_H

#include "ec2fs/util/error.h"
#include "ec2fs/util/strbuf.h"

#include <stdbool.h>
#include <stdint.h>

struct cloud;
struct blobs;
struct engine;
struct luks;

struct engine_options {
	const char *state_dir;
	int stop_timeout; /* seconds a guest has to shut down before its plug is pulled */
};

/* Nothing happens before engine_start. cloud and blobs outlive the engine. */
struct engine *engine_new(struct cloud *cloud, struct blobs *blobs,
			  const struct engine_options *options);
/* Opens the zones' back ends, adopts what runs, and goes on with what was under way. Returns at
 * once. */
int engine_start(struct engine *e, struct ec2fs_error *error);
/* Waits for the steps under way, lets go of the back ends (machines go on), frees. */
void engine_stop(struct engine *e);

/* For `compute` and `storage` files: 0, or what would be right. */
int engine_check_compute(const char *uri, struct ec2fs_error *error);
int engine_check_storage(const char *uri, struct ec2fs_error *error);

/* Is the file a disk that can be imported? *ret_value, to be freed: "raw SIZE" or "qcow2
 * VIRTUAL-SIZE". */
int engine_inspect_disk(int fd, char **ret_value, struct ec2fs_error *error);

/* Live data of an instance, by its ID; each appends what there is, maybe nothing. *ret_start (may
 * be NULL): how many bytes of the console come before those. */
void engine_console(struct engine *e, const char *id, uint64_t *ret_start, struct strbuf *out);
void engine_screenshot(struct engine *e, const char *id, struct strbuf *out);
void engine_metrics(struct engine *e, const char *id, struct strbuf *out);
void engine_status_checks(struct engine *e, const char *id, struct strbuf *out);
/* Take a new screenshot, new figures: block for as long as the provider takes. */
int engine_refresh_screenshot(struct engine *e, uint64_t number, const char *id);
int engine_refresh_metrics(struct engine *e, uint64_t number, const char *id);
/* Ask whether machine and guest are well; a second at most when the guest does not answer. */
int engine_refresh_status_checks(struct engine *e, uint64_t number, const char *id);

/* The last part of a VPC's flow log, by its ID, appended. */
void engine_flow_logs(struct engine *e, const char *vpc, struct strbuf *out);
/* fn is called when lines were added to the flow log of that VPC, from a thread that holds no lock.
 * Before engine_start. */
void engine_watch_flow_logs(struct engine *e, void (*fn)(void *context, uint64_t vpc),
			    void *context);

/* Opens a completed snapshot for reading; *ret_size in bytes. -ENODATA when it cannot be read. An
 * encrypted one is to be read with luks_read() by *ret_luks, which is not set for others; ret_luks
 * NULL: -EOPNOTSUPP. Blocks. */
int engine_snapshot_open(struct engine *e, uint64_t number, struct luks **ret_luks, int *ret_fd,
			 uint64_t *ret_size);

/* The blocks of 512 bytes that a snapshot takes on the host's disk, a header of encryption among
 * them. False: it is no file, or none that is there. Does not block. */
bool engine_snapshot_blocks(struct engine *e, uint64_t number, uint64_t *ret);

/* What libblkid finds on a volume, by its ID: type, label, uuid, KEY VALUE lines. Looks anew;
 * blocks. */
void engine_filesystem(struct engine *e, const char *id, struct strbuf *out);
int engine_refresh_filesystem(struct engine *e, uint64_t number, const char *id);
/* Was nothing written to the volume since it was refreshed? False also where that cannot be told.
 */
bool engine_filesystem_is_known(struct engine *e, const char *id);

/* Path of the file or device behind a volume, to be freed; NULL when unknown. */
char *engine_volume_path(struct engine *e, const char *storage, const char *id);
/* Bytes of those storages (zones' `storage`) together: one that is named twice counts once, one
 * that does not answer has nothing to offer. Blocks. */
void engine_storage(struct engine *e, char *const *uris, size_t count, uint64_t *total,
		    uint64_t *available);

#endif
