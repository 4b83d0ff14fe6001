/* What answers inside a VPC: dnsmasq and the metadata service. */
#include "netfw/internal.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "netfw/well_known.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 256

/* Addresses of the namespace itself. */
static int set_addresses(struct vpc *v, struct ec2fs_error *error)
{
	const struct netfw_vpc *is = v->is;
	cleanup_free uint32_t *addresses =
		xcalloc(2 + is->cidr_count + is->subnet_count, sizeof(*addresses));
	size_t count = 0;
	struct link lo;
	int r = link_get(&v->ns.rtnl, "lo", &lo, error);

	addresses[count++] = METADATA;
	addresses[count++] = RESOLVER;
	for (size_t i = 0; i < is->cidr_count; i++)
		addresses[count++] = is->cidrs[i].address + 2;
	for (size_t i = 0; i < is->subnet_count; i++)
		addresses[count++] = is->subnets[i].cidr.address + 2;
	return r < 0 ? r : addresses_set(&v->ns.rtnl, &lo, addresses, count, error);
}

/* A descriptor, or the error's errno, negative. */
static int listen_socket(struct vpc *v, struct ec2fs_error *error)
{
	struct sockaddr_in here = {
		.sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(METADATA)};
	cleanup_close int fd = netns_socket(v->ns.fd, AF_INET, SOCK_STREAM, 0);
	int on = 1;

	if (fd < 0)
		errno = -fd;
	else if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
		 bind(fd, (struct sockaddr *)&here, sizeof(here)) == 0 && listen(fd, BACKLOG) == 0)
		return steal_fd(&fd);
	return ec2fs_fail(error, EC2_InternalError, "cannot listen on 169.254.169.254:80 in %s: %s",
			  v->id, strerror(errno));
}

static int start_metadata(struct vpc *v, struct ec2fs_error *error)
{
	struct netfw *n = v->netfw;
	int fd;

	if (v->imds || !n->facts)
		return 0;
	fd = listen_socket(v, error);
	return fd < 0 ? fd
		      : imds_start(fd, v->id, n->directory, n->facts, n->context, &v->imds, error);
}

int services_sync(struct vpc *v, struct ec2fs_error *error)
{
	cleanup_free char *directory = xasprintf("%s/%s", v->netfw->directory, v->id);
	int r = set_addresses(v, error);

	if (r < 0)
		return r;
	r = v->dhcp ? dhcp_set_vpc(v->dhcp, v->is, error)
		    : dhcp_start(v->ns.fd, directory, v->is, &v->dhcp, error);
	return r < 0 ? r : start_metadata(v, error);
}

int services_host(struct vpc *v, const struct interface *i, struct ec2fs_error *error)
{
	return dhcp_set_host(v->dhcp, i->is->mac, i->is->address, i->is->host_name, error);
}

void services_drop_host(struct vpc *v, const struct netfw_interface *is)
{
	if (v->dhcp)
		dhcp_drop_host(v->dhcp, is->mac, is->address);
}

void services_remove(struct vpc *v)
{
	cleanup_free char *directory = xasprintf("%s/%s", v->netfw->directory, v->id);
	struct netfw_vpc nothing = {.id = v->id};

	imds_stop(v->imds);
	v->imds = NULL;
	/* A dnsmasq of before the daemon's start is adopted to be ended. */
	if (!v->dhcp)
		dhcp_start(v->ns.fd, directory, v->is ? v->is : &nothing, &v->dhcp, NULL);
	dhcp_stop(v->dhcp);
	v->dhcp = NULL;
}
