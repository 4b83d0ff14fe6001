/* One scratch file, for scratch.c (names and lives) and scratch_content.c. */
#ifndef EC2FS_FS_SCRATCH_INTERNAL_H
#define EC2FS_FS_SCRATCH_INTERNAL_H

#include "ec2fs/fs/scratch.h"

struct scratch {
	struct fs *fs;
	enum scratch_kind kind;
	fuse_ino_t ino;
	uid_t owner;
	pid_t maker; /* the thread that made it */

	/* Under the table's lock. */
	unsigned references;
	bool kept;  /* the table has a reference of its own */
	char *name; /* NULL: it has none any more */
	tree_id dir;
	fuse_ino_t alias; /* 0: none */
	tree_id became;
	int64_t used; /* monotonic ns */

	/* Under lock. */
	pthread_mutex_t lock;
	struct tree_meta meta; /* what was set on it */
	mode_t mode;
	uid_t uid;
	gid_t gid;
	int64_t mtime;
	struct strbuf text;
	struct tree_blob *blob; /* being written, for the attribute blob_of */
	tree_id blob_of;
	int fd;          /* the blob's, or one of our own to read from; -1: the content is text */
	uint64_t size;   /* of fd */
	tree_id copy_of; /* the attribute that it was, renamed away, and still equals; 0: none */
};

/* Frees what it holds; its lock is held, or nobody else has it. */
void scratch_forget_content(struct scratch *s);

#endif
