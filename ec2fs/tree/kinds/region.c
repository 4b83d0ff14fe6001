/* REGION: its collections, by-id/, quotas. */
#include "ec2fs/model/instance.h"
#include "ec2fs/model/storage.h"
#include "ec2fs/text/keyed.h"
#include "ec2fs/tree/internal.h"

#include <inttypes.h>
#include <pwd.h>
#include <string.h>

static const struct dir zones_dir = {
	.title = "availability-zones",
	.entries = UNLISTED_README("availability-zones"),
	.child = KIND_ZONE,
	.make = zone_make,
	.about = "A zone is a place for machines and disks: one libvirt and one storage. "
		 "New ones are as the daemon's options say until compute and storage say "
		 "otherwise. A volume and the instance that has it are in the same zone.",
	.examples =
		"mkdir us-east-1b                       # another zone on this host\n"
		"cat us-east-1a/capacity                # what the host has, and what is taken\n"
		"cat us-east-1a/messages                # trouble with machines or disks\n",
};
static const struct dir types_dir = {
	.title = "instance-types",
	.entries = UNLISTED_README("instance-types"),
	.child = KIND_INSTANCE_TYPE,
	.make = instance_type_make,
	.about = "The catalogue has EC2's types. One that no instance has may be removed, "
		 "and one of your own may be anything that the host can bear.",
	.examples = "mkdir lab.small                        # one of your own\n"
		    "echo 1 > lab.small/vcpus; echo 256 MiB > lab.small/memory\n"
		    "grep -l '^4096 MiB' */memory           # which have 4 GiB?\n",
};
static const struct dir images_dir = {
	.title = "images",
	.entries = UNLISTED_README("images"),
	.child = KIND_IMAGE,
	.make = image_make,
	.about = "An image is what an instance begins as: a disk that boots by itself, or "
		 "one with a kernel. It is there to be launched when state is available. "
		 "It may go while its instances live.",
	.examples =
		"mkdir debian; cp ~/disk.qcow2 debian/disk        # import one\n"
		"cat debian/state                                 # pending, then available\n"
		"mkdir gold; echo web-1 > gold/source-instance    # or make it of an instance\n",
};
static const struct dir key_pairs_dir = {
	.title = "key-pairs",
	.entries = UNLISTED_README("key-pairs"),
	.child = KIND_KEY_PAIR,
	.make = key_pair_make,
	.about = "An instance that names a key pair lets in who has the private key. "
		 "Import your own public key, or have a pair made and take the private key "
		 "away: it is nowhere else.",
	.examples = "mkdir alice; cp ~/.ssh/id_ed25519.pub alice/public-key\n"
		    "mkdir bob; echo ed25519 > bob/key-type\n"
		    "mv bob/private-key ~/bob.pem\n",
};

static bool is_removed(const struct resource *r)
{
	return resource_get(r, "@removed");
}

static bool is_there(const struct resource *r)
{
	return !is_removed(r);
}

static const struct dir volumes_dir = {
	.title = "volumes",
	.entries = UNLISTED_README("volumes"),
	.child = KIND_VOLUME,
	.lists = is_there,
	.make = volume_make,
	.about = "mkdir makes a draft; size, or a snapshot, creates the volume in its "
		 "zone. A link in an instance's volumes/, called as the device, attaches "
		 "it; rm of the link detaches it.",
	.examples =
		"mkdir data; echo 20 > data/size                             # GiB\n"
		"ln -s ../../../volumes/data ../instances/web-1/volumes/sdf  # attach it\n"
		"mkdir data/snapshots/monday                                 # take a snapshot\n",
};
static const struct dir snapshots_dir = {
	.title = "snapshots",
	.entries = UNLISTED_README("snapshots"),
	.child = KIND_SNAPSHOT,
	.lists = is_there,
	.make = snapshot_make,
	.about = "A snapshot is what a volume was at start-time. It does not need the "
		 "volume any more, and volumes and images are made of it.",
	.examples = "mkdir tuesday; echo data > tuesday/volume                   # take one\n"
		    "mkdir ../volumes/copy; echo tuesday > ../volumes/copy/snapshot\n"
		    "rmdir tuesday                                               # delete it\n",
};

static const struct dir security_groups_dir = {
	.title = "security-groups",
	.entries = UNLISTED_README("security-groups"),
	.child = KIND_SECURITY_GROUP,
	.make = security_group_make,
	.about = "A group's rules say who may reach its members, and whom they may reach. "
		 "A rule is PROTOCOL PORTS PEER, a line each; the peer is a CIDR block, "
		 "sg:GROUP or pl:PREFIX-LIST. Changes act at once.",
	.examples = "mkdir web; echo 'tcp 80,443 0.0.0.0/0  # everybody' > web/ingress\n"
		    "echo 'tcp 22 192.0.2.0/24' >> web/ingress; sed -i /443/d web/ingress\n"
		    "ln -s ../../../security-groups/web ../instances/web-1/security-groups/\n",
};
static const struct dir prefix_lists_dir = {
	.title = "prefix-lists",
	.entries = UNLISTED_README("prefix-lists"),
	.child = KIND_PREFIX_LIST,
	.make = prefix_list_make,
	.about = "A prefix list is a name for CIDR blocks that rules of several security "
		 "groups share. A change of it acts in all of them.",
	.examples = "mkdir office; echo 192.0.2.0/24 > office/entries\n"
		    "echo 'tcp 22 pl:office' >> ../security-groups/default/ingress\n"
		    "echo '198.51.100.0/24  # upstairs' >> office/entries\n",
};
static const struct dir addresses_dir = {
	.title = "addresses",
	.entries = UNLISTED_README("addresses"),
	.child = KIND_ADDRESS,
	.make = address_make,
	.about = "An Elastic IP is a public address of yours until you release it. mkdir "
		 "takes one of public-ipv4-pool, which is at the root.",
	.examples = "mkdir www; cat www/public-ip\n"
		    "echo web-1 > www/instance              # associate it\n"
		    "echo > www/instance; rmdir www         # disassociate it, and release it\n",
};
static const struct dir vpcs_dir = {
	.title = "vpcs",
	.entries = UNLISTED_README("vpcs"),
	.child = KIND_VPC,
	.make = vpc_make,
	.about = "A VPC is a network of its own: nothing leads into it or out of it but "
		 "its gateways and peerings. Instances are in its subnets; those that name "
		 "none are in the default VPC.",
	.examples = "mkdir main; echo 10.0.0.0/16 > main/cidr-block\n"
		    "echo true > main/internet-gateway\n"
		    "cp main/map.svg ~/                     # a drawing of it\n",
};

static const struct dir instances_dir = {
	.title = "instances",
	.entries = UNLISTED_README("instances"),
	.child = KIND_INSTANCE,
	.lists = is_there,
	.make = instance_make,
	.about = "mkdir makes a draft, which costs nothing: write what it is to be, then "
		 "running to state. A write to state returns at once; the same written to "
		 "wait returns when it is so. rmdir terminates.",
	.examples = "mkdir web-1; echo debian > web-1/image; echo t3.micro > web-1/instance-type\n"
		    "echo running > web-1/state; echo running > web-1/wait\n"
		    "mkdir web-2; cp web-1/spec web-2/spec  # a twin\n"
		    "rm -r web-2                            # and its end\n",
};

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
	ENTRY_RO("README", "what is here", .flags = ENTRY_CONSTANT, .show = show_readme),
	ENTRY_DIR("instances", &instances_dir, "virtual machines; mkdir makes one", .order = 7),
	ENTRY_DIR("addresses", &addresses_dir, "Elastic IPs; mkdir allocates one", .order = 8),
	ENTRY_DIR("volumes", &volumes_dir, "disks of instances; mkdir makes one", .order = 6),
	ENTRY_DIR("images", &images_dir, "what instances boot from", .order = 2),
	ENTRY_DIR("snapshots", &snapshots_dir, "contents of volumes, as they were at an instant",
		  .order = 1),
	ENTRY_DIR("security-groups", &security_groups_dir, "firewalls of instances", .order = 5),
	ENTRY_DIR("prefix-lists", &prefix_lists_dir,
		  "CIDRs by a name, for rules of security groups", .order = 4),
	ENTRY_DIR("vpcs", &vpcs_dir, "networks, with their subnets, routes and gateways",
		  .order = 3),
	ENTRY_DIR("availability-zones", &zones_dir,
		  "where machines and volumes live; mkdir adds one"),
	ENTRY_DIR("instance-types", &types_dir, "EC2's catalogue; mkdir adds one of your own"),
	ENTRY_DIR("key-pairs", &key_pairs_dir, "SSH keys given to instances"),
	ENTRY_DIR("by-id", &by_id_dir, "everything by its ID; terminated instances for an hour"),
	ENTRY_RW("quotas", quotas_set,
		 "limits of the region, KEY VALUE lines; KEY@USER: of what a user owns",
		 .flags = TREE_DOCUMENT, .max = 4096, .show = show_quotas, .extra = &quotas_extra),
	ENTRY_ERROR,
	{0},
};

static const struct dir region_dir = {
	.title = "REGION",
	.entries = entries,
	.about = "A region is a cloud by itself: nothing here is seen in another one, but for "
		 "public-ipv4-pool at the root and peerings of VPCs. README in each directory "
		 "here, which ls does not show, tells more.",
	.examples = "cat instances/README\n"
		    "ls by-id                               # everything, by its ID\n"
		    "sed -i 's/^vcpus .*/vcpus 128/' quotas # raise a limit\n",
};

const struct kind_ops region_kind = {.dir = &region_dir, .remove = region_remove};
