#include "ec2fs/tree/events.h"

#include "ec2fs/text/time.h"
#include "ec2fs/util/memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* When the text grows past MOST, its older half is forgotten. */
#define MOST (64 * 1024)

struct events {
	pthread_mutex_t lock;
	struct strbuf text;
	uint64_t forgotten; /* bytes */
};

struct events *events_new(void)
{
	struct events *e = xnew(struct events);

	pthread_mutex_init(&e->lock, NULL);
	return e;
}

void events_free(struct events *e)
{
	if (!e)
		return;
	strbuf_free(&e->text);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

static void forget_older_half(struct events *e)
{
	struct strbuf *text = &e->text;
	const char *from = memchr(text->data + text->len / 2, '\n', text->len - text->len / 2);
	size_t left;

	if (!from)
		return;
	left = text->len - (size_t)(from + 1 - text->data);
	e->forgotten += text->len - left;
	memmove(text->data, from + 1, left);
	strbuf_truncate(text, left);
}

void events_add(struct events *e, int64_t now, const char *text)
{
	pthread_mutex_lock(&e->lock);
	time_print(now, &e->text);
	strbuf_addc(&e->text, ' ');
	for (const char *p = text; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 127)
			strbuf_addf(&e->text, "\\x%02x", (unsigned char)*p);
		else
			strbuf_addc(&e->text, *p);
	}
	strbuf_addc(&e->text, '\n');
	if (e->text.len > MOST)
		forget_older_half(e);
	pthread_mutex_unlock(&e->lock);
}

void events_show(struct events *e, uint64_t *ret_start, struct strbuf *out)
{
	pthread_mutex_lock(&e->lock);
	if (ret_start)
		*ret_start = e->forgotten;
	strbuf_add(out, strbuf_str(&e->text), e->text.len);
	pthread_mutex_unlock(&e->lock);
}
