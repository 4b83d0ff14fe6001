/*
 * Scratch files: what editors and copying tools make beside an attribute (sedXXXXXX, .f.swp, f~)
 * until they rename it onto the attribute or remove it. They live in memory (next to a disk image:
 * in a blob begun for it), are listed to their owner only, and vanish when unused for ten minutes.
 */
#ifndef EC2FS_FS_SCRATCH_H
#define EC2FS_FS_SCRATCH_H

#include "ec2fs/fs/internal.h"

#include <sys/stat.h>

enum scratch_kind {
	SCRATCH_FILE,
	SCRATCH_LINK, /* a symlink */
	/* A link that a copying tool makes in its copy: for the tool alone, as long as it copies.
	 * The copy is attached to nothing. */
	SCRATCH_COPIED_LINK,
	SCRATCH_NEW /* a free file (a tag) between its CREATE and the write that makes it */
};

struct scratch; /* counted */

struct scratches *scratches_new(void);
void scratches_free(struct scratches *all); /* accepts NULL */

/*
 * Makes one; content is the target of a link. -EEXIST when there is one of that name, -ENOSPC when
 * there are too many. *ret is a reference.
 */
int scratch_make(struct fs *fs, tree_id dir, const char *name, enum scratch_kind kind, mode_t mode,
		 const struct tree_caller *who, const char *content, struct scratch **ret);
/* By name, or by the kernel's number; a reference, or NULL. */
struct scratch *scratch_find(struct fs *fs, tree_id dir, const char *name,
			     const struct tree_caller *who);
struct scratch *scratch_get(struct fs *fs, fuse_ino_t ino);
struct scratch *scratch_ref(struct scratch *s);
void scratch_unref(struct scratch *s); /* accepts NULL */
static inline void scratch_unrefp(struct scratch **s)
{
	scratch_unref(*s);
}
#define cleanup_scratch __attribute__((cleanup(scratch_unrefp)))

enum scratch_kind scratch_kind(const struct scratch *s);
fuse_ino_t scratch_ino(struct scratch *s);
/* The directory it is in. */
tree_id scratch_dir(struct scratch *s);
/* Its name, to be freed; NULL when it has none any more. */
char *scratch_name(struct scratch *s);

/* Those of that directory that this user is to see, after the cookie (their number without
 * SCRATCH_BIT). */
typedef int scratch_list_fn(void *context, const char *name, uint64_t cookie, struct scratch *s);
void scratch_list(struct fs *fs, tree_id dir, uid_t uid, uint64_t after, scratch_list_fn *emit,
		  void *context);

/* Does the directory have any, of whomever? */
bool scratch_in(struct fs *fs, tree_id dir);

/* Takes its name away (unlink). */
void scratch_drop(struct scratch *s);
/* Gives it another name, which one that has it loses. */
void scratch_move(struct scratch *s, tree_id dir, const char *name);
/* The kernel has this number for it, too. */
void scratch_alias(struct scratch *s, fuse_ino_t ino);
void scratch_unalias(struct fs *fs, fuse_ino_t ino);
/* It was taken as the content of that node: has no name and no content any more, but whoever still
 * has its number means the node. */
void scratch_become(struct scratch *s, tree_id id);
tree_id scratch_became(struct scratch *s); /* 0: it is still itself */

void scratch_stat(struct scratch *s, struct stat *ret);
void scratch_set_meta(struct scratch *s, const struct tree_meta *meta);
/* What was set on it by chmod, chown, utimens. */
struct tree_meta scratch_meta(struct scratch *s);

/* Bytes, or a negative errno. */
ssize_t scratch_read(struct scratch *s, char *buffer, size_t size, off_t off);
ssize_t scratch_write(struct scratch *s, const struct tree_caller *who, const char *data,
		      size_t len, off_t off, bool append);
int scratch_truncate(struct scratch *s, const struct tree_caller *who, off_t size);
/* Makes this its content, a copy of that attribute's. The descriptor is its own from here on, and
 * only read. */
void scratch_copy_text(struct scratch *s, tree_id id, const char *data, size_t len);
void scratch_copy_file(struct scratch *s, tree_id id, int fd, uint64_t size);
/* Is it a copy of that attribute, and are both as they were then? */
bool scratch_is_copy(struct scratch *s, tree_id id, const struct tree_caller *who);
/* Appends all of it; -EFBIG when that is more than max bytes. */
int scratch_content(struct scratch *s, size_t max, struct strbuf *out);
/* Makes its content that of a blob attribute, durably. Refusals are recorded. */
int scratch_commit_blob(struct scratch *s, tree_id id, const struct tree_caller *who);

#endif
