/* Entries of network ACLs as the engine gets them; lines of words. */
#include "tests/lib/cloud_fixture.h"

#include "ec2fs/model/network.h"
#include "ec2fs/text/words.h"

struct seen {
	struct acl_entry all[32];
	size_t count;
};

static void note(void *context, const struct acl_entry *e)
{
	struct seen *s = context;

	s->all[s->count++] = *e;
}

static const struct resource *default_acl(const struct view *v)
{
	return vpc_default_acl(v, vpc_default(v, fixture_region(v)->number));
}

static int write_ingress(struct view *v, void *context, struct ec2fs_error *error)
{
	return network_acl_set_ingress(v, view_edit(v, default_acl(v)), context, strlen(context),
				       error);
}

static void entries_come_by_number(void **state)
{
	struct fixture *f = *state;
	struct ec2fs_error error = {0};
	struct seen s = {0};
	struct view v;

	assert_int_equal(cloud_change(f->cloud, NULL, write_ingress,
				      "300 allow udp 53-60 10.0.0.0/8\n"
				      "# between\n"
				      "7 deny tcp 22 192.0.2.0/24 # one\n"
				      "100 allow icmp 3/4 0.0.0.0/0\n"
				      "200 allow 50 - 10.1.0.0/16",
				      &error),
			 0);
	v = cloud_read(f->cloud);
	network_acl_each(default_acl(&v), false, note, &s);
	assert_int_equal(s.count, 4);
	assert_int_equal(s.all[0].number, 7);
	assert_false(s.all[0].allow);
	assert_int_equal(s.all[0].protocol, 6);
	assert_int_equal(s.all[0].from, 22);
	assert_int_equal(s.all[0].to, 22);
	assert_int_equal(s.all[0].cidr.address, 0xc0000200);
	assert_int_equal(s.all[0].cidr.prefix, 24);
	assert_int_equal(s.all[1].number, 100);
	assert_true(s.all[1].allow);
	assert_int_equal(s.all[1].protocol, 1);
	assert_int_equal(s.all[1].type, 3);
	assert_int_equal(s.all[1].code, 4);
	assert_int_equal(s.all[1].cidr.prefix, 0);
	assert_int_equal(s.all[2].number, 200);
	assert_int_equal(s.all[2].protocol, 50);
	assert_int_equal(s.all[3].number, 300);
	assert_int_equal(s.all[3].from, 53);
	assert_int_equal(s.all[3].to, 60);
	s.count = 0;
	network_acl_each(default_acl(&v), true, note, &s);
	assert_int_equal(s.count, 1);
	assert_int_equal(s.all[0].protocol, -1);
	cloud_read_end(f->cloud);
}

static bool allows_all(struct fixture *f)
{
	struct view v = cloud_read(f->cloud);
	bool all = network_acl_allows_all(default_acl(&v));

	cloud_read_end(f->cloud);
	return all;
}

static void what_allows_all_needs_no_looking(void **state)
{
	static const char *const other[] = {
		"", "1 deny tcp 1 10.0.0.0/8\n2 allow all - 0.0.0.0/0\n",
		"1 allow all - 0.0.0.0/1\n", "1 allow tcp 0-65535 0.0.0.0/0\n"};
	struct fixture *f = *state;
	struct ec2fs_error error = {0};

	assert_true(allows_all(f));
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(
			cloud_change(f->cloud, NULL, write_ingress, (void *)other[i], &error), 0);
		assert_false(allows_all(f));
	}
	assert_int_equal(cloud_change(f->cloud, NULL, write_ingress,
				      "9 deny all - 0.0.0.0/0\n1 allow all - 0.0.0.0/0\n", &error),
			 0);
	assert_true(allows_all(f));
}

static int join(void *context, const struct words *w, struct ec2fs_error *error)
{
	struct strbuf *out = context;

	(void)error;
	strbuf_addf(out, "%u:%zu-%zu", w->line, w->begin, w->end);
	for (size_t i = 0; i < w->count && i < WORDS_MAX; i++)
		strbuf_addf(out, " %s@%zu", w->word[i], w->at[i]);
	strbuf_adds(out, w->count > WORDS_MAX ? " …\n" : "\n");
	return w->count && strcmp(w->word[0], "stop") == 0 ? 1 : 0;
}

static void lines_are_cut_into_words(void **state)
{
	static const char text[] = "a  bc # no\n"
				   "\n"
				   "# nothing\n"
				   "\td#e\r\n"
				   "1 2 3 4 5 6 7 8 9\n"
				   "stop\n"
				   "never";
	struct strbuf out cleanup_strbuf = STRBUF_INIT;
	struct ec2fs_error error = {0};

	(void)state;
	assert_int_equal(words_parse(text, strlen(text), join, &out, &error), 1);
	assert_string_equal(strbuf_str(&out), "1:0-11 a@0 bc@3\n"
					      "4:22-28 d#e@23\n"
					      "5:28-46 1@28 2@30 3@32 4@34 5@36 6@38 7@40 8@42 …\n"
					      "6:46-51 stop@46\n");
	assert_int_equal(words_parse("a\0b\n", 4, join, &out, &error), -EINVAL);
	assert_int_equal(words_parse("", 0, join, &out, &error), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_cut_into_words),
		cmocka_unit_test_setup_teardown(entries_come_by_number, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(what_allows_all_needs_no_looking, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
