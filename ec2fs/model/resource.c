#include "ec2fs/model/resource.h"

#include "ec2fs/util/memory.h"
#include "ec2fs/util/table.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	const char *prefix;
} kinds[KIND_COUNT] = {
	[KIND_ROOT] = {"root", NULL},
	[KIND_REGION] = {"region", NULL},
	[KIND_ZONE] = {"availability-zone", NULL},
	[KIND_INSTANCE_TYPE] = {"instance-type", NULL},
	[KIND_IMAGE] = {"image", "ami"},
	[KIND_KEY_PAIR] = {"key-pair", "key"},
	[KIND_INSTANCE] = {"instance", "i"},
	[KIND_VOLUME] = {"volume", "vol"},
	[KIND_SNAPSHOT] = {"snapshot", "snap"},
	[KIND_SECURITY_GROUP] = {"security-group", "sg"},
	[KIND_PREFIX_LIST] = {"prefix-list", "pl"},
	[KIND_ADDRESS] = {"address", "eipalloc"},
	[KIND_VPC] = {"vpc", "vpc"},
	[KIND_SUBNET] = {"subnet", "subnet"},
	[KIND_ROUTE_TABLE] = {"route-table", "rtb"},
	[KIND_NETWORK_ACL] = {"network-acl", "acl"},
	[KIND_NAT_GATEWAY] = {"nat-gateway", "nat"},
	[KIND_PEERING] = {"peering", "pcx"},
	[KIND_VPN_GATEWAY] = {"vpn-gateway", "vgw"},
	[KIND_MEMBERSHIP] = {"membership", NULL},
	[KIND_ATTACHMENT] = {"attachment", NULL},
	[KIND_TAG] = {"tag", NULL},
};

enum kind kind_home(enum kind kind)
{
	switch (kind) {
	case KIND_ROOT:
	case KIND_REGION:
		return KIND_ROOT;
	case KIND_SUBNET:
	case KIND_ROUTE_TABLE:
	case KIND_NETWORK_ACL:
	case KIND_NAT_GATEWAY:
	case KIND_PEERING:
	case KIND_VPN_GATEWAY:
		return KIND_VPC;
	case KIND_MEMBERSHIP:
	case KIND_ATTACHMENT:
		return KIND_INSTANCE;
	case KIND_TAG:
		return KIND_COUNT;
	default:
		return KIND_REGION;
	}
}

const char *kind_name(enum kind kind)
{
	return kinds[kind].name;
}

enum kind kind_by_name(const char *name)
{
	enum kind k = KIND_ROOT;

	while (k < KIND_COUNT && strcmp(kinds[k].name, name) != 0)
		k++;
	return k;
}

const char *kind_prefix(enum kind kind)
{
	return kinds[kind].prefix;
}

static bool same_string(const void *item, const void *key)
{
	return strcmp(item, key) == 0;
}

const char *intern(const char *s)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct table strings;
	uint64_t hash = hash_str(s, 0);
	char *found;

	pthread_mutex_lock(&lock);
	found = table_find(&strings, hash, same_string, s);
	if (!found) {
		found = xstrdup(s);
		table_add(&strings, hash, found);
	}
	pthread_mutex_unlock(&lock);
	return found;
}

struct resource *resource_new(uint64_t number, uint64_t parent, enum kind kind, const char *name,
			      const char *id)
{
	struct resource *r = xnew(struct resource);

	atomic_init(&r->references, 1);
	r->number = number;
	r->parent = parent;
	r->kind = kind;
	r->name = xstrdup(name);
	r->id = xstrdup(id);
	return r;
}

struct resource *resource_copy(const struct resource *r)
{
	struct resource *copy = resource_new(r->number, r->parent, r->kind, r->name, r->id);

	copy->deleted = r->deleted;
	copy->mode = r->mode;
	copy->uid = r->uid;
	copy->gid = r->gid;
	copy->mtime = r->mtime;
	copy->field_count = copy->field_capacity = r->field_count;
	if (r->field_count) {
		copy->fields = xcalloc(r->field_count, sizeof(*r->fields));
		memcpy(copy->fields, r->fields, r->field_count * sizeof(*r->fields));
	}
	for (size_t i = 0; i < copy->field_count; i++)
		bytes_ref(copy->fields[i].value);
	return copy;
}

struct resource *resource_ref(struct resource *r)
{
	if (r)
		atomic_fetch_add_explicit(&r->references, 1, memory_order_relaxed);
	return r;
}

void resource_unref(struct resource *r)
{
	if (!r || atomic_fetch_sub_explicit(&r->references, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < r->field_count; i++)
		bytes_unref(r->fields[i].value);
	free(r->fields);
	free(r->name);
	free(r->id);
	free(r);
}

const struct field *resource_field(const struct resource *r, const char *key)
{
	for (size_t i = 0; i < r->field_count; i++)
		if (strcmp(r->fields[i].key, key) == 0)
			return &r->fields[i];
	return NULL;
}

struct field *resource_field_make(struct resource *r, const char *key)
{
	struct field *f = (struct field *)resource_field(r, key);

	if (f)
		return f;
	array_reserve(r->fields, r->field_count, r->field_capacity);
	f = &r->fields[r->field_count++];
	*f = (struct field){.key = intern(key), .mode = -1, .uid = -1, .gid = -1};
	return f;
}

void resource_field_drop(struct resource *r, const char *key)
{
	struct field *f = (struct field *)resource_field(r, key);

	if (!f)
		return;
	bytes_unref(f->value);
	*f = r->fields[--r->field_count];
}

const char *resource_get(const struct resource *r, const char *key)
{
	const struct field *f = resource_field(r, key);

	return f && f->value ? f->value->data : NULL;
}

const char *resource_or(const struct resource *r, const char *key, const char *otherwise)
{
	const char *text = resource_get(r, key);

	return text ? text : otherwise;
}

bool resource_is(const struct resource *r, const char *key, const char *text)
{
	const char *now = resource_get(r, key);

	return now && strcmp(now, text) == 0;
}

uint64_t resource_u64(const struct resource *r, const char *key, uint64_t otherwise)
{
	const char *text = resource_get(r, key);
	char *end;
	unsigned long long n;

	if (!text || !*text)
		return otherwise;
	n = strtoull(text, &end, 10);
	return *end ? otherwise : n;
}

uint64_t resource_reference(const struct resource *r)
{
	switch (r->kind) {
	case KIND_MEMBERSHIP:
		return resource_u64(r, "@group", NO_NUMBER);
	case KIND_ADDRESS:
		return resource_u64(r, "@instance", NO_NUMBER);
	case KIND_ATTACHMENT:
	case KIND_SNAPSHOT:
		return resource_u64(r, "@volume", NO_NUMBER);
	default:
		return NO_NUMBER;
	}
}

const char *resource_public_ip(const struct resource *r)
{
	switch (r->kind) {
	case KIND_ADDRESS:
		return resource_get(r, "public-ip");
	case KIND_INSTANCE:
		return resource_get(r, "public-ip-address");
	default:
		return NULL;
	}
}
