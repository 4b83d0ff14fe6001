/* Storage for unit tests: what users and the engine do, by name. */
#ifndef TESTS_STORAGE_FIXTURE_H
#define TESTS_STORAGE_FIXTURE_H

#include "tests/lib/cloud_fixture.h"

#include "ec2fs/model/block_devices.h"
#include "ec2fs/model/storage.h"
#include "ec2fs/util/strbuf.h"

static inline int run(struct fixture *f, change_fn *fn, void *context)
{
	struct ec2fs_error error = {0};
	int r = cloud_change(f->cloud, NULL, fn, context, &error);

	if (r < 0)
		print_message("%s: %s\n", ec2_code_name(error.code), error.message);
	return r;
}

/* One thing to be done, and what is to come of it. */
struct act {
	int (*fn)(struct view *v, const struct act *a, struct ec2fs_error *error);
	const char *name, *other, *text;
};

static inline int act_change(struct view *v, void *context, struct ec2fs_error *error)
{
	const struct act *a = context;

	return a->fn(v, a, error);
}

static inline int does(struct fixture *f,
		       int (*fn)(struct view *, const struct act *, struct ec2fs_error *),
		       const char *name, const char *other, const char *text,
		       enum ec2_code *ret_code)
{
	struct act a = {fn, name, other, text};
	struct ec2fs_error error = {0};
	int r = cloud_change(f->cloud, NULL, act_change, &a, &error);

	if (ret_code)
		*ret_code = error.code;
	if (r < 0 && !ret_code)
		print_message("%s: %s\n", ec2_code_name(error.code), error.message);
	return r;
}

#define succeeds(f, fn, name, other, text) assert_int_equal(does(f, fn, name, other, text, NULL), 0)
#define refuses(f, number, wanted, fn, name, other, text)                                          \
	do {                                                                                       \
		enum ec2_code code = EC2_CODE_COUNT;                                               \
		assert_int_equal(does(f, fn, name, other, text, &code), -(number));                \
		assert_string_equal(ec2_code_name(code), ec2_code_name(wanted));                   \
	} while (0)

static inline const struct resource *find(const struct view *v, enum kind kind, const char *name)
{
	return view_find(v, fixture_region(v)->number, kind, name);
}

static inline struct resource *edit(struct view *v, enum kind kind, const char *name)
{
	const struct resource *r = find(v, kind, name);

	if (!r)
		fail_msg("there is no %s %s", kind_name(kind), name);
	return view_edit(v, r);
}

static inline int make_volume(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	struct resource *r;

	return volume_make(v, fixture_region(v), a->name, &r, error);
}

/* other: the attribute. */
static inline int set(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	static const struct {
		const char *key;
		int (*fn)(struct view *v, struct resource *r, const char *text, size_t len,
			  struct ec2fs_error *error);
	} setters[] = {
		{"size", volume_set_size},
		{"type", volume_set_type},
		{"iops", volume_set_iops},
		{"throughput", volume_set_throughput},
		{"encrypted", volume_set_encrypted},
		{"multi", volume_set_multi_attach},
		{"zone", volume_set_zone},
		{"snapshot", volume_set_snapshot},
		{"delete", volume_set_delete_on_termination},
	};

	for (size_t i = 0; i < sizeof(setters) / sizeof(setters[0]); i++)
		if (strcmp(setters[i].key, a->other) == 0)
			return setters[i].fn(v, edit(v, KIND_VOLUME, a->name), a->text,
					     strlen(a->text), error);
	fail_msg("no attribute %s", a->other);
	return -EINVAL;
}

/* What the engine does. */
static inline int created(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	struct resource *r = edit(v, KIND_VOLUME, a->name);

	(void)error;
	volume_saw_created(v, r, volume_size(r));
	return 0;
}

static inline int modified(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	struct resource *r = edit(v, KIND_VOLUME, a->name);

	(void)error;
	volume_saw_modified(v, r, volume_size(r));
	volume_saw_optimized(v, r);
	return 0;
}

static inline int failed_to_grow(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	struct ec2fs_error why;

	(void)error;
	ec2fs_fail(&why, EC2_InsufficientVolumeCapacity, "no room");
	volume_saw_modification_failure(v, edit(v, KIND_VOLUME, a->name), &why);
	return 0;
}

static inline int remove_volume(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	return volume_remove(v, edit(v, KIND_VOLUME, a->name), error);
}

/* A volume that is there. */
static inline void volume(struct fixture *f, const char *name, const char *size)
{
	succeeds(f, make_volume, name, NULL, NULL);
	succeeds(f, set, name, "size", size);
	succeeds(f, created, name, NULL, NULL);
}

static inline char *field(struct fixture *f, enum kind kind, const char *name, const char *key)
{
	struct view v = cloud_read(f->cloud);
	const struct resource *r = find(&v, kind, name);
	char *text = xstrdup(r ? resource_or(r, key, "") : "gone");

	cloud_read_end(f->cloud);
	return text;
}

static inline void is(struct fixture *f, enum kind kind, const char *name, const char *key,
		      const char *wanted)
{
	char *text = field(f, kind, name, key);

	assert_string_equal(text, wanted);
	free(text);
}

#define volume_is(f, name, key, wanted) is(f, KIND_VOLUME, name, key, wanted)

/* A second zone, and an image that can be launched. */
static inline int make_stage(struct view *v, void *context, struct ec2fs_error *error)
{
	struct resource *r;
	int result = zone_make(v, fixture_region(v), "us-east-1b", &r, error);

	(void)context;
	if (result == 0)
		result = image_make(v, fixture_region(v), "tiny", &r, error);
	return result < 0 ? result : image_set_disk(v, r, "b-1 1048576 raw 1048576", 23, error);
}

static inline int make_draft(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	struct resource *r;
	int result = instance_make(v, fixture_region(v), a->name, &r, error);

	if (result == 0)
		result = instance_set_image(v, r, "tiny", 4, error);
	if (result == 0 && a->other)
		result = instance_set_zone(v, r, a->other, strlen(a->other), error);
	return result < 0 || !a->text ? result
				      : instance_set_type(v, r, a->text, strlen(a->text), error);
}

static inline int map(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	return instance_set_mappings(v, edit(v, KIND_INSTANCE, a->name), a->text, strlen(a->text),
				     error);
}

static inline int map_image(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	return image_set_mappings(v, edit(v, KIND_IMAGE, a->name), a->text, strlen(a->text), error);
}

static inline int set_state(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	return instance_set_state(v, edit(v, KIND_INSTANCE, a->name), a->text, strlen(a->text),
				  error);
}

static inline int command(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	return instance_command(v, edit(v, KIND_INSTANCE, a->name), a->text, strlen(a->text),
				error);
}

/* The engine makes what a launch made. */
static inline int runs(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	struct resource *r = edit(v, KIND_INSTANCE, a->name);

	(void)error;
	view_each (v, r->number, KIND_ATTACHMENT, attachment) {
		struct resource *vol = view_edit(v, attachment_volume(v, attachment));

		volume_saw_created(v, vol, volume_size(vol));
	}
	instance_saw_running(v, r);
	return 0;
}

static inline int stops(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	(void)error;
	instance_saw_gone(v, edit(v, KIND_INSTANCE, a->name), NULL);
	return 0;
}

static inline int cleaned(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	(void)error;
	instance_saw_cleaned(v, edit(v, KIND_INSTANCE, a->name));
	return 0;
}

static inline void launch(struct fixture *f, const char *name, const char *zone)
{
	succeeds(f, make_draft, name, zone, NULL);
	succeeds(f, set_state, name, NULL, "running");
	succeeds(f, runs, name, NULL, NULL);
}

/* other: the volume; text: the device. */
static inline int attach(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	struct resource *made;

	return attachment_make(v, find(v, KIND_INSTANCE, a->name), a->text,
			       find(v, KIND_VOLUME, a->other), &made, error);
}

static inline struct resource *edit_attachment(struct view *v, const struct act *a)
{
	const struct resource *r =
		view_find(v, find(v, KIND_INSTANCE, a->name)->number, KIND_ATTACHMENT, a->text);

	if (!r)
		fail_msg("nothing is attached as %s", a->text);
	return view_edit(v, r);
}

static inline int detach(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	return attachment_remove(v, edit_attachment(v, a), error);
}

static inline int attached(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	(void)error;
	attachment_saw_attached(v, edit_attachment(v, a));
	return 0;
}

static inline int busy(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	(void)error;
	attachment_saw_busy(v, edit_attachment(v, a));
	return 0;
}

static inline int detached(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	(void)error;
	attachment_saw_detached(v, edit_attachment(v, a));
	return 0;
}

static inline int snapshot(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	struct resource *made;

	return snapshot_take(v, find(v, KIND_VOLUME, a->name), a->text, &made, error);
}

static inline int completed(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	(void)error;
	snapshot_saw_completed(v, edit(v, KIND_SNAPSHOT, a->name));
	return 0;
}

static inline int remove_snapshot(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	return snapshot_remove(v, edit(v, KIND_SNAPSHOT, a->name), error);
}

static inline int rename_snapshot(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	return snapshot_rename(v, edit(v, KIND_SNAPSHOT, a->name), a->text, error);
}

static inline int snapshot_of(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	return snapshot_set_volume(v, edit(v, KIND_SNAPSHOT, a->name), a->other, strlen(a->other),
				   error);
}

/* A volume by a spec: other is the snapshot, text the size. */
static inline int spec(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	struct resource *r;
	int result = volume_make(v, fixture_region(v), a->name, &r, error);

	v->together = true;
	if (result == 0)
		result = volume_set_size(v, r, a->text, strlen(a->text), error);
	if (result == 0)
		result = volume_set_snapshot(v, r, a->other, strlen(a->other), error);
	v->together = false;
	return result < 0 ? result : volume_settle(v, r, error);
}

static inline int make_image(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	struct resource *r;

	return image_make(v, fixture_region(v), a->name, &r, error);
}

static inline int remove_image(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	return image_remove(v, edit(v, KIND_IMAGE, a->name), error);
}

static inline int image_from_instance(struct view *v, const struct act *a,
				      struct ec2fs_error *error)
{
	return image_set_source_instance(v, edit(v, KIND_IMAGE, a->name), a->text, strlen(a->text),
					 error);
}

static inline int image_from_snapshot(struct view *v, const struct act *a,
				      struct ec2fs_error *error)
{
	return image_set_source_snapshot(v, edit(v, KIND_IMAGE, a->name), a->text, strlen(a->text),
					 error);
}

static inline int set_image(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	return instance_set_image(v, edit(v, KIND_INSTANCE, a->name), a->text, strlen(a->text),
				  error);
}

static inline int set_store(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	return instance_type_set_storage(v, edit(v, KIND_INSTANCE_TYPE, a->name), a->text,
					 strlen(a->text), error);
}

static inline int quotas(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	return quotas_set(v, view_edit(v, fixture_region(v)), a->text, strlen(a->text), error);
}

static inline int storage_setup(void **state)
{
	fixture_setup(state);
	return run(*state, make_stage, NULL);
}

#define on_stage(test) cmocka_unit_test_setup_teardown(test, storage_setup, fixture_teardown)

#endif
