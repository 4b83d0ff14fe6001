/* The metadata service and clients that mean it harm, or are slow. */
#include "tests/lib/imds_client.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile_requests),
		cmocka_unit_test(test_floods),
		cmocka_unit_test(test_pipeline),
		cmocka_unit_test(test_slow_clients),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
