/*
 * Networks: tells netfw what the records of VPCs, groups and instances want, whole after a start,
 * then change by change.
 *
 * A VPC gets its namespace with the first machine that is plugged into it. From then on each change
 * of a record has a job of its own (the record's number and NETWORK_JOB), so that a change costs
 * its own size: one group's rules, one instance's interface, one VPC's subnets and routes.
 */
#ifndef EC2FS_ENGINE_NETWORK_H
#define EC2FS_ENGINE_NETWORK_H

#include "ec2fs/engine/internal.h"
#include "ec2fs/engine/machine.h"
#include "ec2fs/util/arena.h"
#include "netfw/netfw.h"

/* Added to a resource's number: the job of its part of the network. With the root's: the pool of
 * public addresses, and what went. */
#define NETWORK_JOB (1ULL << 63)

/* One account owns everything here. */
#define ACCOUNT "000000000000"

struct network *network_new(void);
/* Networks with machines go on. */
void network_free(struct engine *e);

/* The watcher of the cloud: kicks the jobs that this change makes necessary. */
void network_changed(struct engine *e, const struct resource *was, const struct resource *is);
void network_job(struct engine *e, uint64_t number);

/* Before a machine starts: its VPC, its rules, its tap. 0 without a tap where the back end takes
 * none. */
int network_prepare(struct engine *e, const struct resource *r, struct machine *m,
		    struct ec2fs_error *error);
/* Of a machine that runs: after a start of the daemon its VPC is described again. */
int network_watch(struct engine *e, const struct resource *r, struct machine *m,
		  struct ec2fs_error *error);
/* After a machine ended: its tap and its rules go. */
int network_release(struct engine *e, const struct resource *r, struct machine *m,
		    struct ec2fs_error *error);
/* That a VPC, or a group in it, was removed. */
void network_forget(struct engine *e, const char *vpc, const char *group);
/* Its VPC's ID and its interface's, in the arena; NULL: its VPC is not described. */
struct netfw *network_interface_of(struct engine *e, uint64_t instance, struct arena *a,
				   const char **ret_vpc, const char **ret_interface);
/* network_live.c. Lines of figures for `metrics` of an instance, appended; false where it is in no
 * VPC, so that its provider knows best. */
bool network_metrics(struct engine *e, uint64_t instance, struct strbuf *out);

/* Does the instance answer on its interface? 1: yes, 0: no, -ENODATA: nobody can tell. Blocks for a
 * second. */
int network_probe(struct engine *e, uint64_t instance);

/* network_flows.c: the callback of netfw's; what flow logs left behind by VPCs that are gone. */
void network_flow_logged(void *context, const char *vpc);
void network_sweep_flow_logs(struct engine *e);
/* That a VPC is gone for good: so is its flow log. */
void network_forget_flow_log(struct engine *e, const char *vpc);

/* network_parts.c, network_vpc.c: descriptions, in the arena, under cloud_read. */
void netfw_of_vpc(const struct view *v, const struct resource *vpc, struct arena *a,
		  struct netfw_vpc *ret);
void netfw_of_group(const struct view *v, const struct resource *group, struct arena *a,
		    struct netfw_group *ret);
/* False while it has no address. */
bool netfw_of_interface(const struct view *v, const struct resource *instance, struct arena *a,
			struct netfw_interface *ret);

/* The blocks of public addresses; how many. */
size_t netfw_of_pool(const struct view *v, struct arena *a, struct netfw_cidr **ret);

/* network_facts.c: for the metadata service. */
int network_facts(void *context, const char *vpc, uint32_t address, struct imds_facts *ret);
/* Which instance has that address, in the network's own index; 0: none. */
uint64_t network_instance_at(struct engine *e, const char *vpc, uint32_t address);

#endif
