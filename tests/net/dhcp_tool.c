/*
 * Calls netfw/dhcp as the daemon does, for dhcp.bats: finds the VPC's dnsmasq or starts it, obeys,
 * and lets go of it.
 *
 * usage: dhcp_tool NETNS DIRECTORY COMMAND...
 *	start				nothing more
 *	host MAC ADDRESS NAME
 *	drop MAC ADDRESS
 *	many COUNT			hosts from 10.0.4.1 on, MACs 02:00:ADDRESS
 *	hold				until its standard input ends, as a daemon that runs
 *	stop				ends dnsmasq
 * The VPC is 10.0.0.0/16 and 10.1.0.0/16, with subnets 10.0.1.0/24, 10.0.2.0/28 and 10.0.4.0/22.
 * Environment: DNS=no, DOMAIN=NAME, NAME_SERVER=ADDRESS, NTP_SERVER=ADDRESS.
 */
#include "netfw/dhcp.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint32_t address_of(const char *text)
{
	struct in_addr a = {0};

	if (inet_pton(AF_INET, text, &a) != 1)
		exit(2);
	return ntohl(a.s_addr);
}

static void mac_of(const char *text, uint8_t mac[6])
{
	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", mac, mac + 1, mac + 2, mac + 3,
		   mac + 4, mac + 5) != 6)
		exit(2);
}

static int many(struct dhcp *d, unsigned count, struct ec2fs_error *error)
{
	int r = 0;

	for (uint32_t a = address_of("10.0.4.1"); count-- && r == 0; a++) {
		uint8_t mac[6] = {
			2,         0, (uint8_t)(a >> 24), (uint8_t)(a >> 16), (uint8_t)(a >> 8),
			(uint8_t)a};
		char name[32];

		snprintf(name, sizeof(name), "ip-%u-%u-%u-%u", a >> 24, a >> 16 & 255, a >> 8 & 255,
			 a & 255);
		r = dhcp_set_host(d, mac, a, name, error);
	}
	return r;
}

static int obey(struct dhcp *d, char **command, struct ec2fs_error *error)
{
	uint8_t mac[6];
	char c;

	if (strcmp(*command, "host") == 0) {
		mac_of(command[1], mac);
		return dhcp_set_host(d, mac, address_of(command[2]), command[3], error);
	}
	if (strcmp(*command, "drop") == 0) {
		mac_of(command[1], mac);
		return dhcp_drop_host(d, mac, address_of(command[2]));
	}
	if (strcmp(*command, "many") == 0)
		return many(d, (unsigned)atoi(command[1]), error);
	if (strcmp(*command, "hold") == 0) {
		while (read(0, &c, 1) > 0)
			;
	}
	return 0;
}

int main(int argc, char **argv)
{
	uint32_t name_server = getenv("NAME_SERVER") ? address_of(getenv("NAME_SERVER")) : 0;
	uint32_t ntp_server = getenv("NTP_SERVER") ? address_of(getenv("NTP_SERVER")) : 0;
	const struct netfw_cidr cidrs[] = {{0x0a000000, 16}, {0x0a010000, 16}};
	const struct netfw_subnet subnets[] = {
		{.id = "subnet-1", .cidr = {0x0a000100, 24}},
		{.id = "subnet-2", .cidr = {0x0a000200, 28}},
		{.id = "subnet-3", .cidr = {0x0a000400, 22}},
	};
	struct netfw_vpc vpc = {
		.id = "vpc-1",
		.cidrs = cidrs,
		.cidr_count = 2,
		.subnets = subnets,
		.subnet_count = 3,
		.dns = !getenv("DNS") || strcmp(getenv("DNS"), "no") != 0,
		.domain_name = getenv("DOMAIN") ? getenv("DOMAIN") : "ec2.internal",
		.name_servers = &name_server,
		.name_server_count = name_server != 0,
		.ntp_servers = &ntp_server,
		.ntp_server_count = ntp_server != 0,
	};
	struct ec2fs_error error = {0};
	struct dhcp *d;
	int netns, r;

	if (argc < 4)
		return 2;
	netns = open(argv[1], O_RDONLY | O_CLOEXEC);
	r = netns < 0 ? -1 : dhcp_start(netns, argv[2], &vpc, &d, &error);
	if (r == 0) {
		r = obey(d, argv + 3, &error);
		if (strcmp(argv[3], "stop") == 0)
			dhcp_stop(d);
		else
			dhcp_close(d);
	}
	if (r < 0)
		fprintf(stderr, "%s\n", error.message);
	return r < 0;
}
