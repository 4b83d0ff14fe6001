/*
 * Quotas of a region. EC2's defaults (Service Quotas), but for vcpus: a new account's 5 would end
 * a lab at its third instance, so it is what EC2 gives soon after.
 */
#include "ec2fs/model/kinds.h"

#include "ec2fs/text/keyed.h"
#include "ec2fs/text/number.h"
#include "ec2fs/text/suggest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *key;
	uint64_t limit;
} defaults[] = {
	{"vcpus", 64},
	{"instances", 1000},
	{"images", 50000},
	{"key-pairs", 5000},
	{"tags-per-resource", 50},
	{"security-groups", 2500},
	{"rules-per-security-group", 60},
	{"security-groups-per-interface", 5},
	{"addresses", 5},
	{"prefix-lists", 100},
	{"prefix-list-entries", 1000},
	{"vpcs", 5},
	{"subnets-per-vpc", 200},
	{"route-tables-per-vpc", 200},
	{"routes-per-table", 50},
	{"network-acls-per-vpc", 200},
	{"rules-per-network-acl", 20},
	{"nat-gateways-per-zone", 5},
	{"peerings-per-vpc", 50},
	{"volumes", 5000},
	{"snapshots", 100000},
	/* GiB: 50 TiB of each type. */
	{"gp3-storage", 51200},
	{"gp2-storage", 51200},
	{"io1-storage", 51200},
	{"io2-storage", 51200},
	{"st1-storage", 51200},
	{"sc1-storage", 51200},
	{"standard-storage", 51200},
	{"io1-iops", 300000},
	{"io2-iops", 100000},
};
#define COUNT (sizeof(defaults) / sizeof(defaults[0]))

struct looking {
	const char *key;
	uint64_t limit;
};

static int match(void *context, unsigned line, const char *key, const char *value,
		 struct ec2fs_error *error)
{
	struct looking *l = context;

	(void)line;
	(void)error;
	if (strcmp(key, l->key) == 0)
		l->limit = strtoull(value, NULL, 10);
	return 0;
}

uint64_t quota_get(const struct resource *region, const char *key)
{
	const struct field *f = resource_field(region, "quotas");
	struct looking l = {.key = key};

	for (size_t i = 0; i < COUNT; i++)
		if (strcmp(defaults[i].key, key) == 0)
			l.limit = defaults[i].limit;
	if (f && f->value)
		keyed_parse(f->value->data, f->value->len, match, &l, NULL);
	return l.limit;
}

void quotas_each(const struct resource *region,
		 void (*each)(void *context, const char *key, uint64_t limit), void *context)
{
	for (size_t i = 0; i < COUNT; i++)
		each(context, defaults[i].key, quota_get(region, defaults[i].key));
}

static int check(void *context, unsigned line, const char *key, const char *value,
		 struct ec2fs_error *error)
{
	const char *at = strchr(key, '@');
	const char *names[COUNT], *near;
	uint64_t n;
	int r;

	(void)context;
	if (at && at[1] && owner_quota_key(key, (size_t)(at - key))) {
		r = number_parse(value, 0, 1000000000, &n, error);
		return r < 0 ? ec2fs_wrap(error, "line %u: %s", line, key) : 0;
	}
	for (size_t i = 0; i < COUNT; i++) {
		names[i] = defaults[i].key;
		if (strcmp(defaults[i].key, key) == 0) {
			r = number_parse(value, 0, 1000000000, &n, error);
			return r < 0 ? ec2fs_wrap(error, "line %u: %s", line, key) : 0;
		}
	}
	near = suggest(key, names, COUNT);
	return ec2fs_fail_errno(error, EINVAL, EC2_UnknownParameter,
				"line %u: there is no quota %s; %s%s%s", line, key,
				near ? "did you mean " : "read the file to see what there is",
				near ? near : "", near ? "?" : "");
}

int quotas_set(struct view *v, struct resource *r, const char *text, size_t len,
	       struct ec2fs_error *error)
{
	int result = keyed_parse(text, len, check, NULL, error);

	if (result < 0)
		return result;
	if (len)
		set_data(v, r, "quotas", text, len);
	else
		unset(v, r, "quotas");
	if (v->prepared)
		set_default(r, "@quota-users", v->prepared);
	return 0;
}
