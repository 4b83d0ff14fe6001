/*
 * Fuzzes everything that reads bytes of others: texts of attributes, keys, disk images, the state's
 * rows. Inputs are mutations of a corpus, the same in every run; what they must not do is crash,
 * read beyond their end (each lies alone at the end of its own block, for AddressSanitizer), or
 * break what the entry asserts.
 *
 * usage: parsers ENTRY ROUNDS FILE...      mutates the files ROUNDS times
 *        parsers ENTRY 0 FILE...           runs each file as it is: for an input that crashed
 *        parsers                           lists the entries
 */
#include "ec2fs/model/instance.h"
#include "ec2fs/model/keys.h"
#include "ec2fs/model/rows.h"
#include "ec2fs/model/ssh_wire.h"
#include "ec2fs/model/wait.h"
#include "ec2fs/text/block_device.h"
#include "ec2fs/text/keyed.h"
#include "ec2fs/text/name.h"
#include "ec2fs/text/number.h"
#include "ec2fs/text/size.h"
#include "ec2fs/text/suggest.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "providers/libvirt/domain_xml.h"
#include "volumes/volumes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LONGEST 4096

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "this does not hold: %s\n", what);
	abort();
}
#define MUST(condition) must(condition, #condition)

/* A refusal has its errno and its story; a success has neither. */
static void consistent(int r, const struct ec2fs_error *error)
{
	MUST(r <= 0);
	MUST((r == 0) == (error->number == 0));
	MUST(r == 0 || (error->number == -r && error->message[0]));
	MUST(memchr(error->message, '\0', sizeof(error->message)));
}

static int write_again(void *context, unsigned line, const char *key, const char *value,
		       struct ec2fs_error *error)
{
	(void)error;
	MUST(line > 0 && *key && *value);
	strbuf_addf(context, "%s %s\n", key, value);
	return 0;
}

static void fuzz_keyed(const char *data, size_t len)
{
	struct strbuf once cleanup_strbuf = STRBUF_INIT;
	struct strbuf twice cleanup_strbuf = STRBUF_INIT;
	struct ec2fs_error error = {0};
	int r = keyed_parse(data, len, write_again, &once, &error);

	consistent(r, &error);
	if (r < 0 || !once.len)
		return;
	MUST(keyed_parse(once.data, once.len, write_again, &twice, &error) == 0);
	MUST(strcmp(strbuf_str(&once), strbuf_str(&twice)) == 0);
}

static int print_device(void *context, const struct block_device *d, struct ec2fs_error *error)
{
	(void)error;
	MUST(*d->name && strlen(d->name) < sizeof(d->name) && d->gib <= 65536);
	block_device_print(d, context);
	return 0;
}

static void fuzz_block_device(const char *data, size_t len)
{
	struct strbuf once cleanup_strbuf = STRBUF_INIT;
	struct strbuf twice cleanup_strbuf = STRBUF_INIT;
	struct ec2fs_error error = {0};
	int r = block_devices_parse(data, len, print_device, &once, &error);

	consistent(r, &error);
	if (r < 0 || !once.len)
		return;
	MUST(block_devices_parse(once.data, once.len, print_device, &twice, &error) == 0);
	MUST(strcmp(strbuf_str(&once), strbuf_str(&twice)) == 0);
}

static void fuzz_size(const char *text, size_t len)
{
	struct strbuf out cleanup_strbuf = STRBUF_INIT;
	struct ec2fs_error error = {0};
	uint64_t n, again;
	int r = size_parse(text, 1 << 20, &n, &error);

	(void)len;
	consistent(r, &error);
	if (r < 0)
		return;
	size_print(n, &out);
	MUST(size_parse(out.data, 1, &again, NULL) == 0 && again == n);
}

static void fuzz_name(const char *text, size_t len)
{
	struct ec2fs_error error = {0};
	size_t bad = 0;
	int r = name_check(text, &error);

	len = strnlen(text, len);
	consistent(r, &error);
	MUST(r < 0 || (len > 0 && len < 256 && utf8_length(text, len, &bad) > 0));
	if (utf8_length(text, len, &bad) < 0)
		MUST(bad < len && r < 0);
}

static void fuzz_tag(const char *text, size_t len)
{
	struct ec2fs_error error = {0};

	consistent(tag_key_check(text, &error), &error);
	error = (struct ec2fs_error){0};
	consistent(tag_value_check(text, len, &error), &error);
}

static void fuzz_number(const char *text, size_t len)
{
	struct ec2fs_error error = {0};
	uint64_t n = 0;
	bool truth;
	int r = number_parse(text, 1, 1000000, &n, &error);

	(void)len;
	consistent(r, &error);
	MUST(r < 0 ? n == 0 : n >= 1 && n <= 1000000);
	error = (struct ec2fs_error){0};
	consistent(bool_parse(text, &truth, &error), &error);
}

static void fuzz_key(const char *data, size_t len)
{
	struct key_material key cleanup_key_material = {0};
	struct key_material again cleanup_key_material = {0};
	struct ec2fs_error error = {0};
	int r = keys_import(data, len, &key, &error);

	consistent(r, &error);
	if (r < 0)
		return;
	MUST(!key.private_key && !strchr(key.public_key, '\n'));
	MUST(keys_import(key.public_key, strlen(key.public_key), &again, NULL) == 0);
	MUST(strcmp(key.fingerprint, again.fingerprint) == 0 && key.type == again.type);
}

static void fuzz_base64(const char *data, size_t len)
{
	struct strbuf bytes cleanup_strbuf = STRBUF_INIT;
	struct strbuf text cleanup_strbuf = STRBUF_INIT;
	struct strbuf again cleanup_strbuf = STRBUF_INIT;

	if (!ssh_unbase64(&bytes, data, len))
		return;
	ssh_base64(&text, strbuf_str(&bytes), bytes.len, 70);
	MUST(ssh_unbase64(&again, text.data, text.len));
	MUST(again.len == bytes.len && memcmp(again.data, bytes.data, bytes.len) == 0);
}

static void fuzz_disk(const char *data, size_t len)
{
	cleanup_close int fd = memfd_create("disk", MFD_CLOEXEC);
	struct ec2fs_error error = {0};
	struct disk_info info = {0};
	int r;

	MUST(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	r = disk_probe(fd, &info, &error);
	consistent(r, &error);
	MUST(r < 0 || (info.virtual_size > 0 && info.virtual_size <= 64ULL << 40));
}

static void fuzz_owner(const char *text, size_t len)
{
	cleanup_free char *owner = domain_xml_owner(text);

	MUST(!owner || strlen(owner) < len);
}

static void fuzz_row(const char *data, size_t len)
{
	struct resource *r = rows_begin_resource(7);
	struct store_row row = {.resource = 7,
				.attribute = "@self",
				.value = data,
				.len = len,
				.has_value = true,
				.mode = 0755};
	struct rows rows = {0};
	uint64_t number;

	if (rows_read(r, &row) == 0) {
		/* What is written for it is read as the same again. */
		struct resource *again = rows_begin_resource(7);

		MUST(r->kind < KIND_COUNT);
		rows_add_change(&rows, NULL, r);
		MUST(rows.count > 0 && rows_read(again, &rows.ops[0].row) == 0);
		MUST(strcmp(again->name, r->name) == 0 && strcmp(again->id, r->id) == 0 &&
		     again->kind == r->kind && again->parent == r->parent);
		rows_free(&rows);
		resource_unref(again);
	}
	resource_unref(r);
	row.resource = ROOT_NUMBER;
	row.attribute = "@next-number";
	rows_next_number(&row, &number);
}

static void fuzz_wait(const char *text, size_t len)
{
	struct resource *r = resource_new(7, 1, KIND_INSTANCE, "web-1", "i-0123456789abcdef0");
	struct ec2fs_error error = {0};
	int64_t timeout = INT64_MAX;
	int result = state_wait(NULL, r, text, &timeout, &error);

	(void)len;
	MUST(timeout >= 0);
	if (result != -EINPROGRESS)
		consistent(result, &error);
	resource_unref(r);
}

static void fuzz_suggest(const char *text, size_t len)
{
	static const char *const words[] = {"instance-type", "image", "state", ""};

	(void)len;
	suggest(text, words, 4);
}

static const struct entry {
	const char *name;
	void (*run)(const char *data, size_t len); /* a NUL follows the data */
} entries[] = {
	{"block-device", fuzz_block_device},
	{"keyed", fuzz_keyed},
	{"size", fuzz_size},
	{"name", fuzz_name},
	{"tag", fuzz_tag},
	{"number", fuzz_number},
	{"key", fuzz_key},
	{"base64", fuzz_base64},
	{"disk", fuzz_disk},
	{"owner", fuzz_owner},
	{"row", fuzz_row},
	{"wait", fuzz_wait},
	{"suggest", fuzz_suggest},
};
#define ENTRIES (sizeof(entries) / sizeof(entries[0]))

struct input {
	unsigned char data[LONGEST];
	size_t len;
};

static uint64_t dice = 42;

static size_t roll(size_t sides)
{
	dice = dice * 6364136223846793005ULL + 1442695040888963407ULL;
	return sides ? (size_t)(dice >> 33) % sides : 0;
}

static void insert(struct input *in, size_t at, const void *data, size_t len)
{
	if (in->len + len > LONGEST)
		return;
	memmove(in->data + at + len, in->data + at, in->len - at);
	memcpy(in->data + at, data, len);
	in->len += len;
}

static void mutate(struct input *in, const struct input *other)
{
	static const char *const spices[] = {"\n",
					     " ",
					     "#",
					     "\t",
					     "\xff",
					     "\xc3\xbc",
					     "=",
					     "0",
					     "-1",
					     "%n%s",
					     "\r\n",
					     "'\"",
					     "aws:",
					     "tmp.",
					     "\xed\xa0\x80",
					     "99999999999999999999",
					     "ssh-rsa ",
					     "-----BEGIN "};
	unsigned char piece[64];
	size_t at = roll(in->len + 1), len = roll(sizeof(piece)) + 1;

	switch (roll(7)) {
	case 0: /* a bit */
		if (in->len)
			in->data[at % in->len] ^= (unsigned char)(1U << roll(8));
		break;
	case 1: /* a byte, NUL and 255 often */
		if (in->len)
			in->data[at % in->len] = (unsigned char)(roll(3) ? roll(256) : roll(2) - 1);
		break;
	case 2:
		len = len < in->len - at ? len : in->len - at;
		memmove(in->data + at, in->data + at + len, in->len - at - len);
		in->len -= len;
		break;
	case 3: { /* a piece once more */
		len = len < in->len - at ? len : in->len - at;
		memcpy(piece, in->data + at, len);
		insert(in, roll(in->len + 1), piece, len);
		break;
	}
	case 4: { /* a piece of another */
		size_t from = roll(other->len + 1);

		len = len < other->len - from ? len : other->len - from;
		insert(in, at, other->data + from, len);
		break;
	}
	case 5: {
		const char *spice = spices[roll(sizeof(spices) / sizeof(spices[0]))];

		insert(in, at, spice, strlen(spice));
		break;
	}
	default:
		in->len = at;
	}
}

static void run(const struct entry *e, const struct input *in)
{
	char *alone = xcalloc(in->len + 1, 1);

	memcpy(alone, in->data, in->len);
	e->run(alone, in->len);
	free(alone);
}

static int read_input(const char *path, struct input *ret)
{
	cleanup_file FILE *f = fopen(path, "re");

	if (!f) {
		perror(path);
		return -1;
	}
	ret->len = fread(ret->data, 1, LONGEST, f);
	return 0;
}

int main(int argc, char **argv)
{
	const struct entry *e = NULL;
	int count = argc - 3;
	struct input *corpus;
	long rounds;

	for (size_t i = 0; i < ENTRIES; i++) {
		if (argc == 1)
			puts(entries[i].name);
		else if (strcmp(entries[i].name, argv[1]) == 0)
			e = &entries[i];
	}
	if (argc == 1)
		return 0;
	if (!e || count < 1) {
		fprintf(stderr, "usage: parsers ENTRY ROUNDS FILE...\n");
		return 2;
	}
	rounds = atol(argv[2]);
	corpus = xcalloc((size_t)count + 1, sizeof(*corpus)); /* the last one is empty */
	for (int i = 0; i < count; i++) {
		if (read_input(argv[3 + i], &corpus[i]) < 0)
			return 2;
		run(e, &corpus[i]);
	}
	for (long n = 0; n < rounds; n++) {
		struct input in = corpus[roll((size_t)count + 1)];

		for (size_t i = roll(5) + 1; i > 0; i--)
			mutate(&in, &corpus[roll((size_t)count + 1)]);
		run(e, &in);
	}
	free(corpus);
	printf("%s: %ld rounds over %d inputs\n", e->name, rounds, count);
	return 0;
}
