#include "netfw/flow_sockets.h"

#include "ec2fs/util/memory.h"
#include "netfw/flow_messages.h"
#include "netfw/namespaces.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_compat.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_log.h>

/* Bytes of the kernel's that may wait for this. */
#define WAITING (4 << 20)
#define MESSAGE_ROOM 65536
/* Logged packets come together, so many or after so long (in hundredths of a second). */
#define TOGETHER 64
#define TOGETHER_BYTES 32768
#define TOGETHER_TIME 20
/* The kernel answers at once, or something is wrong. */
#define ANSWER_TIME 5

static struct nlmsghdr *start(struct flow_sockets *s, char *buffer, uint16_t type, uint16_t flags,
			      uint8_t family, uint16_t resource)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *g;

	m->nlmsg_type = type;
	m->nlmsg_flags = NLM_F_REQUEST | flags;
	m->nlmsg_seq = ++s->sequence;
	g = mnl_nlmsg_put_extra_header(m, sizeof(*g));
	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
	g->res_id = htons(resource);
	return m;
}

/* Sends it, and waits for its acknowledgement. */
static int ask(int fd, const struct nlmsghdr *m)
{
	char buffer[8192];

	if (send(fd, m, m->nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
		const struct nlmsghdr *answer = (const struct nlmsghdr *)buffer;
		int left = (int)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		for (; mnl_nlmsg_ok(answer, left); answer = mnl_nlmsg_next(answer, &left)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(answer);

			if (answer->nlmsg_type == NLMSG_ERROR && answer->nlmsg_seq == m->nlmsg_seq)
				return e->error;
		}
	}
}

static struct nlmsghdr *start_config(struct flow_sockets *s, char *buffer, uint32_t group)
{
	return start(s, buffer, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG, NLM_F_ACK, AF_UNSPEC,
		     (uint16_t)group);
}

/* Packets logged to the group come to the socket, no more of each than is needed. */
static int bind_group(struct flow_sockets *s, uint32_t group)
{
	struct nfulnl_msg_config_cmd bind = {.command = NFULNL_CFG_CMD_BIND};
	struct nfulnl_msg_config_mode mode = {.copy_range = htonl(FLOW_PACKET_BYTES),
					      .copy_mode = NFULNL_COPY_PACKET};
	char buffer[1024];
	struct nlmsghdr *m = start_config(s, buffer, group);
	int r;

	mnl_attr_put(m, NFULA_CFG_CMD, sizeof(bind), &bind);
	r = ask(s->packets, m);
	if (r < 0)
		return r;
	m = start_config(s, buffer, group);
	mnl_attr_put(m, NFULA_CFG_MODE, sizeof(mode), &mode);
	mnl_attr_put_u32(m, NFULA_CFG_NLBUFSIZ, htonl(TOGETHER_BYTES));
	mnl_attr_put_u32(m, NFULA_CFG_TIMEOUT, htonl(TOGETHER_TIME));
	mnl_attr_put_u32(m, NFULA_CFG_QTHRESH, htonl(TOGETHER));
	return ask(s->packets, m);
}

static int open_one(int netns_fd, int *ret)
{
	struct timeval patience = {.tv_sec = ANSWER_TIME};
	int room = WAITING, fd = netns_socket(netns_fd, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);

	if (fd < 0)
		return fd;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	*ret = fd;
	return 0;
}

int flow_sockets_open(int netns_fd, uint32_t group, struct flow_sockets *ret,
		      struct ec2fs_error *error)
{
	struct flow_sockets s = FLOW_SOCKETS_INIT;
	const char *what = "connections";
	int r = open_one(netns_fd, &s.events);

	if (r == 0)
		r = open_one(netns_fd, &s.dump);
	if (r == 0)
		r = open_one(netns_fd, &s.packets);
	if (r == 0) {
		what = "refused packets";
		r = bind_group(&s, group);
	}
	if (r < 0) {
		flow_sockets_close(&s);
		return ec2fs_fail(error, EC2_InternalError,
				  "flow logs: the kernel does not tell of %s: %s", what,
				  strerror(-r));
	}
	s.room = xcalloc(1, MESSAGE_ROOM);
	*ret = s;
	return 0;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void flow_sockets_close(struct flow_sockets *s)
{
	close_one(&s->events);
	close_one(&s->packets);
	close_one(&s->dump);
	free(s->room);
	s->room = NULL;
}

void flow_sockets_unbind(struct flow_sockets *s, uint32_t group)
{
	struct nfulnl_msg_config_cmd unbind = {.command = NFULNL_CFG_CMD_UNBIND};
	char buffer[256];
	struct nlmsghdr *m = start_config(s, buffer, group);

	m->nlmsg_flags &= (uint16_t)~NLM_F_ACK;
	mnl_attr_put(m, NFULA_CFG_CMD, sizeof(unbind), &unbind);
	/* Whether it came through or not, what waits is heard next. */
	(void)send(s->packets, m, m->nlmsg_len, 0);
}

static void join(int fd, int group, bool on)
{
	setsockopt(fd, SOL_NETLINK, on ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP, &group,
		   sizeof(group));
}

void flow_sockets_want(const struct flow_sockets *s, bool ends, bool beginnings)
{
	join(s->events, NFNLGRP_CONNTRACK_DESTROY, ends);
	join(s->events, NFNLGRP_CONNTRACK_NEW, beginnings);
}

unsigned flow_sockets_hear(struct flow_sockets *s, int fd, unsigned most, bool *lost,
			   flow_message_fn *each, void *context)
{
	unsigned count = 0;

	while (count < most) {
		ssize_t n = recv(fd, s->room, MESSAGE_ROOM, MSG_DONTWAIT);
		const struct nlmsghdr *m = (const struct nlmsghdr *)s->room;
		int left = (int)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ENOBUFS) {
			*lost = true;
			continue;
		}
		if (n < 0)
			break;
		for (; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left), count++)
			each(context, m);
	}
	return count;
}

int flow_sockets_dump(struct flow_sockets *s, flow_message_fn *each, void *context)
{
	char request[256];
	struct nlmsghdr *q = start(s, request, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
				   NLM_F_DUMP, AF_INET, 0);

	if (send(s->dump, q, q->nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		ssize_t n = recv(s->dump, s->room, MESSAGE_ROOM, 0);
		const struct nlmsghdr *m = (const struct nlmsghdr *)s->room;
		int left = (int)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		for (; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(m);

			if (m->nlmsg_seq != s->sequence)
				continue;
			if (m->nlmsg_type == NLMSG_DONE)
				return 0;
			if (m->nlmsg_type == NLMSG_ERROR)
				return e->error;
			each(context, m);
		}
	}
}

void flow_sockets_device(const struct flow_sockets *s, uint32_t number, char name[16])
{
	struct ifreq r = {.ifr_ifindex = (int)number};

	name[0] = '\0';
	if (number && ioctl(s->packets, SIOCGIFNAME, &r) == 0)
		snprintf(name, 16, "%.15s", r.ifr_name);
}
