/*
 * Named network namespaces, as `ip netns` makes and shows them (bound in /run/netns), and what a
 * thread does inside one. Each is marked with its owner, in the alias of its loopback device, so
 * that two daemons on one host never touch each other's.
 */
#ifndef NETFW_NAMESPACES_H
#define NETFW_NAMESPACES_H

#include "ec2fs/util/error.h"
#include "netfw/rtnl.h"

#include <stddef.h>

/* An open namespace: ip netns exec NAME … */
struct netns {
	int fd; /* owned; -1: not open */
	struct rtnl rtnl;
	char name[32];
};

#define NETNS_INIT                                                                                 \
	{                                                                                          \
		.fd = -1, .rtnl.fd = -1                                                            \
	}

/* A value of a file below /proc/sys/net; optional: not every kernel has it. */
struct netns_setting {
	const char *path, *value;
	int optional;
};

/*
 * Opens the namespace. When there is none: -ENOENT (error is untouched). It has another mark:
 * InternalError.
 */
int netns_open(struct netns *ns, const char *name, const char *mark, struct ec2fs_error *error);
/* Opens it, or makes it: with its mark and its settings from the first moment that others see
 * it. */
int netns_create(struct netns *ns, const char *name, const char *mark,
		 const struct netns_setting *settings, size_t count, struct ec2fs_error *error);
/* Opens the namespace that the calling thread is in; where: its name in errors. */
int netns_open_own(struct netns *ns, const char *where, struct ec2fs_error *error);
/* Opens one by a descriptor, which is copied. */
int netns_open_fd(struct netns *ns, int fd, const char *where, struct ec2fs_error *error);
/* Accepts one that is not open. */
void netns_close(struct netns *ns);
/* Takes the name away; the namespace itself ends with the last process and socket in it. Absent is
 * a success. */
int netns_remove(const char *name, const char *mark, struct ec2fs_error *error);
/* Calls each with the name of every namespace with that mark whose name begins with prefix. */
int netns_list(const char *prefix, const char *mark, void (*each)(void *context, const char *name),
	       void *context, struct ec2fs_error *error);

/* A close-on-exec socket of the namespace, or a negative errno. */
int netns_socket(int fd, int domain, int type, int protocol);
/* Writes settings of the namespace. */
int netns_set(const struct netns *ns, const struct netns_setting *settings, size_t count,
	      struct ec2fs_error *error);

/*
 * The calling thread goes into a namespace, and comes back: *ret_back (0 or -errno). A thread that
 * cannot come back must do nothing more at all, so then the program aborts.
 */
int netns_enter(int fd, int *ret_back);
void netns_leave(int *back);
#define cleanup_netns __attribute__((cleanup(netns_leave)))

#endif
