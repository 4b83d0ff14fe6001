/* Rules of security groups: what is read, what is refused, and that both ways agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ec2fs/text/lines.h"
#include "ec2fs/text/permission.h"

#include <stdio.h>
#include <string.h>

static int print_each(void *context, unsigned line, const struct permission *p,
		      struct ec2fs_error *error)
{
	(void)line;
	(void)error;
	permission_print(p, context);
	strbuf_addc(context, '\n');
	return 0;
}

/* The text means these permissions, and so do they when they are read again. */
static void reads_as(const char *text, const char *wanted)
{
	struct strbuf once cleanup_strbuf = STRBUF_INIT;
	struct strbuf twice cleanup_strbuf = STRBUF_INIT;
	struct ec2fs_error error = {0};

	if (permissions_parse(text, strlen(text), print_each, &once, &error) < 0)
		fail_msg("%s was refused: %s", text, error.message);
	assert_string_equal(strbuf_str(&once), wanted);
	assert_int_equal(permissions_parse(once.data, once.len, print_each, &twice, &error), 0);
	assert_string_equal(strbuf_str(&twice), wanted);
}

static void refused(const char *text, enum ec2_code code, const char *says)
{
	struct strbuf ignored cleanup_strbuf = STRBUF_INIT;
	struct ec2fs_error error = {0};
	int r = permissions_parse(text, strlen(text), print_each, &ignored, &error);

	if (r >= 0)
		fail_msg("%s was not refused", text);
	assert_int_equal(r, -ec2_code_errno(code));
	assert_int_equal(error.code, code);
	if (!strstr(error.message, says))
		fail_msg("\"%s\" does not tell \"%s\"", error.message, says);
}

static void malformed(const char *text, const char *says)
{
	refused(text, EC2_InvalidPermission_Malformed, says);
}

static void protocols_have_names_and_numbers(void **state)
{
	(void)state;
	reads_as("", "");
	reads_as("tcp 22 203.0.113.0/24\n", "tcp 22 203.0.113.0/24\n");
	reads_as("6 22 203.0.113.0/24\n", "tcp 22 203.0.113.0/24\n");
	reads_as("17 53 10.0.0.0/8\n", "udp 53 10.0.0.0/8\n");
	reads_as("all - 0.0.0.0/0\nall all ::/0\n", "all - 0.0.0.0/0\nall - ::/0\n");
	reads_as("gre - 10.0.0.1/32\n47 - 10.0.0.2/32\n", "gre - 10.0.0.1/32\ngre - 10.0.0.2/32\n");
	reads_as("0 - 10.0.0.1/32\n255 - 10.0.0.1/32\n", "0 - 10.0.0.1/32\n255 - 10.0.0.1/32\n");
	reads_as("sctp all 10.0.0.1/32\n", "sctp - 10.0.0.1/32\n");
	malformed("tpc 22 10.0.0.0/8\n", "did you mean tcp?");
	malformed("256 - 10.0.0.0/8\n", "0 to 255");
	malformed("06 22 10.0.0.0/8\n", "0 to 255");
	malformed("-1 - 10.0.0.0/8\n", "0 to 255");
	malformed("TCP 22 10.0.0.0/8\n", "write tcp");
}

static void ports_are_lists_of_ranges(void **state)
{
	(void)state;
	reads_as("tcp 80,443,8000-8100 0.0.0.0/0",
		 "tcp 80 0.0.0.0/0\ntcp 443 0.0.0.0/0\ntcp 8000-8100 0.0.0.0/0\n");
	reads_as("tcp - 10.0.0.0/8\nudp all 10.0.0.0/8\n", "tcp - 10.0.0.0/8\nudp - 10.0.0.0/8\n");
	reads_as("tcp 0-65535 10.0.0.0/8\n", "tcp - 10.0.0.0/8\n");
	reads_as("tcp 0 10.0.0.0/8\ntcp 65535 10.0.0.0/8\n",
		 "tcp 0 10.0.0.0/8\ntcp 65535 10.0.0.0/8\n");
	reads_as("tcp 7-7 10.0.0.0/8\n", "tcp 7 10.0.0.0/8\n");
	malformed("tcp 65536 10.0.0.0/8\n", "65535");
	malformed("tcp ssh 10.0.0.0/8\n", "ssh is no port");
	malformed("tcp 80, 10.0.0.0/8\n", "is no port");
	malformed("tcp ,80 10.0.0.0/8\n", "is no port");
	malformed("tcp 80-70 10.0.0.0/8\n", "write 70-80");
	malformed("tcp 80- 10.0.0.0/8\n", "80- is no port");
	malformed("tcp -80 10.0.0.0/8\n", "is no port");
	malformed("tcp 080 10.0.0.0/8\n", "is no port");
	malformed("tcp +80 10.0.0.0/8\n", "is no port");
	malformed("tcp 1-2-3 10.0.0.0/8\n", "is no port");
	malformed("tcp 99999999999999999999 10.0.0.0/8\n", "is no port");
	malformed("all 22 10.0.0.0/8\n", "only tcp, udp and icmp have ports");
	malformed("esp 22 10.0.0.0/8\n", "write - instead of 22");
}

static void icmp_has_types_and_codes(void **state)
{
	(void)state;
	reads_as("icmp echo-request sg:web\n", "icmp echo-request sg:web\n");
	reads_as("icmp 8 sg:web\n", "icmp echo-request sg:web\n");
	reads_as("icmp 8/0 sg:web\n", "icmp 8/0 sg:web\n");
	reads_as("icmp 3/4 sg:web\n", "icmp fragmentation-needed sg:web\n");
	reads_as("icmp 200 sg:web\nicmp 255/255 sg:web\n",
		 "icmp 200 sg:web\nicmp 255/255 sg:web\n");
	reads_as("icmp - sg:web\n1 all sg:db\n", "icmp - sg:web\nicmp - sg:db\n");
	reads_as("icmpv6 echo-request ::/0\n58 2 ::/0\n",
		 "icmpv6 echo-request ::/0\nicmpv6 packet-too-big ::/0\n");
	reads_as("icmp echo-request,time-exceeded 10.0.0.0/8\n",
		 "icmp echo-request 10.0.0.0/8\nicmp time-exceeded 10.0.0.0/8\n");
	malformed("icmp echo-requst 10.0.0.0/8\n", "did you mean echo-request?");
	malformed("icmp packet-too-big 10.0.0.0/8\n", "is no type of ICMP");
	malformed("icmp 256 10.0.0.0/8\n", "is no type of ICMP");
	malformed("icmp 8/ 10.0.0.0/8\n", "is no type of ICMP");
	malformed("icmp 8/256 10.0.0.0/8\n", "is no type of ICMP");
	malformed("icmp /8 10.0.0.0/8\n", "is no type of ICMP");
	malformed("icmp 8-9 10.0.0.0/8\n", "is no type of ICMP");
}

static void peers_are_blocks_groups_and_lists(void **state)
{
	(void)state;
	reads_as("all - 2001:DB8:0::/32\nall - fd00::1/128\n",
		 "all - 2001:db8::/32\nall - fd00::1/128\n");
	reads_as("all - sg:sg-0123456789abcdef0\n", "all - sg:sg-0123456789abcdef0\n");
	reads_as("all - pl:office\n", "all - pl:office\n");
	reads_as("tcp 22 sg:two words  # three\n", "tcp 22 sg:two words\n");
	reads_as("tcp 22 sg:a#b\n", "tcp 22 sg:a#b\n");
	malformed("tcp 22 10.0.0.5\n", "write 10.0.0.5/32");
	malformed("tcp 22 10.0.0.5/24\n", "the block is 10.0.0.0/24");
	malformed("tcp 22 10.0.0.0/33\n", "is no peer");
	malformed("tcp 22 10.0.0/24\n", "is no peer");
	malformed("tcp 22 web\n", "sg:NAME for a security group");
	malformed("tcp 22 sg:\n", "write sg:NAME");
	malformed("tcp 22 pl:\n", "write pl:NAME");
	malformed("tcp 22 fd00::1\n", "write fd00::1/128");
	malformed("tcp 22 fd00::1/64\n", "the block is fd00::/64");
	malformed("tcp 22 fd00::/129\n", "is no IPv6 CIDR block");
	malformed("tcp 22 fd00:::/64\n", "is no IPv6 CIDR block");
	malformed("tcp 22 10.0.0.0/8 10.1.0.0/16\n", "is no peer");
	malformed("tcp 22\n", "write PROTOCOL PORTS PEER");
	malformed("tcp\n", "write PROTOCOL PORTS PEER");
	malformed("tcp 22   # 10.0.0.0/8\n", "write PROTOCOL PORTS PEER");
}

static void comments_and_blanks_say_nothing(void **state)
{
	char long_comment[400], text[512];

	(void)state;
	reads_as("# all of it\n\n \t\n  tcp\t22  10.0.0.0/8\t# ssh\r\n#tcp 23 10.0.0.0/8\n",
		 "tcp 22 10.0.0.0/8\n");
	reads_as("tcp 22 10.0.0.0/8 # Gr\303\274\303\237e\n", "tcp 22 10.0.0.0/8\n");
	memset(long_comment, 'x', sizeof(long_comment) - 1);
	long_comment[sizeof(long_comment) - 1] = '\0';
	snprintf(text, sizeof(text), "tcp 22 10.0.0.0/8 # %s\n", long_comment);
	malformed(text, "at most 255 fit");
	snprintf(text, sizeof(text), "# %s\n", long_comment);
	reads_as(text, "");
	malformed("tcp 22 10.0.0.0/8 # \033[31m\n", "control character");
	malformed("tcp 22 10.0.0.0/8 # \377\n", "no UTF-8");
}

static void a_refusal_names_the_line(void **state)
{
	struct ec2fs_error error = {0};
	struct strbuf ignored cleanup_strbuf = STRBUF_INIT;
	static const char with_nul[] = "tcp 22 10.0.0.0/8\n\0\n";

	(void)state;
	malformed("# one\n\ntcp 22 10.0.0.0/8\ntcp 23 nowhere\n", "line 4: ");
	malformed("tcp 22 10.0.0.0/8\n\n# three\ntcp 23", "line 4: ");
	assert_int_equal(
		permissions_parse(with_nul, sizeof(with_nul) - 1, print_each, &ignored, &error),
		-EINVAL);
	assert_non_null(strstr(error.message, "line 2: there is a NUL byte"));
	assert_int_equal(
		permissions_parse(with_nul, sizeof(with_nul) - 1, print_each, &ignored, NULL),
		-EINVAL);
}

static void the_same_permission_stands_once(void **state)
{
	static const char *const twice[] = {
		"tcp 22 10.0.0.0/8\ntcp 22 10.0.0.0/8 # again\n",
		"tcp 22 10.0.0.0/8\n6 22 10.0.0.0/8\n",
		"tcp 80,80 10.0.0.0/8\n",
		"tcp - 10.0.0.0/8\ntcp 0-65535 10.0.0.0/8\n",
		"icmp 8 10.0.0.0/8\nicmp echo-request 10.0.0.0/8\n",
		"all - ::/0\nall - 0::0/0\n",
		"all - sg:web\nall - sg:web\n",
		"udp 1,2,3 pl:x\nudp 3 pl:x\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(twice) / sizeof(twice[0]); i++)
		refused(twice[i], EC2_InvalidPermission_Duplicate, "already; take one away");
	refused("\ntcp 22 sg:a\ntcp 22 sg:a\n", EC2_InvalidPermission_Duplicate,
		"line 3: tcp 22 sg:a stands in line 2 already");
	/* What overlaps is fine. */
	reads_as("tcp 22 10.0.0.0/8\ntcp 20-25 10.0.0.0/8\ntcp 22 10.0.0.0/16\nudp 22 10.0.0.0/8\n"
		 "tcp 22 sg:web\ntcp 22 pl:web\nicmp 8 10.0.0.0/8\nicmp 8/0 10.0.0.0/8\n",
		 "tcp 22 10.0.0.0/8\ntcp 20-25 10.0.0.0/8\ntcp 22 10.0.0.0/16\nudp 22 10.0.0.0/8\n"
		 "tcp 22 sg:web\ntcp 22 pl:web\nicmp echo-request 10.0.0.0/8\nicmp 8/0 "
		 "10.0.0.0/8\n");
}

static int stop_at_two(void *context, unsigned line, const struct permission *p,
		       struct ec2fs_error *error)
{
	(void)p;
	(void)error;
	++*(int *)context;
	return line == 2 ? 7 : 0;
}

static void an_answer_ends_the_parse(void **state)
{
	static const char text[] = "tcp 1 10.0.0.0/8\ntcp 2 10.0.0.0/8\ntcp 3 10.0.0.0/8\n";
	int seen = 0;

	(void)state;
	assert_int_equal(permissions_parse(text, strlen(text), stop_at_two, &seen, NULL), 7);
	assert_int_equal(seen, 2);
}

static void many_rules_are_read_fast_enough_to_be_no_matter(void **state)
{
	struct strbuf text cleanup_strbuf = STRBUF_INIT;
	struct strbuf out cleanup_strbuf = STRBUF_INIT;
	struct ec2fs_error error = {0};

	(void)state;
	for (int i = 0; i < 50000; i++)
		strbuf_addf(&text, "tcp %d 10.0.0.0/8\n", i);
	assert_int_equal(permissions_parse(text.data, text.len, print_each, &out, &error), 0);
	assert_int_equal(out.len, text.len);
}

static void a_peer_is_renamed_and_nothing_else(void **state)
{
	static const char before[] = "# sg:web\n"
				     "tcp 22  sg:web\t# from sg:web\n"
				     "tcp 80 sg:web-2\n"
				     "tcp 81 sg:web 2\r\n"
				     "  all - sg:web\n"
				     "icmp - 10.0.0.0/8 # sg:web\n"
				     "udp 5 sg:web";
	static const char after[] = "# sg:web\n"
				    "tcp 22  sg:front end\t# from sg:web\n"
				    "tcp 80 sg:web-2\n"
				    "tcp 81 sg:web 2\r\n"
				    "  all - sg:front end\n"
				    "icmp - 10.0.0.0/8 # sg:web\n"
				    "udp 5 sg:front end";
	struct strbuf out cleanup_strbuf = STRBUF_INIT;

	(void)state;
	assert_true(
		permissions_replace_peer(before, strlen(before), "sg:web", "sg:front end", &out));
	assert_string_equal(strbuf_str(&out), after);
	strbuf_truncate(&out, 0);
	assert_false(permissions_replace_peer(before, strlen(before), "sg:we", "sg:x", &out));
	assert_int_equal(out.len, 0);
	assert_false(permissions_replace_peer("", 0, "sg:we", "sg:x", &out));
}

static unsigned roll(unsigned *dice, unsigned sides)
{
	*dice = *dice * 1103515245 + 12345;
	return (*dice >> 16) % sides;
}

/* A few lines of words that mostly fit, and in every second text a byte that does not. */
static void throw_text(unsigned *dice, struct strbuf *out)
{
	static const char *const words[3][8] = {
		{"tcp", "udp", "icmp", "icmpv6", "all", "47", "#", "tpc"},
		{"22", "80-90,443", "-", "all", "echo-request", "3/4", "0-65535", "65536"},
		{"10.0.0.0/8", "::/0", "sg:a b", "pl:b", "sg:", "fd00::/8", "10.0.0.1/8",
		 "0.0.0.0/0 # x"},
	};

	for (unsigned lines = roll(dice, 4); lines; lines--)
		for (int k = 0; k < 3; k++)
			strbuf_addf(out, "%s%c", words[k][roll(dice, 8)], " \n"[k == 2]);
	if (out->len && roll(dice, 2))
		out->data[roll(dice, (unsigned)out->len)] = (char)roll(dice, 256);
}

/* Whatever comes, it is read or refused; what was read is read again as it is printed. */
static void random_texts_are_read_or_refused(void **state)
{
	unsigned dice = 11;
	int taken = 0, turned_down = 0;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		struct strbuf text cleanup_strbuf = STRBUF_INIT;
		struct strbuf once cleanup_strbuf = STRBUF_INIT;
		struct strbuf twice cleanup_strbuf = STRBUF_INIT;
		struct ec2fs_error error = {0};
		int r;

		throw_text(&dice, &text);
		r = permissions_parse(strbuf_str(&text), text.len, print_each, &once, &error);
		assert_int_equal(r < 0, error.number != 0);
		turned_down += r < 0;
		if (r < 0 || !once.len)
			continue;
		taken++;
		assert_int_equal(permissions_parse(once.data, once.len, print_each, &twice, &error),
				 0);
		assert_string_equal(strbuf_str(&once), strbuf_str(&twice));
	}
	assert_true(taken > 1000);
	assert_true(turned_down > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(protocols_have_names_and_numbers),
		cmocka_unit_test(ports_are_lists_of_ranges),
		cmocka_unit_test(icmp_has_types_and_codes),
		cmocka_unit_test(peers_are_blocks_groups_and_lists),
		cmocka_unit_test(comments_and_blanks_say_nothing),
		cmocka_unit_test(a_refusal_names_the_line),
		cmocka_unit_test(the_same_permission_stands_once),
		cmocka_unit_test(an_answer_ends_the_parse),
		cmocka_unit_test(many_rules_are_read_fast_enough_to_be_no_matter),
		cmocka_unit_test(a_peer_is_renamed_and_nothing_else),
		cmocka_unit_test(random_texts_are_read_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
