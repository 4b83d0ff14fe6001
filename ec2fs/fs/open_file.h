/* One open file: what was rendered for its reader, or what its writer has written so far. */
#ifndef EC2FS_FS_OPEN_FILE_H
#define EC2FS_FS_OPEN_FILE_H

#include "ec2fs/fs/internal.h"
#include "ec2fs/fs/scratch.h"
#include "ec2fs/util/luks.h"
#include "ec2fs/util/strbuf.h"

enum open_mode {
	OPEN_TEXT,    /* a file of the tree whose content is text */
	OPEN_BLOB,    /* one whose content is a blob */
	OPEN_SCRATCH, /* a scratch file */
	OPEN_NEW,     /* a free file that its first complete write makes */
	OPEN_DISCARD  /* written by a copying tool, ignored */
};

struct open_file {
	/* A reader may close, and RELEASE come, as soon as the kernel has an answer: before the
	 * thread that answered is done with the file. */
	atomic_uint references;
	struct open_file *previous, *next;                   /* of all; under the list's lock */
	struct open_file *previous_document, *next_document; /* of documents being written; too */
	bool is_document;                                    /* it is in that list */
	pthread_mutex_t lock; /* all below but mode, id and flags of a node of the tree */
	enum open_mode mode;
	tree_id id;     /* of a node of the tree */
	fuse_ino_t ino; /* by which the kernel opened it; 0: by making it */
	unsigned flags; /* enum tree_flags */
	size_t max;     /* bytes it may hold */
	struct tree_caller who;
	struct scratch *scratch; /* of OPEN_SCRATCH and OPEN_NEW; a reference */
	bool claims;             /* its ino is this writer's own (wait_ino_claim) */
	bool cached;             /* the kernel keeps what is read */
	uint64_t since;          /* changes_now() of before it was rendered */
	bool rendered;
	int64_t opened;      /* monotonic ns */
	struct strbuf shown; /* what a reader gets */
	/* Of a log, which forgets its beginning: where shown begins, as its reader counts, and the
	 * whole log's byte at which he began; that up to which he has read (0: nothing). */
	uint64_t shown_from, log_read;
	_Atomic int64_t log_from; /* negative: it was begun anew since */
	pid_t process;            /* of a log's reader, whose size is its own; 0: it has none */

	struct strbuf text; /* what was written and is not whole yet, or may go on */
	off_t base;         /* where text begins, as the writer counts */
	bool started;       /* text holds something, or holds on purpose nothing */
	bool dirty;         /* text holds what was not stored */
	bool writer;        /* opened for writing */
	bool append;
	bool synced;     /* written with O_SYNC or O_DSYNC: what is whole is taken at once */
	bool truncated;  /* O_TRUNC, ftruncate to 0: what is there does not count */
	bool wrote;      /* at least once */
	bool emptied;    /* what O_TRUNC alone asks for was done, or refused */
	int64_t written; /* when text or blob last changed; monotonic ns */

	struct tree_blob *blob; /* being written; NULL: none, or committed */
	int fd;                 /* of the blob written, or read (-1: there is none) */
	uint64_t size;          /* of the blob read */
	struct luks *luks;      /* by which it is read; NULL: as it is */
	uint64_t unflushed;     /* bytes written since the disk was last set to work */
	int broken;             /* errno (negative) of a write to the blob that failed */
};

struct open_files *open_files_new(void);
/* Frees those, too, whose RELEASE never came: the mount was gone before. Accepts NULL. */
void open_files_free(struct fs *fs);

struct open_file *open_file_new(struct fs *fs, enum open_mode mode, const struct tree_caller *who);
struct open_file *open_file_ref(struct open_file *of);
void open_file_unref(struct fs *fs, struct open_file *of);

static inline struct open_file *open_file_of(const struct fuse_file_info *fi)
{
	return (struct open_file *)(uintptr_t)fi->fh;
}

static inline tree_id open_file_id(uint64_t handle)
{
	return ((const struct open_file *)(uintptr_t)handle)->id;
}

/* Sets up an open file for that node as opened with these flags (open(2)); -EACCES (recorded) when
 * it cannot be written and should be. fi gets what the kernel is to know. */
int open_node(struct fs *fs, const struct tree_node *node, const struct tree_caller *who,
	      uint64_t since, struct fuse_file_info *fi);
/* The same for a writer who is to be ignored. */
void open_discarding(struct fs *fs, tree_id id, const struct tree_caller *who,
		     struct fuse_file_info *fi);
/* The same for a scratch file (takes a reference of its own). */
void open_scratch(struct fs *fs, struct scratch *s, const struct tree_caller *who,
		  struct fuse_file_info *fi);

/* How long a document is to the process that writes it and has not closed it yet: git keeps what
 * fstat(2) says then. False: it writes nothing there. */
bool open_file_length(struct fs *fs, tree_id id, pid_t writer, uint64_t *ret);

/* Where a log that the caller's process reads begins to it: the first byte when it was opened, or
 * what it has seen forgotten since. The longest open counts. False: it reads no such file. */
bool open_file_log_from(struct fs *fs, tree_id id, const struct tree_caller *who, int64_t *ret);

/* Writes; under of->lock. 0 or a negative errno; -EINPROGRESS: the request was given to the
 * waiters. */
int open_file_write(struct fs *fs, struct open_file *of, fuse_req_t req, const char *data,
		    size_t len, off_t off);
/* Takes what is not stored yet (flush, fsync); under of->lock. closer is who closes a descriptor
 * of it, NULL at fsync. */
int open_file_flush(struct fs *fs, struct open_file *of, const struct tree_caller *closer);
/* The same for a document, when its writer's process looks at it again by another descriptor: what
 * ends in the middle of a line stays; under of->lock. */
void open_file_settle(struct fs *fs, struct open_file *of);
/* The same when the last descriptor is gone (RELEASE); under of->lock; of errors nobody hears. */
void open_file_finish(struct fs *fs, struct open_file *of);
/* text or blob has what is not stored yet; under of->lock. */
void open_file_wrote(struct open_file *of);
/* Makes that text the content, durably: sets the value, or makes the free file; under of->lock. */
int open_file_take(struct fs *fs, struct open_file *of, const char *text, size_t len);
/* ftruncate; under of->lock. */
int open_file_truncate(struct fs *fs, struct open_file *of, off_t size);
/* Truncates to nothing what that caller's process has open for writing; false: it has no such file
 * open, or not one whose writer is waited for (a document). Takes their locks. */
bool open_files_truncate(struct fs *fs, tree_id id, const struct tree_caller *who);

#endif
