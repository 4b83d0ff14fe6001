/* vpcs/VPC/route-tables/NAME: where packets go. */
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
	ENTRY_ID("route-table-id", "rtb-…"),
	ENTRY_RW("routes", route_table_set_routes,
		 "DESTINATION TARGET lines; local, internet-gateway, nat:NAME, instance:NAME, "
		 "peering:NAME, vpn:NAME",
		 .flags = TREE_DOCUMENT | ENTRY_VOLATILE, .max = 64 * 1024, .show = show_routes),
	ENTRY_RO("effective-routes", "all of them, with active or blackhole", .flags = TREE_LIVE,
		 .show = show_effective_routes),
	ENTRY_RW("main", route_table_set_main,
		 "true: the table of subnets that name none; write true to make it that",
		 .flags = TREE_LIVE, .show = show_main),
	ENTRY_RO("associations", "the subnets that it decides for", .flags = TREE_LIVE,
		 .show = show_associations),
	ENTRY_RW("propagating", route_table_set_propagating,
		 "true: the routes of the VPN gateway are in it by themselves"),
	ENTRY_TAGS,
	ENTRY_ERROR,
	{0},
};

static const struct dir route_table_dir = {.title = "vpcs/VPC/route-tables/NAME",
					   .entries = entries};

const struct kind_ops route_table_kind = {.dir = &route_table_dir,
					  .remove = route_table_remove,
					  .rename = route_table_rename,
					  .inborn = route_table_is_main};
