/*
 * How long changes of a ruleset take, in the namespace that this runs in, against the bare batch.
 *
 *   netfw_bench group|interface MEMBERS RUNS
 *
 * A VPC with so many interfaces in one group; then a rule of the group, or one interface more,
 * comes and goes. The bare batch is the same messages, made beforehand, sent and answered. Prints
 * for each run: microseconds of ruleset_begin to ruleset_commit, microseconds of the bare batch.
 */
#include "netfw/ruleset_state.h"

#include "ec2fs/util/memory.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <libnftnl/common.h>
#include <libnftnl/set.h>

static struct ruleset *ruleset;
#define ONE_MORE 0xffff00U
static const char *const groups[] = {"sg-00000000000000001"};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* The kernel frees what was removed afterwards, and the next batch would wait for that. */
static double rested(void)
{
	usleep(20000);
	return now();
}

static void die(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

static void commit(void)
{
	struct ec2fs_error error = {0};

	if (ruleset_commit(ruleset, &error) < 0)
		die(error.message);
}

static struct netfw_interface *interface_of(uint32_t number)
{
	static char id[32];
	static struct netfw_interface i;

	i = (struct netfw_interface){.id = id,
				     .address = 0x0a000100U + number,
				     .subnet = "subnet-1",
				     .source_dest_check = true,
				     .groups = groups,
				     .group_count = 1};
	snprintf(id, sizeof(id), "eni-%017x", number);
	memcpy(i.mac + 2, &number, sizeof(number));
	i.mac[0] = 2;
	return &i;
}

/* Ten rules, and one more. */
static struct netfw_group *group_of(bool more)
{
	static struct netfw_rule rules[11], all = {.protocol = -1};
	static struct netfw_group g;

	g = (struct netfw_group){.id = groups[0],
				 .ingress = rules,
				 .ingress_count = more ? 11 : 10,
				 .egress = &all,
				 .egress_count = 1};
	for (uint16_t n = 0; n < 11; n++)
		rules[n] = (struct netfw_rule){.protocol = 6,
					       .from = (uint16_t)(n + 22),
					       .to = (uint16_t)(n + 22),
					       .cidr = {0xc6336400U + n, 32}};
	return &g;
}

static void describe_all(uint32_t members)
{
	struct netfw_cidr cidr = {0x0a000000U, 8};
	struct netfw_subnet subnet = {.id = "subnet-1", .cidr = cidr};
	struct netfw_vpc vpc = {.id = "vpc-1",
				.cidrs = &cidr,
				.cidr_count = 1,
				.subnets = &subnet,
				.subnet_count = 1};

	ruleset_begin(ruleset, true);
	ruleset_vpc(ruleset, &vpc);
	ruleset_group(ruleset, group_of(false));
	for (uint32_t n = 0; n < members; n++)
		ruleset_interface(ruleset, interface_of(n));
	commit();
}

static void change(bool group, bool more)
{
	ruleset_begin(ruleset, false);
	if (group)
		ruleset_group(ruleset, group_of(more));
	else if (more)
		ruleset_interface(ruleset, interface_of(ONE_MORE));
	else
		ruleset_drop_interface(ruleset, "eni-00000000000ffff00");
	commit();
}

/* A copy of the batch that was sent last. */
static struct batch copy_batch(void)
{
	struct batch b = ruleset->batch;

	b.data = xcalloc(1, b.len);
	memcpy(b.data, ruleset->batch.data, b.len);
	return b;
}

static struct nftnl_set_elem *new_element(const struct ir_element *e, bool data)
{
	struct nftnl_set_elem *n = nftnl_set_elem_alloc();
	uint32_t len = e->set->field_count > 1 ? (uint32_t)ir_key_size(e->set)
					       : ir_field_info(e->set->fields[0])->len;

	nftnl_set_elem_set(n, NFTNL_SET_ELEM_KEY, e->key, len);
	if (e->set->interval)
		nftnl_set_elem_set(n, NFTNL_SET_ELEM_KEY_END, e->end, len);
	if (data && e->set->data)
		nftnl_set_elem_set(n, NFTNL_SET_ELEM_DATA, &e->value, sizeof(e->value));
	return n;
}

static void send_made(struct batch *b, const struct ir_view *v, uint16_t type, uint32_t generation)
{
	struct ec2fs_error error = {0};

	batch_begin(b, generation);
	for (size_t i = 0; i < v->element_count; i++) {
		const struct ir_element *e = v->elements[i];
		struct nftnl_set *set = nftnl_set_alloc();
		struct nlmsghdr *m = nftnl_nlmsg_build_hdr(
			batch_room(b), type, apply_family(e->set->family),
			type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE | NLM_F_EXCL : 0, b->sequence);

		nftnl_set_set_str(set, NFTNL_SET_TABLE, IR_TABLE);
		nftnl_set_set_str(set, NFTNL_SET_NAME, e->set->name);
		nftnl_set_elem_add(set, new_element(e, type == NFT_MSG_NEWSETELEM));
		nftnl_set_elems_nlmsg_build_payload(m, set);
		nftnl_set_free(set);
		batch_take(b, m);
	}
	batch_end(b);
	if (apply_send(ruleset->fd, b, &error) < 0)
		die(error.message);
}

static void send_bare(struct batch *b, uint32_t generation)
{
	struct ec2fs_error error = {0};
	uint32_t *attribute =
		(uint32_t *)(b->data + NLMSG_HDRLEN + sizeof(struct nfgenmsg) + NLA_HDRLEN);

	*attribute = htonl(generation);
	if (apply_send(ruleset->fd, b, &error) < 0)
		die(error.message);
}

int main(int argc, char **argv)
{
	bool group = argc > 1 && !strcmp(argv[1], "group");
	uint32_t members = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 10;
	int runs = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 10;
	struct batch come, go, made = {0};
	struct difference d = {0};
	struct ir *less, *more;

	ruleset = ruleset_new(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
	describe_all(members);
	change(group, true);
	come = copy_batch();
	change(group, false);
	go = copy_batch();
	less = group ? compile_group(group_of(false)) : NULL;
	more = group ? compile_group(group_of(true)) : compile_interface(interface_of(ONE_MORE), 1);
	difference_add(&d, less, more);
	made.sequence = 1U << 30;
	for (int i = 0; i < runs; i++) {
		double took[3] = {0}, start;

		for (int step = 0; step < 6; step++) {
			bool first = step % 2 == 0;

			start = rested();
			if (step < 2)
				change(group, first);
			else if (step < 4)
				send_made(&made, &d.add,
					  first ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM,
					  ruleset->generation);
			else
				send_bare(first ? &come : &go, ruleset->generation);
			took[step / 2] += now() - start;
			ruleset->generation += step >= 2;
		}
		printf("%.1f %.1f %.1f\n", took[0] / 2, took[1] / 2, took[2] / 2);
	}
	difference_free(&d);
	ir_free(less);
	ir_free(more);
	batch_free(&made);
	batch_free(&come);
	batch_free(&go);
	ruleset_free(ruleset);
	return 0;
}
