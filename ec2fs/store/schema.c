#include "ec2fs/store/schema.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* Step i leads from version i to i + 1. Never change one that was released: add the next. */
static const char *const steps[] = {
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	"INSERT INTO meta VALUES ('revision', 0);"
	"CREATE TABLE entries ("
	" resource INTEGER NOT NULL, attribute TEXT NOT NULL, value BLOB,"
	" mtime INTEGER NOT NULL, mode INTEGER NOT NULL,"
	" uid INTEGER NOT NULL, gid INTEGER NOT NULL, revision INTEGER NOT NULL,"
	" PRIMARY KEY (resource, attribute)) WITHOUT ROWID;",
};
#define VERSION ((int)(sizeof(steps) / sizeof(steps[0])))

static int tell(sqlite3 *db, struct ec2fs_error *error)
{
	return ec2fs_fail(error, EC2_InternalError, "the state's schema: %s", sqlite3_errmsg(db));
}

static int run(sqlite3 *db, const char *sql, struct ec2fs_error *error)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : tell(db, error);
}

static int take_number(void *context, int columns, char **values, char **names)
{
	(void)columns;
	(void)names;
	return sscanf(values[0], "%d", (int *)context) == 1 ? 0 : 1;
}

int schema_migrate(sqlite3 *db, struct ec2fs_error *error)
{
	char pragma[48];
	int version = 0, r;

	if (sqlite3_exec(db, "PRAGMA user_version", take_number, &version, NULL) != SQLITE_OK)
		return tell(db, error);
	if (version > VERSION)
		return ec2fs_fail(error, EC2_Unsupported,
				  "the state is of schema %d, and this ec2fs knows up to %d: use a "
				  "newer ec2fs",
				  version, VERSION);
	if (version == VERSION)
		return 0;
	r = run(db, "BEGIN IMMEDIATE", error);
	for (int i = version; r == 0 && i < VERSION; i++)
		r = run(db, steps[i], error);
	snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d; COMMIT", VERSION);
	if (r == 0)
		r = run(db, pragma, error);
	if (r < 0 && !sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

struct text {
	char *at;
	size_t size;
};

static int take_text(void *context, int columns, char **values, char **names)
{
	struct text *t = context;

	(void)columns;
	(void)names;
	snprintf(t->at, t->size, "%s", values[0]);
	return 0;
}

/* A random UUID (RFC 9562, version 4). */
static int make_uuid(sqlite3 *db, struct ec2fs_error *error)
{
	unsigned char b[16];
	char sql[128];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		return ec2fs_fail(error, EC2_InternalError, "no random bytes");
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	snprintf(sql, sizeof(sql),
		 "INSERT INTO meta VALUES ('uuid', '%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
		 "%02x%02x%02x%02x%02x%02x')",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		 b[13], b[14], b[15]);
	return run(db, sql, error);
}

int schema_uuid(sqlite3 *db, char *ret, size_t size, struct ec2fs_error *error)
{
	struct text t = {ret, size};
	int r = 0;

	for (int i = 0; i < 2 && r == 0; i++) {
		*ret = '\0';
		if (sqlite3_exec(db, "SELECT value FROM meta WHERE key = 'uuid'", take_text, &t,
				 NULL) != SQLITE_OK)
			return tell(db, error);
		if (*ret)
			return 0;
		r = make_uuid(db, error);
	}
	return r < 0 ? r : ec2fs_fail(error, EC2_InternalError, "the state has no UUID");
}
