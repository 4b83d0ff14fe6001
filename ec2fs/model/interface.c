/* The network interface of an instance: where it is, and its addresses. */
#include "ec2fs/model/interface.h"

#include "ec2fs/model/instance.h"
#include "ec2fs/text/keyed.h"
#include "ec2fs/text/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const struct resource *instance_subnet(const struct view *v, const struct resource *instance)
{
	const struct resource *r = view_by_id(v, resource_or(instance, "subnet", ""));

	return r && r->kind == KIND_SUBNET ? r : NULL;
}

const struct resource *instance_vpc(const struct view *v, const struct resource *instance)
{
	const struct resource *subnet = instance_subnet(v, instance);

	return subnet ? view_get(v, subnet->parent) : NULL;
}

uint32_t instance_private_ip(const struct resource *instance)
{
	uint32_t a;

	return address_parse(resource_or(instance, "private-ip-address", ""), &a, NULL) == 0 ? a
											     : 0;
}

uint32_t instance_public_ip(const struct view *v, const struct resource *instance)
{
	const struct resource *elastic = address_of_instance(v, instance);
	uint32_t a;

	if (elastic)
		return address_public_ip(elastic);
	return address_parse(resource_or(instance, "public-ip-address", ""), &a, NULL) == 0 ? a : 0;
}

bool instance_holds_address(const struct resource *instance)
{
	enum instance_state s = instance_state(instance);

	return s != INSTANCE_DRAFT && s != INSTANCE_TERMINATED && instance_private_ip(instance);
}

int instance_set_subnet(struct view *v, struct resource *r, const char *text, size_t len,
			struct ec2fs_error *error)
{
	const struct resource *subnet = subnet_refer(v, r->parent, text);
	int result;

	(void)len;
	if (subnet && resource_is(r, "subnet", subnet->id))
		return 0;
	result = instance_need_draft(r, "subnet", error);
	if (result < 0)
		return result;
	if (!*text) {
		unset(v, r, "subnet");
		return 0;
	}
	if (!subnet)
		return ec2fs_fail(error, EC2_InvalidSubnetID_NotFound,
				  "there is no subnet %s here; write NAME of the default VPC's, or "
				  "VPC/NAME",
				  text);
	result = view_may(v, view_get(v, subnet->parent), 4, error);
	if (result == 0)
		result = view_may(v, subnet, 4, error);
	if (result < 0)
		return result;
	view_each (v, r->number, KIND_MEMBERSHIP, m) {
		const struct resource *group = membership_group(v, m);

		if (group && security_group_vpc(v, group) != view_get(v, subnet->parent))
			return ec2fs_fail(error, EC2_InvalidParameter,
					  "the subnet is in another VPC than the security group "
					  "%s; remove its link first",
					  group->name);
	}
	set_text(v, r, "subnet", subnet->id);
	/* A subnet is in one zone, and so is what is in it. */
	set_text(v, r, "availability-zone", resource_or(subnet, "availability-zone", ""));
	return 0;
}

int instance_unset_subnet(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	return instance_state(r) == INSTANCE_DRAFT ? instance_set_subnet(v, r, "", 0, error) : 0;
}

int instance_set_private_ip(struct view *v, struct resource *r, const char *text, size_t len,
			    struct ec2fs_error *error)
{
	const struct resource *subnet = instance_subnet(v, r);
	uint32_t address;
	int result;

	(void)len;
	if (resource_is(r, "private-ip-address", text))
		return 0;
	result = instance_need_draft(r, "private-ip-address", error);
	if (result == 0 && !*text) {
		unset(v, r, "private-ip-address");
		return 0;
	}
	if (result == 0)
		result = address_parse(text, &address, error);
	if (result == 0 && subnet)
		result = subnet_check_address(v, subnet, address, error);
	if (result == 0)
		set_text(v, r, "private-ip-address", text);
	return result;
}

int instance_unset_private_ip(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	return instance_state(r) == INSTANCE_DRAFT ? instance_set_private_ip(v, r, "", 0, error)
						   : 0;
}

int instance_set_associate_public_ip(struct view *v, struct resource *r, const char *text,
				     size_t len, struct ec2fs_error *error)
{
	bool on;
	int result;

	(void)len;
	if (resource_is(r, "associate-public-ip-address", text))
		return 0;
	result = instance_need_draft(r, "associate-public-ip-address", error);
	if (result == 0 && !*text) {
		unset(v, r, "associate-public-ip-address");
		return 0;
	}
	if (result == 0)
		result = bool_parse(text, &on, error);
	if (result == 0)
		set_text(v, r, "associate-public-ip-address", on ? "true" : "false");
	return result;
}

int instance_set_source_dest_check(struct view *v, struct resource *r, const char *text, size_t len,
				   struct ec2fs_error *error)
{
	bool on;
	int result = bool_parse(text, &on, error);

	(void)len;
	if (result == 0 && instance_state(r) == INSTANCE_TERMINATED)
		return ec2fs_fail_errno(error, EIDRM, EC2_IncorrectInstanceState,
					"the instance is terminated");
	if (result == 0)
		set_text(v, r, "source-dest-check", on ? "true" : "false");
	return result;
}

/* Does it want an automatic public address? EC2: what the launch says, or else its subnet. */
static bool wants_public_ip(const struct view *v, const struct resource *r,
			    const struct resource *subnet)
{
	const char *said = resource_get(r, "associate-public-ip-address");

	if (address_of_instance(v, r))
		return false;
	return said ? strcmp(said, "true") == 0
		    : resource_is(subnet, "map-public-ip-on-launch", "true");
}

static void set_public_ip(struct view *v, struct resource *r, uint32_t address)
{
	char text[CIDR_TEXT];

	address_print(address, text);
	set_text(v, r, "public-ip-address", text);
}

static int find_subnet(const struct view *v, const struct resource *r, const struct resource **ret,
		       struct ec2fs_error *error)
{
	const char *zone = resource_or(r, "availability-zone", "");
	const struct resource *subnet = instance_subnet(v, r);

	if (!subnet && resource_get(r, "subnet"))
		return ec2fs_fail(error, EC2_InvalidSubnetID_NotFound,
				  "the subnet %s is gone; write another one to subnet",
				  resource_get(r, "subnet"));
	if (!subnet)
		subnet = subnet_default(v, r->parent, zone);
	if (!subnet)
		return ec2fs_fail(error, EC2_VPCIdNotSpecified,
				  "there is no default VPC with a subnet in %s; write a subnet to "
				  "subnet",
				  zone);
	if (!resource_is(subnet, "availability-zone", zone))
		return ec2fs_fail(error, EC2_InvalidParameterCombination,
				  "the subnet %s is in %s, and availability-zone says %s",
				  subnet->name, resource_or(subnet, "availability-zone", "none"),
				  zone);
	*ret = subnet;
	return 0;
}

static int check_groups(const struct view *v, const struct resource *r, const struct resource *vpc,
			struct ec2fs_error *error)
{
	view_each (v, r->number, KIND_MEMBERSHIP, m) {
		const struct resource *group = membership_group(v, m);

		if (group && security_group_vpc(v, group) != vpc)
			return ec2fs_fail(error, EC2_InvalidParameter,
					  "the security group %s is in another VPC than the subnet",
					  group->name);
	}
	return 0;
}

static void make_identity(struct view *v, struct resource *r)
{
	char hex[18];

	view_random_hex(v, hex, 17);
	set_format(v, r, "network-interface", "eni-%s", hex);
	/* Locally administered, unicast. */
	view_random_hex(v, hex, 10);
	set_format(v, r, "mac-address", "02:%.2s:%.2s:%.2s:%.2s:%.2s", hex, hex + 2, hex + 4,
		   hex + 6, hex + 8);
}

int interface_launch(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	const struct resource *subnet = NULL, *vpc, *group;
	uint32_t private_ip = instance_private_ip(r), public_ip = 0;
	char text[CIDR_TEXT];
	int result = find_subnet(v, r, &subnet, error);

	if (result < 0)
		return result;
	vpc = view_get(v, subnet->parent);
	result = check_groups(v, r, vpc, error);
	if (result == 0)
		result = private_ip ? subnet_check_address(v, subnet, private_ip, error)
				    : subnet_free_address(v, subnet, &private_ip, error);
	if (result == 0 && wants_public_ip(v, r, subnet)) {
		result = public_address_free(v, &public_ip, error);
		/* Nobody asked for it but the subnet: the instance can do without. */
		if (result < 0 && !resource_get(r, "associate-public-ip-address"))
			result = 0;
	}
	if (result < 0)
		return result;
	set_text(v, r, "subnet", subnet->id);
	address_print(private_ip, text);
	set_text(v, r, "private-ip-address", text);
	if (public_ip)
		set_public_ip(v, r, public_ip);
	make_identity(v, r);
	group = security_group_default(v, vpc);
	if (group && !view_next(v, r->number, KIND_MEMBERSHIP, 0)) {
		struct resource *made;

		return membership_make(v, r, group->name, group, &made, error);
	}
	return 0;
}

void interface_start(struct view *v, struct resource *r)
{
	const struct resource *subnet = instance_subnet(v, r);
	uint32_t address;

	if (subnet && !resource_get(r, "public-ip-address") && wants_public_ip(v, r, subnet) &&
	    public_address_free(v, &address, NULL) == 0)
		set_public_ip(v, r, address);
}

void interface_stopped(struct view *v, struct resource *r)
{
	unset(v, r, "public-ip-address");
}

void interface_gone(struct view *v, struct resource *r)
{
	unset(v, r, "public-ip-address");
	unset(v, r, "private-ip-address");
	address_instance_gone(v, r);
}

struct choice {
	const char *key, *yes, *no;
	size_t offset;
};

static const struct choice choices[] = {
	{"http-endpoint", "enabled", "disabled", offsetof(struct metadata_options, endpoint)},
	{"http-tokens", "required", "optional", offsetof(struct metadata_options, tokens_required)},
	{"instance-metadata-tags", "enabled", "disabled", offsetof(struct metadata_options, tags)},
};

static int metadata_line(void *context, unsigned line, const char *key, const char *value,
			 struct ec2fs_error *error)
{
	struct metadata_options *o = context;
	uint64_t n;
	int result;

	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		const struct choice *c = &choices[i];
		bool yes = strcmp(value, c->yes) == 0;

		if (strcmp(key, c->key) != 0)
			continue;
		if (!yes && strcmp(value, c->no) != 0)
			return ec2fs_fail(error, EC2_InvalidParameterValue,
					  "line %u: %s is %s or %s", line, key, c->yes, c->no);
		*(bool *)((char *)o + c->offset) = yes;
		return 0;
	}
	if (strcmp(key, "http-put-response-hop-limit") != 0)
		return ec2fs_fail_errno(error, EINVAL, EC2_UnknownParameter,
					"line %u: there is no option %s; there are http-endpoint, "
					"http-tokens, http-put-response-hop-limit and "
					"instance-metadata-tags",
					line, key);
	result = number_parse(value, 1, 64, &n, error);
	if (result < 0)
		return ec2fs_wrap(error, "line %u: %s", line, key);
	o->hops = (uint8_t)n;
	return 0;
}

void instance_metadata_options(const struct resource *r, struct metadata_options *ret)
{
	const struct field *f = resource_field(r, "metadata-options");

	*ret = (struct metadata_options){.endpoint = true, .hops = 1};
	if (f && f->value)
		keyed_parse(f->value->data, f->value->len, metadata_line, ret, NULL);
}

int instance_set_metadata_options(struct view *v, struct resource *r, const char *text, size_t len,
				  struct ec2fs_error *error)
{
	struct metadata_options o = {0};
	int result = keyed_parse(text, len, metadata_line, &o, error);

	if (result < 0)
		return result;
	if (instance_state(r) == INSTANCE_TERMINATED)
		return ec2fs_fail_errno(error, EIDRM, EC2_IncorrectInstanceState,
					"the instance is terminated");
	if (len)
		set_data(v, r, "metadata-options", text, len);
	else
		unset(v, r, "metadata-options");
	return 0;
}
