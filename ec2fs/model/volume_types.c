/* Volume types: their limits (EC2 user guide, "Amazon EBS volume types"), and the region's quotas
 * of them. */
#include "ec2fs/model/storage.h"

#include "ec2fs/text/size.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TIB_IN_GIB 1024
/* Operations that a full budget of gp2 has. */
#define GP2_CREDITS 5400000

struct type {
	const char *name;
	uint64_t least, most;                         /* GiB */
	uint64_t iops_least, iops_most, iops_per_gib; /* that may be asked for; 0: none may */
	uint64_t iops_default;                        /* 0: it has to be asked for */
	uint64_t throughput_least, throughput_most;   /* MiB/s, likewise */
	bool boots, multi_attaches;
};

static const struct type types[] = {
	{"gp3", 1, 65536, 3000, 80000, 500, 3000, 125, 2000, true, false},
	{"gp2", 1, 16384, 0, 0, 0, 0, 0, 0, true, false},
	{"io1", 4, 16384, 100, 64000, 50, 0, 0, 0, true, true},
	{"io2", 4, 65536, 100, 256000, 1000, 0, 0, 0, true, true},
	{"st1", 125, 16384, 0, 0, 0, 0, 0, 0, false, false},
	{"sc1", 125, 16384, 0, 0, 0, 0, 0, 0, false, false},
	{"standard", 1, 1024, 0, 0, 0, 0, 0, 0, true, false},
};

static const struct type *type_of(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	return NULL;
}

int volume_type_check(const char *type, struct ec2fs_error *error)
{
	return type_of(type)
		       ? 0
		       : ec2fs_fail(error, EC2_InvalidParameterValue,
				    "there is no such type; write gp3, gp2, io1, io2, st1, sc1 or "
				    "standard");
}

bool volume_type_boots(const char *type)
{
	const struct type *t = type_of(type);

	return t && t->boots;
}

bool volume_type_multi_attaches(const char *type)
{
	const struct type *t = type_of(type);

	return t && t->multi_attaches;
}

bool volume_type_takes_iops(const char *type)
{
	const struct type *t = type_of(type);

	return t && t->iops_most;
}

static uint64_t clamp(uint64_t n, uint64_t least, uint64_t most)
{
	return n < least ? least : n > most ? most : n;
}

uint64_t volume_spec_iops(const struct volume_spec *spec)
{
	const struct type *t = type_of(spec->type);

	if (strcmp(spec->type, "gp2") == 0)
		return spec->gib ? clamp(3 * spec->gib, 100, 16000) : 0;
	if (!t || !t->iops_most)
		return 0;
	return spec->iops ? spec->iops : t->iops_default;
}

uint64_t volume_spec_throughput(const struct volume_spec *spec)
{
	const struct type *t = type_of(spec->type);

	if (!t || !t->throughput_most)
		return 0;
	return spec->throughput ? spec->throughput : t->throughput_least;
}

static int out_of_range(struct ec2fs_error *error, const struct type *t, const char *what,
			uint64_t least, uint64_t most, const char *unit)
{
	return ec2fs_fail_errno(error, ERANGE, EC2_InvalidParameterValue,
				"a %s volume has %" PRIu64 " to %" PRIu64 " %s%s", t->name, least,
				most, unit, what);
}

static int check_iops(const struct type *t, const struct volume_spec *spec,
		      struct ec2fs_error *error)
{
	uint64_t most = spec->gib * t->iops_per_gib;

	if (!t->iops_most) {
		/* What was read may be written. */
		if (!spec->iops || spec->iops == volume_spec_iops(spec))
			return 0;
		return ec2fs_fail(
			error, EC2_InvalidParameterCombination,
			"the IOPS of a %s volume are not chosen; gp3, io1 and io2 take iops",
			t->name);
	}
	if (!spec->iops && !t->iops_default)
		return ec2fs_fail(error, EC2_MissingParameter,
				  "an %s volume needs iops: write a number from %" PRIu64
				  " to %" PRIu64 " to iops first",
				  t->name, t->iops_least, t->iops_most);
	if (!spec->iops)
		return 0;
	if (spec->iops < t->iops_least || spec->iops > t->iops_most)
		return out_of_range(error, t, "", t->iops_least, t->iops_most, "IOPS");
	/* What it has for nothing it has at any size. */
	if (spec->iops > t->iops_default && spec->iops > most)
		return ec2fs_fail_errno(error, ERANGE, EC2_InvalidParameterValue,
					"a %s volume has at most %" PRIu64
					" IOPS a GiB, which are %" PRIu64 " for %" PRIu64 " GiB",
					t->name, t->iops_per_gib, most, spec->gib);
	return 0;
}

static int check_throughput(const struct type *t, const struct volume_spec *spec,
			    struct ec2fs_error *error)
{
	uint64_t iops = volume_spec_iops(spec);

	if (!spec->throughput)
		return 0;
	if (!t->throughput_most)
		return ec2fs_fail(
			error, EC2_InvalidParameterCombination,
			"the throughput of a %s volume is not chosen; gp3 takes throughput",
			t->name);
	if (spec->throughput < t->throughput_least || spec->throughput > t->throughput_most)
		return out_of_range(error, t, " of throughput", t->throughput_least,
				    t->throughput_most, "MiB/s");
	if (spec->throughput * 4 > iops)
		return ec2fs_fail_errno(
			error, ERANGE, EC2_InvalidParameterValue,
			"a %s volume has at most 0.25 MiB/s for each of its IOPS, which "
			"are %" PRIu64 " MiB/s for %" PRIu64 " IOPS",
			t->name, iops / 4, iops);
	return 0;
}

int volume_spec_check(const struct volume_spec *spec, struct ec2fs_error *error)
{
	const struct type *t = type_of(spec->type);
	int result;

	if (!t)
		return volume_type_check(spec->type, error);
	if (spec->gib < t->least || spec->gib > t->most)
		return out_of_range(error, t, "", t->least, t->most, "GiB");
	result = check_iops(t, spec, error);
	return result < 0 ? result : check_throughput(t, spec, error);
}

static void spec_of(const struct resource *volume, struct volume_spec *ret)
{
	*ret = (struct volume_spec){.type = resource_or(volume, "volume-type", "gp3"),
				    .gib = volume_size(volume) / GIB,
				    .iops = resource_u64(volume, "iops", 0),
				    .throughput = resource_u64(volume, "throughput", 0)};
}

uint64_t volume_iops(const struct resource *volume)
{
	struct volume_spec spec;

	spec_of(volume, &spec);
	return volume_spec_iops(&spec);
}

uint64_t volume_throughput(const struct resource *volume)
{
	struct volume_spec spec;

	spec_of(volume, &spec);
	return volume_spec_throughput(&spec);
}

/* Hard disks: so many MiB/s for each TiB. */
static void disk_limits(const struct volume_spec *spec, uint64_t iops, uint64_t base,
			uint64_t base_most, uint64_t burst, uint64_t burst_most,
			struct volume_limits *ret)
{
	ret->iops = iops;
	ret->bytes = clamp(spec->gib * base * MIB / TIB_IN_GIB, MIB, base_most * MIB);
	ret->burst_bytes = clamp(spec->gib * burst * MIB / TIB_IN_GIB, MIB, burst_most * MIB);
	/* As much as its size. */
	ret->burst_seconds = spec->gib * TIB_IN_GIB * MIB / ret->burst_bytes;
}

void volume_limits(const struct resource *volume, struct volume_limits *ret)
{
	struct volume_spec spec;

	spec_of(volume, &spec);
	*ret = (struct volume_limits){.iops = volume_spec_iops(&spec)};
	if (strcmp(spec.type, "gp3") == 0) {
		ret->bytes = volume_spec_throughput(&spec) * MIB;
	} else if (strcmp(spec.type, "gp2") == 0) {
		ret->burst_iops = ret->iops < 3000 ? 3000 : 0;
		ret->burst_seconds = GP2_CREDITS / 3000;
		ret->bytes = (spec.gib > 170 ? 250 : 128) * MIB;
	} else if (strcmp(spec.type, "io1") == 0) {
		ret->bytes = 1000 * MIB;
	} else if (strcmp(spec.type, "io2") == 0) {
		ret->bytes = 4000 * MIB;
	} else if (strcmp(spec.type, "st1") == 0) {
		disk_limits(&spec, 500, 40, 500, 250, 500, ret);
	} else if (strcmp(spec.type, "sc1") == 0) {
		disk_limits(&spec, 250, 12, 192, 80, 250, ret);
	} else {
		ret->iops = 100;
		/* EC2 says no more than "hundreds". */
		ret->burst_iops = 200;
		ret->burst_seconds = GP2_CREDITS / 3000;
		ret->bytes = 90 * MIB;
	}
}

/* What the region's other volumes take of the quotas. */
struct usage {
	uint64_t count, gib, iops;
};

static void add_up(const struct view *v, const struct resource *region, const char *type,
		   uint64_t number, struct usage *ret)
{
	*ret = (struct usage){0};
	view_each (v, region->number, KIND_VOLUME, r) {
		struct volume_spec spec;

		if (r->number == number || storage_is_removed(r) ||
		    resource_is(r, "state", "draft"))
			continue;
		ret->count++;
		spec_of(r, &spec);
		if (strcmp(spec.type, type) != 0)
			continue;
		ret->gib += spec.gib;
		ret->iops += volume_spec_iops(&spec);
	}
}

int volume_quota_check(const struct view *v, const struct resource *region,
		       const struct volume_spec *spec, uint64_t number, struct ec2fs_error *error)
{
	const struct type *t = type_of(spec->type);
	uint64_t limit = quota_get(region, "volumes");
	char key[32];
	struct usage is;
	int result;

	add_up(v, region, spec->type, number, &is);
	if (is.count + 1 > limit)
		return ec2fs_fail(error, EC2_VolumeLimitExceeded,
				  "there are %" PRIu64
				  " volumes, as many as the quota allows: remove "
				  "one, or raise volumes in the region's quotas",
				  is.count);
	result = owner_quota_check_volume(v, region, number, error);
	if (result < 0)
		return result;
	snprintf(key, sizeof(key), "%s-storage", spec->type);
	limit = quota_get(region, key);
	if (is.gib + spec->gib > limit)
		return ec2fs_fail(error, EC2_VolumeLimitExceeded,
				  "the other %s volumes have %" PRIu64
				  " GiB, and the quota is %" PRIu64
				  ": remove one, or raise %s in the region's quotas",
				  spec->type, is.gib, limit, key);
	if (!t || t->iops_default || !t->iops_most)
		return 0;
	snprintf(key, sizeof(key), "%s-iops", spec->type);
	limit = quota_get(region, key);
	if (is.iops + spec->iops > limit)
		return ec2fs_fail(error, EC2_MaxIOPSLimitExceeded,
				  "the other %s volumes have %" PRIu64
				  " IOPS, and the quota is %" PRIu64
				  ": raise %s in the region's quotas",
				  spec->type, is.iops, limit, key);
	return 0;
}
