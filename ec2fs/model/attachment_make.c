/* Attaching and detaching: what EC2 allows, and when. */
#include "ec2fs/model/attachment_internal.h"

#include "ec2fs/model/block_devices.h"
#include "ec2fs/model/instance.h"
#include "ec2fs/text/time.h"

#include <inttypes.h>
#include <string.h>

#define MOST_INSTANCES 16 /* "Multi-Attach" */

/* sd[a-z], xvd[b-c][a-z] (EC2 user guide, "Device names on Linux instances"). */
static bool is_device(const char *name)
{
	size_t len = strlen(name);

	if (len == 3 && strncmp(name, "sd", 2) == 0)
		return name[2] >= 'a' && name[2] <= 'z';
	return len == 5 && strncmp(name, "xvd", 3) == 0 && (name[3] == 'b' || name[3] == 'c') &&
	       name[4] >= 'a' && name[4] <= 'z';
}

static bool is_root_name(const struct resource *instance, const char *name)
{
	const char *root = resource_get(instance, "root-device-name");

	return root && strcmp(device_name(root), name) == 0;
}

static int check_instance(const struct resource *instance, const char *verb,
			  struct ec2fs_error *error)
{
	enum instance_state s = instance_state(instance);

	if (s == INSTANCE_TERMINATED)
		return ec2fs_fail_errno(error, EIDRM, EC2_IncorrectInstanceState,
					"the instance is terminated");
	if (s != INSTANCE_DRAFT && s != INSTANCE_RUNNING && s != INSTANCE_STOPPED)
		return ec2fs_fail(
			error, EC2_IncorrectInstanceState,
			"the instance is %s; volumes are %s while it is running or stopped",
			instance_state_name(s), verb);
	if (resource_is(instance, "@hibernated", "true"))
		return ec2fs_fail(error, EC2_IncorrectInstanceState,
				  "the instance is hibernated: start it first");
	return 0;
}

/* A launched instance's mappings may have a disk of its instance store there. */
static bool is_store(const struct view *v, const struct resource *instance, const char *name)
{
	char devices[INSTANCE_STORE_MOST][32];
	struct instance_store store;

	instance_store(v, instance, &store);
	block_devices_ephemeral(instance, devices, store.count);
	for (unsigned i = 0; i < store.count; i++)
		if (strcmp(devices[i], name) == 0)
			return true;
	return false;
}

static int check_device(const struct view *v, const struct resource *instance, const char *name,
			struct ec2fs_error *error)
{
	const struct resource *there = view_find(v, instance->number, KIND_ATTACHMENT, name);

	if (is_store(v, instance, name))
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "%s is taken: the block device mappings have a disk of the "
				  "instance store there",
				  name);
	if (there && attachment_is_leaving(there))
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "%s is taken still: what was attached there is %s", name,
				  attachment_state_name(attachment_state(there)));
	if (there)
		return ec2fs_fail(error, EC2_InvalidParameterValue, "%s is taken", name);
	if (!is_device(name) && !is_root_name(instance, name))
		return ec2fs_fail(
			error, EC2_InvalidParameterValue,
			"%s is no device; call the link sdf to sdp (sda to sdz and xvdba to "
			"xvdcz are possible)",
			name);
	if (is_root_name(instance, name) && instance_state(instance) != INSTANCE_STOPPED)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "%s is the root device, which is attached while the instance is "
				  "stopped",
				  name);
	return 0;
}

static int check_volume(const struct resource *volume, const struct resource *instance,
			struct ec2fs_error *error)
{
	const char *zone = resource_or(volume, "availability-zone", "");

	if (resource_is(volume, "state", "draft"))
		return ec2fs_fail(error, EC2_IncorrectState,
				  "the volume %s is not created: write its size first",
				  volume->name);
	if (!resource_is(volume, "state", "available") && !resource_is(volume, "state", "in-use"))
		return ec2fs_fail(error, EC2_IncorrectState,
				  "the volume %s is %s; it is attached when it is available",
				  volume->name, resource_or(volume, "state", "?"));
	if (!resource_is(instance, "availability-zone", zone))
		return ec2fs_fail(
			error, EC2_InvalidVolume_ZoneMismatch,
			"the volume %s is in %s, and the instance in %s; a snapshot brings "
			"its content there",
			volume->name, zone, resource_or(instance, "availability-zone", "no zone"));
	return 0;
}

/* Attached elsewhere already: only where the volume allows it. */
static int check_others(const struct view *v, const struct resource *volume,
			const struct resource *instance, struct ec2fs_error *error)
{
	bool multi = resource_is(volume, "multi-attach-enabled", "true");
	size_t count = 0;

	view_each_about(v, volume->number, KIND_ATTACHMENT, a)
	{
		const struct resource *other = attachment_instance(v, a);

		if (!multi || a->parent == instance->number)
			return ec2fs_fail(error, EC2_VolumeInUse,
					  "the volume %s is attached to the instance %s as %s",
					  volume->name, other ? other->name : "?", a->name);
		count++;
	}
	if (count >= MOST_INSTANCES)
		return ec2fs_fail(error, EC2_AttachmentLimitExceeded,
				  "the volume %s is attached to %d instances, as many as it may be",
				  volume->name, MOST_INSTANCES);
	return 0;
}

static int check_room(const struct view *v, const struct resource *instance,
		      struct ec2fs_error *error)
{
	struct instance_store store;
	size_t most;

	instance_store(v, instance, &store);
	most = MOST_ATTACHMENTS - 1 - store.count;
	if (view_count(v, instance->number, KIND_ATTACHMENT) >= most)
		return ec2fs_fail(
			error, EC2_AttachmentLimitExceeded,
			"the instance has %zu volumes; with its interface and its instance "
			"store they may be %d",
			most, MOST_ATTACHMENTS);
	return 0;
}

static int check_root(const struct resource *volume, struct ec2fs_error *error)
{
	const char *type = resource_or(volume, "volume-type", "");

	if (resource_is(volume, "multi-attach-enabled", "true"))
		return ec2fs_fail(error, EC2_Unsupported,
				  "a volume with multi-attach-enabled cannot be a root volume");
	if (!volume_type_boots(type))
		return ec2fs_fail(error, EC2_BootForVolumeTypeUnsupported,
				  "a volume of type %s cannot be a root volume", type);
	return 0;
}

struct resource *attachment_add(struct view *v, const struct resource *instance, const char *name,
				const struct resource *volume)
{
	struct strbuf now __attribute__((cleanup(strbuf_free))) = STRBUF_INIT;
	bool live = instance_state(instance) == INSTANCE_RUNNING;
	struct resource *r = view_create(v, instance->number, KIND_ATTACHMENT, name);

	time_print(v->now, &now);
	r->uid = instance->uid;
	r->gid = instance->gid;
	set_format(v, r, "@volume", "%" PRIu64, volume->number);
	set_text(v, r, "attach-time", strbuf_str(&now));
	attachment_enter(v, r, live ? ATTACHMENT_ATTACHING : ATTACHMENT_ATTACHED);
	if (resource_is(volume, "state", "available"))
		set_text(v, view_edit(v, volume), "state", "in-use");
	return r;
}

int attachment_make(struct view *v, const struct resource *instance, const char *name,
		    const struct resource *target, struct resource **ret, struct ec2fs_error *error)
{
	int result;

	if (target->kind != KIND_VOLUME || target->parent != instance->parent ||
	    storage_is_removed(target))
		return ec2fs_fail(error, EC2_InvalidVolume_NotFound,
				  "%s is no volume of this region; link to one, such as "
				  "../../../volumes/data",
				  target->name);
	result = view_may(v, target, 2, error);
	if (result == 0)
		result = check_instance(instance, "attached", error);
	if (result == 0)
		result = check_device(v, instance, name, error);
	if (result == 0)
		result = check_volume(target, instance, error);
	if (result == 0)
		result = check_others(v, target, instance, error);
	if (result == 0)
		result = check_room(v, instance, error);
	if (result == 0 && is_root_name(instance, name))
		result = check_root(target, error);
	if (result < 0)
		return result;
	*ret = attachment_add(v, instance, name, target);
	return 0;
}

static int detach(struct view *v, struct resource *r, bool force, struct ec2fs_error *error)
{
	const struct resource *instance = attachment_instance(v, r);
	enum instance_state s = instance ? instance_state(instance) : INSTANCE_TERMINATED;
	int result = instance ? check_instance(instance, "detached", error) : 0;

	if (result < 0)
		return result;
	if (s != INSTANCE_RUNNING) {
		attachment_release(v, r);
		return 0;
	}
	if (attachment_is_root(v, r))
		return ec2fs_fail(error, EC2_OperationNotPermitted,
				  "%s is the root volume of a running instance; stop it first",
				  r->name);
	if (!attachment_is_leaving(r))
		attachment_enter(v, r, ATTACHMENT_DETACHING);
	if (force)
		set_text(v, r, "@force", "true");
	return 0;
}

int attachment_remove(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	return detach(v, r, false, error);
}

int attachment_detach(struct view *v, const struct resource *instance, const char *device,
		      bool force, struct ec2fs_error *error)
{
	const struct resource *r =
		view_find(v, instance->number, KIND_ATTACHMENT, device_name(device));

	if (!r)
		return ec2fs_fail(error, EC2_InvalidAttachment_NotFound,
				  "nothing is attached as %s; volumes/ tells what is", device);
	return detach(v, view_edit(v, r), force, error);
}

bool attachment_is_held(const struct view *v, const struct resource *attachment)
{
	const struct resource *instance = attachment_instance(v, attachment);

	if (!instance || instance_state(instance) == INSTANCE_DRAFT)
		return false;
	return attachment_is_root(v, attachment) || attachment_is_doomed(v, attachment) ||
	       check_instance(instance, "detached", NULL) < 0;
}
