/*
 * The write protocol. A single value takes effect with the write that completes it, for shells
 * ignore a failing close; a document is checked as it comes and taken when it is closed. What was
 * refused is dropped, so that a later close does not store half of it.
 */
#include "ec2fs/fs/open_file.h"

#include "ec2fs/fs/blob_file.h"
#include "ec2fs/fs/callers.h"
#include "ec2fs/fs/invalidate.h"
#include "ec2fs/fs/set_times.h"
#include "ec2fs/fs/waiters.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <string.h>
#include <unistd.h>

static int refuse(struct fs *fs, struct open_file *of, const struct ec2fs_error *error)
{
	return tree_refuse(fs->tree, of->id, NULL, &of->who, of->text.data, of->text.len, error);
}

static void drop(struct open_file *of)
{
	strbuf_truncate(&of->text, 0);
	of->started = of->dirty = false;
}

/* What was taken, with the offset where the writer is now: what follows is a new value. */
static void begin_anew(struct open_file *of, off_t at)
{
	drop(of);
	of->base = at;
	of->started = true;
	of->truncated = true;
}

/* Gives text its beginning before the first write: nothing, or what the file holds. */
static int start(struct fs *fs, struct open_file *of, off_t off)
{
	bool whole_value = !(of->flags & TREE_DOCUMENT);
	int r = 0;

	if (of->started)
		return 0;
	strbuf_truncate(&of->text, 0);
	of->base = 0;
	if (of->mode == OPEN_TEXT && !of->truncated && !(whole_value && off == 0))
		r = tree_show(fs->tree, of->id, &of->who, &of->text);
	of->started = r == 0;
	return r;
}

/* Puts the bytes into text where they belong; *end is behind them. */
static int place(struct fs *fs, struct open_file *of, const char *data, size_t len, off_t off,
		 size_t *end)
{
	struct ec2fs_error error;
	size_t at;

	if (of->append)
		off = of->base + (off_t)of->text.len;
	/* A new value may be written at the beginning again, or behind the one before. */
	if (!of->text.len && off == 0)
		of->base = 0;
	if (off < of->base || (uint64_t)(off - of->base) > of->text.len) {
		ec2fs_fail(&error, EC2_InvalidParameterValue,
			   "written from byte %lld on, without what comes before; write it whole",
			   (long long)off);
		return refuse(fs, of, &error);
	}
	at = (size_t)(off - of->base);
	if (len > of->max + 1 || at + len > of->max + 1) {
		ec2fs_fail(&error, EC2_ValueTooLong, "it takes at most %zu bytes", of->max);
		return refuse(fs, of, &error);
	}
	/* A single value that is written anew from its beginning has no old end. */
	if (at < of->text.len && (!(of->flags & TREE_DOCUMENT) || at + len >= of->text.len))
		strbuf_truncate(&of->text, at);
	if (at == of->text.len)
		strbuf_add(&of->text, data, len);
	else
		memcpy(of->text.data + at, data, len);
	*end = at + len;
	return 0;
}

/* Under the directory's commit lock. */
static int make_free_file(struct fs *fs, struct open_file *of, const char *text, size_t len)
{
	cleanup_free char *name = scratch_name(of->scratch);
	struct tree_node made;
	struct stat st;
	int r;

	if (!name)
		return -ENOENT;
	scratch_stat(of->scratch, &st);
	r = tree_create(fs->tree, scratch_dir(of->scratch), name, st.st_mode & 07777, &of->who,
			text, len, &made);
	if (r < 0)
		return r;
	scratch_become(of->scratch, made.id);
	of->id = made.id;
	return 0;
}

/* Makes the free file, or sets the value. */
int open_file_take(struct fs *fs, struct open_file *of, const char *text, size_t len)
{
	pthread_mutex_t *lock;
	int r = 0;

	if (of->mode == OPEN_NEW) {
		/* Two handles may have the name open before either has made the file. */
		lock = commit_lock(fs, scratch_dir(of->scratch));
		pthread_mutex_lock(lock);
		of->id = scratch_became(of->scratch);
		if (!of->id)
			r = make_free_file(fs, of, text, len);
		else
			r = tree_store(fs->tree, of->id, &of->who, text, len);
		pthread_mutex_unlock(lock);
		if (r == 0)
			of->mode = OPEN_TEXT;
		return r;
	}
	return tree_store(fs->tree, of->id, &of->who, text, len);
}
/* A scalar: text is taken as soon as it is a whole value. */
static int write_scalar(struct fs *fs, struct open_file *of)
{
	const char *text = strbuf_str(&of->text);
	size_t len = of->text.len;
	struct ec2fs_error error;
	bool ended = len && text[len - 1] == '\n';
	int r;

	if (!ended && len == 1 && of->mode == OPEN_TEXT) {
		/* Some editors write one byte, then the rest. */
		r = tree_check(fs->tree, of->id, &of->who, text, len, true, &error);
		if (r < 0 && r != -EINVAL && r != -ENOENT && r != -ERANGE) {
			r = refuse(fs, of, &error);
			drop(of);
			return r;
		}
		of->dirty = true;
		return 0;
	}
	r = open_file_take(fs, of, text, len);
	if (r < 0)
		drop(of);
	else if (ended)
		begin_anew(of, of->base + (off_t)len);
	else
		of->dirty = false; /* the value may go on with the next write */
	return r;
}

void open_file_wrote(struct open_file *of)
{
	of->dirty = true;
	of->written = monotonic_now();
}

static int take_all(struct fs *fs, struct open_file *of)
{
	struct tree_meta time = {.set = TREE_SET_MTIME};
	int r;

	if (of->mode == OPEN_BLOB)
		r = blob_file_flush(of);
	else
		r = open_file_take(fs, of, strbuf_str(&of->text), of->text.len);
	of->dirty = false;
	if (r < 0)
		drop(of);
	else if (of->written && time_set_since(fs, of->id, of->written, &time.mtime))
		tree_set_meta(fs->tree, of->id, &of->who, &time);
	return r;
}

static int write_document(struct fs *fs, struct open_file *of, size_t end)
{
	struct ec2fs_error error;
	const char *text = strbuf_str(&of->text);
	/* Who writes over what is there is not through; its old end may still be cut off. */
	bool whole = end && end == of->text.len && text[end - 1] == '\n';
	int r = tree_check(fs->tree, of->id, &of->who, text, end, whole, &error);

	if (r == -EAGAIN && !whole)
		r = 0;
	if (r < 0) {
		r = refuse(fs, of, &error);
		drop(of);
		return r;
	}
	open_file_wrote(of);
	return whole && of->synced ? take_all(fs, of) : 0;
}

/* ctl: every line is a verb. */
static int write_command(struct fs *fs, struct open_file *of)
{
	const char *text = strbuf_str(&of->text);
	size_t len = of->text.len, done = 0;
	int r = 0;

	while (r == 0 && done < len) {
		const char *end = memchr(text + done, '\n', len - done);
		size_t n = end ? (size_t)(end - text) + 1 - done : len - done;

		r = tree_store(fs->tree, of->id, &of->who, text + done, n);
		done += n;
	}
	begin_anew(of, of->base + (off_t)len);
	return r;
}

/* wait: the line is asked for until the tree answers. */
static int write_wait(struct fs *fs, struct open_file *of, fuse_req_t req, size_t len)
{
	cleanup_free char *line =
		xasprintf("%.*s", (int)strcspn(strbuf_str(&of->text), "\n"), strbuf_str(&of->text));
	int64_t timeout;
	int r = tree_wait(fs->tree, of->id, &of->who, line, &timeout);

	begin_anew(of, of->base + (off_t)of->text.len);
	/* A thread of the NFS server that slept here would be one less for its other clients; so
	 * the client is made to ask again. */
	if (r == -EINPROGRESS && timeout == INT64_MAX && caller_is_kernel(&of->who))
		return -ERESTART;
	if (r == -EINPROGRESS)
		waiter_park(fs, req, of->ino, of->id, line, len, timeout);
	return r;
}

int open_file_write(struct fs *fs, struct open_file *of, fuse_req_t req, const char *data,
		    size_t len, off_t off)
{
	size_t end = 0;
	int r;

	of->wrote = true;
	if (of->mode == OPEN_DISCARD)
		return 0;
	if (of->mode == OPEN_SCRATCH) {
		ssize_t n = scratch_write(of->scratch, &of->who, data, len, off, of->append);

		return n < 0 ? (int)n : 0;
	}
	r = start(fs, of, off);
	if (r == 0)
		r = place(fs, of, data, len, off, &end);
	if (r < 0) {
		drop(of);
		return r;
	}
	if (of->flags & TREE_WAIT)
		return write_wait(fs, of, req, len);
	if (of->flags & TREE_COMMAND)
		return write_command(fs, of);
	return of->flags & TREE_DOCUMENT ? write_document(fs, of, end) : write_scalar(fs, of);
}

/* Opened to be emptied, or to be made with nothing in it? `: > f`, `cp /dev/null f`, touch(1). */
static bool is_to_be_empty(const struct open_file *of)
{
	if (of->wrote || of->emptied)
		return false;
	return of->mode == OPEN_NEW ||
	       (of->mode == OPEN_TEXT && (of->flags & TREE_DOCUMENT) && of->truncated);
}

static int empty(struct fs *fs, struct open_file *of)
{
	of->emptied = true;
	if (of->mode == OPEN_NEW && scratch_became(of->scratch))
		return 0;
	return open_file_take(fs, of, "", 0);
}

int open_file_flush(struct fs *fs, struct open_file *of, const struct tree_caller *closer)
{
	enum closing closing = CLOSES_UNTOLD;

	if (!of->dirty && !is_to_be_empty(of))
		return 0;
	if (closer)
		closing = caller_closes(closer, of->id ? of->id : scratch_ino(of->scratch));
	if (closing == CLOSES_ONE)
		return 0; /* the writer is not through */
	/* Else open_file_finish does it. */
	if (!of->dirty)
		return closing == CLOSES_LAST ? empty(fs, of) : 0;
	if (closer && caller_is_killed(closer)) {
		/* Half of what it was to be. */
		drop(of);
		if (of->mode == OPEN_BLOB)
			blob_file_drop(of, -EIO);
		return 0;
	}
	return take_all(fs, of);
}

void open_file_settle(struct fs *fs, struct open_file *of)
{
	if (of->dirty && of->text.len && of->text.data[of->text.len - 1] == '\n')
		take_all(fs, of);
	else if (is_to_be_empty(of))
		empty(fs, of);
}

void open_file_finish(struct fs *fs, struct open_file *of)
{
	open_file_flush(fs, of, NULL);
	if (is_to_be_empty(of))
		empty(fs, of);
	if (of->mode == OPEN_NEW && !scratch_became(of->scratch))
		scratch_drop(of->scratch); /* refused: it never was */
}

static int refuse_hole(struct fs *fs, struct open_file *of, off_t size)
{
	struct ec2fs_error error;
	int r;

	if ((uint64_t)size > of->max)
		ec2fs_fail(&error, EC2_ValueTooLong, "it takes at most %zu bytes", of->max);
	else
		ec2fs_fail(&error, EC2_InvalidParameterValue,
			   "grown to %lld bytes, of which some were not written; write it whole",
			   (long long)size);
	r = refuse(fs, of, &error);
	drop(of);
	return r;
}

int open_file_truncate(struct fs *fs, struct open_file *of, off_t size)
{
	int r;

	switch (of->mode) {
	case OPEN_DISCARD:
		return 0;
	case OPEN_SCRATCH:
		return scratch_truncate(of->scratch, &of->who, size);
	case OPEN_BLOB:
		return blob_file_truncate(fs, of, size);
	default:
		break;
	}
	if (size == 0) {
		of->truncated = true;
		of->wrote = of->emptied = false;
		drop(of);
		return 0;
	}
	r = start(fs, of, size);
	if (r < 0)
		return r;
	/* rsync --inplace cuts the old end off behind what it wrote; growing would make a hole,
	 * which is what cp makes of a file that is nothing else. */
	if ((uint64_t)size > (uint64_t)of->base + of->text.len) {
		of->emptied = true;
		return refuse_hole(fs, of, size);
	}
	if ((uint64_t)size < of->text.len && (of->flags & TREE_DOCUMENT)) {
		strbuf_truncate(&of->text, (size_t)size);
		open_file_wrote(of);
	}
	return 0;
}
