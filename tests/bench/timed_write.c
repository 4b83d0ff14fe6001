/*
 * Milliseconds that one write(2) takes.
 *
 * usage: timed_write FILE TEXT [FILE TEXT]...     one number a file, in order, on one line
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i += 2) {
		char text[256];
		int len = snprintf(text, sizeof(text), "%s\n", argv[i + 1]);
		int fd = open(argv[i], O_WRONLY | O_TRUNC);
		double start = now_ms();

		if (fd < 0 || write(fd, text, (size_t)len) != len) {
			perror(argv[i]);
			return 1;
		}
		printf("%s%.2f", i > 1 ? " " : "", now_ms() - start);
		close(fd);
	}
	putchar('\n');
	return 0;
}
