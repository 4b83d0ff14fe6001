/* ec2fs: options, and the life of the daemon. */
#include "ec2fs/options.h"
#include "ec2fs/engine/engine.h"
#include "ec2fs/fs/fs.h"
#include "ec2fs/fs/guard.h"
#include "ec2fs/model/cloud.h"
#include "ec2fs/model/kinds.h"
#include "ec2fs/store/blobs.h"
#include "ec2fs/store/store.h"
#include "ec2fs/tree/open.h"
#include "ec2fs/util/log.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fcntl.h>

/* Exit codes (man ec2fs). */
enum { EXIT_BAD_USAGE = 2, EXIT_BUSY = 3 };

/* Everything that lives as long as the mount, in the order in which it is opened. */
struct daemon {
	struct store *store;
	struct blobs *blobs;
	struct cloud *cloud;
	struct engine *engine;
	struct tree *tree;
	struct fs *fs;
	struct guard *guard;
};

static int open_all(struct daemon *d, const struct options *o, struct ec2fs_error *error)
{
	struct engine_options engine = {.state_dir = o->state, .stop_timeout = o->stop_timeout};
	struct fs_options fs = {.mountpoint = o->mountpoint,
				.mount_options = o->mount_options,
				.debug = o->debug,
				.scratch_timeout = o->scratch_timeout};
	struct actor self = {.uid = geteuid(), .gid = getegid()};
	int r = store_open(o->state, &d->store, error);

	if (r == 0)
		r = blobs_open(o->state, &d->blobs, error);
	if (r == 0)
		r = cloud_open(d->store, NULL, &d->cloud, error);
	if (r < 0)
		return r;
	d->engine = engine_new(d->cloud, d->blobs, &engine);
	d->tree = tree_open(d->cloud, d->engine, d->blobs);
	r = cloud_change(d->cloud, &self, cloud_first, NULL, error);
	if (r == 0)
		r = tree_sweep_blobs(d->tree, error);
	if (r == 0)
		r = fs_mount(d->tree, &fs, &d->fs, error);
	if (r == 0)
		guard_mounted(d->guard);
	if (r == 0)
		r = engine_start(d->engine, error);
	return r;
}

static void close_all(struct daemon *d)
{
	if (d->engine)
		engine_stop(d->engine);
	if (d->fs)
		fs_unmount(d->fs);
	cloud_close(d->cloud);
	tree_close(d->tree);
	blobs_close(d->blobs);
	store_close(d->store);
	guard_dismiss(d->guard);
}

/* Waits for a signal to end, or for the thread that serves. */
static void *signals(void *context)
{
	sigset_t set;
	int which;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	if (sigwait(&set, &which) == 0 && which != SIGUSR1)
		fs_stop(context);
	return NULL;
}

static int serve(struct daemon *d)
{
	pthread_t waiter;
	int r;

	if (pthread_create(&waiter, NULL, signals, d->fs) != 0)
		return -EAGAIN;
	r = fs_serve(d->fs);
	pthread_kill(waiter, SIGUSR1);
	pthread_join(waiter, NULL);
	return r;
}

/*
 * In the background the parent ends when the child serves, with its exit code: one byte through a
 * pipe. Before any thread is started.
 */
static int go_to_background(int *ret_ready)
{
	unsigned char code = EXIT_FAILURE;
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid > 0) {
		close(fds[1]);
		if (read(fds[0], &code, 1) != 1)
			waitpid(pid, NULL, 0);
		_exit(code);
	}
	close(fds[0]);
	setsid();
	*ret_ready = fds[1];
	return 0;
}

static void report_ready(int ready, unsigned char code)
{
	int null;

	if (ready < 0)
		return;
	if (code == 0) {
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (null >= 0) {
			dup2(null, 0);
			dup2(null, 1);
			dup2(null, 2);
			close(null);
		}
		if (chdir("/") < 0)
			log_warning("chdir /: %s", strerror(errno));
		log_to_syslog();
	}
	if (write(ready, &code, 1) != 1)
		log_warning("whoever started this does not listen");
	close(ready);
}

static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int main(int argc, char **argv)
{
	struct zone_defaults zone = {.check_compute = engine_check_compute,
				     .check_storage = engine_check_storage};
	struct ec2fs_error error = {0};
	struct options options;
	struct daemon d = {0};
	int ready = -1, r;

	r = options_parse(argc, argv, &options);
	if (r != OPTIONS_GO)
		return r == OPTIONS_DONE ? EXIT_SUCCESS : EXIT_BAD_USAGE;
	/* Many threads that sleep most of their time need no heap each. */
	mallopt(M_ARENA_MAX, 2);
	zone.compute = options.compute;
	zone.storage = options.storage;
	zone_set_defaults(&zone);
	if (engine_check_compute(options.compute, &error) < 0 ||
	    engine_check_storage(options.storage, &error) < 0) {
		fprintf(stderr, "ec2fs: compute=%s, storage=%s: %s\n", options.compute,
			options.storage, error.message);
		options_free(&options);
		return EXIT_BAD_USAGE;
	}
	log_set_debug(options.debug);
	umask(022);
	if (!options.foreground && go_to_background(&ready) < 0) {
		fprintf(stderr, "ec2fs: cannot go to the background: %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	block_signals();
	d.guard = guard_start(options.mountpoint);
	r = open_all(&d, &options, &error);
	if (r < 0) {
		log_error("%s", error.message);
		close_all(&d);
		options_free(&options);
		r = r == -EBUSY ? EXIT_BUSY : EXIT_FAILURE;
		report_ready(ready, (unsigned char)r);
		return r;
	}
	report_ready(ready, 0);
	r = serve(&d);
	close_all(&d);
	options_free(&options);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
