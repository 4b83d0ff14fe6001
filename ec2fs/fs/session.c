/* The mount: made, served, ended. */
#include "ec2fs/fs/dismantling.h"
#include "ec2fs/fs/hidden.h"
#include "ec2fs/fs/invalidate.h"
#include "ec2fs/fs/maker.h"
#include "ec2fs/fs/mount_watch.h"
#include "ec2fs/fs/nfs_server.h"
#include "ec2fs/fs/nodes.h"
#include "ec2fs/fs/open_file.h"
#include "ec2fs/fs/poll.h"
#include "ec2fs/fs/refresh.h"
#include "ec2fs/fs/relinking.h"
#include "ec2fs/fs/set_times.h"
#include "ec2fs/fs/waiters.h"
#include "ec2fs/util/memory.h"
#include "ec2fs/util/spawn.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Kernels before 6.14 cut a link that they keep at the length of its earlier target. */
static bool kernel_keeps_links(void)
{
	struct utsname u;
	unsigned major, minor;

	return uname(&u) == 0 && sscanf(u.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 14));
}

static void fs_init(void *userdata, struct fuse_conn_info *conn)
{
	const unsigned wanted[] = {FUSE_CAP_ATOMIC_O_TRUNC, FUSE_CAP_EXPORT_SUPPORT,
				   FUSE_CAP_READDIRPLUS,    FUSE_CAP_READDIRPLUS_AUTO,
				   FUSE_CAP_SPLICE_READ,    FUSE_CAP_SPLICE_WRITE,
				   FUSE_CAP_SPLICE_MOVE,    FUSE_CAP_PARALLEL_DIROPS};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (conn->capable & wanted[i])
			conn->want |= wanted[i];
	if ((conn->capable & FUSE_CAP_CACHE_SYMLINKS) && kernel_keeps_links())
		conn->want |= FUSE_CAP_CACHE_SYMLINKS;
	((struct fs *)userdata)->keeps_listings = conn->capable & FUSE_CAP_NO_OPENDIR_SUPPORT;
	/* Changes are told: looking at mtime at every read would bring requests back. */
	conn->want &= ~(unsigned)FUSE_CAP_AUTO_INVAL_DATA;
}

/* No getxattr and its like: libfuse answers ENOSYS once, and the kernel asks no more. */
static const struct fuse_lowlevel_ops operations = {
	.init = fs_init,
	.lookup = fs_lookup,
	.getattr = fs_getattr,
	.setattr = fs_setattr,
	.readlink = fs_readlink,
	.statfs = fs_statfs,
	.opendir = fs_opendir,
	.readdir = fs_readdir,
	.readdirplus = fs_readdirplus,
	.mknod = fs_mknod,
	.mkdir = fs_mkdir,
	.unlink = fs_unlink,
	.rmdir = fs_rmdir,
	.symlink = fs_symlink,
	.rename = fs_rename,
	.link = fs_link,
	.create = fs_create,
	.open = fs_open,
	.read = fs_read,
	.write_buf = fs_write_buf,
	.flush = fs_flush,
	.fsync = fs_fsync,
	.release = fs_release,
	.lseek = fs_lseek,
	.poll = fs_poll,
	.ioctl = fs_ioctl,
};

/* The mount of a daemon that died without a word: nothing answers there any more. stat(2) may still
 * know what the kernel was told to keep; statfs(2) always asks. */
static void clear_stale_mount(const char *mountpoint)
{
	const char *const helper[] = {"fusermount3", "-u", "-z", mountpoint, NULL};
	struct statfs st;

	while (statfs(mountpoint, &st) < 0 && errno == ENOTCONN)
		if (umount2(mountpoint, MNT_DETACH) < 0 &&
		    (errno != EPERM || spawn_run(helper, 10000, NULL, NULL) < 0))
			break;
}

static int check_mountpoint(const char *mountpoint, struct ec2fs_error *error)
{
	struct stat st;

	if (stat(mountpoint, &st) < 0)
		return ec2fs_fail_errno(error, errno, EC2_InvalidParameterValue,
					"the mount point %s: %s", mountpoint, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return ec2fs_fail_errno(error, ENOTDIR, EC2_InvalidParameterValue,
					"the mount point %s is no directory", mountpoint);
	return 0;
}

static int new_session(struct fs *fs, const struct fs_options *o, struct ec2fs_error *error)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	char *more = o->mount_options ? xasprintf("-o%s", o->mount_options) : NULL;

	fuse_opt_add_arg(&args, "ec2fs");
	fuse_opt_add_arg(&args, "-odefault_permissions,fsname=ec2fs,subtype=ec2fs");
	if (geteuid() == 0)
		fuse_opt_add_arg(&args, "-oallow_other");
	if (more)
		fuse_opt_add_arg(&args, more);
	if (o->debug)
		fuse_opt_add_arg(&args, "-odebug");
	fs->session = fuse_session_new(&args, &operations, sizeof(operations), fs);
	fuse_opt_free_args(&args);
	free(more);
	if (!fs->session)
		return ec2fs_fail_errno(error, EINVAL, EC2_InvalidParameterValue,
					"FUSE does not take the options %s",
					o->mount_options ? o->mount_options : "");
	return 0;
}

static void free_parts(struct fs *fs)
{
	mount_watch_free(fs->mount_watch);
	relinkings_free(fs->relinkings);
	waiters_free(fs->waiters);
	notifier_free(fs->notifier);
	open_files_free(fs);
	polls_free(fs->polls);
	makers_free(fs->makers);
	set_times_free(fs->set_times);
	hidden_free(fs->hidden);
	dismantlings_free(fs->dismantlings);
	scratches_free(fs->scratches);
	ids_free(fs->ids);
	if (fs->session)
		fuse_session_destroy(fs->session);
	for (int i = 0; i < COMMIT_LOCKS; i++)
		pthread_mutex_destroy(&fs->commit.lock[i]);
	free(fs->mountpoint);
	free(fs);
}

int fs_mount(struct tree *tree, const struct fs_options *options, struct fs **ret,
	     struct ec2fs_error *error)
{
	struct fs *fs;
	int r;

	clear_stale_mount(options->mountpoint);
	r = check_mountpoint(options->mountpoint, error);
	if (r < 0)
		return r;
	fs = xnew(struct fs);
	fs->tree = tree;
	fs->mountpoint = xstrdup(options->mountpoint);
	fs->ids = ids_new();
	fs->scratches = scratches_new(options->scratch_timeout);
	fs->open_files = open_files_new();
	fs->hidden = hidden_new();
	fs->relinkings = relinkings_new(fs);
	fs->dismantlings = dismantlings_new();
	fs->makers = makers_new();
	fs->set_times = set_times_new();
	fs->polls = polls_new();
	fs->notifier = notifier_new(fs);
	fs->waiters = waiters_new(fs);
	for (int i = 0; i < COMMIT_LOCKS; i++)
		pthread_mutex_init(&fs->commit.lock[i], NULL);
	r = new_session(fs, options, error);
	if (r == 0 && fuse_session_mount(fs->session, fs->mountpoint) != 0)
		r = ec2fs_fail_errno(error, EIO, EC2_InternalError,
				     "%s cannot be mounted: is /dev/fuse there, and are you root?",
				     fs->mountpoint);
	if (r == 0 && (notifier_start(fs->notifier) < 0 || waiters_start(fs->waiters) < 0 ||
		       relinkings_start(fs->relinkings) < 0)) {
		fuse_session_unmount(fs->session);
		r = ec2fs_fail(error, EC2_InternalError, "no threads can be started");
	}
	if (r < 0) {
		free_parts(fs);
		return r;
	}
	nfs_server_look_again();
	fs->mount_watch = mount_watch_new(fs);
	tree_watch(tree, notifier_watch, fs);
	*ret = fs;
	return 0;
}

static void wake_up(int signal)
{
	(void)signal;
}

int fs_serve(struct fs *fs)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	struct sigaction action = {.sa_handler = wake_up};
	int r;

	/* Interrupts the main thread's wait, so that it sees that the session is over. */
	sigaction(SIGUSR2, &action, NULL);
	fuse_loop_cfg_set_clone_fd(config, 0);
	fuse_loop_cfg_set_max_threads(config, 10);
	fs->server = pthread_self();
	atomic_store(&fs->serving, true);
	r = atomic_load(&fs->asked_to_stop) ? 0 : fuse_session_loop_mt(fs->session, config);
	atomic_store(&fs->serving, false);
	fuse_loop_cfg_destroy(config);
	return r < 0 ? r : 0;
}

void fs_stop(struct fs *fs)
{
	umount2(fs->mountpoint, MNT_DETACH);
	fs_end_serving(fs);
}

void fs_end_serving(struct fs *fs)
{
	atomic_store(&fs->asked_to_stop, true);
	fuse_session_exit(fs->session);
	/* libfuse ends its workers once its main thread has seen that. */
	if (atomic_load(&fs->serving))
		pthread_kill(fs->server, SIGUSR2);
}

void fs_unmount(struct fs *fs)
{
	tree_watch(fs->tree, NULL, NULL);
	notifier_quiesce(fs->notifier);
	refresh_wait_all(fs);
	fuse_session_unmount(fs->session);
	free_parts(fs);
}
