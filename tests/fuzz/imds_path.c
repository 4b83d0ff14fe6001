/*
 * The metadata service's paths, as they come from a guest: none crashes, none that is refused
 * leaves something, a slash more changes nothing, and nothing is below what is no directory.
 */
#include "netfw/imds/identity.h"
#include "netfw/imds/tree.h"
#include "tests/lib/imds_fixture.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct imds_identity *identity;
static struct imds_facts facts;

static void make_facts(void)
{
	char directory[] = "/tmp/ec2fs-fuzz-XXXXXX", command[64];

	if (!mkdtemp(directory) || imds_identity_open(directory, &identity, NULL) < 0)
		abort();
	snprintf(command, sizeof(command), "rm -r %s", directory);
	if (system(command) != 0)
		abort();
	imds_sample(&facts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct imds_question q = {.facts = &facts};
	struct strbuf out = STRBUF_INIT, slash = STRBUF_INIT, below = STRBUF_INIT;
	char *path = xcalloc(1, size + 2);
	unsigned flags;

	if (!identity)
		make_facts();
	q.identity = identity;
	path[0] = '/';
	if (size)
		memcpy(path + 1, data, size);
	if (imds_answer(&q, path, &out, &flags) == 0) {
		/* With a slash it is the same; with a name more it was a directory, or nothing. */
		char *with = xasprintf("%s/", path), *more = xasprintf("%s/no such name", path);

		if (imds_answer(&q, with, &slash, &flags) < 0 ||
		    strcmp(strbuf_str(&out), strbuf_str(&slash)) != 0)
			abort();
		if (imds_answer(&q, more, &below, &flags) == 0)
			abort();
		free(with);
		free(more);
	} else if (out.len) {
		abort();
	}
	strbuf_free(&out);
	strbuf_free(&slash);
	strbuf_free(&below);
	free(path);
	return 0;
}
