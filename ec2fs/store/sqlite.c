/* The store in one SQLite file: WAL, synchronous=FULL, one row an attribute. */
#include "ec2fs/store/store.h"

#include "ec2fs/store/schema.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

enum statement { PUT, DELETE_ONE, DELETE_ALL, LIST, GET, SET_REVISION, GET_REVISION, STATEMENTS };

static const char *const texts[STATEMENTS] = {
	[PUT] = "INSERT INTO entries (resource, attribute, value, mtime, mode, uid, gid, revision)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
		" ON CONFLICT (resource, attribute) DO UPDATE SET value = ?3, mtime = ?4, mode = "
		"?5,"
		" uid = ?6, gid = ?7, revision = ?8",
	[DELETE_ONE] = "DELETE FROM entries WHERE resource = ?1 AND attribute = ?2",
	[DELETE_ALL] = "DELETE FROM entries WHERE resource = ?1",
	[LIST] = "SELECT resource, attribute, value, mtime, mode, uid, gid, revision FROM entries"
		 " ORDER BY resource, attribute",
	[GET] = "SELECT resource, attribute, value, mtime, mode, uid, gid, revision FROM entries"
		" WHERE resource = ?1 AND attribute = ?2",
	[SET_REVISION] = "UPDATE meta SET value = ?1 WHERE key = 'revision'",
	[GET_REVISION] = "SELECT value FROM meta WHERE key = 'revision'",
};

struct store {
	pthread_mutex_t lock; /* serializes all below */
	int lock_fd;
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	char uuid[40];
	uint64_t revision;
	store_watch_fn *watch;
	void *watch_context;
};

static int tell(struct store *s, const char *doing, struct ec2fs_error *error)
{
	int code = sqlite3_errcode(s->db) & 0xff;

	if (code == SQLITE_FULL)
		return ec2fs_fail(error, EC2_InsufficientVolumeCapacity,
				  "%s: the file system of the state directory is full", doing);
	return ec2fs_fail(error, EC2_InternalError, "%s: %s", doing, sqlite3_errmsg(s->db));
}

static int run(struct store *s, const char *sql, struct ec2fs_error *error)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : tell(s, sql, error);
}

/* One process a state directory. The file tells who it is. */
static int take_lock(const char *dir, int *ret_fd, struct ec2fs_error *error)
{
	cleanup_free char *path = xasprintf("%s/lock", dir);
	cleanup_close int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char pid[24] = "";
	ssize_t n;

	if (fd < 0)
		return ec2fs_fail_errno(error, errno, EC2_InternalError, "%s: %s", path,
					strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		n = pread(fd, pid, sizeof(pid) - 1, 0);
		pid[n > 0 ? n : 0] = '\0';
		pid[strcspn(pid, "\n")] = '\0';
		return ec2fs_fail_errno(error, EBUSY, EC2_IncorrectState,
					"another ec2fs (process %s) has the state directory %s",
					*pid ? pid : "unknown", dir);
	}
	n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, (size_t)n, 0) != n)
		return ec2fs_fail_errno(error, errno, EC2_InternalError, "%s: %s", path,
					strerror(errno));
	*ret_fd = steal_fd(&fd);
	return 0;
}

static int open_database(struct store *s, const char *dir, struct ec2fs_error *error)
{
	cleanup_free char *path = xasprintf("%s/state.db", dir);
	mode_t old = umask(077);
	int r = sqlite3_open_v2(path, &s->db,
				SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
				NULL);

	umask(old);
	if (r != SQLITE_OK)
		return ec2fs_fail(error, EC2_InternalError, "%s: %s", path,
				  s->db ? sqlite3_errmsg(s->db) : "out of memory");
	sqlite3_extended_result_codes(s->db, 1);
	/* Small: everything is in memory already, the cache serves commits only. */
	r = run(s,
		"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -512;"
		"PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = OFF;",
		error);
	if (r == 0)
		r = schema_migrate(s->db, error);
	for (int i = 0; r == 0 && i < STATEMENTS; i++)
		if (sqlite3_prepare_v3(s->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
				       &s->statements[i], NULL) != SQLITE_OK)
			r = tell(s, texts[i], error);
	return r;
}

static int read_revision(struct store *s, uint64_t *ret, struct ec2fs_error *error)
{
	sqlite3_stmt *get = s->statements[GET_REVISION];
	int r = 0;

	if (sqlite3_step(get) == SQLITE_ROW)
		*ret = (uint64_t)sqlite3_column_int64(get, 0);
	else
		r = tell(s, "reading the revision", error);
	sqlite3_reset(get);
	return r;
}

int store_open(const char *dir, struct store **ret, struct ec2fs_error *error)
{
	struct store *s;
	int r;

	if (mkdir(dir, 0711) < 0 && errno != EEXIST)
		return ec2fs_fail_errno(error, errno, EC2_InternalError,
					"the state directory %s: %s", dir, strerror(errno));
	s = xnew(struct store);
	pthread_mutex_init(&s->lock, NULL);
	s->lock_fd = -1;
	r = take_lock(dir, &s->lock_fd, error);
	if (r == 0)
		r = open_database(s, dir, error);
	if (r == 0)
		r = schema_uuid(s->db, s->uuid, sizeof(s->uuid), error);
	if (r == 0)
		r = read_revision(s, &s->revision, error);
	if (r < 0) {
		store_close(s);
		return r;
	}
	*ret = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(s->statements[i]);
	sqlite3_close(s->db);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

const char *store_uuid(const struct store *s)
{
	return s->uuid;
}

uint64_t store_revision(struct store *s)
{
	uint64_t revision;

	pthread_mutex_lock(&s->lock);
	revision = s->revision;
	pthread_mutex_unlock(&s->lock);
	return revision;
}

static struct store_row read_row(sqlite3_stmt *st)
{
	return (struct store_row){
		.resource = (uint64_t)sqlite3_column_int64(st, 0),
		.attribute = (const char *)sqlite3_column_text(st, 1),
		.has_value = sqlite3_column_type(st, 2) != SQLITE_NULL,
		.value = sqlite3_column_blob(st, 2),
		.len = (size_t)sqlite3_column_bytes(st, 2),
		.mtime = sqlite3_column_int64(st, 3),
		.mode = sqlite3_column_int(st, 4),
		.uid = sqlite3_column_int64(st, 5),
		.gid = sqlite3_column_int64(st, 6),
		.revision = (uint64_t)sqlite3_column_int64(st, 7),
	};
}

int store_list(struct store *s, int (*each)(void *context, const struct store_row *row),
	       void *context, struct ec2fs_error *error)
{
	sqlite3_stmt *list = s->statements[LIST];
	int r = 0, step = SQLITE_ROW;

	pthread_mutex_lock(&s->lock);
	while (r == 0 && (step = sqlite3_step(list)) == SQLITE_ROW) {
		struct store_row row = read_row(list);

		r = each(context, &row);
	}
	if (r == 0 && step != SQLITE_DONE)
		r = tell(s, "reading the state", error);
	sqlite3_reset(list);
	pthread_mutex_unlock(&s->lock);
	return r;
}

int store_get(struct store *s, uint64_t resource, const char *attribute,
	      int (*each)(void *context, const struct store_row *row), void *context,
	      struct ec2fs_error *error)
{
	sqlite3_stmt *get = s->statements[GET];
	int r, step;

	pthread_mutex_lock(&s->lock);
	sqlite3_bind_int64(get, 1, (sqlite3_int64)resource);
	sqlite3_bind_text(get, 2, attribute, -1, SQLITE_STATIC);
	step = sqlite3_step(get);
	if (step == SQLITE_ROW) {
		struct store_row row = read_row(get);

		r = each(context, &row);
	} else if (step == SQLITE_DONE) {
		r = ec2fs_fail(error, EC2_UnknownParameter, "resource %" PRIu64 " has no %s",
			       resource, attribute);
	} else {
		r = tell(s, "reading the state", error);
	}
	sqlite3_reset(get);
	sqlite3_clear_bindings(get);
	pthread_mutex_unlock(&s->lock);
	return r;
}

static int do_step(struct store *s, sqlite3_stmt *st, struct ec2fs_error *error)
{
	int r = sqlite3_step(st) == SQLITE_DONE ? 0 : tell(s, "writing the state", error);

	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return r;
}

static int apply(struct store *s, const struct store_op *op, uint64_t revision,
		 struct ec2fs_error *error)
{
	const struct store_row *row = &op->row;
	sqlite3_stmt *st;

	switch (op->verb) {
	case STORE_PUT:
		st = s->statements[PUT];
		sqlite3_bind_int64(st, 1, (sqlite3_int64)row->resource);
		sqlite3_bind_text(st, 2, row->attribute, -1, SQLITE_STATIC);
		if (row->has_value)
			sqlite3_bind_blob64(st, 3, row->len ? row->value : "", row->len,
					    SQLITE_STATIC);
		sqlite3_bind_int64(st, 4, row->mtime);
		sqlite3_bind_int(st, 5, row->mode);
		sqlite3_bind_int64(st, 6, row->uid);
		sqlite3_bind_int64(st, 7, row->gid);
		sqlite3_bind_int64(st, 8, (sqlite3_int64)revision);
		break;
	case STORE_DELETE:
		st = s->statements[DELETE_ONE];
		sqlite3_bind_int64(st, 1, (sqlite3_int64)row->resource);
		sqlite3_bind_text(st, 2, row->attribute, -1, SQLITE_STATIC);
		break;
	default:
		st = s->statements[DELETE_ALL];
		sqlite3_bind_int64(st, 1, (sqlite3_int64)row->resource);
	}
	return do_step(s, st, error);
}

static int commit(struct store *s, uint64_t expected, const struct store_op *ops, size_t count,
		  struct ec2fs_error *error)
{
	uint64_t revision = 0;
	int r = run(s, "BEGIN IMMEDIATE", error);

	if (r < 0)
		return r;
	r = read_revision(s, &revision, error);
	if (r == 0 && revision != expected)
		r = ec2fs_fail(error, EC2_RequestLimitExceeded,
			       "the state has been changed by another writer meanwhile");
	for (size_t i = 0; r == 0 && i < count; i++)
		r = apply(s, &ops[i], revision + 1, error);
	if (r == 0) {
		sqlite3_bind_int64(s->statements[SET_REVISION], 1, (sqlite3_int64)revision + 1);
		r = do_step(s, s->statements[SET_REVISION], error);
	}
	if (r == 0)
		r = run(s, "COMMIT", error);
	if (r == 0)
		s->revision = revision + 1;
	else if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

int store_commit(struct store *s, uint64_t expected, const struct store_op *ops, size_t count,
		 uint64_t *ret_revision, struct ec2fs_error *error)
{
	int r;

	pthread_mutex_lock(&s->lock);
	r = commit(s, expected, ops, count, error);
	if (r == 0 && ret_revision)
		*ret_revision = s->revision;
	if (r == 0 && s->watch)
		s->watch(s->watch_context, s->revision, ops, count);
	pthread_mutex_unlock(&s->lock);
	return r;
}

void store_watch(struct store *s, store_watch_fn *fn, void *context)
{
	pthread_mutex_lock(&s->lock);
	s->watch = fn;
	s->watch_context = context;
	pthread_mutex_unlock(&s->lock);
}
