/* The network interface that an instance gets at its launch, and loses with its end. */
#ifndef EC2FS_MODEL_INTERFACE_H
#define EC2FS_MODEL_INTERFACE_H

#include "ec2fs/model/network.h"

/* A draft's wishes, and what may be changed later. */
SETTER(instance_set_subnet);
SETTER(instance_set_private_ip);
SETTER(instance_set_associate_public_ip);
SETTER(instance_set_source_dest_check);
SETTER(instance_set_metadata_options);
int instance_unset_subnet(struct view *v, struct resource *r, struct ec2fs_error *error);
int instance_unset_private_ip(struct view *v, struct resource *r, struct ec2fs_error *error);

/* At launch: subnet, private and public address, MAC, interface ID, the default group. Refuses
 * before it changes anything. */
int interface_launch(struct view *v, struct resource *r, struct ec2fs_error *error);
/* At the start of a stopped instance: it gets an automatic public address again. */
void interface_start(struct view *v, struct resource *r);
/* Stopped: the automatic public address is given back (EC2 user guide, "instance lifecycle"). */
void interface_stopped(struct view *v, struct resource *r);
/* Terminated: all of it is given back. */
void interface_gone(struct view *v, struct resource *r);

/* HttpEndpoint and its kin, with EC2's defaults. */
struct metadata_options {
	bool endpoint, tokens_required, tags;
	uint8_t hops; /* HttpPutResponseHopLimit */
};
void instance_metadata_options(const struct resource *r, struct metadata_options *ret);

#endif
