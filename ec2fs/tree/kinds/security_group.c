/* security-groups/NAME: a firewall of instances. */
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
	ENTRY_ID("group-id", "sg-…"),
	ENTRY_RO("group-name", "EC2's name: of a VPC's default group it is default",
		 .flags = ENTRY_VOLATILE, .show = show_group_name),
	ENTRY_RW("description", security_group_set_description, "free text"),
	ENTRY_RW("vpc", security_group_set_vpc,
		 "name or ID; changed while nothing is in it and no rule is between groups",
		 .flags = ENTRY_VOLATILE, .show = show_vpc),
	ENTRY_RW("ingress", security_group_set_ingress,
		 "what may come in: PROTOCOL PORTS PEER lines", .order = 1, .flags = TREE_DOCUMENT,
		 .max = RULES_MAX, .show = show_document),
	ENTRY_RW("egress", security_group_set_egress, "what may go out: PROTOCOL PORTS PEER lines",
		 .order = 2, .flags = TREE_DOCUMENT, .max = RULES_MAX, .show = show_document),
	ENTRY_RO("members", "INSTANCE PRIVATE-IP lines of who is in it", .flags = ENTRY_VOLATILE,
		 .show = show_members),
	ENTRY_TAGS,
	ENTRY_ERROR,
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
