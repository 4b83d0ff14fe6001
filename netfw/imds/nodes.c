/* The names below /VERSION/: AWS's "Instance metadata categories", those of them that apply here,
 * each since the version in which EC2 has it. */
#include "netfw/imds/identity.h"
#include "netfw/imds/tree.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define FACT(member) .has_fact = true, .fact = offsetof(struct imds_facts, member)
#define END                                                                                        \
	{                                                                                          \
		.name = NULL                                                                       \
	}
#define CONSTANT(function, text)                                                                   \
	static int function(const struct imds_question *q, struct strbuf *out)                     \
	{                                                                                          \
		(void)q;                                                                           \
		strbuf_adds(out, text);                                                            \
		return 0;                                                                          \
	}

CONSTANT(show_zero, "0")
CONSTANT(show_unknown, "(unknown)")
CONSTANT(show_no_events, "[]")
CONSTANT(show_on_demand, "on-demand")
CONSTANT(show_profile, "default-hvm")
CONSTANT(show_services_domain, "amazonaws.com")
CONSTANT(show_partition, "aws")
CONSTANT(show_disabled, "disabled")

static void show_lines(char *const *lines, size_t count, struct strbuf *out)
{
	for (size_t i = 0; i < count; i++) {
		if (i)
			strbuf_addc(out, '\n');
		strbuf_adds(out, lines[i]);
	}
}

static int show_launch_index(const struct imds_question *q, struct strbuf *out)
{
	strbuf_addf(out, "%u", q->facts->launch_index);
	return 0;
}

static bool has_local_hostname(const struct imds_facts *f)
{
	return f->local_hostname != NULL;
}

/* With the domain, whether the facts have it joined already or apart. */
static int show_local_hostname(const struct imds_question *q, struct strbuf *out)
{
	const struct imds_facts *f = q->facts;

	strbuf_adds(out, f->local_hostname);
	if (f->domain && *f->domain && !strchr(f->local_hostname, '.'))
		strbuf_addf(out, ".%s", f->domain);
	return 0;
}

static int show_action(const struct imds_question *q, struct strbuf *out)
{
	strbuf_adds(out, q->facts->action ? q->facts->action : "none");
	return 0;
}

static bool has_groups(const struct imds_facts *f)
{
	return f->group_count != 0;
}

static int show_group_names(const struct imds_question *q, struct strbuf *out)
{
	show_lines(q->facts->group_names, q->facts->group_count, out);
	return 0;
}

static int show_group_ids(const struct imds_question *q, struct strbuf *out)
{
	show_lines(q->facts->group_ids, q->facts->group_count, out);
	return 0;
}

static bool has_vpc_cidrs(const struct imds_facts *f)
{
	return f->vpc_cidr_count != 0;
}

static int show_vpc_cidrs(const struct imds_question *q, struct strbuf *out)
{
	show_lines(q->facts->vpc_cidrs, q->facts->vpc_cidr_count, out);
	return 0;
}

/* Block devices: ebs1, ebs2 … */
static size_t count_devices(const struct imds_facts *f)
{
	return f->device_count;
}

static const char *name_device(const struct imds_facts *f, size_t i, char buffer[IMDS_NAME_SIZE])
{
	(void)f;
	snprintf(buffer, IMDS_NAME_SIZE, "ebs%zu", i + 1);
	return buffer;
}

static int show_device(const struct imds_question *q, struct strbuf *out)
{
	strbuf_adds(out, q->facts->devices[q->index]);
	return 0;
}

/* Disks of the instance store, by their own names. */
static size_t count_stores(const struct imds_facts *f)
{
	return f->store_count;
}

static const char *name_store(const struct imds_facts *f, size_t i, char buffer[IMDS_NAME_SIZE])
{
	(void)buffer;
	return f->store_names[i];
}

static int show_store(const struct imds_question *q, struct strbuf *out)
{
	strbuf_adds(out, q->facts->store_devices[q->index]);
	return 0;
}

static const struct imds_many stores = {.count = count_stores, .name = name_store};
static const struct imds_many devices = {.count = count_devices, .name = name_device};
static const struct imds_node block_devices[] = {
	{.name = "ami", FACT(root_device)},
	{.many = &devices, .show = show_device},
	{.many = &stores, .show = show_store},
	{.name = "root", FACT(root_device)},
	END,
};

static const struct imds_node maintenance[] = {
	{.name = "history", .since = "2018-08-17", .show = show_no_events},
	{.name = "scheduled", .since = "2018-08-17", .show = show_no_events},
	END,
};
static const struct imds_node events[] = {
	{.name = "maintenance", .children = maintenance},
	END,
};

/* Network interfaces, by MAC: an instance has one. */
static size_t count_associations(const struct imds_facts *f)
{
	return f->public_ipv4 && f->local_ipv4 ? 1 : 0;
}

static const char *name_association(const struct imds_facts *f, size_t i,
				    char buffer[IMDS_NAME_SIZE])
{
	(void)i, (void)buffer;
	return f->public_ipv4;
}

static size_t count_interfaces(const struct imds_facts *f)
{
	return f->mac ? 1 : 0;
}

static const char *name_interface(const struct imds_facts *f, size_t i, char buffer[IMDS_NAME_SIZE])
{
	(void)i, (void)buffer;
	return f->mac;
}

static const struct imds_many associations = {.count = count_associations,
					      .name = name_association};
static const struct imds_many interfaces = {.count = count_interfaces, .name = name_interface};
static const struct imds_node ipv4_associations[] = {
	{.many = &associations, FACT(local_ipv4)},
	END,
};
static const struct imds_node interface[] = {
	{.name = "device-number", .show = show_zero},
	{.name = "interface-id", FACT(interface_id)},
	{.name = "ipv4-associations", .children = ipv4_associations},
	{.name = "local-hostname", .show = show_local_hostname, .present = has_local_hostname},
	{.name = "local-ipv4s", FACT(local_ipv4)},
	{.name = "mac", FACT(mac)},
	{.name = "owner-id", FACT(owner_id)},
	{.name = "public-hostname", FACT(public_hostname)},
	{.name = "public-ipv4s", FACT(public_ipv4)},
	{.name = "security-group-ids", .show = show_group_ids, .present = has_groups},
	{.name = "security-groups", .show = show_group_names, .present = has_groups},
	{.name = "subnet-id", FACT(subnet_id)},
	{.name = "subnet-ipv4-cidr-block", FACT(subnet_cidr)},
	{.name = "vpc-id", FACT(vpc_id)},
	{.name = "vpc-ipv4-cidr-block", FACT(vpc_cidr)},
	{.name = "vpc-ipv4-cidr-blocks",
	 .since = "2016-06-30",
	 .show = show_vpc_cidrs,
	 .present = has_vpc_cidrs},
	END,
};
static const struct imds_node macs[] = {
	{.many = &interfaces, .children = interface},
	END,
};
static const struct imds_node network_interfaces[] = {
	{.name = "macs", .children = macs},
	END,
};
static const struct imds_node network[] = {
	{.name = "interfaces", .children = network_interfaces},
	END,
};

static const struct imds_node placement[] = {
	{.name = "availability-zone", FACT(availability_zone)},
	{.name = "region", .since = "2020-08-24", FACT(region)},
	END,
};

/* public-keys lists "0=NAME" and means 0/openssh-key. */
static size_t count_keys(const struct imds_facts *f)
{
	return f->public_key && f->key_name ? 1 : 0;
}

static const char *name_key(const struct imds_facts *f, size_t i, char buffer[IMDS_NAME_SIZE])
{
	(void)f;
	snprintf(buffer, IMDS_NAME_SIZE, "%zu", i);
	return buffer;
}

static void list_key(const struct imds_facts *f, size_t i, struct strbuf *out)
{
	strbuf_addf(out, "%zu=%s", i, f->key_name);
}

static const struct imds_many keys = {.count = count_keys, .name = name_key, .list = list_key};
static const struct imds_node key[] = {
	{.name = "openssh-key", FACT(public_key)},
	END,
};
static const struct imds_node public_keys[] = {
	{.many = &keys, .children = key},
	END,
};

static const struct imds_node services[] = {
	{.name = "domain", .since = "2014-02-25", .show = show_services_domain},
	{.name = "partition", .since = "2015-10-20", .show = show_partition},
	END,
};

/* Tags. EC2 serves keys of these characters only. '=' is one of them there, but cloud-init takes
 * a name with '=' for a public key's, and gives up all metadata when it finds none. */
static size_t count_tags(const struct imds_facts *f)
{
	return f->tags_served ? f->tag_count : 0;
}

static const char *name_tag(const struct imds_facts *f, size_t i, char buffer[IMDS_NAME_SIZE])
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789+-.,_:@";
	const char *k = f->tag_keys[i];
	size_t len = strspn(k, allowed);

	(void)buffer;
	if (!len || k[len] || len >= IMDS_NAME_SIZE || strcmp(k, ".") == 0 ||
	    strcmp(k, "..") == 0 || strcmp(k, "_index") == 0)
		return NULL;
	return k;
}

static int show_tag(const struct imds_question *q, struct strbuf *out)
{
	strbuf_adds(out, q->facts->tag_values[q->index]);
	return 0;
}

static const struct imds_many tag_names = {.count = count_tags, .name = name_tag};
static const struct imds_node instance_tags[] = {
	{.many = &tag_names, .since = "2021-03-23", .show = show_tag},
	END,
};
static const struct imds_node tags[] = {
	{.name = "instance", .children = instance_tags},
	END,
};

static const struct imds_node meta_data[] = {
	{.name = "ami-id", FACT(image_id)},
	{.name = "ami-launch-index", .show = show_launch_index},
	{.name = "ami-manifest-path", .show = show_unknown},
	{.name = "block-device-mapping", .since = "2007-12-15", .children = block_devices},
	{.name = "events", .since = "2018-08-17", .children = events},
	{.name = "hostname", .show = show_local_hostname, .present = has_local_hostname},
	{.name = "instance-action", .since = "2008-09-01", .show = show_action},
	{.name = "instance-id", FACT(instance_id)},
	{.name = "instance-life-cycle", .since = "2019-10-01", .show = show_on_demand},
	{.name = "instance-type", .since = "2007-08-29", FACT(instance_type)},
	{.name = "kernel-id", .since = "2008-02-01", FACT(kernel_id)},
	{.name = "local-hostname",
	 .since = "2007-01-19",
	 .show = show_local_hostname,
	 .present = has_local_hostname},
	{.name = "local-ipv4", FACT(local_ipv4)},
	{.name = "mac", .since = "2011-01-01", FACT(mac)},
	{.name = "network", .since = "2011-01-01", .children = network},
	{.name = "placement", .since = "2008-02-01", .children = placement},
	{.name = "profile", .since = "2011-01-01", .show = show_profile},
	{.name = "public-hostname", .since = "2007-01-19", FACT(public_hostname)},
	{.name = "public-ipv4", .since = "2007-01-19", FACT(public_ipv4)},
	{.name = "public-keys", .children = public_keys},
	{.name = "ramdisk-id", .since = "2007-10-10", FACT(ramdisk_id)},
	{.name = "reservation-id", FACT(reservation_id)},
	{.name = "security-groups", .show = show_group_names, .present = has_groups},
	{.name = "services", .since = "2014-02-25", .children = services},
	{.name = "tags", .since = "2021-03-23", .children = tags},
	END,
};

static int show_document(const struct imds_question *q, struct strbuf *out)
{
	imds_identity_document(q->facts, out);
	return 0;
}

static int show_signature(const struct imds_question *q, struct strbuf *out)
{
	return imds_identity_sign(q->identity, q->facts, IMDS_SIGNATURE, out);
}

static int show_pkcs7(const struct imds_question *q, struct strbuf *out)
{
	return imds_identity_sign(q->identity, q->facts, IMDS_PKCS7, out);
}

/* pkcs7 is signed with DSA at EC2, and with what rsa2048 is signed with here. */
static const struct imds_node instance_identity[] = {
	{.name = "document", .show = show_document},
	{.name = "pkcs7", .show = show_pkcs7},
	{.name = "rsa2048", .show = show_pkcs7},
	{.name = "signature", .show = show_signature},
	END,
};
static const struct imds_node fws[] = {
	{.name = "instance-monitoring", .show = show_disabled},
	END,
};
static const struct imds_node dynamic[] = {
	{.name = "fws", .children = fws},
	{.name = "instance-identity", .children = instance_identity},
	END,
};

static bool has_user_data(const struct imds_facts *f)
{
	return f->user_data && f->user_data_size;
}

static int show_user_data(const struct imds_question *q, struct strbuf *out)
{
	strbuf_add(out, q->facts->user_data, q->facts->user_data_size);
	return 0;
}

static const struct imds_node api[] = {
	{.name = "token", .show = show_unknown, .flags = IMDS_TOKEN | IMDS_HIDDEN},
	END,
};

const struct imds_node imds_root[] = {
	{.name = "api", .children = api, .flags = IMDS_HIDDEN},
	{.name = "dynamic", .since = "2009-04-04", .children = dynamic, .flags = IMDS_BARE},
	{.name = "meta-data", .children = meta_data, .flags = IMDS_BARE},
	{.name = "user-data",
	 .show = show_user_data,
	 .present = has_user_data,
	 .flags = IMDS_BINARY},
	END,
};
