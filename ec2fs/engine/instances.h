/* What the steps of an instance share. */
#ifndef EC2FS_ENGINE_INSTANCES_H
#define EC2FS_ENGINE_INSTANCES_H

#include "ec2fs/engine/internal.h"
#include "ec2fs/engine/machine.h"

/* instances.c */

/* The job runs again, later each time in a row. */
void instance_retry_later(struct engine *e, const struct resource *r);
/* Why its machine went, as the provider told; asked for once. */
enum machine_end instance_take_end(struct engine *e, const char *id);
/* Does the machine still exist? -EAGAIN when nobody can tell; then a look is due later. */
int instance_look(struct engine *e, const struct resource *r, struct machine *m,
		  enum machine_state *ret);
/* A tap that cannot be taken away now is, when the instance starts again or is terminated. */
void instance_unplug(struct engine *e, const struct resource *r, struct machine *m);
/* For engine_record: its machine is gone; context is the reason, or NULL. */
void instance_record_gone(struct view *v, struct resource *r, const void *context);

/* instance_ends.c: one step each; what is left to do comes by a kick. */

void instance_stop(struct engine *e, const struct resource *r, struct machine *m);
void instance_terminate(struct engine *e, const struct resource *r, struct machine *m);
/* Of one that is terminated: its record goes when nobody may ask for it any more. */
void instance_forget(struct engine *e, const struct resource *r);

#endif
