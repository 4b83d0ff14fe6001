/*
 * tree: the namespace. Every directory kind is one static table of entries (name, mode, show,
 * store, flags); lookup, list, stat, show, store walk the same tables. The tree has no open files,
 * no kernel caches and no names of its own making: that is fs, above. What it changes, it changes
 * through the model, durably: a function that changed something returns when the change is on disk.
 *
 * A node is known by its tree_id: the number of a resource and, for a file or fixed directory of
 * it, a hash of that entry's name. The same file has the same tree_id for ever, across restarts,
 * and it is what st_ino shows. The root is TREE_ROOT. Bits 56-63 are always 0: fs has them for
 * itself.
 *
 * Functions return 0 or a negative errno. A refusal (of a change) is recorded here: in `errors` at
 * the root and in the `error` file of the resource concerned, so fs only passes the errno on. No
 * lock is held when they return; they never call back into fs but through tree_watch.
 */
#ifndef EC2FS_TREE_TREE_H
#define EC2FS_TREE_TREE_H

#include "ec2fs/util/error.h"
#include "ec2fs/util/luks.h"
#include "ec2fs/util/strbuf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef uint64_t tree_id;

#define TREE_ROOT ((tree_id)1)

struct tree; /* the namespace over one cloud */

#define CALLER_GROUPS 32

/* Who asks. */
struct tree_caller {
	uid_t uid;
	gid_t gid;
	pid_t pid;
	/* Its supplementary groups, as far as they fit; filled in for those who write. */
	unsigned group_count;
	gid_t groups[CALLER_GROUPS];
	/* A tool that copies whole resources (cp -r, tar, rsync): what a text names may come after
	 * it. */
	bool copies;
	/* What is written brings its own time: those that somebody set on directories above hold.
	 * (rsync sets them before it is done with what is in them.) */
	bool brings_time;
};

/* What a node is, beyond its mode. */
enum tree_flags {
	/* A file of one value: takes effect with the write that completes it. */
	TREE_SCALAR = 1 << 0,
	/* A file of many lines (rules, spec, user-data): takes effect at flush, fsync or rename
	   into place. */
	TREE_DOCUMENT = 1 << 1,
	/* A file too big for memory (a disk image): written to a blob, read from one. */
	TREE_BLOB = 1 << 2,
	/* Content changes without the model changing (console, metrics, events): never cached
	 * (direct_io, attribute timeout 0); rendered anew at each open. */
	TREE_LIVE = 1 << 3,
	/* Before tree_show call tree_refresh, which may take a second: not on a thread others need.
	 */
	TREE_REFRESH = 1 << 4,
	/* Content depends on who reads (errors): like TREE_LIVE. */
	TREE_PER_CALLER = 1 << 5,
	/* A write waits: keep asking tree_wait until it answers. Reading gives nothing. */
	TREE_WAIT = 1 << 6,
	/* unlink takes the value away (tags, user-data); for others unlink hides the name for a
	   moment. */
	TREE_OPTIONAL = 1 << 7,
	/* Somebody has written it (or set its mode, owner or time) since the resource was made. */
	TREE_WRITTEN = 1 << 8,
	/* A command file (ctl): a write is a verb; the same text again is the verb again; no
	   O_TRUNC meaning. */
	TREE_COMMAND = 1 << 9,
	/* A directory in which mkdir makes resources. */
	TREE_COLLECTION = 1 << 10,
	/* A directory that is a resource. */
	TREE_RESOURCE = 1 << 11,
	/* A directory whose plain files users make and name (tags/). */
	TREE_FREE_FILES = 1 << 12,
	/* Computed: cannot be written, but a copying tool that makes its own copy of a resource may
	 * write it and be ignored (see fs/maker.h). A directory of links that are (by-id). */
	TREE_COMPUTED = 1 << 13,
	/* A file or link that comes and goes by its name (a tag, an attachment). */
	TREE_FREE = 1 << 14,
	/* What acts when it is written (state, ctl, wait): a copying tool's copy leaves it out. */
	TREE_NOT_COPIED = 1 << 15,
	/* A resource that came with the one above it, and goes with it: to copying tools it is what
	 * a fixed directory is. */
	TREE_INBORN = 1 << 16,
	/* A live file that is a log: it grows at its end. Who reads past what there was sees what
	 * has come since (`tail -f`). */
	TREE_LOG = 1 << 17,
	/* A link that rm -r of what it is in leaves alone: it goes with that. */
	TREE_HELD = 1 << 18,
	/* A directory of links. */
	TREE_LINKS = 1 << 19,
	/* One whose links a copy of what it is in has, too: an instance's groups, not its volumes.
	 */
	TREE_COPIED_LINKS = 1 << 20,
	/* Optional; its resource does not go while it is there (an internet gateway). */
	TREE_HOLDS = 1 << 21,
};

/* Everything about one node. size is the true length of what reading gives that caller now. */
struct tree_node {
	tree_id id;
	unsigned flags; /* enum tree_flags */
	mode_t mode;    /* type and permission bits */
	uid_t uid;
	gid_t gid;
	uint64_t size;
	int64_t mtime; /* ns since the epoch, when the value last changed; 0: never written */
	int64_t ctime;
	unsigned nlink;
	size_t max;       /* most bytes a write may make it, 0: not writable */
	tree_id resource; /* the resource's own directory that this is, or is in; TREE_ROOT for the
			     root's */
};

/* A file that users make and name: a tag. A link that stands for a resource counts as one. */
static inline bool tree_is_free(const struct tree_node *n)
{
	return n->flags & TREE_FREE;
}

/* One node by its identity. -ESTALE when there is (no longer) such a node. */
int tree_stat(struct tree *t, tree_id id, const struct tree_caller *who, struct tree_node *ret);
/* The same but for a file's size, which is left 0: cheap. */
int tree_facts(struct tree *t, tree_id id, const struct tree_caller *who, struct tree_node *ret);
/* One name in a directory; "." and ".." are not asked here (tree_parent). -ENOENT, -ENOTDIR,
 * -ESTALE. */
int tree_lookup(struct tree *t, tree_id dir, const char *name, const struct tree_caller *who,
		struct tree_node *ret);
/* The same of a file or link that is not there now and may be at other times (a key pair's
 * private-key). */
int tree_lookup_absent(struct tree *t, tree_id dir, const char *name, const struct tree_caller *who,
		       struct tree_node *ret);
/* The directory that holds the node; the root's is the root. */
int tree_parent(struct tree *t, tree_id id, tree_id *ret);
/* The path below the mount point ("us-east-1/instances/web-1/state", "" for the root), for
 * messages. */
int tree_path(struct tree *t, tree_id id, struct strbuf *out);

/* Called with each name; cookie is stable (valid across opens and changes); non-zero ends the list.
 */
typedef int tree_list_fn(void *context, const char *name, uint64_t cookie,
			 const struct tree_node *node);
/* The entries after cookie `after` (0: from the beginning), without "." and "..". With full false
 * only id and mode of the node are set (cheap: nothing is rendered). Cookies are greater than 2.
 * No lock is held around emit. */
int tree_list(struct tree *t, tree_id dir, uint64_t after, bool full, const struct tree_caller *who,
	      tree_list_fn *emit, void *context);

/* A symlink's target, appended. */
int tree_readlink(struct tree *t, tree_id id, struct strbuf *out);
/* What reading gives, appended: any file but a blob. */
int tree_show(struct tree *t, tree_id id, const struct tree_caller *who, struct strbuf *out);
/* The same of a TREE_LOG; *ret_start: how many bytes of it came before these and are forgotten. */
int tree_show_log(struct tree *t, tree_id id, const struct tree_caller *who, uint64_t *ret_start,
		  struct strbuf *out);
/* Brings a TREE_REFRESH file up to date (a screenshot, figures from the hypervisor); blocks,
 * bounded by a few seconds; on failure the old content stays and 0 or the errno is returned. */
int tree_refresh(struct tree *t, tree_id id);

/* The name of a file of the resource that somebody has set and that is not among those gone; NULL:
 * there is none. Where spec is gone, so is what it names. Only those listed before that file or
 * directory; 0: all. The name lives for ever. */
const char *tree_left_in(struct tree *t, tree_id id, tree_id before, const tree_id *gone,
			 size_t count);
/* Would rmdir of the resource be refused now? Changes and records nothing. */
bool tree_stays(struct tree *t, tree_id id, const struct tree_caller *who);

/*
 * Would this text be taken? Changes and records nothing. `whole`: data is all there will be, else
 * only what has come so far: complete lines are judged, an unfinished last line gives -EAGAIN
 * unless what is there is wrong already. 0: it would be taken as it is.
 * Fills error (may be NULL) on any other answer.
 */
int tree_check(struct tree *t, tree_id id, const struct tree_caller *who, const void *data,
	       size_t len, bool whole, struct ec2fs_error *error);
/* Takes the whole new content, durably, or refuses it and records why. */
int tree_store(struct tree *t, tree_id id, const struct tree_caller *who, const void *data,
	       size_t len);
/* Takes an optional value away. -EPERM (recorded) where that is not possible. */
int tree_unset(struct tree *t, tree_id id, const struct tree_caller *who);

/* Makes a resource, or the first half of one. name is any bytes but '/' and NUL. */
int tree_mkdir(struct tree *t, tree_id dir, const char *name, mode_t mode,
	       const struct tree_caller *who, struct tree_node *ret);
int tree_rmdir(struct tree *t, tree_id dir, const char *name, const struct tree_caller *who);
/* Makes a file in a TREE_FREE_FILES directory, with content (a tag). */
int tree_create(struct tree *t, tree_id dir, const char *name, mode_t mode,
		const struct tree_caller *who, const void *data, size_t len, struct tree_node *ret);
/* replace: a link of that name goes, if the new one is taken. */
int tree_symlink(struct tree *t, tree_id dir, const char *name, const char *target, bool replace,
		 const struct tree_caller *who, struct tree_node *ret);
/* Removes a link or a free file by name (files with fixed names: tree_unset). */
int tree_unlink(struct tree *t, tree_id dir, const char *name, const struct tree_caller *who);
/* Renames a resource or free file; replace: an existing free file of the new name may go. */
int tree_rename(struct tree *t, tree_id from, const char *name, tree_id to, const char *new_name,
		bool replace, const struct tree_caller *who);

/* Which of a tree_meta's fields are set. */
enum tree_meta_set { TREE_SET_MODE = 1, TREE_SET_UID = 2, TREE_SET_GID = 4, TREE_SET_MTIME = 8 };
struct tree_meta {
	unsigned set;
	mode_t mode; /* permission bits */
	uid_t uid;
	gid_t gid;
	int64_t mtime; /* ns */
};
/* chmod, chown, utimens: kept durably; of every file, fixed directory and resource. The kernel has
 * checked that the caller may (default_permissions). */
int tree_set_meta(struct tree *t, tree_id id, const struct tree_caller *who,
		  const struct tree_meta *meta);

/* Records a refusal that fs made itself (a mistyped name, a rename across kinds): node is the
 * directory or file, name (may be NULL) what in it; wrote (may be NULL) the text, len bytes.
 * Returns the error's errno, negative. */
int tree_refuse(struct tree *t, tree_id id, const char *name, const struct tree_caller *who,
		const void *wrote, size_t len, const struct ec2fs_error *error);
/* The entry names of that directory nearest to a mistyped one, for the message: "did you mean X?";
 * may append nothing. */
void tree_suggest(struct tree *t, tree_id dir, const char *name, struct strbuf *out);

/* Blobs. Opens the current content for reading; -ENODATA when there is none (size 0). What is
 * encrypted is to be read with luks_read() by *ret_luks, which is not set for other content;
 * ret_luks NULL: -EOPNOTSUPP. */
int tree_blob_open(struct tree *t, tree_id id, struct luks **ret_luks, int *ret_fd,
		   uint64_t *ret_size);
/* How much room that content takes, in 512 bytes each: less than its size where it has holes.
 * False: that is not known. Does not block. */
bool tree_blob_blocks(struct tree *t, tree_id id, uint64_t *ret);
struct tree_blob; /* one being written */
/* Begins a new content; *ret_fd is for pread and pwrite and belongs to the blob. */
int tree_blob_begin(struct tree *t, tree_id id, const struct tree_caller *who,
		    struct tree_blob **ret, int *ret_fd);
/* Checks what was written and makes it the file's content, durably, or refuses and records why; may
 * be called again after more writes. */
int tree_blob_commit(struct tree_blob *blob);
/* Frees; an uncommitted one is gone. Accepts NULL. */
void tree_blob_free(struct tree_blob *blob);

/* A wait: has what was asked for come? 0: yes. -EINPROGRESS: not yet. Else it cannot any more, or
 * the text is malformed: the errno, recorded. *deadline (ns of CLOCK_MONOTONIC since begin,
 * INT64_MAX: none) is set from the text. */
int tree_wait(struct tree *t, tree_id id, const struct tree_caller *who, const char *text,
	      int64_t *ret_timeout);

/* What changed, told after it is durable and visible, from some thread that holds no lock. */
enum tree_event {
	TREE_CHANGED, /* content or facts of the node `id` */
	TREE_LEADS,   /* the symlink `id` leads elsewhere */
	TREE_ADDED, /* `name` in `parent` now exists (its directory's times are told separately) */
	TREE_GONE   /* `name` in `parent`, which was `id`, is gone or is another node now */
};
typedef void tree_watch_fn(void *context, enum tree_event event, tree_id id, tree_id parent,
			   const char *name);
void tree_watch(struct tree *t, tree_watch_fn *fn, void *context);

/* statfs of the tree: bytes of the storage behind that node. */
int tree_statfs(struct tree *t, tree_id id, uint64_t *total, uint64_t *available, uint64_t *files);

#endif
