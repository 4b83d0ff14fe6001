/* The metadata service over HTTP on 127.0.0.0/8: tokens, refusals, headers, hostile clients. Its
 * instances are 127.0.0.1, which has everything, and 127.0.0.2. */
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

static int facts(void *context, const char *vpc, uint32_t address, struct imds_facts *ret)
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

static void start_service(void)
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
static int connect_from(uint8_t host)
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

static void forget(struct answer *a)
{
	free(a->body);
	*a = (struct answer){0};
}

/* One more byte; false at the end of the connection. */
static bool next(int fd, char *c)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	if (poll(&p, 1, PATIENCE) != 1)
		fail_msg("no answer");
	return read(fd, c, 1) == 1;
}

static void receive(int fd, bool has_body, struct answer *a)
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

static void say(int fd, const char *text)
{
	size_t len = strlen(text);

	assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), len);
}

static void ask(int fd, struct answer *a, const char *method, const char *path, const char *headers)
{
	cleanup_free char *text = xasprintf("%s %s HTTP/1.1\r\nHost: 169.254.169.254\r\n%s\r\n",
					    method, path, headers ? headers : "");

	say(fd, text);
	receive(fd, strcmp(method, "HEAD") != 0, a);
}

/* The whole of it: a connection, a request, its status and, when given, its body. */
static void check(uint8_t host, const char *method, const char *path, const char *headers,
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
static char *token_header(uint8_t host)
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

static void test_answers(void **state)
{
	cleanup_close int fd = connect_from(1);
	struct answer a, head;

	(void)state;
	ask(fd, &a, "GET", "/", NULL);
	assert_int_equal(a.status, 200);
	assert_memory_equal(a.body, "1.0\n2007-01-19\n", 15);
	assert_string_equal(a.body + a.len - 7, "\nlatest");
	assert_non_null(strstr(a.head, "Content-Type: text/plain\r\n"));
	forget(&a);
	/* The same connection goes on, and its owner still is who it is. */
	ask(fd, &a, "GET", "/latest/user-data", "X-Forwarded-For: 127.0.0.2\r\n");
	assert_string_equal(a.body, "#!/bin/sh\necho hello\n");
	assert_non_null(strstr(a.head, "Content-Type: application/octet-stream\r\n"));
	forget(&a);
	ask(fd, &a, "GET", "/latest/meta-data/?recursive=true", NULL);
	ask(fd, &head, "HEAD", "/latest/meta-data/", NULL);
	assert_int_equal(head.status, 200);
	assert_int_equal(head.len, a.len);
	forget(&a);
	forget(&head);
	check(1, "GET", "/latest/meta-data/mac/", NULL, 200, "02:00:0a:00:01:05");
	check(2, "GET", "/latest/meta-data/instance-id", NULL, 200, "i-00000000000000002");
	check(2, "GET", "/latest/user-data", NULL, 404, NULL);
}

static void test_refusals(void **state)
{
	cleanup_free char *header = NULL;
	cleanup_free char *of_other = NULL;

	(void)state;
#define TTL "X-aws-ec2-metadata-token-ttl-seconds: "
	check(1, "PUT", "/latest/api/token", NULL, 400, NULL);
	check(1, "PUT", "/latest/api/token", TTL "0\r\n", 400, NULL);
	check(1, "PUT", "/latest/api/token", TTL "21601\r\n", 400, NULL);
	check(1, "PUT", "/latest/api/token", TTL "-1\r\n", 400, NULL);
	check(1, "PUT", "/latest/api/token", TTL "1e3\r\n", 400, NULL);
	check(1, "PUT", "/latest/api/token", TTL "4294967297\r\n", 400, NULL);
	check(1, "PUT", "/latest/api/token", TTL "\r\n", 400, NULL);
	check(1, "PUT", "/latest/api/token", TTL "60\r\nX-Forwarded-For: 10.0.0.1\r\n", 403, NULL);
	check(1, "PUT", "/latest/api/token", TTL "60\r\nx-forwarded-for:\r\n", 403, NULL);
	check(1, "PUT", "/2021-03-23/api/token", TTL "60\r\n", 403, NULL);
	check(1, "PUT", "/latest/meta-data/mac", TTL "60\r\n", 405, NULL);
	check(1, "PUT", "/latest/nothing", TTL "60\r\n", 405, NULL);
	check(1, "GET", "/latest/api/token", NULL, 405, NULL);
	check(1, "POST", "/latest/meta-data/", "Content-Length: 0\r\n", 405, NULL);
	check(1, "DELETE", "/latest/meta-data/mac", NULL, 405, NULL);
	check(1, "OPTIONS", "*", NULL, 405, NULL);
	check(1, "GET", "/latest/nothing", NULL, 404, NULL);
	check(1, "GET", "/latest/meta-data/mac%00x", NULL, 400, NULL);
	check(3, "GET", "/latest/meta-data/", NULL, 404, NULL); /* no instance */
	check(3, "PUT", "/latest/api/token", TTL "60\r\n", 404, NULL);

	/* A token that is bad is refused even where none is needed. */
	header = token_header(1);
	of_other = token_header(2);
	check(1, "GET", "/latest/meta-data/mac", header, 200, NULL);
	check(2, "GET", "/latest/meta-data/mac", header, 401, NULL);
	check(1, "GET", "/latest/meta-data/mac", of_other, 401, NULL);
	check(1, "GET", "/latest/meta-data/mac", "X-aws-ec2-metadata-token: x\r\n", 401, NULL);
	check(1, "GET", "/latest/meta-data/mac", "X-aws-ec2-metadata-token:\r\n", 401, NULL);
	cloud.tokens_required = true;
	check(1, "GET", "/latest/meta-data/mac", NULL, 401, NULL);
	check(1, "GET", "/", NULL, 401, NULL);
	check(1, "GET", "/latest/nothing", NULL, 401, NULL);
	check(1, "GET", "/latest/meta-data/mac", header, 200, "02:00:0a:00:01:05");
	check(1, "GET", "/2009-04-04/meta-data/ami-id", header, 200, "ami-0abcdef1234567890");
	cloud.tokens_required = false;
	cloud.disabled = true;
	check(1, "GET", "/latest/meta-data/mac", header, 403, NULL);
	check(1, "PUT", "/latest/api/token", TTL "60\r\n", 403, NULL);
	cloud.disabled = false;
	cloud.failure = -EAGAIN;
	check(1, "GET", "/latest/meta-data/mac", NULL, 503, NULL);
	cloud.failure = 0;
}

static void test_token_answer(void **state)
{
	cleanup_close int fd = connect_from(1);
	struct answer a, b;

	(void)state;
	ask(fd, &a, "PUT", "/latest/api/token", TTL "120\r\n");
	assert_int_equal(a.status, 200);
	assert_non_null(strcasestr(a.head, "\r\n" TTL "120\r\n"));
	assert_non_null(strstr(a.head, "Content-Type: text/plain\r\n"));
	ask(fd, &b, "PUT", "/latest/api/token/", TTL "120\r\nContent-Length: 0\r\n");
	assert_int_equal(b.status, 200);
	assert_string_not_equal(a.body, b.body);
	forget(&a);
	forget(&b);
}

/* Facts are made again when they have changed, and not otherwise; nobody gets another's. */
static void test_revisions(void **state)
{
	static const char path[] = "/latest/meta-data/ami-launch-index";

	(void)state;
	cloud.revision = 7;
	check(2, "GET", path, NULL, 200, "7");
	assert_int_equal(cloud.unchanged, 0);
	check(2, "GET", path, NULL, 200, "7");
	check(1, "GET", path, NULL, 200, "3");
	check(2, "GET", path, NULL, 200, "7");
	assert_int_equal(cloud.unchanged, 2);
	cloud.revision = 8;
	check(2, "GET", path, NULL, 200, "8");
	assert_int_equal(cloud.unchanged, 2);
	cloud.failure = -ENOENT;
	check(2, "GET", path, NULL, 404, NULL);
	cloud.failure = -EALREADY; /* to 127.0.0.1, of whose facts none are kept */
	check(1, "GET", path, NULL, 503, NULL);
	cloud.failure = 0;
	cloud.revision = 0;
}

/* Nothing of a token is kept in memory; and the secrets are nobody else's. */
static void test_restart(void **state)
{
	static const char *const secrets[] = {"token-key", "identity.pem"};
	cleanup_free char *header = token_header(1);
	struct answer before, after;
	struct stat st;
	int fd = connect_from(1);

	(void)state;
	ask(fd, &before, "GET", "/latest/dynamic/instance-identity/rsa2048", header);
	close(fd);
	imds_stop(service);
	start_service();
	fd = connect_from(1);
	ask(fd, &after, "GET", "/latest/dynamic/instance-identity/signature", header);
	assert_int_equal(after.status, 200);
	assert_true(before.len > 0);
	close(fd);
	forget(&before);
	forget(&after);
	for (size_t i = 0; i < 2; i++) {
		cleanup_free char *path = xasprintf("%s/%s", directory, secrets[i]);

		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
}

static void test_token_expiry(void **state)
{
	char token[IMDS_TOKEN_LENGTH + 1], forged[IMDS_TOKEN_LENGTH + 2];
	struct imds_tokens *t;
	int64_t now = 1700000000;

	(void)state;
	assert_int_equal(imds_tokens_open(directory, &t, NULL), 0);
	assert_int_equal(imds_token_make(t, "i-1", now, 60, token), 0);
	assert_true(imds_token_valid(t, "i-1", now, token));
	assert_true(imds_token_valid(t, "i-1", now + 59, token));
	assert_false(imds_token_valid(t, "i-1", now + 60, token));
	assert_false(imds_token_valid(t, "i-1", now - 30000, token));
	assert_false(imds_token_valid(t, "i-2", now, token));
	assert_false(imds_token_valid(t, "i-", now, token));
	assert_false(imds_token_valid(t, "i-11", now, token));
	/* No character can be another. */
	for (size_t i = 0; i < IMDS_TOKEN_LENGTH; i++) {
		memcpy(forged, token, sizeof(token));
		forged[i] = forged[i] == 'A' ? 'B' : 'A';
		assert_false(imds_token_valid(t, "i-1", now, forged));
		forged[i] = '\0';
		assert_false(imds_token_valid(t, "i-1", now, forged));
		forged[i] = '=';
		assert_false(imds_token_valid(t, "i-1", now, forged));
	}
	memcpy(forged, token, sizeof(token));
	memcpy(forged + IMDS_TOKEN_LENGTH, "A", 2);
	assert_false(imds_token_valid(t, "i-1", now, forged));
	imds_tokens_close(t);
}

/* The IP_TTL of the service's end of a connection: its socket is in this process too. */
static int hops_of(int fd)
{
	struct sockaddr_in self, peer;
	socklen_t len = sizeof(self);
	int hops;

	assert_int_equal(getsockname(fd, (struct sockaddr *)&self, &len), 0);
	for (int other = 0; other < 1024; other++) {
		len = sizeof(peer);
		if (other != fd && getpeername(other, (struct sockaddr *)&peer, &len) == 0 &&
		    peer.sin_family == AF_INET && peer.sin_port == self.sin_port) {
			len = sizeof(hops);
			assert_int_equal(getsockopt(other, IPPROTO_IP, IP_TTL, &hops, &len), 0);
			return hops;
		}
	}
	fail_msg("the service has no such connection");
	return -1;
}

static void test_hops(void **state)
{
	cleanup_close int fd = connect_from(1);
	struct answer a;

	(void)state;
	ask(fd, &a, "GET", "/latest/meta-data/mac", NULL);
	forget(&a);
	assert_int_equal(hops_of(fd), 64);
	for (uint8_t hops = 1; hops <= 64; hops += 21) {
		cloud.hops = hops;
		ask(fd, &a, "PUT", "/latest/api/token", TTL "60\r\n");
		forget(&a);
		assert_int_equal(hops_of(fd), hops);
		/* A refusal tells no secret. */
		ask(fd, &a, "PUT", "/latest/api/token", NULL);
		forget(&a);
		assert_int_equal(hops_of(fd), 64);
	}
	cloud.hops = 0;
	ask(fd, &a, "PUT", "/latest/api/token", TTL "60\r\n");
	forget(&a);
	assert_int_equal(hops_of(fd), 1);
	cloud.hops = 1;
}

/* A service that goes on after each of these is what is wanted; most are libmicrohttpd's to refuse.
 */
static void test_hostile_requests(void **state)
{
	static const char *const starts[] = {
		"GET\r\n\r\n",
		"GET / HTTP/9.9\r\n\r\n",
		"GET http://169.254.169.254/latest/ HTTP/1.1\r\n\r\n",
		"GET /latest/meta-data/../../../../etc/passwd HTTP/1.1\r\n\r\n",
		"\r\n\r\n\r\n",
		"BREW /latest/ HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
		"GET /latest/ HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
		"GET /latest/ HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
		"PUT /latest/api/token HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"GET /latest/ HTTP/1.1\r\nno colon\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		cleanup_close int fd = connect_from(1);

		say(fd, starts[i]);
		check(1, "GET", "/latest/meta-data/ami-id", NULL, 200, "ami-0abcdef1234567890");
	}
}

/* Sends head, then filler until the service will not have more; the status of its answer, or 0. */
static int flood(const char *head, const char *filler, size_t count)
{
	cleanup_close int fd = connect_from(1);
	char text[64] = "";
	ssize_t n;
	int status = 0;

	say(fd, head);
	while (count-- && send(fd, filler, strlen(filler), MSG_NOSIGNAL) > 0)
		;
	n = recv(fd, text, sizeof(text) - 1, MSG_WAITALL);
	if (n > 0)
		sscanf(text, "HTTP/1.%*d %d", &status);
	check(1, "GET", "/latest/meta-data/ami-id", NULL, 200, NULL);
	return status;
}

static void test_floods(void **state)
{
	int status;

	(void)state;
	status = flood("GET /", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 100000);
	assert_true(status == 0 || status == 414 || status == 413 || status == 431);
	status = flood("GET / HTTP/1.1\r\n", "X-Header: something\r\n", 100000);
	assert_true(status == 0 || status == 413 || status == 431);
	status = flood("PUT /latest/api/token HTTP/1.1\r\nContent-Length: 10000000\r\n\r\n",
		       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 300000);
	assert_int_equal(status, 0);
	status = flood("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
		       "20\r\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", 300000);
	assert_int_equal(status, 0);
}

static void test_pipeline(void **state)
{
	cleanup_close int fd = connect_from(1);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct answer a;

	(void)state;
	for (int i = 0; i < 50; i++)
		strbuf_adds(&text,
			    "GET /latest/meta-data/ami-launch-index HTTP/1.1\r\n\r\n"
			    "GET /latest/nothing HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello");
	say(fd, strbuf_str(&text));
	for (int i = 0; i < 50; i++) {
		receive(fd, true, &a);
		assert_int_equal(a.status, 200);
		assert_string_equal(a.body, "3");
		forget(&a);
		receive(fd, true, &a);
		assert_int_equal(a.status, 404);
		forget(&a);
	}
}

/* Who holds connections, half a request in each, gets no more of them, and is in nobody's way. */
static void test_slow_clients(void **state)
{
	int held[64], refused = 0;

	(void)state;
	for (size_t i = 0; i < 64; i++) {
		held[i] = connect_from(1);
		send(held[i], "GET /latest/meta", 16, MSG_NOSIGNAL);
	}
	check(2, "GET", "/latest/meta-data/instance-id", NULL, 200, "i-00000000000000002");
	for (size_t i = 32; i < 64; i++) {
		struct pollfd p = {.fd = held[i], .events = POLLIN};

		refused += poll(&p, 1, PATIENCE) == 1; /* it was closed */
	}
	assert_int_equal(refused, 32);
	for (size_t i = 0; i < 32; i++) {
		struct answer a;

		ask(held[i], &a, "-data/ami-launch-index HTTP/1.1\r\nX:", "y", NULL);
		assert_string_equal(a.body, "3");
		forget(&a);
	}
	for (size_t i = 0; i < 64; i++)
		close(held[i]);
	/* The service learns of it a moment later than we. */
	for (int tries = 0;; tries++) {
		cleanup_close int fd = connect_from(1);
		struct answer a;

		ask(fd, &a, "GET", "/", NULL);
		if (a.status == 200) {
			forget(&a);
			break;
		}
		assert_true(tries < 1000);
	}
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	cloud.hops = 1;
	start_service();
	return 0;
}

static int tear_down(void **state)
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),      cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_token_answer), cmocka_unit_test(test_revisions),
		cmocka_unit_test(test_restart),      cmocka_unit_test(test_token_expiry),
		cmocka_unit_test(test_hops),         cmocka_unit_test(test_hostile_requests),
		cmocka_unit_test(test_floods),       cmocka_unit_test(test_pipeline),
		cmocka_unit_test(test_slow_clients),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
