/*
 * The life of a VPC's dnsmasq. It puts itself into the background and belongs to no one, so that it
 * outlives the daemon; it is found again by its file pid, and known by its own command line and
 * network namespace. A thread sleeps until it ends, and starts it again.
 */
#include "netfw/dhcp.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/log.h"
#include "ec2fs/util/memory.h"
#include "ec2fs/util/spawn.h"
#include "ec2fs/util/strbuf.h"
#include "netfw/dhcp_internal.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <time.h>

#define START_MS 10000
#define END_MS 2000     /* to end by itself; then it is killed */
#define SHORT_LIFE_S 10 /* who dies sooner than that is started again later */
#define LATEST_S 60

struct dhcp {
	/* Immutable. */
	int netns;
	char *directory, *vpc;
	int wake; /* eventfd: the watcher is to look again */
	pthread_t watcher;
	bool watched;         /* there is one */
	pthread_mutex_t lock; /* guards what follows; held while dnsmasq starts and ends */
	char **argv;
	int pidfd;   /* -1: it does not run */
	time_t born; /* when it was last started, or should have been */
	bool closing;
};

static time_t now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static bool wait_end(int pidfd, int timeout_ms)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	return poll(&p, 1, timeout_ms) != 0;
}

static bool has_ended(int pidfd)
{
	return wait_end(pidfd, 0);
}

static void read_all(const char *path, struct strbuf *out)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buffer[4096];
	ssize_t n;

	while (fd >= 0 && (n = read(fd, buffer, sizeof(buffer))) > 0)
		strbuf_add(out, buffer, (size_t)n);
}

static bool is_in_namespace(const struct dhcp *d, const char *process)
{
	cleanup_free char *path = xasprintf("%s/ns/net", process);
	struct stat his, ours;

	return stat(path, &his) == 0 && fstat(d->netns, &ours) == 0 && his.st_dev == ours.st_dev &&
	       his.st_ino == ours.st_ino;
}

/* Does a command line, as /proc shows it, begin with the first count arguments? */
static bool begins_with(const struct strbuf *line, char *const *argv, size_t count)
{
	size_t at = 0;

	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(argv[i]) + 1;

		if (line->len - at < len || memcmp(line->data + at, argv[i], len) != 0)
			return false;
		at += len;
	}
	return argv[count] || at == line->len;
}

/*
 * The dnsmasq that the file pid names: a pidfd, or -1 when there is none or the number is someone
 * else's now. *ret_same: it was told what we would tell it, and is in our namespace.
 */
static int find_running(const struct dhcp *d, bool *ret_same)
{
	cleanup_free char *file = xasprintf("%s/pid", d->directory), *process = NULL, *path = NULL;
	cleanup_strbuf struct strbuf text = STRBUF_INIT, line = STRBUF_INIT;
	cleanup_close int pidfd = -1;
	size_t count = 0;
	int pid;

	read_all(file, &text);
	pid = atoi(strbuf_str(&text));
	pidfd = pid > 1 ? pidfd_open(pid, 0) : -1;
	if (pidfd < 0)
		return -1;
	process = xasprintf("/proc/%d", pid);
	path = xasprintf("%s/cmdline", process);
	read_all(path, &line);
	/* It is dying: its memory is gone already, its sockets not yet. */
	if (!line.len)
		wait_end(pidfd, END_MS);
	/* Up to and with --pid-file, in which our directory is. */
	if (!begins_with(&line, d->argv, 3))
		return -1;
	while (d->argv[count])
		count++;
	*ret_same = begins_with(&line, d->argv, count) && is_in_namespace(d, process);
	/* All of this was about that process only if it still is one. */
	return has_ended(pidfd) ? -1 : steal_fd(&pidfd);
}

static void end(int pidfd)
{
	pidfd_send_signal(pidfd, SIGTERM, NULL, 0);
	if (wait_end(pidfd, END_MS))
		return;
	pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
	wait_end(pidfd, END_MS);
}

static void close_pidfd(struct dhcp *d)
{
	if (d->pidfd >= 0)
		close(d->pidfd);
	d->pidfd = -1;
}

/* Starts it, unless one runs that was told the same. The lock is held. */
static int start(struct dhcp *d, struct ec2fs_error *error)
{
	cleanup_free char *file = xasprintf("%s/pid", d->directory);
	bool same;
	int r;

	d->born = now_s();
	d->pidfd = find_running(d, &same);
	if (d->pidfd >= 0 && same) {
		d->born -= SHORT_LIFE_S;
		return 0;
	}
	if (d->pidfd >= 0)
		end(d->pidfd);
	close_pidfd(d);
	unlink(file);
	r = spawn_run_in(d->netns, (const char *const *)d->argv, START_MS, NULL, error);
	if (r < 0)
		return ec2fs_wrap(error, "DHCP and DNS of %s", d->vpc);
	d->pidfd = find_running(d, &same);
	if (d->pidfd < 0)
		return ec2fs_fail(error, EC2_InternalError,
				  "DHCP and DNS of %s: dnsmasq ended as soon as it ran", d->vpc);
	dhcp_hosts_are_fresh(d->directory);
	return 0;
}

/* It runs, or is started. The lock is held. */
static int ensure(struct dhcp *d, struct ec2fs_error *error)
{
	int r;

	if (d->pidfd >= 0 && !has_ended(d->pidfd))
		return 0;
	close_pidfd(d);
	r = start(d, error);
	eventfd_write(d->wake, 1);
	return r;
}

static void revive(struct dhcp *d)
{
	struct ec2fs_error error = {0};

	pthread_mutex_lock(&d->lock);
	if (!d->closing && (d->pidfd < 0 || has_ended(d->pidfd))) {
		if (ensure(d, &error) < 0)
			log_error("%s", error.message);
		else
			log_warning("DHCP and DNS of %s: dnsmasq had ended, and runs again",
				    d->vpc);
	}
	pthread_mutex_unlock(&d->lock);
}

/* Waits for that long, or until there is something new to look at: true. */
static bool is_woken(struct dhcp *d, int pidfd, int timeout_ms)
{
	struct pollfd p[2] = {{.fd = d->wake, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
	eventfd_t ignored;

	poll(p, 2, timeout_ms);
	if (!p[0].revents)
		return false;
	eventfd_read(d->wake, &ignored);
	return true;
}

static void *watch(void *context)
{
	struct dhcp *d = context;
	int delay_s = 0;

	for (;;) {
		/* One of its own: the other may be closed meanwhile. */
		cleanup_close int pidfd = -1;
		bool closing;
		time_t born;

		pthread_mutex_lock(&d->lock);
		closing = d->closing;
		born = d->born;
		if (d->pidfd >= 0)
			pidfd = fcntl(d->pidfd, F_DUPFD_CLOEXEC, 0);
		pthread_mutex_unlock(&d->lock);
		if (closing)
			return NULL;
		if (pidfd >= 0 && is_woken(d, pidfd, -1))
			continue;
		/* It has ended. Who ends young is started again later, and each time later. */
		if (now_s() - born >= SHORT_LIFE_S)
			delay_s = 0;
		else
			delay_s = !delay_s ? 1 : delay_s * 2 < LATEST_S ? delay_s * 2 : LATEST_S;
		if (!delay_s || !is_woken(d, -1, delay_s * 1000))
			revive(d);
	}
}

/* Ends the watcher and frees all but dnsmasq. */
static void let_go(struct dhcp *d)
{
	if (d->watched) {
		pthread_mutex_lock(&d->lock);
		d->closing = true;
		pthread_mutex_unlock(&d->lock);
		eventfd_write(d->wake, 1);
		pthread_join(d->watcher, NULL);
	}
	close_pidfd(d);
	if (d->wake >= 0)
		close(d->wake);
	if (d->netns >= 0)
		close(d->netns);
	dhcp_arguments_free(d->argv);
	pthread_mutex_destroy(&d->lock);
	free(d->directory);
	free(d->vpc);
	free(d);
}

int dhcp_start(int netns_fd, const char *directory, const struct netfw_vpc *vpc, struct dhcp **ret,
	       struct ec2fs_error *error)
{
	struct dhcp *d = xnew(struct dhcp);
	int r;

	d->pidfd = -1;
	d->directory = xstrdup(directory);
	d->vpc = xstrdup(vpc->id);
	d->netns = fcntl(netns_fd, F_DUPFD_CLOEXEC, 0);
	d->wake = eventfd(0, EFD_CLOEXEC);
	pthread_mutex_init(&d->lock, NULL);
	if (d->netns < 0 || d->wake < 0)
		r = ec2fs_fail(error, EC2_InternalError, "DHCP and DNS of %s: %s", vpc->id,
			       strerror(errno));
	else
		r = dhcp_arguments(directory, vpc, &d->argv, error);
	if (r == 0)
		r = dhcp_hosts_make(directory, error);
	if (r == 0)
		r = ensure(d, error);
	if (r == 0) {
		r = pthread_create(&d->watcher, NULL, watch, d);
		d->watched = r == 0;
		if (r)
			r = ec2fs_fail(error, EC2_InternalError, "DHCP and DNS of %s: %s", vpc->id,
				       strerror(r));
	}
	if (r < 0) {
		let_go(d);
		return r;
	}
	*ret = d;
	return 0;
}

static bool are_equal(char *const *a, char *const *b)
{
	for (; *a && *b; a++, b++) {
		if (strcmp(*a, *b) != 0)
			return false;
	}
	return !*a && !*b;
}

int dhcp_set_vpc(struct dhcp *d, const struct netfw_vpc *vpc, struct ec2fs_error *error)
{
	char **argv;
	int r = dhcp_arguments(d->directory, vpc, &argv, error);

	if (r < 0)
		return r;
	pthread_mutex_lock(&d->lock);
	if (!are_equal(argv, d->argv)) {
		char **old = d->argv;

		d->argv = argv;
		argv = old;
		/* start() finds it running, and told something else. */
		close_pidfd(d);
	}
	r = ensure(d, error);
	pthread_mutex_unlock(&d->lock);
	dhcp_arguments_free(argv);
	return r;
}

int dhcp_set_host(struct dhcp *d, const uint8_t mac[6], uint32_t address, const char *host_name,
		  struct ec2fs_error *error)
{
	bool stale;
	int r;

	pthread_mutex_lock(&d->lock);
	r = dhcp_hosts_set(d->directory, mac, address, host_name, &stale, error);
	if (r == 0 && stale && d->pidfd >= 0) {
		end(d->pidfd);
		close_pidfd(d);
	}
	if (r == 0)
		r = ensure(d, error);
	pthread_mutex_unlock(&d->lock);
	return r;
}

int dhcp_drop_host(struct dhcp *d, const uint8_t mac[6], uint32_t address)
{
	int r;

	pthread_mutex_lock(&d->lock);
	r = dhcp_hosts_drop(d->directory, mac, address);
	pthread_mutex_unlock(&d->lock);
	return r;
}

void dhcp_close(struct dhcp *d)
{
	if (d)
		let_go(d);
}

void dhcp_stop(struct dhcp *d)
{
	cleanup_free char *file = NULL;
	cleanup_free char *directory = NULL;

	if (!d)
		return;
	pthread_mutex_lock(&d->lock);
	d->closing = true; /* nobody starts it again */
	if (d->pidfd >= 0)
		end(d->pidfd);
	directory = xstrdup(d->directory);
	pthread_mutex_unlock(&d->lock);
	let_go(d);
	file = xasprintf("%s/pid", directory);
	unlink(file);
	dhcp_hosts_remove(directory);
}
