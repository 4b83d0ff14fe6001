#include "ec2fs/model/routes.h"
#include "ec2fs/tree/internal.h"

static void show_routes(const struct show *s, struct strbuf *out)
{
	routes_show(s->view, s->r, out);
}

struct effective {
	const struct show *s;
	struct strbuf *out;
};

static void show_route(void *context, const struct route *r)
{
	struct effective *e = context;
	char to[CIDR_TEXT];

	cidr_print(r->to, to);
	strbuf_addf(e->out, "%s ", to);
	route_target_show(e->s->view, view_get(e->s->view, e->s->r->parent), r, e->out);
	strbuf_addf(e->out, " %s%s\n", r->blackhole ? "blackhole" : "active",
		    r->propagated ? " propagated" : "");
}

static void show_effective_routes(const struct show *s, struct strbuf *out)
{
	struct effective e = {s, out};

	routes_each(s->view, s->r, show_route, &e);
}

static void show_main(const struct show *s, struct strbuf *out)
{
	strbuf_adds(out, route_table_is_main(s->view, s->r) ? "true\n" : "false\n");
}

static void show_associations(const struct show *s, struct strbuf *out)
{
	view_each (s->view, s->r->parent, KIND_SUBNET, subnet) {
		const struct resource *table = subnet_route_table(s->view, subnet);

		if (table && table->number == s->r->number)
			strbuf_addf(out, "%s\n", subnet->name);
	}
}

static const struct entry entries[] = {
	{.name = "route-table-id", .mode = S_IFREG | 0444, .show = show_id, .help = "rtb-…"},
	{.name = "routes",
	 .mode = S_IFREG | 0644,
	 .flags = TREE_DOCUMENT | ENTRY_VOLATILE,
	 .max = 64 * 1024,
	 .show = show_routes,
	 .store = route_table_set_routes,
	 .help = "DESTINATION TARGET lines; local, internet-gateway, nat:NAME, instance:NAME, "
		 "peering:NAME, vpn:NAME"},
	{.name = "effective-routes",
	 .mode = S_IFREG | 0444,
	 .flags = TREE_LIVE,
	 .show = show_effective_routes,
	 .help = "all of them, with active or blackhole"},
	{.name = "main",
	 .mode = S_IFREG | 0644,
	 .flags = TREE_LIVE,
	 .show = show_main,
	 .store = route_table_set_main,
	 .help = "true: the table of subnets that name none; write true to make it that"},
	{.name = "associations",
	 .mode = S_IFREG | 0444,
	 .flags = TREE_LIVE,
	 .show = show_associations,
	 .help = "the subnets that it decides for"},
	{.name = "propagating",
	 .mode = S_IFREG | 0644,
	 .store = route_table_set_propagating,
	 .help = "true: the routes of the VPN gateway are in it by themselves"},
	{.name = "tags", .mode = S_IFDIR | 0755, .dir = &tags_dir, .help = "a file each"},
	{.name = "error",
	 .mode = S_IFREG | 0444,
	 .show = show_error,
	 .help = "why the last change was refused"},
	{0},
};

static const struct dir route_table_dir = {.title = "vpcs/VPC/route-tables/NAME",
					   .entries = entries};

const struct kind_ops route_table_kind = {.dir = &route_table_dir,
					  .remove = route_table_remove,
					  .rename = route_table_rename,
					  .inborn = route_table_is_main};
