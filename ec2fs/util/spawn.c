#include "ec2fs/util/spawn.h"

#include "ec2fs/util/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#define STDERR_KEPT 400
#define SEARCH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define LONGEST_PATH 256

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* As execvpe(3), but in SEARCH: the PATH of whoever started the daemon is not asked, and mount(8)
 * leaves none. Returns with errno set. */
static void search_and_execute(const char *const *argv, const char *const *environment)
{
	size_t name = strlen(argv[0]);

	if (strchr(argv[0], '/')) {
		execve(argv[0], (char *const *)argv, (char *const *)environment);
		return;
	}
	for (const char *dir = SEARCH; *dir; dir += strspn(dir, ":")) {
		size_t len = strcspn(dir, ":");
		char path[LONGEST_PATH];

		errno = ENAMETOOLONG;
		if (len + 1 + name + 1 > sizeof(path))
			return;
		memcpy(path, dir, len);
		path[len] = '/';
		memcpy(path + len + 1, argv[0], name + 1);
		execve(path, (char *const *)argv, (char *const *)environment);
		if (errno != ENOENT)
			return;
		dir += len;
	}
}

/* What a program is given beside its words; -1: nothing. */
struct how {
	int input, netns;
};

/* In the child, after vfork-like care: only async-signal-safe calls. */
static void become(const struct how *how, const char *const *argv, int out, int err, int trouble)
{
	static const char *const environment[] = {"PATH=" SEARCH, "LC_ALL=C", "HOME=/", NULL};
	int in = how->input >= 0 ? how->input : open("/dev/null", O_RDONLY);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setsid();
	if (in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		goto failed;
	if (how->netns >= 0 && setns(how->netns, CLONE_NEWNET) < 0)
		goto failed;
	/* The daemon's own are O_CLOEXEC; what its starter left open is not. */
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	search_and_execute(argv, environment);
failed:
	if (write(trouble, &errno, sizeof(errno)) < 0)
		_exit(126);
	_exit(127);
}

struct child {
	pid_t pid;
	int out, err;
	char tail[STDERR_KEPT + 1]; /* the end of its standard error */
	size_t tail_len;
};

static void keep_tail(struct child *c, const char *data, size_t len)
{
	if (len > STDERR_KEPT) {
		data += len - STDERR_KEPT;
		len = STDERR_KEPT;
	}
	if (c->tail_len + len > STDERR_KEPT) {
		size_t drop = c->tail_len + len - STDERR_KEPT;

		memmove(c->tail, c->tail + drop, c->tail_len - drop);
		c->tail_len -= drop;
	}
	memcpy(c->tail + c->tail_len, data, len);
	c->tail_len += len;
	c->tail[c->tail_len] = '\0';
}

/* Reads what is there; closes and forgets the descriptor at its end. */
static void drain(int *fd, struct child *c, struct strbuf *out, spawn_output_fn *each,
		  void *context)
{
	char buffer[4096];
	ssize_t n = read(*fd, buffer, sizeof(buffer));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		close(*fd);
		*fd = -1;
	} else if (fd == &c->err) {
		keep_tail(c, buffer, (size_t)n);
	} else {
		if (out)
			strbuf_add(out, buffer, (size_t)n);
		if (each)
			each(context, buffer, (size_t)n);
	}
}

static int start(const struct how *how, const char *const *argv, struct child *c,
		 struct ec2fs_error *error)
{
	int out[2] = {-1, -1}, err[2] = {-1, -1}, trouble[2] = {-1, -1}, number = 0;
	ssize_t n;

	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0 || pipe2(trouble, O_CLOEXEC) < 0)
		number = errno;
	else if ((c->pid = fork()) < 0)
		number = errno;
	else if (c->pid == 0)
		become(how, argv, out[1], err[1], trouble[1]);
	if (out[1] >= 0)
		close(out[1]);
	if (err[1] >= 0)
		close(err[1]);
	if (trouble[1] >= 0)
		close(trouble[1]);
	c->out = out[0];
	c->err = err[0];
	if (!number) {
		n = read(trouble[0], &number, sizeof(number));
		if (n == sizeof(number))
			waitpid(c->pid, NULL, 0);
		else
			number = 0;
	}
	if (trouble[0] >= 0)
		close(trouble[0]);
	if (!number)
		return 0;
	if (c->out >= 0)
		close(c->out);
	if (c->err >= 0)
		close(c->err);
	return ec2fs_fail_errno(error, number, EC2_InternalError, "%s cannot be started: %s",
				argv[0], strerror(number));
}

static int run(const struct how *how, const char *const *argv, int timeout_ms, struct strbuf *out,
	       spawn_output_fn *each, void *context, struct ec2fs_error *error)
{
	struct child c = {.out = -1, .err = -1};
	int64_t end = now_ms() + timeout_ms;
	bool late = false;
	int status, r = start(how, argv, &c, error);

	if (r < 0)
		return r;
	while (c.out >= 0 || c.err >= 0) {
		struct pollfd fds[2] = {{.fd = c.out, .events = POLLIN},
					{.fd = c.err, .events = POLLIN}};
		int64_t left = end - now_ms();

		if (left <= 0) {
			late = true;
			break;
		}
		if (poll(fds, 2, left > 60000 ? 60000 : (int)left) < 0 && errno != EINTR)
			break;
		if (fds[0].revents)
			drain(&c.out, &c, out, each, context);
		if (fds[1].revents)
			drain(&c.err, &c, out, NULL, NULL);
	}
	if (late)
		kill(-c.pid, SIGKILL);
	if (c.out >= 0)
		close(c.out);
	if (c.err >= 0)
		close(c.err);
	while (waitpid(c.pid, &status, 0) < 0 && errno == EINTR)
		;
	if (late)
		return ec2fs_fail_errno(error, ETIMEDOUT, EC2_InternalError,
					"%s did not end in %d s", argv[0], timeout_ms / 1000);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	while (c.tail_len && c.tail[c.tail_len - 1] == '\n')
		c.tail[--c.tail_len] = '\0';
	return ec2fs_fail(error, EC2_InternalError, "%s: %s", argv[0],
			  c.tail_len ? c.tail : "it failed and told nothing");
}

int spawn_stream(const char *const *argv, int timeout_ms, struct strbuf *out, spawn_output_fn *each,
		 void *context, struct ec2fs_error *error)
{
	return run(&(struct how){-1, -1}, argv, timeout_ms, out, each, context, error);
}

int spawn_run(const char *const *argv, int timeout_ms, struct strbuf *out,
	      struct ec2fs_error *error)
{
	return run(&(struct how){-1, -1}, argv, timeout_ms, out, NULL, NULL, error);
}

int spawn_run_holding(int input, const char *const *argv, int timeout_ms, struct strbuf *out,
		      struct ec2fs_error *error)
{
	return run(&(struct how){input, -1}, argv, timeout_ms, out, NULL, NULL, error);
}

int spawn_run_in(int netns_fd, const char *const *argv, int timeout_ms, struct strbuf *out,
		 struct ec2fs_error *error)
{
	return run(&(struct how){-1, netns_fd}, argv, timeout_ms, out, NULL, NULL, error);
}
