/* What lvm reports, in JSON, and what of it is ours. */
#include "volumes/lvm/internal.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "ec2fs/util/strbuf.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct lvm_row {
	const json_t *object;
};

const char *lvm_field(const struct lvm_row *row, const char *name)
{
	const char *text = json_string_value(json_object_get(row->object, name));

	return text ? text : "";
}

bool lvm_tagged(const char *tags, const char *tag, char *ret, size_t size)
{
	size_t wanted = strlen(tag);
	bool valued = wanted && tag[wanted - 1] == '=';

	while (*tags) {
		size_t len = strcspn(tags, ",");

		if (valued ? len > wanted : len == wanted) {
			const char *value = tags + wanted;

			if (strncmp(tags, tag, wanted) == 0 && (!ret || len - wanted < size)) {
				if (ret) {
					memcpy(ret, value, len - wanted);
					ret[len - wanted] = '\0';
				}
				return true;
			}
		}
		tags += len;
		tags += *tags == ',';
	}
	return false;
}

int lvm_parse(const char *json, size_t len, const char *name,
	      void (*each)(void *context, const struct lvm_row *row), void *context,
	      struct ec2fs_error *error)
{
	json_error_t trouble;
	json_t *root = json_loadb(json, len, 0, &trouble);
	const json_t *reports = json_object_get(root, "report");
	size_t found = 0;

	/* lvm gives one report, or one a volume group. */
	for (size_t i = 0; i < json_array_size(reports); i++) {
		const json_t *rows = json_object_get(json_array_get(reports, i), name);

		found += json_is_array(rows);
		for (size_t j = 0; j < json_array_size(rows); j++) {
			struct lvm_row row = {json_array_get(rows, j)};

			if (json_is_object(row.object))
				each(context, &row);
		}
	}
	json_decref(root);
	if (!root)
		return ec2fs_fail(error, EC2_InternalError, "lvm's report is no JSON: %s",
				  trouble.text);
	if (!found)
		return ec2fs_fail(error, EC2_InternalError, "lvm's report has no \"%s\"", name);
	return 0;
}

bool lvm_is_ours(const struct lvm_row *row, const char *owner, struct lvm_known *ret)
{
	const char *tags = lvm_field(row, "lv_tags");
	struct lvm_known one = {0};
	char is[80], size[24];

	if (!lvm_tagged(tags, LVM_OWNER, is, sizeof(is)) || strcmp(is, owner) != 0 ||
	    !lvm_tagged(tags, LVM_ID, one.id, sizeof(one.id)) ||
	    strcmp(one.id, lvm_field(row, "lv_name")) != 0)
		return false;
	if (!lvm_tagged(tags, LVM_SIZE, size, sizeof(size)))
		snprintf(size, sizeof(size), "%s", lvm_field(row, "lv_size"));
	one.size = strtoull(size, NULL, 10);
	one.making = lvm_tagged(tags, LVM_MAKING, NULL, 0);
	*ret = one;
	return true;
}

static struct lvm_known *find(struct lvm_volumes *v, const char *id)
{
	for (size_t i = 0; i < v->known_count; i++)
		if (strcmp(v->known[i].id, id) == 0)
			return &v->known[i];
	return NULL;
}

bool lvm_find(struct lvm_volumes *v, const char *id, struct lvm_known *ret)
{
	struct lvm_known *k;

	pthread_mutex_lock(&v->lock);
	k = find(v, id);
	if (k)
		*ret = *k;
	pthread_mutex_unlock(&v->lock);
	return k;
}

void lvm_remember(struct lvm_volumes *v, const struct lvm_known *one)
{
	struct lvm_known *k;

	pthread_mutex_lock(&v->lock);
	k = find(v, one->id);
	if (!k) {
		array_reserve(v->known, v->known_count, v->known_capacity);
		k = &v->known[v->known_count++];
	}
	*k = *one;
	pthread_mutex_unlock(&v->lock);
}

void lvm_forget(struct lvm_volumes *v, const char *id)
{
	struct lvm_known *k;

	pthread_mutex_lock(&v->lock);
	k = find(v, id);
	if (k)
		*k = v->known[--v->known_count];
	pthread_mutex_unlock(&v->lock);
}

struct looking {
	struct lvm_volumes *v;
	void (*each)(void *context, const struct lvm_row *row);
	void *context;
	struct lvm_known *known;
	size_t count, capacity;
};

static void look_at(void *context, const struct lvm_row *row)
{
	struct looking *l = context;

	array_reserve(l->known, l->count, l->capacity);
	l->count += lvm_is_ours(row, l->v->owner, &l->known[l->count]);
	if (l->each)
		l->each(l->context, row);
}

int lvm_look(struct lvm_volumes *v, void (*each)(void *context, const struct lvm_row *row),
	     void *context, struct ec2fs_error *error)
{
	const char *const lvs[] = {
		"lvs",     "--reportformat",
		"json",    "--units",
		"b",       "--nosuffix",
		"-o",      "lv_name,lv_tags,lv_size,segtype,zero,chunk_size,thin_id",
		v->uri.vg, NULL};
	struct strbuf out cleanup_strbuf = STRBUF_INIT;
	struct looking l = {.v = v, .each = each, .context = context};
	int r = lvm_run(v, lvs, &out, error);

	if (r == 0)
		r = lvm_parse(strbuf_str(&out), out.len, "lv", look_at, &l, error);
	if (r < 0) {
		free(l.known);
		return r;
	}
	/* What another thread has made since is found when it is asked for. */
	pthread_mutex_lock(&v->lock);
	free(v->known);
	v->known = l.known;
	v->known_count = l.count;
	v->known_capacity = l.capacity;
	pthread_mutex_unlock(&v->lock);
	return 0;
}

int lvm_get(struct lvm_volumes *v, const char *id, struct lvm_known *ret, struct ec2fs_error *error)
{
	bool is = lvm_find(v, id, ret);
	int r = is ? 0 : lvm_look(v, NULL, NULL, error);

	if (r < 0)
		return r;
	if (!is)
		is = lvm_find(v, id, ret);
	if (!is || ret->making)
		return ec2fs_fail_errno(error, ENOENT, EC2_InternalError,
					"%s is not in the volume group %s", id, v->uri.vg);
	return 0;
}
