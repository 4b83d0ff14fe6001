/* A metadata service on 127.0.0.0/8 and its clients, for tests of it over HTTP. Its instances are
 * 127.0.0.1, which has everything, and 127.0.0.2. */
#ifndef TESTS_LIB_IMDS_CLIENT_H
#define TESTS_LIB_IMDS_CLIENT_H

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/strbuf.h"
#include "netfw/imds/imds.h"
#include "netfw/imds/token.h"
#include "tests/lib/imds_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <cmocka.h>

#define PATIENCE 20000 /* ms; what does not come in that time never comes */

static char directory[] = "/tmp/ec2fs-imds-XXXXXX";
static struct imds *service;
static in_port_t port;

/* What the tests change in the facts; read by the service's thread between two requests only. */
static struct {
	bool tokens_required, disabled;
	uint8_t hops;
	int failure;
	uint64_t revision; /* of 127.0.0.2's facts */
	unsigned unchanged;
} cloud;

static inline int facts(void *context, const char *vpc, uint32_t address, struct imds_facts *ret)
{
	assert_ptr_equal(context, &cloud);
	assert_string_equal(vpc, "vpc-1");
	if (cloud.failure)
		return cloud.failure;
	if (address != INADDR_LOOPBACK && address != INADDR_LOOPBACK + 1)
		return -ENOENT;
	if (ret->revision && ret->revision == cloud.revision) {
		cloud.unchanged++;
		return -EALREADY;
	}
	imds_sample(ret);
	ret->revision = address == INADDR_LOOPBACK + 1 ? cloud.revision : 0;
	ret->endpoint = !cloud.disabled;
	ret->tokens_required = cloud.tokens_required;
	ret->hops = cloud.hops;
	if (address == INADDR_LOOPBACK + 1) {
		free(ret->instance_id);
		ret->instance_id = xstrdup("i-00000000000000002");
		ret->user_data_size = 0;
		ret->launch_index = (unsigned)cloud.revision;
	}
	return 0;
}

static inline void start_service(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = port};
	socklen_t len = sizeof(a);
	struct ec2fs_error error = {0};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	port = a.sin_port;
	if (imds_start(fd, "vpc-1", directory, facts, &cloud, &service, &error) < 0)
		fail_msg("%s", error.message);
}

/* A connection from 127.0.0.HOST. */
static inline int connect_from(uint8_t host)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a.sin_port = port;
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

struct answer {
	int status; /* 0: the connection was closed without one */
	char head[4096];
	char *body;
	size_t len;
};

static inline void forget(struct answer *a)
{
	free(a->body);
	*a = (struct answer){0};
}

/* One more byte; false at the end of the connection. */
static inline bool next(int fd, char *c)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	if (poll(&p, 1, PATIENCE) != 1)
		fail_msg("no answer");
	return read(fd, c, 1) == 1;
}

static inline void receive(int fd, bool has_body, struct answer *a)
{
	size_t n = 0;
	char *length;

	*a = (struct answer){0};
	while (n < sizeof(a->head) - 1 && next(fd, a->head + n)) {
		if (++n >= 4 && memcmp(a->head + n - 4, "\r\n\r\n", 4) == 0)
			break;
	}
	if (!n)
		return;
	assert_int_equal(sscanf(a->head, "HTTP/1.%*d %d", &a->status), 1);
	length = strcasestr(a->head, "\r\nContent-Length:");
	assert_non_null(length);
	a->len = strtoul(length + 17, NULL, 10);
	a->body = xcalloc(1, a->len + 1);
	for (n = 0; has_body && n < a->len; n++)
		assert_true(next(fd, a->body + n));
}

static inline void say(int fd, const char *text)
{
	size_t len = strlen(text);

	assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), len);
}

static inline void ask(int fd, struct answer *a, const char *method, const char *path,
		       const char *headers)
{
	cleanup_free char *text = xasprintf("%s %s HTTP/1.1\r\nHost: 169.254.169.254\r\n%s\r\n",
					    method, path, headers ? headers : "");

	say(fd, text);
	receive(fd, strcmp(method, "HEAD") != 0, a);
}

/* The whole of it: a connection, a request, its status and, when given, its body. */
static inline void check(uint8_t host, const char *method, const char *path, const char *headers,
			 int status, const char *body)
{
	cleanup_close int fd = connect_from(host);
	struct answer a;

	ask(fd, &a, method, path, headers);
	if (a.status != status)
		fail_msg("%s %s: %d, wanted: %d", method, path, a.status, status);
	if (body)
		assert_string_equal(a.body, body);
	if (status >= 400) {
		assert_non_null(strstr(a.head, "Content-Type: text/html\r\n"));
		assert_non_null(strstr(a.body, "<html xmlns="));
	}
	assert_non_null(strstr(a.head, "Server: EC2ws\r\n"));
	forget(&a);
}

/* A header that has a new token. */
static inline char *token_header(uint8_t host)
{
	cleanup_close int fd = connect_from(host);
	struct answer a;
	char *header;

	ask(fd, &a, "PUT", "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: 21600\r\n");
	assert_int_equal(a.status, 200);
	assert_int_equal(a.len, IMDS_TOKEN_LENGTH);
	header = xasprintf("X-aws-ec2-metadata-token: %s\r\n", a.body);
	forget(&a);
	return header;
}

static inline int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	cloud.hops = 1;
	start_service();
	return 0;
}

static inline int tear_down(void **state)
{
	static const char *const files[] = {"token-key", "identity.pem",
					    "identity-certificate.pem"};

	(void)state;
	imds_stop(service);
	imds_stop(NULL);
	for (size_t i = 0; i < 3; i++) {
		cleanup_free char *path = xasprintf("%s/%s", directory, files[i]);

		unlink(path);
	}
	return rmdir(directory);
}

#endif
