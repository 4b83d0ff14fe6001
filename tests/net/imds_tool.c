/*
 * The metadata service alone, inside a network namespace, for imds.bats: one instance, whoever
 * asks.
 *
 * usage: imds_tool NETNS DIRECTORY	serves 169.254.169.254:80 until its standard input ends
 * Environment: HOPS=N, TOKENS=required.
 */
#include "netfw/imds/imds.h"
#include "tests/lib/imds_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int facts(void *context, const char *vpc, uint32_t address, struct imds_facts *ret)
{
	(void)context, (void)vpc, (void)address;
	imds_sample(ret);
	ret->hops = getenv("HOPS") ? (uint8_t)atoi(getenv("HOPS")) : 1;
	ret->tokens_required = getenv("TOKENS") != NULL;
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(80)};
	struct ec2fs_error error = {0};
	struct imds *m;
	int netns, fd, one = 1;
	char c;

	if (argc != 3)
		return 2;
	netns = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (netns < 0 || setns(netns, CLONE_NEWNET) < 0) {
		perror(argv[1]);
		return 1;
	}
	inet_pton(AF_INET, "169.254.169.254", &a.sin_addr);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 64) < 0) {
		perror("169.254.169.254");
		return 1;
	}
	if (imds_start(fd, "vpc-1", argv[2], facts, NULL, &m, &error) < 0) {
		fprintf(stderr, "%s\n", error.message);
		return 1;
	}
	puts("serving");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	imds_stop(m);
	return 0;
}
