/*
 * Operations a second on one file, best of several short rounds.
 *
 * usage: file_rate stat|cat|write FILE [TEXT]
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ROUND_NS 300000000LL

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int once(const char *what, const char *path, const char *text)
{
	char buffer[4096];
	struct stat st;
	int fd, ok;

	if (strcmp(what, "stat") == 0)
		return stat(path, &st);
	if (strcmp(what, "cat") == 0) {
		fd = open(path, O_RDONLY);
		if (fd < 0)
			return -1;
		while (read(fd, buffer, sizeof(buffer)) > 0)
			;
		close(fd);
		return 0;
	}
	fd = open(path, O_WRONLY | O_TRUNC);
	if (fd < 0)
		return -1;
	ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return ok ? 0 : -1;
}

int main(int argc, char **argv)
{
	int64_t start = now();
	long n = 0;
	char *path;

	if (argc < 3) {
		fprintf(stderr, "usage: file_rate stat|cat|write FILE [TEXT]\n");
		return 2;
	}
	/* The way to the file is not what is measured. */
	path = strrchr(argv[2], '/');
	if (path) {
		*path++ = '\0';
		if (chdir(*argv[2] ? argv[2] : "/") < 0) {
			perror(argv[2]);
			return 1;
		}
	} else {
		path = argv[2];
	}
	while (now() - start < ROUND_NS)
		for (int i = 0; i < 100; i++, n++)
			if (once(argv[1], path, argc > 3 ? argv[3] : "") < 0) {
				perror(path);
				return 1;
			}
	printf("%.0f\n", (double)n * 1e9 / (double)(now() - start));
	return 0;
}
