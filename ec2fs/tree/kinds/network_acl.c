/* vpcs/VPC/network-acls/NAME: a stateless filter of subnets. */
#include "ec2fs/model/network.h"
#include "ec2fs/tree/internal.h"

static void show_associations(const struct show *s, struct strbuf *out)
{
	view_each (s->view, s->r->parent, KIND_SUBNET, subnet) {
		const struct resource *acl = subnet_network_acl(s->view, subnet);

		if (acl && acl->number == s->r->number)
			strbuf_addf(out, "%s\n", subnet->name);
	}
}

static const struct entry entries[] = {
	ENTRY_ID("network-acl-id", "acl-…"),
	ENTRY_RO("is-default", "true: the ACL of subnets that name none"),
	ENTRY_RW("ingress", network_acl_set_ingress,
		 "NUMBER allow|deny PROTOCOL PORTS CIDR lines; the lowest number that matches "
		 "decides, none denies",
		 .flags = TREE_DOCUMENT, .max = 16 * 1024, .show = show_document),
	ENTRY_RW("egress", network_acl_set_egress, "the same for what leaves the subnet",
		 .flags = TREE_DOCUMENT, .max = 16 * 1024, .show = show_document),
	ENTRY_RO("associations", "the subnets that it decides for", .flags = TREE_LIVE,
		 .show = show_associations),
	ENTRY_TAGS,
	ENTRY_ERROR,
	{0},
};

static const struct dir network_acl_dir = {.title = "vpcs/VPC/network-acls/NAME",
					   .entries = entries};

const struct kind_ops network_acl_kind = {.dir = &network_acl_dir,
					  .remove = network_acl_remove,
					  .rename = network_acl_rename,
					  .inborn = network_acl_is_default};
