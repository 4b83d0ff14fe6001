/*
 * Requests a second of the metadata service, and of the plainest server that libmicrohttpd can be,
 * which answers a constant (with as little memory a connection). Each is a process on 127.0.0.1,
 * asked by this one over keep-alive connections, a request at a time on each.
 *
 * usage: imds ours|plain CONNECTIONS MS
 * prints: requests a second, the median answer in us, the server's processor time a request in us
 */
#include "netfw/imds/imds.h"
#include "tests/lib/imds_fixture.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST 64
#define PATH "/latest/meta-data/instance-id"
#define ANSWER "i-0123456789abcdef0"
#define TTL "X-aws-ec2-metadata-token-ttl-seconds: 21600\r\n"

static int facts(void *context, const char *vpc, uint32_t address, struct imds_facts *ret)
{
	(void)context, (void)vpc, (void)address;
	if (ret->revision == 1)
		return -EALREADY;
	imds_sample(ret);
	ret->revision = 1;
	ret->tokens_required = true;
	return 0;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *c, const char *url,
			      const char *method, const char *version, const char *data,
			      size_t *size, void **request)
{
	(void)url, (void)method, (void)version, (void)data, (void)size;
	if (!*request) {
		*request = context;
		return MHD_YES;
	}
	return MHD_queue_response(c, MHD_HTTP_OK, context);
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void serve(bool ours, int fd)
{
	char directory[] = "/tmp/ec2fs-bench-XXXXXX", command[64];
	struct MHD_Response *response;
	struct ec2fs_error error;
	struct imds *m;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (ours) {
		if (!mkdtemp(directory) ||
		    imds_start(fd, "vpc-1", directory, facts, NULL, &m, &error) < 0)
			die("imds_start");
		snprintf(command, sizeof(command), "rm -r %s", directory);
		if (system(command) != 0)
			die(directory);
	} else {
		response = MHD_create_response_from_buffer(strlen(ANSWER), (char[]){ANSWER},
							   MHD_RESPMEM_MUST_COPY);
		MHD_add_response_header(response, "Server", "EC2ws");
		MHD_add_response_header(response, "Content-Type", "text/plain");
		if (!MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL,
				      answer, response, MHD_OPTION_LISTEN_SOCKET, fd,
				      MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)4096,
				      MHD_OPTION_END))
			die("MHD_start_daemon");
	}
	for (;;)
		pause();
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t server_us(pid_t server)
{
	struct timespec t;
	clockid_t clock;

	if (clock_getcpuclockid(server, &clock) != 0 || clock_gettime(clock, &t) < 0)
		die("clock");
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int open_one(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
		die("connect");
	return fd;
}

/* Sends and receives one; the answer is in buffer. */
static void exchange(int fd, const char *request, char *buffer, size_t size)
{
	ssize_t n;

	if (write(fd, request, strlen(request)) < 0)
		die("write");
	n = read(fd, buffer, size - 1);
	buffer[n > 0 ? n : 0] = '\0';
	if (strncmp(buffer, "HTTP/1.1 200", 12) != 0) {
		fprintf(stderr, "%s\n", buffer);
		exit(1);
	}
}

static int compare(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return x < y ? -1 : x > y;
}

static void load(pid_t server, const struct sockaddr_in *to, const char *request, int connections,
		 int64_t us)
{
	static unsigned times[4000000];
	struct pollfd fds[MOST];
	int64_t sent[MOST], start, now, used;
	size_t count = 0, len = strlen(request);
	char buffer[4096];

	for (int i = 0; i < connections; i++) {
		fds[i] = (struct pollfd){.fd = open_one(to), .events = POLLIN};
		exchange(fds[i].fd, request, buffer, sizeof(buffer));
	}
	used = server_us(server);
	start = now_us();
	for (int i = 0; i < connections; i++) {
		sent[i] = now_us();
		if (write(fds[i].fd, request, len) != (ssize_t)len)
			die("write");
	}
	do {
		if (poll(fds, (nfds_t)connections, -1) < 0)
			die("poll");
		now = now_us();
		for (int i = 0; i < connections; i++) {
			if (!fds[i].revents)
				continue;
			if (read(fds[i].fd, buffer, sizeof(buffer)) < 20 ||
			    memcmp(buffer + 9, "200", 3) != 0)
				die("answer");
			now = now_us();
			if (count < sizeof(times) / sizeof(times[0]))
				times[count++] = (unsigned)(now - sent[i]);
			sent[i] = now;
			if (write(fds[i].fd, request, len) != (ssize_t)len)
				die("write");
		}
	} while (now - start < us);
	used = server_us(server) - used;
	qsort(times, count, sizeof(times[0]), compare);
	printf("%.0f %u %.2f\n", (double)count * 1e6 / (double)(now - start), times[count / 2],
	       (double)used / (double)count);
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	bool ours = argc == 4 && strcmp(argv[1], "ours") == 0;
	char buffer[4096], request[512], *token = "x";
	socklen_t len = sizeof(to);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), connections, first;
	pid_t server;

	if (argc != 4 || (connections = atoi(argv[2])) < 1 || connections > MOST / 2)
		return 2;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0 || listen(fd, 64) < 0 ||
	    getsockname(fd, (struct sockaddr *)&to, &len) < 0)
		die("listen");
	server = fork();
	if (server == 0)
		serve(ours, fd);
	close(fd);
	first = open_one(&to);
	exchange(first, "PUT /latest/api/token HTTP/1.1\r\nHost: x\r\n" TTL "\r\n", buffer,
		 sizeof(buffer));
	if (ours)
		token = strstr(buffer, "\r\n\r\n") + 4;
	snprintf(request, sizeof(request),
		 "GET " PATH " HTTP/1.1\r\nHost: 169.254.169.254\r\nUser-Agent: bench\r\n"
		 "Accept: */*\r\nX-aws-ec2-metadata-token: %s\r\n\r\n",
		 token);
	exchange(first, request, buffer, sizeof(buffer));
	if (!strstr(buffer, "\r\n\r\n" ANSWER))
		die("another answer");
	close(first);
	load(server, &to, request, connections, atoll(argv[3]) * 1000);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	return 0;
}
