/* Changes are whole, durable, and shared in one commit; compared with a simple reference. */
#include "tests/lib/cloud_fixture.h"

#include <pthread.h>

static int make_key(struct view *v, void *context, struct ec2fs_error *error)
{
	struct resource *r;

	if (view_find(v, fixture_region(v)->number, KIND_KEY_PAIR, context))
		return ec2fs_fail(error, EC2_InvalidKeyPair_Duplicate, "there already");
	return key_pair_make(v, fixture_region(v), context, &r, error);
}

static bool has_key(struct fixture *f, const char *name)
{
	struct view v = cloud_read(f->cloud);
	bool found = view_find(&v, fixture_region(&v)->number, KIND_KEY_PAIR, name);

	cloud_read_end(f->cloud);
	return found;
}

static void what_was_acknowledged_is_there_after_a_restart(void **state)
{
	struct fixture *f = *state;
	struct ec2fs_error error = {0};

	assert_int_equal(cloud_change(f->cloud, NULL, make_key, "alice", &error), 0);
	assert_int_equal(cloud_change(f->cloud, NULL, make_key, "alice", &error), -EEXIST);
	fixture_close(f);
	fixture_open(f);
	assert_true(has_key(f, "alice"));
	assert_false(has_key(f, "bob"));
}

static int half_done(struct view *v, void *context, struct ec2fs_error *error)
{
	make_key(v, context, error);
	set_text(v, view_edit(v, fixture_region(v)), "quotas", "vcpus 1\n");
	return ec2fs_fail(error, EC2_InternalError, "the second half failed");
}

static void a_refused_change_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct ec2fs_error error = {0};
	uint64_t revision = store_revision(f->store);

	assert_int_equal(cloud_change(f->cloud, NULL, half_done, "carol", &error), -EIO);
	assert_int_equal(cloud_try(f->cloud, NULL, make_key, "dora", &error), 0);
	assert_false(has_key(f, "carol"));
	assert_false(has_key(f, "dora"));
	assert_int_equal(store_revision(f->store), revision);
}

struct writer {
	struct fixture *f;
	int id;
};

static void *write_many(void *context)
{
	struct writer *w = context;
	char name[32];

	for (int i = 0; i < 50; i++) {
		struct ec2fs_error error = {0};

		snprintf(name, sizeof(name), "key-%d-%d", w->id, i);
		if (cloud_change(w->f->cloud, NULL, make_key, name, &error) < 0)
			return error.message[0] ? "refused" : "failed";
	}
	return NULL;
}

static void writers_share_their_commits(void **state)
{
	struct fixture *f = *state;
	struct writer writers[8];
	pthread_t threads[8];
	uint64_t before = store_revision(f->store);

	for (int i = 0; i < 8; i++) {
		writers[i] = (struct writer){f, i};
		pthread_create(&threads[i], NULL, write_many, &writers[i]);
	}
	for (int i = 0; i < 8; i++) {
		void *trouble;

		pthread_join(threads[i], &trouble);
		assert_null(trouble);
	}
	/* 400 changes; eight at a time wait for the same fsync, so there are far fewer commits. */
	assert_in_range(store_revision(f->store) - before, 50, 399);
	fixture_close(f);
	fixture_open(f);
	for (int i = 0; i < 8; i++) {
		char name[32];

		snprintf(name, sizeof(name), "key-%d-49", i);
		assert_true(has_key(f, name));
	}
}

/* A random life of key pairs, tags and renames against an array of names. */
#define NAMES 12
#define STEPS 3000

struct step {
	unsigned verb, a, b;
};

static const char *name_of(unsigned i)
{
	static const char *const names[NAMES] = {"a", "b", "c", "d", "e", "f",
						 "g", "h", "i", "j", "k", "l"};
	return names[i % NAMES];
}

static int take_step(struct view *v, void *context, struct ec2fs_error *error)
{
	const struct step *s = context;
	const struct resource *region = fixture_region(v);
	const struct resource *a = view_find(v, region->number, KIND_KEY_PAIR, name_of(s->a));
	const struct resource *b = view_find(v, region->number, KIND_KEY_PAIR, name_of(s->b));
	struct resource *made;

	switch (s->verb) {
	case 0:
		if (a)
			return ec2fs_fail(error, EC2_InvalidKeyPair_Duplicate, "there");
		return key_pair_make(v, region, name_of(s->a), &made, error);
	case 1:
		if (!a)
			return ec2fs_fail(error, EC2_InvalidKeyPair_NotFound, "not there");
		return key_pair_remove(v, view_edit(v, a), error);
	default:
		if (!a || b)
			return ec2fs_fail(error, EC2_InvalidKeyPair_NotFound, "cannot");
		return key_pair_rename(v, view_edit(v, a), name_of(s->b), error);
	}
}

static bool reference_step(bool *there, const struct step *s)
{
	bool *a = &there[s->a], *b = &there[s->b];

	if (s->verb == 0 ? *a : s->verb == 1 ? !*a : !*a || *b)
		return false;
	*a = s->verb == 0;
	if (s->verb == 2)
		*b = true;
	return true;
}

static void a_random_life_equals_its_reference(void **state)
{
	struct fixture *f = *state;
	bool there[NAMES] = {false};
	unsigned dice = 7;

	for (int i = 0; i < STEPS; i++) {
		struct ec2fs_error error = {0};
		struct step s;
		int r;

		dice = dice * 1103515245 + 12345;
		s = (struct step){dice >> 16 & 1 ? 2 : dice >> 17 & 1, (dice >> 18) % NAMES,
				  (dice >> 23) % NAMES};
		r = cloud_change(f->cloud, NULL, take_step, &s, &error);
		assert_int_equal(r == 0, reference_step(there, &s));
		if (i % 500 == 499) {
			fixture_close(f);
			fixture_open(f);
		}
		for (unsigned k = 0; k < NAMES; k++)
			assert_int_equal(has_key(f, name_of(k)), there[k]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_acknowledged_is_there_after_a_restart,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(a_refused_change_changes_nothing, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(writers_share_their_commits, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(a_random_life_equals_its_reference, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
