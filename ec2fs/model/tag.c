/* Tags of any resource: EC2's limits (EC2 user guide, "Tag restrictions"). */
#include "ec2fs/model/instance.h"

#include "ec2fs/text/name.h"

int tag_make(struct view *v, const struct resource *parent, const char *name, struct resource **ret,
	     struct ec2fs_error *error)
{
	const struct resource *region = view_region(v, parent);
	uint64_t limit = region ? quota_get(region, "tags-per-resource") : 50;
	int result = tag_key_check(name, error);

	if (result < 0)
		return result;
	if (view_count(v, parent->number, KIND_TAG) >= limit)
		return ec2fs_fail(error, EC2_TagLimitExceeded,
				  "there are %llu tags, as many as one resource may have",
				  (unsigned long long)limit);
	*ret = view_create(v, parent->number, KIND_TAG, name);
	return 0;
}

int tag_remove(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	(void)error;
	view_delete(v, r);
	return 0;
}

int tag_rename(struct view *v, struct resource *r, const char *name, struct ec2fs_error *error)
{
	int result = tag_key_check(name, error);

	if (result == 0)
		view_rename(v, r, name);
	return result;
}

int tag_set_value(struct view *v, struct resource *r, const char *text, size_t len,
		  struct ec2fs_error *error)
{
	int result = tag_value_check(text, len, error);

	if (result == 0)
		set_text(v, r, "value", text);
	return result;
}
