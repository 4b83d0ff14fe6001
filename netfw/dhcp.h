/*
 * DHCP and DNS of one VPC: a dnsmasq in its namespace that answers on every tap, with EC2's private
 * names (ip-10-0-0-5.ec2.internal) for the addresses of the VPC.
 *
 * dnsmasq outlives the daemon, so that guests renew their leases while it is away; the next
 * dhcp_start adopts what it finds running. One that died is started again, at the latest by the
 * next call here. Calls for one struct dhcp must not overlap.
 */
#ifndef NETFW_DHCP_H
#define NETFW_DHCP_H

#include "ec2fs/util/error.h"
#include "netfw/netfw.h"

#include <stdint.h>

#define DHCP_MTU 1500 /* what guests are told; the taps' own */

struct dhcp;

/* Starts dnsmasq, or adopts the one that runs in that namespace (netns_fd is borrowed).
 * directory is this VPC's own and is made when it is not there. */
int dhcp_start(int netns_fd, const char *directory, const struct netfw_vpc *vpc, struct dhcp **ret,
	       struct ec2fs_error *error);
/* Restarts dnsmasq only when what it is told has changed. */
int dhcp_set_vpc(struct dhcp *d, const struct netfw_vpc *vpc, struct ec2fs_error *error);
/* Says which address that MAC gets, and the host name (without domain). One small file, and no
 * restart unless another had the address or the MAC before; repeating it is a success. */
int dhcp_set_host(struct dhcp *d, const uint8_t mac[6], uint32_t address, const char *host_name,
		  struct ec2fs_error *error);
/* Absent is a success. */
int dhcp_drop_host(struct dhcp *d, const uint8_t mac[6], uint32_t address);
/* Frees d; dnsmasq goes on. Accepts NULL. */
void dhcp_close(struct dhcp *d);
/* Ends dnsmasq, removes its files, frees d. Accepts NULL. */
void dhcp_stop(struct dhcp *d);

#endif
