#include "ec2fs/fs/guard.h"

#include "ec2fs/fs/mount_watch.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOUNTED 'm'
#define DISMISSED 'd'

struct guard {
	pid_t pid;
	int orders;
};

/* Every request is answered with ECONNABORTED, later ones with ENOTCONN. The mount stays, so that
 * nobody takes the empty directory below for the cloud. */
static void end_connection(const char *mountpoint, const struct mount_facts *mount)
{
	cleanup_free char *path =
		xasprintf("/sys/fs/fuse/connections/%u/abort", mount->device_minor);
	struct mount_facts now;
	cleanup_close int abort = -1;
	cleanup_close int busy = -1;

	/* Another mount may be there by now. */
	if (!mount_find(mountpoint, mount->id, &now) || now.device_minor != mount->device_minor)
		return;
	abort = open(path, O_WRONLY | O_CLOEXEC);
	if (abort >= 0 && write(abort, "1", 1) == 1)
		return;
	/* A forced unmount ends the connection first, and then fails: it is busy. */
	busy = open(mountpoint, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (busy >= 0)
		umount2(mountpoint, MNT_FORCE);
}

/* Keeps nothing open but the orders (which become descriptor 3): no terminal, no pipe, no lock. */
static int let_go(int orders)
{
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		return -1;
	if (orders != 3 && dup3(orders, 3, O_CLOEXEC) < 0)
		return -1;
	return close_range(4, ~0U, 0) < 0 || chdir("/") < 0 ? -1 : 0;
}

static _Noreturn void keep_watch(const char *mountpoint, int orders, pid_t daemon)
{
	struct mount_facts mount = {0};
	struct pollfd fds[2] = {{.fd = 3, .events = POLLIN}, {.events = POLLIN}};
	bool mounted = false;
	sigset_t all;
	char order;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, "ec2fs-guard");
	if (let_go(orders) < 0)
		_exit(1);
	sigemptyset(&all);
	sigaddset(&all, SIGTERM);
	fds[1].fd = signalfd(-1, &all, SFD_CLOEXEC);
	/* When the thread that forked ends, however many others hang on. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != daemon)
		_exit(1);
	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			_exit(1);
		/* An order that was given comes before the end of who gave it. */
		if (fds[0].revents) {
			if (read(3, &order, 1) != 1)
				break;
			if (order == DISMISSED)
				_exit(0);
			mounted = mount_find(mountpoint, 0, &mount);
			continue;
		}
		/* Somebody else may send that signal, too. */
		if (getppid() != daemon)
			break;
		if (fds[1].revents) {
			struct signalfd_siginfo info = {0};

			if (read(fds[1].fd, &info, sizeof(info)) < 0 && errno != EAGAIN)
				_exit(1);
			if ((pid_t)info.ssi_pid == daemon)
				break;
		}
	}
	if (mounted)
		end_connection(mountpoint, &mount);
	_exit(0);
}

struct guard *guard_start(const char *mountpoint)
{
	struct guard *g = xnew(struct guard);
	pid_t daemon = getpid();
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0) {
		free(g);
		return NULL;
	}
	g->pid = fork();
	if (g->pid == 0)
		keep_watch(mountpoint, fds[0], daemon);
	close(fds[0]);
	g->orders = fds[1];
	if (g->pid < 0) {
		close(g->orders);
		free(g);
		return NULL;
	}
	return g;
}

static void give(struct guard *g, char order)
{
	/* SIGPIPE is ignored: it may have been killed. */
	while (write(g->orders, &order, 1) < 0 && errno == EINTR)
		;
}

void guard_mounted(struct guard *g)
{
	if (g)
		give(g, MOUNTED);
}

void guard_dismiss(struct guard *g)
{
	if (!g)
		return;
	give(g, DISMISSED);
	close(g->orders);
	while (waitpid(g->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(g);
}
