/* Images: what they are made of (a disk, a kernel, a snapshot), and when they can boot. */
#include "ec2fs/model/instance.h"

#include "ec2fs/text/time.h"
#include "ec2fs/util/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CMDLINE_MAX 2048 /* what x86 Linux takes */

int image_make(struct view *v, const struct resource *parent, const char *name,
	       struct resource **ret, struct ec2fs_error *error)
{
	struct strbuf now __attribute__((cleanup(strbuf_free))) = STRBUF_INIT;
	uint64_t limit = quota_get(parent, "images");
	struct resource *r;

	if (view_count(v, parent->number, KIND_IMAGE) >= limit)
		return ec2fs_fail(error, EC2_ResourceLimitExceeded,
				  "there are %llu images, as many as the quota allows",
				  (unsigned long long)limit);
	r = view_create(v, parent->number, KIND_IMAGE, name);
	time_print(v->now, &now);
	set_default(r, "state", "pending");
	set_default(r, "creation-date", strbuf_str(&now));
	set_default(r, "architecture", "x86_64");
	set_default(r, "root-device-name", "/dev/xvda");
	set_default(r, "no-reboot", "false");
	*ret = r;
	return 0;
}

/* One that is being launched from it and has not got its own copy yet. */
static const struct resource *launching(const struct view *v, const struct resource *image)
{
	view_each (v, image->parent, KIND_INSTANCE, r)
		if (resource_is(r, "image", image->id) && instance_state(r) == INSTANCE_PENDING &&
		    !resource_get(r, "@launched"))
			return r;
	return NULL;
}

int image_remove(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	const struct resource *user = launching(v, r);

	if (user)
		return ec2fs_fail_errno(error, EBUSY, EC2_IncorrectState,
					"the instance %s is being launched from it; wait until it "
					"runs",
					user->name);
	view_delete(v, r);
	return 0;
}

int image_rename(struct view *v, struct resource *r, const char *name, struct ec2fs_error *error)
{
	(void)error;
	view_rename(v, r, name);
	return 0;
}

int image_set_description(struct view *v, struct resource *r, const char *text, size_t len,
			  struct ec2fs_error *error)
{
	if (len > 255)
		return ec2fs_fail(error, EC2_NameTooLong, "a description has at most 255 bytes");
	set_text(v, r, "description", text);
	return 0;
}

int image_set_architecture(struct view *v, struct resource *r, const char *text, size_t len,
			   struct ec2fs_error *error)
{
	(void)len;
	if (strcmp(text, "x86_64") != 0 && strcmp(text, "arm64") != 0)
		return ec2fs_fail(error, EC2_InvalidParameterValue, "write x86_64 or arm64");
	set_text(v, r, "architecture", text);
	return 0;
}

int image_set_root_device_name(struct view *v, struct resource *r, const char *text, size_t len,
			       struct ec2fs_error *error)
{
	if (strncmp(text, "/dev/", 5) != 0 || len < 7 || len > 32 ||
	    strspn(text + 5, "abcdefghijklmnopqrstuvwxyz0123456789") != len - 5)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "write a device such as /dev/xvda or /dev/sda1");
	set_text(v, r, "root-device-name", text);
	return 0;
}

int image_set_cmdline(struct view *v, struct resource *r, const char *text, size_t len,
		      struct ec2fs_error *error)
{
	if (len > CMDLINE_MAX)
		return ec2fs_fail(error, EC2_ValueTooLong, "a kernel takes at most %d bytes",
				  CMDLINE_MAX);
	set_text(v, r, "cmdline", text);
	return 0;
}

int image_unset_cmdline(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	(void)error;
	unset(v, r, "cmdline");
	return 0;
}

bool image_needs_conversion(const struct resource *image)
{
	return strstr(resource_or(image, "disk", ""), " qcow2 ");
}

uint64_t image_disk_size(const struct resource *image)
{
	const char *last = strrchr(resource_or(image, "disk", ""), ' ');

	return last ? strtoull(last, NULL, 10) : 0;
}

static void set_part(struct view *v, struct resource *r, const char *key, const char *value)
{
	if (*value)
		set_text(v, r, key, value);
	else
		unset(v, r, key);
	image_settle(v, r);
}

int image_set_disk(struct view *v, struct resource *r, const char *text, size_t len,
		   struct ec2fs_error *error)
{
	(void)len;
	(void)error;
	set_part(v, r, "disk", text);
	return 0;
}

int image_set_kernel(struct view *v, struct resource *r, const char *text, size_t len,
		     struct ec2fs_error *error)
{
	(void)len;
	(void)error;
	set_part(v, r, "kernel", text);
	return 0;
}

int image_set_ramdisk(struct view *v, struct resource *r, const char *text, size_t len,
		      struct ec2fs_error *error)
{
	(void)len;
	(void)error;
	set_part(v, r, "ramdisk", text);
	return 0;
}

int image_unset_kernel(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	return image_set_kernel(v, r, "", 0, error);
}

int image_unset_ramdisk(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	return image_set_ramdisk(v, r, "", 0, error);
}

void image_imported(struct view *v, struct resource *r, const char *value)
{
	set_part(v, r, "disk", value);
}

void image_import_failed(struct view *v, struct resource *r, const struct ec2fs_error *why)
{
	set_text(v, r, "state", "failed");
	set_format(v, r, "state-reason", "Client.%s: %s", ec2_code_name(why->code), why->message);
	unset(v, r, "disk");
	unset(v, r, "progress");
}
