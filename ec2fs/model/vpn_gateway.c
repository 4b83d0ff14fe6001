/* VPN gateways: the joint of a VPC with your own network, by an interface of the host. */
#include "ec2fs/model/network.h"

#include "ec2fs/model/refer.h"
#include "ec2fs/text/words.h"
#include "ec2fs/util/memory.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#define ROUTES_MOST 100 /* EC2's quota of propagated routes in a table */

int vpn_gateway_make(struct view *v, const struct resource *parent, const char *name,
		     struct resource **ret, struct ec2fs_error *error)
{
	const struct resource *other = vpc_vpn_gateway(v, parent);

	if (other)
		return ec2fs_fail(error, EC2_VpnGatewayAttachmentLimitExceeded,
				  "a VPC has one VPN gateway, and that is %s", other->name);
	*ret = view_create(v, parent->number, KIND_VPN_GATEWAY, name);
	set_default(*ret, "state", "pending");
	return 0;
}

int vpn_gateway_remove(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	(void)error;
	view_delete(v, r);
	return 0;
}

int vpn_gateway_rename(struct view *v, struct resource *r, const char *name,
		       struct ec2fs_error *error)
{
	(void)error;
	view_rename(v, r, name);
	return 0;
}

const struct resource *vpc_vpn_gateway(const struct view *v, const struct resource *vpc)
{
	return view_next(v, vpc->number, KIND_VPN_GATEWAY, 0);
}

bool vpn_gateway_is_available(const struct resource *gateway)
{
	return resource_is(gateway, "state", "available");
}

/* Another gateway with that interface, or NULL. */
static const struct resource *user_of(const struct view *v, const struct resource *gateway,
				      const char *interface)
{
	view_each (v, ROOT_NUMBER, KIND_REGION, region)
		view_each (v, region->number, KIND_VPC, vpc) {
			const struct resource *r = vpc_vpn_gateway(v, vpc);

			if (r && r->number != gateway->number &&
			    resource_is(r, "interface", interface))
				return r;
		}
	return NULL;
}

int vpn_gateway_set_interface(struct view *v, struct resource *r, const char *text, size_t len,
			      struct ec2fs_error *error)
{
	const struct resource *user;

	if (!len || len >= IFNAMSIZ || strpbrk(text, " \t/:") || strcmp(text, ".") == 0 ||
	    strcmp(text, "..") == 0)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "%.64s is no name of a network interface, such as eth1 or wg0",
				  text);
	user = user_of(v, r, text);
	if (user)
		return ec2fs_fail(error, EC2_Resource_AlreadyAssociated,
				  "the VPN gateway %s of another VPC has the interface %s",
				  user->name, text);
	set_text(v, r, "interface", text);
	set_text(v, r, "state", "available");
	return 0;
}

int vpn_gateway_set_customer_gateway(struct view *v, struct resource *r, const char *text,
				     size_t len, struct ec2fs_error *error)
{
	uint32_t address;
	int result;

	if (!len) {
		unset(v, r, "customer-gateway");
		return 0;
	}
	result = address_parse(text, &address, error);
	if (result == 0)
		set_text(v, r, "customer-gateway", text);
	return result;
}

int vpn_gateway_unset_customer_gateway(struct view *v, struct resource *r,
				       struct ec2fs_error *error)
{
	return vpn_gateway_set_customer_gateway(v, r, "", 0, error);
}

struct reached {
	const struct resource *vpc; /* NULL: the text was checked before */
	struct cidr *all;
	size_t count, capacity;
};

static int add_route(void *context, const struct words *w, struct ec2fs_error *error)
{
	struct reached *reached = context;
	struct cidr c;
	int r;

	if (w->count != 1)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "write one CIDR block of your own network a line");
	r = cidr_parse(w->word[0], &c, error);
	if (r < 0)
		return r;
	if (reached->vpc && vpc_contains(reached->vpc, c))
		return ec2fs_fail(error, EC2_InvalidParameterValue, "%s is within the VPC itself",
				  w->word[0]);
	for (size_t i = 0; i < reached->count; i++)
		if (reached->all[i].address == c.address && reached->all[i].prefix == c.prefix)
			return ec2fs_fail(error, EC2_RouteAlreadyExists, "%s stands there already",
					  w->word[0]);
	if (reached->count == ROUTES_MOST)
		return ec2fs_fail(error, EC2_RouteLimitExceeded,
				  "at most %d routes can be propagated", ROUTES_MOST);
	array_reserve(reached->all, reached->count, reached->capacity);
	reached->all[reached->count++] = c;
	return 0;
}

int vpn_gateway_set_routes(struct view *v, struct resource *r, const char *text, size_t len,
			   struct ec2fs_error *error)
{
	struct reached reached = {.vpc = view_get(v, r->parent)};
	int result = words_parse(text, len, add_route, &reached, error);

	free(reached.all);
	if (result < 0)
		return result;
	set_document(v, r, "routes", text, len);
	return 0;
}

void vpn_gateway_routes(const struct resource *gateway, void (*each)(void *context, struct cidr c),
			void *context)
{
	const char *text = resource_or(gateway, "routes", "");
	struct reached reached = {0};

	words_parse(text, strlen(text), add_route, &reached, NULL);
	for (size_t i = 0; i < reached.count; i++)
		each(context, reached.all[i]);
	free(reached.all);
}
