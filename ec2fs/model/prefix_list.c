/* Prefix lists: CIDRs by a name, for rules of security groups. */
#include "ec2fs/model/network.h"

#include "ec2fs/text/cidr_list.h"
#include "ec2fs/text/lines.h"
#include "ec2fs/text/number.h"

#include <inttypes.h>
#include <string.h>

/* EC2 asks for the most entries when a list is made; a directory that is made says nothing. */
#define MAX_ENTRIES 10

uint64_t prefix_list_max_entries(const struct resource *list)
{
	return resource_u64(list, "max-entries", MAX_ENTRIES);
}

const struct resource *prefix_list_refer(const struct view *v, uint64_t region, const char *text)
{
	return view_refer(v, region, KIND_PREFIX_LIST, text);
}

static int check_name(const char *name, struct ec2fs_error *error)
{
	if (strpbrk(name, " \t#"))
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "a prefix list's name has no blank and no #: it is a word in "
				  "rules");
	if (strncmp(name, "pl-", 3) == 0)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "names that begin with pl- are IDs");
	if (strncmp(name, "com.amazonaws", 13) == 0)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "names that begin with com.amazonaws are EC2's own");
	return 0;
}

int prefix_list_make(struct view *v, const struct resource *parent, const char *name,
		     struct resource **ret, struct ec2fs_error *error)
{
	uint64_t limit = quota_get(parent, "prefix-lists");
	int result = check_name(name, error);
	struct resource *r;

	if (result < 0)
		return result;
	if (view_count(v, parent->number, KIND_PREFIX_LIST) >= limit)
		return ec2fs_fail(
			error, EC2_ResourceLimitExceeded,
			"there are %" PRIu64 " prefix lists, as many as the quota "
			"allows: remove one, or raise prefix-lists in the region's quotas",
			limit);
	r = view_create(v, parent->number, KIND_PREFIX_LIST, name);
	set_default(r, "max-entries", "10");
	*ret = r;
	return 0;
}

int prefix_list_remove(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	const struct resource *user = security_group_naming(v, r);

	if (user)
		return ec2fs_fail(
			error, EC2_DependencyViolation,
			"a rule of the security group %s names it; remove that line first",
			user->name);
	view_delete(v, r);
	return 0;
}

int prefix_list_rename(struct view *v, struct resource *r, const char *name,
		       struct ec2fs_error *error)
{
	int result = check_name(name, error);

	if (result < 0)
		return result;
	security_groups_follow(v, r, name);
	view_rename(v, r, name);
	return 0;
}

static int count_entry(void *context, unsigned line, struct cidr c, struct ec2fs_error *error)
{
	(void)line;
	(void)c;
	(void)error;
	++*(uint64_t *)context;
	return 0;
}

int prefix_list_set_entries(struct view *v, struct resource *r, const char *text, size_t len,
			    struct ec2fs_error *error)
{
	struct strbuf whole cleanup_strbuf = STRBUF_INIT;
	uint64_t count = 0, most = prefix_list_max_entries(r);
	int result = cidrs_parse(text, len, count_entry, &count, error);

	if (result < 0)
		return result;
	if (count > most)
		return ec2fs_fail(error, EC2_ResourceLimitExceeded,
				  "%" PRIu64 " entries are more than max-entries, %" PRIu64
				  ": write a greater number there first",
				  count, most);
	lines_complete(text, len, &whole);
	set_data(v, r, "entries", strbuf_str(&whole), whole.len);
	return 0;
}

int prefix_list_set_max_entries(struct view *v, struct resource *r, const char *text, size_t len,
				struct ec2fs_error *error)
{
	const struct field *f = resource_field(r, "entries");
	uint64_t count = 0, max, limit = quota_get(view_get(v, r->parent), "prefix-list-entries");
	int result = number_parse(text, 1, limit ? limit : 1, &max, error);

	(void)len;
	if (result < 0)
		return result;
	if (f && f->value)
		cidrs_parse(f->value->data, f->value->len, count_entry, &count, NULL);
	if (max < count)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "there are %" PRIu64
				  " entries: take some away first, or write at "
				  "least that",
				  count);
	result = security_groups_check_prefix_list(v, r, max, error);
	if (result == 0)
		set_format(v, r, "max-entries", "%" PRIu64, max);
	return result;
}

struct telling {
	void (*each)(void *context, struct cidr c);
	void *context;
};

static int tell(void *context, unsigned line, struct cidr c, struct ec2fs_error *error)
{
	const struct telling *t = context;

	(void)line;
	(void)error;
	t->each(t->context, c);
	return 0;
}

void prefix_list_each(const struct resource *list, void (*each)(void *context, struct cidr c),
		      void *context)
{
	const struct field *f = resource_field(list, "entries");
	struct telling t = {each, context};

	if (f && f->value)
		cidrs_parse(f->value->data, f->value->len, tell, &t, NULL);
}
