/*
 * A resource: a numbered thing of one kind with a name, an owner and fields of text. Published
 * versions are immutable and counted; a change works on a copy of its own (view.h).
 */
#ifndef EC2FS_MODEL_RESOURCE_H
#define EC2FS_MODEL_RESOURCE_H

#include "ec2fs/util/bytes.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum kind {
	KIND_ROOT,
	KIND_REGION,
	KIND_ZONE,
	KIND_INSTANCE_TYPE,
	KIND_IMAGE,
	KIND_KEY_PAIR,
	KIND_INSTANCE,
	KIND_VOLUME,
	KIND_SNAPSHOT,
	KIND_SECURITY_GROUP,
	KIND_PREFIX_LIST,
	KIND_ADDRESS,
	KIND_VPC,
	/* Of a VPC. */
	KIND_SUBNET,
	KIND_ROUTE_TABLE,
	KIND_NETWORK_ACL,
	KIND_NAT_GATEWAY,
	KIND_PEERING,
	KIND_VPN_GATEWAY,
	/* Of an instance: that it is in a security group. */
	KIND_MEMBERSHIP,
	/* Of an instance: that it has a volume. */
	KIND_ATTACHMENT,
	/* Of anything. */
	KIND_TAG,
	KIND_COUNT
};

/* The kind as the store writes it and as messages call it ("key pair" is "key-pair"). */
const char *kind_name(enum kind kind);
/* The kind of the resources that hold those of this kind; KIND_COUNT where that can be several. */
enum kind kind_home(enum kind kind);
/* The kind of that name, or KIND_COUNT. */
enum kind kind_by_name(const char *name);
/* The prefix of its IDs without the dash ("i", "ami"), or NULL for kinds that EC2 gives none. */
const char *kind_prefix(enum kind kind);

#define ROOT_NUMBER 0
/* No resource has it. */
#define NO_NUMBER UINT64_MAX

/* A field whose key begins with '@' is internal: no file shows it as it is. */
struct field {
	const char *key;     /* interned: lives for ever */
	struct bytes *value; /* NULL: only the file facts below are set */
	int64_t mtime;       /* ns since the epoch; 0: never written by anybody */
	int32_t mode;        /* permission bits; -1: the entry's default */
	int64_t uid, gid;    /* -1: the resource's */
};

struct resource {
	atomic_uint references;
	uint64_t number; /* never used again, for another resource, in this state */
	uint64_t parent;
	enum kind kind;
	bool deleted; /* staged only: this version takes the resource away */
	char *name;
	char *id; /* "i-…"; "" for kinds without one */
	mode_t mode;
	uid_t uid;
	gid_t gid;
	int64_t mtime; /* ns: when a field or a child changed last */
	struct field *fields;
	size_t field_count, field_capacity;
};

/* One that lives for ever, the same pointer for the same text. Thread-safe. */
const char *intern(const char *s);

struct resource *resource_new(uint64_t number, uint64_t parent, enum kind kind, const char *name,
			      const char *id);
/* A copy that may be changed, with one reference; values are shared. */
struct resource *resource_copy(const struct resource *r);
struct resource *resource_ref(struct resource *r);
void resource_unref(struct resource *r);

static inline void cleanup_resourcep(struct resource **r)
{
	resource_unref(*r);
}

#define cleanup_resource __attribute__((cleanup(cleanup_resourcep)))

/* The field, or NULL. */
const struct field *resource_field(const struct resource *r, const char *key);
/* The field to be changed, made (empty) when missing. For staged copies only. */
struct field *resource_field_make(struct resource *r, const char *key);
void resource_field_drop(struct resource *r, const char *key);

/* The value's text, or NULL when there is none; borrowed from r. */
const char *resource_get(const struct resource *r, const char *key);
/* The same with something instead of NULL. */
const char *resource_or(const struct resource *r, const char *key, const char *otherwise);
bool resource_is(const struct resource *r, const char *key, const char *text);
/* The value as an unsigned decimal number, or otherwise. */
uint64_t resource_u64(const struct resource *r, const char *key, uint64_t otherwise);

/* The resource that r is about, besides its parent: of a membership the group, of an Elastic IP the
 * instance, of an attachment or a snapshot the volume. NO_NUMBER: none. */
uint64_t resource_reference(const struct resource *r);
/* The public address that r holds, and nobody else may; NULL: none. */
const char *resource_public_ip(const struct resource *r);

#endif
