/* Names of protocols and of ICMP's types: a small table, so that no file of the host decides what a
 * rule means. */
#include "ec2fs/text/permission.h"

#include "ec2fs/text/suggest.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* IANA, "Assigned Internet Protocol Numbers". */
static const struct {
	const char *name;
	int number;
} protocols[] = {
	{"all", PROTOCOL_ALL},
	{"tcp", IPPROTO_TCP},
	{"udp", IPPROTO_UDP},
	{"icmp", IPPROTO_ICMP},
	{"icmpv6", IPPROTO_ICMPV6},
	{"igmp", IPPROTO_IGMP},
	{"ipip", IPPROTO_IPIP},
	{"gre", IPPROTO_GRE},
	{"esp", IPPROTO_ESP},
	{"ah", IPPROTO_AH},
	{"ospf", 89},
	{"pim", IPPROTO_PIM},
	{"vrrp", 112},
	{"l2tp", 115},
	{"sctp", IPPROTO_SCTP},
	{"udplite", IPPROTO_UDPLITE},
};
#define PROTOCOL_COUNT (sizeof(protocols) / sizeof(protocols[0]))

/* IANA, "ICMP Type Numbers" and "ICMPv6 Parameters"; names as iptables and nft have them. */
static const struct {
	const char *name;
	int protocol;
	int16_t type, code;
} icmp_names[] = {
	{"echo-reply", IPPROTO_ICMP, 0, -1},
	{"destination-unreachable", IPPROTO_ICMP, 3, -1},
	{"network-unreachable", IPPROTO_ICMP, 3, 0},
	{"host-unreachable", IPPROTO_ICMP, 3, 1},
	{"protocol-unreachable", IPPROTO_ICMP, 3, 2},
	{"port-unreachable", IPPROTO_ICMP, 3, 3},
	{"fragmentation-needed", IPPROTO_ICMP, 3, 4},
	{"source-quench", IPPROTO_ICMP, 4, -1},
	{"redirect", IPPROTO_ICMP, 5, -1},
	{"echo-request", IPPROTO_ICMP, 8, -1},
	{"router-advertisement", IPPROTO_ICMP, 9, -1},
	{"router-solicitation", IPPROTO_ICMP, 10, -1},
	{"time-exceeded", IPPROTO_ICMP, 11, -1},
	{"parameter-problem", IPPROTO_ICMP, 12, -1},
	{"timestamp-request", IPPROTO_ICMP, 13, -1},
	{"timestamp-reply", IPPROTO_ICMP, 14, -1},
	{"destination-unreachable", IPPROTO_ICMPV6, 1, -1},
	{"packet-too-big", IPPROTO_ICMPV6, 2, -1},
	{"time-exceeded", IPPROTO_ICMPV6, 3, -1},
	{"parameter-problem", IPPROTO_ICMPV6, 4, -1},
	{"echo-request", IPPROTO_ICMPV6, 128, -1},
	{"echo-reply", IPPROTO_ICMPV6, 129, -1},
	{"router-solicitation", IPPROTO_ICMPV6, 133, -1},
	{"router-advertisement", IPPROTO_ICMPV6, 134, -1},
	{"neighbor-solicitation", IPPROTO_ICMPV6, 135, -1},
	{"neighbor-advertisement", IPPROTO_ICMPV6, 136, -1},
	{"redirect", IPPROTO_ICMPV6, 137, -1},
};
#define ICMP_COUNT (sizeof(icmp_names) / sizeof(icmp_names[0]))

int protocol_parse(const char *text)
{
	size_t len = strlen(text);
	int n;

	for (size_t i = 0; i < PROTOCOL_COUNT; i++)
		if (strcmp(protocols[i].name, text) == 0)
			return protocols[i].number;
	/* A number has one form only: the same rule is the same text. */
	if (!len || len > 3 || strspn(text, "0123456789") != len || (text[0] == '0' && len > 1))
		return -2;
	n = atoi(text);
	return n <= 255 ? n : -2;
}

void protocol_print(int protocol, struct strbuf *out)
{
	for (size_t i = 0; i < PROTOCOL_COUNT; i++)
		if (protocols[i].number == protocol) {
			strbuf_adds(out, protocols[i].name);
			return;
		}
	strbuf_addf(out, "%d", protocol);
}

int protocol_refuse(const char *text, struct ec2fs_error *error)
{
	const char *names[PROTOCOL_COUNT], *near;

	for (size_t i = 0; i < PROTOCOL_COUNT; i++)
		names[i] = protocols[i].name;
	near = suggest(text, names, PROTOCOL_COUNT);
	return ec2fs_fail(error, EC2_InvalidPermission_Malformed,
			  "%.64s is no protocol; write tcp, udp, icmp, icmpv6, all or a number "
			  "from 0 to 255%s%s%s",
			  text, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

bool icmp_by_name(int protocol, const char *name, int16_t *ret_type, int16_t *ret_code)
{
	for (size_t i = 0; i < ICMP_COUNT; i++)
		if (icmp_names[i].protocol == protocol && strcmp(icmp_names[i].name, name) == 0) {
			*ret_type = icmp_names[i].type;
			*ret_code = icmp_names[i].code;
			return true;
		}
	return false;
}

const char *icmp_name(int protocol, int16_t type, int16_t code)
{
	for (size_t i = 0; i < ICMP_COUNT; i++)
		if (icmp_names[i].protocol == protocol && icmp_names[i].type == type &&
		    icmp_names[i].code == code)
			return icmp_names[i].name;
	return NULL;
}

const char *icmp_suggest(int protocol, const char *name)
{
	const char *names[ICMP_COUNT];
	size_t count = 0;

	for (size_t i = 0; i < ICMP_COUNT; i++)
		if (icmp_names[i].protocol == protocol)
			names[count++] = icmp_names[i].name;
	return suggest(name, names, count);
}
