/* EC2's table of states and requests (EC2 user guide, "Instance lifecycle"), asked row by row. */
#include "tests/lib/cloud_fixture.h"

struct story {
	const char *wants; /* written to state, or "ctl:VERB" */
	enum instance_state from;
	int answer; /* 0 or the errno, negative */
	enum instance_state to;
};

static const struct story stories[] = {
	{"running", INSTANCE_PENDING, 0, INSTANCE_PENDING},
	{"running", INSTANCE_RUNNING, 0, INSTANCE_RUNNING},
	{"running", INSTANCE_STOPPING, -EBUSY, INSTANCE_STOPPING},
	{"running", INSTANCE_STOPPED, 0, INSTANCE_PENDING},
	{"running", INSTANCE_SHUTTING_DOWN, -EBUSY, INSTANCE_SHUTTING_DOWN},
	{"running", INSTANCE_TERMINATED, -EIDRM, INSTANCE_TERMINATED},
	{"stopped", INSTANCE_DRAFT, -EBUSY, INSTANCE_DRAFT},
	{"stopped", INSTANCE_PENDING, -EBUSY, INSTANCE_PENDING},
	{"stopped", INSTANCE_RUNNING, 0, INSTANCE_STOPPING},
	{"stopped", INSTANCE_STOPPING, 0, INSTANCE_STOPPING},
	{"stopped", INSTANCE_STOPPED, 0, INSTANCE_STOPPED},
	{"stopped", INSTANCE_TERMINATED, -EIDRM, INSTANCE_TERMINATED},
	{"hibernated", INSTANCE_RUNNING, -EOPNOTSUPP, INSTANCE_RUNNING},
	{"hibernated", INSTANCE_STOPPED, -EBUSY, INSTANCE_STOPPED},
	{"terminated", INSTANCE_DRAFT, 0, INSTANCE_TERMINATED},
	{"terminated", INSTANCE_PENDING, 0, INSTANCE_SHUTTING_DOWN},
	{"terminated", INSTANCE_RUNNING, 0, INSTANCE_SHUTTING_DOWN},
	{"terminated", INSTANCE_STOPPED, 0, INSTANCE_SHUTTING_DOWN},
	{"terminated", INSTANCE_SHUTTING_DOWN, 0, INSTANCE_SHUTTING_DOWN},
	{"terminated", INSTANCE_TERMINATED, 0, INSTANCE_TERMINATED},
	{"pending", INSTANCE_RUNNING, -EINVAL, INSTANCE_RUNNING},
	{"sleeping", INSTANCE_RUNNING, -EINVAL, INSTANCE_RUNNING},
	{"ctl:reboot", INSTANCE_RUNNING, 0, INSTANCE_RUNNING},
	{"ctl:reboot", INSTANCE_STOPPED, -EBUSY, INSTANCE_STOPPED},
	{"ctl:reboot", INSTANCE_TERMINATED, 0, INSTANCE_TERMINATED},
	{"ctl:stop --force", INSTANCE_RUNNING, 0, INSTANCE_STOPPING},
	{"ctl:dance", INSTANCE_RUNNING, -EINVAL, INSTANCE_RUNNING},
};

/* An instance in that state, with an image it could start from. */
static struct resource *bring(struct view *v, enum instance_state state)
{
	const struct resource *region = fixture_region(v);
	struct resource *image, *r;
	struct ec2fs_error error = {0};

	assert_int_equal(image_make(v, region, "tiny", &image, &error), 0);
	assert_int_equal(image_set_disk(v, image, "b-0 512 raw 512", 15, &error), 0);
	assert_int_equal(instance_make(v, region, "web-1", &r, &error), 0);
	assert_int_equal(instance_set_image(v, r, "tiny", 4, &error), 0);
	if (state != INSTANCE_DRAFT) {
		if (instance_set_state(v, r, "running", 7, &error) < 0)
			fail_msg("%s", error.message);
		set_text(v, r, "state", instance_state_name(state));
	}
	return r;
}

static int tell(struct view *v, void *context, struct ec2fs_error *error)
{
	const struct story *s = context;
	struct resource *r = bring(v, s->from);
	struct ec2fs_error own = {0};
	int answer;

	(void)error;
	if (strncmp(s->wants, "ctl:", 4) == 0)
		answer = instance_command(v, r, s->wants + 4, strlen(s->wants + 4), &own);
	else
		answer = instance_set_state(v, r, s->wants, strlen(s->wants), &own);
	if (answer != s->answer || instance_state(r) != s->to)
		fail_msg("%s in %s: answered %d (%s), now %s", s->wants,
			 instance_state_name(s->from), answer, own.message,
			 instance_state_name(instance_state(r)));
	return 0;
}

static void each_request_in_each_state(void **state)
{
	struct fixture *f = *state;
	struct ec2fs_error error = {0};

	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++)
		cloud_try(f->cloud, NULL, tell, (void *)&stories[i], &error);
}

static int protect(struct view *v, void *context, struct ec2fs_error *error)
{
	struct resource *r = bring(v, INSTANCE_RUNNING);

	(void)context;
	assert_int_equal(instance_set_termination_protection(v, r, "true", 4, error), 0);
	assert_int_equal(instance_set_state(v, r, "terminated", 10, error), -EPERM);
	assert_int_equal(error->code, EC2_OperationNotPermitted);
	assert_int_equal(instance_remove(v, r, error), -EPERM);
	assert_int_equal(instance_state(r), INSTANCE_RUNNING);
	/* It guards against requests, not against the guest. */
	assert_int_equal(instance_set_shutdown_behavior(v, r, "terminate", 9, error), 0);
	instance_saw_gone(v, r, "Client.InstanceInitiatedShutdown: it did");
	assert_int_equal(instance_state(r), INSTANCE_SHUTTING_DOWN);
	return 0;
}

static void protection_guards_against_requests_only(void **state)
{
	struct fixture *f = *state;
	struct ec2fs_error error = {0};

	assert_int_equal(cloud_try(f->cloud, NULL, protect, NULL, &error), 0);
}

static int life(struct view *v, void *context, struct ec2fs_error *error)
{
	struct resource *r = bring(v, INSTANCE_PENDING);

	(void)context;
	assert_non_null(volume_root_of(v, r));
	assert_int_equal(strncmp(resource_get(r, "@uuid"), "ec2", 3), 0);
	assert_int_equal(strlen(resource_get(r, "@uuid")), 36);
	instance_saw_running(v, r);
	assert_int_equal(instance_state(r), INSTANCE_RUNNING);
	assert_int_equal(instance_set_type(v, r, "t3.nano", 7, error), -EBUSY);
	assert_int_equal(instance_set_state(v, r, "stopped", 7, error), 0);
	instance_saw_gone(v, r, NULL);
	assert_int_equal(instance_state(r), INSTANCE_STOPPED);
	assert_non_null(strstr(resource_get(r, "state-reason"), "Client.UserInitiatedShutdown"));
	assert_int_equal(instance_set_type(v, r, "t3.nano", 7, error), 0);
	assert_int_equal(instance_set_type(v, r, "t3.nanno", 8, error), -EINVAL);
	assert_non_null(strstr(error->message, "did you mean t3.nano?"));
	return 0;
}

static void a_whole_life(void **state)
{
	struct fixture *f = *state;
	struct ec2fs_error error = {0};

	assert_int_equal(cloud_try(f->cloud, NULL, life, NULL, &error), 0);
}

/* As an image of it is made. */
static int pause_for_a_while(struct view *v, void *context, struct ec2fs_error *error)
{
	const char *meanwhile = context;
	struct resource *r = bring(v, INSTANCE_RUNNING);

	assert_int_equal(instance_pause_begin(v, r, error), 0);
	assert_int_equal(instance_state(r), INSTANCE_STOPPING);
	instance_saw_gone(v, r, NULL);
	if (*meanwhile)
		assert_int_equal(instance_set_state(v, r, meanwhile, strlen(meanwhile), error), 0);
	assert_int_equal(instance_pause_end(v, r, error), 0);
	assert_int_equal(instance_state(r),
			 strcmp(meanwhile, "stopped") == 0 ? INSTANCE_STOPPED : INSTANCE_PENDING);
	/* What is stopped later is nobody's to start. */
	instance_saw_running(v, r);
	instance_set_state(v, r, "stopped", 7, error);
	instance_saw_gone(v, r, NULL);
	assert_int_equal(instance_pause_end(v, r, error), 0);
	assert_int_equal(instance_state(r), INSTANCE_STOPPED);
	return 0;
}

static void who_is_stopped_for_an_image_starts_again_unless_its_user_stops_it(void **state)
{
	struct fixture *f = *state;
	struct ec2fs_error error = {0};

	assert_int_equal(cloud_try(f->cloud, NULL, pause_for_a_while, "", &error), 0);
	assert_int_equal(cloud_try(f->cloud, NULL, pause_for_a_while, "stopped", &error), 0);
	assert_int_equal(cloud_try(f->cloud, NULL, pause_for_a_while, "running", &error), 0);
}

static int too_many(struct view *v, void *context, struct ec2fs_error *error)
{
	const struct resource *region = fixture_region(v);
	struct resource *r = bring(v, INSTANCE_DRAFT);

	(void)context;
	assert_int_equal(quotas_set(v, view_edit(v, region), "vcpus 1\n", 8, error), 0);
	assert_int_equal(instance_set_state(v, r, "running", 7, error), -EDQUOT);
	assert_int_equal(error->code, EC2_VcpuLimitExceeded);
	assert_int_equal(instance_state(r), INSTANCE_DRAFT);
	return 0;
}

static void the_quota_is_kept(void **state)
{
	struct fixture *f = *state;
	struct ec2fs_error error = {0};

	assert_int_equal(cloud_try(f->cloud, NULL, too_many, NULL, &error), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_request_in_each_state, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(protection_guards_against_requests_only,
						fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(a_whole_life, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			who_is_stopped_for_an_image_starts_again_unless_its_user_stops_it,
			fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(the_quota_is_kept, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
