/*
 * What the files of fs share.
 *
 * The locks, all of them mutexes of one object each, the outer ones first:
 *
 * - open_file.lock: what one open file has read and written. A request on it holds the lock while
 *   it asks the tree, so requests on one handle go one after the other.
 * - commit.lock[]: inside open_file.lock, or by a rename. "Read the present content, join, store"
 *   of one node is one step.
 * - scratch.lock: content and times of one scratch file; inside open_file.lock.
 * - the tables' own (scratches, open files, ids, hidden names, makers, set times, writers, polls,
 *   parked requests, the notifier's queue): last, for a few instructions; nothing is called under
 *   them, but that relinkings.lock asks for a scratch file.
 *
 * The kernel has locks too: a LOOKUP, CREATE, MKDIR, RENAME … comes with its directory locked, a
 * READ through the page cache with its pages locked, and telling the kernel to forget an entry or a
 * page takes the same locks. So the notifier's thread tells it (notifier.c); it holds no lock of
 * ours, and no handler waits for it. But the pages of a listing or a link, which no request keeps
 * locked for long, go at once (invalidate.c; docs/locking.md). A WRITE or FLUSH, which come with no
 * directory or page locked, may leave their answer to the notifier (reply_when_known), so that
 * whoever hears of the change also sees it everywhere.
 *
 * The tree's watch function (invalidate.c) runs in any thread, perhaps under locks of the tree's:
 * of ours it takes nothing but the notifier's queue.
 */
#ifndef EC2FS_FS_INTERNAL_H
#define EC2FS_FS_INTERNAL_H

#include "ec2fs/fs/fs.h"

#include <fuse3/fuse_lowlevel.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define NS_PER_SECOND INT64_C(1000000000)
/* How long the kernel may keep what it is told to forget when it changes; seconds. */
#define KEEP_LONG 86400.0
#define COMMIT_LOCKS 16

struct commit {
	pthread_mutex_t lock[COMMIT_LOCKS];
};

struct fs {
	struct tree *tree;
	struct fuse_session *session;
	char *mountpoint;
	struct ids *ids;
	struct scratches *scratches;
	struct open_files *open_files;
	struct hidden *hidden;
	struct relinkings *relinkings;
	struct dismantlings *dismantlings;
	struct makers *makers;
	struct set_times *set_times;
	struct polls *polls;
	struct notifier *notifier;
	struct waiters *waiters;
	struct mount_watch *mount_watch;
	struct commit commit;
	bool keeps_listings; /* set before the first request: the kernel needs no OPENDIR */
	pthread_t server;    /* the thread in fs_serve */
	atomic_bool serving; /* server is valid */
	atomic_bool asked_to_stop;
};

static inline struct fs *fs_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

static inline struct tree_caller caller_of(fuse_req_t req)
{
	const struct fuse_ctx *c = fuse_req_ctx(req);

	return (struct tree_caller){.uid = c->uid, .gid = c->gid, .pid = c->pid};
}

/* ns of CLOCK_MONOTONIC. */
static inline int64_t monotonic_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

/* ns since the epoch. */
static inline int64_t wall_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

/* The lock of those who replace that node's content by something made from it. */
static inline pthread_mutex_t *commit_lock(struct fs *fs, tree_id id)
{
	return &fs->commit.lock[(id ^ id >> 16) % COMMIT_LOCKS];
}

/* Each error of a request is answered in one place: result is 0 or a negative errno. */
void reply_result(fuse_req_t req, int result);

/* Makes fs_serve return, mounted or not. Any thread. */
void fs_end_serving(struct fs *fs);

/* The requests, by what they are about. */
void fs_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void fs_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void fs_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
		struct fuse_file_info *fi);
void fs_readlink(fuse_req_t req, fuse_ino_t ino);
void fs_statfs(fuse_req_t req, fuse_ino_t ino);
void fs_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void fs_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void fs_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		    struct fuse_file_info *fi);
void fs_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev);
void fs_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void fs_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void fs_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void fs_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void fs_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
	       const char *new_name, unsigned int flags);
void fs_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t new_parent, const char *new_name);
void fs_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
	       struct fuse_file_info *fi);
void fs_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void fs_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void fs_write_buf(fuse_req_t req, fuse_ino_t ino, struct fuse_bufvec *in, off_t off,
		  struct fuse_file_info *fi);
void fs_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info *fi);
void fs_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void fs_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi);
void fs_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void fs_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct fuse_pollhandle *ph);
void fs_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg,
	      struct fuse_file_info *fi, unsigned flags, const void *in, size_t in_size,
	      size_t out_size);

#endif
