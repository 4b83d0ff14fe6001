#include "ec2fs/model/instance.h"
#include "ec2fs/model/storage.h"
#include "ec2fs/text/keyed.h"
#include "ec2fs/tree/internal.h"

#include <inttypes.h>
#include <pwd.h>
#include <string.h>

static const struct dir zones_dir = {
	.title = "availability-zones", .child = KIND_ZONE, .make = zone_make};
static const struct dir types_dir = {
	.title = "instance-types", .child = KIND_INSTANCE_TYPE, .make = instance_type_make};
static const struct dir images_dir = {.title = "images", .child = KIND_IMAGE, .make = image_make};
static const struct dir key_pairs_dir = {
	.title = "key-pairs", .child = KIND_KEY_PAIR, .make = key_pair_make};

static bool is_removed(const struct resource *r)
{
	return resource_get(r, "@removed");
}

static bool is_there(const struct resource *r)
{
	return !is_removed(r);
}

static const struct dir volumes_dir = {
	.title = "volumes", .child = KIND_VOLUME, .lists = is_there, .make = volume_make};
static const struct dir snapshots_dir = {
	.title = "snapshots", .child = KIND_SNAPSHOT, .lists = is_there, .make = snapshot_make};

static const struct dir security_groups_dir = {
	.title = "security-groups", .child = KIND_SECURITY_GROUP, .make = security_group_make};
static const struct dir prefix_lists_dir = {
	.title = "prefix-lists", .child = KIND_PREFIX_LIST, .make = prefix_list_make};
static const struct dir addresses_dir = {
	.title = "addresses", .child = KIND_ADDRESS, .make = address_make};
static const struct dir vpcs_dir = {.title = "vpcs", .child = KIND_VPC, .make = vpc_make};

static const struct dir instances_dir = {
	.title = "instances", .child = KIND_INSTANCE, .lists = is_there, .make = instance_make};

/* by-id: a link to everything that has an ID, and what was removed but is still remembered. */
static bool by_id_of(const struct view *v, const struct resource *r, uint64_t *ret_owner,
		     struct strbuf *name)
{
	const struct resource *region = view_region(v, r);

	if (!*r->id || is_removed(r) || !region)
		return false;
	*ret_owner = region->number;
	strbuf_adds(name, r->id);
	return true;
}

static const struct resource *by_id_next(const struct view *v, const struct resource *owner,
					 uint64_t after)
{
	const struct resource *best = NULL;

	for (enum kind kind = KIND_ZONE; kind < KIND_TAG; kind++) {
		const struct resource *r;

		if (!kind_prefix(kind) || kind_home(kind) != owner->kind)
			continue;
		r = view_next(v, owner->number, kind, after);
		while (r && is_removed(r))
			r = view_next(v, owner->number, kind, r->number);
		if (r && (!best || r->number < best->number))
			best = r;
	}
	/* What is in VPCs is the region's too. */
	view_each (v, owner->kind == KIND_REGION ? owner->number : NO_NUMBER, KIND_VPC, vpc) {
		const struct resource *r = by_id_next(v, vpc, after);

		if (r && (!best || r->number < best->number))
			best = r;
	}
	return best;
}

const struct links by_id_links = {
	.salt = "by-id/link", .at = "by-id", .of = by_id_of, .next = by_id_next};

static const struct dir by_id_dir = {
	.title = "by-id", .child = KIND_INSTANCE, .lists = is_removed, .links = &by_id_links};

static void add_quota(void *context, const char *key, uint64_t limit)
{
	strbuf_addf(context, "%s %" PRIu64 "\n", key, limit);
}

static void show_quotas(const struct show *s, struct strbuf *out)
{
	const struct field *f = resource_field(s->r, "quotas");

	if (f && f->value)
		strbuf_add(out, f->value->data, f->value->len);
	else
		quotas_each(s->r, add_quota, out);
}

/* Users are known to the host by a name, to the cloud by a number: NAME UID lines. */
static int add_user(void *context, unsigned line, const char *key, const char *value,
		    struct ec2fs_error *error)
{
	const char *name = strchr(key, '@');
	struct passwd entry, *found = NULL;
	char buffer[4096];

	(void)value;
	if (!name || strcmp(name + 1, "*") == 0 || name[1 + strspn(name + 1, "0123456789")] == '\0')
		return 0;
	if (getpwnam_r(name + 1, &entry, buffer, sizeof(buffer), &found) != 0 || !found)
		return ec2fs_fail_errno(error, ENOENT, EC2_InvalidParameterValue,
					"line %u: this host has no user %s", line, name + 1);
	strbuf_addf(context, "%s %u\n", name + 1, (unsigned)found->pw_uid);
	return 0;
}

static int prepare_quotas(const struct resource *r, const char *text, void **ret,
			  struct ec2fs_error *error)
{
	struct strbuf users = STRBUF_INIT;
	int result = keyed_parse(text, strlen(text), add_user, &users, error);

	(void)r;
	*ret = strbuf_steal(&users);
	return result;
}

static const struct entry_extra quotas_extra = {.prepare = prepare_quotas};

/* "rm -r" goes through a directory in this order: first what builds upon the rest. Copying tools go
 * by .order, the other way. */
static const struct entry entries[] = {
	{.name = "instances",
	 .mode = S_IFDIR | 0755,
	 .dir = &instances_dir,
	 .order = 7,
	 .help = "virtual machines; mkdir makes one"},
	{.name = "addresses",
	 .mode = S_IFDIR | 0755,
	 .dir = &addresses_dir,
	 .order = 8,
	 .help = "Elastic IPs; mkdir allocates one"},
	{.name = "volumes",
	 .mode = S_IFDIR | 0755,
	 .dir = &volumes_dir,
	 .order = 6,
	 .help = "disks of instances; mkdir makes one"},
	{.name = "images",
	 .mode = S_IFDIR | 0755,
	 .dir = &images_dir,
	 .order = 2,
	 .help = "what instances boot from"},
	{.name = "snapshots",
	 .mode = S_IFDIR | 0755,
	 .dir = &snapshots_dir,
	 .order = 1,
	 .help = "contents of volumes, as they were at an instant"},
	{.name = "security-groups",
	 .mode = S_IFDIR | 0755,
	 .dir = &security_groups_dir,
	 .order = 5,
	 .help = "firewalls of instances"},
	{.name = "prefix-lists",
	 .mode = S_IFDIR | 0755,
	 .dir = &prefix_lists_dir,
	 .order = 4,
	 .help = "CIDRs by a name, for rules of security groups"},
	{.name = "vpcs",
	 .mode = S_IFDIR | 0755,
	 .dir = &vpcs_dir,
	 .order = 3,
	 .help = "networks, with their subnets, routes and gateways"},
	{.name = "availability-zones",
	 .mode = S_IFDIR | 0755,
	 .dir = &zones_dir,
	 .help = "where machines and volumes live; mkdir adds one"},
	{.name = "instance-types",
	 .mode = S_IFDIR | 0755,
	 .dir = &types_dir,
	 .help = "EC2's catalogue; mkdir adds one of your own"},
	{.name = "key-pairs",
	 .mode = S_IFDIR | 0755,
	 .dir = &key_pairs_dir,
	 .help = "SSH keys given to instances"},
	{.name = "by-id",
	 .mode = S_IFDIR | 0755,
	 .dir = &by_id_dir,
	 .help = "everything by its ID; terminated instances for an hour"},
	{.name = "quotas",
	 .mode = S_IFREG | 0644,
	 .flags = TREE_DOCUMENT,
	 .max = 4096,
	 .show = show_quotas,
	 .store = quotas_set,
	 .extra = &quotas_extra,
	 .help = "limits of the region, KEY VALUE lines; KEY@USER: of what a user owns"},
	{.name = "error",
	 .mode = S_IFREG | 0444,
	 .show = show_error,
	 .help = "why the last change was refused"},
	{0},
};

static const struct dir region_dir = {.title = "REGION", .entries = entries};

const struct kind_ops region_kind = {.dir = &region_dir, .remove = region_remove};
