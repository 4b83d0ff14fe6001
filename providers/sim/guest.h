/* What a simulated guest has of a network: a namespace with one interface, for who wants to send
 * packets from it. */
#ifndef PROVIDERS_SIM_GUEST_H
#define PROVIDERS_SIM_GUEST_H

#include "providers/provider.h"

/* Makes the namespace and its eth0, whose other end is the machine's tap, and has it plugged. One
 * that an earlier life left is made anew. Blocks. */
int sim_guest_start(const struct machine_spec *spec, struct ec2fs_error *error);
void sim_guest_end(const char *id);

#endif
