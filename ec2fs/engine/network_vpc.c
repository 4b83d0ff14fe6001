/* From a VPC's records to what netfw is told of it. */
#include "ec2fs/engine/network.h"

#include "ec2fs/model/names.h"
#include "ec2fs/model/network.h"

#include <string.h>

static struct netfw_cidr to_netfw(struct cidr c)
{
	return (struct netfw_cidr){c.address, c.prefix};
}

static const char *id_of(struct arena *a, const struct resource *r)
{
	return r ? arena_copy(a, r->id) : NULL;
}

/* Room for one more element, in the arena. */
#define grow(a, array, count)                                                                      \
	do {                                                                                       \
		if (((count) & ((count)-1)) == 0) {                                                \
			void *more =                                                               \
				arena_alloc((a), ((count) ? 2 * (count) : 1) * sizeof(*(array)));  \
			if (count)                                                                 \
				memcpy(more, (array), (count) * sizeof(*(array)));                 \
			(array) = more;                                                            \
		}                                                                                  \
	} while (0)

struct routes {
	struct arena *arena;
	struct netfw_route *all;
	size_t count;
};

static void add_route(void *context, const struct route *route)
{
	static const enum netfw_target targets[ROUTE_TARGET_COUNT] = {
		[ROUTE_INTERNET] = NETFW_INTERNET,  [ROUTE_NAT] = NETFW_NAT,
		[ROUTE_INSTANCE] = NETFW_INTERFACE, [ROUTE_PEERING] = NETFW_PEERING,
		[ROUTE_VPN] = NETFW_GATEWAY,
	};
	struct routes *r = context;
	struct netfw_route *to;

	if (route->target == ROUTE_LOCAL)
		return;
	grow(r->arena, r->all, r->count);
	to = &r->all[r->count++];
	*to = (struct netfw_route){.to = to_netfw(route->to), .target = targets[route->target]};
	if (route->blackhole)
		to->target = NETFW_BLACKHOLE;
	else if (route->target == ROUTE_INSTANCE)
		to->id = arena_copy(r->arena, resource_or(route->through, "network-interface", ""));
	else
		to->id = id_of(r->arena, route->through);
}

static void describe_tables(const struct view *v, const struct resource *vpc, struct arena *a,
			    struct netfw_vpc *ret)
{
	struct netfw_route_table *tables = arena_alloc(
		a, (view_count(v, vpc->number, KIND_ROUTE_TABLE) + 1) * sizeof(*tables));

	ret->route_tables = tables;
	view_each (v, vpc->number, KIND_ROUTE_TABLE, table) {
		struct routes r = {.arena = a};

		routes_each(v, table, add_route, &r);
		tables[ret->route_table_count++] = (struct netfw_route_table){
			.id = id_of(a, table), .routes = r.all, .route_count = r.count};
	}
}

static void describe_subnets(const struct view *v, const struct resource *vpc, struct arena *a,
			     struct netfw_vpc *ret)
{
	struct netfw_subnet *subnets =
		arena_alloc(a, (view_count(v, vpc->number, KIND_SUBNET) + 1) * sizeof(*subnets));

	ret->subnets = subnets;
	view_each (v, vpc->number, KIND_SUBNET, subnet) {
		struct cidr c;

		if (!subnet_cidr(subnet, &c))
			continue;
		subnets[ret->subnet_count++] = (struct netfw_subnet){
			.id = id_of(a, subnet),
			.cidr = to_netfw(c),
			.route_table = id_of(a, subnet_route_table(v, subnet)),
			.acl = id_of(a, subnet_network_acl(v, subnet))};
	}
}

struct entries {
	struct arena *arena;
	bool egress;
	struct netfw_acl_entry *all;
	size_t count;
};

static void add_entry(void *context, const struct acl_entry *entry)
{
	struct entries *e = context;

	grow(e->arena, e->all, e->count);
	e->all[e->count++] = (struct netfw_acl_entry){.egress = e->egress,
						      .allow = entry->allow,
						      .number = (uint16_t)entry->number,
						      .protocol = entry->protocol,
						      .from = entry->from,
						      .to = entry->to,
						      .type = entry->type,
						      .code = entry->code,
						      .cidr = to_netfw(entry->cidr)};
}

static void describe_acls(const struct view *v, const struct resource *vpc, struct arena *a,
			  struct netfw_vpc *ret)
{
	struct netfw_acl *acls =
		arena_alloc(a, (view_count(v, vpc->number, KIND_NETWORK_ACL) + 1) * sizeof(*acls));

	ret->acls = acls;
	view_each (v, vpc->number, KIND_NETWORK_ACL, acl) {
		struct entries e = {.arena = a};

		network_acl_each(acl, false, add_entry, &e);
		e.egress = true;
		network_acl_each(acl, true, add_entry, &e);
		acls[ret->acl_count++] =
			(struct netfw_acl){.id = id_of(a, acl),
					   .allows_all = network_acl_allows_all(acl),
					   .entries = e.all,
					   .entry_count = e.count};
	}
}

static void describe_gateways(const struct view *v, const struct resource *vpc, struct arena *a,
			      struct netfw_vpc *ret)
{
	const struct resource *vpn = vpc_vpn_gateway(v, vpc);
	struct netfw_nat *nats =
		arena_alloc(a, (view_count(v, vpc->number, KIND_NAT_GATEWAY) + 1) * sizeof(*nats));
	struct netfw_peering *peerings = NULL;

	ret->internet = vpc_has_internet(vpc);
	ret->nats = nats;
	view_each (v, vpc->number, KIND_NAT_GATEWAY, nat)
		if (nat_gateway_is_available(nat))
			nats[ret->nat_count++] =
				(struct netfw_nat){.id = id_of(a, nat),
						   .private_ip = nat_gateway_private_ip(nat),
						   .public_ip = nat_gateway_public_ip(v, nat)};
	for (const struct resource *p = peering_next(v, vpc, NULL); p;
	     p = peering_next(v, vpc, p)) {
		const struct resource *other = peering_other(v, p, vpc);

		if (!peering_is_active(p) || !other)
			continue;
		grow(a, peerings, ret->peering_count);
		peerings[ret->peering_count++] =
			(struct netfw_peering){.id = id_of(a, p), .vpc = id_of(a, other)};
	}
	ret->peerings = peerings;
	if (vpn && vpn_gateway_is_available(vpn)) {
		ret->gateway_id = id_of(a, vpn);
		ret->gateway_interface = arena_copy(a, resource_get(vpn, "interface"));
	}
}

static void describe_dhcp(const struct view *v, const struct resource *vpc, struct arena *a,
			  struct netfw_vpc *ret)
{
	struct dhcp_options *o = arena_alloc(a, sizeof(*o));
	struct strbuf domain cleanup_strbuf = STRBUF_INIT;

	vpc_dhcp_options(vpc, o);
	vpc_domain(v, vpc, &domain);
	ret->dns = vpc_has_dns(vpc);
	ret->domain_name = arena_copy(a, strbuf_str(&domain));
	ret->name_servers = o->name_servers;
	ret->name_server_count = o->name_server_count;
	ret->ntp_servers = o->ntp_servers;
	ret->ntp_server_count = o->ntp_server_count;
}

static void describe_flow_logs(const struct resource *vpc, struct netfw_vpc *ret)
{
	struct flow_log_options o;

	vpc_flow_log_options(vpc, &o);
	ret->flow_logs =
		(struct netfw_flow_logs){.flows = (o.accepted ? NETFW_FLOWS_ACCEPTED : 0U) |
						  (o.rejected ? NETFW_FLOWS_REJECTED : 0U),
					 .interval = o.interval,
					 .account = ACCOUNT};
}

void netfw_of_vpc(const struct view *v, const struct resource *vpc, struct arena *a,
		  struct netfw_vpc *ret)
{
	struct netfw_cidr *cidrs = NULL;
	struct cidr c;

	*ret = (struct netfw_vpc){.id = id_of(a, vpc)};
	for (; vpc_cidr(vpc, ret->cidr_count, &c); ret->cidr_count++) {
		grow(a, cidrs, ret->cidr_count);
		cidrs[ret->cidr_count] = to_netfw(c);
	}
	ret->cidrs = cidrs;
	describe_subnets(v, vpc, a, ret);
	describe_tables(v, vpc, a, ret);
	describe_acls(v, vpc, a, ret);
	describe_gateways(v, vpc, a, ret);
	describe_dhcp(v, vpc, a, ret);
	describe_flow_logs(vpc, ret);
}
