/* Connections and packets of flow logs, as the kernel's messages tell them. */
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "netfw/flow_messages.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_log.h>

#define A_TAP "tap0000000000aa"
#define B_TAP "tap0000000000bb"
#define A_IP 0x0a000105U /* 10.0.1.5 */
#define FAR 0xc6336407U  /* 198.51.100.7 */

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connection_message),
		cmocka_unit_test(test_packet_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
