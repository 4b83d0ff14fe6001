/* A cloud in a temporary directory, with a clock and a dice of its own: for unit tests of the
 * model. */
#ifndef TESTS_CLOUD_FIXTURE_H
#define TESTS_CLOUD_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ec2fs/model/cloud.h"
#include "ec2fs/model/instance.h"
#include "ec2fs/util/memory.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
	char dir[64];
	struct store *store;
	struct cloud *cloud;
	int64_t now;
	uint64_t dice;
};

static int64_t fixture_now(void *context)
{
	struct fixture *f = context;

	return f->now += 1000000;
}

static void fixture_random(void *context, void *out, size_t len)
{
	struct fixture *f = context;

	for (size_t i = 0; i < len; i++) {
		f->dice = f->dice * 6364136223846793005ULL + 1442695040888963407ULL;
		((unsigned char *)out)[i] = (unsigned char)(f->dice >> 33);
	}
}

static inline void fixture_open(struct fixture *f)
{
	struct cloud_env env = {fixture_now, fixture_random, f};
	struct ec2fs_error error = {0};

	if (store_open(f->dir, &f->store, &error) < 0 ||
	    cloud_open(f->store, &env, &f->cloud, &error) < 0)
		fail_msg("%s", error.message);
}

static inline void fixture_close(struct fixture *f)
{
	cloud_close(f->cloud);
	store_close(f->store);
}

static inline int fixture_setup(void **state)
{
	struct fixture *f = xnew(struct fixture);
	struct ec2fs_error error = {0};

	f->now = 1700000000000000000LL;
	f->dice = 42;
	strcpy(f->dir, "/tmp/ec2fs-test-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	fixture_open(f);
	assert_int_equal(cloud_change(f->cloud, NULL, cloud_first, NULL, &error), 0);
	*state = f;
	return 0;
}

static int fixture_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	fixture_close(f);
	nftw(f->dir, fixture_remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

/* The region that every fixture has; in a view. */
static inline const struct resource *fixture_region(const struct view *v)
{
	return view_find(v, ROOT_NUMBER, KIND_REGION, "us-east-1");
}

#endif
