/* What the files of engine share. */
#ifndef EC2FS_ENGINE_INTERNAL_H
#define EC2FS_ENGINE_INTERNAL_H

#include "ec2fs/engine/engine.h"
#include "ec2fs/engine/queue.h"
#include "ec2fs/model/cloud.h"
#include "ec2fs/store/blobs.h"
#include "ec2fs/util/table.h"
#include "providers/provider.h"
#include "volumes/volumes.h"

#include <sys/stat.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/* One provider, for all zones of that URI. */
struct compute {
	struct engine *engine;
	char *uri;
	struct provider *provider;
	atomic_bool up;
};

struct storage {
	char *uri;
	struct storage *first;    /* itself, or the first that is the same in another spelling */
	struct volumes *volumes;  /* written under sweeping of the first, and the engine's lock */
	pthread_mutex_t sweeping; /* held across sweep(); nests outside the engine's lock */
	bool swept;               /* under sweeping; the first's */
};

struct network;

struct engine {
	struct cloud *cloud;
	struct network *network;
	void (*flow_logged)(void *context, uint64_t vpc); /* NULL: nobody wants to know */
	void *flow_logged_context;
	atomic_uint_fast64_t changes; /* commits seen, and 1 */
	struct blobs *blobs;
	char *state_dir;
	int64_t stop_timeout; /* ns */
	char *boot_id;        /* of this boot of the host */
	char *process_id;     /* of this life of the daemon */
	struct queue *queue;
	pthread_mutex_t
		lock; /* guards the lists below; never held across a provider's or volume's call */
	struct compute **computes;
	size_t compute_count, compute_capacity;
	struct storage **storages;
	size_t storage_count, storage_capacity;
	struct table live; /* of struct live */
	char **trash;      /* names of blobs to remove */
	size_t trash_count, trash_capacity;
	atomic_bool started;
};

/* The job of this number empties the trash. No resource that has jobs has it: it is the root's. */
#define TRASH_JOB ROOT_NUMBER

/* What is known of an instance beside its record, in memory only; guarded by engine->lock. */
struct live {
	char *id;
	enum machine_end end; /* why its machine went, as the provider told */
	struct bytes *screenshot, *metrics, *status_checks;
	struct bytes *content;  /* of a volume: what libblkid found */
	char *content_path;     /* in this file, when it is one, */
	struct stat content_of; /* which was so */
	char *answered; /* the launch-time since which its guest has answered; NULL: never */
	bool missed;    /* its machine was not there at the last look, and no event had said why */
	/* storage.h */
	unsigned held; /* of an instance: its machine is paused on purpose, by so many */
	bool begins;   /* of an instance: its machine is getting disks right now */
	/* Of an attachment: when its guest was asked to let go, first and last; 0: not. */
	int64_t first_asked, asked;
	int64_t kept; /* of an instance: when its guest said last that it keeps a disk; 0: never */
	unsigned frozen; /* of a volume: so many want nobody to begin writing to it */
	/* Of a snapshot: a volume's job brings it into a zone; others wait for that. */
	bool brought, awaited;
	unsigned failures; /* tries in a row that the back end was not there for */
};

/* Makes it when missing. engine->lock is held. */
struct live *live_get(struct engine *e, const char *id);
void live_forget(struct engine *e, const char *id);
/* Frees what nobody finds any more. */
void live_free(struct live *l);
/* What was seen, and is shown until it is seen anew: fields of struct live by their offset. */
void live_keep(struct engine *e, const char *id, size_t offset, const struct strbuf *text);
void live_show(struct engine *e, const char *id, size_t offset, struct strbuf *out);
/* The provider that runs the instance now; NULL when it does not run. */
struct provider *live_provider(struct engine *e, uint64_t number);

/* backends.c. Opened when first asked for; NULL and the story when that fails. */
struct compute *engine_compute(struct engine *e, const char *uri, struct ec2fs_error *error);
void engine_close_computes(struct engine *e);
/* storages.c. The same; blocks while what is half made is removed, the first time. */
struct volumes *engine_volumes(struct engine *e, const char *uri, struct ec2fs_error *error);
void engine_close_storages(struct engine *e);
/* The job of a zone: opens its back ends, learns its capacity, removes strays. */
void engine_zone_job(struct engine *e, const struct resource *zone);

/* The job of an instance, of an image, of a volume. r is held by the caller. */
void engine_instance_job(struct engine *e, const struct resource *r);
void engine_image_job(struct engine *e, const struct resource *r);
void engine_volume_job(struct engine *e, const struct resource *r);
void engine_snapshot_job(struct engine *e, const struct resource *r);
/* Is there something to do for it? */
bool engine_image_has_job(const struct resource *r);
bool engine_volume_has_job(const struct resource *r);
bool engine_snapshot_has_job(const struct resource *r);
/* images.c: makes the qcow2 disk of an image or a snapshot a raw one. */
void engine_import_job(struct engine *e, const struct resource *r);

/* A change of one resource by the engine: fn is called with the staged version unless it is gone.
 */
int engine_record(struct engine *e, uint64_t number,
		  void (*fn)(struct view *v, struct resource *r, const void *context),
		  const void *context);
/* STATE/instances/ID and below it, to be freed. */
char *engine_instance_path(struct engine *e, const char *id, const char *file);

#endif
