/* Opening and closing networks; VPCs as a whole. */
#include "netfw/internal.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int check_capabilities(struct ec2fs_error *error)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
	uint32_t needed = 1U << CAP_NET_ADMIN | 1U << CAP_SYS_ADMIN;

	if (syscall(SYS_capget, &header, data) < 0 || (data[0].effective & needed) != needed)
		return ec2fs_fail(error, EC2_OperationNotPermitted,
				  "networks need CAP_NET_ADMIN and CAP_SYS_ADMIN");
	return 0;
}

static int make_directory(const char *path, struct ec2fs_error *error)
{
	if (mkdir(path, 0711) == 0 || errno == EEXIST)
		return 0;
	return ec2fs_fail(error, EC2_InternalError, "cannot make %s: %s", path, strerror(errno));
}

static int open_all(struct netfw *n, const struct netfw_options *options, struct ec2fs_error *error)
{
	int r = check_capabilities(error);

	if (r == 0)
		r = make_directory(n->directory, error);
	if (r == 0)
		r = edge_init(&n->edge, n->owner, n->mark, error);
	if (r < 0)
		return r;
	r = options->hypervisor < 0 ? netns_open_own(&n->hypervisor, "the host", error)
				    : netns_open_fd(&n->hypervisor, options->hypervisor,
						    "the hypervisor's namespace", error);
	if (r < 0)
		edge_close(&n->edge);
	return r;
}

int netfw_open(const struct netfw_options *options, struct netfw **ret, struct ec2fs_error *error)
{
	struct netfw *n = xnew(struct netfw);
	int r;

	n->owner = xstrdup(options->owner);
	n->directory = xstrdup(options->directory);
	n->mark = xasprintf("ec2fs %s", options->owner);
	n->facts = options->facts;
	n->flow_logged = options->flow_logged;
	n->context = options->context;
	n->hypervisor = (struct netns)NETNS_INIT;
	r = open_all(n, options, error);
	if (r < 0) {
		free(n->owner);
		free(n->directory);
		free(n->mark);
		free(n);
		return r;
	}
	pthread_mutex_init(&n->mutex, NULL);
	pthread_mutex_init(&n->taps_mutex, NULL);
	pthread_mutex_init(&n->peerings_mutex, NULL);
	*ret = n;
	return 0;
}

/* One VPC that is still known, or NULL; no other thread is in here any more. */
static struct vpc *any_vpc(struct netfw *n)
{
	for (size_t c = 0; c < n->vpcs.capacity; c++)
		if (n->vpcs.cells[c].item)
			return n->vpcs.cells[c].item;
	return NULL;
}

void netfw_close(struct netfw *n)
{
	struct vpc *v;

	if (!n)
		return;
	while ((v = any_vpc(n))) {
		v = vpc_acquire(n, v->id);
		vpc_forget(v);
		vpc_release(v);
	}
	for (size_t c = 0; c < n->peerings.capacity; c++)
		free(n->peerings.cells[c].item);
	table_free(&n->peerings);
	table_free(&n->places);
	table_free(&n->vpcs);
	netns_close(&n->hypervisor);
	edge_close(&n->edge);
	pthread_mutex_destroy(&n->mutex);
	pthread_mutex_destroy(&n->taps_mutex);
	pthread_mutex_destroy(&n->peerings_mutex);
	free(n->owner);
	free(n->directory);
	free(n->mark);
	free(n);
}

int netfw_set_pool(struct netfw *n, const struct netfw_cidr *cidrs, size_t count,
		   struct ec2fs_error *error)
{
	return edge_set_pool(&n->edge, cidrs, count, error);
}

bool netfw_vpc_known(struct netfw *n, const char *vpc)
{
	struct vpc *v = vpc_acquire(n, vpc);
	bool known = v->known;

	vpc_release(v);
	return known;
}

static int remove_vpc(struct vpc *v, struct ec2fs_error *error)
{
	int r = vpc_open(v, error);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = outside_remove(v, error);
	if (r < 0)
		return r;
	services_remove(v);
	vpc_forget(v);
	return netns_remove(v->id, v->netfw->mark, error);
}

int netfw_vpc_remove(struct netfw *n, const char *vpc, struct ec2fs_error *error)
{
	struct vpc *v = vpc_acquire(n, vpc);
	int r = remove_vpc(v, error);

	vpc_release(v);
	return r;
}

int netfw_vpc_list(struct netfw *n, void (*each)(void *context, const char *vpc), void *context,
		   struct ec2fs_error *error)
{
	return netns_list("vpc-", n->mark, each, context, error);
}

int netfw_counters(struct netfw *n, const char *vpc, const char *interface_id, struct strbuf *out,
		   struct ec2fs_error *error)
{
	struct vpc *v = vpc_acquire(n, vpc);
	int r = v->known ? ruleset_counters(v->rules, interface_id, out, error)
			 : ec2fs_fail_errno(error, ENOENT, EC2_InternalError,
					    "%s is not described yet", vpc);

	vpc_release(v);
	return r;
}
