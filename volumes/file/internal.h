/* What the files of the back end `file` share: volumes as sparse files of a directory. */
#ifndef VOLUMES_FILE_INTERNAL_H
#define VOLUMES_FILE_INTERNAL_H

#include "volumes/volumes.h"

#define FILE_SCHEME "file:"
/* A volume or snapshot is ID.raw; half made, ID.part. */
#define FILE_ENDING ".raw"
#define FILE_HALF ".part"

struct file_volumes {
	struct volumes base;
	char *dir;
	int dir_fd;
	bool clones; /* the file system knows FICLONE */
};

static inline struct file_volumes *file_of(struct volumes *v)
{
	return (struct file_volumes *)v;
}

/* The error of a system call: "WHAT NAME: …"; a full file system is no room. */
int file_tell(const char *what, const char *name, int number, struct ec2fs_error *error);

/* directory.c */
int file_open(const char *uri, const char *owner, bool made, struct volumes **ret,
	      struct ec2fs_error *error);
void file_close(struct volumes *v);
bool file_same(struct volumes *v, struct volumes *other);
int file_sweep(struct volumes *v, struct ec2fs_error *error);
int file_list(struct volumes *v, void (*each)(void *context, const struct volume_found *found),
	      void *context, struct ec2fs_error *error);
int file_capacity(struct volumes *v, struct volumes_capacity *ret, struct ec2fs_error *error);
/* InsufficientVolumeCapacity when the directory is too full for anything new. */
int file_refuse_when_full(struct file_volumes *v, struct ec2fs_error *error);

/* Is ID.raw there? */
bool file_is_there(const struct file_volumes *v, const char *id);
int file_remove(struct volumes *v, const char *id, struct ec2fs_error *error);
char *file_path(struct volumes *v, const char *id);
/*
 * Makes ID.part with that mode, empty, or what an earlier life left, emptied. Then file_finish()
 * gives it its name, after an fsync of the bytes, and file_give_up() removes it.
 */
int file_begin(struct file_volumes *v, const char *id, int mode, int *ret_fd,
	       struct ec2fs_error *error);
int file_finish(struct file_volumes *v, const char *id, int fd, struct ec2fs_error *error);
void file_give_up(struct file_volumes *v, const char *id);

/* snapshots.c */
size_t file_live_snapshots(struct volumes *v);
int file_snapshot(struct volumes *v, const struct volume_snapshot *snapshots, size_t count,
		  volumes_progress_fn *progress, void *context, struct ec2fs_error *error);
int file_import(struct volumes *v, const char *id, const char *path, uint64_t size,
		volumes_progress_fn *progress, void *context, struct ec2fs_error *error);
int file_snapshot_path(struct volumes *v, const char *id, char **ret, uint64_t *ret_size,
		       struct ec2fs_error *error);

#endif
