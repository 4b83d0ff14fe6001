/* Addresses of links, and who is behind them. */
#include "netfw/links.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

int address_add(struct rtnl *r, const struct link *l, struct netfw_cidr address,
		enum address_scope scope, struct ec2fs_error *error)
{
	struct ifaddrmsg i = {.ifa_family = AF_INET,
			      .ifa_prefixlen = address.prefix,
			      .ifa_scope =
				      scope == ADDRESS_HOST ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE,
			      .ifa_index = (uint32_t)l->index};
	struct rtnl_message m;
	char text[16];
	int got;

	rtnl_start(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &i, sizeof(i));
	mnl_attr_put_u32(&m.header, IFA_LOCAL, htonl(address.address));
	mnl_attr_put_u32(&m.header, IFA_ADDRESS, htonl(address.address));
	mnl_attr_put_u32(&m.header, IFA_FLAGS, IFA_F_NOPREFIXROUTE);
	got = rtnl_send(r, &m);
	return got < 0 ? rtnl_fail(r, got, error, "give %s the address %s", l->name,
				   rtnl_address(address.address, text))
		       : 0;
}

struct held {
	uint32_t *addresses;
	uint8_t *prefixes;
	size_t count, capacity, prefix_capacity;
	int index;
};

static void hold(void *context, const struct nlmsghdr *h)
{
	const struct ifaddrmsg *i = mnl_nlmsg_get_payload(h);
	struct held *held = context;
	const struct nlattr *a;

	if (h->nlmsg_type != RTM_NEWADDR || (int)i->ifa_index != held->index)
		return;
	mnl_attr_for_each(a, h, sizeof(*i))
	{
		if (mnl_attr_get_type(a) != IFA_LOCAL)
			continue;
		array_reserve(held->prefixes, held->count, held->prefix_capacity);
		array_reserve(held->addresses, held->count, held->capacity);
		held->prefixes[held->count] = i->ifa_prefixlen;
		held->addresses[held->count++] = ntohl(mnl_attr_get_u32(a));
	}
}

static bool contains(const uint32_t *addresses, size_t count, uint32_t address)
{
	for (size_t i = 0; i < count; i++)
		if (addresses[i] == address)
			return true;
	return false;
}

static int address_delete(struct rtnl *r, const struct link *l, uint32_t address, uint8_t prefix,
			  struct ec2fs_error *error)
{
	struct ifaddrmsg i = {
		.ifa_family = AF_INET, .ifa_prefixlen = prefix, .ifa_index = (uint32_t)l->index};
	struct rtnl_message m;
	char text[16];
	int got;

	rtnl_start(&m, RTM_DELADDR, 0, &i, sizeof(i));
	mnl_attr_put_u32(&m.header, IFA_LOCAL, htonl(address));
	got = rtnl_send(r, &m);
	return got < 0 && got != -EADDRNOTAVAIL
		       ? rtnl_fail(r, got, error, "take the address %s from %s",
				   rtnl_address(address, text), l->name)
		       : 0;
}

static int replace_addresses(struct rtnl *r, const struct link *l, const struct held *held,
			     const uint32_t *addresses, size_t count, struct ec2fs_error *error)
{
	for (size_t i = 0; i < count; i++) {
		struct netfw_cidr one = {addresses[i], 32};
		int got;

		if (contains(held->addresses, held->count, addresses[i]))
			continue;
		got = address_add(r, l, one, ADDRESS_HOST, error);
		if (got < 0)
			return got;
	}
	for (size_t i = 0; i < held->count; i++) {
		int got;

		if (held->addresses[i] >> 24 == 127 ||
		    contains(addresses, count, held->addresses[i]))
			continue;
		got = address_delete(r, l, held->addresses[i], held->prefixes[i], error);
		if (got < 0)
			return got;
	}
	return 0;
}

int addresses_set(struct rtnl *r, const struct link *l, const uint32_t *addresses, size_t count,
		  struct ec2fs_error *error)
{
	struct ifaddrmsg i = {.ifa_family = AF_INET, .ifa_index = (uint32_t)l->index};
	struct held held = {.index = l->index};
	struct rtnl_message m;
	int got;

	rtnl_start(&m, RTM_GETADDR, NLM_F_DUMP, &i, sizeof(i));
	got = rtnl_dump(r, &m, hold, &held);
	got = got < 0 ? rtnl_fail(r, got, error, "list the addresses of %s", l->name)
		      : replace_addresses(r, l, &held, addresses, count, error);
	free(held.addresses);
	free(held.prefixes);
	return got;
}

int neighbour_add(struct rtnl *r, const struct link *l, uint32_t address, const uint8_t mac[6],
		  struct ec2fs_error *error)
{
	struct ndmsg n = {
		.ndm_family = AF_INET, .ndm_ifindex = l->index, .ndm_state = NUD_PERMANENT};
	struct rtnl_message m;
	char text[16];
	int got;

	rtnl_start(&m, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &n, sizeof(n));
	mnl_attr_put_u32(&m.header, NDA_DST, htonl(address));
	mnl_attr_put(&m.header, NDA_LLADDR, 6, mac);
	got = rtnl_send(r, &m);
	return got < 0 ? rtnl_fail(r, got, error, "tell %s who %s is", l->name,
				   rtnl_address(address, text))
		       : 0;
}
