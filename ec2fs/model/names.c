#include "ec2fs/model/names.h"

#include "ec2fs/text/keyed.h"

#include <string.h>

void host_name(uint32_t a, struct strbuf *out)
{
	strbuf_addf(out, "ip-%u-%u-%u-%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

static int take_domain(void *context, unsigned line, const char *key, const char *value,
		       struct ec2fs_error *error)
{
	(void)line;
	(void)error;
	if (strcmp(key, "domain-name") == 0)
		strbuf_adds(context, value);
	return 0;
}

void vpc_domain(const struct view *v, const struct resource *vpc, struct strbuf *out)
{
	const struct field *f = resource_field(vpc, "dhcp-options");
	const struct resource *region = view_region(v, vpc);
	size_t before = out->len;

	if (f && f->value)
		keyed_parse(f->value->data, f->value->len, take_domain, out, NULL);
	if (out->len > before)
		return;
	if (region && strcmp(region->name, "us-east-1") != 0)
		strbuf_addf(out, "%s.compute.internal", region->name);
	else
		strbuf_adds(out, "ec2.internal");
}

bool private_dns_name(const struct view *v, const struct resource *instance, struct strbuf *out)
{
	const struct resource *vpc = instance_vpc(v, instance);
	uint32_t address = instance_private_ip(instance);

	if (!vpc || !address)
		return false;
	host_name(address, out);
	strbuf_addc(out, '.');
	vpc_domain(v, vpc, out);
	return true;
}

bool public_dns_name(const struct view *v, const struct resource *instance, struct strbuf *out)
{
	const struct resource *vpc = instance_vpc(v, instance);
	const struct resource *region = view_region(v, instance);
	uint32_t a = instance_public_ip(v, instance);

	if (!vpc || !region || !a || !resource_is(vpc, "enable-dns-hostnames", "true") ||
	    !resource_is(vpc, "enable-dns-support", "true"))
		return false;
	strbuf_addf(out, "ec2-%u-%u-%u-%u.", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
	if (strcmp(region->name, "us-east-1") == 0)
		strbuf_adds(out, "compute-1");
	else
		strbuf_addf(out, "%s.compute", region->name);
	strbuf_adds(out, ".amazonaws.com");
	return true;
}
