/* Taps: made where the hypervisor opens them, moved into the VPC, taken away wherever they are. */
#include "netfw/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* In the hypervisor's namespace. Without an owner or group only the privileged may open it, as
 * libvirtd does for its QEMU. */
static int make_tap(const char *name)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), r = 0;

	if (fd < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &request) < 0 || ioctl(fd, TUNSETPERSIST, 1) < 0)
		r = -errno;
	close(fd);
	return r;
}

static int create(struct netfw *n, const char *name, struct ec2fs_error *error)
{
	cleanup_netns int back = -1;
	struct link tap;
	int r;

	pthread_mutex_lock(&n->taps_mutex);
	r = link_get(&n->hypervisor.rtnl, name, &tap, error);
	pthread_mutex_unlock(&n->taps_mutex);
	if (r != -ENODEV)
		return r;
	r = netns_enter(n->hypervisor.fd, &back);
	if (r == 0)
		r = make_tap(name);
	if (r < 0)
		return ec2fs_fail(error,
				  r == -EPERM ? EC2_OperationNotPermitted : EC2_InternalError,
				  "cannot make the tap %s: %s", name, strerror(-r));
	return 0;
}

/* Is it in that VPC? 1: yes. */
static int in_vpc(struct vpc *v, const char *name, struct ec2fs_error *error)
{
	struct link tap;
	int r = vpc_open(v, error);

	if (r == 0)
		r = link_get(&v->ns.rtnl, name, &tap, error);
	return r == -ENOENT || r == -ENODEV ? 0 : r < 0 ? r : 1;
}

int netfw_tap_create(struct netfw *n, const char *interface_id, struct ec2fs_error *error)
{
	char name[16], id[64];
	int r = 0;

	netfw_tap_name(interface_id, name);
	if (vpc_of_interface(n, interface_id, id)) {
		struct vpc *v = vpc_acquire(n, id);

		r = in_vpc(v, name, error);
		vpc_release(v);
	}
	if (r == 0)
		r = create(n, name, error);
	return r < 0 ? r : 0;
}

/* From the hypervisor's namespace to the VPC's. */
static int fetch(struct vpc *v, const char *name, struct ec2fs_error *error)
{
	struct netfw *n = v->netfw;
	struct link tap;
	int r;

	pthread_mutex_lock(&n->taps_mutex);
	r = link_get(&n->hypervisor.rtnl, name, &tap, error);
	if (r == 0)
		r = link_move(&n->hypervisor.rtnl, &tap, v->ns.fd, error);
	pthread_mutex_unlock(&n->taps_mutex);
	if (r == -ENODEV)
		r = ec2fs_fail(error, EC2_InternalError, "there is no tap %s", name);
	return r;
}

static int attach(struct vpc *v, const char *interface_id, struct ec2fs_error *error)
{
	const struct interface *i = vpc_find(v, interface_id);
	struct link tap;
	int r;

	if (!v->known || !i)
		return ec2fs_fail(error, EC2_InternalError,
				  "%s has no rules for %s yet: its tap stays outside", v->id,
				  interface_id);
	r = link_get(&v->ns.rtnl, i->tap, &tap, error);
	if (r == -ENODEV) {
		r = fetch(v, i->tap, error);
		if (r == 0)
			r = link_get(&v->ns.rtnl, i->tap, &tap, error);
		if (r == -ENODEV)
			r = ec2fs_fail(error, EC2_InternalError, "the tap %s is gone", i->tap);
	}
	if (r == 0)
		r = interface_connect(v, i, &tap, error);
	if (r == 0 && routing_uses(v, interface_id))
		r = routing_sync(v, v->is, error);
	return r;
}

int netfw_tap_attach(struct netfw *n, const char *vpc, const char *interface_id,
		     struct ec2fs_error *error)
{
	struct vpc *v = vpc_acquire(n, vpc);
	int r = attach(v, interface_id, error);

	vpc_release(v);
	return r;
}

static int delete (struct rtnl *r, const char *name, struct ec2fs_error *error)
{
	struct link tap;
	int got = link_get(r, name, &tap, error);

	if (got == -ENODEV)
		return 0;
	return got < 0 ? got : link_delete(r, tap.index, name, error);
}

int netfw_stats(struct netfw *n, const char *vpc, const char *interface_id, struct netfw_stats *ret,
		struct ec2fs_error *error)
{
	struct vpc *v = vpc_acquire(n, vpc);
	struct link_stats s;
	char name[16];
	int r = vpc_open(v, error);

	netfw_tap_name(interface_id, name);
	if (r == 0)
		r = link_get_stats(&v->ns.rtnl, name, &s, error);
	vpc_release(v);
	if (r < 0)
		return r == -ENODEV ? -ENOENT : r;
	/* What the namespace received, the instance sent. */
	*ret = (struct netfw_stats){s.sent_bytes, s.sent_packets, s.received_bytes,
				    s.received_packets};
	return 0;
}

int netfw_tap_remove(struct netfw *n, const char *vpc, const char *interface_id,
		     struct ec2fs_error *error)
{
	struct vpc *v = vpc_acquire(n, vpc);
	char name[16];
	int r = vpc_open(v, error);

	netfw_tap_name(interface_id, name);
	if (r == 0)
		r = delete (&v->ns.rtnl, name, error);
	vpc_release(v);
	if (r < 0 && r != -ENOENT)
		return r;
	pthread_mutex_lock(&n->taps_mutex);
	r = delete (&n->hypervisor.rtnl, name, error);
	pthread_mutex_unlock(&n->taps_mutex);
	return r;
}
