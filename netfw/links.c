/* Links of a network namespace. */
#include "netfw/links.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <string.h>
#include <sys/socket.h>

static const uint8_t link_mac[6] = {0x02, 0xec, 0x2f, 0x00, 0x00, 0x01};

static void copy_text(char *to, size_t size, const struct nlattr *a)
{
	size_t len = mnl_attr_get_payload_len(a);

	if (len >= size)
		len = size - 1;
	memcpy(to, mnl_attr_get_payload(a), len);
	to[len] = '\0';
}

static void parse(const struct nlmsghdr *h, struct link *l)
{
	const struct ifinfomsg *i = mnl_nlmsg_get_payload(h);
	const struct nlattr *a, *inner;

	*l = (struct link){.index = i->ifi_index, .up = i->ifi_flags & IFF_UP};
	mnl_attr_for_each(a, h, sizeof(*i))
	{
		switch (mnl_attr_get_type(a)) {
		case IFLA_IFNAME:
			copy_text(l->name, sizeof(l->name), a);
			break;
		case IFLA_MTU:
			l->mtu = mnl_attr_get_u32(a);
			break;
		case IFLA_IFALIAS:
			copy_text(l->alias, sizeof(l->alias), a);
			break;
		case IFLA_LINK:
			l->peer = (int)mnl_attr_get_u32(a);
			break;
		case IFLA_ADDRESS:
			if (mnl_attr_get_payload_len(a) == sizeof(l->mac))
				memcpy(l->mac, mnl_attr_get_payload(a), sizeof(l->mac));
			break;
		case IFLA_LINKINFO:
			mnl_attr_for_each_nested(inner, a)
			{
				if (mnl_attr_get_type(inner) == IFLA_INFO_KIND)
					copy_text(l->kind, sizeof(l->kind), inner);
			}
			break;
		default:
			break;
		}
	}
}

static void take(void *context, const struct nlmsghdr *h)
{
	if (h->nlmsg_type == RTM_NEWLINK)
		parse(h, context);
}

int link_get(struct rtnl *r, const char *name, struct link *ret, struct ec2fs_error *error)
{
	struct ifinfomsg i = {.ifi_family = AF_UNSPEC};
	struct link l = {0};
	struct rtnl_message m;
	int got;

	rtnl_start(&m, RTM_GETLINK, 0, &i, sizeof(i));
	mnl_attr_put_strz(&m.header, IFLA_IFNAME, name);
	mnl_attr_put_u32(&m.header, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	got = rtnl_ask(r, &m, take, &l);
	if (got == -ENODEV)
		return got;
	if (got < 0)
		return rtnl_fail(r, got, error, "look at the link %s", name);
	*ret = l;
	return 0;
}

static void take_stats(void *context, const struct nlmsghdr *h)
{
	struct rtnl_link_stats64 s = {0};
	struct link_stats *to = context;
	const struct nlattr *a;

	if (h->nlmsg_type != RTM_NEWLINK)
		return;
	mnl_attr_for_each(a, h, sizeof(struct ifinfomsg))
	{
		size_t len = mnl_attr_get_payload_len(a);

		if (mnl_attr_get_type(a) == IFLA_STATS64)
			memcpy(&s, mnl_attr_get_payload(a), len < sizeof(s) ? len : sizeof(s));
	}
	*to = (struct link_stats){s.rx_bytes, s.rx_packets, s.tx_bytes, s.tx_packets};
}

int link_get_stats(struct rtnl *r, const char *name, struct link_stats *ret,
		   struct ec2fs_error *error)
{
	struct ifinfomsg i = {.ifi_family = AF_UNSPEC};
	struct link_stats stats = {0};
	struct rtnl_message m;
	int got;

	rtnl_start(&m, RTM_GETLINK, 0, &i, sizeof(i));
	mnl_attr_put_strz(&m.header, IFLA_IFNAME, name);
	got = rtnl_ask(r, &m, take_stats, &stats);
	if (got == -ENODEV)
		return got;
	if (got < 0)
		return rtnl_fail(r, got, error, "read the statistics of %s", name);
	*ret = stats;
	return 0;
}

struct listing {
	void (*each)(void *context, const struct link *l);
	void *context;
};

static void list_one(void *context, const struct nlmsghdr *h)
{
	struct listing *listing = context;
	struct link l;

	if (h->nlmsg_type != RTM_NEWLINK)
		return;
	parse(h, &l);
	listing->each(listing->context, &l);
}

int link_list(struct rtnl *r, void (*each)(void *context, const struct link *l), void *context,
	      struct ec2fs_error *error)
{
	struct listing listing = {each, context};
	struct ifinfomsg i = {.ifi_family = AF_UNSPEC};
	struct rtnl_message m;
	int got;

	rtnl_start(&m, RTM_GETLINK, NLM_F_DUMP, &i, sizeof(i));
	mnl_attr_put_u32(&m.header, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	got = rtnl_dump(r, &m, list_one, &listing);
	return got < 0 ? rtnl_fail(r, got, error, "list the links") : 0;
}

int link_add_veth(struct rtnl *r, const char *name, int peer_fd, const char *peer_name,
		  struct ec2fs_error *error)
{
	struct ifinfomsg i = {.ifi_family = AF_UNSPEC};
	struct nlattr *info, *data, *peer;
	struct rtnl_message m;
	int got;

	rtnl_start(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &i, sizeof(i));
	mnl_attr_put_strz(&m.header, IFLA_IFNAME, name);
	mnl_attr_put(&m.header, IFLA_ADDRESS, sizeof(link_mac), link_mac);
	info = mnl_attr_nest_start(&m.header, IFLA_LINKINFO);
	mnl_attr_put_strz(&m.header, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(&m.header, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(&m.header, VETH_INFO_PEER);
	memcpy(mnl_nlmsg_put_extra_header(&m.header, sizeof(i)), &i, sizeof(i));
	mnl_attr_put_strz(&m.header, IFLA_IFNAME, peer_name);
	mnl_attr_put(&m.header, IFLA_ADDRESS, sizeof(link_mac), link_mac);
	mnl_attr_put_u32(&m.header, IFLA_NET_NS_FD, (uint32_t)peer_fd);
	mnl_attr_nest_end(&m.header, peer);
	mnl_attr_nest_end(&m.header, data);
	mnl_attr_nest_end(&m.header, info);
	got = rtnl_send(r, &m);
	return got < 0 ? rtnl_fail(r, got, error, "make the link %s (%s)", name, peer_name) : 0;
}

int link_delete(struct rtnl *r, int index, const char *name, struct ec2fs_error *error)
{
	struct ifinfomsg i = {.ifi_family = AF_UNSPEC, .ifi_index = index};
	struct rtnl_message m;
	int got;

	rtnl_start(&m, RTM_DELLINK, 0, &i, sizeof(i));
	got = rtnl_send(r, &m);
	return got < 0 && got != -ENODEV ? rtnl_fail(r, got, error, "delete the link %s", name) : 0;
}

static void start_change(struct rtnl_message *m, const struct link *l, unsigned flags,
			 unsigned change)
{
	struct ifinfomsg i = {.ifi_family = AF_UNSPEC,
			      .ifi_index = l->index,
			      .ifi_flags = flags,
			      .ifi_change = change};

	rtnl_start(m, RTM_NEWLINK, 0, &i, sizeof(i));
}

static int change(struct rtnl *r, struct rtnl_message *m, const char *what, const struct link *l,
		  struct ec2fs_error *error)
{
	int got = rtnl_send(r, m);

	return got < 0 ? rtnl_fail(r, got, error, "%s the link %s", what, l->name) : 0;
}

int link_set_alias(struct rtnl *r, const struct link *l, const char *alias,
		   struct ec2fs_error *error)
{
	struct rtnl_message m;

	start_change(&m, l, 0, 0);
	mnl_attr_put(&m.header, IFLA_IFALIAS, strlen(alias), alias);
	return change(r, &m, "name", l, error);
}

int link_set_mtu(struct rtnl *r, const struct link *l, unsigned mtu, struct ec2fs_error *error)
{
	struct rtnl_message m;

	if (l->mtu == mtu)
		return 0;
	start_change(&m, l, 0, 0);
	mnl_attr_put_u32(&m.header, IFLA_MTU, mtu);
	return change(r, &m, "set the MTU of", l, error);
}

int link_move(struct rtnl *r, const struct link *l, int fd, struct ec2fs_error *error)
{
	struct rtnl_message m;

	start_change(&m, l, 0, 0);
	mnl_attr_put_u32(&m.header, IFLA_NET_NS_FD, (uint32_t)fd);
	return change(r, &m, "move", l, error);
}

int link_up(struct rtnl *r, const struct link *l, struct ec2fs_error *error)
{
	struct rtnl_message m;

	start_change(&m, l, IFF_UP, IFF_UP);
	return change(r, &m, "bring up", l, error);
}

int link_down(struct rtnl *r, const struct link *l, struct ec2fs_error *error)
{
	struct rtnl_message m;

	start_change(&m, l, 0, IFF_UP);
	return change(r, &m, "take down", l, error);
}

int link_set_rp_filter(struct rtnl *r, const struct link *l, enum rp_filter mode,
		       struct ec2fs_error *error)
{
	struct nlattr *families, *inet, *settings;
	struct rtnl_message m;

	start_change(&m, l, 0, 0);
	families = mnl_attr_nest_start(&m.header, IFLA_AF_SPEC);
	inet = mnl_attr_nest_start(&m.header, AF_INET);
	settings = mnl_attr_nest_start(&m.header, IFLA_INET_CONF);
	mnl_attr_put_u32(&m.header, IPV4_DEVCONF_RP_FILTER, (uint32_t)mode);
	mnl_attr_nest_end(&m.header, settings);
	mnl_attr_nest_end(&m.header, inet);
	mnl_attr_nest_end(&m.header, families);
	return change(r, &m, "set rp_filter of", l, error);
}

int link_answer_at_once(struct rtnl *r, const struct link *l, struct ec2fs_error *error)
{
	struct ndtmsg n = {.ndtm_family = AF_INET};
	struct nlattr *parameters;
	struct rtnl_message m;

	rtnl_start(&m, RTM_SETNEIGHTBL, 0, &n, sizeof(n));
	mnl_attr_put_strz(&m.header, NDTA_NAME, "arp_cache");
	parameters = mnl_attr_nest_start(&m.header, NDTA_PARMS);
	mnl_attr_put_u32(&m.header, NDTPA_IFINDEX, (uint32_t)l->index);
	mnl_attr_put_u64(&m.header, NDTPA_PROXY_DELAY, 0);
	mnl_attr_nest_end(&m.header, parameters);
	return change(r, &m, "set proxy_delay of", l, error);
}

int link_ready(struct rtnl *r, const struct link *l, uint32_t far, struct ec2fs_error *error)
{
	int got = l->up ? 0 : link_up(r, l, error);

	return got < 0 ? got : neighbour_add(r, l, far, link_mac, error);
}
