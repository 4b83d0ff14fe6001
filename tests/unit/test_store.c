/* The store: transactions whole or not at all, revisions, older and newer schemas, and every call
 * of the file system below SQLite failing in turn. */
#include "tests/lib/check.h"
#include "tests/lib/faulty_vfs.h"

#include "ec2fs/store/store.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "ec2fs/util/strbuf.h"

#include <inttypes.h>
#include <sqlite3.h>

static struct store *open_store(const char *dir)
{
	struct ec2fs_error error = {0};
	struct store *s = NULL;

	if (store_open(dir, &s, &error) < 0)
		fail_msg("%s", error.message);
	return s;
}

static struct store_op put(uint64_t resource, const char *attribute, const char *value)
{
	return (struct store_op){STORE_PUT,
				 {.resource = resource,
				  .attribute = attribute,
				  .value = value,
				  .len = value ? strlen(value) : 0,
				  .has_value = value != NULL,
				  .mtime = 5,
				  .mode = 0644,
				  .uid = -1,
				  .gid = -1}};
}

static int add(void *context, const struct store_row *row)
{
	strbuf_addf(context, "%" PRIu64 ".%s=", row->resource, row->attribute);
	if (row->has_value)
		strbuf_add(context, row->value, row->len);
	else
		strbuf_adds(context, "(none)");
	strbuf_addf(context, "@%" PRIu64 " ", row->revision);
	return 0;
}

static void holds(struct store *s, const char *wanted)
{
	struct strbuf text cleanup_strbuf = STRBUF_INIT;

	assert_int_equal(store_list(s, add, &text, NULL), 0);
	assert_string_equal(strbuf_str(&text), wanted);
}

static void a_commit_is_whole_and_has_a_revision(void **state)
{
	struct store *s = open_store(*state);
	struct store_op first[] = {put(2, "name", "two"), put(1, "b", "x"), put(1, "a", NULL),
				   put(1, "c", "")};
	struct store_op second[] = {put(1, "b", "y"),
				    {STORE_DELETE, {.resource = 1, .attribute = "a"}},
				    {STORE_DELETE_RESOURCE, {.resource = 2}},
				    {STORE_DELETE, {.resource = 9, .attribute = "absent"}}};
	struct strbuf one cleanup_strbuf = STRBUF_INIT;
	char uuid[40];
	uint64_t revision = 99;

	assert_int_equal(store_revision(s), 0);
	assert_int_equal(store_commit(s, 0, first, 4, &revision, NULL), 0);
	assert_int_equal(revision, 1);
	holds(s, "1.a=(none)@1 1.b=x@1 1.c=@1 2.name=two@1 ");
	assert_int_equal(store_commit(s, 1, second, 4, &revision, NULL), 0);
	assert_int_equal(revision, 2);
	holds(s, "1.b=y@2 1.c=@1 ");
	assert_int_equal(store_get(s, 1, "b", add, &one, NULL), 0);
	assert_string_equal(strbuf_str(&one), "1.b=y@2 ");
	assert_int_equal(store_get(s, 1, "a", add, &one, NULL), -ENOENT);
	snprintf(uuid, sizeof(uuid), "%s", store_uuid(s));
	assert_int_equal(strlen(uuid), 36);
	store_close(s);
	s = open_store(*state);
	assert_string_equal(store_uuid(s), uuid);
	assert_int_equal(store_revision(s), 2);
	holds(s, "1.b=y@2 1.c=@1 ");
	store_close(s);
}

static void who_has_not_seen_the_last_commit_is_refused(void **state)
{
	struct store *s = open_store(*state);
	struct store_op op = put(1, "a", "x");
	uint64_t revision = 99;

	assert_int_equal(store_commit(s, 0, &op, 1, NULL, NULL), 0);
	op = put(1, "a", "stale");
	assert_int_equal(store_commit(s, 0, &op, 1, &revision, NULL), -EAGAIN);
	assert_int_equal(revision, 99);
	assert_int_equal(store_commit(s, 7, &op, 1, &revision, NULL), -EAGAIN);
	holds(s, "1.a=x@1 ");
	store_close(s);
}

static void bytes_come_back_as_they_were(void **state)
{
	struct store *s = open_store(*state);
	struct strbuf text cleanup_strbuf = STRBUF_INIT;
	struct store_op op = put(UINT64_MAX / 2, "odd 'name'; --", "");
	char value[70000];

	for (size_t i = 0; i < sizeof(value); i++)
		value[i] = (char)(i * 7);
	op.row.value = value;
	op.row.len = sizeof(value);
	assert_int_equal(store_commit(s, 0, &op, 1, NULL, NULL), 0);
	assert_int_equal(store_get(s, UINT64_MAX / 2, "odd 'name'; --", add, &text, NULL), 0);
	assert_true(text.len > sizeof(value));
	assert_memory_equal(strchr(strbuf_str(&text), '=') + 1, value, sizeof(value));
	store_close(s);
}

struct watched {
	uint64_t revision;
	size_t ops;
};

static void watch(void *context, uint64_t revision, const struct store_op *ops, size_t count)
{
	struct watched *w = context;

	(void)ops;
	assert_int_equal(revision, w->revision + 1);
	w->revision = revision;
	w->ops += count;
}

static void commits_are_told_in_order(void **state)
{
	struct store *s = open_store(*state);
	struct store_op ops[] = {put(1, "a", "x"), put(1, "b", "x")};
	struct watched w = {0};

	store_watch(s, watch, &w);
	for (uint64_t i = 0; i < 5; i++)
		assert_int_equal(store_commit(s, i, ops, 2, NULL, NULL), 0);
	assert_int_equal(store_commit(s, 2, ops, 2, NULL, NULL), -EAGAIN);
	assert_int_equal(w.revision, 5);
	assert_int_equal(w.ops, 10);
	store_watch(s, NULL, NULL);
	assert_int_equal(store_commit(s, 5, ops, 2, NULL, NULL), 0);
	assert_int_equal(w.revision, 5);
	store_close(s);
}

static void one_at_a_time_has_the_state(void **state)
{
	struct store *s = open_store(*state), *second = NULL;
	struct ec2fs_error error = {0};

	assert_int_equal(store_open(*state, &second, &error), -EBUSY);
	assert_non_null(strstr(error.message, "another ec2fs"));
	assert_null(second);
	store_close(s);
	store_close(open_store(*state));
}

static void sql(const char *dir, const char *text)
{
	cleanup_free char *path = xasprintf("%s/state.db", dir);
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", text, sqlite3_errmsg(db));
	sqlite3_close(db);
}

static void a_newer_schema_is_left_alone(void **state)
{
	struct ec2fs_error error = {0};
	struct store *s;

	store_close(open_store(*state));
	sql(*state, "PRAGMA user_version = 1000");
	assert_int_equal(store_open(*state, &s, &error), -EOPNOTSUPP);
	assert_non_null(strstr(error.message, "newer ec2fs"));
}

static void a_schema_that_cannot_be_made_leaves_the_file_as_it_was(void **state)
{
	struct ec2fs_error error = {0};
	struct store *s;

	/* Something of that name stands in the way of the second statement. */
	sql(*state, "CREATE TABLE entries (mine); INSERT INTO entries VALUES (7)");
	assert_int_equal(store_open(*state, &s, &error), -EIO);
	sql(*state, "CREATE TABLE meta (mine)"); /* it was rolled back */
	sql(*state, "UPDATE entries SET mine = 8");
}

/* A state with two resources; a commit then turns every x into y. */
static struct store *prepare(const char *dir)
{
	struct store *s = open_store(dir);
	struct store_op ops[] = {put(1, "a", "x"), put(2, "a", "x"), put(3, "gone", "x")};

	assert_int_equal(store_commit(s, 0, ops, 3, NULL, NULL), 0);
	return s;
}

static int turn(struct store *s, struct ec2fs_error *error)
{
	struct store_op ops[] = {
		put(1, "a", "y"), put(2, "a", "y"), {STORE_DELETE_RESOURCE, {.resource = 3}}};

	return store_commit(s, store_revision(s), ops, 3, NULL, error);
}

#define BEFORE "1.a=x@1 2.a=x@1 3.gone=x@1 "
#define AFTER "1.a=y@2 2.a=y@2 "

/* Fails call N of a commit, for each N until none is left to fail. */
static void fail_each_call(const char *dir, bool lasting, int code, int answer)
{
	for (long n = 0;; n++) {
		cleanup_free char *own = xasprintf("%s/%d-%d-%ld", dir, lasting, code, n);
		struct ec2fs_error error = {0};
		struct store *s = prepare(own);
		struct strbuf text cleanup_strbuf = STRBUF_INIT;
		int r;

		fault.left = n;
		fault.lasting = lasting;
		fault.code = code;
		fault.failed = 0;
		r = turn(s, &error);
		fault.left = -1;
		if (!fault.failed) {
			assert_int_equal(r, 0);
			store_close(s);
			assert_true(n >= 2); /* at least a write and a sync were there to fail */
			return;
		}
		assert_true(r == 0 || r == -EIO || r == answer);
		if (r < 0)
			assert_true(error.message[0]);
		/* In this life and the next one, and then a commit succeeds. */
		holds(s, r == 0 ? AFTER : BEFORE);
		assert_int_equal(store_revision(s), r == 0 ? 2 : 1);
		if (n % 2) {
			store_close(s);
			s = open_store(own);
			holds(s, r == 0 ? AFTER : BEFORE);
		}
		if (r < 0) {
			assert_int_equal(turn(s, &error), 0);
			holds(s, AFTER);
		}
		store_close(s);
		s = open_store(own);
		holds(s, AFTER);
		store_close(s);
	}
}

static void a_full_disk_changes_nothing(void **state)
{
	faults_begin();
	fail_each_call(*state, false, SQLITE_FULL, -ENOSPC);
	fail_each_call(*state, true, SQLITE_FULL, -ENOSPC);
	faults_end();
}

static void a_failing_disk_changes_nothing(void **state)
{
	faults_begin();
	fail_each_call(*state, false, SQLITE_IOERR_WRITE, -EIO);
	fail_each_call(*state, true, SQLITE_IOERR_WRITE, -EIO);
	faults_end();
}

static void a_state_that_cannot_be_opened_can_be_later(void **state)
{
	faults_begin();
	for (long n = 0;; n++) {
		cleanup_free char *own = xasprintf("%s/%ld", (char *)*state, n);
		struct ec2fs_error error = {0};
		struct store *s = NULL;
		int r;

		fault.left = n;
		fault.lasting = false;
		fault.code = SQLITE_FULL;
		fault.failed = 0;
		r = store_open(own, &s, &error);
		fault.left = -1;
		assert_true(r == 0 || (r < 0 && error.message[0] && !s));
		if (r == 0) {
			holds(s, "");
			store_close(s);
		}
		s = prepare(own);
		holds(s, BEFORE);
		store_close(s);
		if (!fault.failed)
			break;
	}
	faults_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_directory(a_commit_is_whole_and_has_a_revision),
		in_directory(who_has_not_seen_the_last_commit_is_refused),
		in_directory(bytes_come_back_as_they_were),
		in_directory(commits_are_told_in_order),
		in_directory(one_at_a_time_has_the_state),
		in_directory(a_newer_schema_is_left_alone),
		in_directory(a_schema_that_cannot_be_made_leaves_the_file_as_it_was),
		in_directory(a_full_disk_changes_nothing),
		in_directory(a_failing_disk_changes_nothing),
		in_directory(a_state_that_cannot_be_opened_can_be_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
