/* Flow logs: what becomes of the connections and refusals of an interval. */
#include "ec2fs/util/cleanup.h"
#include "netfw/flow_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define A "eni-000000000000000aa"
#define B "eni-000000000000000bb"
#define A_TAP "tap0000000000aa"
#define B_TAP "tap0000000000bb"
#define A_IP 0x0a000105U /* 10.0.1.5 */
#define B_IP 0x0a000106U /* 10.0.1.6 */
#define FAR 0xc6336407U  /* 198.51.100.7 */

static struct flow_table *table;

static int make(void **state)
{
	static const struct netfw_cidr cidr = {0x0a000000U, 16};
	static const struct netfw_subnet subnet = {.id = "subnet-1", .cidr = {0x0a000100U, 24}};
	const struct netfw_vpc vpc = {.id = "vpc-1",
				      .cidrs = &cidr,
				      .cidr_count = 1,
				      .subnets = &subnet,
				      .subnet_count = 1};

	(void)state;
	table = flow_table_new();
	flow_table_set_vpc(table, &vpc);
	flow_table_set_interface(table, A, A_IP);
	flow_table_set_interface(table, B, B_IP);
	return 0;
}

static int end(void **state)
{
	(void)state;
	flow_table_free(table);
	return 0;
}

static void print(unsigned flows, const char *expected)
{
	const struct netfw_flow_logs what = {flows, 60, "123456789012"};
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	flow_table_print(table, &what, 1000, 1060, &out);
	assert_string_equal(strbuf_str(&out), expected);
}

#define ALL (NETFW_FLOWS_ACCEPTED | NETFW_FLOWS_REJECTED)

static struct flow_connection web(uint64_t there, uint64_t back)
{
	return (struct flow_connection){.key = 1,
					.client = FAR,
					.client_port = 40000,
					.server = A_IP,
					.server_port = 80,
					.protocol = 6,
					.there = {there, there * 100},
					.back = {back, back * 1000}};
}

/* Told by what it has counted since it began; logged by what was new. */
static void test_growing(void **state)
{
	struct flow_connection c = web(3, 2);

	(void)state;
	flow_table_connection(table, &c, false, 1010);
	flow_table_sweep(table);
	print(ALL,
	      "2 123456789012 " A " 198.51.100.7 10.0.1.5 40000 80 6 3 300 1010 1010 ACCEPT OK\n"
	      "2 123456789012 " A " 10.0.1.5 198.51.100.7 80 40000 6 2 2000 1010 1010 ACCEPT OK\n");
	flow_table_connection(table, &c, false, 1020);
	flow_table_sweep(table);
	print(ALL, "");
	c = web(4, 2);
	c.begin = 900; /* before the interval */
	flow_table_ended(table, &c, 1070);
	print(ALL,
	      "2 123456789012 " A " 198.51.100.7 10.0.1.5 40000 80 6 1 100 1000 1060 ACCEPT OK\n");
	/* Another one of the same addresses: its counters begin anew. */
	c = web(1, 0);
	flow_table_ended(table, &c, 1050);
	print(ALL,
	      "2 123456789012 " A " 198.51.100.7 10.0.1.5 40000 80 6 1 100 1050 1050 ACCEPT OK\n");
}

static void test_known_before(void **state)
{
	struct flow_connection c = web(1000, 1000);

	(void)state;
	flow_table_connection(table, &c, true, 1010);
	flow_table_sweep(table);
	print(ALL, "");
	c = web(1001, 1000);
	flow_table_connection(table, &c, false, 1010);
	print(NETFW_FLOWS_REJECTED, "");
	c = web(1003, 1000);
	flow_table_connection(table, &c, false, 1010);
	print(NETFW_FLOWS_ACCEPTED,
	      "2 123456789012 " A " 198.51.100.7 10.0.1.5 40000 80 6 2 200 1010 1010 ACCEPT OK\n");
}

/* Two interfaces of the VPC: each sees both directions. */
static void test_inside(void **state)
{
	struct flow_connection c = {.key = 2,
				    .client = A_IP,
				    .server = B_IP,
				    .protocol = 1,
				    .there = {1, 84},
				    .back = {1, 84}};

	(void)state;
	flow_table_ended(table, &c, 1001);
	print(ALL, "2 123456789012 " A " 10.0.1.5 10.0.1.6 0 0 1 1 84 1001 1001 ACCEPT OK\n"
		   "2 123456789012 " A " 10.0.1.6 10.0.1.5 0 0 1 1 84 1001 1001 ACCEPT OK\n"
		   "2 123456789012 " B " 10.0.1.5 10.0.1.6 0 0 1 1 84 1001 1001 ACCEPT OK\n"
		   "2 123456789012 " B " 10.0.1.6 10.0.1.5 0 0 1 1 84 1001 1001 ACCEPT OK\n");
}

static void test_silent_services(void **state)
{
	static const uint32_t services[] = {0xa9fea9feU, 0xa9fea9fdU, 0xa9fea97bU, 0x0a000101U,
					    0x0a000102U, 0x0a000002U, 0xffffffffU};
	struct flow_connection c = {
		.client = A_IP, .protocol = 17, .there = {1, 60}, .back = {1, 60}};

	(void)state;
	for (size_t i = 0; i < sizeof(services) / sizeof(*services); i++) {
		struct flow_refusal p = {.source = A_IP, .destination = services[i], .out = true};

		c.server = services[i];
		flow_table_ended(table, &c, 1001);
		flow_table_refused(table, &p, 1001);
	}
	c.server = B_IP;
	c.client_port = 68;
	c.server_port = 67;
	flow_table_ended(table, &c, 1001);
	print(ALL, "");
	/* The block's address in another subnet's place is a host like any other. */
	c.server = 0x0a000202U;
	c.server_port = 53;
	c.back.packets = 0;
	flow_table_ended(table, &c, 1001);
	print(ALL, "2 123456789012 " A " 10.0.1.5 10.0.2.2 68 53 17 1 60 1001 1001 ACCEPT OK\n");
}

static struct flow_refusal ping(bool out)
{
	return (struct flow_refusal){.source = A_IP,
				     .destination = B_IP,
				     .protocol = 1,
				     .bytes = 84,
				     .out = out,
				     .in_tap = A_TAP,
				     .out_tap = B_TAP};
}

static void test_refused(void **state)
{
	struct flow_refusal out = ping(true), in = ping(false);

	(void)state;
	flow_table_refused(table, &out, 1001);
	flow_table_refused(table, &out, 1003);
	print(ALL, "2 123456789012 " A " 10.0.1.5 10.0.1.6 0 0 1 2 168 1001 1003 REJECT OK\n");
	flow_table_refused(table, &in, 1001);
	print(ALL, "2 123456789012 " B " 10.0.1.5 10.0.1.6 0 0 1 1 84 1001 1001 REJECT OK\n"
		   "2 123456789012 " A " 10.0.1.5 10.0.1.6 0 0 1 1 84 1001 1001 ACCEPT OK\n");
	flow_table_refused(table, &in, 1001);
	print(NETFW_FLOWS_REJECTED,
	      "2 123456789012 " B " 10.0.1.5 10.0.1.6 0 0 1 1 84 1001 1001 REJECT OK\n");
}

/* What a router passes on shows under its own address. */
static void test_router(void **state)
{
	struct flow_refusal in = ping(false), out = ping(true);

	(void)state;
	in.destination = FAR;
	flow_table_refused(table, &in, 1001);
	out.source = FAR;
	flow_table_refused(table, &out, 1001);
	print(NETFW_FLOWS_REJECTED,
	      "2 123456789012 " B " 10.0.1.5 10.0.1.6 0 0 1 1 84 1001 1001 REJECT OK\n"
	      "2 123456789012 " A " 10.0.1.5 10.0.1.6 0 0 1 1 84 1001 1001 REJECT OK\n");
}

/* The connection counts a packet that its receiver's ACL refuses. */
static void test_counted(void **state)
{
	struct flow_refusal in = ping(false);
	struct flow_connection c = {
		.key = 3, .client = A_IP, .server = B_IP, .protocol = 1, .there = {5, 420}};

	(void)state;
	for (int i = 0; i < 2; i++) {
		flow_table_counted(table, &in, 1002);
		flow_table_refused(table, &in, 1002);
	}
	flow_table_connection(table, &c, false, 1050);
	flow_table_sweep(table);
	print(ALL, "2 123456789012 " A " 10.0.1.5 10.0.1.6 0 0 1 5 420 1002 1050 ACCEPT OK\n"
		   "2 123456789012 " B " 10.0.1.5 10.0.1.6 0 0 1 3 252 1002 1050 ACCEPT OK\n"
		   "2 123456789012 " B " 10.0.1.5 10.0.1.6 0 0 1 2 168 1002 1002 REJECT OK\n");
	/* Refused in this interval, and counted in the next. */
	flow_table_counted(table, &in, 1058);
	flow_table_refused(table, &in, 1058);
	print(NETFW_FLOWS_ACCEPTED, "");
	c.there = (struct flow_count){6, 504};
	flow_table_connection(table, &c, false, 1050);
	print(NETFW_FLOWS_ACCEPTED,
	      "2 123456789012 " A " 10.0.1.5 10.0.1.6 0 0 1 1 84 1050 1050 ACCEPT OK\n");
	/* It waits no longer. */
	flow_table_counted(table, &in, 1058);
	print(ALL, "");
	print(ALL, "");
	c.there = (struct flow_count){7, 588};
	c.server = FAR;
	flow_table_connection(table, &c, false, 1050);
	print(ALL, "2 123456789012 " A " 10.0.1.5 198.51.100.7 0 0 1 1 84 1050 1050 ACCEPT OK\n");
}

/* An interface that goes is told once more; who gets its address is another. */
static void test_leaving(void **state)
{
	struct flow_connection c = web(1, 0);

	(void)state;
	flow_table_drop_interface(table, A);
	flow_table_ended(table, &c, 1001);
	flow_table_set_interface(table, "eni-cc", A_IP);
	flow_table_ended(table, &c, 1001);
	print(ALL,
	      "2 123456789012 " A " 198.51.100.7 10.0.1.5 40000 80 6 1 100 1001 1001 ACCEPT OK\n"
	      "2 123456789012 eni-cc 198.51.100.7 10.0.1.5 40000 80 6 1 100 1001 1001 ACCEPT OK\n");
	flow_table_drop_interface(table, "eni-cc");
	print(ALL, "");
	flow_table_ended(table, &c, 1001);
	print(ALL, "");
	flow_table_drop_interface(table, "eni-none");
}

static void test_bounds(void **state)
{
	const struct netfw_flow_logs what = {ALL, 60, "1"};
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct flow_refusal p = ping(true);
	size_t lines = 0;

	(void)state;
	p.protocol = 17;
	for (unsigned i = 0; i < FLOWS_MAX + 10; i++) {
		p.source_port = (uint16_t)i;
		p.destination_port = (uint16_t)(i >> 16);
		flow_table_refused(table, &p, 1001);
	}
	flow_table_print(table, &what, 1000, 1060, &out);
	for (const char *s = strbuf_str(&out); *s; s++)
		lines += *s == '\n';
	assert_int_equal(lines, FLOWS_MAX + 1);
	assert_string_equal(strstr(strbuf_str(&out), "2 1 -"),
			    "2 1 - - - - - - - - 1000 1060 - SKIPDATA\n");
	print(ALL, "");
	flow_table_lost(table);
	print(ALL, "2 123456789012 - - - - - - - - 1000 1060 - SKIPDATA\n");
	/* More connections than are followed. */
	for (uint64_t i = 0; i <= CONNECTIONS_MAX; i++) {
		struct flow_connection c = {.key = i, .client = FAR, .server = FAR};

		flow_table_connection(table, &c, false, 1001);
	}
	print(ALL, "2 123456789012 - - - - - - - - 1000 1060 - SKIPDATA\n");
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, make, end)
	const struct CMUnitTest tests[] = {
		test(test_growing),         test(test_known_before), test(test_inside),
		test(test_silent_services), test(test_refused),      test(test_router),
		test(test_counted),         test(test_leaving),      test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
