/* The file of a flow log: its size is bounded, its lines are whole. */
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "netfw/flow_file.h"
#include "netfw/netfw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

static void append(const char *home, size_t lines, char c)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < lines; i++) {
		for (int j = 0; j < 127; j++)
			strbuf_addc(&text, c);
		strbuf_addc(&text, '\n');
	}
	assert_int_equal(flow_file_append(home, &text), 0);
}

static off_t size_of(const char *home, const char *name)
{
	cleanup_free char *path = xasprintf("%s/%s", home, name);
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : -1;
}

static void test_file(void **state)
{
	char directory[] = "/tmp/ec2fs-flow-XXXXXX";
	cleanup_free char *home = NULL, *path = NULL;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(directory));
	home = xasprintf("%s/vpc-1", directory);
	path = xasprintf("%s/flow-log", home);
	netfw_flow_log_show(directory, "vpc-1", &out);
	assert_int_equal(out.len, 0);
	append(home, 2, 'a');
	/* A line that a crash cut is not shown, and goes with the next. */
	f = fopen(path, "a");
	fputs("half", f);
	fclose(f);
	netfw_flow_log_show(directory, "vpc-1", &out);
	assert_int_equal(out.len, 256);
	append(home, 1, 'b');
	strbuf_truncate(&out, 0);
	netfw_flow_log_show(directory, "vpc-1", &out);
	assert_int_equal(out.len, 384);
	assert_int_equal(out.data[256], 'b');
	/* Two files at most, each of its size; shown is the end, in whole lines, which grows. */
	for (int i = 0; i < 80; i++) {
		size_t before = out.len;

		append(home, 1000, 'c');
		strbuf_truncate(&out, 0);
		netfw_flow_log_show(directory, "vpc-1", &out);
		assert_true(out.len > before || out.len >= 256U << 10);
		assert_true(out.len <= 640U << 10);
		assert_int_equal(out.len % 128, 0);
		assert_int_equal(out.data[127], '\n');
		assert_true(size_of(home, "flow-log") <= FLOW_FILE_MAX);
	}
	assert_true(size_of(home, "flow-log.1") > FLOW_FILE_MAX / 2);
	netfw_flow_log_remove(directory, "vpc-1");
	assert_int_equal(size_of(directory, "vpc-1"), -1);
	netfw_flow_log_remove(directory, "vpc-1");
	assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
