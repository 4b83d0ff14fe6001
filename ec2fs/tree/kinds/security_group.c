#include "ec2fs/model/instance.h"
#include "ec2fs/model/network.h"
#include "ec2fs/tree/internal.h"

/* Some hundred bytes a rule, and quotas can be raised. */
#define RULES_MAX (1024 * 1024)

static void show_group_name(const struct show *s, struct strbuf *out)
{
	strbuf_addf(out, "%s\n", security_group_is_default(s->r) ? "default" : s->r->name);
}

static void show_vpc(const struct show *s, struct strbuf *out)
{
	const struct resource *vpc = security_group_vpc(s->view, s->r);

	if (vpc)
		strbuf_addf(out, "%s\n", vpc->name);
}

static void show_members(const struct show *s, struct strbuf *out)
{
	view_each_about(s->view, s->r->number, KIND_MEMBERSHIP, m)
	{
		const struct resource *instance = view_get(s->view, m->parent);

		if (!instance || instance_state(instance) == INSTANCE_TERMINATED)
			continue;
		strbuf_addf(out, "%s %s\n", instance->name,
			    resource_or(instance, "private-ip-address", "-"));
	}
}

static const struct entry entries[] = {
	{.name = "group-id", .mode = S_IFREG | 0444, .show = show_id, .help = "sg-…"},
	{.name = "group-name",
	 .mode = S_IFREG | 0444,
	 .flags = ENTRY_VOLATILE,
	 .show = show_group_name,
	 .help = "EC2's name: of a VPC's default group it is default"},
	{.name = "description",
	 .mode = S_IFREG | 0644,
	 .store = security_group_set_description,
	 .help = "free text"},
	{.name = "vpc",
	 .mode = S_IFREG | 0644,
	 .flags = ENTRY_VOLATILE,
	 .show = show_vpc,
	 .store = security_group_set_vpc,
	 .help = "name or ID; changed while nothing is in it and no rule is between groups"},
	{.name = "ingress",
	 .mode = S_IFREG | 0644,
	 .order = 1,
	 .flags = TREE_DOCUMENT,
	 .max = RULES_MAX,
	 .show = show_document,
	 .store = security_group_set_ingress,
	 .help = "what may come in: PROTOCOL PORTS PEER lines"},
	{.name = "egress",
	 .mode = S_IFREG | 0644,
	 .order = 2,
	 .flags = TREE_DOCUMENT,
	 .max = RULES_MAX,
	 .show = show_document,
	 .store = security_group_set_egress,
	 .help = "what may go out: PROTOCOL PORTS PEER lines"},
	{.name = "members",
	 .mode = S_IFREG | 0444,
	 .flags = ENTRY_VOLATILE,
	 .show = show_members,
	 .help = "INSTANCE PRIVATE-IP lines of who is in it"},
	{.name = "tags", .mode = S_IFDIR | 0755, .dir = &tags_dir, .help = "a file each"},
	{.name = "error",
	 .mode = S_IFREG | 0444,
	 .show = show_error,
	 .help = "why the last change was refused"},
	{0},
};

static const struct dir security_group_dir = {.title = "security-groups/NAME", .entries = entries};

static bool is_inborn(const struct view *v, const struct resource *r)
{
	(void)v;
	return security_group_is_default(r);
}

const struct kind_ops security_group_kind = {.dir = &security_group_dir,
					     .inborn = is_inborn,
					     .remove = security_group_remove,
					     .rename = security_group_rename};
