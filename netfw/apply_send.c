/*
 * Batches to the kernel and its answers. The kernel works while sendto() runs, and has queued all
 * answers when it returns: nothing waits here.
 */
#include "netfw/apply.h"

#include "ec2fs/util/memory.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/set.h>

#define RECEIVE_BUFFER (1 << 20)
/* An acknowledgement, a refusal with its reason, one element: all are short. A part of a list is at
 * most so long. */
#define ANSWER_MAX 16384
#define KEPT_MAX (1UL << 20)

char *batch_room(struct batch *b)
{
	if (b->capacity - b->len < MESSAGE_MAX) {
		b->capacity = b->capacity * 2 > b->len + 2 * MESSAGE_MAX ? b->capacity * 2
									 : b->len + 2 * MESSAGE_MAX;
		b->data = xrealloc(b->data, b->capacity);
	}
	return b->data + b->len;
}

void batch_take(struct batch *b, struct nlmsghdr *message)
{
	b->last = b->len;
	b->len += MNL_ALIGN(message->nlmsg_len);
	b->sequence++;
}

void batch_begin(struct batch *b, uint32_t generation)
{
	struct nlmsghdr *message;

	b->len = 0;
	/* What a great batch needed is not kept. */
	if (b->capacity > KEPT_MAX)
		batch_free(b);
	b->sequence++;
	b->first = b->sequence;
	message = nftnl_batch_begin(batch_room(b), b->sequence);
	if (generation)
		mnl_attr_put_u32(message, NFNL_BATCH_GENID, htonl(generation));
	batch_take(b, message);
}

void batch_end(struct batch *b)
{
	struct nlmsghdr *last = (struct nlmsghdr *)(b->data + b->last);

	/* Its acknowledgement tells that all is done. */
	last->nlmsg_flags |= NLM_F_ACK;
	b->acknowledged = last->nlmsg_seq;
	batch_take(b, nftnl_batch_end(batch_room(b), b->sequence));
}

void batch_free(struct batch *b)
{
	free(b->data);
	b->data = NULL;
	b->len = b->capacity = 0;
}

void apply_prepare_socket(int fd)
{
	int size = RECEIVE_BUFFER, on = 1;

	/* Without these it works as well, with less to tell. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
}

/* The socket's buffer holds a whole batch: the kernel takes none in parts. */
static void make_room(int fd, size_t len)
{
	int size = (int)(len + 4096);

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static int send_all(int fd, const void *data, size_t len)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	bool roomy = false;

	for (;;) {
		if (sendto(fd, data, len, 0, (const struct sockaddr *)&kernel, sizeof(kernel)) >= 0)
			return 0;
		if (errno == EMSGSIZE && !roomy) {
			make_room(fd, len);
			roomy = true;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
}

/* The attribute that names the object of a message. */
static uint16_t name_attribute(int type)
{
	switch (type) {
	case NFT_MSG_NEWTABLE:
	case NFT_MSG_DELTABLE:
		return NFTA_TABLE_NAME;
	case NFT_MSG_NEWCHAIN:
	case NFT_MSG_DELCHAIN:
		return NFTA_CHAIN_NAME;
	default: /* sets, elements, rules, objects: all the second */
		return NFTA_SET_NAME;
	}
}

static const char *kind_of(int type)
{
	switch (type) {
	case NFT_MSG_NEWTABLE:
	case NFT_MSG_DELTABLE:
		return "table";
	case NFT_MSG_NEWCHAIN:
	case NFT_MSG_DELCHAIN:
		return "chain";
	case NFT_MSG_NEWRULE:
	case NFT_MSG_DELRULE:
		return "a rule of chain";
	case NFT_MSG_NEWSETELEM:
	case NFT_MSG_DELSETELEM:
		return "an element of set";
	case NFT_MSG_NEWSET:
	case NFT_MSG_DELSET:
		return "set";
	default:
		return "counter";
	}
}

/* Fills error for a refusal of the message of that sequence number. */
static int refused(const struct batch *b, uint32_t sequence, int number, const char *why,
		   struct ec2fs_error *error)
{
	const char *kind = "the batch", *name = "";
	const struct nlattr *a;

	for (size_t at = 0; at < b->len;) {
		const struct nlmsghdr *m = (const struct nlmsghdr *)(b->data + at);
		int type = m->nlmsg_type & 0xff;

		at += MNL_ALIGN(m->nlmsg_len);
		if (m->nlmsg_seq != sequence || m->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES)
			continue;
		kind = kind_of(type);
		mnl_attr_for_each(a, m, sizeof(struct nfgenmsg)) if (mnl_attr_get_type(a) ==
								     name_attribute(type)) name =
			mnl_attr_get_str(a);
		break;
	}
	return ec2fs_fail_errno(error, number, EC2_InternalError,
				"the kernel refused %s%s%s: %s%s%s", kind, *name ? " " : "", name,
				strerror(number), why ? ": " : "", why ? why : "");
}

/* The kernel's words about a refusal, if any. */
static const char *words(const struct nlmsghdr *m)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(m);
	size_t skip = sizeof(*e);
	const struct nlattr *a;

	if (!(m->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(m->nlmsg_flags & NLM_F_CAPPED))
		skip += MNL_ALIGN(e->msg.nlmsg_len) - sizeof(e->msg);
	mnl_attr_for_each(a, m, (unsigned)skip) if (mnl_attr_get_type(a) ==
						    NLMSGERR_ATTR_MSG) return mnl_attr_get_str(a);
	return NULL;
}

/* Calls each for all messages that are queued, until it returns other than 0. 0 at the end. */
static int receive(int fd, int (*each)(const struct nlmsghdr *m, void *context), void *context)
{
	char buffer[ANSWER_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t len;
	int size, result;

	for (;;) {
		const struct nlmsghdr *m = (const struct nlmsghdr *)buffer;

		len = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return errno == EAGAIN ? 0 : -errno;
		for (size = (int)len; mnl_nlmsg_ok(m, size); m = mnl_nlmsg_next(m, &size)) {
			result = each(m, context);
			if (result)
				return result;
		}
	}
}

struct answer {
	const struct batch *batch;
	struct ec2fs_error *error;
	int result; /* of the first refusal */
	bool done;
};

static int look_at_answer(const struct nlmsghdr *m, void *context)
{
	struct answer *a = context;
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(m);

	if (m->nlmsg_type != NLMSG_ERROR ||
	    m->nlmsg_seq - a->batch->first >= a->batch->sequence - a->batch->first)
		return 0; /* to an earlier batch */
	if (e->error && !a->result)
		a->result = refused(a->batch, m->nlmsg_seq, -e->error, words(m), a->error);
	/* Refusals are told in the order of the messages: after this one comes nothing. */
	a->done |= !e->error && m->nlmsg_seq == a->batch->acknowledged;
	return a->done && !a->result;
}

int apply_send(int fd, const struct batch *b, struct ec2fs_error *error)
{
	struct ec2fs_error first = {0};
	struct answer a = {.batch = b, .error = &first};
	int result = send_all(fd, b->data, b->len);

	if (result < 0)
		return ec2fs_fail_errno(error, -result, EC2_InternalError,
					"cannot send %zu bytes of rules to the kernel: %s", b->len,
					strerror(-result));
	result = receive(fd, look_at_answer, &a);
	if (a.result < 0) {
		if (error)
			*error = first;
		return a.result;
	}
	if (a.done && result >= 0)
		return 0;
	/* So many refusals that the first was lost, or none of our answers came through. */
	return ec2fs_fail(error, EC2_InternalError, "the kernel did not accept the rules: %s",
			  result < 0 ? strerror(-result) : "no answer");
}

int apply_ask(int fd, const struct nlmsghdr *request,
	      int (*each)(const struct nlmsghdr *m, void *context), void *context)
{
	int result = send_all(fd, request, request->nlmsg_len);

	return result < 0 ? result : receive(fd, each, context);
}

struct number {
	uint32_t value;
	bool found;
};

static int look_at_generation(const struct nlmsghdr *m, void *context)
{
	struct number *n = context;
	const struct nlattr *a;

	if (m->nlmsg_seq != REQUEST_SEQUENCE ||
	    m->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN))
		return 0;
	mnl_attr_for_each(a, m, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(a) == NFTA_GEN_ID) {
			n->value = ntohl(mnl_attr_get_u32(a));
			n->found = true;
		}
	}
	return 0;
}

int apply_generation(int fd, uint32_t *ret, struct ec2fs_error *error)
{
	char buffer[256];
	struct nlmsghdr *m =
		nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETGEN, AF_UNSPEC, 0, REQUEST_SEQUENCE);
	struct number n = {0};
	int result = apply_ask(fd, m, look_at_generation, &n);

	if (!n.found)
		return ec2fs_fail(error, EC2_InternalError,
				  "cannot ask the kernel for its ruleset: %s",
				  result < 0 ? strerror(-result) : "no answer");
	*ret = n.value;
	return 0;
}

struct count {
	struct traffic traffic;
	int result;
};

static int look_at_count(const struct nlmsghdr *m, void *context)
{
	struct count *c = context;
	struct nftnl_set *s;
	struct nftnl_set_elems_iter *iter;
	struct nftnl_set_elem *e;
	const struct nftnl_expr *counter;

	if (m->nlmsg_seq != REQUEST_SEQUENCE)
		return 0;
	if (m->nlmsg_type == NLMSG_ERROR) {
		c->result = ((const struct nlmsgerr *)mnl_nlmsg_get_payload(m))->error;
		return 0;
	}
	s = nftnl_set_alloc();
	if (nftnl_set_elems_nlmsg_parse(m, s) == 0) {
		iter = nftnl_set_elems_iter_create(s);
		e = nftnl_set_elems_iter_cur(iter);
		counter = e ? nftnl_set_elem_get(e, NFTNL_SET_ELEM_EXPR, NULL) : NULL;
		if (counter) {
			c->traffic.packets = nftnl_expr_get_u64(counter, NFTNL_EXPR_CTR_PACKETS);
			c->traffic.bytes = nftnl_expr_get_u64(counter, NFTNL_EXPR_CTR_BYTES);
			c->result = 0;
		}
		nftnl_set_elems_iter_destroy(iter);
	}
	nftnl_set_free(s);
	return 0;
}

int apply_element_traffic(int fd, const struct ir_element *e, struct traffic *ret,
			  struct ec2fs_error *error)
{
	char buffer[1024];
	struct nlmsghdr *m = nftnl_nlmsg_build_hdr(
		buffer, NFT_MSG_GETSETELEM, apply_family(e->set->family), 0, REQUEST_SEQUENCE);
	struct count c = {.result = -EIO};
	int result;

	apply_ask_element(m, e);
	result = apply_ask(fd, m, look_at_count, &c);
	result = result < 0 ? result : c.result;
	if (result < 0)
		return ec2fs_fail_errno(error, -result, EC2_InternalError,
					"cannot read a counter of set %s: %s", e->set->name,
					strerror(-result));
	*ret = c.traffic;
	return 0;
}
