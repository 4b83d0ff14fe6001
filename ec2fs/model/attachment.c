/* Attachments: a link in an instance's volumes/ is a resource of its own. Their states, and what
 * becomes of them with their instance. */
#include "ec2fs/model/attachment_internal.h"

#include <inttypes.h>
#include <string.h>

static const char *const names[] = {"attaching", "attached", "detaching", "busy"};

enum attachment_state attachment_state(const struct resource *attachment)
{
	int s = ATTACHMENT_ATTACHING;

	while (s < ATTACHMENT_BUSY && !resource_is(attachment, "state", names[s]))
		s++;
	return (enum attachment_state)s;
}

const char *attachment_state_name(enum attachment_state state)
{
	return names[state];
}

void attachment_enter(struct view *v, struct resource *r, enum attachment_state state)
{
	set_text(v, r, "state", names[state]);
}

const struct resource *attachment_volume(const struct view *v, const struct resource *attachment)
{
	const struct resource *volume = view_get(v, resource_reference(attachment));

	return volume && volume->kind == KIND_VOLUME ? volume : NULL;
}

const struct resource *attachment_instance(const struct view *v, const struct resource *attachment)
{
	return view_get(v, attachment->parent);
}

void attachment_device(const struct resource *attachment, struct strbuf *out)
{
	strbuf_addf(out, "/dev/%s", attachment->name);
}

const char *device_name(const char *device)
{
	return strncmp(device, "/dev/", 5) == 0 ? device + 5 : device;
}

bool attachment_is_root(const struct view *v, const struct resource *attachment)
{
	const struct resource *instance = attachment_instance(v, attachment);

	return instance && strcmp(attachment->name,
				  device_name(resource_or(instance, "root-device-name", ""))) == 0;
}

bool attachment_is_forced(const struct resource *attachment)
{
	return resource_get(attachment, "@force");
}

bool attachment_is_leaving(const struct resource *attachment)
{
	enum attachment_state s = attachment_state(attachment);

	return s == ATTACHMENT_DETACHING || s == ATTACHMENT_BUSY;
}

const struct resource *volume_attachment(const struct view *v, const struct resource *volume)
{
	return view_next_about(v, volume->number, KIND_ATTACHMENT, 0);
}

static bool has_another(const struct view *v, const struct resource *volume,
			const struct resource *attachment)
{
	view_each_about(v, volume->number, KIND_ATTACHMENT,
			a) if (a->number != attachment->number) return true;
	return false;
}

bool attachment_is_doomed(const struct view *v, const struct resource *attachment)
{
	const struct resource *volume = attachment_volume(v, attachment);

	return volume && resource_is(volume, "delete-on-termination", "true") &&
	       !has_another(v, volume, attachment);
}

const struct resource *volume_root_of(const struct view *v, const struct resource *instance)
{
	view_each (v, instance->number, KIND_ATTACHMENT, a)
		if (attachment_is_root(v, a))
			return attachment_volume(v, a);
	return NULL;
}

void attachment_release(struct view *v, const struct resource *attachment)
{
	const struct resource *volume = attachment_volume(v, attachment);
	struct resource *kept;

	view_delete(v, attachment);
	if (!volume || volume_attachment(v, volume))
		return;
	kept = view_edit(v, volume);
	if (resource_is(kept, "state", "in-use"))
		set_text(v, kept, "state", "available");
	/* It says what becomes of an attachment. */
	set_text(v, kept, "delete-on-termination", "false");
}

void attachment_saw_attached(struct view *v, struct resource *r)
{
	if (attachment_state(r) == ATTACHMENT_ATTACHING)
		attachment_enter(v, r, ATTACHMENT_ATTACHED);
}

void attachment_saw_failure(struct view *v, struct resource *r, const struct ec2fs_error *why)
{
	const struct resource *instance = attachment_instance(v, r);

	if (attachment_state(r) != ATTACHMENT_ATTACHING)
		return;
	if (instance)
		set_format(v, view_edit(v, instance), "state-reason",
			   "Server.%s: %s cannot be attached: %s", ec2_code_name(why->code),
			   r->name, why->message);
	attachment_release(v, r);
}

void attachment_saw_busy(struct view *v, struct resource *r)
{
	if (attachment_state(r) == ATTACHMENT_DETACHING)
		attachment_enter(v, r, ATTACHMENT_BUSY);
}

void attachment_saw_detached(struct view *v, struct resource *r)
{
	if (attachment_is_leaving(r))
		attachment_release(v, r);
}

void attachments_saw_running(struct view *v, const struct resource *instance)
{
	view_each (v, instance->number, KIND_ATTACHMENT, a)
		if (attachment_state(a) == ATTACHMENT_ATTACHING)
			attachment_enter(v, view_edit(v, a), ATTACHMENT_ATTACHED);
}

void attachments_saw_stopped(struct view *v, const struct resource *instance)
{
	view_each (v, instance->number, KIND_ATTACHMENT, a) {
		if (attachment_is_leaving(a))
			attachment_release(v, a);
		else if (attachment_state(a) == ATTACHMENT_ATTACHING)
			attachment_enter(v, view_edit(v, a), ATTACHMENT_ATTACHED);
	}
}

void attachments_instance_gone(struct view *v, const struct resource *instance)
{
	view_each (v, instance->number, KIND_ATTACHMENT, a) {
		const struct resource *volume = attachment_volume(v, a);
		bool doomed = attachment_is_doomed(v, a) && !attachment_is_leaving(a);
		struct ec2fs_error ignored;

		attachment_release(v, a);
		if (doomed)
			volume_remove(v, view_edit(v, volume), &ignored);
	}
}

void attachments_release(struct view *v, const struct resource *instance)
{
	view_each (v, instance->number, KIND_ATTACHMENT, a)
		attachment_release(v, a);
}

void attachments_adopt(struct view *v)
{
	view_each (v, ROOT_NUMBER, KIND_REGION, region)
		view_each (v, region->number, KIND_VOLUME, volume) {
			const struct resource *instance =
				view_get(v, resource_u64(volume, "@instance", NO_NUMBER));
			struct resource *r;

			if (!resource_get(volume, "@instance"))
				continue;
			r = view_edit(v, volume);
			if (instance && instance->kind == KIND_INSTANCE)
				attachment_enter(
					v,
					attachment_add(
						v, instance,
						device_name(resource_or(r, "@device", "xvda")), r),
					ATTACHMENT_ATTACHED);
			if (!resource_is(r, "state", "creating"))
				set_format(v, r, "@made", "%" PRIu64, volume_size(r));
			unset(v, r, "@instance");
			unset(v, r, "@device");
		}
}
