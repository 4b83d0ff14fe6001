/* Child programs (qemu-img, lvm, dnsmasq …): argv only, no shell, clean environment, a time limit.
 */
#ifndef EC2FS_UTIL_SPAWN_H
#define EC2FS_UTIL_SPAWN_H

#include "ec2fs/util/error.h"
#include "ec2fs/util/strbuf.h"

/*
 * Runs argv[0] (found in a fixed PATH of system directories; LC_ALL=C; no descriptors inherited but
 * 0-2, standard input from /dev/null) and waits for its end, at most timeout_ms; then it is killed.
 * Its standard output is appended to out when that is not NULL. Exit status other than 0:
 * InternalError (EIO) with the last lines of its standard error as the message; time over:
 * ETIMEDOUT; no such program: ENOENT. Holds no lock; blocks the calling thread.
 */
int spawn_run(const char *const *argv, int timeout_ms, struct strbuf *out,
	      struct ec2fs_error *error);

/* The same with a descriptor (borrowed) as standard input: a lock on it lasts as long as the
 * program and its children do, even when this process is killed meanwhile. */
int spawn_run_holding(int input, const char *const *argv, int timeout_ms, struct strbuf *out,
		      struct ec2fs_error *error);

/* The same in a network namespace (an open descriptor, borrowed). A program that puts itself into
 * the background has ended when its first process has. */
int spawn_run_in(int netns_fd, const char *const *argv, int timeout_ms, struct strbuf *out,
		 struct ec2fs_error *error);

/* As spawn_run, and each piece of its standard output is told as it comes. */
typedef void spawn_output_fn(void *context, const char *data, size_t len);
int spawn_stream(const char *const *argv, int timeout_ms, struct strbuf *out, spawn_output_fn *each,
		 void *context, struct ec2fs_error *error);

#endif
