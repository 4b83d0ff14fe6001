/*
 * What descriptions of a network are compiled to: compared with the files in netfw/ beside this one
 * (NAME.txt is the description, NAME.nft the ruleset; UPDATE_GOLDEN=1 writes them anew, then read
 * the difference), and with the plainest matcher there is, for random rules and packets.
 */
#include "ec2fs/util/cleanup.h"
#include "netfw/compile.h"
#include "netfw/difference.h"
#include "netfw/names.h"
#include "tests/lib/netfw_text.h"

#include <libgen.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void check_golden(const char *name, uint32_t log_group)
{
	cleanup_free char *here = xstrdup(__FILE__);
	cleanup_free char *base = xasprintf("%s/netfw/%s", dirname(here), name);
	cleanup_free char *txt = xasprintf("%s.txt", base), *nft = xasprintf("%s.nft", base);
	cleanup_free char *golden = xcalloc(1, 1 << 18), *line = NULL;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct netfw_text t = {.ruleset = ruleset_new(-1)};
	size_t capacity = 0;
	cleanup_file FILE *in = fopen(txt, "r");
	cleanup_file FILE *out = fopen(nft, getenv("UPDATE_GOLDEN") ? "w" : "r");

	if (!in || !out)
		fail_msg("cannot open %s or %s", txt, nft);
	ruleset_log(t.ruleset, log_group);
	ruleset_begin(t.ruleset, true);
	while (getline(&line, &capacity, in) > 0)
		if (!text_line(&t, line))
			fail_msg("%s: what is this: %s", txt, line);
	text_close(&t);
	ruleset_print(t.ruleset, &text);
	ruleset_abort(t.ruleset);
	text_free(&t);
	ruleset_free(t.ruleset);
	if (getenv("UPDATE_GOLDEN")) {
		fputs(strbuf_str(&text), out);
		return;
	}
	golden[fread(golden, 1, (1 << 18) - 1, out)] = '\0';
	assert_string_equal(strbuf_str(&text), golden);
}

static void test_golden(void **state)
{
	(void)state;
	check_golden("empty", 0);
	check_golden("web", 0);
	check_golden("everything", 0);
	check_golden("logged", 5);
}

static void test_names(void **state)
{
	char name[16];

	(void)state;
	netfw_tap_name("eni-0123456789abcdef0", name);
	assert_string_equal(name, "tap56789abcdef0");
	netfw_nat_name("nat-0123456789abcdef0", name);
	assert_string_equal(name, "nat56789abcdef0");
	netfw_peering_name("pcx-11112222", name);
	assert_string_equal(name, "pcxpcx-11112222");
	netfw_gateway_name("vgw-0123456789abcdef0", name);
	assert_string_equal(name, "vgw56789abcdef0");
}

/* A small world, so that random rules and packets meet. */
#define GROUPS 4
static const char *const group_names[GROUPS] = {"sg-a", "sg-b", "sg-c", "sg-d"};

struct packet {
	uint32_t address; /* of the peer */
	int protocol;
	uint16_t port;
	uint8_t type, code;
};

static uint32_t random_state;

static unsigned random_below(unsigned n)
{
	random_state = random_state * 1664525U + 1013904223U;
	return (random_state >> 8) % n;
}

static bool is_member(uint32_t address, const char *group)
{
	/* Any fixed sets that overlap. */
	return (address >> (group[3] - 'a')) & 1;
}

static bool plain_match(const struct netfw_rule *r, const struct packet *p)
{
	if (r->group ? !is_member(p->address, r->group)
		     : p->address < r->cidr.address ||
			       p->address > r->cidr.address +
						    (uint32_t)((1ULL << (32 - r->cidr.prefix)) - 1))
		return false;
	if (r->protocol < 0)
		return true;
	if (r->protocol != p->protocol)
		return false;
	if (r->protocol == 6 || r->protocol == 17)
		return p->port >= r->from && p->port <= r->to;
	if (r->protocol == 1)
		return r->type < 0 || (r->type == p->type && (r->code < 0 || r->code == p->code));
	return true;
}

static struct netfw_rule random_rule(void)
{
	static const int protocols[] = {6, 6, 6, 17, 17, 1, 1, 47, 50, 51, -1};
	static const uint8_t prefixes[] = {0, 8, 24, 26, 27, 28, 29, 30, 31, 32, 32};
	struct netfw_rule r = {.protocol = protocols[random_below(11)], .type = -1, .code = -1};

	r.from = (uint16_t)(random_below(4) ? random_below(30) : 0);
	r.to = (uint16_t)(random_below(4) ? r.from + random_below(10) : UINT16_MAX);
	if (random_below(3)) {
		r.type = (int16_t)random_below(4);
		r.code = (int16_t)(random_below(2) ? (int)random_below(4) : -1);
	}
	if (random_below(4) == 0) {
		r.group = group_names[random_below(GROUPS)];
	} else {
		r.cidr.prefix = prefixes[random_below(11)];
		r.cidr.address = 0x0a000000U + random_below(300);
		if (r.cidr.prefix < 32)
			r.cidr.address &= r.cidr.prefix ? UINT32_MAX << (32 - r.cidr.prefix) : 0;
		/* Everything allowed would make the rest of the rules idle. */
		if (r.protocol < 0 && r.cidr.prefix < 24 && random_below(20))
			r.protocol = 6;
	}
	return r;
}

static struct packet random_packet(void)
{
	static const int protocols[] = {6, 6, 17, 17, 1, 1, 47, 50, 51, 2};
	struct packet p = {.protocol = protocols[random_below(10)],
			   .address = 0x0a000000U + random_below(310),
			   .port = (uint16_t)random_below(45),
			   .type = (uint8_t)random_below(5),
			   .code = (uint8_t)random_below(5)};

	if (random_below(10) == 0)
		p.address = 0xc0a80000U + random_below(9);
	if (random_below(10) == 0)
		p.port = UINT16_MAX;
	return p;
}

static bool in_key(enum ir_field field, const struct packet *p, uint8_t *key, size_t *offset)
{
	switch (field) {
	case IR_IP_SADDR:
	case IR_IP_DADDR:
		key_number(key, offset, field, p->address);
		return true;
	case IR_L4PROTO:
		key_number(key, offset, field, (uint32_t)p->protocol);
		return true;
	case IR_TH_DPORT: /* of another protocol these are other bytes */
		key_number(key, offset, field,
			   p->protocol == 6 || p->protocol == 17 ? p->port : random_below(65536));
		return true;
	case IR_ICMP_TYPE:
		key_number(key, offset, field, p->type);
		return p->protocol == 1;
	case IR_ICMP_CODE:
		key_number(key, offset, field, p->code);
		return p->protocol == 1;
	default:
		fail_msg("a group's rule looks at field %d", field);
		return false;
	}
}

static bool element_has(const struct ir_element *e, const uint8_t *key)
{
	size_t offset = 0;

	if (!e->set->interval)
		return !memcmp(e->key, key, sizeof(e->key));
	for (size_t i = 0; i < e->set->field_count; i++) {
		size_t len = ir_field_info(e->set->fields[i])->len;

		if (memcmp(key + offset, e->key + offset, len) < 0 ||
		    memcmp(key + offset, e->end + offset, len) > 0)
			return false;
		offset += ir_field_space(e->set->fields[i]);
	}
	return true;
}

static bool lookup(const struct ir *ir, const struct ir_statement *s, const struct packet *p)
{
	uint8_t key[IR_KEY_MAX] = {0};
	size_t offset = 0;

	for (size_t i = 0; i < s->field_count; i++)
		if (!in_key(s->fields[i], p, key, &offset))
			return false;
	if (!strncmp(s->name, "members-", 8))
		return is_member(p->address, s->name + 8);
	for (size_t i = 0; i < ir->view.element_count; i++)
		if (!strcmp(ir->view.elements[i]->set->name, s->name) &&
		    element_has(ir->view.elements[i], key))
			return true;
	return false;
}

/* As the kernel goes through a group's chain. */
static bool accepts(const struct ir *ir, const char *name, const struct packet *p)
{
	const struct ir_chain *chain = NULL;

	for (size_t i = 0; i < ir->view.chain_count; i++)
		if (!strcmp(ir->view.chains[i]->name, name))
			chain = ir->view.chains[i];
	assert_non_null(chain);
	for (size_t i = 0; i < chain->rule_count; i++) {
		const struct ir_rule *r = chain->rules[i];
		bool matches = true;

		for (size_t j = 0; j < r->count && matches; j++) {
			const struct ir_statement *s = &r->statements[j];

			if (s->op == IR_OP_LOOKUP)
				matches = lookup(ir, s, p);
			else if (s->op == IR_OP_VERDICT)
				return s->verdict.kind == IR_GOTO &&
				       !strncmp(s->verdict.chain, "accepted-", 9);
			else
				assert_int_equal(s->op, IR_OP_COUNT);
		}
	}
	return false;
}

static bool overlap(const struct ir_element *a, const struct ir_element *b)
{
	size_t offset = 0;

	for (size_t i = 0; i < a->set->field_count; i++) {
		size_t len = ir_field_info(a->set->fields[i])->len;

		if (memcmp(a->end + offset, b->key + offset, len) < 0 ||
		    memcmp(b->end + offset, a->key + offset, len) < 0)
			return false;
		offset += ir_field_space(a->set->fields[i]);
	}
	return true;
}

/* What the kernel refuses: overlapping ranges, a key twice. */
static void check_sets(const struct ir *ir)
{
	for (size_t i = 0; i < ir->view.element_count; i++)
		for (size_t j = i + 1; j < ir->view.element_count; j++) {
			const struct ir_element *a = ir->view.elements[i],
						*b = ir->view.elements[j];

			if (a->set != b->set)
				continue;
			if (a->set->interval)
				assert_false(overlap(a, b));
			else
				assert_memory_not_equal(a->key, b->key, sizeof(a->key));
		}
}

static struct ir *random_group(struct netfw_rule *rules, size_t *count, size_t max, bool egress)
{
	struct netfw_group g = {.id = "sg-a"};

	*count = random_below((unsigned)max);
	for (size_t i = 0; i < *count; i++)
		rules[i] = random_rule();
	if (egress) {
		g.egress = rules;
		g.egress_count = *count;
	} else {
		g.ingress = rules;
		g.ingress_count = *count;
	}
	return compile_group(&g);
}

static void test_random_groups(void **state)
{
	struct netfw_rule rules[40];
	unsigned accepted = 0, asked = 0;

	(void)state;
	for (unsigned seed = 0; seed < 1500; seed++) {
		bool egress = seed & 1;
		size_t count;
		struct ir *ir;

		random_state = seed;
		ir = random_group(rules, &count, 40, egress);
		check_sets(ir);
		for (int i = 0; i < 200; i++) {
			struct packet p = random_packet();
			bool wanted = false;

			for (size_t r = 0; r < count; r++)
				wanted |= plain_match(&rules[r], &p);
			if (accepts(ir, egress ? "sg-a-out" : "sg-a-in", &p) != wanted)
				fail_msg(
					"seed %u: %08x protocol %d port %u type %u code %u: not %s",
					seed, p.address, p.protocol, p.port, p.type, p.code,
					wanted ? "accepted" : "dropped");
			accepted += wanted;
			asked++;
		}
		ir_free(ir);
	}
	/* Both answers came often enough to mean something. */
	assert_in_range(accepted, asked / 10, asked * 9 / 10);
}

static bool among(void *const *array, size_t count, const void *item)
{
	for (size_t i = 0; i < count; i++)
		if (array[i] == item)
			return true;
	return false;
}

/* Old, with the difference made to it as the kernel would, is new. */
static void check_difference(const struct ir *old, const struct ir *new)
{
	struct difference d = {0};
	struct ir_view v = {0}, w = {0};
	cleanup_strbuf struct strbuf got = STRBUF_INIT, wanted = STRBUF_INIT;

	difference_add(&d, old, new);
	for (size_t i = 0; i < old->view.set_count; i++)
		if (!among((void *const *)d.remove.sets, d.remove.set_count, old->view.sets[i]))
			view_set(&v, old->view.sets[i]);
	for (size_t i = 0; i < old->view.element_count; i++) {
		struct ir_element *e = old->view.elements[i];

		/* Elements go with their set. */
		if (!among((void *const *)d.remove.elements, d.remove.element_count, e) &&
		    !among((void *const *)d.remove.sets, d.remove.set_count, e->set))
			view_element(&v, e);
	}
	for (size_t i = 0; i < old->view.counter_count; i++)
		view_counter(&v, old->view.counters[i]);
	for (size_t i = 0; i < old->view.chain_count; i++) {
		struct ir_chain *chain = old->view.chains[i];

		for (size_t j = 0; j < d.rewrite_count; j++)
			if (!strcmp(d.rewrite[j]->name, chain->name))
				chain = d.rewrite[j];
		view_chain(&v, chain);
	}
	for (size_t i = 0; i < d.add.set_count; i++)
		view_set(&v, d.add.sets[i]);
	for (size_t i = 0; i < d.add.element_count; i++)
		view_element(&v, d.add.elements[i]);
	/* A chain that names a set anew must be written anew. */
	for (size_t i = 0; i < d.remove.set_count; i++)
		for (size_t c = 0; c < old->view.chain_count; c++) {
			struct strbuf text = STRBUF_INIT;
			bool rewritten = false;

			for (size_t r = 0; r < old->view.chains[c]->rule_count; r++)
				ir_print_rule(old->view.chains[c]->rules[r], &text);
			for (size_t j = 0; j < d.rewrite_count; j++)
				rewritten |= !strcmp(d.rewrite[j]->name, old->view.chains[c]->name);
			strbuf_addc(&text, ' ');
			{
				cleanup_free char *name = xasprintf("@%s ", d.remove.sets[i]->name);

				if (strstr(strbuf_str(&text), name))
					assert_true(rewritten);
			}
			strbuf_free(&text);
		}
	view_add(&w, new);
	ir_print(&v, &got);
	ir_print(&w, &wanted);
	assert_string_equal(strbuf_str(&got), strbuf_str(&wanted));
	view_free(&v);
	view_free(&w);
	difference_free(&d);
}

static void test_random_differences(void **state)
{
	struct netfw_rule rules[60];
	size_t count;

	(void)state;
	for (unsigned seed = 0; seed < 600; seed++) {
		struct ir *old, *new;
		struct netfw_group g = {.id = "sg-a", .ingress = rules};

		random_state = seed;
		old = random_group(rules, &count, 60, false);
		if (seed % 3 == 0) {
			new = random_group(rules, &count, 60, false);
		} else { /* some rules less or more, as changes are */
			g.ingress_count =
				count - random_below((unsigned)(count < 5 ? count + 1 : 5));
			for (unsigned i = random_below(3); i && g.ingress_count < 60; i--)
				rules[g.ingress_count++] = random_rule();
			new = compile_group(&g);
		}
		check_difference(old, new);
		ir_free(old);
		ir_free(new);
	}
}

static void test_nothing_changed(void **state)
{
	struct netfw_rule rules[40];
	size_t count;
	struct ir *a, *b;
	struct difference d = {0};

	(void)state;
	random_state = 5;
	a = random_group(rules, &count, 40, false);
	random_state = 5;
	b = random_group(rules, &count, 40, false);
	difference_add(&d, a, b);
	assert_true(difference_empty(&d));
	difference_free(&d);
	ir_free(a);
	ir_free(b);
}

/* Before its parts the VPC, and an interface's subnet with it. */
static void test_refused_descriptions(void **state)
{
	struct ec2fs_error error = {0};
	struct ruleset *r = ruleset_new(-1);
	struct netfw_subnet subnet = {.id = "subnet-1", .cidr = {0x0a000000, 24}};
	struct netfw_vpc vpc = {.id = "vpc-1", .subnets = &subnet, .subnet_count = 1};
	struct netfw_interface i = {.id = "eni-1", .subnet = "subnet-2", .address = 0x0a000005};

	(void)state;
	ruleset_begin(r, false);
	ruleset_interface(r, &i);
	assert_int_equal(ruleset_commit(r, &error), -EIO);
	assert_non_null(strstr(error.message, "VPC itself"));
	ruleset_begin(r, true);
	ruleset_vpc(r, &vpc);
	ruleset_interface(r, &i);
	assert_int_equal(ruleset_commit(r, &error), -EIO);
	assert_non_null(strstr(error.message, "subnet-2"));
	ruleset_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),           cmocka_unit_test(test_golden),
		cmocka_unit_test(test_random_groups),   cmocka_unit_test(test_random_differences),
		cmocka_unit_test(test_nothing_changed), cmocka_unit_test(test_refused_descriptions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
