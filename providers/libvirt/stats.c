/* Figures of a machine, and of the host. */
#include "providers/libvirt/internal.h"

#include <stdio.h>
#include <string.h>

/* A counter of that name; 0 if libvirt told none, as of a user-mode network. */
static uint64_t figure(const virDomainStatsRecord *record, const char *name)
{
	unsigned long long value = 0;

	if (virTypedParamsGetULLong(record->params, record->nparams, name, &value) != 1)
		return 0;
	return value;
}

/* GROUP.0.NAME + GROUP.1.NAME + …, as many as GROUP.count says. */
static uint64_t sum(const virDomainStatsRecord *record, const char *group, const char *name)
{
	char key[VIR_TYPED_PARAM_FIELD_LENGTH];
	unsigned count = 0;
	uint64_t total = 0;

	snprintf(key, sizeof(key), "%s.count", group);
	if (virTypedParamsGetUInt(record->params, record->nparams, key, &count) != 1)
		return 0;
	for (unsigned i = 0; i < count; i++) {
		snprintf(key, sizeof(key), "%s.%u.%s", group, i, name);
		total += figure(record, key);
	}
	return total;
}

int libvirt_stats(struct provider *p, const char *id, struct machine_stats *ret,
		  struct ec2fs_error *error)
{
	struct libvirt *v = libvirt_of(p);
	cleanup_connection virConnectPtr connection = NULL;
	cleanup_domain virDomainPtr domain = NULL;
	virDomainStatsRecordPtr *records;
	int r = libvirt_connection(v, &connection, error);

	if (r == 0)
		r = libvirt_need(v, connection, id, &domain, error);
	if (r < 0)
		return r;
	virDomainPtr domains[] = {domain, NULL};
	r = virDomainListGetStats(domains,
				  VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BALLOON |
					  VIR_DOMAIN_STATS_BLOCK | VIR_DOMAIN_STATS_INTERFACE,
				  &records, 0);
	if (r < 0)
		return libvirt_fail(error, connection, "cannot get figures of machine %s", id);
	if (r == 0) {
		virDomainStatsRecordListFree(records);
		return ec2fs_fail(error, EC2_InvalidInstanceID_NotFound, "no machine %s is running",
				  id);
	}
	const virDomainStatsRecord *record = records[0];
	*ret = (struct machine_stats){
		.cpu_ns = figure(record, "cpu.time"),
		.memory = figure(record, "balloon.rss") * 1024,
		.disk_read_bytes = sum(record, "block", "rd.bytes"),
		.disk_write_bytes = sum(record, "block", "wr.bytes"),
		.disk_read_requests = sum(record, "block", "rd.reqs"),
		.disk_write_requests = sum(record, "block", "wr.reqs"),
		.net_receive_bytes = sum(record, "net", "rx.bytes"),
		.net_transmit_bytes = sum(record, "net", "tx.bytes"),
		.net_receive_packets = sum(record, "net", "rx.pkts"),
		.net_transmit_packets = sum(record, "net", "tx.pkts"),
	};
	virDomainStatsRecordListFree(records);
	return 0;
}

int libvirt_capacity(struct provider *p, struct provider_capacity *ret, struct ec2fs_error *error)
{
	struct libvirt *v = libvirt_of(p);
	cleanup_connection virConnectPtr connection = NULL;
	virNodeInfo info;
	int r = libvirt_connection(v, &connection, error);

	if (r < 0)
		return r;
	if (virNodeGetInfo(connection, &info) < 0)
		return libvirt_fail(error, connection, "cannot tell the host's size");
	*ret = (struct provider_capacity){
		.vcpus = info.cpus,
		.memory = (uint64_t)info.memory * 1024,
		.accelerated = v->kvm,
	};
	return 0;
}
