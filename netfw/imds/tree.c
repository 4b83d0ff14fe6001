#include "netfw/imds/tree.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* Every version that EC2 has had until the newest of these; oldest first, as strings too. */
static const char *const versions[] = {
	"1.0",        "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15",
	"2008-02-01", "2008-09-01", "2009-04-04", "2011-01-01", "2011-05-01", "2012-01-12",
	"2014-02-25", "2014-11-05", "2015-10-20", "2016-04-19", "2016-06-30", "2016-09-02",
	"2018-03-28", "2018-08-17", "2018-09-24", "2019-10-01", "2020-10-27", "2021-01-03",
	"2021-03-23", "2021-07-15", "latest",
};
#define VERSION_COUNT (sizeof(versions) / sizeof(versions[0]))

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/*
 * The next name of the path, decoded; several slashes are one. 1, or 0 at the end, or -EINVAL for a
 * bad escape or one that makes a slash or a control character. A name that is too long for buffer
 * becomes "", which nothing is called.
 */
static int next_name(const char **path, char buffer[IMDS_NAME_SIZE])
{
	const char *p = *path;
	size_t len = 0;

	while (*p == '/')
		p++;
	if (!*p)
		return 0;
	for (; *p && *p != '/'; p++, len++) {
		int c = (unsigned char)*p;

		if (c == '%') {
			int high = hex(p[1]), low = high < 0 ? -1 : hex(p[2]);

			if (low < 0)
				return -EINVAL;
			c = high << 4 | low;
			p += 2;
		}
		if (c < 0x20 || c == 0x7f || (c == '/' && *p != '/'))
			return -EINVAL;
		if (len < IMDS_NAME_SIZE)
			buffer[len] = (char)c;
	}
	buffer[len < IMDS_NAME_SIZE ? len : 0] = '\0';
	*path = p;
	return 1;
}

static const char *fact_of(const struct imds_facts *f, const struct imds_node *n)
{
	return *(char *const *)((const char *)f + n->fact);
}

static bool is_end(const struct imds_node *n)
{
	return !n->name && !n->many;
}

/* Is it there for this caller, in this version? */
static bool is_present(const struct imds_question *q, const struct imds_node *n)
{
	if (n->since && strcmp(q->version, n->since) < 0)
		return false;
	if (n->present && !n->present(q->facts))
		return false;
	if (n->many) {
		char buffer[IMDS_NAME_SIZE];

		for (size_t i = 0, count = n->many->count(q->facts); i < count; i++) {
			if (n->many->name(q->facts, i, buffer))
				return true;
		}
		return false;
	}
	if (n->has_fact)
		return fact_of(q->facts, n) != NULL;
	for (const struct imds_node *child = n->children; child && !is_end(child); child++) {
		if (is_present(q, child))
			return true;
	}
	return !n->children;
}

static void list_name(const struct imds_node *n, const char *name, struct strbuf *out)
{
	strbuf_adds(out, name);
	strbuf_adds(out, n->children && !(n->flags & IMDS_BARE) ? "/\n" : "\n");
}

static void list_many(const struct imds_question *q, const struct imds_node *n, struct strbuf *out)
{
	char buffer[IMDS_NAME_SIZE];

	for (size_t i = 0, count = n->many->count(q->facts); i < count; i++) {
		const char *name = n->many->name(q->facts, i, buffer);

		if (name && n->many->list) {
			n->many->list(q->facts, i, out);
			strbuf_addc(out, '\n');
		} else if (name) {
			list_name(n, name, out);
		}
	}
}

static void list(const struct imds_question *q, const struct imds_node *nodes, struct strbuf *out)
{
	for (const struct imds_node *n = nodes; !is_end(n); n++) {
		if ((n->flags & IMDS_HIDDEN) || !is_present(q, n))
			continue;
		if (n->many)
			list_many(q, n, out);
		else
			list_name(n, n->name, out);
	}
	/* No newline after the last. */
	if (out->len)
		strbuf_truncate(out, out->len - 1);
}

static bool is_called(struct imds_question *q, const struct imds_node *n, const char *name)
{
	char buffer[IMDS_NAME_SIZE];

	if (!n->many)
		return strcmp(n->name, name) == 0;
	for (size_t i = 0, count = n->many->count(q->facts); i < count; i++) {
		const char *is = n->many->name(q->facts, i, buffer);

		if (is && strcmp(is, name) == 0) {
			q->index = i;
			return true;
		}
	}
	return false;
}

static const struct imds_node *find(struct imds_question *q, const struct imds_node *nodes,
				    const char *name)
{
	for (const struct imds_node *n = nodes; !is_end(n); n++) {
		if (is_called(q, n, name))
			return is_present(q, n) ? n : NULL;
	}
	return NULL;
}

static int list_versions(struct strbuf *out)
{
	for (size_t i = 0; i < VERSION_COUNT; i++) {
		if (i)
			strbuf_addc(out, '\n');
		strbuf_adds(out, versions[i]);
	}
	return 0;
}

static const char *find_version(const char *name)
{
	for (size_t i = VERSION_COUNT; i-- > 0;) {
		if (strcmp(versions[i], name) == 0)
			return versions[i];
	}
	return NULL;
}

int imds_answer(struct imds_question *q, const char *path, struct strbuf *out, unsigned *ret_flags)
{
	const struct imds_node *nodes = imds_root, *n = NULL;
	char name[IMDS_NAME_SIZE];
	int r;

	*ret_flags = 0;
	if (*path != '/')
		return -EINVAL;
	r = next_name(&path, name);
	if (r <= 0)
		return r < 0 ? r : list_versions(out);
	q->version = find_version(name);
	if (!q->version)
		return -ENOENT;
	while ((r = next_name(&path, name)) > 0) {
		n = nodes ? find(q, nodes, name) : NULL;
		if (!n)
			return -ENOENT;
		nodes = n->children;
	}
	if (r < 0)
		return r;
	if (n)
		*ret_flags = n->flags;
	if (nodes)
		list(q, nodes, out);
	else if (n->has_fact)
		strbuf_adds(out, fact_of(q->facts, n));
	else if (n->show)
		return n->show(q, out);
	return 0;
}
