/* addresses/NAME: an Elastic IP; and its link in instances/NAME/addresses/. */
#include "ec2fs/model/network.h"
#include "ec2fs/tree/internal.h"

#include <string.h>

static const struct resource *instance_of(const struct view *v, const struct resource *address)
{
	return view_get(v, resource_reference(address));
}

static bool is_associated(const struct show *s)
{
	return instance_of(s->view, s->r);
}

static void show_instance(const struct show *s, struct strbuf *out)
{
	const struct resource *instance = instance_of(s->view, s->r);

	if (instance)
		strbuf_addf(out, "%s\n", instance->name);
}

static void show_private_ip(const struct show *s, struct strbuf *out)
{
	const struct resource *instance = instance_of(s->view, s->r);

	if (instance)
		strbuf_addf(out, "%s\n", resource_or(instance, "private-ip-address", "-"));
}

/* instances/NAME/addresses/: a link for its Elastic IP, called as that is. */
static bool link_of(const struct view *v, const struct resource *r, uint64_t *ret_owner,
		    struct strbuf *name)
{
	if (r->kind != KIND_ADDRESS || !instance_of(v, r))
		return false;
	*ret_owner = resource_reference(r);
	strbuf_adds(name, r->name);
	return true;
}

static const struct resource *link_next(const struct view *v, const struct resource *owner,
					uint64_t after)
{
	return view_next_about(v, owner->number, KIND_ADDRESS, after);
}

static int link_make(struct view *v, struct resource *owner, const char *name,
		     const struct resource *target, struct ec2fs_error *error)
{
	if (target->kind != KIND_ADDRESS || target->parent != owner->parent)
		return ec2fs_fail(error, EC2_InvalidAllocationID_NotFound,
				  "%s is no Elastic IP of this region; link to one, such as "
				  "../../../addresses/www",
				  target->name);
	if (strcmp(name, target->name) != 0)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "the link is called as the Elastic IP is: %s", target->name);
	return address_associate(v, view_edit(v, target), owner, error);
}

static int link_drop(struct view *v, const struct resource *r, struct ec2fs_error *error)
{
	(void)error;
	address_disassociate(v, view_edit(v, r));
	return 0;
}

const struct links instance_address_links = {.salt = "addresses/link",
					     .at = "addresses",
					     .of = link_of,
					     .next = link_next,
					     .make = link_make,
					     .drop = link_drop};

static const struct entry entries[] = {
	ENTRY_ID("allocation-id", "eipalloc-…"),
	ENTRY_RO("public-ip", "of public-ipv4-pool"),
	ENTRY_RW("instance", address_set_instance,
		 "name or ID to associate it with; an empty line disassociates",
		 .flags = ENTRY_VOLATILE | TREE_NOT_COPIED, .show = show_instance),
	ENTRY_RO("association-id", "eipassoc-…, while it is associated", .present = field_present),
	ENTRY_RO("private-ip-address", "of the instance that has it", .flags = ENTRY_VOLATILE,
		 .show = show_private_ip, .present = is_associated),
	ENTRY_TAGS,
	ENTRY_ERROR,
	{0},
};

static const struct dir address_dir = {.title = "addresses/NAME", .entries = entries};

const struct kind_ops address_kind = {
	.dir = &address_dir, .remove = address_remove, .rename = address_rename};
