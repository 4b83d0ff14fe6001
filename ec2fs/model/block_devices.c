/* The document of block device mappings, of an image or a draft: what its lines name, and what
 * makes them anew. */
#include "ec2fs/model/block_devices_internal.h"

#include "ec2fs/model/storage.h"
#include "ec2fs/util/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Beside the text as it was written stands what it means: snapshots by ID. */
#define WRITTEN "block-device-mappings"
#define MEANING "@mappings"

struct resolving {
	const struct view *v;
	uint64_t region;
	struct strbuf *out;
};

static int resolve_line(void *context, const struct block_device *d, struct ec2fs_error *error)
{
	struct resolving *x = context;
	struct block_device resolved = *d;
	const struct resource *snapshot;
	int r;

	if (*d->type) {
		r = volume_type_check(d->type, error);
		if (r < 0)
			return r;
	}
	if (d->content == BLOCK_DEVICE_SNAPSHOT) {
		r = snapshot_refer(x->v, x->region, d->snapshot, &snapshot, error);
		if (r < 0)
			return r;
		snprintf(resolved.snapshot, sizeof(resolved.snapshot), "%s", snapshot->id);
	}
	block_device_print(&resolved, x->out);
	return 0;
}

/* Names become IDs. */
static int resolve(const struct view *v, uint64_t region, const char *text, size_t len,
		   struct strbuf *out, struct ec2fs_error *error)
{
	struct resolving x = {v, region, out};

	return block_devices_parse(text, len, resolve_line, &x, error);
}

int block_devices_set(struct view *v, struct resource *r, const char *text, size_t len,
		      struct ec2fs_error *error)
{
	struct strbuf meaning __attribute__((cleanup(strbuf_free))) = STRBUF_INIT;
	int result = resolve(v, r->parent, text, len, &meaning, error);

	if (result < 0)
		return result;
	if (meaning.len) {
		set_data(v, r, WRITTEN, text, len);
		set_text(v, r, MEANING, strbuf_str(&meaning));
	} else {
		unset(v, r, WRITTEN);
		unset(v, r, MEANING);
	}
	return 0;
}

/* IDs become names, where what has them is still there. */
static int name_line(void *context, const struct block_device *d, struct ec2fs_error *error)
{
	struct resolving *x = context;
	struct block_device named = *d;
	const struct resource *snapshot =
		d->content == BLOCK_DEVICE_SNAPSHOT ? view_by_id(x->v, d->snapshot) : NULL;

	(void)error;
	/* A name with blanks would be two words. */
	if (snapshot && !strpbrk(snapshot->name, " \t#") && !storage_is_removed(snapshot))
		snprintf(named.snapshot, sizeof(named.snapshot), "%s", snapshot->name);
	block_device_print(&named, x->out);
	return 0;
}

void block_devices_print(const struct view *v, const struct resource *r, struct strbuf *out)
{
	struct strbuf meaning __attribute__((cleanup(strbuf_free))) = STRBUF_INIT;
	const struct field *written = resource_field(r, WRITTEN);
	const char *is = resource_get(r, MEANING);
	struct resolving x = {v, r->parent, out};

	if (!is)
		return;
	/* As it was written, as long as it says what is. */
	if (written && written->value &&
	    resolve(v, r->parent, written->value->data, written->value->len, &meaning, NULL) == 0 &&
	    strcmp(strbuf_str(&meaning), is) == 0)
		strbuf_add(out, written->value->data, written->value->len);
	else
		block_devices_parse(is, strlen(is), name_line, &x, NULL);
}

void devices_add(struct devices *all, const struct block_device *d)
{
	array_reserve(all->all, all->count, all->capacity);
	all->all[all->count++] = *d;
}

static int add_line(void *context, const struct block_device *d, struct ec2fs_error *error)
{
	(void)error;
	devices_add(context, d);
	return 0;
}

void devices_parse(const char *text, struct devices *ret)
{
	block_devices_parse(text, strlen(text), add_line, ret, NULL);
}

void devices_read(const struct resource *r, struct devices *ret)
{
	devices_parse(resource_or(r, MEANING, ""), ret);
}

struct block_device *devices_find(struct devices *all, const char *name)
{
	for (size_t i = 0; i < all->count; i++)
		if (strcmp(all->all[i].name, name) == 0)
			return &all->all[i];
	return NULL;
}

const struct resource *image_root_snapshot(const struct view *v, const struct resource *image)
{
	struct devices all cleanup_devices = {0};
	const struct block_device *root;

	devices_read(image, &all);
	root = devices_find(&all, device_name(resource_or(image, "root-device-name", "")));
	return root && root->content == BLOCK_DEVICE_SNAPSHOT ? view_by_id(v, root->snapshot)
							      : NULL;
}

bool block_devices_name(const struct resource *r, const struct resource *snapshot)
{
	return strstr(resource_or(r, MEANING, ""), snapshot->id);
}

void block_devices_of_image(const struct view *v, const struct resource *image,
			    void (*each)(void *context, const struct resource *snapshot),
			    void *context)
{
	struct devices all cleanup_devices = {0};

	devices_read(image, &all);
	for (size_t i = 0; i < all.count; i++) {
		const struct resource *snapshot = all.all[i].content == BLOCK_DEVICE_SNAPSHOT
							  ? view_by_id(v, all.all[i].snapshot)
							  : NULL;

		if (snapshot)
			each(context, snapshot);
	}
}

void block_devices_map_snapshots(struct view *v, struct resource *image, const char *names,
				 const struct resource *instance)
{
	struct strbuf meaning __attribute__((cleanup(strbuf_free))) = STRBUF_INIT;

	view_each (v, instance->number, KIND_ATTACHMENT, a) {
		struct block_device d = {.content = BLOCK_DEVICE_SNAPSHOT};
		const struct resource *volume = attachment_volume(v, a), *snapshot;
		char *name = xasprintf("%s-%s", names, a->name);

		snapshot = view_find(v, instance->parent, KIND_SNAPSHOT, name);
		free(name);
		if (!snapshot || !volume || attachment_is_leaving(a))
			continue;
		snprintf(d.name, sizeof(d.name), "%s", a->name);
		snprintf(d.snapshot, sizeof(d.snapshot), "%s", snapshot->id);
		snprintf(d.type, sizeof(d.type), "%s", resource_or(volume, "volume-type", ""));
		d.iops = resource_u64(volume, "iops", 0);
		d.throughput = resource_u64(volume, "throughput", 0);
		d.delete_on_termination = resource_is(volume, "delete-on-termination", "true")
						  ? BLOCK_DEVICE_TRUE
						  : BLOCK_DEVICE_FALSE;
		block_device_print(&d, &meaning);
	}
	set_text(v, image, MEANING, strbuf_str(&meaning));
	unset(v, image, WRITTEN);
}

void block_devices_map_root(struct view *v, struct resource *image, const struct resource *snapshot)
{
	struct strbuf meaning __attribute__((cleanup(strbuf_free))) = STRBUF_INIT;
	const char *root = device_name(resource_or(image, "root-device-name", ""));
	struct devices all cleanup_devices = {0};
	struct block_device d = {.content = BLOCK_DEVICE_SNAPSHOT}, *there;

	devices_read(image, &all);
	there = devices_find(&all, root);
	if (there && there->content != BLOCK_DEVICE_NONE &&
	    there->content != BLOCK_DEVICE_EPHEMERAL) {
		there->content = BLOCK_DEVICE_SNAPSHOT;
		snprintf(there->snapshot, sizeof(there->snapshot), "%s", snapshot->id);
	} else if (!there) {
		snprintf(d.name, sizeof(d.name), "%s", root);
		snprintf(d.snapshot, sizeof(d.snapshot), "%s", snapshot->id);
		block_device_print(&d, &meaning);
	}
	for (size_t i = 0; i < all.count; i++)
		block_device_print(&all.all[i], &meaning);
	set_text(v, image, MEANING, strbuf_str(&meaning));
	unset(v, image, WRITTEN);
}
