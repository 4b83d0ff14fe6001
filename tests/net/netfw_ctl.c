/*
 * netfw_ctl OWNER DIRECTORY: drives netfw.h from standard input, a command a line. Commands that
 * do something answer with a line: "ok", or "CODE: message"; the exit status is 1 when one failed.
 * A second process with the same owner is what a restarted daemon is.
 *
 *	pool CIDR…                      the public addresses
 *	change VPC [whole]              begins a change; up to commit:
 *	  vpc CIDR…                     describes the VPC itself, with the lines that follow:
 *	  internet                      it has an internet gateway
 *	  table RTB [CIDR=TARGET…]      TARGET: igw, nat-…, eni-…, pcx-…, vgw-…, blackhole
 *	  subnet ID CIDR RTB [ACL]
 *	  acl ID                        one that allows all
 *	  acl ID in|out NUMBER allow|deny PROTOCOL PORTS CIDR
 *	  nat NAT PRIVATE PUBLIC
 *	  peering PCX VPC
 *	  gateway VGW LINK
 *	  domain NAME                   and DNS answers
 *	  group SG [in|out:PROTOCOL:PORTS:PEER…]     PORTS: 22, 20-25, all, or TYPE/CODE of icmp
 *	  interface ENI ADDRESS SUBNET [public=IP] [mac=MAC] [group=SG…] [name=NAME] [router]
 *	  drop-group SG, drop-interface ENI
 *	commit, cancel
 *	tap ENI, attach VPC ENI, untap VPC ENI
 *	counters VPC ENI, known VPC, list, remove VPC
 *	sleep MILLISECONDS
 *
 * The MAC of an interface is 02:00 and its address, unless it is told.
 */
#include "ec2fs/util/memory.h"
#include "netfw/netfw.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX 4096

/* Everything of one change, in arrays that are large enough for tests. */
struct draft {
	struct netfw_change *change;
	bool described;
	struct netfw_vpc vpc;
	struct netfw_cidr cidrs[8];
	struct netfw_subnet subnets[256];
	struct netfw_route_table tables[256];
	struct netfw_acl acls[64];
	struct netfw_nat nats[64];
	struct netfw_peering peerings[64];
};

static struct netfw *netfw;
static struct draft draft;
static struct ec2fs_error error;
static bool failed;
/* Texts and arrays of the change that is being told. */
static void **owned;
static size_t owned_count, owned_capacity;

static void *own(void *p)
{
	array_reserve(owned, owned_count, owned_capacity);
	owned[owned_count++] = p;
	return p;
}

static void give_back(void)
{
	while (owned_count)
		free(owned[--owned_count]);
}

static void die(const char *what, const char *word)
{
	fprintf(stderr, "netfw_ctl: %s: %s\n", what, word ? word : "(missing)");
	exit(2);
}

static void answer(int r)
{
	if (r < 0) {
		printf("%s: %s\n", ec2_code_name(error.code), error.message);
		failed = true;
	} else {
		puts("ok");
	}
	fflush(stdout);
}

static char *text(const char *word)
{
	if (!word)
		die("a word is missing", word);
	return own(xstrdup(word));
}

static uint32_t address(const char *word)
{
	struct in_addr a;

	if (!word || inet_pton(AF_INET, word, &a) != 1)
		die("not an address", word);
	return ntohl(a.s_addr);
}

static struct netfw_cidr cidr(const char *word)
{
	char copy[32];
	const char *slash = word ? strchr(word, '/') : NULL;
	struct netfw_cidr c = {.prefix = 32};

	if (!word)
		die("a CIDR is missing", word);
	snprintf(copy, sizeof(copy), "%.*s", slash ? (int)(slash - word) : 31, word);
	c.address = address(copy);
	if (slash)
		c.prefix = (uint8_t)atoi(slash + 1);
	return c;
}

static int protocol(const char *word)
{
	static const struct {
		const char *name;
		int number;
	} names[] = {{"all", -1}, {"icmp", 1}, {"tcp", 6}, {"udp", 17}};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (word && strcmp(word, names[i].name) == 0)
			return names[i].number;
	return atoi(word ? word : "");
}

/* "22", "20-25", "all"; of ICMP "8/0", "8/-1", "all". */
static void ports(const char *word, uint16_t *from, uint16_t *to, int16_t *type, int16_t *code)
{
	const char *rest = word ? strpbrk(word + 1, "-/") : NULL;

	*from = 0;
	*to = 65535;
	*type = *code = -1;
	if (!word)
		die("ports are missing", word);
	if (strcmp(word, "all") == 0)
		return;
	*from = *to = (uint16_t)atoi(word);
	*type = (int16_t)*from;
	if (rest && *rest == '-')
		*to = (uint16_t)atoi(rest + 1);
	else if (rest)
		*code = (int16_t)atoi(rest + 1);
}

static char *next(void)
{
	return strtok(NULL, " \t\n");
}

static bool begins(const char *word, const char *with)
{
	return strncmp(word, with, strlen(with)) == 0;
}

static void tell_table(void)
{
	struct netfw_route_table *t = &draft.tables[draft.vpc.route_table_count++];
	struct netfw_route *routes = own(xcalloc(128, sizeof(*routes)));
	char *word;

	t->id = text(next());
	while ((word = next())) {
		char *target = strchr(word, '=');
		struct netfw_route *r = &routes[t->route_count++];

		if (!target)
			die("not a route", word);
		*target++ = '\0';
		r->to = cidr(word);
		r->id = text(target);
		r->target = strcmp(target, "igw") == 0 ? NETFW_INTERNET
			    : begins(target, "nat-")   ? NETFW_NAT
			    : begins(target, "eni-")   ? NETFW_INTERFACE
			    : begins(target, "pcx-")   ? NETFW_PEERING
			    : begins(target, "vgw-")   ? NETFW_GATEWAY
						       : NETFW_BLACKHOLE;
	}
	t->routes = routes;
}

static void tell_subnet(void)
{
	struct netfw_subnet *s = &draft.subnets[draft.vpc.subnet_count++];
	const char *acl;

	s->id = text(next());
	s->cidr = cidr(next());
	s->route_table = text(next());
	acl = next();
	s->acl = text(acl ? acl : "acl-default");
}

static struct netfw_acl *find_acl(const char *id)
{
	struct netfw_acl *a;

	for (size_t i = 0; i < draft.vpc.acl_count; i++)
		if (strcmp(draft.acls[i].id, id) == 0)
			return &draft.acls[i];
	a = &draft.acls[draft.vpc.acl_count++];
	a->id = text(id);
	a->entries = own(xcalloc(64, sizeof(*a->entries)));
	return a;
}

static void tell_acl(void)
{
	struct netfw_acl *a = find_acl(text(next()));
	struct netfw_acl_entry *e = (struct netfw_acl_entry *)&a->entries[a->entry_count];
	const char *way = next();

	if (!way) {
		a->allows_all = true;
		return;
	}
	a->entry_count++;
	e->egress = strcmp(way, "out") == 0;
	e->number = (uint16_t)atoi(text(next()));
	e->allow = strcmp(text(next()), "allow") == 0;
	e->protocol = protocol(next());
	ports(next(), &e->from, &e->to, &e->type, &e->code);
	e->cidr = cidr(next());
}

static void tell_group(void)
{
	struct netfw_rule *rules[2] = {own(xcalloc(128, sizeof(**rules))),
				       own(xcalloc(128, sizeof(**rules)))};
	struct netfw_group g = {.id = text(next()), .ingress = rules[0], .egress = rules[1]};
	char *word;

	while ((word = next())) {
		bool out = begins(word, "out:");
		struct netfw_rule *r =
			out ? &rules[1][g.egress_count++] : &rules[0][g.ingress_count++];
		char *save, *part;

		strtok_r(word, ":", &save);
		r->protocol = protocol(strtok_r(NULL, ":", &save));
		ports(strtok_r(NULL, ":", &save), &r->from, &r->to, &r->type, &r->code);
		part = strtok_r(NULL, ":", &save);
		if (!part)
			die("a rule without a peer", word);
		if (begins(part, "sg-"))
			r->group = text(part);
		else
			r->cidr = cidr(part);
	}
	netfw_change_group(draft.change, &g);
}

static void tell_interface(void)
{
	struct netfw_interface i = {.id = text(next()), .source_dest_check = true};
	const char **groups = own(xcalloc(16, sizeof(*groups)));
	char name[32], *word;
	unsigned mac[6];

	i.address = address(next());
	i.subnet = text(next());
	i.mac[0] = 2;
	for (int b = 0; b < 4; b++)
		i.mac[2 + b] = (uint8_t)(i.address >> (24 - 8 * b));
	snprintf(name, sizeof(name), "ip-%u-%u-%u-%u", i.mac[2], i.mac[3], i.mac[4], i.mac[5]);
	i.host_name = text(name);
	while ((word = next())) {
		char *value = strchr(word, '=');

		if (begins(word, "public=")) {
			i.public_ip = address(value + 1);
		} else if (begins(word, "group=")) {
			groups[i.group_count++] = text(value + 1);
		} else if (begins(word, "name=")) {
			i.host_name = text(value + 1);
		} else if (strcmp(word, "router") == 0) {
			i.source_dest_check = false;
		} else if (begins(word, "mac=") &&
			   sscanf(value + 1, "%x:%x:%x:%x:%x:%x", &mac[0], &mac[1], &mac[2],
				  &mac[3], &mac[4], &mac[5]) == 6) {
			for (int b = 0; b < 6; b++)
				i.mac[b] = (uint8_t)mac[b];
		} else {
			die("what does this say of an interface", word);
		}
	}
	i.groups = groups;
	netfw_change_interface(draft.change, &i);
}

static void tell_nat(void)
{
	struct netfw_nat *n = &draft.nats[draft.vpc.nat_count++];

	n->id = text(next());
	n->private_ip = address(next());
	n->public_ip = address(next());
}

static void tell_peering(void)
{
	struct netfw_peering *p = &draft.peerings[draft.vpc.peering_count++];

	p->id = text(next());
	p->vpc = text(next());
}

static void begin(void)
{
	const char *vpc = text(next()), *whole = next();

	memset(&draft, 0, sizeof(draft));
	draft.change = netfw_change_begin(netfw, vpc, whole && strcmp(whole, "whole") == 0);
	draft.vpc = (struct netfw_vpc){.id = vpc,
				       .cidrs = draft.cidrs,
				       .subnets = draft.subnets,
				       .route_tables = draft.tables,
				       .acls = draft.acls,
				       .nats = draft.nats,
				       .peerings = draft.peerings};
}

static void commit(bool really)
{
	if (draft.described && !draft.vpc.acl_count) {
		draft.acls[0] = (struct netfw_acl){.id = "acl-default", .allows_all = true};
		draft.vpc.acl_count = 1;
	}
	if (draft.described)
		netfw_change_vpc(draft.change, &draft.vpc);
	if (really)
		answer(netfw_change_commit(draft.change, &error));
	else
		netfw_change_cancel(draft.change);
	draft.change = NULL;
	give_back();
}

/* A line of a change; false: it is none. */
static bool tell(const char *command)
{
	char *word;

	if (strcmp(command, "vpc") == 0) {
		draft.described = true;
		while ((word = next()))
			draft.cidrs[draft.vpc.cidr_count++] = cidr(word);
	} else if (strcmp(command, "internet") == 0) {
		draft.vpc.internet = true;
	} else if (strcmp(command, "table") == 0) {
		tell_table();
	} else if (strcmp(command, "subnet") == 0) {
		tell_subnet();
	} else if (strcmp(command, "acl") == 0) {
		tell_acl();
	} else if (strcmp(command, "nat") == 0) {
		tell_nat();
	} else if (strcmp(command, "peering") == 0) {
		tell_peering();
	} else if (strcmp(command, "gateway") == 0) {
		draft.vpc.gateway_id = text(next());
		draft.vpc.gateway_interface = text(next());
	} else if (strcmp(command, "domain") == 0) {
		draft.vpc.domain_name = text(next());
		draft.vpc.dns = true;
	} else if (strcmp(command, "group") == 0) {
		tell_group();
	} else if (strcmp(command, "interface") == 0) {
		tell_interface();
	} else if (strcmp(command, "drop-group") == 0) {
		netfw_change_drop_group(draft.change, text(next()));
	} else if (strcmp(command, "drop-interface") == 0) {
		netfw_change_drop_interface(draft.change, text(next()));
	} else {
		return false;
	}
	return true;
}

static void print_name(void *context, const char *vpc)
{
	(void)context;
	puts(vpc);
}

static void set_pool(void)
{
	struct netfw_cidr cidrs[16];
	size_t count = 0;
	char *word;

	while ((word = next()) && count < 16)
		cidrs[count++] = cidr(word);
	answer(netfw_set_pool(netfw, cidrs, count, &error));
}

static void counters(void)
{
	struct strbuf out = STRBUF_INIT;
	const char *vpc = text(next());
	int r = netfw_counters(netfw, vpc, text(next()), &out, &error);

	fputs(strbuf_str(&out), stdout);
	answer(r);
	strbuf_free(&out);
}

static void act(const char *command)
{
	const char *vpc;

	if (strcmp(command, "pool") == 0) {
		set_pool();
	} else if (strcmp(command, "change") == 0) {
		begin();
	} else if (strcmp(command, "commit") == 0 || strcmp(command, "cancel") == 0) {
		commit(strcmp(command, "commit") == 0);
	} else if (strcmp(command, "tap") == 0) {
		answer(netfw_tap_create(netfw, text(next()), &error));
	} else if (strcmp(command, "attach") == 0) {
		vpc = text(next());
		answer(netfw_tap_attach(netfw, vpc, text(next()), &error));
	} else if (strcmp(command, "untap") == 0) {
		vpc = text(next());
		answer(netfw_tap_remove(netfw, vpc, text(next()), &error));
	} else if (strcmp(command, "counters") == 0) {
		counters();
	} else if (strcmp(command, "known") == 0) {
		puts(netfw_vpc_known(netfw, text(next())) ? "yes" : "no");
		fflush(stdout);
	} else if (strcmp(command, "list") == 0) {
		answer(netfw_vpc_list(netfw, print_name, NULL, &error));
	} else if (strcmp(command, "remove") == 0) {
		answer(netfw_vpc_remove(netfw, text(next()), &error));
	} else if (strcmp(command, "sleep") == 0) {
		usleep((unsigned)atoi(text(next())) * 1000);
	} else {
		die("what is this", command);
	}
}

int main(int argc, char **argv)
{
	struct netfw_options options = {.hypervisor = -1};
	static char line[MAX];

	if (argc != 3)
		die("usage", "netfw_ctl OWNER DIRECTORY");
	options.owner = argv[1];
	options.directory = argv[2];
	if (netfw_open(&options, &netfw, &error) < 0) {
		answer(-1);
		return 1;
	}
	while (fgets(line, sizeof(line), stdin)) {
		char *command = strtok(line, " \t\n");

		if (!command || *command == '#')
			continue;
		if (!draft.change || !tell(command))
			act(command);
		if (!draft.change)
			give_back();
	}
	if (draft.change)
		netfw_change_cancel(draft.change);
	netfw_close(netfw);
	give_back();
	free(owned);
	return failed;
}
