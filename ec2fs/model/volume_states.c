/* Volumes as the engine sees them: creation, modification, the end. */
#include "ec2fs/model/storage.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool is_in(const struct resource *r, const char *state)
{
	return resource_is(r, "state", state);
}

int volume_source(const struct view *v, const struct resource *volume, const struct resource **ret,
		  struct ec2fs_error *error)
{
	const char *snapshot = resource_get(volume, "snapshot"),
		   *image = resource_get(volume, "@image");

	*ret = NULL;
	if (snapshot) {
		*ret = view_by_id(v, snapshot);
		return *ret ? 0
			    : ec2fs_fail(
				      error, EC2_InvalidSnapshot_NotFound,
				      "the snapshot %s was removed before the volume had its copy",
				      snapshot);
	}
	if (image) {
		*ret = view_by_id(v, image);
		return *ret ? 0
			    : ec2fs_fail(error, EC2_InvalidAMIID_NotFound,
					 "the image %s was removed before the volume had its copy",
					 image);
	}
	return 0;
}

bool volume_is_modifying(const struct resource *volume)
{
	return resource_is(volume, "modification-state", "modifying") ||
	       resource_is(volume, "modification-state", "optimizing");
}

bool volume_may_go(const struct view *v, const struct resource *volume)
{
	view_each_about(v, volume->number, KIND_SNAPSHOT, s) if (is_in(s, "pending")) return false;
	return true;
}

/* was: before the change, NULL where nothing but the size may have to be taken back. */
static void begin_modification(struct view *v, struct resource *r, const struct resource *was)
{
	if (was)
		set_format(v, r, "@before", "%s %" PRIu64 " %" PRIu64,
			   resource_or(was, "volume-type", "gp3"), resource_u64(was, "iops", 0),
			   resource_u64(was, "throughput", 0));
	set_text(v, r, "modification-state", "modifying");
	set_text(v, r, "modification-progress", "0%");
	unset(v, r, "state-reason");
}

void volume_saw_created(struct view *v, struct resource *r, uint64_t bytes)
{
	if (!is_in(r, "creating"))
		return;
	set_format(v, r, "@made", "%" PRIu64, bytes);
	set_text(v, r, "state", volume_attachment(v, r) ? "in-use" : "available");
	unset(v, r, "@image");
	unset(v, r, "state-reason");
	if (volume_size(r) > bytes)
		begin_modification(v, r, NULL);
}

void volume_saw_failure(struct view *v, struct resource *r, const struct ec2fs_error *why)
{
	if (!is_in(r, "creating"))
		return;
	set_text(v, r, "state", "error");
	set_format(v, r, "state-reason", "%s: %s", ec2_code_name(why->code), why->message);
}

void volume_saw_modified(struct view *v, struct resource *r, uint64_t bytes)
{
	if (!resource_is(r, "modification-state", "modifying"))
		return;
	set_format(v, r, "@made", "%" PRIu64, bytes);
	set_text(v, r, "modification-state", "optimizing");
	set_text(v, r, "modification-progress", "50%");
	unset(v, r, "state-reason");
	unset(v, r, "@before");
}

void volume_saw_optimized(struct view *v, struct resource *r)
{
	if (!resource_is(r, "modification-state", "optimizing"))
		return;
	set_text(v, r, "modification-state", "completed");
	set_text(v, r, "modification-progress", "100%");
}

static void take_back(struct view *v, struct resource *r, const char *key, uint64_t figure)
{
	if (figure)
		set_format(v, r, key, "%" PRIu64, figure);
	else
		unset(v, r, key);
}

void volume_saw_modification_failure(struct view *v, struct resource *r,
				     const struct ec2fs_error *why)
{
	uint64_t iops, throughput;
	char type[16];

	if (!volume_is_modifying(r))
		return;
	set_text(v, r, "modification-state", "failed");
	set_format(v, r, "state-reason", "%s: %s", ec2_code_name(why->code), why->message);
	if (volume_made_size(r))
		set_format(v, r, "size", "%" PRIu64 " GiB", volume_made_size(r) / GIB);
	/* A type of which there is none so small is no state to be left in. */
	if (sscanf(resource_or(r, "@before", ""), "%15s %" SCNu64 " %" SCNu64, type, &iops,
		   &throughput) == 3) {
		set_text(v, r, "volume-type", type);
		take_back(v, r, "iops", iops);
		take_back(v, r, "throughput", throughput);
		unset(v, r, "@before");
	}
}

void volume_saw_gone(struct view *v, struct resource *r)
{
	if (is_in(r, "deleting"))
		view_delete(v, r);
}

static bool differs(const struct resource *was, const struct resource *is, const char *key)
{
	return strcmp(resource_or(was, key, ""), resource_or(is, key, "")) != 0;
}

static void spec_of(const struct resource *r, struct volume_spec *ret)
{
	*ret = (struct volume_spec){.type = resource_or(r, "volume-type", "gp3"),
				    .gib = volume_size(r) / GIB,
				    .iops = resource_u64(r, "iops", 0),
				    .throughput = resource_u64(r, "throughput", 0)};
}

/* IOPS and throughput that the new type does not take, or not so many, go with the old one. */
static void carry_figures(struct view *v, const struct resource *was, struct resource *r)
{
	struct volume_spec spec;

	if (!differs(was, r, "volume-type"))
		return;
	spec_of(r, &spec);
	if (!differs(was, r, "throughput") && strcmp(spec.type, "gp3") != 0) {
		unset(v, r, "throughput");
		spec.throughput = 0;
	}
	if (!differs(was, r, "iops") && spec.iops && volume_spec_check(&spec, NULL) < 0)
		unset(v, r, "iops");
	/* EC2's default for a change to io1 or io2. */
	if (!resource_get(r, "iops") &&
	    volume_type_multi_attaches(resource_or(r, "volume-type", "")))
		set_text(v, r, "iops", "100");
}

static int check_attachment(const struct view *v, const struct resource *r, const char *type,
			    struct ec2fs_error *error)
{
	if (resource_is(r, "multi-attach-enabled", "true") && !volume_type_multi_attaches(type))
		return ec2fs_fail(error, EC2_InvalidParameterCombination,
				  "it may be attached to several instances, which only io1 and io2 "
				  "volumes may");
	view_each_about(v, r->number, KIND_ATTACHMENT, a) if (
		attachment_is_root(v, a) &&
		!volume_type_boots(
			type)) return ec2fs_fail(error, EC2_BootForVolumeTypeUnsupported,
						 "it is a root volume, which cannot be of type %s",
						 type);
	return 0;
}

int volume_modify(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	const struct resource *was = view_before(v, r->number);
	struct volume_spec spec;
	int result;

	if (!was || (!differs(was, r, "size") && !differs(was, r, "volume-type") &&
		     !differs(was, r, "iops") && !differs(was, r, "throughput")))
		return 0;
	if (!is_in(r, "creating") && !is_in(r, "available") && !is_in(r, "in-use"))
		return ec2fs_fail(error, EC2_IncorrectState, "the volume is in state %s",
				  resource_or(r, "state", "?"));
	if (volume_size(r) < volume_size(was))
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "a volume only grows, and it has %" PRIu64
				  " GiB; make a smaller one and copy",
				  volume_size(was) / GIB);
	if (volume_is_modifying(r))
		return ec2fs_fail(error, EC2_IncorrectModificationState,
				  "it is being modified already (%s, %s); write it again when "
				  "modification-state is completed",
				  resource_or(r, "modification-state", ""),
				  resource_or(r, "modification-progress", "0%"));
	carry_figures(v, was, r);
	spec_of(r, &spec);
	result = volume_spec_check(&spec, error);
	if (result == 0)
		result = check_attachment(v, r, spec.type, error);
	if (result == 0)
		result = volume_quota_check(v, view_get(v, r->parent), &spec, r->number, error);
	if (result < 0)
		return result;
	/* In creation, it is created as it is wanted last. */
	if (!is_in(r, "creating"))
		begin_modification(v, r, was);
	return 0;
}
