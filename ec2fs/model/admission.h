/* May this instance run? Image, type, zone, quotas, capacity: asked once, when it is launched or
 * started. */
#ifndef EC2FS_MODEL_ADMISSION_H
#define EC2FS_MODEL_ADMISSION_H

#include "ec2fs/model/instance.h"

/* A draft becomes an instance: checks everything, fixes what is fixed at launch, makes its root
 * volume. r is staged. The state is the caller's to change. */
int admit_launch(struct view *v, struct resource *r, struct ec2fs_error *error);
/* A stopped instance starts again: type and quotas may have changed since. */
int admit_start(struct view *v, struct resource *r, struct ec2fs_error *error);

/* Memory (bytes) and virtual CPUs of the pending and running instances of a zone, or of a whole
 * region (zone NULL). */
void admission_usage(const struct view *v, uint64_t region, const char *zone, uint64_t *ret_memory,
		     uint64_t *ret_vcpus);

/* Does it run, so that it takes CPUs and memory? */
bool admission_holds(const struct resource *r);

#endif
