/*
 * The instance metadata service of one VPC, on a socket that listens inside its namespace. Who asks
 * is known by the address its packets come from and by nothing that it says.
 */
#ifndef NETFW_IMDS_IMDS_H
#define NETFW_IMDS_IMDS_H

#include "ec2fs/util/error.h"
#include "netfw/netfw.h"

#include <stdint.h>

struct imds;

/*
 * Serves listen_fd (a listening TCP socket; owned from here on, on failure too) in a thread of its
 * own. directory holds the key of tokens and the key and certificate of identity documents, made
 * at first use; it is shared by all VPCs, so that both outlive the daemon and the VPC. facts is
 * called from that thread, once a request: see struct netfw_options.
 */
int imds_start(int listen_fd, const char *vpc, const char *directory,
	       int (*facts)(void *context, const char *vpc, uint32_t address,
			    struct imds_facts *ret),
	       void *context, struct imds **ret, struct ec2fs_error *error);
/* Returns when the thread has ended. Accepts NULL. */
void imds_stop(struct imds *m);

#endif
