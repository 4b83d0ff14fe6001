/* The back end `lvm` as far as no device-mapper is needed: URIs, reports, words, the pool's status.
 */
#include "tests/lib/check.h"

#include "volumes/lvm/internal.h"

#define REPORT                                                                                     \
	"  {\n      \"report\": [\n          {\n              \"lv\": [\n"                         \
	"                  {\"lv_name\":\"pool\", \"lv_tags\":\"\", \"lv_size\":\"3850371072\", "  \
	"\"segtype\":\"thin-pool\", \"zero\":\"zero\", \"chunk_size\":\"65536\"},\n"               \
	"                  {\"lv_name\":\"vol-1\", \"lv_tags\":\"ec2fs.id=vol-1,ec2fs.owner=u\", " \
	"\"lv_size\":\"1073741824\", \"segtype\":\"thin\"},\n"                                     \
	"                  {\"lv_name\":\"snap-1\", "                                              \
	"\"lv_tags\":\"ec2fs.id=snap-1,ec2fs.making,ec2fs.owner=u,ec2fs.size=1000\", "             \
	"\"lv_size\":\"4194304\", \"segtype\":\"thin\"}\n"                                         \
	"              ]\n          }\n      ]\n  }\n"

struct seen {
	int rows, ours;
	struct lvm_known last;
};

static void see(void *context, const struct lvm_row *row)
{
	struct seen *s = context;

	s->rows++;
	s->ours += lvm_is_ours(row, "u", &s->last);
}

static void reports_are_read(void **state)
{
	struct seen s = {0};

	(void)state;
	assert_int_equal(lvm_parse(REPORT, strlen(REPORT), "lv", see, &s, NULL), 0);
	assert_int_equal(s.rows, 3);
	assert_int_equal(s.ours, 2);
	assert_string_equal(s.last.id, "snap-1");
	assert_int_equal(s.last.size, 1000);
	assert_true(s.last.making);
}

static void an_empty_group_has_an_empty_report(void **state)
{
	static const char text[] = "{\"report\": [{\"lv\": [\n]}]}";
	struct seen s = {0};

	(void)state;
	assert_int_equal(lvm_parse(text, strlen(text), "lv", see, &s, NULL), 0);
	assert_int_equal(s.rows, 0);
}

static void what_is_no_report_is_refused(void **state)
{
	static const char *const others[] = {
		"",
		"null",
		"[]",
		"{}",
		"Volume group \"x\" not found",
		"{\"report\": 7}",
		"{\"report\": [7]}",
		"{\"report\": [{\"vg\": []}]}",
		"{\"report\": [{\"lv\": {\"lv_name\": \"x\"}}]}",
	};
	struct ec2fs_error error;
	struct seen s = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		error = (struct ec2fs_error){0};
		assert_int_equal(lvm_parse(others[i], strlen(others[i]), "lv", see, &s, &error),
				 -EIO);
		assert_true(*error.message);
	}
	/* Cut short anywhere, and told no rows. */
	for (size_t len = 0; len < strlen(REPORT) - 5; len++)
		assert_int_equal(lvm_parse(REPORT, len, "lv", see, &s, NULL), -EIO);
	assert_int_equal(s.rows, 0);
}

static void rows_of_another_shape_are_not_ours(void **state)
{
	static const char *const rows[] = {
		"7",
		"null",
		"{}",
		"{\"lv_name\": 7, \"lv_tags\": []}",
		/* no tag, another's, half of one, one more letter */
		"{\"lv_name\": \"vol-1\", \"lv_tags\": \"\"}",
		"{\"lv_name\": \"vol-1\", \"lv_tags\": \"ec2fs.id=vol-1,ec2fs.owner=v\"}",
		"{\"lv_name\": \"vol-1\", \"lv_tags\": \"ec2fs.id=vol-1\"}",
		"{\"lv_name\": \"vol-1\", \"lv_tags\": \"ec2fs.id=vol-1,ec2fs.owner=uu\"}",
		"{\"lv_name\": \"vol-1\", \"lv_tags\": \"ec2fs.id=vol-1,ec2fs.owner=\"}",
		"{\"lv_name\": \"vol-1\", \"lv_tags\": \"ec2fs.id=vol-1,xec2fs.owner=u\"}",
		"{\"lv_name\": \"vol-1\", \"lv_tags\": \"ec2fs.owner=u\"}",
		/* renamed, or tagged by hand */
		"{\"lv_name\": \"vol-2\", \"lv_tags\": \"ec2fs.id=vol-1,ec2fs.owner=u\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct seen s = {0};
		char text[256];
		int len = snprintf(text, sizeof(text), "{\"report\": [{\"lv\": [%s]}]}", rows[i]);

		assert_int_equal(lvm_parse(text, (size_t)len, "lv", see, &s, NULL), 0);
		if (s.ours)
			fail_msg("%s", rows[i]);
	}
}

static void tags_are_told_whole(void **state)
{
	char value[8];

	(void)state;
	assert_true(lvm_tagged("a,b,c", "b", NULL, 0));
	assert_false(lvm_tagged("a,bb,c", "b", NULL, 0));
	assert_false(lvm_tagged("", "b", NULL, 0));
	assert_true(lvm_tagged("x=,k=v,k=w", "k=", value, sizeof(value)));
	assert_string_equal(value, "v");
	/* Too long for who asks: not there, rather than cut. */
	assert_false(lvm_tagged("k=12345678", "k=", value, sizeof(value)));
	assert_true(lvm_tagged("k=1234567", "k=", value, sizeof(value)));
}

static void words_without_warnings(void **state)
{
	static const char *const pairs[][2] = {
		{"", ""},
		{"  Logical volume ec2/vol-1 in use.", "Logical volume ec2/vol-1 in use."},
		{"  WARNING: Sum of all\n  Pool x not found in Volume group y.\n",
		 "Pool x not found in Volume group y."},
		{"  WARNING: only\n", ""},
		{"one\ntwo\n  three", "one;two; three"},
		{"  one\n\n  WARNING: and\n  two\n", "one; two"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		char text[200];

		snprintf(text, sizeof(text), "%s", pairs[i][0]);
		lvm_words(text);
		assert_string_equal(text, pairs[i][1]);
	}
	assert_int_equal(lvm_code("Logical volume ec2/x in use."), EC2_VolumeInUse);
	assert_int_equal(lvm_code("Logical volume ec2/x contains a filesystem in use."),
			 EC2_VolumeInUse);
	assert_int_equal(lvm_code("Volume group \"ec2\" has insufficient free space (1 extents): "
				  "5 required."),
			 EC2_InsufficientVolumeCapacity);
	assert_int_equal(lvm_code("Cannot create new thin volume, free space in thin pool ec2/pool "
				  "reached threshold."),
			 EC2_InsufficientVolumeCapacity);
	assert_int_equal(lvm_code("Pool x not found"), EC2_InternalError);
}

static void pools_are_named_by_uri(void **state)
{
	static const char *const bad[] = {
		"lvm:",
		"lvm:ec2",
		"lvm:ec2/",
		"lvm:/pool",
		"lvm:ec2/pool/x",
		"lvm:-a/b",
		"lvm:a/-b",
		"lvm:a/..",
		"lvm:./b",
		"lvm:a b/c",
		"lvm:a/b,",
		"lvm:a/b,x=y",
		"lvm:a/b,device",
		"lvm:a/b;rm",
		"lvm:a/b,device=sdb",
		"lvm:a/$b",
		"lvm:a/b\n",
		"lvm:a/b,overwrite",
		"lvm:a/b,device=/dev/sdb,device=/dev/sdc",
	};
	struct ec2fs_error error;
	struct lvm_uri u;

	(void)state;
	assert_ptr_equal(volumes_for("lvm:ec2/pool"), &volumes_lvm);
	assert_null(volumes_for("lvm2:ec2/pool"));
	assert_int_equal(lvm_uri_parse("lvm:ec2-a/thin_pool.1", &u, NULL), 0);
	assert_string_equal(u.vg, "ec2-a");
	assert_string_equal(u.pool, "thin_pool.1");
	assert_string_equal(u.device, "");
	assert_int_equal(lvm_uri_parse("lvm:a/b,device=/dev/disk/by-id/x,overwrite", &u, NULL), 0);
	assert_string_equal(u.device, "/dev/disk/by-id/x");
	assert_true(u.overwrite);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (volumes_lvm.check(bad[i], &error) != -EINVAL)
			fail_msg("%s", bad[i]);
		assert_int_equal(error.code, EC2_InvalidParameterValue);
	}
}

static void what_the_kernel_tells_of_a_pool(void **state)
{
	static const struct lvm_uri uri = {.vg = "ec2", .pool = "pool"};
	static const struct {
		const char *status, *notice;
		uint64_t available;
		unsigned data, metadata;
		bool refused;
	} pools[] = {
		{"3 115/1024 0/1000 - rw discard_passdown queue_if_no_space - 256", "", 1000, 0,
		 1123, false},
		{"0 1/1024 799/1000 - rw no_discard_passdown queue_if_no_space - 256", "", 201,
		 7990, 9, false},
		{"0 1/1024 800/1000 - rw discard_passdown queue_if_no_space - 256",
		 "80 % full, its metadata 0 %; lvextend", 200, 8000, 9, false},
		{"0 900/1000 1/1000 12 rw discard_passdown error_if_no_space - 256",
		 "0 % full, its metadata 90 %; lvextend", 999, 10, 9000, false},
		{"0 1/1024 950/1000 - rw discard_passdown queue_if_no_space - 256",
		 "nothing new is made; lvextend", 50, 9500, 9, true},
		{"0 960/1000 1/1000 - rw discard_passdown queue_if_no_space - 256",
		 "nothing new is made; lvextend", 999, 10, 9600, true},
		{"0 1/1024 1000/1000 - out_of_data_space discard_passdown queue_if_no_space - 256",
		 "is full: writes of new data wait for a minute", 0, 10000, 9, true},
		{"0 1/1024 1000/1000 - out_of_data_space discard_passdown error_if_no_space - 256",
		 "is full: writes of new data fail", 0, 10000, 9, true},
		{"0 1/1024 1/1000 - ro discard_passdown queue_if_no_space needs_check 256",
		 "damaged", 999, 10, 9, true},
		{"0 1/1024 1/1000 - rw discard_passdown queue_if_no_space needs_check 256",
		 "damaged", 999, 10, 9, true},
		{"Fail", "has failed: lvconvert --repair", 0, 10000, 10000, true},
		{"Error", "has failed", 0, 10000, 10000, true},
	};
	static const char *const bad[] = {
		"",
		"0",
		"0 1/2",
		"0 1/2 3/4",
		"0 1/2 3/4 -",
		"0 1/2 3/4 - xx",
		"0 1/0 3/4 - rw",
		"0 1/2 3/0 - rw",
		"x 1/2 3/4 - rw",
		"0 2097152 linear",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pools) / sizeof(pools[0]); i++) {
		struct volumes_capacity c;
		struct lvm_pool_status s;

		assert_int_equal(lvm_pool_parse(pools[i].status, &s), 0);
		lvm_pool_tell(&s, &uri, 64, &c);
		assert_int_equal(c.available, 64 * pools[i].available);
		assert_int_equal(c.data, pools[i].data);
		assert_int_equal(c.metadata, pools[i].metadata);
		assert_int_equal(c.refused, pools[i].refused);
		if (*pools[i].notice ? !strstr(c.notice, pools[i].notice) : *c.notice)
			fail_msg("%s: %s", pools[i].status, c.notice);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct lvm_pool_status s;

		if (lvm_pool_parse(bad[i], &s) != -EINVAL)
			fail_msg("%s", bad[i]);
	}
}

static void sizes_are_whole_extents(void **state)
{
	const struct lvm_volumes v = {.extent = 4 << 20};

	(void)state;
	assert_int_equal(lvm_round(&v, 0), 4 << 20);
	assert_int_equal(lvm_round(&v, 1), 4 << 20);
	assert_int_equal(lvm_round(&v, 4 << 20), 4 << 20);
	assert_int_equal(lvm_round(&v, (4 << 20) + 1), 8 << 20);
	assert_int_equal(lvm_round(&v, 64ULL << 40), 64ULL << 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reports_are_read),
		cmocka_unit_test(an_empty_group_has_an_empty_report),
		cmocka_unit_test(what_is_no_report_is_refused),
		cmocka_unit_test(rows_of_another_shape_are_not_ours),
		cmocka_unit_test(tags_are_told_whole),
		cmocka_unit_test(words_without_warnings),
		cmocka_unit_test(pools_are_named_by_uri),
		cmocka_unit_test(what_the_kernel_tells_of_a_pool),
		cmocka_unit_test(sizes_are_whole_extents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
