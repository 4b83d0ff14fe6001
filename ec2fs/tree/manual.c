/*
 * What the tables say, for people: README in the mount, and the middle of ec2fs.tree(7). Both show
 * the same help, about and examples, so a new line of a table is in both.
 */
#include "ec2fs/tree/internal.h"
#include "ec2fs/tree/open.h"

#include <string.h>

#define WIDTH 79
/* Where help begins in README; of a longer name, a line below. */
#define HELP_COLUMN 30

/* Words in lines of WIDTH; the first line has `column` characters already, the others get `indent`
 * blanks. */
static void wrap(struct strbuf *out, const char *text, size_t column, size_t indent)
{
	size_t at = column;

	while (*text) {
		size_t bytes = strcspn(text, " "), columns = 0;

		/* The bytes that continue a character of UTF-8 take no column. */
		for (size_t i = 0; i < bytes; i++)
			columns += ((unsigned char)text[i] & 0xc0) != 0x80;
		if (at > indent && at + 1 + columns > WIDTH) {
			strbuf_addf(out, "\n%*s", (int)indent, "");
			at = indent;
		} else if (at > indent) {
			strbuf_addc(out, ' ');
			at++;
		}
		strbuf_add(out, text, bytes);
		at += columns;
		text += bytes + strspn(text + bytes, " ");
	}
	strbuf_addc(out, '\n');
}

/* "r": read-only, "rw": can be written. */
static const char *access_of(const struct entry *e)
{
	if (!S_ISREG(e->mode))
		return "";
	return e->store || (e->flags & TREE_BLOB) ? "rw" : "r";
}

static void add_entries(struct strbuf *out, const struct dir *dir)
{
	for (const struct entry *e = dir->entries; e && e->name; e++) {
		int width = (int)strlen(e->name);

		strbuf_addf(out, "  %s%-*s", e->name,
			    HELP_COLUMN - 5 - width > 0 ? HELP_COLUMN - 5 - width : 0,
			    S_ISDIR(e->mode) ? "/" : "");
		strbuf_addf(out, width < HELP_COLUMN - 5 ? "%-2s " : " %s\n%*s", access_of(e),
			    HELP_COLUMN, "");
		wrap(out, e->help, HELP_COLUMN, HELP_COLUMN);
	}
}

/* The directory that has the entry: the resource's own, or one of its fixed ones. */
static const struct dir *dir_of(const struct show *s, const struct entry **ret_holder)
{
	*ret_holder = entry_holder(s->r, s->entry);
	return *ret_holder ? (*ret_holder)->dir : kind_ops(s->r->kind)->dir;
}

void show_readme(const struct show *s, struct strbuf *out)
{
	const struct entry *holder;
	const struct dir *dir = dir_of(s, &holder);
	const struct dir *listed = holder ? kind_ops(dir->child)->dir : dir;

	if (holder) {
		strbuf_addf(out, "%s/:", holder->name);
		wrap(out, holder->help, strlen(holder->name) + 2, 0);
		strbuf_addc(out, '\n');
	}
	wrap(out, dir->about, 0, 0);
	strbuf_adds(out, "\nFor example, typed here:\n\n");
	for (const char *line = dir->examples; *line;) {
		size_t len = strcspn(line, "\n");

		strbuf_addf(out, "  %.*s\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
	strbuf_addf(out, "\n%s\n\n",
		    holder ? "Each has (r: to be read, rw: also to be written):"
			   : "Here are (r: to be read, rw: also to be written):");
	add_entries(out, listed);
	strbuf_adds(out, "\nWhat was refused, and why, is in the file error of the directory "
			 "concerned.\n");
}

/* mdoc(7): a sentence begins a line; a line that begins with a dot or a quote would be a macro. */
static void mdoc_text(struct strbuf *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		strbuf_adds(out, "\\&");
	for (; *text; text++)
		if (*text == '\\')
			strbuf_adds(out, "\\e");
		else if (strncmp(text, ". ", 2) == 0)
			strbuf_adds(out, ".\n"), text++;
		else if (*text == '-' || *text == '\'')
			strbuf_adds(out, *text == '-' ? "\\-" : "\\(aq");
		else
			strbuf_addc(out, *text);
}

static void mdoc_about(struct strbuf *out, const struct dir *dir)
{
	mdoc_text(out, dir->about);
	strbuf_adds(out, "\n.Bd -literal -offset indent\n");
	mdoc_text(out, dir->examples);
	strbuf_adds(out, ".Ed\n");
}

static void mdoc_entries(struct strbuf *out, const struct dir *dir)
{
	strbuf_adds(out, ".Bl -tag -width Ds\n");
	for (const struct entry *e = dir->entries; e->name; e++) {
		strbuf_addf(out, ".It Pa %s%s%s%s\n", e->name, S_ISDIR(e->mode) ? "/" : "",
			    S_ISREG(e->mode) ? " Pq " : "", access_of(e));
		mdoc_text(out, e->help);
		strbuf_addc(out, '\n');
	}
	strbuf_adds(out, ".El\n");
}

/* The directory that lists resources of that kind below their parent; NULL: the parent's own. */
static const struct dir *listing_dir(enum kind kind)
{
	const struct entry *e =
		kind == KIND_ROOT || kind == KIND_REGION || kind_home(kind) == KIND_COUNT
			? NULL
			: collection_entry(kind_home(kind), kind);

	return e ? e->dir : NULL;
}

void tree_manual(struct strbuf *out)
{
	for (enum kind kind = KIND_ROOT; kind < KIND_COUNT; kind++) {
		const struct dir *dir = kind_ops(kind)->dir;
		const struct dir *listing = listing_dir(kind);

		if (!dir)
			continue;
		strbuf_addf(out, ".Ss %s\n", dir->title);
		if (dir->about)
			mdoc_about(out, dir);
		else if (listing && listing->about)
			mdoc_about(out, listing);
		mdoc_entries(out, dir);
	}
}
