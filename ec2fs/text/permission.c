#include "ec2fs/text/permission.h"

#include "ec2fs/text/lines.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

struct parsing {
	permission_fn *each;
	void *context;
	struct permission_set seen;
};

static const char example[] = "PROTOCOL PORTS PEER, such as tcp 22 203.0.113.0/24";

static int malformed(struct ec2fs_error *error, const char *word, const char *what,
		     const char *right)
{
	return ec2fs_fail(error, EC2_InvalidPermission_Malformed, "%.64s is no %s; write %s", word,
			  what, right);
}

/* Decimal digits of text up to end, at most `most`, in one form only (no leading zeros); -1: none.
 */
static long number_in(const char *text, const char *end, long most)
{
	long n = 0;

	if (text == end || end - text > 5 || (*text == '0' && end - text > 1))
		return -1;
	for (; text < end; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		n = n * 10 + (*text - '0');
	}
	return n <= most ? n : -1;
}

/* "22" or "8000-8100". */
static int parse_range(const char *text, struct permission *p, struct ec2fs_error *error)
{
	const char *end = text + strlen(text), *dash = strchr(text, '-');
	long from = number_in(text, dash ? dash : end, 65535);
	long to = dash ? number_in(dash + 1, end, 65535) : from;

	if (from < 0 || to < 0)
		return malformed(error, text, "port or range of ports",
				 "numbers up to 65535, such as 22 or 80,443,8000-8100, or - for "
				 "all");
	if (from > to)
		return ec2fs_fail(error, EC2_InvalidPermission_Malformed,
				  "%.64s ends before it begins; write %ld-%ld", text, to, from);
	p->from = (uint16_t)from;
	p->to = (uint16_t)to;
	return 0;
}

/* "echo-request", "8", "3/4". */
static int parse_icmp(const char *text, struct permission *p, struct ec2fs_error *error)
{
	const char *end = text + strlen(text), *slash = strchr(text, '/'), *near;
	long type = number_in(text, slash ? slash : end, 255);
	long code = slash ? number_in(slash + 1, end, 255) : -1;

	if (icmp_by_name(p->protocol, text, &p->type, &p->code))
		return 0;
	if (type >= 0 && (!slash || code >= 0)) {
		p->type = (int16_t)type;
		p->code = (int16_t)code;
		return 0;
	}
	near = icmp_suggest(p->protocol, text);
	return ec2fs_fail(error, EC2_InvalidPermission_Malformed,
			  "%.64s is no type of ICMP; write a name such as echo-request, TYPE, "
			  "TYPE/CODE, or - for all%s%s%s",
			  text, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static bool has_ports(int protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

static bool has_types(int protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

/* One item of the list between the commas; the whole word where it is no list. */
static int parse_ports(const char *text, struct permission *p, struct ec2fs_error *error)
{
	bool any = strcmp(text, "-") == 0 || strcmp(text, "all") == 0;

	p->from = p->to = 0;
	p->type = p->code = -1;
	if (has_ports(p->protocol) && any)
		p->to = 65535;
	else if (has_ports(p->protocol))
		return parse_range(text, p, error);
	else if (has_types(p->protocol) && !any)
		return parse_icmp(text, p, error);
	else if (!any)
		return ec2fs_fail(error, EC2_InvalidPermission_Malformed,
				  "only tcp, udp and icmp have ports or types; write - instead of "
				  "%.64s",
				  text);
	return 0;
}

/* Host bits are refused as in IPv4; *ret is the form in which it is compared, to be freed. */
static int parse_cidr6(const char *text, char **ret, struct ec2fs_error *error)
{
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN], right[INET6_ADDRSTRLEN];
	long prefix = slash ? number_in(slash + 1, slash + strlen(slash), 128) : -1;
	struct in6_addr in, block;
	size_t len = slash ? (size_t)(slash - text) : strlen(text);

	if (len >= sizeof(address))
		return malformed(error, text, "IPv6 CIDR block", "one such as 2001:db8::/32");
	memcpy(address, text, len);
	address[len] = '\0';
	if (inet_pton(AF_INET6, address, &in) != 1 || (slash && prefix < 0))
		return malformed(error, text, "IPv6 CIDR block", "one such as 2001:db8::/32");
	if (!slash)
		return ec2fs_fail(error, EC2_InvalidPermission_Malformed,
				  "%.64s has no prefix length; write %.64s/128", text, text);
	block = in;
	for (long bit = prefix; bit < 128; bit++)
		block.s6_addr[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	inet_ntop(AF_INET6, &block, right, sizeof(right));
	if (memcmp(&block, &in, sizeof(in)) != 0)
		return ec2fs_fail(error, EC2_InvalidPermission_Malformed,
				  "%.64s has host bits; the block is %s/%ld", text, right, prefix);
	*ret = xasprintf("%s/%ld", right, prefix);
	return 0;
}

static int parse_cidr4(const char *text, struct permission *p, struct ec2fs_error *error)
{
	struct ec2fs_error why = {0};
	uint32_t address;

	p->peer = PEER_CIDR;
	if (address_parse(text, &address, NULL) == 0)
		return ec2fs_fail(error, EC2_InvalidPermission_Malformed,
				  "%.64s has no prefix length; write %.64s/32", text, text);
	if (cidr_parse(text, &p->cidr, &why) == 0)
		return 0;
	if (strstr(why.message, "host bits"))
		return ec2fs_fail(error, EC2_InvalidPermission_Malformed, "%s", why.message);
	return malformed(error, text, "peer",
			 "a CIDR block such as 203.0.113.0/24, sg:NAME for a security group or "
			 "pl:NAME for a prefix list");
}

/* p->name is *ret_owned, or in text. */
static int parse_peer(const char *text, struct permission *p, char **ret_owned,
		      struct ec2fs_error *error)
{
	int r;

	p->cidr = (struct cidr){0};
	p->name = NULL;
	if (strncmp(text, "sg:", 3) == 0 || strncmp(text, "pl:", 3) == 0) {
		p->peer = *text == 's' ? PEER_GROUP : PEER_PREFIX_LIST;
		p->name = text + 3;
		if (*p->name)
			return 0;
		return ec2fs_fail(error, EC2_InvalidPermission_Malformed,
				  "%s names nothing; write %sNAME", text, text);
	}
	if (!strchr(text, ':'))
		return parse_cidr4(text, p, error);
	r = parse_cidr6(text, ret_owned, error);
	if (r == 0) {
		p->peer = PEER_CIDR6;
		p->name = *ret_owned;
	}
	return r;
}

static int tell(struct parsing *s, unsigned line, const struct permission *p,
		struct ec2fs_error *error)
{
	struct strbuf text cleanup_strbuf = STRBUF_INIT;
	unsigned first;

	if (permission_set_add(&s->seen, p, line, &first))
		return s->each(s->context, line, p, error);
	permission_print(p, &text);
	return ec2fs_fail(error, EC2_InvalidPermission_Duplicate,
			  "%.100s stands in line %u already; take one away", strbuf_str(&text),
			  first);
}

/* Cuts the next word off. */
static char *next_word(char **rest)
{
	char *word = *rest + strspn(*rest, " \t\r");

	*rest = word + strcspn(word, " \t\r");
	if (**rest)
		*(*rest)++ = '\0';
	return word;
}

static int parse_line(void *context, unsigned line, char *content, struct ec2fs_error *error)
{
	cleanup_free char *owned = NULL;
	char *rest = content, *protocol = next_word(&rest), *ports = next_word(&rest);
	char *peer = rest + strspn(rest, " \t\r");
	struct permission p = {0};
	int r;

	if (!*peer)
		return ec2fs_fail(error, EC2_InvalidPermission_Malformed,
				  "a rule has three words: write %s", example);
	p.protocol = protocol_parse(protocol);
	if (p.protocol < PROTOCOL_ALL)
		return protocol_refuse(protocol, error);
	r = parse_peer(peer, &p, &owned, error);
	while (r == 0 && ports) {
		char *item = strsep(&ports, ",");

		r = parse_ports(item, &p, error);
		if (r == 0)
			r = tell(context, line, &p, error);
	}
	return r;
}

int permissions_parse(const char *text, size_t len, permission_fn *each, void *context,
		      struct ec2fs_error *error)
{
	struct parsing s = {.each = each, .context = context};
	int r = lines_parse(text, len, EC2_InvalidPermission_Malformed, parse_line, &s, error);

	permission_set_free(&s.seen);
	return r;
}

static void print_ports(const struct permission *p, struct strbuf *out)
{
	const char *name = has_types(p->protocol) ? icmp_name(p->protocol, p->type, p->code) : NULL;

	if (name)
		strbuf_adds(out, name);
	else if (has_types(p->protocol) && p->type >= 0 && p->code >= 0)
		strbuf_addf(out, "%d/%d", p->type, p->code);
	else if (has_types(p->protocol) && p->type >= 0)
		strbuf_addf(out, "%d", p->type);
	else if (!has_ports(p->protocol) || (p->from == 0 && p->to == 65535))
		strbuf_addc(out, '-');
	else if (p->from == p->to)
		strbuf_addf(out, "%u", p->from);
	else
		strbuf_addf(out, "%u-%u", p->from, p->to);
}

void permission_print(const struct permission *p, struct strbuf *out)
{
	char cidr[CIDR_TEXT];

	protocol_print(p->protocol, out);
	strbuf_addc(out, ' ');
	print_ports(p, out);
	strbuf_addc(out, ' ');
	switch (p->peer) {
	case PEER_CIDR:
		cidr_print(p->cidr, cidr);
		strbuf_adds(out, cidr);
		return;
	case PEER_GROUP:
		strbuf_adds(out, "sg:");
		break;
	case PEER_PREFIX_LIST:
		strbuf_adds(out, "pl:");
		break;
	case PEER_CIDR6:
		break;
	}
	strbuf_adds(out, p->name);
}

/* Where the peer begins in the content of a line: after two words. */
static size_t peer_at(const char *line, size_t begin, size_t end)
{
	for (int word = 0; word < 2; word++) {
		while (begin < end && !strchr(" \t\r", line[begin]))
			begin++;
		while (begin < end && strchr(" \t\r", line[begin]))
			begin++;
	}
	return begin;
}

bool permissions_replace_peer(const char *text, size_t len, const char *old, const char *new,
			      struct strbuf *out)
{
	size_t peer_len = strlen(old), copied = 0;
	bool found = false;

	for (size_t at = 0; at < len;) {
		const char *newline = memchr(text + at, '\n', len - at);
		size_t n = newline ? (size_t)(newline - text) - at : len - at;
		size_t begin, end;

		line_content(text + at, n, &begin, &end);
		begin = at + peer_at(text + at, begin, end);
		end += at;
		if (end - begin == peer_len && memcmp(text + begin, old, peer_len) == 0) {
			found = true;
			strbuf_add(out, text + copied, begin - copied);
			strbuf_adds(out, new);
			copied = end;
		}
		at += n + 1;
	}
	if (found)
		strbuf_add(out, text + copied, len - copied);
	return found;
}
