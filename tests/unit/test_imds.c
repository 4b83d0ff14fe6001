/* The metadata service over HTTP: answers, refusals, tokens, headers. */
#include "tests/lib/imds_client.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),      cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_token_answer), cmocka_unit_test(test_revisions),
		cmocka_unit_test(test_restart),      cmocka_unit_test(test_token_expiry),
		cmocka_unit_test(test_hops),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
