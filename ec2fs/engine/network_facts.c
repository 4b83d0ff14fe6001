/* What the metadata service tells an instance of itself (EC2 user guide, "Instance metadata
 * categories"). */
#include "ec2fs/engine/network.h"

#include "ec2fs/model/block_devices.h"
#include "ec2fs/model/instance.h"
#include "ec2fs/model/interface.h"
#include "ec2fs/model/names.h"
#include "ec2fs/model/storage.h"
#include "ec2fs/util/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char *copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

static char *copy_address(uint32_t address)
{
	char text[CIDR_TEXT];

	if (!address)
		return NULL;
	address_print(address, text);
	return xstrdup(text);
}

static char *copy_cidr(struct cidr c)
{
	char text[CIDR_TEXT];

	cidr_print(c, text);
	return xstrdup(text);
}

static void add(char ***list, size_t *count, char *text)
{
	*list = xrealloc(*list, (*count + 1) * sizeof(**list));
	(*list)[(*count)++] = text;
}

static void tell_network(const struct view *v, const struct resource *r, struct imds_facts *f)
{
	const struct resource *subnet = instance_subnet(v, r), *vpc = instance_vpc(v, r);
	struct strbuf text cleanup_strbuf = STRBUF_INIT;
	struct cidr c;

	f->mac = copy(resource_get(r, "mac-address"));
	f->local_ipv4 = copy_address(instance_private_ip(r));
	f->public_ipv4 = copy_address(instance_public_ip(v, r));
	f->interface_id = copy(resource_get(r, "network-interface"));
	f->owner_id = xstrdup(ACCOUNT);
	if (private_dns_name(v, r, &text))
		f->local_hostname = xstrdup(strbuf_str(&text));
	strbuf_truncate(&text, 0);
	if (public_dns_name(v, r, &text))
		f->public_hostname = xstrdup(strbuf_str(&text));
	if (subnet) {
		f->subnet_id = copy(subnet->id);
		if (subnet_cidr(subnet, &c))
			f->subnet_cidr = copy_cidr(c);
	}
	if (vpc) {
		f->vpc_id = copy(vpc->id);
		for (size_t i = 0; vpc_cidr(vpc, i, &c); i++)
			add(&f->vpc_cidrs, &f->vpc_cidr_count, copy_cidr(c));
		f->vpc_cidr = f->vpc_cidr_count ? copy(f->vpc_cidrs[0]) : NULL;
		strbuf_truncate(&text, 0);
		vpc_domain(v, vpc, &text);
		f->domain = xstrdup(strbuf_str(&text));
	}
	view_each (v, r->number, KIND_MEMBERSHIP, m) {
		const struct resource *group = membership_group(v, m);
		size_t count = f->group_count;

		if (!group)
			continue;
		add(&f->group_names, &count, copy(group->name));
		add(&f->group_ids, &f->group_count, copy(group->id));
	}
}

static void tell_volumes(const struct view *v, const struct resource *r, struct imds_facts *f)
{
	char stores[INSTANCE_STORE_MOST][32];

	f->root_device = copy(resource_or(r, "root-device-name", "/dev/xvda"));
	view_each (v, r->number, KIND_ATTACHMENT, a)
		if (!attachment_is_root(v, a) && !attachment_is_leaving(a))
			add(&f->devices, &f->device_count, xstrdup(a->name));
	block_devices_ephemeral(r, stores, INSTANCE_STORE_MOST);
	for (size_t i = 0; i < INSTANCE_STORE_MOST; i++) {
		size_t count = f->store_count;

		if (!*stores[i])
			continue;
		add(&f->store_names, &count, xasprintf("ephemeral%zu", i));
		add(&f->store_devices, &f->store_count, xstrdup(stores[i]));
	}
}

static void tell_tags(const struct view *v, const struct resource *r, struct imds_facts *f)
{
	view_each (v, r->number, KIND_TAG, tag) {
		size_t count = f->tag_count;

		add(&f->tag_keys, &count, copy(tag->name));
		add(&f->tag_values, &f->tag_count, copy(resource_or(tag, "value", "")));
	}
}

static void tell_options(const struct resource *r, struct imds_facts *f)
{
	struct metadata_options o;

	instance_metadata_options(r, &o);
	f->endpoint = o.endpoint;
	f->tokens_required = o.tokens_required;
	f->tags_served = o.tags;
	f->hops = o.hops;
}

static void tell_instance(const struct view *v, const struct resource *r, struct imds_facts *f)
{
	const struct resource *region = view_region(v, r);
	const struct field *user_data = resource_field(r, "user-data");
	enum instance_state s = instance_state(r);

	f->instance_id = copy(r->id);
	f->image_id = copy(resource_get(r, "image"));
	f->instance_type = copy(resource_get(r, "instance-type"));
	f->region = copy(region ? region->name : NULL);
	f->availability_zone = copy(resource_get(r, "availability-zone"));
	f->account = xstrdup(ACCOUNT);
	f->architecture = copy(resource_or(r, "@architecture", "x86_64"));
	f->reservation_id = copy(resource_get(r, "reservation-id"));
	f->launch_time = copy(resource_get(r, "launch-time"));
	f->action = s == INSTANCE_STOPPING || s == INSTANCE_SHUTTING_DOWN ? "shutdown" : "none";
	if (resource_get(r, "@public-key")) {
		f->key_name = copy(resource_or(r, "key-pair", "key"));
		f->public_key = copy(resource_get(r, "@public-key"));
		f->public_key[strcspn(f->public_key, "\n")] = '\0';
	}
	if (user_data && user_data->value && user_data->value->len) {
		f->user_data_size = user_data->value->len;
		f->user_data = memcpy(xcalloc(1, f->user_data_size), user_data->value->data,
				      f->user_data_size);
	}
}

int network_facts(void *context, const char *vpc, uint32_t address, struct imds_facts *ret)
{
	struct engine *e = context;
	/* Counted before it is read: what is committed meanwhile makes it outdated. */
	struct imds_facts f = {.revision = atomic_load(&e->changes)};
	struct view v;
	const struct resource *r;
	bool found;

	if (ret->revision == f.revision)
		return -EALREADY;
	v = cloud_read(e->cloud);
	r = view_get(&v, network_instance_at(e, vpc, address));
	found = r && r->kind == KIND_INSTANCE && instance_private_ip(r) == address;

	if (found) {
		tell_instance(&v, r, &f);
		tell_network(&v, r, &f);
		tell_volumes(&v, r, &f);
		tell_tags(&v, r, &f);
		tell_options(r, &f);
	}
	cloud_read_end(e->cloud);
	if (!found)
		return -ENOENT;
	*ret = f;
	return 0;
}
