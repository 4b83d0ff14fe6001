/*
 * Names of network devices: 15 bytes at most, so three letters for the kind and the last 12 digits
 * of the resource's ID. One rule for all who make, route to or filter by a device.
 * An interface's tap is netfw_tap_name() of netfw.h.
 */
#ifndef NETFW_NAMES_H
#define NETFW_NAMES_H

/* In a VPC's namespace: the link to the edge for traffic of the internet gateway. */
#define NETFW_IGW "igw"

/* The link to the edge of a NAT gateway (nat-…), of a peering (pcx-…), of a virtual private gateway
 * (vgw-…). */
void netfw_nat_name(const char *nat_id, char buffer[16]);
void netfw_peering_name(const char *peering_id, char buffer[16]);
void netfw_gateway_name(const char *gateway_id, char buffer[16]);

#endif
