/* Volumes, attachments, snapshots: EC2's rules, one by one. */
#include "tests/lib/storage_fixture.h"

/* Types and their limits, straight from EC2's table. */
static void types_have_their_limits(void **state)
{
	static const struct {
		const char *type;
		uint64_t gib, iops, throughput;
		int number;
	} specs[] = {
		{"gp3", 1, 0, 0, 0},
		{"gp3", 65536, 80000, 2000, 0},
		{"gp3", 65537, 0, 0, ERANGE},
		{"gp3", 0, 0, 0, ERANGE},
		{"gp3", 10, 5000, 0, 0},
		{"gp3", 10, 5001, 0, ERANGE},
		{"gp3", 10, 2999, 0, ERANGE},
		{"gp3", 1000, 80001, 0, ERANGE},
		{"gp3", 10, 3000, 750, 0},
		{"gp3", 10, 3000, 751, ERANGE},
		{"gp3", 10, 0, 750, 0},
		{"gp3", 10, 0, 124, ERANGE},
		{"gp3", 1000, 80000, 2001, ERANGE},
		{"gp2", 1, 0, 0, 0},
		{"gp2", 16384, 0, 0, 0},
		{"gp2", 16385, 0, 0, ERANGE},
		{"gp2", 100, 300, 0, 0}, /* what it has anyway */
		{"gp2", 100, 301, 0, EINVAL},
		{"gp2", 100, 0, 125, EINVAL},
		{"io1", 4, 100, 0, 0},
		{"io1", 4, 200, 0, 0},
		{"io1", 4, 201, 0, ERANGE},
		{"io1", 4, 0, 0, EINVAL},
		{"io1", 3, 100, 0, ERANGE},
		{"io1", 16384, 64000, 0, 0},
		{"io1", 16384, 64001, 0, ERANGE},
		{"io2", 4, 4000, 0, 0},
		{"io2", 4, 4001, 0, ERANGE},
		{"io2", 65536, 256000, 0, 0},
		{"io2", 4, 99, 0, ERANGE},
		{"st1", 124, 0, 0, ERANGE},
		{"st1", 125, 0, 0, 0},
		{"st1", 16384, 0, 0, 0},
		{"st1", 500, 500, 0, EINVAL},
		{"sc1", 125, 0, 0, 0},
		{"sc1", 16385, 0, 0, ERANGE},
		{"standard", 1024, 0, 0, 0},
		{"standard", 1025, 0, 0, ERANGE},
		{"gp4", 8, 0, 0, EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct volume_spec spec = {specs[i].type, specs[i].gib, specs[i].iops,
					   specs[i].throughput};
		struct ec2fs_error error = {0};
		int r = volume_spec_check(&spec, &error);

		if (r != -specs[i].number)
			fail_msg("%s %u GiB %u IOPS: %d, %s", spec.type, (unsigned)spec.gib,
				 (unsigned)spec.iops, r, error.message);
	}
}

static void limits_are_those_of_the_type(void **state)
{
	static const struct {
		const char *type, *size, *iops;
		struct volume_limits wanted;
	} volumes[] = {
		{"gp3", "1 GiB", NULL, {3000, 0, 125 * MIB, 0, 0}},
		{"gp2", "10 GiB", NULL, {100, 3000, 128 * MIB, 0, 1800}},
		{"gp2", "2000 GiB", NULL, {6000, 0, 250 * MIB, 0, 0}},
		{"gp2", "16384 GiB", NULL, {16000, 0, 250 * MIB, 0, 0}},
		{"io1", "100 GiB", "5000", {5000, 0, 1000 * MIB, 0, 0}},
		{"st1", "1024 GiB", NULL, {500, 0, 40 * MIB, 250 * MIB, 4194}},
		{"sc1", "1024 GiB", NULL, {250, 0, 12 * MIB, 80 * MIB, 13107}},
		{"sc1", "16384 GiB", NULL, {250, 0, 192 * MIB, 250 * MIB, 67108}},
		{"standard", "8 GiB", NULL, {100, 200, 90 * MIB, 0, 1800}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(volumes) / sizeof(volumes[0]); i++) {
		struct resource *r = resource_new(1, 0, KIND_VOLUME, "v", "");
		struct volume_limits limits;

		set_default(r, "volume-type", volumes[i].type);
		set_default(r, "size", volumes[i].size);
		if (volumes[i].iops)
			set_default(r, "iops", volumes[i].iops);
		volume_limits(r, &limits);
		assert_int_equal(limits.iops, volumes[i].wanted.iops);
		assert_int_equal(limits.burst_iops, volumes[i].wanted.burst_iops);
		assert_int_equal(limits.bytes, volumes[i].wanted.bytes);
		assert_int_equal(limits.burst_bytes, volumes[i].wanted.burst_bytes);
		if (limits.burst_iops || limits.burst_bytes)
			assert_int_equal(limits.burst_seconds, volumes[i].wanted.burst_seconds);
		resource_unref(r);
	}
}

static void a_volume_is_created_by_its_size(void **state)
{
	struct fixture *f = *state;

	succeeds(f, make_volume, "data", NULL, NULL);
	volume_is(f, "data", "state", "draft");
	volume_is(f, "data", "volume-type", "gp3");
	refuses(f, EINVAL, EC2_InvalidParameterValue, set, "data", "size", "big");
	refuses(f, ERANGE, EC2_InvalidParameterValue, set, "data", "size", "0");
	refuses(f, ERANGE, EC2_InvalidParameterValue, set, "data", "size", "512 MiB");
	refuses(f, ERANGE, EC2_InvalidParameterValue, set, "data", "size", "65537");
	refuses(f, EINVAL, EC2_InvalidParameterValue, set, "data", "type", "gp9");
	refuses(f, ENOENT, EC2_InvalidZone_NotFound, set, "data", "zone", "us-east-1z");
	refuses(f, ENOENT, EC2_InvalidSnapshot_NotFound, set, "data", "snapshot", "monday");
	volume_is(f, "data", "state", "draft");
	succeeds(f, set, "data", "size", "10");
	volume_is(f, "data", "size", "10 GiB");
	volume_is(f, "data", "state", "creating");
	/* What was fixed then; what it has may be written again. */
	refuses(f, EBUSY, EC2_IncorrectState, set, "data", "encrypted", "true");
	refuses(f, EBUSY, EC2_IncorrectState, set, "data", "zone", "us-east-1b");
	succeeds(f, set, "data", "encrypted", "false");
	succeeds(f, set, "data", "zone", "us-east-1a");
	succeeds(f, set, "data", "iops", "3000");
	succeeds(f, created, "data", NULL, NULL);
	volume_is(f, "data", "state", "available");
	volume_is(f, "data", "modification-state", "");
}

static void io1_needs_its_iops(void **state)
{
	struct fixture *f = *state;

	succeeds(f, make_volume, "fast", NULL, NULL);
	succeeds(f, set, "fast", "type", "io1");
	refuses(f, EINVAL, EC2_MissingParameter, set, "fast", "size", "10");
	succeeds(f, set, "fast", "iops", "501");
	refuses(f, ERANGE, EC2_InvalidParameterValue, set, "fast", "size", "10");
	succeeds(f, set, "fast", "iops", "500");
	succeeds(f, set, "fast", "size", "10");
	succeeds(f, make_volume, "slow", NULL, NULL);
	succeeds(f, set, "slow", "multi", "true");
	refuses(f, EINVAL, EC2_InvalidParameterCombination, set, "slow", "size", "10");
}

/* As a spec does: all at once. */
static int become_io2(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	struct resource *r = edit(v, KIND_VOLUME, a->name);
	int result;

	v->together = true;
	result = volume_set_type(v, r, "io2", 3, error);
	if (result == 0)
		result = volume_set_iops(v, r, "50000", 5, error);
	if (result == 0)
		result = volume_set_size(v, r, a->text, strlen(a->text), error);
	v->together = false;
	return result < 0 ? result : volume_settle(v, r, error);
}

static void volumes_only_grow_one_change_at_a_time(void **state)
{
	struct fixture *f = *state;

	volume(f, "data", "10");
	refuses(f, EINVAL, EC2_InvalidParameterValue, set, "data", "size", "9");
	succeeds(f, set, "data", "size", "20");
	volume_is(f, "data", "modification-state", "modifying");
	refuses(f, EALREADY, EC2_IncorrectModificationState, set, "data", "size", "30");
	refuses(f, EALREADY, EC2_IncorrectModificationState, set, "data", "iops", "4000");
	succeeds(f, modified, "data", NULL, NULL);
	volume_is(f, "data", "modification-state", "completed");
	volume_is(f, "data", "modification-progress", "100%");
	volume_is(f, "data", "@made", "21474836480");
	/* A failure leaves it as it was. */
	succeeds(f, set, "data", "size", "30 GiB");
	succeeds(f, failed_to_grow, "data", NULL, NULL);
	volume_is(f, "data", "modification-state", "failed");
	volume_is(f, "data", "size", "20 GiB");
	/* As it was in all: 50000 IOPS are none that 20 GiB have. */
	succeeds(f, set, "data", "throughput", "200");
	succeeds(f, modified, "data", NULL, NULL);
	succeeds(f, become_io2, "data", NULL, "50");
	volume_is(f, "data", "throughput", "");
	succeeds(f, failed_to_grow, "data", NULL, NULL);
	volume_is(f, "data", "size", "20 GiB");
	volume_is(f, "data", "volume-type", "gp3");
	volume_is(f, "data", "iops", "");
	volume_is(f, "data", "throughput", "200");
	succeeds(f, set, "data", "throughput", "125");
	succeeds(f, modified, "data", NULL, NULL);
	/* Another type, whose figures are others. */
	succeeds(f, set, "data", "iops", "5000");
	succeeds(f, modified, "data", NULL, NULL);
	succeeds(f, set, "data", "type", "gp2");
	volume_is(f, "data", "iops", "");
	succeeds(f, modified, "data", NULL, NULL);
	succeeds(f, set, "data", "type", "io2");
	volume_is(f, "data", "iops", "100");
	succeeds(f, modified, "data", NULL, NULL);
	refuses(f, ERANGE, EC2_InvalidParameterValue, set, "data", "type", "st1");
	refuses(f, EINVAL, EC2_InvalidParameterCombination, set, "data", "throughput", "500");
}

static void what_grew_in_creation_is_modified_after_it(void **state)
{
	struct fixture *f = *state;

	volume(f, "source", "4");
	succeeds(f, snapshot, "source", NULL, "monday");
	succeeds(f, completed, "source-monday", NULL, NULL);
	succeeds(f, make_volume, "data", NULL, NULL);
	succeeds(f, set, "data", "snapshot", "source-monday");
	volume_is(f, "data", "size", "4 GiB");
	volume_is(f, "data", "state", "creating");
	succeeds(f, set, "data", "size", "8");
	refuses(f, EINVAL, EC2_InvalidParameterValue, set, "data", "size", "6");
	volume_is(f, "data", "modification-state", "");
}

static void attaching_is_checked(void **state)
{
	struct fixture *f = *state;

	volume(f, "data", "10");
	succeeds(f, make_volume, "far", NULL, NULL);
	succeeds(f, set, "far", "zone", "us-east-1b");
	succeeds(f, set, "far", "size", "1");
	succeeds(f, created, "far", NULL, NULL);
	succeeds(f, make_volume, "draft", NULL, NULL);
	succeeds(f, make_draft, "web", NULL, NULL);
	launch(f, "db", NULL);
	refuses(f, EXDEV, EC2_InvalidVolume_ZoneMismatch, attach, "web", "far", "sdf");
	refuses(f, EBUSY, EC2_IncorrectState, attach, "web", "draft", "sdf");
	refuses(f, EINVAL, EC2_InvalidParameterValue, attach, "web", "data", "data");
	refuses(f, EINVAL, EC2_InvalidParameterValue, attach, "web", "data", "xvdda");
	refuses(f, EINVAL, EC2_InvalidParameterValue, attach, "web", "data", "sdf1");
	succeeds(f, attach, "db", "data", "sdf");
	volume_is(f, "data", "state", "in-use");
	refuses(f, EBUSY, EC2_VolumeInUse, attach, "web", "data", "sdf");
	refuses(f, EBUSY, EC2_VolumeInUse, attach, "db", "data", "sdg");
	refuses(f, EBUSY, EC2_VolumeInUse, remove_volume, "data", NULL, NULL);
	volume(f, "more", "1");
	refuses(f, EINVAL, EC2_InvalidParameterValue, attach, "db", "more", "sdf");
	refuses(f, EINVAL, EC2_InvalidParameterValue, attach, "db", "more", "xvda");
	/* Detaching takes its time, and its device's name. */
	succeeds(f, attached, "db", NULL, "sdf");
	succeeds(f, detach, "db", NULL, "sdf");
	volume_is(f, "data", "state", "in-use");
	refuses(f, EINVAL, EC2_InvalidParameterValue, attach, "db", "more", "sdf");
	succeeds(f, busy, "db", NULL, "sdf");
	succeeds(f, command, "db", NULL, "detach sdf --force");
	volume_is(f, "data", "state", "in-use");
	succeeds(f, detached, "db", NULL, "sdf");
	volume_is(f, "data", "state", "available");
	refuses(f, ENOTCONN, EC2_InvalidAttachment_NotFound, command, "db", NULL, "detach sdf");
	succeeds(f, attach, "db", "more", "sdf");
	succeeds(f, attach, "web", "data", "xvdba");
	succeeds(f, remove_volume, "far", NULL, NULL);
	volume_is(f, "far", "state", "gone");
}

static void roots_are_detached_from_stopped_instances(void **state)
{
	struct fixture *f = *state;
	char *id;

	launch(f, "web", NULL);
	{
		struct view v = cloud_read(f->cloud);
		const struct resource *root = volume_root_of(&v, find(&v, KIND_INSTANCE, "web"));

		assert_non_null(root);
		id = xstrdup(root->name);
		cloud_read_end(f->cloud);
	}
	volume_is(f, id, "delete-on-termination", "true");
	volume_is(f, id, "state", "in-use");
	refuses(f, EPERM, EC2_OperationNotPermitted, detach, "web", NULL, "xvda");
	refuses(f, EPERM, EC2_OperationNotPermitted, command, "web", NULL, "detach /dev/xvda");
	refuses(f, ERANGE, EC2_InvalidParameterValue, set, id, "type", "st1");
	succeeds(f, set, id, "size", "200");
	succeeds(f, modified, id, NULL, NULL);
	refuses(f, EOPNOTSUPP, EC2_BootForVolumeTypeUnsupported, set, id, "type", "st1");
	succeeds(f, set_state, "web", NULL, "stopped");
	refuses(f, EBUSY, EC2_IncorrectInstanceState, detach, "web", NULL, "xvda");
	succeeds(f, stops, "web", NULL, NULL);
	succeeds(f, detach, "web", NULL, "xvda");
	volume_is(f, id, "state", "available");
	volume_is(f, id, "delete-on-termination", "false");
	refuses(f, EINVAL, EC2_InvalidParameterValue, set_state, "web", NULL, "running");
	succeeds(f, attach, "web", id, "xvda");
	succeeds(f, set_state, "web", NULL, "running");
	free(id);
}

static void several_instances_have_an_io1_volume(void **state)
{
	struct fixture *f = *state;
	char name[16];

	succeeds(f, make_volume, "shared", NULL, NULL);
	succeeds(f, set, "shared", "type", "io1");
	succeeds(f, set, "shared", "iops", "100");
	succeeds(f, set, "shared", "multi", "true");
	succeeds(f, set, "shared", "size", "4");
	succeeds(f, created, "shared", NULL, NULL);
	for (int i = 0; i < 17; i++) {
		snprintf(name, sizeof(name), "i%d", i);
		succeeds(f, make_draft, name, NULL, NULL);
		if (i < 16)
			succeeds(f, attach, name, "shared", "sdf");
	}
	refuses(f, EDQUOT, EC2_AttachmentLimitExceeded, attach, "i16", "shared", "sdf");
	refuses(f, EBUSY, EC2_VolumeInUse, attach, "i3", "shared", "sdg");
	refuses(f, EBUSY, EC2_IncorrectState, set, "shared", "multi", "false");
	refuses(f, EINVAL, EC2_InvalidParameterCombination, set, "shared", "type", "gp3");
	for (int i = 0; i < 16; i++) {
		volume_is(f, "shared", "state", "in-use");
		snprintf(name, sizeof(name), "i%d", i);
		succeeds(f, detach, name, NULL, "sdf");
	}
	volume_is(f, "shared", "state", "available");
}

static void an_instance_has_28_attachments(void **state)
{
	struct fixture *f = *state;
	char name[16], device[8];

	/* One interface, one disk of its store: 26 volumes. */
	succeeds(f, make_draft, "web", NULL, "m5d.large");
	for (int i = 0; i < 27; i++) {
		snprintf(name, sizeof(name), "v%d", i);
		snprintf(device, sizeof(device), i < 25 ? "sd%c" : "xvdb%c",
			 i < 25 ? 'b' + i : 'a' + i - 25);
		volume(f, name, "1");
		if (i < 26)
			succeeds(f, attach, "web", name, device);
	}
	refuses(f, EDQUOT, EC2_AttachmentLimitExceeded, attach, "web", "v26", "xvdcz");
	/* With the root volume they are too many. */
	refuses(f, EDQUOT, EC2_AttachmentLimitExceeded, set_state, "web", NULL, "running");
	succeeds(f, detach, "web", NULL, "xvdba");
	succeeds(f, set_state, "web", NULL, "running");
}

static void quotas_count_volumes_storage_and_iops(void **state)
{
	struct fixture *f = *state;
	static const char limits[] = "volumes 3\ngp3-storage 100\nio2-iops 1000\n";
	struct view v;

	succeeds(f, quotas, NULL, NULL, limits);
	volume(f, "a", "90");
	succeeds(f, make_volume, "b", NULL, NULL);
	refuses(f, EDQUOT, EC2_VolumeLimitExceeded, set, "b", "size", "11");
	succeeds(f, set, "b", "size", "10");
	succeeds(f, created, "b", NULL, NULL);
	refuses(f, EDQUOT, EC2_VolumeLimitExceeded, set, "b", "size", "11");
	succeeds(f, make_volume, "c", NULL, NULL);
	succeeds(f, set, "c", "type", "io2");
	succeeds(f, set, "c", "iops", "1001");
	refuses(f, EDQUOT, EC2_MaxIOPSLimitExceeded, set, "c", "size", "10");
	succeeds(f, set, "c", "iops", "1000");
	succeeds(f, set, "c", "size", "10");
	/* Drafts are not counted, volumes are. */
	succeeds(f, make_volume, "d", NULL, NULL);
	refuses(f, EDQUOT, EC2_VolumeLimitExceeded, set, "d", "size", "1");
	succeeds(f, remove_volume, "a", NULL, NULL);
	succeeds(f, set, "d", "size", "1");
	v = cloud_read(f->cloud);
	assert_null(find(&v, KIND_VOLUME, "a"));
	cloud_read_end(f->cloud);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_have_their_limits),
		cmocka_unit_test(limits_are_those_of_the_type),
		on_stage(a_volume_is_created_by_its_size),
		on_stage(io1_needs_its_iops),
		on_stage(volumes_only_grow_one_change_at_a_time),
		on_stage(what_grew_in_creation_is_modified_after_it),
		on_stage(attaching_is_checked),
		on_stage(roots_are_detached_from_stopped_instances),
		on_stage(several_instances_have_an_io1_volume),
		on_stage(an_instance_has_28_attachments),
		on_stage(quotas_count_volumes_storage_and_iops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
