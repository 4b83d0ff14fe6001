/*
 * What the metadata service serves: tables of names (nodes.c), and the one function that walks them
 * (tree.c), for a listing as for a leaf, so that nothing is listed that is not served. Pure.
 */
#ifndef NETFW_IMDS_TREE_H
#define NETFW_IMDS_TREE_H

#include "ec2fs/util/strbuf.h"
#include "netfw/netfw.h"

#include <stdbool.h>
#include <stddef.h>

struct imds_identity;

/* One request: who asks, and what the walk has found so far. */
struct imds_question {
	const struct imds_facts *facts;
	struct imds_identity *identity; /* signs */
	const char *version;            /* "2021-03-23", "latest"; set by the walk */
	size_t index; /* of the innermost entry of an imds_many; set by the walk */
};

enum {
	IMDS_BARE = 1 << 0,   /* a directory listed without slash, as EC2 does at the top */
	IMDS_HIDDEN = 1 << 1, /* found, never listed */
	IMDS_BINARY = 1 << 2, /* application/octet-stream */
	IMDS_TOKEN = 1 << 3,  /* PUT makes a token here, and this is all it does */
};

#define IMDS_NAME_SIZE 128

/* Entries that are as many as the facts have of something. */
struct imds_many {
	size_t (*count)(const struct imds_facts *f);
	/* The i-th name, possibly made in buffer; NULL: this one cannot be served. */
	const char *(*name)(const struct imds_facts *f, size_t i, char buffer[IMDS_NAME_SIZE]);
	/* How a listing shows it, where that is not its name. */
	void (*list)(const struct imds_facts *f, size_t i, struct strbuf *out);
};

/*
 * A name. Its content is one of: fact, an offset into struct imds_facts of a char *, which is there
 * when that is not NULL; show; children, a directory that is there when one of its children is. A
 * table ends with an empty element.
 */
struct imds_node {
	const char *name;
	const struct imds_many *many; /* in place of name */
	const char *since;            /* first version that has it; NULL: all */
	bool has_fact;
	size_t fact;
	/* 0, or a negative errno other than -ENOENT. */
	int (*show)(const struct imds_question *q, struct strbuf *out);
	bool (*present)(const struct imds_facts *f); /* for show; NULL: always */
	const struct imds_node *children;
	unsigned flags;
};

/* The tree below /VERSION/. */
extern const struct imds_node imds_root[];

/*
 * Finds what a path ("/latest/meta-data/mac", as it came, percent signs and all) names and appends
 * its content or listing to out; for IMDS_TOKEN nothing. *ret_flags: those of the node. -ENOENT:
 * there is no such thing; -EINVAL: not a path at all; others: it cannot be shown now.
 */
int imds_answer(struct imds_question *q, const char *path, struct strbuf *out, unsigned *ret_flags);

#endif
