/* A random life of volumes and instances, against a reference that knows who has what where. */
#include "tests/lib/storage_fixture.h"

#include "tests/lib/check.h"

#define VOLUMES 6
#define INSTANCES 5
#define DEVICES 3
#define STEPS 6000

static const char *const devices[DEVICES] = {"sdf", "sdg", "xvdba"};

enum life { NONE, DRAFT, CREATING, MADE };

struct volume_ref {
	enum life life;
	bool doomed, modifying;
	unsigned gib;
};

struct instance_ref {
	enum instance_state state;
	int volume[DEVICES]; /* -1: none */
	bool leaving[DEVICES];
};

struct reference {
	struct volume_ref volumes[VOLUMES];
	struct instance_ref instances[INSTANCES];
};

/* Volume 0 may be attached to several; volume 1 and the last instance are in the other zone. */
static bool is_multi(int v)
{
	return v == 0;
}

static bool is_far_volume(int v)
{
	return v == 1;
}

static bool is_far_instance(int i)
{
	return i == INSTANCES - 1;
}

static int count_attached(const struct reference *x, int v)
{
	int n = 0;

	for (int i = 0; i < INSTANCES; i++)
		for (int d = 0; d < DEVICES; d++)
			n += x->instances[i].volume[d] == v;
	return n;
}

static void let_go(struct reference *x, int i, int d)
{
	int v = x->instances[i].volume[d];

	x->instances[i].volume[d] = -1;
	x->instances[i].leaving[d] = false;
	if (v >= 0 && !count_attached(x, v))
		x->volumes[v].doomed = false;
}

static bool is_still(enum instance_state s)
{
	return s == INSTANCE_DRAFT || s == INSTANCE_RUNNING || s == INSTANCE_STOPPED;
}

/* What attaching should answer, and does to the reference. */
static int expect_attach(struct reference *x, int i, int d, int v)
{
	struct instance_ref *n = &x->instances[i];

	if (n->state == INSTANCE_TERMINATED)
		return -EIDRM;
	if (!is_still(n->state))
		return -EBUSY;
	if (n->volume[d] >= 0)
		return -EINVAL;
	if (x->volumes[v].life != MADE)
		return -EBUSY;
	if (is_far_volume(v) != is_far_instance(i))
		return -EXDEV;
	for (int k = 0; k < INSTANCES; k++)
		for (int e = 0; e < DEVICES; e++)
			if (x->instances[k].volume[e] == v && (!is_multi(v) || k == i))
				return -EBUSY;
	n->volume[d] = v;
	return 0;
}

static int expect_detach(struct reference *x, int i, int d)
{
	struct instance_ref *n = &x->instances[i];

	if (!is_still(n->state))
		return -EBUSY;
	if (n->state == INSTANCE_RUNNING)
		n->leaving[d] = true;
	else
		let_go(x, i, d);
	return 0;
}

struct step {
	struct fixture *f;
	struct reference *x;
	uint64_t dice;
};

static void expect(struct step *s, int wanted,
		   int (*fn)(struct view *, const struct act *, struct ec2fs_error *),
		   const char *name, const char *other, const char *text)
{
	enum ec2_code code;
	int r = does(s->f, fn, name, other, text, &code);

	if (r != wanted)
		fail_msg("%s %s %s: %d instead of %d", name, other ? other : "", text ? text : "",
			 r, wanted);
}

static void step_volume(struct step *s, int v)
{
	struct volume_ref *ref = &s->x->volumes[v];
	char name[16], size[16];

	snprintf(name, sizeof(name), "v%d", v);
	switch (ref->life) {
	case NONE:
		expect(s, 0, make_volume, name, NULL, NULL);
		ref->life = DRAFT;
		return;
	case DRAFT:
		if (is_far_volume(v))
			expect(s, 0, set, name, "zone", "us-east-1b");
		if (is_multi(v)) {
			expect(s, 0, set, name, "type", "io1");
			expect(s, 0, set, name, "iops", "100");
			expect(s, 0, set, name, "multi", "true");
		}
		expect(s, 0, set, name, "size", "10");
		ref->gib = 10;
		ref->life = CREATING;
		return;
	case CREATING:
		expect(s, 0, created, name, NULL, NULL);
		ref->life = MADE;
		return;
	case MADE:
		break;
	}
	switch (check_dice(&s->dice) % 4) {
	case 0:
		expect(s, count_attached(s->x, v) ? -EBUSY : 0, remove_volume, name, NULL, NULL);
		if (!count_attached(s->x, v))
			*ref = (struct volume_ref){0};
		break;
	case 1:
		snprintf(size, sizeof(size), "%u", ref->gib + 1);
		expect(s, ref->modifying ? -EALREADY : 0, set, name, "size", size);
		ref->gib += !ref->modifying;
		ref->modifying = true;
		break;
	case 2:
		expect(s, 0, modified, name, NULL, NULL);
		ref->modifying = false;
		break;
	default:
		expect(s, 0, set, name, "delete", "true");
		ref->doomed = true;
	}
}

static void ends(struct step *s, int i, const char *name)
{
	expect(s, 0, set_state, name, NULL, "terminated");
	expect(s, 0, cleaned, name, NULL, NULL);
	for (int d = 0; d < DEVICES; d++) {
		int v = s->x->instances[i].volume[d];
		bool goes = v >= 0 && s->x->volumes[v].doomed && !s->x->instances[i].leaving[d] &&
			    count_attached(s->x, v) == 1;

		let_go(s->x, i, d);
		if (goes)
			s->x->volumes[v] = (struct volume_ref){0};
	}
	s->x->instances[i].state = INSTANCE_TERMINATED;
}

/* A new one of that name takes its place. */
static int begin_again(struct view *v, const struct act *a, struct ec2fs_error *error)
{
	const struct resource *old = find(v, KIND_INSTANCE, a->name);

	if (old)
		view_delete(v, old);
	return make_draft(v, a, error);
}

static void step_instance(struct step *s, int i)
{
	struct instance_ref *n = &s->x->instances[i];
	char name[16];

	snprintf(name, sizeof(name), "i%d", i);
	switch (n->state) {
	case INSTANCE_DRAFT:
	case INSTANCE_STOPPED:
		if (n->state == INSTANCE_STOPPED && check_dice(&s->dice) % 4 == 0) {
			ends(s, i, name);
			return;
		}
		expect(s, 0, set_state, name, NULL, "running");
		n->state = INSTANCE_PENDING;
		return;
	case INSTANCE_PENDING:
		expect(s, 0, runs, name, NULL, NULL);
		n->state = INSTANCE_RUNNING;
		return;
	case INSTANCE_RUNNING:
		if (check_dice(&s->dice) % 4 == 0) {
			ends(s, i, name);
			return;
		}
		expect(s, 0, set_state, name, NULL, "stopped");
		n->state = INSTANCE_STOPPING;
		return;
	case INSTANCE_STOPPING:
		expect(s, 0, stops, name, NULL, NULL);
		n->state = INSTANCE_STOPPED;
		for (int d = 0; d < DEVICES; d++)
			if (n->leaving[d])
				let_go(s->x, i, d);
		return;
	default:
		expect(s, 0, begin_again, name, is_far_instance(i) ? "us-east-1b" : NULL,
		       "t3.nano");
		n->state = INSTANCE_DRAFT;
	}
}

static void step_attachment(struct step *s, int i, int d, int v)
{
	struct instance_ref *n = &s->x->instances[i];
	char instance[8], volume_name[8];
	int wanted;

	snprintf(instance, sizeof(instance), "i%d", i);
	snprintf(volume_name, sizeof(volume_name), "v%d", v);
	switch (check_dice(&s->dice) % 6) {
	case 0:
		if (n->volume[d] >= 0 && n->leaving[d]) {
			expect(s, 0, detached, instance, NULL, devices[d]);
			let_go(s->x, i, d);
		}
		return;
	case 1:
		if (n->volume[d] >= 0 && n->leaving[d])
			expect(s, 0, busy, instance, NULL, devices[d]);
		return;
	case 2:
		if (n->volume[d] >= 0) {
			wanted = expect_detach(s->x, i, d);
			expect(s, wanted, detach, instance, NULL, devices[d]);
		}
		return;
	default:
		if (s->x->volumes[v].life == NONE)
			return;
		wanted = expect_attach(s->x, i, d, v);
		expect(s, wanted, attach, instance, volume_name, devices[d]);
	}
}

static void compare_instance(const struct view *v, const struct reference *x, int i)
{
	const struct instance_ref *n = &x->instances[i];
	const struct resource *instance;
	size_t count = 0;
	char name[16];

	snprintf(name, sizeof(name), "i%d", i);
	instance = find(v, KIND_INSTANCE, name);
	assert_int_equal(instance_state(instance), n->state);
	for (int d = 0; d < DEVICES; d++) {
		const struct resource *a =
			view_find(v, instance->number, KIND_ATTACHMENT, devices[d]);
		const struct resource *volume = a ? attachment_volume(v, a) : NULL;

		assert_true(!a == (n->volume[d] < 0));
		if (!a)
			continue;
		count++;
		snprintf(name, sizeof(name), "v%d", n->volume[d]);
		assert_string_equal(volume->name, name);
		assert_int_equal(attachment_is_leaving(a), n->leaving[d]);
		assert_string_equal(resource_or(volume, "availability-zone", ""),
				    resource_or(instance, "availability-zone", ""));
	}
	/* Beside these only the root volume. */
	count += volume_root_of(v, instance) != NULL;
	assert_int_equal(view_count(v, instance->number, KIND_ATTACHMENT), count);
}

static void compare(struct fixture *f, const struct reference *x)
{
	struct view v = cloud_read(f->cloud);

	for (int i = 0; i < INSTANCES; i++)
		compare_instance(&v, x, i);
	for (int k = 0; k < VOLUMES; k++) {
		const struct volume_ref *ref = &x->volumes[k];
		const struct resource *volume;
		int attached_to = count_attached(x, k), count = 0;
		char name[16];

		snprintf(name, sizeof(name), "v%d", k);
		volume = find(&v, KIND_VOLUME, name);
		assert_true(!volume == (ref->life == NONE));
		if (!volume)
			continue;
		view_each_about(&v, volume->number, KIND_ATTACHMENT, a) count++;
		assert_int_equal(count, attached_to);
		assert_true(is_multi(k) || count <= 1);
		if (ref->life != MADE)
			continue;
		assert_string_equal(resource_or(volume, "state", ""),
				    attached_to ? "in-use" : "available");
		assert_int_equal(volume_size(volume) / GIB, ref->gib);
		assert_int_equal(volume_is_modifying(volume), ref->modifying);
		assert_int_equal(resource_is(volume, "delete-on-termination", "true"), ref->doomed);
	}
	cloud_read_end(f->cloud);
}

static void nothing_is_attached_twice(void **state)
{
	struct fixture *f = *state;
	struct reference x = {0};
	struct step s = {f, &x, 7};

	for (int i = 0; i < INSTANCES; i++) {
		x.instances[i].state = INSTANCE_TERMINATED;
		for (int d = 0; d < DEVICES; d++)
			x.instances[i].volume[d] = -1;
		step_instance(&s, i);
	}
	for (int n = 0; n < STEPS; n++) {
		int i = (int)(check_dice(&s.dice) % INSTANCES);
		int v = (int)(check_dice(&s.dice) % VOLUMES);
		uint64_t what = check_dice(&s.dice) % 8;

		if (what == 0)
			step_instance(&s, i);
		else if (what <= 2)
			step_volume(&s, v);
		else
			step_attachment(&s, i, (int)(check_dice(&s.dice) % DEVICES), v);
		compare(f, &x);
		if (n % 1000 == 999) {
			fixture_close(f);
			fixture_open(f);
			compare(f, &x);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_stage(nothing_is_attached_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
