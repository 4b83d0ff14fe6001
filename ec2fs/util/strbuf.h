/* A byte string that grows: what files are rendered into. Always followed by a NUL byte. */
#ifndef EC2FS_UTIL_STRBUF_H
#define EC2FS_UTIL_STRBUF_H

#include <stdarg.h>
#include <stddef.h>

struct strbuf {
	char *data; /* never NULL after the first append; owned */
	size_t len; /* bytes, without the NUL */
	size_t capacity;
};

#define STRBUF_INIT                                                                                \
	{                                                                                          \
		NULL, 0, 0                                                                         \
	}

void strbuf_add(struct strbuf *b, const void *data, size_t len);
void strbuf_adds(struct strbuf *b, const char *s);
void strbuf_addc(struct strbuf *b, char c);
void strbuf_addf(struct strbuf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void strbuf_vaddf(struct strbuf *b, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
/* Shortens to len bytes; a longer len is ignored. */
void strbuf_truncate(struct strbuf *b, size_t len);
/* The content as a C string, "" when nothing was added; still owned by b. */
const char *strbuf_str(const struct strbuf *b);
/* The content, owned by the caller now, who frees it; b is empty again. */
char *strbuf_steal(struct strbuf *b);
void strbuf_free(struct strbuf *b);

#define cleanup_strbuf __attribute__((cleanup(strbuf_free)))

#endif
