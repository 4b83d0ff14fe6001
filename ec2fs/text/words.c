#include "ec2fs/text/words.h"

#include "ec2fs/text/lines.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <string.h>

/* Cuts a line's content, which is at `at` of the text, into words. */
static void cut(char *content, size_t at, struct words *w)
{
	char *p = content;

	w->count = 0;
	for (;;) {
		size_t len;

		p += strspn(p, " \t\r");
		len = strcspn(p, " \t\r");
		if (!len)
			return;
		if (w->count < WORDS_MAX) {
			w->word[w->count] = p;
			w->at[w->count] = at + (size_t)(p - content);
		}
		w->count++;
		if (!p[len])
			return;
		p[len] = '\0';
		p += len + 1;
	}
}

static int accept(void *context, unsigned line, char *content, struct ec2fs_error *error)
{
	(void)context;
	(void)line;
	(void)content;
	(void)error;
	return 0;
}

static int parse_line(const char *text, struct words *w, words_fn *each, void *context,
		      struct ec2fs_error *error)
{
	cleanup_free char *content = NULL;
	struct ec2fs_error own = {0};
	size_t len = w->end - w->begin, begin, end;
	int r;

	len -= len && text[w->end - 1] == '\n';
	line_content(text + w->begin, len, &begin, &end);
	content = xasprintf("%.*s", (int)(end - begin), text + w->begin + begin);
	cut(content, w->begin + begin, w);
	r = w->count ? each(context, w, &own) : 0;
	if (r < 0) {
		ec2fs_wrap(&own, "line %u", w->line);
		if (error)
			*error = own;
	}
	return r;
}

int words_parse(const char *text, size_t len, words_fn *each, void *context,
		struct ec2fs_error *error)
{
	struct words w = {0};
	int r = lines_parse(text, len, EC2_InvalidParameterValue, accept, NULL, error);

	for (; r == 0 && w.end < len; w.begin = w.end) {
		const char *newline = memchr(text + w.end, '\n', len - w.end);

		w.end = newline ? (size_t)(newline - text) + 1 : len;
		w.line++;
		r = parse_line(text, &w, each, context, error);
	}
	return r;
}
