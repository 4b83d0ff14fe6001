/* Names of network devices. */
#include "netfw/names.h"

#include "netfw/netfw.h"

#include <stdio.h>
#include <string.h>

#define ID_DIGITS 12

static void device_name(const char *kind, const char *id, char buffer[16])
{
	size_t len = strlen(id);

	snprintf(buffer, 16, "%s%.*s", kind, ID_DIGITS,
		 len > ID_DIGITS ? id + len - ID_DIGITS : id);
}

void netfw_tap_name(const char *interface_id, char buffer[16])
{
	device_name("tap", interface_id, buffer);
}

void netfw_nat_name(const char *nat_id, char buffer[16])
{
	device_name("nat", nat_id, buffer);
}

void netfw_peering_name(const char *peering_id, char buffer[16])
{
	device_name("pcx", peering_id, buffer);
}

void netfw_gateway_name(const char *gateway_id, char buffer[16])
{
	device_name("vgw", gateway_id, buffer);
}
