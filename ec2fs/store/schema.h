/* The tables of the SQLite store, and the way from older ones. */
#ifndef EC2FS_STORE_SCHEMA_H
#define EC2FS_STORE_SCHEMA_H

#include "ec2fs/util/error.h"

#include <sqlite3.h>
#include <stddef.h>

/* Brings an empty or older database to today's schema, in one transaction. A newer one:
 * Unsupported. */
int schema_migrate(sqlite3 *db, struct ec2fs_error *error);
/* The UUID of the state, made at the first call. */
int schema_uuid(sqlite3 *db, char *ret, size_t size, struct ec2fs_error *error);

#endif
