#include "ec2fs/model/admission.h"

#include "ec2fs/model/block_devices.h"
#include "ec2fs/model/interface.h"
#include "ec2fs/text/time.h"
#include "ec2fs/util/strbuf.h"

#include <string.h>

bool admission_holds(const struct resource *r)
{
	enum instance_state s = instance_state(r);

	return s == INSTANCE_PENDING || s == INSTANCE_RUNNING || s == INSTANCE_STOPPING;
}

void admission_usage(const struct view *v, uint64_t region, const char *zone, uint64_t *ret_memory,
		     uint64_t *ret_vcpus)
{
	*ret_memory = *ret_vcpus = 0;
	view_each (v, region, KIND_INSTANCE, r) {
		const struct resource *type;

		if (!admission_holds(r) || (zone && !resource_is(r, "availability-zone", zone)))
			continue;
		type = view_find(v, region, KIND_INSTANCE_TYPE,
				 resource_or(r, "instance-type", ""));
		if (!type)
			continue;
		*ret_memory += instance_type_memory(type);
		*ret_vcpus += resource_u64(type, "vcpus", 1);
	}
}

/* The type exists, fits the image's architecture, the quota and the zone's memory. */
static int admit_type(struct view *v, const struct resource *r, const char *architecture,
		      struct ec2fs_error *error)
{
	const char *name = resource_or(r, "instance-type", "");
	const char *zone_name = resource_or(r, "availability-zone", "");
	const struct resource *type = view_find(v, r->parent, KIND_INSTANCE_TYPE, name);
	const struct resource *zone = view_find(v, r->parent, KIND_ZONE, zone_name);
	const struct resource *region = view_get(v, r->parent);
	uint64_t memory, vcpus, limit, host;
	int result;

	if (!type)
		return ec2fs_fail(error, EC2_InvalidInstanceAttributeValue,
				  "there is no instance type %s any more; write another one to "
				  "instance-type",
				  name);
	if (!zone)
		return ec2fs_fail(error, EC2_InvalidZone_NotFound,
				  "there is no availability zone %s; write another one to "
				  "availability-zone",
				  *zone_name ? zone_name : "at all");
	if (!resource_is(zone, "state", "available"))
		return ec2fs_fail(error, EC2_InsufficientInstanceCapacity,
				  "the availability zone %s is %s", zone_name,
				  resource_or(zone, "state", "not available"));
	if (strcmp(resource_or(type, "architecture", ""), architecture) != 0)
		return ec2fs_fail(error, EC2_InvalidParameterCombination,
				  "%s is an %s type, and the image is for %s", name,
				  resource_or(type, "architecture", "?"), architecture);
	admission_usage(v, r->parent, NULL, &memory, &vcpus);
	limit = quota_get(region, "vcpus");
	if (vcpus + resource_u64(type, "vcpus", 1) > limit)
		return ec2fs_fail(error, EC2_VcpuLimitExceeded,
				  "%llu vCPUs run and %s needs %llu more; the quota is %llu: stop "
				  "an instance, or raise vcpus in the region's quotas",
				  (unsigned long long)vcpus, name,
				  (unsigned long long)resource_u64(type, "vcpus", 1),
				  (unsigned long long)limit);
	result = owner_quota_check_vcpus(v, r, resource_u64(type, "vcpus", 1), error);
	if (result < 0)
		return result;
	host = resource_u64(zone, "@memory", 0);
	admission_usage(v, r->parent, zone_name, &memory, &vcpus);
	if (host && memory + instance_type_memory(type) > host)
		return ec2fs_fail(error, EC2_InsufficientInstanceCapacity,
				  "%s has %llu MiB of memory, %llu are taken, and %s needs %llu",
				  zone_name, (unsigned long long)(host / MIB),
				  (unsigned long long)(memory / MIB), name,
				  (unsigned long long)(instance_type_memory(type) / MIB));
	return 0;
}

/* A key pair that was named must still be there, and have a key. */
static int admit_key(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	const char *name = resource_get(r, "key-pair");
	const struct resource *key;

	if (!name)
		return 0;
	key = view_find(v, r->parent, KIND_KEY_PAIR, name);
	if (!key)
		return ec2fs_fail(error, EC2_InvalidKeyPair_NotFound,
				  "the key pair %s is gone; write another one to key-pair", name);
	if (!resource_get(key, "public-key"))
		return ec2fs_fail(error, EC2_InvalidKeyPair_NotFound,
				  "the key pair %s has no key yet: write a public key to its "
				  "public-key, or rsa or ed25519 to its key-type",
				  name);
	set_text(v, r, "@public-key", resource_get(key, "public-key"));
	return 0;
}

static int admit_image(struct view *v, const struct resource *r, const struct resource **ret,
		       struct ec2fs_error *error)
{
	const char *id = resource_get(r, "image");
	const struct resource *image = id ? view_by_id(v, id) : NULL;

	if (!id)
		return ec2fs_fail(error, EC2_MissingParameter,
				  "no image: write the name of one to image");
	if (!image)
		return ec2fs_fail(error, EC2_InvalidAMIID_NotFound,
				  "the image %s is gone; write another one to image", id);
	if (!resource_is(image, "state", "available"))
		return ec2fs_fail(error, EC2_InvalidAMIID_Unavailable,
				  "the image %s is %s%s%s; copy a disk or a kernel into it, and "
				  "wait for available",
				  image->name, resource_or(image, "state", "pending"),
				  resource_get(image, "state-reason") ? ": " : "",
				  resource_or(image, "state-reason", ""));
	*ret = image;
	return 0;
}

/* A UUID that begins with "ec2": by it cloud-init tells where it is. */
static void make_uuid(struct view *v, struct resource *r)
{
	char hex[30];

	view_random_hex(v, hex, 29);
	hex[9] = '4';                  /* version 4 */
	hex[13] = "89ab"[hex[13] & 3]; /* the RFC 4122 variant */
	set_format(v, r, "@uuid", "ec2%.5s-%.4s-%.4s-%.4s-%.12s", hex, hex + 5, hex + 9, hex + 13,
		   hex + 17);
}

/* One launch, one reservation. */
static void make_reservation(struct view *v, struct resource *r)
{
	char hex[18];

	view_random_hex(v, hex, 17);
	set_format(v, r, "reservation-id", "r-%s", hex);
}

int admit_launch(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	struct strbuf now __attribute__((cleanup(strbuf_free))) = STRBUF_INIT;
	const struct resource *image = NULL;
	int result;

	result = admit_image(v, r, &image, error);
	if (result == 0)
		result = admit_type(v, r, resource_or(image, "architecture", "x86_64"), error);
	if (result == 0)
		result = admit_key(v, r, error);
	if (result == 0)
		result = interface_launch(v, r, error);
	if (result < 0)
		return result;
	set_text(v, r, "@architecture", resource_or(image, "architecture", "x86_64"));
	set_text(v, r, "root-device-name", resource_or(image, "root-device-name", "/dev/xvda"));
	if (resource_get(image, "cmdline"))
		set_text(v, r, "@cmdline", resource_get(image, "cmdline"));
	make_uuid(v, r);
	make_reservation(v, r);
	time_print(v->now, &now);
	set_text(v, r, "launch-time", strbuf_str(&now));
	if (resource_get(image, "kernel"))
		set_text(v, r, "@kernel", "true");
	return block_devices_launch(v, r, image, error);
}

int admit_start(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	struct strbuf now __attribute__((cleanup(strbuf_free))) = STRBUF_INIT;
	int result = admit_type(v, r, resource_or(r, "@architecture", "x86_64"), error);

	if (result < 0)
		return result;
	if (!volume_root_of(v, r))
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "no volume is attached at %s, the root device",
				  resource_or(r, "root-device-name", "/dev/xvda"));
	interface_start(v, r);
	time_print(v->now, &now);
	set_text(v, r, "launch-time", strbuf_str(&now));
	return 0;
}
