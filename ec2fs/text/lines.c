#include "ec2fs/text/lines.h"

#include "ec2fs/text/name.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <string.h>

/* EC2's limit of a rule's description. */
#define COMMENT_MOST 255

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

void line_content(const char *line, size_t len, size_t *ret_begin, size_t *ret_end)
{
	size_t begin = 0, end = 0;

	while (begin < len && is_blank(line[begin]))
		begin++;
	for (end = begin; end < len; end++)
		if (line[end] == '#' && (end == begin || is_blank(line[end - 1])))
			break;
	while (end > begin && is_blank(line[end - 1]))
		end--;
	*ret_begin = begin;
	*ret_end = end;
}

static int check_text(const char *line, size_t len, enum ec2_code code, struct ec2fs_error *error)
{
	size_t bad;

	for (size_t i = 0; i < len; i++)
		if (((unsigned char)line[i] < ' ' && !is_blank(line[i])) || line[i] == 127)
			return ec2fs_fail(error, code, "there is a %s at byte %zu",
					  line[i] ? "control character" : "NUL byte", i + 1);
	if (utf8_length(line, len, &bad) < 0)
		return ec2fs_fail(error, code, "this is no UTF-8 from byte %zu on", bad + 1);
	return 0;
}

static int parse_line(const char *line, size_t len, unsigned number, enum ec2_code code,
		      line_fn *each, void *context, struct ec2fs_error *error)
{
	cleanup_free char *content = NULL;
	size_t begin, end;
	int r = check_text(line, len, code, error);

	if (r < 0)
		return r;
	line_content(line, len, &begin, &end);
	if (begin == end)
		return 0;
	if (len - end > COMMENT_MOST)
		return ec2fs_fail(error, code, "the description has %zu bytes; at most %d fit",
				  len - end, COMMENT_MOST);
	content = xasprintf("%.*s", (int)(end - begin), line + begin);
	return each(context, number, content, error);
}

int lines_parse(const char *text, size_t len, enum ec2_code code, line_fn *each, void *context,
		struct ec2fs_error *error)
{
	unsigned number = 0;

	for (size_t at = 0; at < len;) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t n = end ? (size_t)(end - text) - at : len - at;
		struct ec2fs_error own = {0};
		int r = parse_line(text + at, n, ++number, code, each, context, &own);

		if (r < 0) {
			ec2fs_wrap(&own, "line %u", number);
			if (error)
				*error = own;
		}
		if (r)
			return r;
		at += n + 1;
	}
	return 0;
}

void lines_complete(const char *text, size_t len, struct strbuf *out)
{
	strbuf_add(out, text, len);
	if (len && text[len - 1] != '\n')
		strbuf_addc(out, '\n');
}
