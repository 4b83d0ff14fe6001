/* What a VPC has beside addresses: internet gateway, DNS, DHCP options, flow logs. */
#include "ec2fs/model/network.h"

#include "ec2fs/model/refer.h"
#include "ec2fs/text/keyed.h"
#include "ec2fs/text/number.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <string.h>

/* Who has a public address there, or NULL. */
static const struct resource *has_public_address(const struct view *v, const struct resource *vpc)
{
	view_each (v, vpc->number, KIND_NAT_GATEWAY, nat)
		if (nat_gateway_is_available(nat))
			return nat;
	view_each (v, vpc->parent, KIND_INSTANCE, r) {
		const struct resource *subnet = instance_subnet(v, r);

		if (subnet && subnet->parent == vpc->number && instance_holds_address(r) &&
		    instance_public_ip(v, r))
			return r;
	}
	return NULL;
}

int vpc_set_internet_gateway(struct view *v, struct resource *r, const char *text, size_t len,
			     struct ec2fs_error *error)
{
	const struct resource *user;
	bool on;
	int result = bool_parse(text, &on, error);

	(void)len;
	if (result < 0)
		return result;
	user = on || !vpc_has_internet(r) ? NULL : has_public_address(v, r);
	if (user)
		return ec2fs_fail_errno(error, EBUSY, EC2_DependencyViolation,
					"the %s %s has a public address, which leads through the "
					"gateway",
					kind_name(user->kind), user->name);
	set_text(v, r, "internet-gateway", on ? "true" : "false");
	return 0;
}

int vpc_unset_internet_gateway(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	(void)error;
	vpc_set_internet_gateway(v, r, "false", 5, NULL);
	return 0;
}

static int set_flag(struct view *v, struct resource *r, const char *key, const char *text,
		    struct ec2fs_error *error)
{
	bool on;
	int result = bool_parse(text, &on, error);

	if (result == 0)
		set_text(v, r, key, on ? "true" : "false");
	return result;
}

int vpc_set_dns_support(struct view *v, struct resource *r, const char *text, size_t len,
			struct ec2fs_error *error)
{
	(void)len;
	return set_flag(v, r, "enable-dns-support", text, error);
}

int vpc_set_dns_hostnames(struct view *v, struct resource *r, const char *text, size_t len,
			  struct ec2fs_error *error)
{
	(void)len;
	return set_flag(v, r, "enable-dns-hostnames", text, error);
}

/* Addresses with commas or blanks between them. */
static int servers_parse(const char *text, uint32_t *servers, size_t *count,
			 struct ec2fs_error *error)
{
	cleanup_free char *copy = xstrdup(text);
	char *save = NULL;

	*count = 0;
	for (char *one = strtok_r(copy, ", \t", &save); one; one = strtok_r(NULL, ", \t", &save)) {
		if (*count == DHCP_SERVERS_MOST)
			return ec2fs_fail(error, EC2_InvalidParameterValue,
					  "there can be at most %d servers", DHCP_SERVERS_MOST);
		if (address_parse(one, &servers[*count], error) < 0)
			return -EINVAL;
		(*count)++;
	}
	if (!*count)
		return ec2fs_fail(error, EC2_InvalidParameterValue, "there is no address in this");
	return 0;
}

/* A DNS name: labels of letters, digits and dashes. */
static int domain_check(const char *text, struct ec2fs_error *error)
{
	static const char *const allowed =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";

	if (strlen(text) > 253 || text[strspn(text, allowed)] || *text == '.' || *text == '-' ||
	    strstr(text, ".."))
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "%.64s is no domain name, such as corp.example", text);
	return 0;
}

static int dhcp_line(void *context, unsigned line, const char *key, const char *value,
		     struct ec2fs_error *error)
{
	struct dhcp_options *o = context;
	int result;

	if (strcmp(key, "domain-name") == 0)
		result = domain_check(value, error);
	else if (strcmp(key, "domain-name-servers") == 0)
		result = strcmp(value, "AmazonProvidedDNS") == 0
				 ? 0
				 : servers_parse(value, o->name_servers, &o->name_server_count,
						 error);
	else if (strcmp(key, "ntp-servers") == 0)
		result = servers_parse(value, o->ntp_servers, &o->ntp_server_count, error);
	else
		return ec2fs_fail_errno(error, EINVAL, EC2_UnknownParameter,
					"line %u: there is no option %s; there are domain-name, "
					"domain-name-servers and ntp-servers",
					line, key);
	return result < 0 ? ec2fs_wrap(error, "line %u: %s", line, key) : 0;
}

void vpc_dhcp_options(const struct resource *vpc, struct dhcp_options *ret)
{
	const char *text = resource_or(vpc, "dhcp-options", "");

	*ret = (struct dhcp_options){0};
	keyed_parse(text, strlen(text), dhcp_line, ret, NULL);
}

int vpc_set_dhcp_options(struct view *v, struct resource *r, const char *text, size_t len,
			 struct ec2fs_error *error)
{
	struct dhcp_options o = {0};
	int result = keyed_parse(text, len, dhcp_line, &o, error);

	if (result < 0)
		return result;
	set_document(v, r, "dhcp-options", text, len);
	return 0;
}

/* EC2 takes 600 and 60; on its newer hardware it is 60 at most. */
#define INTERVAL 60
#define INTERVAL_MOST 600

static int flow_log_line(void *context, unsigned line, const char *key, const char *value,
			 struct ec2fs_error *error)
{
	struct flow_log_options *o = context;
	uint64_t seconds;

	if (strcmp(key, "traffic-type") == 0) {
		bool all = strcmp(value, "ALL") == 0;

		o->accepted = all || strcmp(value, "ACCEPT") == 0;
		o->rejected = all || strcmp(value, "REJECT") == 0;
		return o->accepted || o->rejected
			       ? 0
			       : ec2fs_fail(error, EC2_InvalidParameterValue,
					    "line %u: traffic-type is ALL, ACCEPT or REJECT", line);
	}
	if (strcmp(key, "max-aggregation-interval") == 0) {
		if (number_parse(value, 1, INTERVAL_MOST, &seconds, error) < 0)
			return ec2fs_wrap(error, "line %u: %s", line, key);
		o->interval = (unsigned)seconds;
		return 0;
	}
	return ec2fs_fail_errno(error, EINVAL, EC2_UnknownParameter,
				"line %u: there is no option %s; there are traffic-type and "
				"max-aggregation-interval",
				line, key);
}

void vpc_flow_log_options(const struct resource *vpc, struct flow_log_options *ret)
{
	const char *text = resource_or(vpc, "flow-log-options", "");

	*ret = (struct flow_log_options){.interval = INTERVAL};
	keyed_parse(text, strlen(text), flow_log_line, ret, NULL);
}

int vpc_set_flow_log_options(struct view *v, struct resource *r, const char *text, size_t len,
			     struct ec2fs_error *error)
{
	struct flow_log_options o = {0};
	int result = keyed_parse(text, len, flow_log_line, &o, error);

	if (result < 0)
		return result;
	if (o.interval && !o.accepted && !o.rejected)
		return ec2fs_fail(error, EC2_MissingParameter,
				  "traffic-type is missing: ALL, ACCEPT or REJECT");
	set_document(v, r, "flow-log-options", text, len);
	return 0;
}
