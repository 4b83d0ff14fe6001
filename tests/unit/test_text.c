/* Parsers and printers: what they take, what they refuse, and that they read what they write. */
#include "tests/lib/check.h"

#include "ec2fs/text/keyed.h"
#include "ec2fs/text/name.h"
#include "ec2fs/text/number.h"
#include "ec2fs/text/size.h"
#include "ec2fs/text/suggest.h"
#include "ec2fs/text/time.h"

static int note(void *context, unsigned line, const char *key, const char *value,
		struct ec2fs_error *error)
{
	(void)error;
	strbuf_addf(context, "%u:%s=%s;", line, key, value);
	return 0;
}

static void keyed_reads_lines(void **state)
{
	static const struct {
		const char *text, *read;
	} good[] = {
		{"", ""},
		{"a b\n", "1:a=b;"},
		{"a b", "1:a=b;"},
		{"\n# note\n  a \t b c  \r\n\n", "3:a=b c;"},
		{"a b # c\n", "1:a=b # c;"},
		{"k 1\nkk 2\nkkk 3\n", "1:k=1;2:kk=2;3:kkk=3;"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct strbuf out cleanup_strbuf = STRBUF_INIT;
		struct ec2fs_error error = {0};

		assert_int_equal(
			keyed_parse(good[i].text, strlen(good[i].text), note, &out, &error), 0);
		assert_string_equal(strbuf_str(&out), good[i].read);
		assert_int_equal(error.number, 0);
	}
}

static void keyed_names_the_bad_line(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *told;
	} bad[] = {
		{"a b\nalone\n", 10, "line 2: alone has no value"},
		{"a 1\n\na 2\n", 9, "line 3: a stands there twice"},
		{"a\0b c", 5, "control character (0) at byte 2"},
		{"a 1\nb   \n", 9, "line 2: b has no value"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct strbuf out cleanup_strbuf = STRBUF_INIT;
		struct ec2fs_error error = {0};

		assert_int_equal(keyed_parse(bad[i].text, bad[i].len, note, &out, &error), -EINVAL);
		if (!strstr(error.message, bad[i].told))
			fail_msg("told: %s; wanted: %s", error.message, bad[i].told);
	}
}

static int stop_at_b(void *context, unsigned line, const char *key, const char *value,
		     struct ec2fs_error *error)
{
	(void)value;
	(void)error;
	*(unsigned *)context = line;
	return strcmp(key, "b") == 0 ? -EDOM : 0;
}

static void keyed_ends_where_its_reader_says(void **state)
{
	unsigned last = 0;

	(void)state;
	assert_int_equal(keyed_parse("a 1\nb 2\nc 3\n", 12, stop_at_b, &last, NULL), -EDOM);
	assert_int_equal(last, 2);
}

static void sizes_are_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {{"8 GiB", 8ULL << 30},
		    {"8GiB", 8ULL << 30},
		    {"8G", 8ULL << 30},
		    {"512 MiB", 512 << 20},
		    {"7", 7ULL << 30},
		    {"7 B", 7},
		    {"0", 0},
		    {"16777215 T", 16777215ULL << 40}};
	static const char *const bad[] = {"",     "G",    "-1",     "1.5 GiB", "1 gib",
					  "8 GB", "8 Gi", "8 GiBs", "0x10",    "8  G G"};
	static const char *const huge[] = {"16777216 T", "18446744073709551616 B",
					   "99999999999999999999"};
	uint64_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(size_parse(good[i].text, 1ULL << 30, &n, NULL), 0);
		assert_int_equal(n, good[i].bytes);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		n = 77;
		if (size_parse(bad[i], 1ULL << 30, &n, NULL) != -EINVAL || n != 77)
			fail_msg("'%s' was taken", bad[i]);
	}
	for (size_t i = 0; i < sizeof(huge) / sizeof(huge[0]); i++)
		assert_int_equal(size_parse(huge[i], 1ULL << 30, &n, NULL), -ERANGE);
}

static void sizes_that_are_written_are_read_again(void **state)
{
	uint64_t dice = 1, n;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct strbuf out cleanup_strbuf = STRBUF_INIT;
		uint64_t bytes = check_dice(&dice) << (check_dice(&dice) % 33);

		size_print(bytes, &out);
		assert_int_equal(size_parse(strbuf_str(&out), 1, &n, NULL), 0);
		assert_int_equal(n, bytes);
	}
}

static void numbers_have_a_range(void **state)
{
	uint64_t n = 77;
	bool b = false;

	(void)state;
	assert_int_equal(number_parse("64", 1, 64, &n, NULL), 0);
	assert_int_equal(n, 64);
	assert_int_equal(number_parse("18446744073709551615", 0, UINT64_MAX, &n, NULL), 0);
	assert_int_equal(n, UINT64_MAX);
	n = 77;
	assert_int_equal(number_parse("65", 1, 64, &n, NULL), -ERANGE);
	assert_int_equal(number_parse("0", 1, 64, &n, NULL), -ERANGE);
	assert_int_equal(number_parse("18446744073709551616", 0, UINT64_MAX, &n, NULL), -ERANGE);
	assert_int_equal(number_parse("", 0, 64, &n, NULL), -EINVAL);
	assert_int_equal(number_parse("-1", 0, 64, &n, NULL), -EINVAL);
	assert_int_equal(number_parse(" 1", 0, 64, &n, NULL), -EINVAL);
	assert_int_equal(number_parse("1e3", 0, 64, &n, NULL), -EINVAL);
	assert_int_equal(n, 77);
	assert_int_equal(bool_parse("true", &b, NULL), 0);
	assert_true(b);
	assert_int_equal(bool_parse("True", &b, NULL), -EINVAL);
	assert_int_equal(bool_parse("", &b, NULL), -EINVAL);
	assert_true(b);
	assert_int_equal(bool_parse("false", &b, NULL), 0);
	assert_false(b);
}

static void names_are_checked(void **state)
{
	static const char *const good[] = {"web-1",      "a",         "with blank", "größe",
					   "web-a8Xk2q", "tmp.short", "tmp",        "日本"};
	static const char *const bad[] = {
		"",     ".hidden",      "tmp.aB3dE6gH9j",   "a\nb",    "tab\tin", "\x7f", "\xff",
		"\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\xaf"};
	char longest[257];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (name_check(good[i], NULL) != 0)
			fail_msg("'%s' was refused", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (name_check(bad[i], NULL) != -EINVAL)
			fail_msg("bad name %zu was taken", i);
	memset(longest, 'n', 256);
	longest[255] = '\0';
	assert_int_equal(name_check(longest, NULL), 0);
	longest[255] = 'n';
	longest[256] = '\0';
	assert_int_equal(name_check(longest, NULL), -ENAMETOOLONG);
}

static void tags_are_counted_in_characters(void **state)
{
	struct strbuf text cleanup_strbuf = STRBUF_INIT;

	(void)state;
	for (int i = 0; i < 128; i++)
		strbuf_adds(&text, "ü");
	assert_int_equal(tag_key_check(text.data, NULL), 0);
	strbuf_addc(&text, 'x');
	assert_int_equal(tag_key_check(text.data, NULL), -ENAMETOOLONG);
	assert_int_equal(tag_key_check("aws:name", NULL), -EINVAL);
	assert_int_equal(tag_key_check("AWS:name", NULL), -EINVAL);
	assert_int_equal(tag_key_check("aws", NULL), 0);
	strbuf_truncate(&text, 0);
	for (int i = 0; i < 256; i++)
		strbuf_adds(&text, "日");
	assert_int_equal(tag_value_check(text.data, text.len, NULL), 0);
	strbuf_addc(&text, 'x');
	assert_int_equal(tag_value_check(text.data, text.len, NULL), -EFBIG);
	assert_int_equal(tag_value_check("a\nb", 3, NULL), -EINVAL);
	assert_int_equal(tag_value_check("", 0, NULL), 0);
}

static void utf8_tells_where_it_ends_to_be(void **state)
{
	size_t bad = 99;

	(void)state;
	assert_int_equal(utf8_length("aü日𝄞", 10, &bad), 4);
	assert_int_equal(utf8_length("", 0, &bad), 0);
	assert_int_equal(utf8_length("ab\xff", 3, &bad), -1);
	assert_int_equal(bad, 2);
	assert_int_equal(utf8_length("ü", 1, &bad), -1);
	assert_int_equal(bad, 0);
}

static void times_are_written_as_ec2_does(void **state)
{
	struct strbuf out cleanup_strbuf = STRBUF_INIT;

	(void)state;
	time_print(1764036000123456789LL, &out);
	strbuf_addc(&out, ' ');
	time_print_gmt(1764036000999999999LL, &out);
	strbuf_addc(&out, ' ');
	time_print(0, &out);
	strbuf_addc(&out, ' ');
	time_print(951782400000000000LL, &out);
	assert_string_equal(strbuf_str(&out), "2025-11-25T02:00:00.123Z 2025-11-25 02:00:00 GMT "
					      "1970-01-01T00:00:00.000Z 2000-02-29T00:00:00.000Z");
}

static void the_nearest_word_is_suggested(void **state)
{
	static const char *const words[] = {"instance-type", "image", "user-data", "key-pair"};
	char long_word[200];

	(void)state;
	assert_string_equal(suggest("instance-typ", words, 4), "instance-type");
	assert_string_equal(suggest("imgae", words, 4), "image");
	assert_string_equal(suggest("type", words, 4), "instance-type");
	assert_string_equal(suggest("userdata", words, 4), "user-data");
	assert_null(suggest("volume", words, 4));
	assert_null(suggest("", words, 4));
	assert_null(suggest("b", (const char *const[]){"e"}, 1));
	assert_null(suggest("image", words, 0));
	memset(long_word, 'x', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = '\0';
	assert_null(suggest(long_word, words, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keyed_reads_lines),
		cmocka_unit_test(keyed_names_the_bad_line),
		cmocka_unit_test(keyed_ends_where_its_reader_says),
		cmocka_unit_test(sizes_are_read),
		cmocka_unit_test(sizes_that_are_written_are_read_again),
		cmocka_unit_test(numbers_have_a_range),
		cmocka_unit_test(names_are_checked),
		cmocka_unit_test(tags_are_counted_in_characters),
		cmocka_unit_test(utf8_tells_where_it_ends_to_be),
		cmocka_unit_test(times_are_written_as_ec2_does),
		cmocka_unit_test(the_nearest_word_is_suggested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
