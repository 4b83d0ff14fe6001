/*
 * Descriptions of a VPC's network as text, for tests and measurements: one line each,
 *
 *   vpc ID CIDR[,CIDR…] [internet] [dns] [gateway ID DEVICE]
 *   subnet ID CIDR [acl ID]                              of the vpc above, as are:
 *   acl ID [all]
 *   entry in|out NUMBER allow|deny PROTOCOL PORTS CIDR   of the acl above
 *   nat ID PRIVATE PUBLIC
 *   peering ID VPC
 *   group ID
 *   in|out PROTOCOL PORTS CIDR|GROUP                     of the group above
 *   interface ID MAC ADDRESS SUBNET GROUP[,GROUP…] [public ADDRESS] [forwarder]
 *   drop-group ID, drop-interface ID
 *
 * PROTOCOL is tcp, udp, icmp, all or a number; PORTS is "-", a port, FIRST-LAST, or TYPE[/CODE].
 * What is described is handed over when the next line begins something else, and at the end.
 */
#ifndef TESTS_NETFW_TEXT_H
#define TESTS_NETFW_TEXT_H

#include "ec2fs/util/memory.h"
#include "netfw/ruleset.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 12

struct netfw_text {
	struct ruleset *ruleset;
	enum { TEXT_NOTHING, TEXT_VPC, TEXT_GROUP } open;
	struct netfw_vpc vpc;
	struct netfw_subnet *subnets;
	struct netfw_acl *acls;
	struct netfw_acl_entry *entries; /* of all ACLs, in order */
	size_t subnet_capacity, acl_capacity, entry_count, entry_capacity;
	struct netfw_nat *nats;
	size_t nat_capacity;
	struct netfw_peering *peerings;
	size_t peering_capacity;
	struct netfw_cidr cidrs[8];
	struct netfw_group group;
	struct netfw_rule *rules[2]; /* ingress, egress */
	size_t rule_count[2], rule_capacity[2];
	char **kept; /* text that descriptions refer to */
	size_t kept_count, kept_capacity;
};

static char *text_keep(struct netfw_text *t, const char *s)
{
	array_reserve(t->kept, t->kept_count, t->kept_capacity);
	return t->kept[t->kept_count++] = xstrdup(s);
}

static uint32_t text_address(const char *s)
{
	struct in_addr a = {0};

	if (!s || inet_pton(AF_INET, s, &a) != 1) {
		fprintf(stderr, "not an address: %s\n", s ? s : "nothing");
		exit(2);
	}
	return ntohl(a.s_addr);
}

static struct netfw_cidr text_cidr(const char *s)
{
	char copy[32];
	char *slash;
	struct netfw_cidr c = {.prefix = 32};

	snprintf(copy, sizeof(copy), "%s", s);
	slash = strchr(copy, '/');
	if (slash) {
		*slash = '\0';
		c.prefix = (uint8_t)strtoul(slash + 1, NULL, 10);
	}
	c.address = text_address(copy);
	return c;
}

static int text_protocol(const char *s)
{
	if (!strcmp(s, "all"))
		return -1;
	if (!strcmp(s, "tcp"))
		return 6;
	if (!strcmp(s, "udp"))
		return 17;
	if (!strcmp(s, "icmp"))
		return 1;
	return (int)strtol(s, NULL, 10);
}

static void text_ports(const char *s, int protocol, uint16_t *from, uint16_t *to, int16_t *type,
		       int16_t *code)
{
	const char *second = strpbrk(s, "-/");

	*from = 0;
	*to = UINT16_MAX;
	*type = *code = -1;
	if (!strcmp(s, "-"))
		return;
	if (protocol == 1) {
		*type = (int16_t)strtol(s, NULL, 10);
		if (second)
			*code = (int16_t)strtol(second + 1, NULL, 10);
		return;
	}
	*from = *to = (uint16_t)strtoul(s, NULL, 10);
	if (second)
		*to = (uint16_t)strtoul(second + 1, NULL, 10);
}

/* Hands over what is open. */
static void text_close(struct netfw_text *t)
{
	if (t->open == TEXT_VPC) {
		size_t at = 0;

		t->vpc.cidrs = t->cidrs;
		t->vpc.subnets = t->subnets;
		t->vpc.acls = t->acls;
		t->vpc.nats = t->nats;
		t->vpc.peerings = t->peerings;
		for (size_t i = 0; i < t->vpc.acl_count; i++) {
			t->acls[i].entries = t->entries + at;
			at += t->acls[i].entry_count;
		}
		ruleset_vpc(t->ruleset, &t->vpc);
	} else if (t->open == TEXT_GROUP) {
		t->group.ingress = t->rules[0];
		t->group.egress = t->rules[1];
		t->group.ingress_count = t->rule_count[0];
		t->group.egress_count = t->rule_count[1];
		ruleset_group(t->ruleset, &t->group);
	}
	t->open = TEXT_NOTHING;
	for (size_t i = 0; i < t->kept_count; i++)
		free(t->kept[i]);
	t->kept_count = 0;
}

static void text_free(struct netfw_text *t)
{
	text_close(t);
	free(t->kept);
	free(t->subnets);
	free(t->acls);
	free(t->entries);
	free(t->nats);
	free(t->peerings);
	free(t->rules[0]);
	free(t->rules[1]);
}

static void text_vpc(struct netfw_text *t, char **word, size_t count)
{
	char *rest = word[2], *one;

	t->open = TEXT_VPC;
	t->vpc = (struct netfw_vpc){.id = text_keep(t, word[1])};
	t->entry_count = 0;
	while ((one = strsep(&rest, ",")))
		t->cidrs[t->vpc.cidr_count++] = text_cidr(one);
	for (size_t i = 3; i < count; i++) {
		if (!strcmp(word[i], "internet")) {
			t->vpc.internet = true;
		} else if (!strcmp(word[i], "dns")) {
			t->vpc.dns = true;
		} else if (!strcmp(word[i], "gateway") && i + 2 < count) {
			t->vpc.gateway_id = text_keep(t, word[i + 1]);
			t->vpc.gateway_interface = text_keep(t, word[i + 2]);
			i += 2;
		}
	}
}

static void text_entry(struct netfw_text *t, char **word)
{
	struct netfw_acl_entry *e;

	array_reserve(t->entries, t->entry_count, t->entry_capacity);
	e = &t->entries[t->entry_count++];
	*e = (struct netfw_acl_entry){.egress = !strcmp(word[1], "out"),
				      .number = (uint16_t)strtoul(word[2], NULL, 10),
				      .allow = !strcmp(word[3], "allow"),
				      .protocol = text_protocol(word[4]),
				      .cidr = text_cidr(word[6])};
	text_ports(word[5], e->protocol, &e->from, &e->to, &e->type, &e->code);
	t->acls[t->vpc.acl_count - 1].entry_count++;
}

static void text_rule(struct netfw_text *t, char **word)
{
	int out = !strcmp(word[0], "out");
	struct netfw_rule *r;

	array_reserve(t->rules[out], t->rule_count[out], t->rule_capacity[out]);
	r = &t->rules[out][t->rule_count[out]++];
	*r = (struct netfw_rule){.protocol = text_protocol(word[1])};
	text_ports(word[2], r->protocol, &r->from, &r->to, &r->type, &r->code);
	if (!strncmp(word[3], "sg-", 3))
		r->group = text_keep(t, word[3]);
	else
		r->cidr = text_cidr(word[3]);
}

static void text_interface(struct netfw_text *t, char **word, size_t count)
{
	struct netfw_interface i = {.id = word[1],
				    .address = text_address(word[3]),
				    .subnet = word[4],
				    .source_dest_check = true};
	const char *groups[16];
	char *rest = word[5], *one;

	if (sscanf(word[2], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &i.mac[0], &i.mac[1], &i.mac[2],
		   &i.mac[3], &i.mac[4], &i.mac[5]) != 6)
		exit(2);
	while ((one = strsep(&rest, ",")) && i.group_count < 16)
		groups[i.group_count++] = one;
	i.groups = groups;
	for (size_t w = 6; w < count; w++) {
		if (!strcmp(word[w], "forwarder"))
			i.source_dest_check = false;
		else if (!strcmp(word[w], "public") && w + 1 < count)
			i.public_ip = text_address(word[++w]);
	}
	ruleset_interface(t->ruleset, &i);
}

static void text_part_of_vpc(struct netfw_text *t, char **word, size_t count)
{
	if (!strcmp(word[0], "subnet")) {
		array_reserve(t->subnets, t->vpc.subnet_count, t->subnet_capacity);
		t->subnets[t->vpc.subnet_count++] =
			(struct netfw_subnet){.id = text_keep(t, word[1]),
					      .cidr = text_cidr(word[2]),
					      .acl = count > 4 ? text_keep(t, word[4]) : NULL};
	} else if (!strcmp(word[0], "acl")) {
		array_reserve(t->acls, t->vpc.acl_count, t->acl_capacity);
		t->acls[t->vpc.acl_count++] =
			(struct netfw_acl){.id = text_keep(t, word[1]), .allows_all = count > 2};
	} else if (!strcmp(word[0], "nat")) {
		array_reserve(t->nats, t->vpc.nat_count, t->nat_capacity);
		t->nats[t->vpc.nat_count++] =
			(struct netfw_nat){.id = text_keep(t, word[1]),
					   .private_ip = text_address(word[2]),
					   .public_ip = text_address(word[3])};
	} else if (!strcmp(word[0], "peering")) {
		array_reserve(t->peerings, t->vpc.peering_count, t->peering_capacity);
		t->peerings[t->vpc.peering_count++] = (struct netfw_peering){
			.id = text_keep(t, word[1]), .vpc = text_keep(t, word[2])};
	} else {
		text_entry(t, word);
	}
}

/* One line; it is cut into words. False when it is none of these. */
static bool text_line(struct netfw_text *t, char *line)
{
	char *word[WORDS_MAX] = {NULL}, *rest = line, *one;
	size_t count = 0;

	while ((one = strsep(&rest, " \t\n")) && count < WORDS_MAX)
		if (*one && *one != '#')
			word[count++] = one;
		else if (*one == '#')
			break;
	if (!count)
		return true;
	if (!strcmp(word[0], "vpc") && count > 2) {
		text_close(t);
		text_vpc(t, word, count);
		return true;
	}
	if (t->open == TEXT_VPC &&
	    ((!strcmp(word[0], "subnet") && count > 2) || (!strcmp(word[0], "acl") && count > 1) ||
	     (!strcmp(word[0], "nat") && count > 3) || (!strcmp(word[0], "peering") && count > 2) ||
	     (!strcmp(word[0], "entry") && count > 6 && t->vpc.acl_count))) {
		text_part_of_vpc(t, word, count);
		return true;
	}
	if (t->open == TEXT_GROUP && count > 3 &&
	    (!strcmp(word[0], "in") || !strcmp(word[0], "out"))) {
		text_rule(t, word);
		return true;
	}
	text_close(t);
	if (!strcmp(word[0], "group") && count > 1) {
		t->open = TEXT_GROUP;
		t->group = (struct netfw_group){.id = text_keep(t, word[1])};
		t->rule_count[0] = t->rule_count[1] = 0;
	} else if (!strcmp(word[0], "interface") && count > 5) {
		text_interface(t, word, count);
	} else if (!strcmp(word[0], "drop-group") && count > 1) {
		ruleset_drop_group(t->ruleset, word[1]);
	} else if (!strcmp(word[0], "drop-interface") && count > 1) {
		ruleset_drop_interface(t->ruleset, word[1]);
	} else {
		return false;
	}
	return true;
}

#endif
