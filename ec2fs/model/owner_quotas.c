/*
 * Quotas of users: lines KEY@USER LIMIT of a region's `quotas`, USER being a name, a number, or *
 * for everybody but root who has no line of their own. They limit what a user owns, beside the
 * region's own limits.
 */
#include "ec2fs/model/admission.h"
#include "ec2fs/model/instance.h"
#include "ec2fs/model/kinds.h"

#include "ec2fs/text/keyed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What can be counted by owner. */
static const struct {
	const char *key;
	enum kind kind;
	enum ec2_code code;
} counted[] = {
	{"instances", KIND_INSTANCE, EC2_InstanceLimitExceeded},
	{"images", KIND_IMAGE, EC2_ResourceLimitExceeded},
	{"key-pairs", KIND_KEY_PAIR, EC2_KeyPairLimitExceeded},
	{"security-groups", KIND_SECURITY_GROUP, EC2_SecurityGroupLimitExceeded},
	{"addresses", KIND_ADDRESS, EC2_AddressLimitExceeded},
	{"prefix-lists", KIND_PREFIX_LIST, EC2_ResourceLimitExceeded},
	{"vpcs", KIND_VPC, EC2_VpcLimitExceeded},
	{"volumes", KIND_VOLUME, EC2_VolumeLimitExceeded},
	{"snapshots", KIND_SNAPSHOT, EC2_SnapshotLimitExceeded},
};
#define COUNT (sizeof(counted) / sizeof(counted[0]))

bool owner_quota_key(const char *key, size_t len)
{
	for (size_t i = 0; i < COUNT; i++)
		if (strlen(counted[i].key) == len && strncmp(counted[i].key, key, len) == 0)
			return true;
	return len == strlen("vcpus") && strncmp(key, "vcpus", len) == 0;
}

struct looking {
	const char *users; /* NAME UID lines */
	const char *key;
	uid_t uid;
	bool own;
	uint64_t limit;
};

/* Is the name that of the user? */
static bool means(const struct looking *l, const char *name)
{
	size_t len = strlen(name);

	if (name[strspn(name, "0123456789")] == '\0')
		return strtoul(name, NULL, 10) == l->uid;
	for (const char *p = l->users; *p; p = strchr(p, '\n') + 1)
		if (strncmp(p, name, len) == 0 && p[len] == ' ')
			return strtoul(p + len + 1, NULL, 10) == l->uid;
	return false;
}

static int look(void *context, unsigned line, const char *key, const char *value,
		struct ec2fs_error *error)
{
	struct looking *l = context;
	const char *at = strchr(key, '@');

	(void)line;
	(void)error;
	if (!at || strlen(l->key) != (size_t)(at - key) ||
	    strncmp(key, l->key, strlen(l->key)) != 0)
		return 0;
	if (strcmp(at + 1, "*") == 0 ? !l->own && l->uid != 0 : means(l, at + 1)) {
		l->limit = strtoull(value, NULL, 10);
		l->own = at[1] != '*';
	}
	return 0;
}

/* UINT64_MAX: none. */
static uint64_t limit_of(const struct resource *region, const char *key, uid_t uid)
{
	const struct field *f = resource_field(region, "quotas");
	struct looking l = {.users = resource_or(region, "@quota-users", ""),
			    .key = key,
			    .uid = uid,
			    .limit = UINT64_MAX};

	if (f && f->value && memchr(f->value->data, '@', f->value->len))
		keyed_parse(f->value->data, f->value->len, look, &l, NULL);
	return l.limit;
}

static bool counts(const struct resource *r)
{
	return !resource_get(r, "@removed") &&
	       (r->kind != KIND_INSTANCE || instance_state(r) != INSTANCE_TERMINATED);
}

int owner_quota_check(const struct view *v, const struct resource *made, struct ec2fs_error *error)
{
	uint64_t limit, is = 0;
	size_t i = 0;

	while (i < COUNT && counted[i].kind != made->kind)
		i++;
	if (i == COUNT)
		return 0;
	limit = limit_of(view_get(v, made->parent), counted[i].key, made->uid);
	if (limit == UINT64_MAX)
		return 0;
	view_each (v, made->parent, made->kind, r)
		is += r->uid == made->uid && counts(r);
	if (is <= limit)
		return 0;
	return ec2fs_fail(error, counted[i].code,
			  "you have %" PRIu64 ", as many as %s@USER in the region's quotas allows "
			  "you: remove one",
			  is - 1, counted[i].key);
}

int owner_quota_check_volume(const struct view *v, const struct resource *region, uint64_t number,
			     struct ec2fs_error *error)
{
	const struct resource *volume = view_get(v, number);
	uid_t uid = volume ? volume->uid : v->uid;
	uint64_t limit = v->uid ? limit_of(region, "volumes", uid) : UINT64_MAX, is = 0;

	if (limit == UINT64_MAX)
		return 0;
	view_each (v, region->number, KIND_VOLUME, r)
		is += r->number != number && r->uid == uid && counts(r);
	if (is < limit)
		return 0;
	return ec2fs_fail(error, EC2_VolumeLimitExceeded,
			  "you have %" PRIu64 " volumes, as many as volumes@USER in the region's "
			  "quotas allows you: remove one",
			  is);
}

int owner_quota_check_vcpus(const struct view *v, const struct resource *instance, uint64_t more,
			    struct ec2fs_error *error)
{
	uint64_t limit = limit_of(view_get(v, instance->parent), "vcpus", instance->uid), is = 0;

	if (limit == UINT64_MAX)
		return 0;
	view_each (v, instance->parent, KIND_INSTANCE, r) {
		const struct resource *type;

		if (r->uid != instance->uid || r->number == instance->number || !admission_holds(r))
			continue;
		type = view_find(v, r->parent, KIND_INSTANCE_TYPE,
				 resource_or(r, "instance-type", ""));
		is += type ? resource_u64(type, "vcpus", 1) : 0;
	}
	if (is + more <= limit)
		return 0;
	return ec2fs_fail(error, EC2_VcpuLimitExceeded,
			  "your instances run on %" PRIu64 " vCPUs and this one needs %" PRIu64
			  " more; vcpus@USER in the region's quotas allows you %" PRIu64
			  ": stop an instance",
			  is, more, limit);
}
