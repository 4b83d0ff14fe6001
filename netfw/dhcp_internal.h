/* What the files of netfw/dhcp share: what dnsmasq is told on its command line, and its files of
 * hosts. */
#ifndef NETFW_DHCP_INTERNAL_H
#define NETFW_DHCP_INTERNAL_H

#include "ec2fs/util/error.h"
#include "netfw/netfw.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* dhcp_arguments.c */

/* The argument vector of the dnsmasq of that VPC, NULL at its end. */
int dhcp_arguments(const char *directory, const struct netfw_vpc *vpc, char ***ret,
		   struct ec2fs_error *error);
void dhcp_arguments_free(char **argv);

/* dhcp_hosts.c */

int dhcp_hosts_make(const char *directory, struct ec2fs_error *error);
/* *ret_stale: a dnsmasq that runs may remember something else of that address or MAC, and is to be
 * started anew, after which dhcp_hosts_are_fresh is to be called. */
int dhcp_hosts_set(const char *directory, const uint8_t mac[6], uint32_t address,
		   const char *host_name, bool *ret_stale, struct ec2fs_error *error);
int dhcp_hosts_drop(const char *directory, const uint8_t mac[6], uint32_t address);
void dhcp_hosts_are_fresh(const char *directory);
/* Removes the directory and all in it. */
void dhcp_hosts_remove(const char *directory);

#endif
