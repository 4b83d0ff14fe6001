/* A random life of VPCs keeps what must always hold: no two subnets overlap, each is within its
 * VPC, no address is taken twice, a VPC has its main table and default ACL. */
#include "tests/lib/cloud_fixture.h"

#include "ec2fs/model/network.h"

#include <inttypes.h>

#define STEPS 3000

static unsigned dice_of(uint64_t *dice, unsigned sides)
{
	*dice = *dice * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)((*dice >> 33) % sides);
}

/* A child of that kind, by chance; NULL: there is none. */
static const struct resource *pick(const struct view *v, uint64_t parent, enum kind kind,
				   uint64_t *dice)
{
	size_t count = view_count(v, parent, kind);
	size_t index = count ? dice_of(dice, (unsigned)count) : 0;

	view_each (v, parent, kind, r)
		if (index-- == 0)
			return r;
	return NULL;
}

/* An instance that holds an address, as a launch leaves it. */
static int add_instance(struct view *v, const struct resource *subnet, const char *name,
			struct ec2fs_error *error)
{
	struct resource *r;
	char text[CIDR_TEXT];
	uint32_t address;
	int result = subnet_free_address(v, subnet, &address, error);

	if (result == 0)
		result = subnet_check_address(v, subnet, address, error);
	if (result == 0)
		result = instance_make(v, fixture_region(v), name, &r, error);
	if (result < 0)
		return result;
	address_print(address, text);
	set_text(v, r, "subnet", subnet->id);
	set_text(v, r, "private-ip-address", text);
	set_text(v, r, "state", "running");
	return 0;
}

/* A block of 10.0.0.0/14, mostly too small a space for all of them. */
static void random_block(uint64_t *dice, unsigned least, unsigned most, char out[CIDR_TEXT])
{
	struct cidr c = {.prefix = (uint8_t)(least + dice_of(dice, most - least + 1))};

	c.address = (10u << 24) | (dice_of(dice, 1u << 18) & (~0u << (32 - c.prefix)));
	cidr_print(c, out);
}

static int in_subnet(struct view *v, const struct resource *vpc, unsigned what, const char *name,
		     uint64_t *dice, struct ec2fs_error *error)
{
	const struct resource *subnet = pick(v, vpc->number, KIND_SUBNET, dice);
	const struct resource *table = pick(v, vpc->number, KIND_ROUTE_TABLE, dice);
	struct resource *made;
	char text[CIDR_TEXT];

	switch (what) {
	case 0:
		return subnet_make(v, vpc, name, &made, error);
	case 1:
	case 2:
	case 3:
		random_block(dice, 18, 29, text);
		return subnet ? subnet_set_cidr_block(v, view_edit(v, subnet), text, strlen(text),
						      error)
			      : 0;
	case 4:
		return subnet ? subnet_remove(v, view_edit(v, subnet), error) : 0;
	case 5:
		return subnet && table
			       ? subnet_set_route_table(v, view_edit(v, subnet), table->name,
							strlen(table->name), error)
			       : 0;
	default:
		return subnet ? add_instance(v, subnet, name, error) : 0;
	}
}

static int take_step(struct view *v, void *context, struct ec2fs_error *error)
{
	uint64_t *dice = context;
	const struct resource *region = fixture_region(v), *r;
	const struct resource *vpc = pick(v, region->number, KIND_VPC, dice);
	char name[24], text[CIDR_TEXT];
	struct resource *made;

	snprintf(name, sizeof(name), "n%" PRIu64, *dice);
	switch (vpc ? dice_of(dice, 16) : 0) {
	case 0:
		return vpc_make(v, region, name, &made, error);
	case 1:
		random_block(dice, 15, 20, text);
		return vpc_set_cidr_block(v, view_edit(v, vpc), text, strlen(text), error);
	case 2:
		random_block(dice, 15, 20, text);
		return vpc_set_cidr_blocks(v, view_edit(v, vpc), text, strlen(text), error);
	case 3:
		return dice_of(dice, 4) ? 0 : vpc_remove(v, view_edit(v, vpc), error);
	case 4:
		return route_table_make(v, vpc, name, &made, error);
	case 5:
		r = pick(v, vpc->number, KIND_ROUTE_TABLE, dice);
		return dice_of(dice, 2)
			       ? route_table_remove(v, view_edit(v, r), error)
			       : route_table_set_main(v, view_edit(v, r), "true", 4, error);
	case 6:
		r = pick(v, region->number, KIND_INSTANCE, dice);
		if (r)
			view_delete(v, r);
		return 0;
	default:
		return in_subnet(v, vpc, dice_of(dice, 9), name, dice, error);
	}
}

static void check_subnets(const struct view *v, const struct resource *vpc)
{
	struct cidr a, b;

	view_each (v, vpc->number, KIND_SUBNET, one) {
		const struct resource *table = subnet_route_table(v, one);

		assert_non_null(table);
		assert_int_equal(table->parent, vpc->number);
		if (!subnet_cidr(one, &a)) {
			assert_true(resource_is(one, "state", "pending"));
			continue;
		}
		assert_true(vpc_contains(vpc, a));
		view_each (v, vpc->number, KIND_SUBNET, two)
			assert_false(two != one && subnet_cidr(two, &b) && cidr_overlaps(a, b));
	}
}

static void check_addresses(const struct view *v)
{
	view_each (v, fixture_region(v)->number, KIND_INSTANCE, one) {
		const struct resource *subnet = instance_subnet(v, one);
		uint32_t address = instance_private_ip(one);
		struct cidr c;

		assert_non_null(subnet);
		assert_true(subnet_cidr(subnet, &c));
		assert_true(cidr_has(c, address));
		assert_in_range(address, c.address + 4, cidr_last(c) - 1);
		view_each (v, fixture_region(v)->number, KIND_INSTANCE, two)
			assert_false(two != one && instance_subnet(v, two) == subnet &&
				     instance_private_ip(two) == address);
	}
}

static void check_all(struct fixture *f)
{
	struct view v = cloud_read(f->cloud);
	struct cidr a, b;

	view_each (&v, fixture_region(&v)->number, KIND_VPC, vpc) {
		assert_non_null(vpc_main_table(&v, vpc));
		assert_non_null(vpc_default_acl(&v, vpc));
		assert_non_null(security_group_default(&v, vpc));
		for (size_t i = 0; vpc_cidr(vpc, i, &a); i++)
			for (size_t k = 0; k < i && vpc_cidr(vpc, k, &b); k++)
				assert_false(cidr_overlaps(a, b));
		check_subnets(&v, vpc);
	}
	check_addresses(&v);
	cloud_read_end(f->cloud);
}

static void a_random_life_keeps_what_must_hold(void **state)
{
	struct fixture *f = *state;
	uint64_t dice = 11;
	int taken = 0, refused = 0;

	for (int i = 0; i < STEPS; i++) {
		struct ec2fs_error error = {0};
		int r = cloud_change(f->cloud, NULL, take_step, &dice, &error);

		taken += r == 0;
		refused += r < 0;
		if (r < 0)
			assert_true(error.message[0] && error.number == -r);
		if (i % 100 == 99)
			check_all(f);
		if (i % 1000 == 999) {
			fixture_close(f);
			fixture_open(f);
			check_all(f);
		}
	}
	/* Both happen often. */
	assert_in_range(taken, STEPS / 4, STEPS);
	assert_in_range(refused, STEPS / 20, STEPS);
}

static int fill(struct view *v, void *context, struct ec2fs_error *error)
{
	const struct resource *subnet = subnet_default(v, fixture_region(v)->number, "us-east-1a");
	unsigned count = *(unsigned *)context;
	char name[16];

	for (unsigned i = 0; i < count; i++) {
		int r;

		snprintf(name, sizeof(name), "i%u", i);
		r = add_instance(v, subnet, name, error);
		if (r < 0)
			return r;
	}
	return 0;
}

static void free_addresses_are_counted(void **state)
{
	struct fixture *f = *state;
	struct ec2fs_error error = {0};
	unsigned count = 100;
	struct view v;

	assert_int_equal(cloud_change(f->cloud, NULL, fill, &count, &error), 0);
	v = cloud_read(f->cloud);
	assert_int_equal(
		subnet_available(&v, subnet_default(&v, fixture_region(&v)->number, "us-east-1a")),
		4091 - 100);
	cloud_read_end(f->cloud);
}

static int forget_default(struct view *v, void *context, struct ec2fs_error *error)
{
	struct resource *region = view_edit(v, fixture_region(v));

	(void)context;
	(void)error;
	/* As an older ec2fs left a region. */
	security_group_remove_default(v, vpc_default(v, region->number));
	view_delete(v, vpc_default(v, region->number));
	unset(v, region, "@default-vpc");
	return 0;
}

static bool has_default(struct fixture *f)
{
	struct view v = cloud_read(f->cloud);
	bool has = vpc_default(&v, fixture_region(&v)->number);

	cloud_read_end(f->cloud);
	return has;
}

static void an_older_cloud_gets_its_default_vpc(void **state)
{
	struct fixture *f = *state;
	struct ec2fs_error error = {0};

	assert_true(has_default(f));
	assert_int_equal(cloud_change(f->cloud, NULL, forget_default, NULL, &error), 0);
	assert_false(has_default(f));
	assert_int_equal(cloud_change(f->cloud, NULL, cloud_first, NULL, &error), 0);
	assert_true(has_default(f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_random_life_keeps_what_must_hold, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(free_addresses_are_counted, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(an_older_cloud_gets_its_default_vpc, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
