/* What unit tests without a cloud include first. */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ec2fs/util/error.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A temporary directory as the test's state. */
static inline int check_directory(void **state)
{
	const char *base = getenv("TMPDIR");
	char *dir = NULL;

	if (asprintf(&dir, "%s/ec2fs-unit-XXXXXX", base ? base : "/tmp") < 0 || !mkdtemp(dir))
		return -1;
	*state = dir;
	return 0;
}

static inline int check_remove_one(const char *path, const struct stat *st, int type,
				   struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int check_remove(void **state)
{
	nftw(*state, check_remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(*state);
	return 0;
}

#define in_directory(test) cmocka_unit_test_setup_teardown(test, check_directory, check_remove)

/* Numbers that are the same in every run. */
static inline uint64_t check_dice(uint64_t *dice)
{
	*dice = *dice * 6364136223846793005ULL + 1442695040888963407ULL;
	return *dice >> 33;
}

#endif
