/* Resources as rows of the store, and back. */
#ifndef EC2FS_MODEL_ROWS_H
#define EC2FS_MODEL_ROWS_H

#include "ec2fs/model/resource.h"
#include "ec2fs/store/store.h"

/* The operations of one commit; values are borrowed from the resources. */
struct rows {
	struct store_op *ops;
	size_t count, capacity;
	char **texts; /* made for this commit */
	size_t text_count, text_capacity;
};

/* What turns was (NULL: new) into is (which may be marked deleted). */
void rows_add_change(struct rows *rows, const struct resource *was, const struct resource *is);
void rows_add_next_number(struct rows *rows, uint64_t next);
void rows_free(struct rows *rows);

/* Is this the row of the next free number? Then *number is set. */
bool rows_next_number(const struct store_row *row, uint64_t *number);
/* A resource that has no facts yet. */
struct resource *rows_begin_resource(uint64_t number);
/* Adds what the row says; -EBADMSG when it makes no sense. */
int rows_read(struct resource *r, const struct store_row *row);

#endif
