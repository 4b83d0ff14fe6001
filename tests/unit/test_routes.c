/* Routes as the engine gets them, and their text. */
#include "tests/lib/cloud_fixture.h"

#include "ec2fs/model/routes.h"

#include <inttypes.h>

static const struct resource *main_vpc(const struct view *v)
{
	return view_find(v, fixture_region(v)->number, KIND_VPC, "main");
}

static const struct resource *main_table(const struct view *v)
{
	return vpc_main_table(v, main_vpc(v));
}

static int set_up(struct view *v, void *context, struct ec2fs_error *error)
{
	const struct resource *region = fixture_region(v);
	struct resource *vpc, *r;
	int result = vpc_make(v, region, "main", &vpc, error);

	(void)context;
	if (result == 0)
		result = vpc_set_cidr_block(v, vpc, "10.0.0.0/16", 11, error);
	if (result == 0)
		result = vpc_set_cidr_blocks(v, vpc, "10.1.0.0/16\n", 12, error);
	if (result == 0)
		result = vpc_set_internet_gateway(v, vpc, "true", 4, error);
	if (result == 0)
		result = nat_gateway_make(v, vpc, "out", &r, error);
	if (result == 0)
		result = vpn_gateway_make(v, vpc, "office", &r, error);
	if (result == 0)
		result = vpn_gateway_set_interface(v, r, "wg0", 3, error);
	if (result == 0)
		result = vpn_gateway_set_routes(
			v, r, "192.168.0.0/16\n172.16.0.0/12\n10.1.9.0/24\n", 42, error);
	return result;
}

static int setup(void **state)
{
	struct ec2fs_error error = {0};
	struct fixture *f;

	fixture_setup(state);
	f = *state;
	/* The last block of the VPN gateway is the VPC's own: refused. */
	assert_int_equal(cloud_change(f->cloud, NULL, set_up, NULL, &error), -EINVAL);
	return 0;
}

static int set_up_well(struct view *v, void *context, struct ec2fs_error *error)
{
	const struct resource *vpc;
	int result = set_up(v, context, error);

	if (result != -EINVAL)
		return -EIO;
	vpc = main_vpc(v);
	return vpn_gateway_set_routes(v, view_edit(v, vpc_vpn_gateway(v, vpc)),
				      "192.168.0.0/16\n172.16.0.0/12\n", 29, error);
}

static int setup_well(void **state)
{
	struct ec2fs_error error = {0};
	struct fixture *f;

	fixture_setup(state);
	f = *state;
	assert_int_equal(cloud_change(f->cloud, NULL, set_up_well, NULL, &error), 0);
	return 0;
}

static int write_routes(struct view *v, void *context, struct ec2fs_error *error)
{
	return route_table_set_routes(v, view_edit(v, main_table(v)), context, strlen(context),
				      error);
}

static void note(void *context, const struct route *r)
{
	char to[CIDR_TEXT];

	cidr_print(r->to, to);
	strbuf_addf(context, "%s %d %s%s%s\n", to, r->target, r->through ? r->through->name : "-",
		    r->blackhole ? " blackhole" : "", r->propagated ? " propagated" : "");
}

static void a_refused_change_is_no_change(void **state)
{
	struct fixture *f = *state;
	struct view v = cloud_read(f->cloud);

	assert_null(main_vpc(&v));
	cloud_read_end(f->cloud);
}

static int propagate(struct view *v, void *context, struct ec2fs_error *error)
{
	return route_table_set_propagating(v, view_edit(v, main_table(v)), context, strlen(context),
					   error);
}

static void routes_come_local_first_then_written_then_propagated(void **state)
{
	struct fixture *f = *state;
	struct strbuf out cleanup_strbuf = STRBUF_INIT;
	struct ec2fs_error error = {0};
	struct view v;

	assert_int_equal(cloud_change(f->cloud, NULL, write_routes,
				      "192.168.0.0/16 nat:out\n0.0.0.0/0 internet-gateway\n",
				      &error),
			 0);
	assert_int_equal(cloud_change(f->cloud, NULL, propagate, "true", &error), 0);
	v = cloud_read(f->cloud);
	routes_each(&v, main_table(&v), note, &out);
	cloud_read_end(f->cloud);
	assert_string_equal(strbuf_str(&out), "10.0.0.0/16 0 -\n"
					      "10.1.0.0/16 0 -\n"
					      "192.168.0.0/16 2 out blackhole\n"
					      "0.0.0.0/0 1 -\n"
					      "172.16.0.0/12 5 office propagated\n");
}

static char *shown(struct fixture *f)
{
	struct view v = cloud_read(f->cloud);
	struct strbuf out = STRBUF_INIT;

	routes_show(&v, main_table(&v), &out);
	cloud_read_end(f->cloud);
	return strbuf_steal(&out);
}

static int rename_nat(struct view *v, void *context, struct ec2fs_error *error)
{
	const struct resource *nat = view_next(v, main_vpc(v)->number, KIND_NAT_GATEWAY, 0);

	return nat_gateway_rename(v, view_edit(v, nat), context, error);
}

static int drop_block(struct view *v, void *context, struct ec2fs_error *error)
{
	(void)context;
	return vpc_set_cidr_blocks(v, view_edit(v, main_vpc(v)), "", 0, error);
}

static void the_text_follows_names_and_blocks(void **state)
{
	struct fixture *f = *state;
	struct ec2fs_error error = {0};
	char *text;

	assert_int_equal(
		cloud_change(f->cloud, NULL, write_routes,
			     "# top\n10.1.0.0/16 local  # second\n0.0.0.0/0  nat:out#x # c\n"
			     "10.0.0.0/16 local",
			     &error),
		-ENOENT);
	assert_int_equal(cloud_change(f->cloud, NULL, write_routes,
				      "# top\n10.1.0.0/16 local  # second\n0.0.0.0/0  nat:out # c\n"
				      "10.0.0.0/16 local",
				      &error),
			 0);
	cloud_change(f->cloud, NULL, rename_nat, "exit", &error);
	text = shown(f);
	assert_string_equal(text, "# top\n10.1.0.0/16 local  # second\n0.0.0.0/0  nat:exit # c\n"
				  "10.0.0.0/16 local");
	free(text);
	assert_int_equal(cloud_change(f->cloud, NULL, drop_block, NULL, &error), 0);
	text = shown(f);
	assert_string_equal(text, "# top\n0.0.0.0/0  nat:exit # c\n10.0.0.0/16 local");
	free(text);
	cloud_change(f->cloud, NULL, rename_nat, "a b", &error);
	text = shown(f);
	assert_non_null(strstr(text, "0.0.0.0/0  nat:nat-"));
	/* What was read may be written. */
	assert_int_equal(cloud_change(f->cloud, NULL, write_routes, text, &error), 0);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_refused_change_is_no_change, setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(
			routes_come_local_first_then_written_then_propagated, setup_well,
			fixture_teardown),
		cmocka_unit_test_setup_teardown(the_text_follows_names_and_blocks, setup_well,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
