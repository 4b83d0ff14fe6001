/* Disks of machines that run: given, taken, grown, limited. A disk is known by its serial. */
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "providers/libvirt/domain_xml.h"
#include "providers/libvirt/internal.h"
#include "providers/libvirt/running.h"

#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void running_free(struct running *m)
{
	if (m->domain)
		virDomainFree(m->domain);
	if (m->connection)
		virConnectClose(m->connection);
	free(m->xml);
}

int running_get(struct provider *p, const char *id, struct running *ret, struct ec2fs_error *error)
{
	struct libvirt *v = libvirt_of(p);
	int r = libvirt_connection(v, &ret->connection, error);

	if (r == 0)
		r = libvirt_need(v, ret->connection, id, &ret->domain, error);
	if (r < 0)
		return r;
	ret->xml = virDomainGetXMLDesc(ret->domain, 0);
	return ret->xml ? 0
			: libvirt_fail(error, ret->connection, "cannot see the disks of %s", id);
}

char *running_disk(const char *xml, const char *serial)
{
	cleanup_free char *wanted = xasprintf("<serial>%s</serial>", serial);

	for (const char *s = strstr(xml, "<disk "); s; s = strstr(s + 1, "<disk ")) {
		const char *end = strstr(s, "</disk>");
		char *element;

		if (!end)
			return NULL;
		element = xasprintf("%.*s</disk>", (int)(end - s), s);
		if (strstr(element, wanted))
			return element;
		free(element);
	}
	return NULL;
}

char *disk_word(const char *disk, const char *before)
{
	const char *s = strstr(disk, before);

	if (!s)
		return NULL;
	s += strlen(before);
	return xasprintf("%.*s", (int)strcspn(s, "'"), s);
}

/* "vdb": the name the disk has with libvirt, to be freed. */
static char *target_of(const char *disk)
{
	return disk_word(disk, "<target dev='");
}

/* The first name that no disk has: vda … vdz, vdaa … */
static char *free_target(const char *xml)
{
	for (unsigned n = 0;; n++) {
		char *name = n < 26 ? xasprintf("vd%c", 'a' + n)
				    : xasprintf("vd%c%c", 'a' + n / 26 - 1, 'a' + n % 26);
		cleanup_free char *element = xasprintf("<target dev='%s'", name);

		if (!strstr(xml, element))
			return name;
		free(name);
	}
}

int libvirt_attach_disk(struct provider *p, const char *id, const struct machine_disk *disk,
			struct ec2fs_error *error)
{
	cleanup_running struct running m = {0};
	cleanup_secrets struct secrets secrets = {0};
	cleanup_strbuf struct strbuf xml = STRBUF_INIT;
	cleanup_free char *there = NULL;
	cleanup_free char *target = NULL;
	int r = running_get(p, id, &m, error);

	if (r < 0)
		return r;
	there = running_disk(m.xml, disk->serial);
	if (there && libvirt_is_cut(m.domain, disk->serial))
		return ec2fs_fail(error, EC2_IncorrectState,
				  "the guest still has the device from which this volume was "
				  "detached by force: restart it, then attach the volume");
	if (there)
		return 0;
	target = free_target(m.xml);
	r = libvirt_tell_secrets(m.connection, disk, 1, &secrets, error);
	if (r < 0)
		return r;
	secrets.disks->target = target;
	r = domain_xml_disk(secrets.disks, &xml, error);
	if (r < 0)
		return r;
	if (virDomainAttachDeviceFlags(m.domain, xml.data, VIR_DOMAIN_AFFECT_LIVE) < 0)
		return libvirt_fail(error, m.connection, "cannot give machine %s the disk %s", id,
				    disk->serial);
	libvirt_mark_cut(m.domain, disk->serial, false);
	return 0;
}

int libvirt_has_disk(struct provider *p, const char *id, const char *serial, bool *ret,
		     struct ec2fs_error *error)
{
	cleanup_running struct running m = {0};
	cleanup_free char *there = NULL;
	int r = running_get(p, id, &m, error);

	if (r < 0)
		return r;
	there = running_disk(m.xml, serial);
	*ret = there;
	return 0;
}

int libvirt_detach_disk(struct provider *p, const char *id, const char *serial,
			struct ec2fs_error *error)
{
	cleanup_running struct running m = {0};
	cleanup_free char *there = NULL;
	cleanup_free char *alias = NULL;
	int r = running_get(p, id, &m, error);

	if (r < 0)
		return r;
	there = running_disk(m.xml, serial);
	alias = there ? disk_word(there, "<alias name='") : NULL;
	/* By its alias it is asked for and not waited for. */
	if (!alias || virDomainDetachDeviceAlias(m.domain, alias, VIR_DOMAIN_AFFECT_LIVE) == 0)
		return 0;
	/* It has gone meanwhile. */
	if (libvirt_code() == VIR_ERR_DEVICE_MISSING)
		return 0;
	return libvirt_fail(error, m.connection, "cannot take the disk %s from machine %s", serial,
			    id);
}

/* Its target; NULL when the machine has no such disk, which is a success. */
static int need_target(struct provider *p, const char *id, const char *serial, struct running *m,
		       char **ret, struct ec2fs_error *error)
{
	cleanup_free char *there = NULL;
	int r = running_get(p, id, m, error);

	if (r < 0)
		return r;
	there = running_disk(m->xml, serial);
	*ret = there ? target_of(there) : NULL;
	return 0;
}

int libvirt_resize_disk(struct provider *p, const char *id, const char *serial, uint64_t bytes,
			struct ec2fs_error *error)
{
	cleanup_running struct running m = {0};
	cleanup_free char *target = NULL;
	int r = need_target(p, id, serial, &m, &target, error);
	virDomainBlockInfo info;

	if (r < 0 || !target)
		return r;
	if (virDomainGetBlockInfo(m.domain, target, &info, 0) == 0 && info.capacity >= bytes)
		return 0;
	if (virDomainBlockResize(m.domain, target, bytes, VIR_DOMAIN_BLOCK_RESIZE_BYTES) < 0)
		return libvirt_fail(error, m.connection, "cannot tell machine %s the size of %s",
				    id, serial);
	return 0;
}

int libvirt_set_limits(struct provider *p, const char *id, const struct machine_disk *disk,
		       struct ec2fs_error *error)
{
	uint64_t burst_iops = domain_xml_burst(disk->burst_iops, disk->iops);
	uint64_t burst_bytes = domain_xml_burst(disk->burst_bytes, disk->bytes);
	const struct {
		const char *name;
		uint64_t value;
	} limits[] = {
		{VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_IOPS_SEC, disk->iops},
		{VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_BYTES_SEC, disk->bytes},
		{VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_IOPS_SEC_MAX, burst_iops},
		{VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_BYTES_SEC_MAX, burst_bytes},
		{VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_IOPS_SEC_MAX_LENGTH,
		 burst_iops ? disk->burst_seconds : 0},
		{VIR_DOMAIN_BLOCK_IOTUNE_TOTAL_BYTES_SEC_MAX_LENGTH,
		 burst_bytes ? disk->burst_seconds : 0},
	};
	cleanup_running struct running m = {0};
	cleanup_free char *target = NULL;
	virTypedParameterPtr params = NULL;
	int count = 0, capacity = 0, result;
	int r = need_target(p, id, disk->serial, &m, &target, error);

	if (r < 0 || !target)
		return r;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		virTypedParamsAddULLong(&params, &count, &capacity, limits[i].name,
					limits[i].value);
	result = virDomainSetBlockIoTune(m.domain, target, params, count, VIR_DOMAIN_AFFECT_LIVE);
	virTypedParamsFree(params, count);
	if (result < 0)
		return libvirt_fail(error, m.connection, "cannot limit the disk %s of machine %s",
				    disk->serial, id);
	return 0;
}
