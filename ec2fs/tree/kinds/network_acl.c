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
	{.name = "network-acl-id", .mode = S_IFREG | 0444, .show = show_id, .help = "acl-…"},
	{.name = "is-default",
	 .mode = S_IFREG | 0444,
	 .help = "true: the ACL of subnets that name none"},
	{.name = "ingress",
	 .mode = S_IFREG | 0644,
	 .flags = TREE_DOCUMENT,
	 .max = 16 * 1024,
	 .show = show_document,
	 .store = network_acl_set_ingress,
	 .help = "NUMBER allow|deny PROTOCOL PORTS CIDR lines; the lowest number that matches "
		 "decides, none denies"},
	{.name = "egress",
	 .mode = S_IFREG | 0644,
	 .flags = TREE_DOCUMENT,
	 .max = 16 * 1024,
	 .show = show_document,
	 .store = network_acl_set_egress,
	 .help = "the same for what leaves the subnet"},
	{.name = "associations",
	 .mode = S_IFREG | 0444,
	 .flags = TREE_LIVE,
	 .show = show_associations,
	 .help = "the subnets that it decides for"},
	{.name = "tags", .mode = S_IFDIR | 0755, .dir = &tags_dir, .help = "a file each"},
	{.name = "error",
	 .mode = S_IFREG | 0444,
	 .show = show_error,
	 .help = "why the last change was refused"},
	{0},
};

static const struct dir network_acl_dir = {.title = "vpcs/VPC/network-acls/NAME",
					   .entries = entries};

const struct kind_ops network_acl_kind = {.dir = &network_acl_dir,
					  .remove = network_acl_remove,
					  .rename = network_acl_rename,
					  .inborn = network_acl_is_default};
