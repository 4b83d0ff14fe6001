#include "netfw/flow_messages.h"

#include "ec2fs/util/table.h"

#include <arpa/inet.h>
#include <endian.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_log.h>

/* The attributes of a message or of one attribute, by type; only those long enough. */
#define TYPES 32
struct attributes {
	const struct nlattr *of[TYPES];
};

static void keep(struct attributes *all, const struct nlattr *a)
{
	if (mnl_attr_get_type(a) < TYPES)
		all->of[mnl_attr_get_type(a)] = a;
}

static void read_message(const struct nlmsghdr *m, struct attributes *ret)
{
	const struct nlattr *a;

	*ret = (struct attributes){0};
	mnl_attr_for_each(a, m, sizeof(struct nfgenmsg)) keep(ret, a);
}

/* Of NULL: nothing. */
static void read_nested(const struct nlattr *nest, struct attributes *ret)
{
	const struct nlattr *a;

	*ret = (struct attributes){0};
	if (nest)
		mnl_attr_for_each_nested(a, nest) keep(ret, a);
}

static bool has(const struct attributes *all, unsigned type, size_t size)
{
	return all->of[type] && mnl_attr_get_payload_len(all->of[type]) >= size;
}

static uint64_t get_u64(const struct attributes *all, unsigned type)
{
	uint64_t v = 0;

	if (has(all, type, sizeof(v)))
		memcpy(&v, mnl_attr_get_payload(all->of[type]), sizeof(v));
	return be64toh(v);
}

static uint32_t get_u32(const struct attributes *all, unsigned type)
{
	uint32_t v = 0;

	if (has(all, type, sizeof(v)))
		memcpy(&v, mnl_attr_get_payload(all->of[type]), sizeof(v));
	return ntohl(v);
}

static uint16_t get_u16(const struct attributes *all, unsigned type)
{
	uint16_t v = 0;

	if (has(all, type, sizeof(v)))
		memcpy(&v, mnl_attr_get_payload(all->of[type]), sizeof(v));
	return ntohs(v);
}

struct tuple {
	uint32_t source, destination;
	uint16_t source_port, destination_port;
	uint8_t protocol;
};

static bool read_tuple(const struct nlattr *nest, struct tuple *ret)
{
	struct attributes tuple, ip, proto;

	read_nested(nest, &tuple);
	read_nested(tuple.of[CTA_TUPLE_IP], &ip);
	read_nested(tuple.of[CTA_TUPLE_PROTO], &proto);
	if (!has(&ip, CTA_IP_V4_SRC, 4) || !has(&ip, CTA_IP_V4_DST, 4) ||
	    !has(&proto, CTA_PROTO_NUM, 1))
		return false;
	ret->source = get_u32(&ip, CTA_IP_V4_SRC);
	ret->destination = get_u32(&ip, CTA_IP_V4_DST);
	ret->protocol = mnl_attr_get_u8(proto.of[CTA_PROTO_NUM]);
	ret->source_port = get_u16(&proto, CTA_PROTO_SRC_PORT);
	ret->destination_port = get_u16(&proto, CTA_PROTO_DST_PORT);
	return true;
}

static struct flow_count read_count(const struct nlattr *nest)
{
	struct attributes c;

	read_nested(nest, &c);
	return (struct flow_count){get_u64(&c, CTA_COUNTERS_PACKETS),
				   get_u64(&c, CTA_COUNTERS_BYTES)};
}

bool flow_message_connection(const struct nlmsghdr *m, struct flow_connection *ret)
{
	bool ended = (m->nlmsg_type & 0xff) == IPCTNL_MSG_CT_DELETE;
	struct attributes a, times;
	struct tuple there, back;
	struct {
		uint32_t source, destination, id;
		uint16_t source_port, destination_port;
		uint32_t protocol;
	} key = {0};

	if (m->nlmsg_type >> 8 != NFNL_SUBSYS_CTNETLINK ||
	    mnl_nlmsg_get_payload_len(m) < sizeof(struct nfgenmsg))
		return false;
	read_message(m, &a);
	if (!read_tuple(a.of[CTA_TUPLE_ORIG], &there) || !read_tuple(a.of[CTA_TUPLE_REPLY], &back))
		return false;
	if (!ended && (get_u32(&a, CTA_STATUS) & IPS_DYING))
		return false;
	read_nested(a.of[CTA_TIMESTAMP], &times);
	key.source = there.source;
	key.destination = there.destination;
	key.source_port = there.source_port;
	key.destination_port = there.destination_port;
	key.protocol = there.protocol;
	key.id = get_u32(&a, CTA_ID);
	/* The client is who began it, the server who answers: both as they know themselves. */
	*ret = (struct flow_connection){
		.key = hash_bytes(&key, sizeof(key), 0),
		.client = there.source,
		.server = back.source,
		.client_port = there.source_port,
		.server_port = back.source_port,
		.protocol = there.protocol,
		.there = read_count(a.of[CTA_COUNTERS_ORIG]),
		.back = read_count(a.of[CTA_COUNTERS_REPLY]),
		.begin = (int64_t)(get_u64(&times, CTA_TIMESTAMP_START) / 1000000000),
	};
	return true;
}

static bool has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
	       protocol == IPPROTO_DCCP || protocol == IPPROTO_UDPLITE;
}

static bool read_packet(const uint8_t *data, size_t len, struct flow_refusal *ret)
{
	struct iphdr ip;
	uint16_t ports[2];
	size_t header;

	if (len < sizeof(ip))
		return false;
	memcpy(&ip, data, sizeof(ip));
	header = ip.ihl * 4U;
	if (ip.version != 4 || header < sizeof(ip))
		return false;
	ret->source = ntohl(ip.saddr);
	ret->destination = ntohl(ip.daddr);
	ret->protocol = ip.protocol;
	ret->bytes = ntohs(ip.tot_len);
	/* A later fragment has none. */
	if (has_ports(ip.protocol) && !(ntohs(ip.frag_off) & IP_OFFMASK) &&
	    len >= header + sizeof(ports)) {
		memcpy(ports, data + header, sizeof(ports));
		ret->source_port = ntohs(ports[0]);
		ret->destination_port = ntohs(ports[1]);
	}
	return true;
}

static bool is_text(const struct nlattr *a, const char *text)
{
	return strncmp(mnl_attr_get_payload(a), text, mnl_attr_get_payload_len(a)) == 0;
}

bool flow_message_packet(const struct nlmsghdr *m, struct flow_refusal *ret, bool *ret_counted,
			 uint32_t *ret_in, uint32_t *ret_out)
{
	struct attributes a;
	const struct nlattr *prefix, *payload;

	if (m->nlmsg_type != (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET) ||
	    mnl_nlmsg_get_payload_len(m) < sizeof(struct nfgenmsg))
		return false;
	read_message(m, &a);
	prefix = a.of[NFULA_PREFIX];
	payload = a.of[NFULA_PAYLOAD];
	*ret = (struct flow_refusal){0};
	if (!prefix || !payload ||
	    !read_packet(mnl_attr_get_payload(payload), mnl_attr_get_payload_len(payload), ret))
		return false;
	ret->out = is_text(prefix, "dropped-out");
	*ret_counted = is_text(prefix, "counted");
	*ret_in = get_u32(&a, NFULA_IFINDEX_INDEV);
	*ret_out = get_u32(&a, NFULA_IFINDEX_OUTDEV);
	return true;
}
