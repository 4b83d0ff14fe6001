/*
 * Rtnetlink: links, addresses, neighbours, routes and rules of one network namespace, over a socket
 * that was opened in it and stays there, whichever namespace the calling thread is in.
 *
 * Not locked: one thread at a time for one struct rtnl.
 */
#ifndef NETFW_RTNL_H
#define NETFW_RTNL_H

#include "ec2fs/util/error.h"

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

#define RTNL_REASON 120

struct rtnl {
	int fd; /* owned; -1: none */
	uint32_t sequence;
	char where[40];           /* for errors: "vpc-…", "the host" */
	char reason[RTNL_REASON]; /* the kernel's own words on the last refusal, or "" */
};

/* A request that is being built; attributes are added with mnl_attr_put*. */
struct rtnl_message {
	union {
		struct nlmsghdr header;
		char room[1024];
	};
};

/* Takes fd, a NETLINK_ROUTE socket. */
void rtnl_init(struct rtnl *r, int fd, const char *where);
/* Accepts one that was never opened (fd -1) and one that is closed. */
void rtnl_close(struct rtnl *r);

/* Starts a message: flags beside NLM_F_REQUEST, and the fixed header of its type. */
void rtnl_start(struct rtnl_message *m, uint16_t type, uint16_t flags, const void *fixed,
		size_t size);
/* Sends it and waits for the kernel's answer: 0 or a negative errno. */
int rtnl_send(struct rtnl *r, struct rtnl_message *m);
/* Sends a question about one thing; answer is called with it. */
int rtnl_ask(struct rtnl *r, struct rtnl_message *m,
	     void (*answer)(void *context, const struct nlmsghdr *h), void *context);
/* Sends a dump request (NLM_F_DUMP in its flags); each is called for all that there is, after the
 * whole of it has come: a list that changed meanwhile is asked for again. */
int rtnl_dump(struct rtnl *r, struct rtnl_message *m,
	      void (*each)(void *context, const struct nlmsghdr *h), void *context);

/* "cannot WHAT in WHERE: why", of what rtnl_send, rtnl_ask or rtnl_dump has just answered (a
 * negative errno): OperationNotPermitted or InternalError. */
int rtnl_fail(const struct rtnl *r, int number, struct ec2fs_error *error, const char *format, ...)
	__attribute__((format(printf, 4, 5), cold));

/* "10.0.1.5" of an address in host byte order. */
const char *rtnl_address(uint32_t address, char buffer[16]);

#endif
