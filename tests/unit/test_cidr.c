/* Addresses, CIDR blocks, and lists of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ec2fs/text/cidr_list.h"
#include "ec2fs/text/lines.h"

#include <stdio.h>
#include <string.h>

static void blocks_are_printed_as_they_were_read(void **state)
{
	static const char *const good[] = {"0.0.0.0/0", "10.0.0.0/8", "203.0.113.0/24",
					   "255.255.255.255/32", "128.0.0.0/1"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct ec2fs_error error = {0};
		char text[CIDR_TEXT];
		struct cidr c;

		assert_int_equal(cidr_parse(good[i], &c, &error), 0);
		cidr_print(c, text);
		assert_string_equal(text, good[i]);
	}
}

static void what_is_no_block_is_refused(void **state)
{
	static const char *const bad[] = {"",
					  "/",
					  "10.0.0.0",
					  "10.0.0.0/",
					  "10.0.0.0/33",
					  "10.0.0.0/8x",
					  "10.0.0.0/-1",
					  "10.0.0.0/08",
					  "10.0.0/8",
					  "10.0.0.0.0/8",
					  "256.0.0.0/8",
					  "a.b.c.d/8",
					  " 10.0.0.0/8",
					  "10.0.0.0 /8",
					  "10.0.0.0/8 ",
					  "::/0",
					  "10.0.0.0/8/8",
					  "010.0.0.0/8",
					  "10.0.0.0/+8",
					  "10.00.0.0/8",
					  "100000000000000000000000000.0.0.0/8"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ec2fs_error error = {0};
		struct cidr c;

		if (cidr_parse(bad[i], &c, &error) != -EINVAL)
			fail_msg("%s was not refused", bad[i]);
		assert_int_equal(error.code, EC2_InvalidParameterValue);
	}
}

static void host_bits_are_refused_with_what_is_right(void **state)
{
	struct ec2fs_error error = {0};
	struct cidr c;

	(void)state;
	assert_int_equal(cidr_parse("100.68.0.18/18", &c, &error), -EINVAL);
	assert_non_null(strstr(error.message, "the block is 100.68.0.0/18"));
	assert_int_equal(cidr_parse("10.0.0.1/31", &c, &error), -EINVAL);
	assert_int_equal(cidr_parse("0.0.0.1/0", &c, &error), -EINVAL);
}

static struct cidr block(const char *text)
{
	struct cidr c = {0};

	assert_int_equal(cidr_parse(text, &c, NULL), 0);
	return c;
}

static void blocks_contain_and_overlap(void **state)
{
	struct cidr eight = block("10.0.0.0/8"), sixteen = block("10.1.0.0/16");
	struct cidr all = block("0.0.0.0/0"), one = block("10.1.2.3/32");

	(void)state;
	assert_true(cidr_contains(eight, sixteen));
	assert_false(cidr_contains(sixteen, eight));
	assert_true(cidr_contains(all, all));
	assert_true(cidr_contains(all, one));
	assert_true(cidr_overlaps(one, eight));
	assert_false(cidr_overlaps(block("10.0.0.0/9"), block("10.128.0.0/9")));
	assert_true(cidr_has(sixteen, one.address));
	assert_false(cidr_has(sixteen, block("10.2.0.0/32").address));
	assert_int_equal(cidr_last(eight), 0x0affffff);
	assert_int_equal(cidr_last(all), 0xffffffff);
	assert_int_equal(cidr_last(one), one.address);
}

static int print_each(void *context, unsigned line, struct cidr c, struct ec2fs_error *error)
{
	char text[CIDR_TEXT];

	(void)error;
	cidr_print(c, text);
	strbuf_addf(context, "%u:%s ", line, text);
	return 0;
}

static void list_refused(const char *text, const char *says)
{
	struct strbuf ignored cleanup_strbuf = STRBUF_INIT;
	struct ec2fs_error error = {0};

	assert_int_equal(cidrs_parse(text, strlen(text), print_each, &ignored, &error), -EINVAL);
	assert_int_equal(error.code, EC2_InvalidParameterValue);
	if (!strstr(error.message, says))
		fail_msg("\"%s\" does not tell \"%s\"", error.message, says);
}

static void lists_have_a_block_a_line(void **state)
{
	static const char text[] = "# the office\n10.0.0.0/8\n\n192.0.2.0/24  # a test\n"
				   "\t198.51.100.7/32\r\n10.0.0.0/16";
	struct strbuf out cleanup_strbuf = STRBUF_INIT;

	(void)state;
	assert_int_equal(cidrs_parse(text, strlen(text), print_each, &out, NULL), 0);
	assert_string_equal(strbuf_str(&out),
			    "2:10.0.0.0/8 4:192.0.2.0/24 5:198.51.100.7/32 6:10.0.0.0/16 ");
	list_refused("10.0.0.0/8\n192.0.2.1/24\n", "line 2: 192.0.2.1/24 has host bits");
	list_refused("10.0.0.0/8\n\n10.0.0.0/8 # again\n", "line 3: 10.0.0.0/8 stands in line 1");
	list_refused("10.0.0.0/8 the office\n", "write descriptions after a #");
	list_refused("10.0.0.5\n", "write 10.0.0.5/32");
	list_refused("sg:web\n", "line 1: ");
	list_refused("::/0\n", "is no CIDR block");
}

static void a_last_line_is_completed(void **state)
{
	struct strbuf out cleanup_strbuf = STRBUF_INIT;

	(void)state;
	lines_complete("", 0, &out);
	assert_int_equal(out.len, 0);
	lines_complete("a\nb", 3, &out);
	lines_complete("c\n", 2, &out);
	assert_string_equal(strbuf_str(&out), "a\nb\nc\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_printed_as_they_were_read),
		cmocka_unit_test(what_is_no_block_is_refused),
		cmocka_unit_test(host_bits_are_refused_with_what_is_right),
		cmocka_unit_test(blocks_contain_and_overlap),
		cmocka_unit_test(lists_have_a_block_a_line),
		cmocka_unit_test(a_last_line_is_completed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
