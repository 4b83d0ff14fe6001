/* Does a guest answer? Asked by ARP, as EC2's instance status check does, on its own tap. */
#include "netfw/internal.h"

#include "ec2fs/util/cleanup.h"
#include "netfw/describe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define TRIES 4
#define PATIENCE 250 /* milliseconds a try */

struct question {
	int link;
	uint8_t router_mac[6], mac[6];
	uint32_t router, address;
};

/* Who is to be asked, and a socket to ask with, so that the VPC need not stay locked. */
static int prepare(struct vpc *v, const char *interface_id, struct question *q, int *ret_fd,
		   struct ec2fs_error *error)
{
	const struct interface *i = v->known ? vpc_find(v, interface_id) : NULL;
	const struct netfw_subnet *s = i ? describe_subnet(v->is, i->is->subnet) : NULL;
	struct link tap;
	int r;

	if (!s)
		return ec2fs_fail_errno(error, ENOENT, EC2_InternalError, "%s has no interface %s",
					v->id, interface_id);
	r = link_get(&v->ns.rtnl, i->tap, &tap, error);
	if (r == -ENODEV)
		return ec2fs_fail_errno(error, ENOENT, EC2_InternalError, "%s has no tap %s", v->id,
					i->tap);
	if (r < 0)
		return r;
	q->link = tap.index;
	memcpy(q->router_mac, tap.mac, sizeof(q->router_mac));
	memcpy(q->mac, i->is->mac, sizeof(q->mac));
	q->router = s->cidr.address + 1;
	q->address = i->is->address;
	*ret_fd = netns_socket(v->ns.fd, AF_PACKET, SOCK_DGRAM, 0);
	return *ret_fd < 0 ? ec2fs_fail(error, EC2_InternalError, "cannot ask by ARP in %s: %s",
					v->id, strerror(-*ret_fd))
			   : 0;
}

static struct sockaddr_ll to_all(const struct question *q)
{
	struct sockaddr_ll a = {.sll_family = AF_PACKET,
				.sll_protocol = htons(ETH_P_ARP),
				.sll_ifindex = q->link,
				.sll_halen = ETH_ALEN};

	memset(a.sll_addr, 0xff, ETH_ALEN);
	return a;
}

static void make_request(const struct question *q, struct ether_arp *arp)
{
	uint32_t router = htonl(q->router), address = htonl(q->address);

	*arp = (struct ether_arp){.ea_hdr = {.ar_hrd = htons(ARPHRD_ETHER),
					     .ar_pro = htons(ETHERTYPE_IP),
					     .ar_hln = ETH_ALEN,
					     .ar_pln = 4,
					     .ar_op = htons(ARPOP_REQUEST)}};
	memcpy(arp->arp_sha, q->router_mac, sizeof(arp->arp_sha));
	memcpy(arp->arp_spa, &router, sizeof(arp->arp_spa));
	memcpy(arp->arp_tpa, &address, sizeof(arp->arp_tpa));
}

static bool is_answer(const struct question *q, const struct ether_arp *arp, ssize_t len)
{
	uint32_t address = htonl(q->address);

	return len >= (ssize_t)sizeof(*arp) && arp->ea_hdr.ar_op == htons(ARPOP_REPLY) &&
	       memcmp(arp->arp_spa, &address, sizeof(arp->arp_spa)) == 0 &&
	       memcmp(arp->arp_sha, q->mac, sizeof(arp->arp_sha)) == 0;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Reads what comes until the answer does; the guest may send other ARP packets, as many as it
 * likes. */
static bool await_answer(int fd, const struct question *q)
{
	int64_t end = now_ms() + PATIENCE, left;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct ether_arp arp;

	while ((left = end - now_ms()) > 0) {
		if (poll(&p, 1, (int)left) > 0 &&
		    is_answer(q, &arp, recv(fd, &arp, sizeof(arp), MSG_DONTWAIT)))
			return true;
	}
	return false;
}

static int ask(int fd, const struct question *q, struct ec2fs_error *error)
{
	struct sockaddr_ll all = to_all(q);
	struct ether_arp request;

	if (bind(fd, (const struct sockaddr *)&all, sizeof(all)) < 0)
		return ec2fs_fail(error, EC2_InternalError, "cannot ask by ARP: %s",
				  strerror(errno));
	make_request(q, &request);
	for (int i = 0; i < TRIES; i++) {
		/* Not sent: its tap is down, and nobody answers. */
		(void)sendto(fd, &request, sizeof(request), 0, (const struct sockaddr *)&all,
			     sizeof(all));
		if (await_answer(fd, q))
			return 1;
	}
	return 0;
}

int netfw_probe(struct netfw *n, const char *vpc, const char *interface_id,
		struct ec2fs_error *error)
{
	struct vpc *v = vpc_acquire(n, vpc);
	cleanup_close int fd = -1;
	struct question q;
	int r = prepare(v, interface_id, &q, &fd, error);

	vpc_release(v);
	return r < 0 ? r : ask(fd, &q, error);
}
