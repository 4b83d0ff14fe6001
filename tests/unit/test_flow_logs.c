/* Flow logs: what an interval's connections and refusals become, the kernel's messages, the file.
 */
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "netfw/flow_file.h"
#include "netfw/flow_messages.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_log.h>

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

/* Messages as the kernel sends them. */

static struct nlmsghdr *start(char *buffer, unsigned subsystem, unsigned type)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(m, sizeof(*g));

	m->nlmsg_type = (uint16_t)(subsystem << 8 | type);
	g->nfgen_family = AF_INET;
	return m;
}

static void put_tuple(struct nlmsghdr *m, uint16_t type, uint32_t source, uint32_t destination,
		      uint16_t source_port, uint16_t destination_port)
{
	struct nlattr *tuple = mnl_attr_nest_start(m, type), *part;

	part = mnl_attr_nest_start(m, CTA_TUPLE_IP);
	mnl_attr_put_u32(m, CTA_IP_V4_SRC, htonl(source));
	mnl_attr_put_u32(m, CTA_IP_V4_DST, htonl(destination));
	mnl_attr_nest_end(m, part);
	part = mnl_attr_nest_start(m, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(m, CTA_PROTO_NUM, 6);
	mnl_attr_put_u16(m, CTA_PROTO_SRC_PORT, htons(source_port));
	mnl_attr_put_u16(m, CTA_PROTO_DST_PORT, htons(destination_port));
	mnl_attr_nest_end(m, part);
	mnl_attr_nest_end(m, tuple);
}

static void put_count(struct nlmsghdr *m, uint16_t type, uint32_t packets, uint32_t bytes)
{
	struct nlattr *nest = mnl_attr_nest_start(m, type);

	mnl_attr_put_u64(m, CTA_COUNTERS_PACKETS, (uint64_t)htonl(packets) << 32);
	mnl_attr_put_u64(m, CTA_COUNTERS_BYTES, (uint64_t)htonl(bytes) << 32);
	mnl_attr_nest_end(m, nest);
}

static void test_connection_message(void **state)
{
	char buffer[1024];
	struct nlmsghdr *m = start(buffer, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE);
	struct flow_connection c;

	(void)state;
	/* A guest of a public address: what comes for it is translated. */
	put_tuple(m, CTA_TUPLE_ORIG, FAR, 0xcb007105U, 40000, 80);
	put_tuple(m, CTA_TUPLE_REPLY, A_IP, FAR, 80, 40000);
	put_count(m, CTA_COUNTERS_ORIG, 3, 300);
	put_count(m, CTA_COUNTERS_REPLY, 2, 2000);
	assert_true(flow_message_connection(m, &c));
	assert_int_equal(c.client, FAR);
	assert_int_equal(c.server, A_IP);
	assert_int_equal(c.client_port, 40000);
	assert_int_equal(c.server_port, 80);
	assert_int_equal(c.protocol, 6);
	assert_int_equal(c.there.packets, 3);
	assert_int_equal(c.there.bytes, 300);
	assert_int_equal(c.back.bytes, 2000);
	/* A dump tells also those that end just now; they come again, as ended. */
	mnl_attr_put_u32(m, CTA_STATUS, htonl(1 << 9));
	assert_true(flow_message_connection(m, &c));
	m->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW;
	assert_false(flow_message_connection(m, &c));
	/* Nothing in it, and half of it. */
	m = start(buffer, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE);
	assert_false(flow_message_connection(m, &c));
	put_tuple(m, CTA_TUPLE_ORIG, FAR, A_IP, 1, 2);
	assert_false(flow_message_connection(m, &c));
}

static struct nlmsghdr *packet(char *buffer, const char *prefix, const void *data, size_t len)
{
	struct nlmsghdr *m = start(buffer, NFNL_SUBSYS_ULOG, NFULNL_MSG_PACKET);

	mnl_attr_put_strz(m, NFULA_PREFIX, prefix);
	mnl_attr_put_u32(m, NFULA_IFINDEX_INDEV, htonl(7));
	mnl_attr_put(m, NFULA_PAYLOAD, len, data);
	return m;
}

static void test_packet_message(void **state)
{
	static const uint8_t udp[] = {0x45, 0, 0, 40, 0,   0,  0,   0, 64,   17,   0, 0,
				      10,   0, 1, 5,  198, 51, 100, 7, 0x9c, 0x40, 0, 53};
	uint8_t changed[sizeof(udp)];
	char buffer[1024];
	struct flow_refusal p;
	uint32_t in, out;
	bool counted;

	(void)state;
	assert_true(flow_message_packet(packet(buffer, "dropped-out", udp, sizeof(udp)), &p,
					&counted, &in, &out));
	assert_int_equal(p.source, A_IP);
	assert_int_equal(p.destination, FAR);
	assert_int_equal(p.source_port, 40000);
	assert_int_equal(p.destination_port, 53);
	assert_int_equal(p.bytes, 40);
	assert_true(p.out);
	assert_false(counted);
	assert_int_equal(in, 7);
	assert_int_equal(out, 0);
	assert_true(flow_message_packet(packet(buffer, "counted", udp, sizeof(udp)), &p, &counted,
					&in, &out));
	assert_true(counted);
	/* Cut short: no ports; no header; not IPv4; a later fragment. */
	assert_true(flow_message_packet(packet(buffer, "dropped-in", udp, 22), &p, &counted, &in,
					&out));
	assert_int_equal(p.destination_port, 0);
	assert_false(p.out);
	assert_false(flow_message_packet(packet(buffer, "dropped-in", udp, 19), &p, &counted, &in,
					 &out));
	memcpy(changed, udp, sizeof(udp));
	changed[0] = 0x65;
	assert_false(flow_message_packet(packet(buffer, "dropped-in", changed, sizeof(changed)), &p,
					 &counted, &in, &out));
	changed[0] = 0x44;
	assert_false(flow_message_packet(packet(buffer, "dropped-in", changed, sizeof(changed)), &p,
					 &counted, &in, &out));
	changed[0] = 0x4f; /* options that are not there */
	assert_true(flow_message_packet(packet(buffer, "dropped-in", changed, sizeof(changed)), &p,
					&counted, &in, &out));
	assert_int_equal(p.source_port, 0);
	changed[0] = 0x45;
	changed[7] = 1;
	assert_true(flow_message_packet(packet(buffer, "dropped-in", changed, sizeof(changed)), &p,
					&counted, &in, &out));
	assert_int_equal(p.source_port, 0);
}

/* The file. */

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
#define test(name) cmocka_unit_test_setup_teardown(name, make, end)
	const struct CMUnitTest tests[] = {
		test(test_growing),
		test(test_known_before),
		test(test_inside),
		test(test_silent_services),
		test(test_refused),
		test(test_router),
		test(test_counted),
		test(test_leaving),
		test(test_bounds),
		cmocka_unit_test(test_connection_message),
		cmocka_unit_test(test_packet_message),
		cmocka_unit_test(test_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
