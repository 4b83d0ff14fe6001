/*
 * Small packets through a VPC, for measuring.
 *
 *   packet_rate sink PORT [answer]                a UDP port that nobody reads; answer: its first
 * packet packet_rate flood ADDRESS PORT SECONDS [answered]   all that goes, after an answer came
 *   packet_rate bulk-sink PORT                    TCP, reads all of one connection
 *   packet_rate bulk ADDRESS PORT SECONDS         TCP, prints megabits a second of processor time
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64

static double used(void)
{
	struct timespec t;

	/* Packets are carried to their end by who sends them. */
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static struct sockaddr_in address(const char *text, const char *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons((uint16_t)strtoul(port, NULL, 10))};

	if (inet_pton(AF_INET, text, &a.sin_addr) != 1)
		die(text);
	return a;
}

static int bound(int type, const char *port)
{
	struct sockaddr_in a = address("0.0.0.0", port);
	int fd = socket(AF_INET, type, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		die("bind");
	return fd;
}

static void sink(const char *port, int answer)
{
	int fd = bound(SOCK_DGRAM, port), small = 1;
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	char data[64];

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	puts("ready");
	fflush(stdout);
	if (answer) {
		ssize_t n = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from, &len);

		if (n < 0 || sendto(fd, data, (size_t)n, 0, (struct sockaddr *)&from, len) < 0)
			die("answer");
	}
	for (;;)
		pause();
}

static void flood(const char *to, const char *port, double seconds, int answered)
{
	struct sockaddr_in a = address(to, port);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char data[32] = "hello";
	struct iovec iov = {data, sizeof(data)};
	struct mmsghdr messages[BATCH] = {0};
	struct timeval patience = {2, 0};
	double end;

	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		die("connect");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (answered &&
	    (send(fd, data, sizeof(data), 0) < 0 || recv(fd, data, sizeof(data), 0) < 0))
		die("no answer");
	for (int i = 0; i < BATCH; i++) {
		messages[i].msg_hdr.msg_iov = &iov;
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	for (end = used() + seconds; used() < end;)
		if (sendmmsg(fd, messages, BATCH, 0) < 0 && errno != ENOBUFS)
			die("sendmmsg");
}

static void bulk_sink(const char *port)
{
	static char data[1 << 18];
	int fd = bound(SOCK_STREAM, port), connection;

	listen(fd, 1);
	puts("ready");
	fflush(stdout);
	connection = accept(fd, NULL, NULL);
	while (read(connection, data, sizeof(data)) > 0)
		;
}

static void bulk(const char *to, const char *port, double seconds)
{
	static char data[1 << 18];
	struct sockaddr_in a = address(to, port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	double start, bytes = 0;

	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		die("connect");
	for (start = used(); used() < start + seconds;) {
		ssize_t n = write(fd, data, sizeof(data));

		if (n < 0)
			die("write");
		bytes += (double)n;
	}
	printf("%.0f\n", bytes * 8 / (used() - start) / 1e6);
}

int main(int argc, char **argv)
{
	if (argc >= 3 && !strcmp(argv[1], "sink"))
		sink(argv[2], argc > 3);
	else if (argc >= 5 && !strcmp(argv[1], "flood"))
		flood(argv[2], argv[3], strtod(argv[4], NULL), argc > 5);
	else if (argc == 3 && !strcmp(argv[1], "bulk-sink"))
		bulk_sink(argv[2]);
	else if (argc == 5 && !strcmp(argv[1], "bulk"))
		bulk(argv[2], argv[3], strtod(argv[4], NULL));
	else
		return 2;
	return 0;
}
