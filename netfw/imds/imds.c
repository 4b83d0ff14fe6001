/*
 * The HTTP side: one libmicrohttpd daemon a VPC, its thread asleep in epoll while nobody asks. Each
 * request is answered from the facts of one call.
 */
#include "netfw/imds/imds.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "ec2fs/util/table.h"
#include "netfw/imds/answers.h"
#include "netfw/imds/identity.h"
#include "netfw/imds/token.h"
#include "netfw/imds/tree.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#define CONNECTIONS 4096
#define CONNECTIONS_PER_ADDRESS 32
#define IDLE_SECONDS 10
#define HEAD_SIZE 4096  /* of memory a connection: request line, headers and the answer's */
#define BODY_SIZE 65536 /* a request with more of a body, which nobody reads, is cut off */
#define USUAL_HOPS 64
#define REMEMBERED 64 /* instances whose facts are kept: who asks once asks fifty times */

#define TTL_HEADER "X-aws-ec2-metadata-token-ttl-seconds"
#define TOKEN_HEADER "X-aws-ec2-metadata-token"

struct imds {
	/* All set before the thread starts, and used by it alone. */
	struct MHD_Daemon *http;
	char *vpc;
	int (*facts)(void *context, const char *vpc, uint32_t address, struct imds_facts *ret);
	void *context;
	struct imds_tokens *tokens;
	struct imds_identity *identity;
	struct imds_answers *answers;
	struct strbuf text; /* what is being answered */
	struct remembered {
		uint32_t address; /* 0: none */
		struct imds_facts facts;
	} remembered[REMEMBERED]; /* by the address's hash */
};

struct connection {
	uint32_t address; /* host byte order; 0: not IPv4 */
	int fd;
	bool near; /* its packets have few hops to live */
};

static void at_connection(void *context, struct MHD_Connection *http, void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct connection *c;

	(void)context;
	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		free(*socket_context);
		*socket_context = NULL;
		return;
	}
	c = *socket_context = xnew(struct connection);
	c->fd = MHD_get_connection_info(http, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	/* The peer's address as accept(2) has told it. */
	const struct sockaddr *peer =
		MHD_get_connection_info(http, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
	if (peer && peer->sa_family == AF_INET)
		c->address =
			ntohl(((const struct sockaddr_in *)(const void *)peer)->sin_addr.s_addr);
}

/*
 * The hops that what is sent from now on may go. A token's answer goes few, for the sake of guests
 * that route for others; the rest as many as usual. But what is in flight is sent again with the
 * hops of that time: as long as the peer has not acknowledged a token they stay few.
 */
static void set_hops(struct connection *c, int hops)
{
	int unsent;

	if (hops == USUAL_HOPS && (ioctl(c->fd, SIOCOUTQ, &unsent) < 0 || unsent > 0))
		return;
	if (setsockopt(c->fd, IPPROTO_IP, IP_TTL, &hops, sizeof(hops)) == 0)
		c->near = hops != USUAL_HOPS;
}

static const char *header_of(struct MHD_Connection *http, const char *name)
{
	return MHD_lookup_connection_value(http, MHD_HEADER_KIND, name);
}

/* 1 to 21600, digits only; else 0. */
static unsigned parse_ttl(const char *text)
{
	unsigned ttl = 0;

	if (!text || strlen(text) > 5)
		return 0;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return 0;
		ttl = 10 * ttl + (unsigned)(*text - '0');
	}
	return ttl <= IMDS_TOKEN_TTL_MAX ? ttl : 0;
}

static enum MHD_Result give_token(struct imds *m, struct MHD_Connection *http, struct connection *c,
				  const struct imds_facts *f)
{
	unsigned ttl = parse_ttl(header_of(http, TTL_HEADER));
	char token[IMDS_TOKEN_LENGTH + 1], seconds[12];

	if (!ttl)
		return imds_refuse(m->answers, http, MHD_HTTP_BAD_REQUEST);
	if (!f->instance_id ||
	    imds_token_make(m->tokens, f->instance_id, time(NULL), ttl, token) < 0)
		return imds_refuse(m->answers, http, MHD_HTTP_INTERNAL_SERVER_ERROR);
	strbuf_truncate(&m->text, 0);
	strbuf_adds(&m->text, token);
	snprintf(seconds, sizeof(seconds), "%u", ttl);
	set_hops(c, f->hops ? f->hops : 1);
	return imds_tell(http, &m->text, "text/plain", TTL_HEADER, seconds);
}

static enum MHD_Result put(struct imds *m, struct MHD_Connection *http, struct connection *c,
			   const char *path, struct imds_question *q)
{
	unsigned flags;
	int r;

	/* A proxy that was talked into it must not fetch a token for others. */
	if (header_of(http, "X-Forwarded-For"))
		return imds_refuse(m->answers, http, MHD_HTTP_FORBIDDEN);
	strbuf_truncate(&m->text, 0);
	r = imds_answer(q, path, &m->text, &flags);
	if (r == -EINVAL)
		return imds_refuse(m->answers, http, MHD_HTTP_BAD_REQUEST);
	if (r < 0 || !(flags & IMDS_TOKEN))
		return imds_refuse(m->answers, http, MHD_HTTP_METHOD_NOT_ALLOWED);
	if (strcmp(q->version, "latest") != 0)
		return imds_refuse(m->answers, http, MHD_HTTP_FORBIDDEN);
	return give_token(m, http, c, q->facts);
}

static enum MHD_Result get(struct imds *m, struct MHD_Connection *http, const char *path,
			   struct imds_question *q)
{
	const struct imds_facts *f = q->facts;
	const char *token = header_of(http, TOKEN_HEADER);
	unsigned flags;
	int r;

	if (token ? !f->instance_id ||
			    !imds_token_valid(m->tokens, f->instance_id, time(NULL), token)
		  : f->tokens_required)
		return imds_refuse(m->answers, http, MHD_HTTP_UNAUTHORIZED);
	strbuf_truncate(&m->text, 0);
	r = imds_answer(q, path, &m->text, &flags);
	if (r < 0)
		return imds_refuse(m->answers, http,
				   r == -ENOENT   ? MHD_HTTP_NOT_FOUND
				   : r == -EINVAL ? MHD_HTTP_BAD_REQUEST
						  : MHD_HTTP_INTERNAL_SERVER_ERROR);
	if (flags & IMDS_TOKEN)
		return imds_refuse(m->answers, http, MHD_HTTP_METHOD_NOT_ALLOWED);
	if (flags & IMDS_BINARY)
		return imds_tell(http, &m->text, "application/octet-stream", NULL, NULL);
	return imds_tell_path(m->answers, http, path, &m->text);
}

/* The caller's facts, m's own until the next request. */
static int find_facts(struct imds *m, uint32_t address, const struct imds_facts **ret)
{
	struct remembered *k = &m->remembered[hash_u64(address) % REMEMBERED];
	struct imds_facts facts = {.revision = k->address == address ? k->facts.revision : 0};
	bool known = facts.revision != 0;
	int r = m->facts(m->context, m->vpc, address, &facts);

	if (r == 0) {
		imds_facts_free(&k->facts);
		k->facts = facts;
		k->address = address;
	} else if (r != -EALREADY || !known) {
		return r;
	}
	*ret = &k->facts;
	return 0;
}

static enum MHD_Result respond(struct imds *m, struct MHD_Connection *http, const char *path,
			       const char *method)
{
	struct connection *c =
		MHD_get_connection_info(http, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	struct imds_question q = {.identity = m->identity};
	int r;

	if (c->near)
		set_hops(c, USUAL_HOPS);
	r = find_facts(m, c->address, &q.facts);
	if (r < 0)
		return imds_refuse(m->answers, http,
				   r == -ENOENT ? MHD_HTTP_NOT_FOUND
						: MHD_HTTP_SERVICE_UNAVAILABLE);
	if (!q.facts->endpoint)
		return imds_refuse(m->answers, http, MHD_HTTP_FORBIDDEN);
	if (strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0)
		return get(m, http, path, &q);
	if (strcmp(method, MHD_HTTP_METHOD_PUT) == 0)
		return put(m, http, c, path, &q);
	return imds_refuse(m->answers, http, MHD_HTTP_METHOD_NOT_ALLOWED);
}

/* libmicrohttpd calls it for the headers, for each piece of a body, and at the end. What is kept
 * between these is the bytes of body so far, plus one. */
static enum MHD_Result at_request(void *context, struct MHD_Connection *http, const char *path,
				  const char *method, const char *version, const char *data,
				  size_t *data_size, void **request)
{
	uintptr_t seen = (uintptr_t)*request;

	(void)version, (void)data;
	if (!seen) {
		*request = (void *)1;
		return MHD_YES;
	}
	if (*data_size) {
		seen += *data_size;
		*request = (void *)seen;
		*data_size = 0;
		return seen <= BODY_SIZE ? MHD_YES : MHD_NO;
	}
	return respond(context, http, path, method);
}

/* Paths come as they were sent: libmicrohttpd would make a NUL of %00. */
static size_t leave_escaped(void *context, struct MHD_Connection *http, char *text)
{
	(void)context, (void)http;
	return strlen(text);
}

/* Do both name the same open socket? */
static bool is_same(int a, int b)
{
	struct stat sa, sb;

	return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
	       sa.st_ino == sb.st_ino;
}

static int start(struct imds *m, int listen_fd, struct ec2fs_error *error)
{
	int fd = fcntl(listen_fd, F_DUPFD_CLOEXEC, 0), number = fd < 0 ? errno : ENOMEM;

	m->answers = imds_answers_new();
	if (fd >= 0 && m->answers)
		m->http = MHD_start_daemon(
			MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL, at_request, m,
			MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_CONNECTION, at_connection,
			NULL, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
			MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
			MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)CONNECTIONS_PER_ADDRESS,
			MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
			MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_SIZE, MHD_OPTION_END);
	if (m->http)
		return 0;
	/* When it fails, libmicrohttpd 0.9.75 has sometimes closed the socket, sometimes not. */
	if (fd >= 0 && is_same(fd, listen_fd))
		close(fd);
	return ec2fs_fail(error, EC2_InternalError, "the metadata service of %s does not start: %s",
			  m->vpc, strerror(number));
}

int imds_start(int listen_fd, const char *vpc, const char *directory,
	       int (*facts)(void *context, const char *vpc, uint32_t address,
			    struct imds_facts *ret),
	       void *context, struct imds **ret, struct ec2fs_error *error)
{
	struct imds *m = xnew(struct imds);
	int r;

	m->vpc = xstrdup(vpc);
	m->facts = facts;
	m->context = context;
	r = imds_tokens_open(directory, &m->tokens, error);
	if (r == 0)
		r = imds_identity_open(directory, &m->identity, error);
	if (r == 0)
		r = start(m, listen_fd, error);
	close(listen_fd);
	if (r < 0) {
		imds_stop(m);
		return r;
	}
	*ret = m;
	return 0;
}

void imds_stop(struct imds *m)
{
	if (!m)
		return;
	if (m->http)
		MHD_stop_daemon(m->http);
	imds_answers_free(m->answers);
	strbuf_free(&m->text);
	for (size_t i = 0; i < REMEMBERED; i++)
		imds_facts_free(&m->remembered[i].facts);
	imds_identity_close(m->identity);
	imds_tokens_close(m->tokens);
	free(m->vpc);
	free(m);
}
