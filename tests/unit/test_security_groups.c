/* What the engine reads of security groups and addresses, and the indexes under it. */
#include "tests/lib/cloud_fixture.h"

#include "ec2fs/model/network.h"

#include <inttypes.h>

static int run(struct fixture *f, change_fn *fn, void *context)
{
	struct ec2fs_error error = {0};
	int r = cloud_change(f->cloud, NULL, fn, context, &error);

	if (r < 0)
		print_message("%s: %s\n", ec2_code_name(error.code), error.message);
	return r;
}

static struct resource *group_of(struct view *v, const char *name)
{
	return view_edit(v, view_find(v, fixture_region(v)->number, KIND_SECURITY_GROUP, name));
}

/* A group, a list of two blocks, and rules of every kind of peer. */
static int make_rules(struct view *v, void *context, struct ec2fs_error *error)
{
	static const char entries[] = "192.0.2.0/24\n198.51.100.0/24 # b\n";
	static const char rules[] = "tcp 22,80-90 pl:office\nudp 53 10.0.0.0/8\nall - ::/0\n"
				    "icmp echo-request sg:web\nall - sg:default\n";
	const struct resource *region = fixture_region(v);
	struct resource *list, *web;

	(void)context;
	if (prefix_list_make(v, region, "office", &list, error) < 0 ||
	    prefix_list_set_entries(v, list, entries, strlen(entries), error) < 0 ||
	    security_group_make(v, region, "web", &web, error) < 0)
		return -error->number;
	return security_group_set_ingress(v, web, rules, strlen(rules), error);
}

static void print_rule(void *context, const struct permission *p, const struct resource *peer)
{
	struct strbuf *out = context;

	if (peer)
		strbuf_addf(out, "[%s] ", peer->name);
	permission_print(p, out);
	strbuf_addc(out, '\n');
}

static void the_engine_is_told_every_permission(void **state)
{
	struct fixture *f = *state;
	struct strbuf in cleanup_strbuf = STRBUF_INIT;
	struct strbuf out cleanup_strbuf = STRBUF_INIT;
	const struct resource *web, *fallback;
	struct view v;

	assert_int_equal(run(f, make_rules, NULL), 0);
	v = cloud_read(f->cloud);
	web = view_find(&v, fixture_region(&v)->number, KIND_SECURITY_GROUP, "web");
	security_group_each(&v, web, false, print_rule, &in);
	security_group_each(&v, web, true, print_rule, &out);
	assert_string_equal(strbuf_str(&in), "tcp 22 192.0.2.0/24\ntcp 22 198.51.100.0/24\n"
					     "tcp 80-90 192.0.2.0/24\ntcp 80-90 198.51.100.0/24\n"
					     "udp 53 10.0.0.0/8\n"
					     "[web] icmp echo-request sg:web\n"
					     "[default] all - sg:default\n");
	assert_string_equal(strbuf_str(&out), "all - 0.0.0.0/0\n");
	fallback = security_group_default(&v, vpc_default(&v, fixture_region(&v)->number));
	assert_true(security_group_is_default(fallback));
	assert_ptr_equal(security_group_vpc(&v, web), security_group_vpc(&v, fallback));
	cloud_read_end(f->cloud);
}

#define MANY 3000

static int allow_many(struct view *v, void *context, struct ec2fs_error *error)
{
	static const char quotas[] = "addresses 1000000\ninstances 1000000\n";
	const char *pool = context;
	int r = quotas_set(v, view_edit(v, fixture_region(v)), quotas, strlen(quotas), error);

	return r < 0 ? r
		     : public_pool_set(v, view_edit(v, view_get(v, ROOT_NUMBER)), pool,
				       strlen(pool), error);
}

static int allocate(struct view *v, void *context, struct ec2fs_error *error)
{
	struct resource *r;

	return address_make(v, fixture_region(v), context, &r, error);
}

static int allocate_many(struct view *v, void *context, struct ec2fs_error *error)
{
	char name[32];

	for (int i = 0, r; i < 200; i++) {
		snprintf(name, sizeof(name), "%s-%d", (const char *)context, i);
		r = allocate(v, name, error);
		if (r < 0)
			return r;
	}
	return 0;
}

static void every_address_is_given_out_once(void **state)
{
	struct fixture *f = *state;
	struct view v;
	struct cidr pool;
	static bool taken[4096];
	size_t count = 0;
	char name[32];

	/* 4094 of them can be given out. */
	assert_int_equal(run(f, allow_many, "198.18.0.0/20\n"), 0);
	for (int i = 0; i < MANY / 200; i++) {
		snprintf(name, sizeof(name), "a%d", i);
		assert_int_equal(run(f, allocate_many, name), 0);
	}
	fixture_close(f);
	fixture_open(f);
	assert_int_equal(run(f, allocate, "one more"), 0);
	assert_int_equal(cidr_parse("198.18.0.0/20", &pool, NULL), 0);
	v = cloud_read(f->cloud);
	view_each (&v, fixture_region(&v)->number, KIND_ADDRESS, r) {
		uint32_t address = address_public_ip(r);

		assert_true(cidr_has(pool, address));
		assert_true(address != pool.address && address != cidr_last(pool));
		assert_false(taken[address - pool.address]);
		taken[address - pool.address] = true;
		assert_ptr_equal(view_by_public_ip(&v, resource_get(r, "public-ip")), r);
		count++;
	}
	assert_int_equal(count, view_count(&v, fixture_region(&v)->number, KIND_ADDRESS));
	assert_int_equal(count, MANY + 1);
	cloud_read_end(f->cloud);
}

static int fill_small_pool(struct view *v, void *context, struct ec2fs_error *error)
{
	char name[16];
	struct resource *r;
	int result = 0;

	(void)context;
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		result = address_make(v, fixture_region(v), name, &r, error);
		if (result < 0)
			return result;
	}
	assert_int_equal(allocate(v, "seventh", error), -EADDRNOTAVAIL);
	assert_int_equal(error->code, EC2_InsufficientAddressCapacity);
	/* What is given back in this same change is free again. */
	result = address_remove(
		v, view_edit(v, view_find(v, fixture_region(v)->number, KIND_ADDRESS, "n3")),
		error);
	assert_int_equal(result, 0);
	assert_int_equal(view_count(v, fixture_region(v)->number, KIND_ADDRESS), 5);
	return allocate(v, "seventh", error);
}

static void a_small_pool_is_used_up_whole(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, allow_many, "203.0.113.8/29\n"), 0);
	assert_int_equal(run(f, fill_small_pool, NULL), 0);
}

/* Instances join and leave groups at random; the index of members equals a table of booleans. */
#define GROUPS 4
#define INSTANCES 6

struct move {
	unsigned verb, instance, group;
};

static int make_cast(struct view *v, void *context, struct ec2fs_error *error)
{
	struct resource *r;
	char name[16];

	(void)context;
	for (int i = 0; i < GROUPS; i++) {
		snprintf(name, sizeof(name), "g%d", i);
		if (security_group_make(v, fixture_region(v), name, &r, error) < 0)
			return -error->number;
	}
	for (int i = 0; i < INSTANCES; i++) {
		snprintf(name, sizeof(name), "i%d", i);
		if (instance_make(v, fixture_region(v), name, &r, error) < 0)
			return -error->number;
	}
	return 0;
}

static const struct resource *find(const struct view *v, enum kind kind, char letter, unsigned n)
{
	char name[16];

	snprintf(name, sizeof(name), "%c%u", letter, n);
	return view_find(v, fixture_region(v)->number, kind, name);
}

static int step(struct view *v, void *context, struct ec2fs_error *error)
{
	const struct move *m = context;
	const struct resource *instance = find(v, KIND_INSTANCE, 'i', m->instance);
	const struct resource *group = find(v, KIND_SECURITY_GROUP, 'g', m->group);
	struct resource *made;

	view_each (v, instance->number, KIND_MEMBERSHIP, r)
		if (membership_group(v, r) == group) {
			if (m->verb == 2) { /* leaves and joins again in one change */
				view_delete(v, r);
				return membership_make(v, instance, group->name, group, &made,
						       error);
			}
			view_delete(v, r);
			return 0;
		}
	return membership_make(v, instance, group->name, group, &made, error);
}

static void check_members(struct fixture *f, const bool there[GROUPS][INSTANCES])
{
	struct view v = cloud_read(f->cloud);

	for (unsigned g = 0; g < GROUPS; g++) {
		const struct resource *group = find(&v, KIND_SECURITY_GROUP, 'g', g);
		size_t wanted = 0, count = 0;

		for (unsigned i = 0; i < INSTANCES; i++)
			wanted += there[g][i];
		view_each_about(&v, group->number, KIND_MEMBERSHIP, m)
		{
			const struct resource *instance = view_get(&v, m->parent);

			assert_true(there[g][instance->name[1] - '0']);
			count++;
		}
		assert_int_equal(count, wanted);
	}
	for (unsigned i = 0; i < INSTANCES; i++) {
		uint64_t number = find(&v, KIND_INSTANCE, 'i', i)->number;
		size_t count = 0;

		view_each (&v, number, KIND_MEMBERSHIP, m)
			count++;
		assert_int_equal(view_count(&v, number, KIND_MEMBERSHIP), count);
	}
	cloud_read_end(f->cloud);
}

static void members_are_those_who_joined(void **state)
{
	struct fixture *f = *state;
	bool there[GROUPS][INSTANCES] = {{false}};
	unsigned dice = 5;

	assert_int_equal(run(f, make_cast, NULL), 0);
	for (int i = 0; i < 600; i++) {
		struct move m;

		dice = dice * 1103515245 + 12345;
		m = (struct move){(dice >> 16) % 3, (dice >> 18) % INSTANCES,
				  (dice >> 23) % GROUPS};
		assert_int_equal(run(f, step, &m), 0);
		if (m.verb != 2 || !there[m.group][m.instance])
			there[m.group][m.instance] = !there[m.group][m.instance];
		if (i % 200 == 199) {
			fixture_close(f);
			fixture_open(f);
		}
		check_members(f, (const bool(*)[INSTANCES])there);
	}
}

static int pass_name_on(struct view *v, void *context, struct ec2fs_error *error)
{
	struct resource *one = group_of(v, "g1"), *two = group_of(v, "g0");

	(void)context;
	/* The one that gets the name is published before the one that loses it. */
	view_rename(v, one, "g1");
	if (security_group_remove(v, two, error) < 0)
		return -error->number;
	return security_group_rename(v, one, "g0", error);
}

static void a_name_passes_on_in_one_commit(void **state)
{
	struct fixture *f = *state;
	struct view v;
	const struct resource *g;

	assert_int_equal(run(f, make_cast, NULL), 0);
	assert_int_equal(run(f, pass_name_on, NULL), 0);
	v = cloud_read(f->cloud);
	g = find(&v, KIND_SECURITY_GROUP, 'g', 0);
	assert_non_null(g);
	assert_ptr_equal(view_get(&v, g->number), g);
	assert_null(find(&v, KIND_SECURITY_GROUP, 'g', 1));
	cloud_read_end(f->cloud);
}

static int remove_used(struct view *v, void *context, struct ec2fs_error *error)
{
	(void)context;
	return security_group_remove(v, group_of(v, "g0"), error);
}

static int terminate(struct view *v, void *context, struct ec2fs_error *error)
{
	const struct resource *instance = find(v, KIND_INSTANCE, 'i', 0);

	(void)context;
	return instance_set_state(v, view_edit(v, instance), "terminated", 10, error);
}

static void a_terminated_member_holds_nothing(void **state)
{
	struct fixture *f = *state;
	struct move m = {0, 0, 0};
	struct ec2fs_error error = {0};
	struct view v;

	assert_int_equal(run(f, make_cast, NULL), 0);
	assert_int_equal(run(f, step, &m), 0);
	assert_int_equal(cloud_change(f->cloud, NULL, remove_used, NULL, &error), -ENOTEMPTY);
	assert_int_equal(error.code, EC2_DependencyViolation);
	assert_int_equal(run(f, terminate, NULL), 0);
	assert_int_equal(run(f, remove_used, NULL), 0);
	v = cloud_read(f->cloud);
	assert_null(find(&v, KIND_SECURITY_GROUP, 'g', 0));
	assert_int_equal(view_count(&v, find(&v, KIND_INSTANCE, 'i', 0)->number, KIND_MEMBERSHIP),
			 0);
	cloud_read_end(f->cloud);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_engine_is_told_every_permission, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(every_address_is_given_out_once, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(a_small_pool_is_used_up_whole, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(members_are_those_who_joined, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(a_name_passes_on_in_one_commit, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(a_terminated_member_holds_nothing, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
