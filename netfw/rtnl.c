/* Rtnetlink: one request, one answer; dumps as a whole. */
#include "netfw/rtnl.h"

#include "ec2fs/util/strbuf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel fills at most this much at once. */
#define DATAGRAM 32768
#define DUMP_TRIES 20

void rtnl_init(struct rtnl *r, int fd, const char *where)
{
	int on = 1;

	*r = (struct rtnl){.fd = fd};
	snprintf(r->where, sizeof(r->where), "%s", where);
	/* Without these (before Linux 4.20) it works as well, with fewer words and more to read. */
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
}

void rtnl_close(struct rtnl *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

void rtnl_start(struct rtnl_message *m, uint16_t type, uint16_t flags, const void *fixed,
		size_t size)
{
	memset(m, 0, sizeof(*m));
	mnl_nlmsg_put_header(m->room);
	m->header.nlmsg_type = type;
	m->header.nlmsg_flags = NLM_F_REQUEST | flags;
	memcpy(mnl_nlmsg_put_extra_header(&m->header, size), fixed, size);
}

static int send_message(struct rtnl *r, struct rtnl_message *m)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t n;

	r->reason[0] = '\0';
	m->header.nlmsg_seq = ++r->sequence;
	do
		n = sendto(r->fd, m->room, m->header.nlmsg_len, 0, (struct sockaddr *)&kernel,
			   sizeof(kernel));
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static ssize_t receive(struct rtnl *r, char *buffer)
{
	struct sockaddr_nl from;
	struct iovec iov = {buffer, DATAGRAM};
	struct msghdr m = {.msg_name = &from, .msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	do {
		m.msg_namelen = sizeof(from);
		n = recvmsg(r->fd, &m, 0);
	} while ((n < 0 && errno == EINTR) || (n >= 0 && from.nl_pid != 0));
	if (n < 0)
		return -errno;
	return m.msg_flags & MSG_TRUNC ? -EMSGSIZE : n;
}

/* The kernel's own words, when it has some. */
static void note_reason(struct rtnl *r, const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
	size_t offset = sizeof(*h) + sizeof(*e);
	const struct nlattr *a;

	if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(h->nlmsg_flags & NLM_F_CAPPED))
		offset += mnl_nlmsg_get_payload_len(h) > sizeof(*e) ? e->msg.nlmsg_len - sizeof(*h)
								    : 0;
	for (a = (const struct nlattr *)((const char *)h + offset);
	     mnl_attr_ok(a, (int)((const char *)h + h->nlmsg_len - (const char *)a));
	     a = mnl_attr_next(a))
		if (mnl_attr_get_type(a) == NLMSGERR_ATTR_MSG)
			snprintf(r->reason, sizeof(r->reason), "%.*s",
				 (int)mnl_attr_get_payload_len(a), mnl_attr_get_str(a));
}

static int acknowledged(struct rtnl *r, const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

	if (mnl_nlmsg_get_payload_len(h) < sizeof(*e))
		return -EBADMSG;
	if (e->error)
		note_reason(r, h);
	return e->error;
}

/* Sends it, and gives what comes back, up to the message that ends it, to each. */
static int converse(struct rtnl *r, struct rtnl_message *m,
		    void (*each)(void *context, const struct nlmsghdr *h), void *context)
{
	_Alignas(struct nlmsghdr) char buffer[DATAGRAM];
	int sent = send_message(r, m);

	if (sent < 0)
		return sent;
	for (;;) {
		ssize_t got = receive(r, buffer);
		int left = (int)got;

		if (got < 0)
			return (int)got;
		for (struct nlmsghdr *h = (struct nlmsghdr *)buffer; mnl_nlmsg_ok(h, left);
		     h = mnl_nlmsg_next(h, &left)) {
			if (h->nlmsg_seq != r->sequence)
				continue;
			if (h->nlmsg_type == NLMSG_ERROR)
				return acknowledged(r, h);
			if (each)
				each(context, h);
			if (h->nlmsg_type == NLMSG_DONE) {
				const int *end = mnl_nlmsg_get_payload(h);

				return mnl_nlmsg_get_payload_len(h) >= sizeof(*end) ? *end : 0;
			}
		}
	}
}

int rtnl_ask(struct rtnl *r, struct rtnl_message *m,
	     void (*answer)(void *context, const struct nlmsghdr *h), void *context)
{
	m->header.nlmsg_flags |= NLM_F_ACK;
	return converse(r, m, answer, context);
}

int rtnl_send(struct rtnl *r, struct rtnl_message *m)
{
	return rtnl_ask(r, m, NULL, NULL);
}

/* One try at a dump: all messages, one behind the other. */
struct dump {
	struct strbuf all;
	bool interrupted; /* what it tells changed meanwhile */
};

static void gather(void *context, const struct nlmsghdr *h)
{
	struct dump *d = context;

	if (h->nlmsg_flags & NLM_F_DUMP_INTR)
		d->interrupted = true;
	if (h->nlmsg_type != NLMSG_DONE)
		strbuf_add(&d->all, h, NLMSG_ALIGN(h->nlmsg_len));
}

static int dump(struct rtnl *r, struct rtnl_message *m, struct dump *d)
{
	for (int tries = 0; tries < DUMP_TRIES; tries++) {
		int got;

		strbuf_truncate(&d->all, 0);
		d->interrupted = false;
		got = converse(r, m, gather, d);
		if (got < 0 || !d->interrupted)
			return got;
	}
	return -EAGAIN;
}

int rtnl_dump(struct rtnl *r, struct rtnl_message *m,
	      void (*each)(void *context, const struct nlmsghdr *h), void *context)
{
	struct dump d = {.all = STRBUF_INIT};
	int result = dump(r, m, &d);
	int left = result < 0 ? 0 : (int)d.all.len;

	for (struct nlmsghdr *h = (struct nlmsghdr *)d.all.data; left > 0 && mnl_nlmsg_ok(h, left);
	     h = mnl_nlmsg_next(h, &left))
		each(context, h);
	strbuf_free(&d.all);
	return result < 0 ? result : 0;
}

int rtnl_fail(const struct rtnl *r, int number, struct ec2fs_error *error, const char *format, ...)
{
	char what[160];
	bool words = r->reason[0];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return ec2fs_fail(error, number == -EPERM ? EC2_OperationNotPermitted : EC2_InternalError,
			  "cannot %s in %s: %s%s%s%s", what, r->where, strerror(-number),
			  words ? " (" : "", r->reason, words ? ")" : "");
}

const char *rtnl_address(uint32_t address, char buffer[16])
{
	struct in_addr a = {htonl(address)};

	inet_ntop(AF_INET, &a, buffer, 16);
	return buffer;
}
