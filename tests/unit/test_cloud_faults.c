/* Writers at once on a disk that fails now and then: each acknowledged change is there, no other,
 * now and after a restart. */
#include "tests/lib/cloud_fixture.h"

#include "tests/lib/faulty_vfs.h"

#include <pthread.h>

#define WRITERS 4
#define KEYS 8
#define ROUNDS 40
#define STEPS 12

struct writer {
	struct fixture *f;
	uint64_t dice;
	int id, refused;
	bool there[KEYS];
	char value[KEYS][16]; /* of its tag */
};

struct step {
	const struct writer *w;
	unsigned key, verb;
	char value[16];
};

static uint64_t roll(struct writer *w)
{
	w->dice = w->dice * 6364136223846793005ULL + 1442695040888963407ULL;
	return w->dice >> 33;
}

static void name_of(const struct writer *w, unsigned key, char name[32])
{
	snprintf(name, 32, "key-%d-%u", w->id, key);
}

/* Makes a pair with a tag, removes it, or sets its tag: more than one row each. */
static int take_step(struct view *v, void *context, struct ec2fs_error *error)
{
	const struct step *s = context;
	const struct resource *region = fixture_region(v), *key, *old;
	struct resource *made, *tag = NULL;
	char name[32];
	int r;

	name_of(s->w, s->key, name);
	key = view_find(v, region->number, KIND_KEY_PAIR, name);
	if (!key) {
		r = key_pair_make(v, region, name, &made, error);
		if (r == 0)
			r = tag_make(v, made, "n", &tag, error);
		return r < 0 ? r : tag_set_value(v, tag, s->value, strlen(s->value), error);
	}
	if (s->verb == 0)
		return key_pair_remove(v, view_edit(v, key), error);
	old = view_find(v, key->number, KIND_TAG, "n");
	return tag_set_value(v, view_edit(v, old), s->value, strlen(s->value), error);
}

static void *live(void *context)
{
	struct writer *w = context;

	for (int i = 0; i < STEPS; i++) {
		struct step s = {.w = w, .key = (unsigned)roll(w) % KEYS, .verb = roll(w) % 3};
		struct ec2fs_error error = {0};
		int r;

		snprintf(s.value, sizeof(s.value), "%u", (unsigned)roll(w) % 100000);
		r = cloud_change(w->f->cloud, NULL, take_step, &s, &error);
		if (r < 0) {
			w->refused++;
		} else if (w->there[s.key] && s.verb == 0) {
			w->there[s.key] = false;
		} else {
			w->there[s.key] = true;
			memcpy(w->value[s.key], s.value, sizeof(s.value));
		}
	}
	return NULL;
}

static void compare(struct writer *w)
{
	struct view v = cloud_read(w->f->cloud);

	for (unsigned i = 0; i < KEYS; i++) {
		const struct resource *key, *tag;
		char name[32];

		name_of(w, i, name);
		key = view_find(&v, fixture_region(&v)->number, KIND_KEY_PAIR, name);
		assert_int_equal(key != NULL, w->there[i]);
		tag = key ? view_find(&v, key->number, KIND_TAG, "n") : NULL;
		assert_int_equal(tag != NULL, w->there[i]);
		if (tag)
			assert_string_equal(resource_get(tag, "value"), w->value[i]);
	}
	cloud_read_end(w->f->cloud);
}

static void what_fails_is_refused_and_what_is_refused_is_not_there(void **state)
{
	static const int codes[] = {SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC};
	struct fixture *f = *state;
	struct writer writers[WRITERS] = {0};
	uint64_t dice = 3;
	int refused = 0;

	fixture_close(f);
	faults_begin();
	fixture_open(f);
	for (int i = 0; i < WRITERS; i++)
		writers[i] = (struct writer){.f = f, .id = i, .dice = (uint64_t)i + 1};
	for (int round = 0; round < ROUNDS; round++) {
		pthread_t threads[WRITERS];

		dice = dice * 6364136223846793005ULL + 1442695040888963407ULL;
		fault.code = codes[round % 3];
		fault.lasting = round % 4 == 3;
		fault.left = round % 5 ? (long)((dice >> 33) % 60) : -1;
		for (int i = 0; i < WRITERS; i++)
			pthread_create(&threads[i], NULL, live, &writers[i]);
		for (int i = 0; i < WRITERS; i++)
			pthread_join(threads[i], NULL);
		fault.left = -1;
		for (int i = 0; i < WRITERS; i++)
			compare(&writers[i]);
		if (round % 3 == 0) {
			fixture_close(f);
			fixture_open(f);
			for (int i = 0; i < WRITERS; i++)
				compare(&writers[i]);
		}
	}
	for (int i = 0; i < WRITERS; i++)
		refused += writers[i].refused;
	assert_true(refused > 0); /* some did fail, and not all */
	assert_true(refused < ROUNDS * STEPS * WRITERS / 2);
	fixture_close(f);
	faults_end();
	fixture_open(f);
	for (int i = 0; i < WRITERS; i++)
		compare(&writers[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_fails_is_refused_and_what_is_refused_is_not_there, fixture_setup,
			fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
