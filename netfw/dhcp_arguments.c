#include "netfw/dhcp_internal.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "ec2fs/util/strbuf.h"
#include "netfw/dhcp.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#define LEASE_SECONDS 3600 /* as EC2's */
#define ANSWER_SECONDS 60  /* of names */

struct arguments {
	char **v;
	size_t count, capacity;
};

static void add(struct arguments *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct arguments *a, const char *format, ...)
{
	struct strbuf text = STRBUF_INIT;
	va_list args;

	va_start(args, format);
	strbuf_vaddf(&text, format, args);
	va_end(args);
	array_reserve(a->v, a->count, a->capacity);
	a->v[a->count++] = strbuf_steal(&text);
}

static void add_address(struct strbuf *out, uint32_t address)
{
	strbuf_addf(out, "%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255,
		    address & 255);
}

#define DOTTED "%u.%u.%u.%u"
#define PARTS(a) (a) >> 24, (a) >> 16 & 255, (a) >> 8 & 255, (a)&255

static void add_addresses(struct arguments *a, const char *option, const uint32_t *addresses,
			  size_t count)
{
	cleanup_strbuf struct strbuf list = STRBUF_INIT;

	for (size_t i = 0; i < count; i++) {
		strbuf_addc(&list, ',');
		add_address(&list, addresses[i]);
	}
	add(a, "--dhcp-option=option:%s%s", option, strbuf_str(&list));
}

static void add_subnet(struct arguments *a, const struct netfw_vpc *vpc,
		       const struct netfw_subnet *s)
{
	uint32_t network = s->cidr.address;
	uint32_t mask = s->cidr.prefix ? ~0u << (32 - s->cidr.prefix) : 0;

	add(a, "--dhcp-range=set:%s," DOTTED ",static," DOTTED ",%d", s->id, PARTS(network),
	    PARTS(mask), LEASE_SECONDS);
	add(a, "--dhcp-option=tag:%s,option:router," DOTTED, s->id, PARTS(network + 1));
	if (vpc->dns && !vpc->name_server_count)
		add(a, "--dhcp-option=tag:%s,option:dns-server," DOTTED, s->id, PARTS(network + 2));
}

/* Debian's dnsmasq has a user of its own; elsewhere it becomes nobody by itself. */
static bool has_user(void)
{
	struct passwd user, *found;
	char buffer[1024];

	return getpwnam_r("dnsmasq", &user, buffer, sizeof(buffer), &found) == 0 && found;
}

/* Letters, digits, '-' and '.'; several names have blanks between them. */
static int check_domain(const char *name, struct ec2fs_error *error)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-. ";

	if (!name || !name[strspn(name, allowed)])
		return 0;
	return ec2fs_fail(error, EC2_InvalidParameterValue, "\"%s\" is not a domain name", name);
}

/* DNS: the addresses of the VPC have EC2's private names, and nothing else has one. */
static void add_names(struct arguments *a, const struct netfw_vpc *vpc)
{
	const char *domain = vpc->domain_name && *vpc->domain_name ? vpc->domain_name : NULL;
	int len = domain ? (int)strcspn(domain, " ") : 0;

	add(a, "--local-ttl=%d", ANSWER_SECONDS);
	add(a, "--bogus-priv");
	if (!len)
		return;
	add(a, "--local=/%.*s/", len, domain);
	add(a, "--domain=%.*s", len, domain);
	add(a, "--host-record=instance-data.%.*s,169.254.169.254", len, domain);
	for (size_t i = 0; i < vpc->cidr_count; i++) {
		const struct netfw_cidr *c = &vpc->cidrs[i];

		add(a, "--synth-domain=%.*s," DOTTED "/%u,ip-", len, domain, PARTS(c->address),
		    c->prefix);
	}
}

int dhcp_arguments(const char *directory, const struct netfw_vpc *vpc, char ***ret,
		   struct ec2fs_error *error)
{
	struct arguments a = {0};
	int r = check_domain(vpc->domain_name, error);

	if (r < 0)
		return r;
	add(&a, "dnsmasq");
	add(&a, "--conf-file=/dev/null");
	add(&a, "--pid-file=%s/pid", directory);
	if (has_user())
		add(&a, "--user=dnsmasq");
	add(&a, "--dhcp-hostsdir=%s/hosts", directory);
	/* One socket for all taps, not one bound to each: many have the same address. */
	add(&a, "--interface=tap*");
	add(&a, "--dhcp-authoritative");
	add(&a, "--leasefile-ro");
	add(&a, "--dhcp-lease-max=100000");
	/* A guest does not choose by which name others find it. */
	add(&a, "--dhcp-ignore-names");
	add(&a, "--quiet-dhcp");
	add(&a, "--no-resolv");
	add(&a, "--no-hosts");
	if (vpc->dns)
		add_names(&a, vpc);
	else
		add(&a, "--port=0");
	add(&a, "--dhcp-option=option:mtu,%d", DHCP_MTU);
	if (vpc->domain_name && *vpc->domain_name)
		add(&a, "--dhcp-option=option:domain-name,%s", vpc->domain_name);
	if (vpc->name_server_count)
		add_addresses(&a, "dns-server", vpc->name_servers, vpc->name_server_count);
	else if (!vpc->dns)
		add(&a, "--dhcp-option=option:dns-server"); /* none, not dnsmasq itself */
	if (vpc->ntp_server_count)
		add_addresses(&a, "ntp-server", vpc->ntp_servers, vpc->ntp_server_count);
	for (size_t i = 0; i < vpc->subnet_count; i++)
		add_subnet(&a, vpc, &vpc->subnets[i]);
	array_reserve(a.v, a.count, a.capacity);
	a.v[a.count] = NULL;
	*ret = a.v;
	return 0;
}

void dhcp_arguments_free(char **argv)
{
	for (size_t i = 0; argv && argv[i]; i++)
		free(argv[i]);
	free(argv);
}
