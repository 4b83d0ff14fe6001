/*
 * The tables that the tree is made of. A directory kind (struct dir) is a list of fixed entries,
 * and may list resources of one kind or links beside them. To add an attribute: one line in the
 * table of its kind (kinds/), and one function that takes its text (in model/).
 */
#ifndef EC2FS_TREE_ENTRY_H
#define EC2FS_TREE_ENTRY_H

#include "ec2fs/model/cloud.h"
#include "ec2fs/tree/tree.h"
#include "ec2fs/util/strbuf.h"

#include <sys/stat.h>

struct dir;
struct entry;
struct luks;

/* What a show function has before it. Read-locked: no waiting, no I/O but of small local files. */
struct show {
	struct tree *tree;
	const struct view *view;
	const struct resource *r; /* whose entry it is */
	const struct entry *entry;
	const struct tree_caller *who;
	/* Of a TREE_LOG that forgets its beginning: how many bytes it has forgotten. May be NULL.
	 */
	uint64_t *log_start;
};

typedef void show_fn(const struct show *s, struct strbuf *out);
/* text is NUL-terminated; len tells its length, for documents that may hold NULs. A scalar's
 * comes without its newline. r is staged in v. */
typedef int store_fn(struct view *v, struct resource *r, const char *text, size_t len,
		     struct ec2fs_error *error);
typedef int unset_fn(struct view *v, struct resource *r, struct ec2fs_error *error);

/* What only a few entries need. */
struct entry_extra {
	/* Made before the store function runs, outside all locks, freed after it with free(). */
	int (*prepare)(const struct resource *r, const char *text, void **ret,
		       struct ec2fs_error *error);
	/* TREE_LIVE: is it, for now, as any other file: changed by changes of its resource alone?
	 * NULL: never. */
	bool (*still)(const struct show *s);
	/* TREE_REFRESH. Blocks; no lock held. */
	int (*refresh)(struct tree *t, uint64_t number, const char *id);
	/* TREE_WAIT: 0, -EINPROGRESS, or a refusal. */
	int (*wait)(const struct view *v, const struct resource *r, const char *text,
		    int64_t *ret_timeout, struct ec2fs_error *error);
	/* TREE_BLOB: is the file's content fit? *ret_value, to be freed, is what the field will
	 * hold after the blob's name. Blocks; no lock held. */
	int (*inspect)(int fd, char **ret_value, struct ec2fs_error *error);
	/* ENTRY_SPEC: do these texts mean the same? NULL: when they are equal. */
	bool (*same)(const char *one, const char *other);
	/* TREE_BLOB whose content may be elsewhere: its size now; and a descriptor for reading it,
	 * as tree_blob_open() tells. open blocks; no lock held. */
	uint64_t (*size)(const struct show *s);
	int (*open)(struct tree *t, uint64_t number, struct luks **ret_luks, int *ret_fd,
		    uint64_t *ret_size);
	/* The same: as tree_blob_blocks() tells. Does not block. */
	bool (*blocks)(struct tree *t, uint64_t number, uint64_t *ret);
};

struct entry {
	const char *name;
	mode_t mode;    /* type and default permission bits */
	unsigned flags; /* enum tree_flags, and those below */
	size_t max;     /* bytes; 0: SCALAR_MAX */
	/* Copying tools (cp -r) go through a directory by inode number: those with an order come
	 * after all others, in this order. What is built upon comes before what builds upon it. */
	unsigned order;
	const char *help; /* in README and ec2fs.tree(7) */
	/* What makes its inode number, instead of the name: for a name that a resource's tables
	 * have more than once. */
	const char *identity;
	/* NULL: the field of the entry's name, as it is. Of a fixed directory show and store are
	 * for spec alone: what it lists, as one line. */
	show_fn *show;
	store_fn *store; /* NULL: read-only */
	unset_fn *unset;
	bool (*present)(const struct show *s); /* NULL: always there */
	const struct dir *dir;                 /* of a fixed directory */
	const struct entry_extra *extra;
};

/* Flags of entries that tree keeps to itself. */
#define ENTRY_SPEC (1u << 24) /* stands in the resource's spec */
#define ENTRY_VOLATILE                                                                             \
	(1u << 25)                /* changes with other resources: told at each change of its own  \
				   */
#define ENTRY_QUIET (1u << 26)    /* its value never shows in events */
#define ENTRY_CONSTANT (1u << 27) /* the same wherever and whenever it is read */
#define ENTRY_UNLISTED (1u << 28) /* there for who asks for it by name */

#define SCALAR_MAX 4096
/* Of a disk: more than any machine here holds, less than an off_t. */
#define DISK_MAX (64ULL << 40)
#define SECRET 0600

/* Links that stand for resources: by-id/, a volume's snapshots/. */
struct links {
	const char *salt; /* makes the links' own tree_ids */
	const char *at;   /* name of the fixed directory that holds them */
	/* The link that stands for r: whose directory holds it, under which name; false: there is
	 * none. */
	bool (*of)(const struct view *v, const struct resource *r, uint64_t *ret_owner,
		   struct strbuf *name);
	/* The resource of the owner's first link after that number; NULL at the end. */
	const struct resource *(*next)(const struct view *v, const struct resource *owner,
				       uint64_t after);
	/* NULL: nobody can. */
	int (*make)(struct view *v, struct resource *owner, const char *name,
		    const struct resource *target, struct ec2fs_error *error);
	int (*drop)(struct view *v, const struct resource *r, struct ec2fs_error *error);
};

struct dir {
	const char *title;           /* for the manual: "instances/NAME" */
	const struct entry *entries; /* ends with a NULL name */
	/* For README and ec2fs.tree(7): what to know, in sentences; and commands, a line each, that
	 * tests/docs/readme.bats types there. Of a directory that lists resources both are about
	 * these. NULL: help says it all. */
	const char *about, *examples;
	enum kind child; /* lists these children of the resource; KIND_ROOT: none */
	bool (*lists)(const struct resource *child); /* NULL: all of them */
	/* mkdir (of a tag: create). The name was checked to be a decent file name, and is free. */
	int (*make)(struct view *v, const struct resource *parent, const char *name,
		    struct resource **ret, struct ec2fs_error *error);
	/* symlink: makes a child that is a link (a membership). target is what it points to. */
	int (*make_link)(struct view *v, const struct resource *parent, const char *name,
			 const struct resource *target, struct resource **ret,
			 struct ec2fs_error *error);
	const struct links *links;
};

/* What a kind of resource is as a node. */
struct kind_ops {
	const struct dir *dir;    /* its directory; NULL for a file (tag) */
	const struct entry *file; /* of a tag: a file; of a membership: a link */
	int (*remove)(struct view *v, struct resource *r, struct ec2fs_error *error);
	int (*rename)(struct view *v, struct resource *r, const char *name,
		      struct ec2fs_error *error);
	/* After a spec: is the whole right? NULL: its lines are all there is to judge. */
	int (*settle)(struct view *v, struct resource *r, struct ec2fs_error *error);
	/* Of a link: does rm -r of the directory above leave it to that directory's own removal?
	 * NULL: none is. */
	bool (*held)(const struct view *v, const struct resource *r);
	/* Did it come with the resource above, and goes with it, as a fixed directory does? NULL:
	 * none does. */
	bool (*inborn)(const struct view *v, const struct resource *r);
};

extern const struct kind_ops root_kind, region_kind, zone_kind, instance_type_kind, image_kind,
	key_pair_kind, instance_kind, volume_kind, snapshot_kind, security_group_kind,
	prefix_list_kind, address_kind, vpc_kind, subnet_kind, route_table_kind, network_acl_kind,
	nat_gateway_kind, peering_kind, vpn_gateway_kind, membership_kind, attachment_kind,
	tag_kind;
extern const struct links by_id_links, volume_snapshot_links, instance_address_links;
extern const struct dir tags_dir;

extern const struct kind_ops *const all_kinds[KIND_COUNT]; /* nodes.c */

static inline const struct kind_ops *kind_ops(enum kind kind)
{
	return all_kinds[kind];
}

/* Lines of the tables. Whatever else there is to say of an entry follows: .flags = …, .show = …
 * ENTRY_RO: a file that nobody writes. Without .show, the resource's field of that name. */
#define ENTRY_RO(its_name, its_help, ...)                                                          \
	{                                                                                          \
		.name = its_name, .mode = S_IFREG | 0444, .help = its_help, __VA_ARGS__            \
	}
/* A file; what is written to it goes to its_store, which sets the field of that name. */
#define ENTRY_RW(its_name, its_store, its_help, ...)                                               \
	{                                                                                          \
		.name = its_name, .mode = S_IFREG | 0644, .store = its_store, .help = its_help,    \
		__VA_ARGS__                                                                        \
	}
#define ENTRY_DIR(its_name, its_dir, its_help, ...)                                                \
	{                                                                                          \
		.name = its_name, .mode = S_IFDIR | 0755, .dir = its_dir, .help = its_help,        \
		__VA_ARGS__                                                                        \
	}
/* Those that most kinds have, always the same. */
#define ENTRY_ID(its_name, its_help) ENTRY_RO(its_name, its_help, .show = show_id)
#define ENTRY_WAIT                                                                                 \
	ENTRY_RW("wait", store_wait, "write STATE [SECONDS]: returns when it is reached",          \
		 .flags = TREE_WAIT | TREE_NOT_COPIED, .show = show_nothing, .extra = &wait_extra)
#define ENTRY_TAGS ENTRY_DIR("tags", &tags_dir, "a file each")
#define ENTRY_ERROR ENTRY_RO("error", "why the last change was refused", .show = show_error)

/* The entry of directories that list resources and no files: `ls` shows resources alone, which is
 * what loops over a directory, cp -r and rsync --delete take it for. */
#define UNLISTED_README(directory)                                                                 \
	(const struct entry[])                                                                     \
	{                                                                                          \
		{.name = "README",                                                                 \
		 .mode = S_IFREG | 0444,                                                           \
		 .flags = ENTRY_CONSTANT | ENTRY_UNLISTED,                                         \
		 .show = show_readme,                                                              \
		 .identity = directory "/README",                                                  \
		 .help = "what is here"},                                                          \
			{0},                                                                       \
	}

/* Generic show and store functions, for lines of the tables. */
show_fn show_readme, show_id, show_error, show_field, show_document, show_spec, show_nothing,
	show_reference;
/* The file wait of whatever has states (model/wait.h). */
extern const struct entry_extra wait_extra;
store_fn store_wait;
/* Of the zone that the resource's field of that name says: the URI of its storage, to be freed; or
 * NULL. */
char *storage_of(const struct view *v, const struct resource *r, const char *key);
store_fn store_spec;
/* For links: the relative path from where the link is to the resource. */
void show_path_to(const struct show *s, const struct resource *target, struct strbuf *out);
/* Does the entry's field have a value? */
bool field_present(const struct show *s);

#endif
