/* What a simulated provider can be told in its URI: options, faults, and that it crashes. */
#include "tests/lib/sim_fixture.h"

static void test_options(void **state)
{
	const struct {
		const char *uri, *story;
	} bad[] = {
		{"sim:", "neither"},
		{"sim:speed=fast", "sim has no \"speed\"; it has start,"},
		{"sim:start", "something like 200ms"},
		{"sim:start=200", "not \"200\""},
		{"sim:start=-1s", "not \"-1s\""},
		{"sim:start=1234567890s", "not"},
		{"sim:fail=everything", "its verbs are start restore"},
		{"sim:fail-start=", "not \"\""},
		{"sim:start=1s,vcpus=0", "vcpus"},
		{"sim:memory=4TB", "4TiB"},
		{"sim:ignore-power-button=1", "sim has no"},
	};
	const char *const good[] = {
		"sim",
		"sim:start=200ms",
		"sim:start=1s,boot=1m,save=0s,restore=5ms,shutdown=30s,crash-after=5s",
		"sim:ignore-power-button,fail-start=3,fail=save,fail=restore",
		"sim:vcpus=4,memory=16GiB",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(provider_sim.check(good[i], NULL), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ec2fs_error error = {0};

		assert_int_equal(provider_sim.check(bad[i].uri, &error), -EINVAL);
		if (!strstr(error.message, bad[i].story))
			fail_msg("%s: %s", bad[i].uri, error.message);
	}
}

static void test_who_claims_what(void **state)
{
	(void)state;
	assert_ptr_equal(provider_for("sim"), &provider_sim);
	assert_ptr_equal(provider_for("sim:anything"), &provider_sim);
	assert_ptr_equal(provider_for("qemu:///system"), &provider_libvirt);
	assert_ptr_equal(provider_for("qemu+ssh://host/system"), &provider_libvirt);
	assert_null(provider_for("simulator"));
	assert_null(provider_for("xen:///"));
	assert_null(provider_for(""));
}

static void test_crash_after(void **state)
{
	struct cloud c;

	(void)state;
	open_cloud(&c, "sim:crash-after=20ms");
	start(&c);
	assert_true(reaches(&c, &c.ends[MACHINE_END_CRASHED], 1));
	close_cloud(&c);
}

static void test_faults_to_order(void **state)
{
	struct machine_spec spec;
	struct ec2fs_error error;
	struct cloud c;

	(void)state;
	open_cloud(&c, "sim:fail-start=2,fail=save,fail=capacity");
	spec = spec_of(&c);
	start(&c);
	assert_int_equal(c.p->ops->save(c.p, ID, c.memory, &error), -EIO);
	assert_string_equal(error.message, "sim was told to fail every save");
	assert_int_equal(c.p->ops->capacity(c.p, NULL, &error), -EIO);
	assert_int_equal(c.p->ops->destroy(c.p, ID, NULL), 0);
	assert_int_equal(c.p->ops->start(c.p, &spec, &error), -EIO);
	assert_string_equal(error.message, "sim was told to fail start number 2");
	assert_int_equal(observe(&c), MACHINE_ABSENT);
	start(&c); /* the third succeeds again */
	close_cloud(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_who_claims_what),
		cmocka_unit_test(test_crash_after),
		cmocka_unit_test(test_faults_to_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
