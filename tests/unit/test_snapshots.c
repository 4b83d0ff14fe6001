/* Snapshots, what is made from them, images, block device mappings. */
#include "tests/lib/storage_fixture.h"

static void a_snapshot_is_taken_and_survives(void **state)
{
	struct fixture *f = *state;

	succeeds(f, make_volume, "data", NULL, NULL);
	refuses(f, EBUSY, EC2_IncorrectState, snapshot, "data", NULL, "monday");
	succeeds(f, set, "data", "size", "10");
	refuses(f, EBUSY, EC2_IncorrectState, snapshot, "data", NULL, "monday");
	succeeds(f, created, "data", NULL, NULL);
	succeeds(f, snapshot, "data", NULL, "monday");
	refuses(f, EEXIST, EC2_ResourceExists, snapshot, "data", NULL, "monday");
	is(f, KIND_SNAPSHOT, "data-monday", "state", "pending");
	is(f, KIND_SNAPSHOT, "data-monday", "size", "10 GiB");
	is(f, KIND_SNAPSHOT, "data-monday", "encrypted", "false");
	succeeds(f, make_volume, "copy", NULL, NULL);
	refuses(f, EBUSY, EC2_IncorrectState, set, "copy", "snapshot", "data-monday");
	succeeds(f, completed, "data-monday", NULL, NULL);
	volume(f, "other", "1");
	refuses(f, EBUSY, EC2_IncorrectState, snapshot_of, "data-monday", "other", NULL);
	succeeds(f, remove_volume, "data", NULL, NULL);
	is(f, KIND_SNAPSHOT, "data-monday", "progress", "100%");
	/* It is no smaller. */
	succeeds(f, set, "copy", "snapshot", "data-monday");
	volume_is(f, "copy", "size", "10 GiB");
	volume_is(f, "copy", "encrypted", "false");
	volume_is(f, "copy", "state", "creating");
}

/* Its key's name, which is a volume's ID. */
static void key_is(struct fixture *f, enum kind kind, const char *name, const char *volume)
{
	struct view v = cloud_read(f->cloud);
	const struct resource *r = find(&v, kind, name), *of = find(&v, KIND_VOLUME, volume);

	if (of)
		assert_string_equal(volume_key(r), of->id);
	else
		assert_null(volume_key(r));
	cloud_read_end(f->cloud);
}

static bool wanted(struct fixture *f, const char *key)
{
	struct view v = cloud_read(f->cloud);
	bool is = volume_key_is_wanted(&v, key);

	cloud_read_end(f->cloud);
	return is;
}

static char *id_of(struct fixture *f, enum kind kind, const char *name)
{
	struct view v = cloud_read(f->cloud);
	char *id = strdup(find(&v, kind, name)->id);

	cloud_read_end(f->cloud);
	return id;
}

static void what_is_encrypted_stays_so_under_its_key(void **state)
{
	struct fixture *f = *state;
	char *key;

	volume(f, "plain", "10");
	key_is(f, KIND_VOLUME, "plain", "");
	succeeds(f, make_volume, "data", NULL, NULL);
	succeeds(f, set, "data", "encrypted", "true");
	key_is(f, KIND_VOLUME, "data", "");
	succeeds(f, set, "data", "size", "10");
	succeeds(f, created, "data", NULL, NULL);
	key_is(f, KIND_VOLUME, "data", "data");
	key = id_of(f, KIND_VOLUME, "data");
	assert_true(wanted(f, key));
	assert_false(wanted(f, "vol-00000000000000000"));

	succeeds(f, snapshot, "data", NULL, "monday");
	succeeds(f, completed, "data-monday", NULL, NULL);
	is(f, KIND_SNAPSHOT, "data-monday", "encrypted", "true");
	key_is(f, KIND_SNAPSHOT, "data-monday", "data");
	succeeds(f, make_volume, "copy", NULL, NULL);
	succeeds(f, set, "copy", "snapshot", "data-monday");
	volume_is(f, "copy", "encrypted", "true");
	key_is(f, KIND_VOLUME, "copy", "data");

	/* An encrypted copy of what is not has a key of its own. */
	succeeds(f, snapshot, "plain", NULL, "monday");
	succeeds(f, completed, "plain-monday", NULL, NULL);
	key_is(f, KIND_SNAPSHOT, "plain-monday", "");
	succeeds(f, make_volume, "sealed", NULL, NULL);
	succeeds(f, set, "sealed", "encrypted", "true");
	succeeds(f, set, "sealed", "snapshot", "plain-monday");
	key_is(f, KIND_VOLUME, "sealed", "sealed");
	assert_true(wanted(f, key));
	free(key);
}

static void a_volume_is_no_smaller_than_its_snapshot(void **state)
{
	struct fixture *f = *state;

	volume(f, "data", "10");
	succeeds(f, snapshot, "data", NULL, "monday");
	succeeds(f, completed, "data-monday", NULL, NULL);
	/* As a spec says it, whole. */
	refuses(f, ERANGE, EC2_InvalidParameterValue, spec, "small", "data-monday", "9");
	volume_is(f, "small", "state", "gone");
	succeeds(f, spec, "big", "data-monday", "11");
	volume_is(f, "big", "size", "11 GiB");
	volume_is(f, "big", "state", "creating");
}

static void five_are_pending_at_most(void **state)
{
	static const char *const days[] = {"1", "2", "3", "4", "5"};
	struct fixture *f = *state;

	volume(f, "data", "10");
	for (int i = 0; i < 5; i++)
		succeeds(f, snapshot, "data", NULL, days[i]);
	refuses(f, EAGAIN, EC2_ConcurrentSnapshotLimitExceeded, snapshot, "data", NULL, "6");
	succeeds(f, completed, "data-3", NULL, NULL);
	succeeds(f, snapshot, "data", NULL, "6");
	succeeds(f, make_volume, "disk", NULL, NULL);
	succeeds(f, set, "disk", "type", "st1");
	succeeds(f, set, "disk", "size", "125");
	succeeds(f, created, "disk", NULL, NULL);
	succeeds(f, snapshot, "disk", NULL, "1");
	refuses(f, EAGAIN, EC2_ConcurrentSnapshotLimitExceeded, snapshot, "disk", NULL, "2");
	succeeds(f, quotas, NULL, NULL, "snapshots 7\n");
	refuses(f, EDQUOT, EC2_SnapshotLimitExceeded, snapshot, "data", NULL, "7");
}

/* Removed things go when nothing needs them any more, in whatever order that was asked. */
static void removal_waits_for_what_is_under_way(void **state)
{
	struct fixture *f = *state;
	uint64_t vol, snap;
	struct view v;

	volume(f, "data", "1");
	succeeds(f, snapshot, "data", NULL, "monday");
	v = cloud_read(f->cloud);
	vol = find(&v, KIND_VOLUME, "data")->number;
	snap = find(&v, KIND_SNAPSHOT, "data-monday")->number;
	cloud_read_end(f->cloud);
	succeeds(f, remove_volume, "data", NULL, NULL);
	v = cloud_read(f->cloud);
	assert_true(resource_is(view_get(&v, vol), "state", "deleting"));
	assert_false(volume_may_go(&v, view_get(&v, vol)));
	cloud_read_end(f->cloud);
	succeeds(f, completed, "data-monday", NULL, NULL);
	v = cloud_read(f->cloud);
	assert_true(volume_may_go(&v, view_get(&v, vol)));
	cloud_read_end(f->cloud);
	succeeds(f, make_volume, "copy", NULL, NULL);
	succeeds(f, set, "copy", "snapshot", "data-monday");
	succeeds(f, remove_snapshot, "data-monday", NULL, NULL);
	is(f, KIND_SNAPSHOT, "data-monday", "state", "gone");
	v = cloud_read(f->cloud);
	assert_false(snapshot_may_go(&v, view_get(&v, snap)));
	cloud_read_end(f->cloud);
	succeeds(f, created, "copy", NULL, NULL);
	v = cloud_read(f->cloud);
	assert_true(snapshot_may_go(&v, view_get(&v, snap)));
	cloud_read_end(f->cloud);
	/* It is not there to be used. */
	succeeds(f, make_volume, "late", NULL, NULL);
	refuses(f, ENOENT, EC2_InvalidSnapshot_NotFound, set, "late", "snapshot", "data-monday");
}

static void an_instance_is_snapshot_at_one_instant(void **state)
{
	const struct resource *group[SNAPSHOT_GROUP_MAX];
	struct fixture *f = *state;
	struct view v;

	volume(f, "data", "3");
	launch(f, "web", NULL);
	succeeds(f, attach, "web", "data", "sdf");
	succeeds(f, attached, "web", NULL, "sdf");
	succeeds(f, command, "web", NULL, "snapshot nightly");
	refuses(f, EEXIST, EC2_ResourceExists, command, "web", NULL, "snapshot nightly");
	is(f, KIND_SNAPSHOT, "nightly-xvda", "state", "pending");
	is(f, KIND_SNAPSHOT, "nightly-sdf", "size", "3 GiB");
	v = cloud_read(f->cloud);
	assert_int_equal(snapshot_group(&v, find(&v, KIND_SNAPSHOT, "nightly-sdf"), group), 2);
	assert_string_equal(group[0]->name, "nightly-xvda");
	assert_string_equal(group[1]->name, "nightly-sdf");
	assert_null(snapshot_restarts(&v, group[1]));
	cloud_read_end(f->cloud);
	succeeds(f, make_draft, "draft", NULL, NULL);
	refuses(f, EBUSY, EC2_IncorrectInstanceState, command, "draft", NULL, "snapshot x");
}

static void an_image_is_made_from_an_instance(void **state)
{
	struct fixture *f = *state;
	struct view v;

	volume(f, "data", "3");
	launch(f, "web", NULL);
	succeeds(f, attach, "web", "data", "sdf");
	succeeds(f, make_image, "gold", NULL, NULL);
	refuses(f, ENOENT, EC2_InvalidInstanceID_NotFound, image_from_instance, "gold", NULL,
		"webb");
	succeeds(f, image_from_instance, "gold", NULL, "web");
	refuses(f, EBUSY, EC2_IncorrectState, image_from_instance, "gold", NULL, "web2");
	is(f, KIND_IMAGE, "gold", "state", "pending");
	is(f, KIND_IMAGE, "gold", "root-device-name", "/dev/xvda");
	v = cloud_read(f->cloud);
	assert_string_equal(snapshot_restarts(&v, find(&v, KIND_SNAPSHOT, "gold-sdf"))->name,
			    "web");
	cloud_read_end(f->cloud);
	refuses(f, EBUSY, EC2_InvalidSnapshot_InUse, remove_snapshot, "gold-xvda", NULL, NULL);
	succeeds(f, completed, "gold-xvda", NULL, NULL);
	is(f, KIND_IMAGE, "gold", "state", "pending");
	succeeds(f, completed, "gold-sdf", NULL, NULL);
	is(f, KIND_IMAGE, "gold", "state", "available");
	/* Its instances get both, and what runs stays when it is deregistered. */
	succeeds(f, make_draft, "copy", NULL, NULL);
	succeeds(f, set_image, "copy", NULL, "gold");
	succeeds(f, set_state, "copy", NULL, "running");
	v = cloud_read(f->cloud);
	assert_int_equal(view_count(&v, find(&v, KIND_INSTANCE, "copy")->number, KIND_ATTACHMENT),
			 2);
	view_each (&v, find(&v, KIND_INSTANCE, "copy")->number, KIND_ATTACHMENT, a) {
		const struct resource *vol = attachment_volume(&v, a), *source;

		assert_int_equal(volume_source(&v, vol, &source, NULL), 0);
		assert_int_equal(source->kind, KIND_SNAPSHOT);
		assert_true(resource_is(vol, "state", "creating"));
	}
	cloud_read_end(f->cloud);
	succeeds(f, runs, "copy", NULL, NULL);
	succeeds(f, remove_image, "gold", NULL, NULL);
	is(f, KIND_INSTANCE, "copy", "state", "running");
	succeeds(f, remove_snapshot, "gold-xvda", NULL, NULL);
	succeeds(f, remove_snapshot, "gold-sdf", NULL, NULL);
}

static void an_image_is_made_from_a_snapshot(void **state)
{
	struct fixture *f = *state;

	volume(f, "data", "3");
	succeeds(f, snapshot, "data", NULL, "monday");
	succeeds(f, make_image, "gold", NULL, NULL);
	refuses(f, ENOENT, EC2_InvalidSnapshot_NotFound, image_from_snapshot, "gold", NULL,
		"monday");
	succeeds(f, image_from_snapshot, "gold", NULL, "data-monday");
	is(f, KIND_IMAGE, "gold", "state", "pending");
	succeeds(f, completed, "data-monday", NULL, NULL);
	is(f, KIND_IMAGE, "gold", "state", "available");
	refuses(f, EBUSY, EC2_InvalidSnapshot_InUse, remove_snapshot, "data-monday", NULL, NULL);
	refuses(f, EBUSY, EC2_IncorrectState, image_from_snapshot, "tiny", NULL, "data-monday");
}

/* What the launch of that instance made: "DEVICE SIZE TYPE DELETE CONTENT" lines. */
static void devices_are(struct fixture *f, const char *instance, const char *wanted)
{
	struct strbuf text __attribute__((cleanup(strbuf_free))) = STRBUF_INIT;
	struct view v = cloud_read(f->cloud);

	view_each (&v, find(&v, KIND_INSTANCE, instance)->number, KIND_ATTACHMENT, a) {
		const struct resource *vol = attachment_volume(&v, a), *source = NULL;

		assert_int_equal(volume_source(&v, vol, &source, NULL), 0);
		strbuf_addf(&text, "%s %s %s %s %s\n", a->name, resource_or(vol, "size", "?"),
			    resource_or(vol, "volume-type", "?"),
			    resource_or(vol, "delete-on-termination", "?"),
			    source ? source->name : "-");
	}
	cloud_read_end(f->cloud);
	assert_string_equal(strbuf_str(&text), wanted);
}

static void a_launch_makes_what_is_mapped(void **state)
{
	struct fixture *f = *state;

	volume(f, "data", "3");
	volume(f, "mine", "5");
	succeeds(f, snapshot, "data", NULL, "monday");
	succeeds(f, completed, "data-monday", NULL, NULL);
	succeeds(f, map_image, "tiny", NULL,
		 "# of every instance\n/dev/sdf snapshot:data-monday type=gp2\nsdg size:7\n"
		 "sdb ephemeral0\n");
	is(f, KIND_IMAGE, "tiny", "block-device-mappings",
	   "# of every instance\n/dev/sdf snapshot:data-monday type=gp2\nsdg size:7\n"
	   "sdb ephemeral0\n");
	succeeds(f, make_draft, "plain", NULL, NULL);
	succeeds(f, set_state, "plain", NULL, "running");
	devices_are(f, "plain",
		    "xvda 1 GiB gp3 true tiny\nsdf 3 GiB gp2 true data-monday\n"
		    "sdg 7 GiB gp3 true -\n");
	succeeds(f, make_draft, "own", NULL, NULL);
	succeeds(f, map, "own", NULL,
		 "/dev/xvda size=20 delete-on-termination=false\n/dev/sdf size:9\n/dev/sdg none\n");
	succeeds(f, attach, "own", "mine", "sdg");
	succeeds(f, set_state, "own", NULL, "running");
	devices_are(f, "own",
		    "sdg 5 GiB gp3 false -\nxvda 20 GiB gp3 false tiny\n"
		    "sdf 9 GiB gp2 true data-monday\n");
	refuses(f, EBUSY, EC2_IncorrectInstanceState, map, "own", NULL, "/dev/sdh size:1\n");
	/* The end: what is to go goes, the rest is free. */
	succeeds(f, runs, "own", NULL, NULL);
	succeeds(f, set_state, "own", NULL, "terminated");
	succeeds(f, cleaned, "own", NULL, NULL);
	volume_is(f, "mine", "state", "available");
	{
		struct view v = cloud_read(f->cloud);
		unsigned kept = 0, doomed = 0;

		view_each (&v, fixture_region(&v)->number, KIND_VOLUME, r) {
			kept += resource_is(r, "size", "20 GiB") &&
				resource_is(r, "state", "available");
			doomed += resource_is(r, "size", "9 GiB") &&
				  resource_is(r, "state", "deleting") && storage_is_removed(r);
		}
		cloud_read_end(f->cloud);
		assert_int_equal(kept, 1);
		assert_int_equal(doomed, 1);
	}
}

static void mappings_that_cannot_be_are_refused(void **state)
{
	static const char *const bad[] = {
		"/dev/sdf\n",
		"/dev/sdf 8\n",
		"/dev/sdf size:8 size=9\n",
		"/dev/sdf size:0\n",
		"/dev/sdf size:8 type=gp3 type=gp2\n",
		"/dev/sdf size:8 colour=red\n",
		"/dev/sdf size:8 delete-on-termination=yes\n",
		"/dev/sdf ephemeral24\n",
		"/dev/sdf ephemeral0 size=8\n",
		"/dev/sdf none encrypted\n",
		"/dev/sdf size:8\nsdf size:9\n",
		"8 /dev/sdf\n",
		"/dev/../sdf size:8\n",
	};
	struct fixture *f = *state;

	succeeds(f, make_draft, "web", NULL, NULL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refuses(f, EINVAL, EC2_InvalidBlockDeviceMapping, map, "web", NULL, bad[i]);
	refuses(f, EINVAL, EC2_InvalidParameterValue, map, "web", NULL, "sdf size:8 type=gp9\n");
	refuses(f, ENOENT, EC2_InvalidSnapshot_NotFound, map, "web", NULL, "sdf snapshot:none\n");
	/* What only the launch can tell. */
	succeeds(f, map, "web", NULL, "xvda none\n");
	refuses(f, EINVAL, EC2_InvalidBlockDeviceMapping, set_state, "web", NULL, "running");
	succeeds(f, map, "web", NULL, "xvda size:200 type=st1\n");
	refuses(f, EOPNOTSUPP, EC2_BootForVolumeTypeUnsupported, set_state, "web", NULL, "running");
	succeeds(f, map, "web", NULL, "sdf type=gp3\n");
	refuses(f, EINVAL, EC2_InvalidBlockDeviceMapping, set_state, "web", NULL, "running");
	succeeds(f, map, "web", NULL, "sdf size:8 type=io1\n");
	refuses(f, EINVAL, EC2_MissingParameter, set_state, "web", NULL, "running");
	is(f, KIND_INSTANCE, "web", "state", "draft");
	succeeds(f, map, "web", NULL, "");
	succeeds(f, set_state, "web", NULL, "running");
	devices_are(f, "web", "xvda 1 GiB gp3 true tiny\n");
}

static void mappings_follow_names(void **state)
{
	struct strbuf text __attribute__((cleanup(strbuf_free))) = STRBUF_INIT;
	struct fixture *f = *state;
	struct view v;

	volume(f, "data", "3");
	succeeds(f, snapshot, "data", NULL, "monday");
	succeeds(f, completed, "data-monday", NULL, NULL);
	succeeds(f, map_image, "tiny", NULL, "# kept\nsdf   snapshot:data-monday\n");
	succeeds(f, rename_snapshot, "data-monday", NULL, "week");
	v = cloud_read(f->cloud);
	block_devices_print(&v, find(&v, KIND_IMAGE, "tiny"), &text);
	cloud_read_end(f->cloud);
	assert_string_equal(strbuf_str(&text), "/dev/sdf snapshot:week\n");
	succeeds(f, rename_snapshot, "week", NULL, "data-monday");
	strbuf_truncate(&text, 0);
	v = cloud_read(f->cloud);
	block_devices_print(&v, find(&v, KIND_IMAGE, "tiny"), &text);
	cloud_read_end(f->cloud);
	assert_string_equal(strbuf_str(&text), "# kept\nsdf   snapshot:data-monday\n");
}

static void stores_are_those_of_the_type(void **state)
{
	struct fixture *f = *state;
	struct instance_store store;
	char first[22], second[22], devices[8][32];
	struct view v;

	succeeds(f, make_draft, "web", NULL, "d3.xlarge");
	succeeds(f, map, "web", NULL, "sdb ephemeral1\nsdc ephemeral7\n");
	succeeds(f, set_state, "web", NULL, "running");
	v = cloud_read(f->cloud);
	instance_store(&v, find(&v, KIND_INSTANCE, "web"), &store);
	instance_store_id(find(&v, KIND_INSTANCE, "web"), 0, first);
	instance_store_id(find(&v, KIND_INSTANCE, "web"), 1, second);
	assert_int_equal(block_devices_ephemeral(find(&v, KIND_INSTANCE, "web"), devices, 8), 1);
	cloud_read_end(f->cloud);
	assert_int_equal(store.count, 3);
	assert_int_equal(store.bytes, 1980000000000ULL / MIB * MIB);
	assert_int_equal(strlen(first), 21);
	assert_string_not_equal(first, second);
	assert_string_equal(devices[0], "");
	assert_string_equal(devices[1], "sdb");
	/* Its name is taken, where the type has that disk. */
	succeeds(f, runs, "web", NULL, NULL);
	volume(f, "data", "1");
	refuses(f, EINVAL, EC2_InvalidParameterValue, attach, "web", "data", "sdb");
	succeeds(f, attach, "web", "data", "sdc");
	refuses(f, EBUSY, EC2_DependencyViolation, set_store, "d3.xlarge", NULL, "1x10");
	refuses(f, EINVAL, EC2_InvalidParameterValue, set_store, "t3.nano", NULL, "10");
	refuses(f, EINVAL, EC2_InvalidParameterValue, set_store, "t3.nano", NULL, "9x10");
	succeeds(f, set_store, "t3.nano", NULL, "2x10");
	succeeds(f, set_store, "t3.nano", NULL, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_stage(a_snapshot_is_taken_and_survives),
		on_stage(what_is_encrypted_stays_so_under_its_key),
		on_stage(a_volume_is_no_smaller_than_its_snapshot),
		on_stage(five_are_pending_at_most),
		on_stage(removal_waits_for_what_is_under_way),
		on_stage(an_instance_is_snapshot_at_one_instant),
		on_stage(an_image_is_made_from_an_instance),
		on_stage(an_image_is_made_from_a_snapshot),
		on_stage(a_launch_makes_what_is_mapped),
		on_stage(mappings_that_cannot_be_are_refused),
		on_stage(mappings_follow_names),
		on_stage(stores_are_those_of_the_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
