/* instances/NAME: a virtual machine. */
#include "ec2fs/model/block_devices.h"
#include "ec2fs/model/instance.h"
#include "ec2fs/model/interface.h"
#include "ec2fs/model/names.h"
#include "ec2fs/model/storage.h"
#include "ec2fs/tree/internal.h"
#include "ec2fs/util/cleanup.h"

#include <string.h>

/* What is on its way out has no name any more. */
static bool stays(const struct resource *attachment)
{
	return !attachment_is_leaving(attachment);
}

static const struct dir volumes_dir = {.title = "instances/NAME/volumes",
				       .child = KIND_ATTACHMENT,
				       .lists = stays,
				       .make_link = attachment_make};

static void show_mappings(const struct show *s, struct strbuf *out)
{
	block_devices_print(s->view, s->r, out);
}

static const struct dir security_groups_dir = {.title = "instances/NAME/security-groups",
					       .child = KIND_MEMBERSHIP,
					       .make_link = membership_make};

/* For spec: "web,db"; IDs where a name could be taken for a list. */
static void show_security_groups(const struct show *s, struct strbuf *out)
{
	size_t before = out->len;

	view_each (s->view, s->r->number, KIND_MEMBERSHIP, m) {
		const struct resource *group = membership_group(s->view, m);
		bool plain = group && !strpbrk(group->name, ", ");

		if (group)
			strbuf_addf(out, "%s%s", out->len > before ? "," : "",
				    plain ? group->name : group->id);
	}
}

static const struct dir addresses_dir = {.title = "instances/NAME/addresses",
					 .links = &instance_address_links};

/* The image's name; of an image that is gone, the ID. */
static void show_image(const struct show *s, struct strbuf *out)
{
	const char *id = resource_get(s->r, "image");
	const struct resource *image = id ? view_by_id(s->view, id) : NULL;

	if (id)
		strbuf_addf(out, "%s\n", image ? image->name : id);
}

/* NAME in the default VPC, else VPC/NAME; of a subnet that is gone, the ID. */
static void show_subnet(const struct show *s, struct strbuf *out)
{
	const struct resource *subnet = instance_subnet(s->view, s->r);
	const struct resource *vpc = instance_vpc(s->view, s->r);

	if (subnet && vpc && !resource_is(vpc, "is-default", "true"))
		strbuf_addf(out, "%s/", vpc->name);
	if (subnet)
		strbuf_addf(out, "%s\n", subnet->name);
	else if (resource_get(s->r, "subnet"))
		strbuf_addf(out, "%s\n", resource_get(s->r, "subnet"));
}

static void show_vpc(const struct show *s, struct strbuf *out)
{
	const struct resource *vpc = instance_vpc(s->view, s->r);

	if (vpc)
		strbuf_addf(out, "%s\n", vpc->name);
}

static void show_public_ip(const struct show *s, struct strbuf *out)
{
	uint32_t address = instance_public_ip(s->view, s->r);
	char text[CIDR_TEXT];

	if (!address)
		return;
	address_print(address, text);
	strbuf_addf(out, "%s\n", text);
}

static void show_private_dns_name(const struct show *s, struct strbuf *out)
{
	if (private_dns_name(s->view, s->r, out))
		strbuf_addc(out, '\n');
}

static void show_public_dns_name(const struct show *s, struct strbuf *out)
{
	if (public_dns_name(s->view, s->r, out))
		strbuf_addc(out, '\n');
}

static void show_metadata_options(const struct show *s, struct strbuf *out)
{
	const struct field *f = resource_field(s->r, "metadata-options");
	struct metadata_options o;

	if (f && f->value) {
		strbuf_add(out, f->value->data, f->value->len);
		return;
	}
	instance_metadata_options(s->r, &o);
	strbuf_addf(out,
		    "http-endpoint %s\nhttp-tokens %s\nhttp-put-response-hop-limit %u\n"
		    "instance-metadata-tags %s\n",
		    o.endpoint ? "enabled" : "disabled",
		    o.tokens_required ? "required" : "optional", o.hops,
		    o.tags ? "enabled" : "disabled");
}

static void show_console(const struct show *s, struct strbuf *out)
{
	if (s->tree->engine)
		engine_console(s->tree->engine, s->r->id, s->log_start, out);
}

static void show_screenshot(const struct show *s, struct strbuf *out)
{
	if (s->tree->engine)
		engine_screenshot(s->tree->engine, s->r->id, out);
}

static void show_metrics(const struct show *s, struct strbuf *out)
{
	if (s->tree->engine)
		engine_metrics(s->tree->engine, s->r->id, out);
}

static void show_status_checks(const struct show *s, struct strbuf *out)
{
	/* Nobody has to look at what does not run. */
	if (!resource_is(s->r, "state", "running"))
		strbuf_adds(out, "system not-applicable\ninstance not-applicable\n");
	else if (s->tree->engine)
		engine_status_checks(s->tree->engine, s->r->id, out);
}

/* There never was a machine that would tell anything. */
static bool is_draft(const struct show *s)
{
	return resource_is(s->r, "state", "draft");
}

static int refresh_screenshot(struct tree *t, uint64_t number, const char *id)
{
	return t->engine ? engine_refresh_screenshot(t->engine, number, id) : 0;
}

static int refresh_metrics(struct tree *t, uint64_t number, const char *id)
{
	return t->engine ? engine_refresh_metrics(t->engine, number, id) : 0;
}

static int refresh_status_checks(struct tree *t, uint64_t number, const char *id)
{
	return t->engine ? engine_refresh_status_checks(t->engine, number, id) : 0;
}

static const struct entry_extra console_extra = {.still = is_draft};
static const struct entry_extra screenshot_extra = {.still = is_draft,
						    .refresh = refresh_screenshot};
static const struct entry_extra metrics_extra = {.still = is_draft, .refresh = refresh_metrics};
static const struct entry_extra status_checks_extra = {.still = is_draft,
						       .refresh = refresh_status_checks};

/* state comes after what a launch needs: copying tools go through a directory in this order. */
static const struct entry entries[] = {
	ENTRY_ID("instance-id", "i-…"),
	ENTRY_RW("image", instance_set_image, "name or ID; fixed at launch",
		 .flags = ENTRY_SPEC | ENTRY_VOLATILE, .show = show_image),
	ENTRY_RW("instance-type", instance_set_type, "changed while stopped", .flags = ENTRY_SPEC),
	ENTRY_RW("key-pair", instance_set_key_pair,
		 "name of the key pair to log in with; fixed at launch", .flags = ENTRY_SPEC,
		 .unset = instance_unset_key_pair),
	ENTRY_RW("availability-zone", instance_set_zone, "fixed at launch", .flags = ENTRY_SPEC),
	ENTRY_RW("subnet", instance_set_subnet,
		 "NAME in the default VPC, or VPC/NAME; fixed at launch",
		 .flags = ENTRY_SPEC | ENTRY_VOLATILE, .show = show_subnet,
		 .unset = instance_unset_subnet),
	ENTRY_RW("private-ip-address", instance_set_private_ip,
		 "one of the subnet; fixed at launch", .flags = TREE_NOT_COPIED,
		 .unset = instance_unset_private_ip),
	ENTRY_RW("associate-public-ip-address", instance_set_associate_public_ip,
		 "true or false; empty: as the subnet says; fixed at launch", .flags = ENTRY_SPEC),
	ENTRY_RW("source-dest-check", instance_set_source_dest_check,
		 "false lets it forward what is not its own, as a router does",
		 .flags = ENTRY_SPEC),
	ENTRY_RW("metadata-options", instance_set_metadata_options,
		 "of the metadata service, KEY VALUE lines", .flags = TREE_DOCUMENT, .max = 1024,
		 .show = show_metadata_options),
	ENTRY_RO("vpc", "the network it is in", .flags = ENTRY_VOLATILE, .show = show_vpc),
	ENTRY_RO("public-ip-address", "its Elastic IP, or the automatic one",
		 .flags = ENTRY_VOLATILE, .show = show_public_ip),
	ENTRY_RO("private-dns-name", "resolves inside its VPC", .show = show_private_dns_name),
	ENTRY_RO("public-dns-name", "where its VPC has enable-dns-hostnames",
		 .flags = ENTRY_VOLATILE, .show = show_public_dns_name),
	ENTRY_RO("network-interface", "eni-…"),
	ENTRY_RO("mac-address", "of its interface"),
	ENTRY_RO("reservation-id", "r-…, of its launch"),
	{.name = "user-data",
	 .mode = S_IFREG | SECRET,
	 .flags = TREE_DOCUMENT | ENTRY_QUIET,
	 .max = 16 * 1024,
	 .show = show_document,
	 .store = instance_set_user_data,
	 .unset = instance_unset_user_data,
	 .help = "at most 16 KiB for the guest; changed while stopped"},
	ENTRY_RW("block-device-mappings", instance_set_mappings,
		 "disks that the launch makes, where they are not as the image says; fixed at "
		 "launch",
		 .flags = TREE_DOCUMENT | ENTRY_VOLATILE, .max = 16 * 1024, .show = show_mappings),
	ENTRY_RW("disable-api-termination", instance_set_termination_protection,
		 "true refuses terminate and rmdir", .flags = ENTRY_SPEC),
	ENTRY_RW("disable-api-stop", instance_set_stop_protection,
		 "true refuses stop and terminate", .flags = ENTRY_SPEC),
	ENTRY_RW("instance-initiated-shutdown-behavior", instance_set_shutdown_behavior,
		 "stop or terminate, when the guest powers off", .flags = ENTRY_SPEC),
	ENTRY_RW("hibernation-options", instance_set_hibernation,
		 "true allows hibernation; fixed at launch", .flags = ENTRY_SPEC),
	ENTRY_RW("spec", store_spec,
		 "what can be set above in one line, and security-groups, in KEY VALUE lines; a "
		 "write is one transaction",
		 .flags = TREE_DOCUMENT | ENTRY_VOLATILE | ENTRY_QUIET, .max = 16 * 1024,
		 .show = show_spec),
	ENTRY_RO("root-device-name", "device of the root volume"),
	ENTRY_RO("launch-time", "of the last start"),
	ENTRY_RO("state-reason", "why it is in this state"),
	ENTRY_RW("state", instance_set_state, "write running, stopped, hibernated or terminated",
		 .flags = TREE_NOT_COPIED),
	ENTRY_RW("ctl", instance_command,
		 "reboot, reset, stop --force, detach DEVICE [--force], snapshot NAME, …",
		 .flags = TREE_COMMAND | TREE_NOT_COPIED, .show = show_nothing),
	ENTRY_WAIT,
	ENTRY_RO("console", "the last 64 KiB of the serial port", .flags = TREE_LIVE | TREE_LOG,
		 .show = show_console, .extra = &console_extra),
	ENTRY_RO("screenshot.png", "the screen now", .flags = TREE_LIVE | TREE_REFRESH,
		 .show = show_screenshot, .extra = &screenshot_extra),
	ENTRY_RO("metrics", "figures of the machine now", .flags = TREE_LIVE | TREE_REFRESH,
		 .show = show_metrics, .extra = &metrics_extra),
	ENTRY_RO("status-checks",
		 "system and instance: ok, impaired, initializing, insufficient-data, "
		 "not-applicable",
		 .flags = TREE_LIVE | TREE_REFRESH, .show = show_status_checks,
		 .extra = &status_checks_extra),
	ENTRY_DIR("volumes", &volumes_dir,
		  "a link for each attached volume, called as its device; ln -s attaches one"),
	ENTRY_DIR("security-groups", &security_groups_dir,
		  "a link for each group it is in; ln -s adds one", .flags = ENTRY_SPEC,
		  .show = show_security_groups, .store = membership_set_all),
	ENTRY_DIR("addresses", &addresses_dir, "a link for its Elastic IP; ln -s associates one"),
	ENTRY_TAGS,
	ENTRY_ERROR,
	{0},
};

static const struct dir instance_dir = {.title = "instances/NAME", .entries = entries};

const struct kind_ops instance_kind = {
	.dir = &instance_dir, .remove = instance_remove, .rename = instance_rename};
