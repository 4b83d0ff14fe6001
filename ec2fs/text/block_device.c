#include "ec2fs/text/block_device.h"

#include "ec2fs/text/number.h"
#include "ec2fs/text/size.h"
#include "ec2fs/text/words.h"
#include "ec2fs/util/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define GIB ((uint64_t)1 << 30)
#define MOST_GIB 65536
#define MOST_FIGURE 1000000
#define MOST_EPHEMERAL 23

static int malformed(struct ec2fs_error *error, const char *word, const char *wanted)
{
	return ec2fs_fail(error, EC2_InvalidBlockDeviceMapping, "\"%s\": %s", word, wanted);
}

static int parse_name(const char *word, struct block_device *d, struct ec2fs_error *error)
{
	const char *name = strncmp(word, "/dev/", 5) == 0 ? word + 5 : word;
	size_t len = strlen(name);

	if (len < 2 || len >= sizeof(d->name) || *name < 'a' || *name > 'z' ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") != len)
		return malformed(error, word, "a line begins with a device, such as /dev/sdf");
	memcpy(d->name, name, len + 1);
	return 0;
}

static int copy_word(const char *word, const char *value, char *out, size_t size,
		     struct ec2fs_error *error)
{
	size_t len = strlen(value);

	if (!len || len >= size)
		return malformed(error, word, "this value is empty or too long");
	memcpy(out, value, len + 1);
	return 0;
}

static int parse_size(const char *word, const char *value, struct block_device *d,
		      struct ec2fs_error *error)
{
	uint64_t bytes;

	if (size_parse(value, GIB, &bytes, NULL) < 0 || !bytes || bytes % GIB ||
	    bytes / GIB > MOST_GIB)
		return malformed(error, word, "a size is whole GiB, such as 8");
	d->gib = bytes / GIB;
	return 0;
}

static int parse_figure(const char *word, const char *value, uint64_t *ret,
			struct ec2fs_error *error)
{
	if (number_parse(value, 1, MOST_FIGURE, ret, NULL) < 0)
		return malformed(error, word, "this is a number, such as 3000");
	return 0;
}

static int parse_flag(const char *word, const char *value, enum block_device_flag *ret,
		      struct ec2fs_error *error)
{
	bool on;

	if (bool_parse(value, &on, NULL) < 0)
		return malformed(error, word, "this is true or false");
	*ret = on ? BLOCK_DEVICE_TRUE : BLOCK_DEVICE_FALSE;
	return 0;
}

/* The second word, where it is no option. */
static int parse_content(const char *word, struct block_device *d, struct ec2fs_error *error)
{
	uint64_t n;

	if (strncmp(word, "snapshot:", 9) == 0) {
		d->content = BLOCK_DEVICE_SNAPSHOT;
		return copy_word(word, word + 9, d->snapshot, sizeof(d->snapshot), error);
	}
	if (strncmp(word, "size:", 5) == 0)
		return parse_size(word, word + 5, d, error);
	if (strcmp(word, "none") == 0) {
		d->content = BLOCK_DEVICE_NONE;
		return 0;
	}
	if (strncmp(word, "ephemeral", 9) == 0 &&
	    number_parse(word + 9, 0, MOST_EPHEMERAL, &n, NULL) == 0) {
		d->content = BLOCK_DEVICE_EPHEMERAL;
		d->ephemeral = (unsigned)n;
		return 0;
	}
	return malformed(
		error, word,
		"after the device comes snapshot:NAME, size:GIB, ephemeral0 to ephemeral23 "
		"or none");
}

static int parse_option(const char *word, struct block_device *d, struct ec2fs_error *error)
{
	const char *value = strchr(word, '=');
	size_t len = value ? (size_t)(value - word) : strlen(word);
	bool twice = false;
	int r;

	value = value ? value + 1 : NULL;
#define IS(key) (len == strlen(key) && strncmp(word, key, len) == 0)
	if (value && IS("size")) {
		twice = d->gib;
		r = parse_size(word, value, d, error);
	} else if (value && IS("type")) {
		twice = *d->type;
		r = copy_word(word, value, d->type, sizeof(d->type), error);
	} else if (value && IS("iops")) {
		twice = d->iops;
		r = parse_figure(word, value, &d->iops, error);
	} else if (value && IS("throughput")) {
		twice = d->throughput;
		r = parse_figure(word, value, &d->throughput, error);
	} else if (value && IS("delete-on-termination")) {
		twice = d->delete_on_termination != BLOCK_DEVICE_UNSET;
		r = parse_flag(word, value, &d->delete_on_termination, error);
	} else if (!value && IS("encrypted")) {
		twice = d->encrypted;
		d->encrypted = true;
		r = 0;
	} else {
		return malformed(error, word,
				 "wanted is size=GIB, type=TYPE, iops=N, throughput=N, "
				 "delete-on-termination=true or false, or encrypted");
	}
#undef IS
	if (r == 0 && twice)
		return malformed(error, word, "this stands there twice");
	return r;
}

struct parsing {
	block_device_fn *each;
	void *context;
	char (*names)[32];
	size_t count, capacity;
};

static bool is_option(const char *word)
{
	return strchr(word, '=') || strcmp(word, "encrypted") == 0;
}

static int parse_line(void *context, const struct words *w, struct ec2fs_error *error)
{
	struct parsing *p = context;
	struct block_device d = {.content = BLOCK_DEVICE_VOLUME};
	size_t i = 1;
	int r = parse_name(w->word[0], &d, error);

	if (r == 0 && w->count > WORDS_MAX)
		return malformed(error, w->word[WORDS_MAX - 1], "more words than a line has");
	for (size_t k = 0; r == 0 && k < p->count; k++)
		if (strcmp(p->names[k], d.name) == 0)
			return malformed(error, w->word[0], "this device stands there twice");
	if (r == 0 && w->count < 2)
		return malformed(error, w->word[0],
				 "a device is followed by what is there, such as size:8");
	if (r == 0 && !is_option(w->word[1]))
		r = parse_content(w->word[i++], &d, error);
	for (; r == 0 && i < w->count; i++)
		r = parse_option(w->word[i], &d, error);
	if (r == 0 && w->count > 2 &&
	    (d.content == BLOCK_DEVICE_NONE || d.content == BLOCK_DEVICE_EPHEMERAL))
		return malformed(error, w->word[2], "only volumes have options");
	if (r < 0)
		return r;
	array_reserve(p->names, p->count, p->capacity);
	memcpy(p->names[p->count++], d.name, sizeof(d.name));
	return p->each(p->context, &d, error);
}

int block_devices_parse(const char *text, size_t len, block_device_fn *each, void *context,
			struct ec2fs_error *error)
{
	struct parsing p = {.each = each, .context = context};
	int r = words_parse(text, len, parse_line, &p, error);

	free(p.names);
	return r;
}

void block_device_print(const struct block_device *d, struct strbuf *out)
{
	strbuf_addf(out, "/dev/%s", d->name);
	switch (d->content) {
	case BLOCK_DEVICE_NONE:
		strbuf_adds(out, " none");
		break;
	case BLOCK_DEVICE_EPHEMERAL:
		strbuf_addf(out, " ephemeral%u", d->ephemeral);
		break;
	case BLOCK_DEVICE_SNAPSHOT:
		strbuf_addf(out, " snapshot:%s", d->snapshot);
		if (d->gib)
			strbuf_addf(out, " size=%" PRIu64, d->gib);
		break;
	case BLOCK_DEVICE_VOLUME:
		if (d->gib)
			strbuf_addf(out, " size:%" PRIu64, d->gib);
		break;
	}
	if (*d->type)
		strbuf_addf(out, " type=%s", d->type);
	if (d->iops)
		strbuf_addf(out, " iops=%" PRIu64, d->iops);
	if (d->throughput)
		strbuf_addf(out, " throughput=%" PRIu64, d->throughput);
	if (d->delete_on_termination != BLOCK_DEVICE_UNSET)
		strbuf_addf(out, " delete-on-termination=%s",
			    d->delete_on_termination == BLOCK_DEVICE_TRUE ? "true" : "false");
	if (d->encrypted)
		strbuf_adds(out, " encrypted");
	strbuf_addc(out, '\n');
}
