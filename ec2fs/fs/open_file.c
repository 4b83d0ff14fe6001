#include "ec2fs/fs/open_file.h"

#include "ec2fs/fs/callers.h"
#include "ec2fs/fs/invalidate.h"
#include "ec2fs/fs/nodes.h"
#include "ec2fs/fs/poll.h"
#include "ec2fs/fs/relinking.h"
#include "ec2fs/util/memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct open_files {
	pthread_mutex_t lock;
	struct open_file *first;
	struct open_file *first_document; /* of documents opened to be written */
	atomic_size_t documents;          /* how many these are */
	atomic_size_t logs;               /* how many logs have readers with a size of their own */
};

struct open_files *open_files_new(void)
{
	struct open_files *all = xnew(struct open_files);

	pthread_mutex_init(&all->lock, NULL);
	return all;
}

static void add_to(struct open_files *all, struct open_file *of)
{
	pthread_mutex_lock(&all->lock);
	of->next = all->first;
	if (of->next)
		of->next->previous = of;
	all->first = of;
	pthread_mutex_unlock(&all->lock);
}

static void take_from(struct open_files *all, struct open_file *of)
{
	pthread_mutex_lock(&all->lock);
	if (of->next)
		of->next->previous = of->previous;
	if (of->previous)
		of->previous->next = of->next;
	else
		all->first = of->next;
	pthread_mutex_unlock(&all->lock);
}

/* From now on open_file_length finds it; id, flags and who are what they stay. */
static void add_document(struct open_files *all, struct open_file *of)
{
	pthread_mutex_lock(&all->lock);
	of->is_document = true;
	of->next_document = all->first_document;
	if (of->next_document)
		of->next_document->previous_document = of;
	all->first_document = of;
	all->documents++;
	pthread_mutex_unlock(&all->lock);
}

static void take_document(struct open_files *all, struct open_file *of)
{
	pthread_mutex_lock(&all->lock);
	if (of->next_document)
		of->next_document->previous_document = of->previous_document;
	if (of->previous_document)
		of->previous_document->next_document = of->next_document;
	else
		all->first_document = of->next_document;
	all->documents--;
	pthread_mutex_unlock(&all->lock);
}

bool open_file_length(struct fs *fs, tree_id id, pid_t writer, uint64_t *ret)
{
	struct open_files *all = fs->open_files;
	bool found = false;

	if (!atomic_load(&all->documents))
		return false;
	pthread_mutex_lock(&all->lock);
	for (struct open_file *of = all->first_document; of && !found; of = of->next_document) {
		/* A writer that asks is not writing; under this lock nobody is waited for. */
		if (of->id != id || of->who.pid != writer || pthread_mutex_trylock(&of->lock) != 0)
			continue;
		if (of->dirty) {
			*ret = of->text.len;
			found = true;
		}
		pthread_mutex_unlock(&of->lock);
	}
	pthread_mutex_unlock(&all->lock);
	return found;
}

bool open_file_log_from(struct fs *fs, tree_id id, const struct tree_caller *who, int64_t *ret)
{
	struct open_files *all = fs->open_files;
	bool found = false;
	pid_t process;

	if (!atomic_load(&all->logs))
		return false;
	process = caller_process(who);
	pthread_mutex_lock(&all->lock);
	for (struct open_file *of = all->first; process && of; of = of->next) {
		if (of->process != process || of->id != id)
			continue;
		*ret = atomic_load(&of->log_from);
		found = true;
	}
	pthread_mutex_unlock(&all->lock);
	return found;
}

void open_files_free(struct fs *fs)
{
	struct open_files *all = fs->open_files;

	if (!all)
		return;
	while (all->first) {
		atomic_store(&all->first->references, 1);
		open_file_unref(fs, all->first);
	}
	pthread_mutex_destroy(&all->lock);
	free(all);
}

struct open_file *open_file_new(struct fs *fs, enum open_mode mode, const struct tree_caller *who)
{
	struct open_file *of = xnew(struct open_file);

	atomic_init(&of->references, 1);
	pthread_mutex_init(&of->lock, NULL);
	of->mode = mode;
	of->who = *who;
	of->fd = -1;
	add_to(fs->open_files, of);
	return of;
}

struct open_file *open_file_ref(struct open_file *of)
{
	atomic_fetch_add(&of->references, 1);
	return of;
}

/* Under the list's lock: one that it still has, unless its last reference is gone. */
static bool ref_unless_gone(struct open_file *of)
{
	unsigned count = atomic_load(&of->references);

	while (count && !atomic_compare_exchange_weak(&of->references, &count, count + 1))
		;
	return count;
}

void open_file_unref(struct fs *fs, struct open_file *of)
{
	if (atomic_fetch_sub(&of->references, 1) != 1)
		return;
	take_from(fs->open_files, of);
	if (of->is_document)
		take_document(fs->open_files, of);
	if (of->process)
		fs->open_files->logs--;
	if (of->claims)
		wait_ino_release(fs, of->ino);
	poll_forget(fs, (uintptr_t)of);
	if (of->blob)
		tree_blob_free(of->blob); /* with its descriptor */
	else if (of->fd >= 0)
		close(of->fd);
	luks_free(of->luks);
	if (of->scratch)
		scratch_touch(of->scratch);
	scratch_unref(of->scratch);
	strbuf_free(&of->shown);
	strbuf_free(&of->text);
	pthread_mutex_destroy(&of->lock);
	free(of);
}

/* References to documents that this user may be about to write; the array is to be freed. */
static struct open_file **written_by(struct open_files *all, tree_id id, uid_t uid, size_t *ret)
{
	struct open_file **found = NULL;
	size_t count = 0, capacity = 0;

	pthread_mutex_lock(&all->lock);
	for (struct open_file *of = all->first_document; of; of = of->next_document) {
		if (of->id != id || of->who.uid != uid || !ref_unless_gone(of))
			continue;
		array_reserve(found, count, capacity);
		found[count++] = of;
	}
	pthread_mutex_unlock(&all->lock);
	*ret = count;
	return found;
}

/* Calls each, under its lock, with those that the caller's process writes; true: one did. */
static bool each_written_by(struct fs *fs, tree_id id, const struct tree_caller *who,
			    bool (*each)(struct fs *fs, struct open_file *of))
{
	size_t count;
	struct open_file **found = written_by(fs->open_files, id, who->uid, &count);
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		if (caller_is_same(&found[i]->who, who)) {
			pthread_mutex_lock(&found[i]->lock);
			any = each(fs, found[i]) || any;
			pthread_mutex_unlock(&found[i]->lock);
		}
		open_file_unref(fs, found[i]);
	}
	free(found);
	return any;
}

static bool truncate_it(struct fs *fs, struct open_file *of)
{
	return open_file_truncate(fs, of, 0) == 0;
}

bool open_files_truncate(struct fs *fs, tree_id id, const struct tree_caller *who)
{
	return each_written_by(fs, id, who, truncate_it);
}

static bool settle_it(struct fs *fs, struct open_file *of)
{
	open_file_settle(fs, of);
	return true;
}

/*
 * Who opens for writing what his process has written and not closed goes on where that ended. An
 * SFTP server is told to open a file before it is told to close it, whatever the program at the
 * other end did, which for that one's readers has closed it.
 */
static void take_what_it_wrote(struct fs *fs, tree_id id, const struct tree_caller *who, bool write)
{
	if (atomic_load(&fs->open_files->documents) && (write || caller_is_sftp_server(who)))
		each_written_by(fs, id, who, settle_it);
}

/* An NFS server's thread speaks for many: each of its clients keeps one size for all its readers.
 */
static int open_log(struct fs *fs, struct open_file *of)
{
	uint64_t start;
	int r = tree_show_log(fs->tree, of->id, &of->who, &start, &of->shown);
	pid_t process = caller_is_kernel(&of->who) ? 0 : caller_process(&of->who);

	of->rendered = true;
	if (r < 0)
		return r;
	pthread_mutex_lock(&fs->open_files->lock);
	atomic_store(&of->log_from, (int64_t)start);
	of->process = process;
	fs->open_files->logs += process != 0;
	pthread_mutex_unlock(&fs->open_files->lock);
	return 0;
}

static bool writes(int flags)
{
	return (flags & O_ACCMODE) != O_RDONLY;
}

static int refuse_writing(struct fs *fs, const struct tree_node *node,
			  const struct tree_caller *who)
{
	struct ec2fs_error error;

	ec2fs_fail(&error, EC2_UnauthorizedOperation, "it tells what is, and cannot be written");
	return tree_refuse(fs->tree, node->id, NULL, who, NULL, 0, &error);
}

/* cp -r onto a resource that is there: IDs and states of the original are passed over. */
static bool copies_file(struct fs *fs, tree_id id, const struct tree_caller *who)
{
	struct strbuf path cleanup_strbuf = STRBUF_INIT;
	const char *slash;

	if (tree_path(fs->tree, id, &path) < 0)
		return false;
	slash = strrchr(strbuf_str(&path), '/');
	return caller_reads(who, slash ? slash + 1 : strbuf_str(&path));
}

/*
 * What the kernel may do with what it reads. Through its cache it gives the pages that one open
 * file filled, cut at the size that another request told: while a node changes these need not
 * belong together, and the reader would see half a value. So it reads past the cache then. (One who
 * opened a quiet file before the first change and reads after it may still see that.)
 */
static void set_caching(struct fs *fs, struct open_file *of, bool live, struct fuse_file_info *fi)
{
	of->cached = !writes(fi->flags) && !live && !changed_since(fs, of->id, of->since) &&
		     !changed_lately(fs, of->id);
	fi->direct_io = !of->cached;
	fi->keep_cache = of->cached;
	fi->noflush = !writes(fi->flags);
}

int open_node(struct fs *fs, const struct tree_node *node, const struct tree_caller *who,
	      uint64_t since, struct fuse_file_info *fi)
{
	bool blob = node->flags & TREE_BLOB, write = writes(fi->flags);
	struct open_file *of;
	int r = 0;

	if (write && (node->flags & TREE_COMPUTED)) {
		if (!(fi->flags & O_TRUNC) || !copies_file(fs, node->id, who))
			return refuse_writing(fs, node, who);
		open_discarding(fs, node->id, who, fi);
		return 0;
	}
	take_what_it_wrote(fs, node->id, who, write);
	of = open_file_new(fs, blob ? OPEN_BLOB : OPEN_TEXT, who);
	if (write) {
		caller_fill_groups(&of->who);
		relinking_goes_on(fs, who, 0, NULL);
		relinking_wrote(fs, who);
	}
	/* It is listed already, and looked at by these. */
	pthread_mutex_lock(&fs->open_files->lock);
	of->id = node->id;
	of->flags = node->flags;
	of->writer = write;
	pthread_mutex_unlock(&fs->open_files->lock);
	of->max = node->max;
	of->since = since;
	of->opened = monotonic_now();
	of->append = fi->flags & O_APPEND;
	of->truncated = fi->flags & O_TRUNC;
	if (blob && !write) {
		r = tree_blob_open(fs->tree, node->id, &of->luks, &of->fd, &of->size);
		r = r == -ENODATA ? 0 : r;
	}
	set_caching(fs, of, node_is_live(node), fi);
	if (r == 0 && !blob && !write && (node->flags & TREE_LOG)) {
		r = open_log(fs, of);
	} else if (r == 0 && !blob && !write && !of->cached) {
		/* Mostly the kernel has what it keeps, and does not ask: that is rendered when it
		 * does. */
		r = tree_show(fs->tree, node->id, who, &of->shown);
		of->rendered = true;
	}
	if (r < 0) {
		open_file_unref(fs, of);
		return r;
	}
	fi->fh = (uintptr_t)of;
	if (write && !blob && (of->flags & TREE_DOCUMENT))
		add_document(fs->open_files, of);
	return 0;
}

void open_discarding(struct fs *fs, tree_id id, const struct tree_caller *who,
		     struct fuse_file_info *fi)
{
	struct open_file *of = open_file_new(fs, OPEN_DISCARD, who);

	relinking_wrote(fs, who);

	of->id = id;
	fi->direct_io = 1;
	fi->fh = (uintptr_t)of;
}

void open_scratch(struct fs *fs, struct scratch *s, const struct tree_caller *who,
		  struct fuse_file_info *fi)
{
	struct open_file *of =
		open_file_new(fs, scratch_kind(s) == SCRATCH_NEW ? OPEN_NEW : OPEN_SCRATCH, who);

	of->scratch = scratch_ref(s);
	of->append = fi->flags & O_APPEND;
	of->flags = TREE_SCALAR;
	of->max = 4096;
	fi->direct_io = 1;
	fi->fh = (uintptr_t)of;
}
