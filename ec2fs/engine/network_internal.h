/* What the files of the network share. */
#ifndef EC2FS_ENGINE_NETWORK_INTERNAL_H
#define EC2FS_ENGINE_NETWORK_INTERNAL_H

#include "ec2fs/engine/network.h"

/* A group or VPC that was removed: its record is gone, so this is all that its job has. */
struct gone {
	char *vpc, *group; /* group NULL: the VPC itself */
};

struct network {
	/* Held while netfw is opened and while a VPC is described as a whole, so that a change that
	 * comes meanwhile waits and is told after it. */
	pthread_mutex_t lock;
	struct netfw *netfw;
	bool begun;                  /* only the root's job touches it */
	struct network_index *index; /* has a lock of its own */
	pthread_mutex_t gone_lock;   /* guards what follows; nothing else is taken under it */
	struct gone *gone;
	size_t gone_count, gone_capacity;
};

/* network.c */

/* Are machines of that back end plugged into taps? */
bool network_takes_taps(const char *compute);
/* Is there a machine, or about to be one, that is plugged into its VPC? Under cloud_read. */
bool network_is_plugged(const struct view *v, const struct resource *r);
/* Opens netfw unless it is open. network's lock is held. */
int network_open(struct engine *e, const char *compute, struct ec2fs_error *error);

/* network_tell.c */

/* Describes the VPC as a whole unless it is described already. */
int network_ensure_vpc(struct engine *e, const char *compute, uint64_t number, const char *id,
		       struct ec2fs_error *error);
/* Is it described, so that parts of it can be? Waits for a whole description that is under way. */
bool network_vpc_known(struct engine *e, const char *id);
/* One record's part of its VPC, as it is now; 0 when there is nothing to tell of it. The VPC of an
 * interface is known. */
int network_tell_interface(struct engine *e, uint64_t instance, const char *vpc,
			   struct ec2fs_error *error);
int network_tell_vpc(struct engine *e, uint64_t number, struct ec2fs_error *error);
int network_tell_group(struct engine *e, uint64_t number, struct ec2fs_error *error);

/* network_machine.c: the number of the instance's VPC, its ID in the arena; 0: it has none. */
uint64_t network_vpc_of(struct engine *e, uint64_t instance, struct arena *a, const char **ret_id);

#endif
