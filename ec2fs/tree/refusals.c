#include "ec2fs/tree/refusals.h"

#include "ec2fs/text/name.h"
#include "ec2fs/text/time.h"
#include "ec2fs/util/memory.h"

#include <inttypes.h>
#include <pthread.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#define KEPT 128
#define WROTE_SHOWN 80

struct refusal {
	int64_t when;
	uid_t uid;
	char *user; /* its name, or number */
	uint64_t resource;
	bool cleared; /* the resource's own file tells it no more */
	char *path;
	char *wrote; /* NULL: nothing was written (mkdir, rm …) */
	enum ec2_code code;
	int number;    /* errno */
	char *message; /* path, wrote and message are harmless on a terminal */
};

struct refusals {
	pthread_mutex_t lock;
	struct refusal ring[KEPT];
	uint64_t count; /* since the start; the newest is at (count - 1) % KEPT */
};

struct refusals *refusals_new(void)
{
	struct refusals *r = xnew(struct refusals);

	pthread_mutex_init(&r->lock, NULL);
	return r;
}

static void refusal_clear(struct refusal *x)
{
	free(x->user);
	free(x->path);
	free(x->wrote);
	free(x->message);
	*x = (struct refusal){0};
}

void refusals_free(struct refusals *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < KEPT; i++)
		refusal_clear(&r->ring[i]);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* Bytes of the character at p, 0 when it is none that may be shown. */
static size_t character(const char *p, size_t left)
{
	size_t bad;

	if ((unsigned char)*p < ' ' || *p == 127)
		return 0;
	for (size_t n = 1; n <= 4 && n <= left; n++)
		if (utf8_length(p, n, &bad) == 1)
			return n;
	return 0;
}

/* As one line that does no harm on a terminal: names and contents are whatever somebody wrote. */
static void add_harmless(struct strbuf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = character(text + i, len - i);

		if (n)
			strbuf_add(out, text + i, n);
		else if (text[i] == '\n')
			strbuf_adds(out, "\\n");
		else
			strbuf_addf(out, "\\x%02x", (unsigned char)text[i]);
		i += n ? n : 1;
	}
}

static char *harmless(const char *text)
{
	struct strbuf out = STRBUF_INIT;

	add_harmless(&out, text, strlen(text));
	return strbuf_steal(&out);
}

static char *user_name(uid_t uid)
{
	struct passwd entry, *found = NULL;
	char buffer[4096];

	if (getpwuid_r(uid, &entry, buffer, sizeof(buffer), &found) == 0 && found)
		return xstrdup(found->pw_name);
	return xasprintf("user %u", (unsigned)uid);
}

/* The beginning of what was written. */
static char *excerpt(const char *wrote, size_t len)
{
	struct strbuf out = STRBUF_INIT;
	size_t shown = len < WROTE_SHOWN ? len : WROTE_SHOWN;

	add_harmless(&out, wrote, shown == len && len && wrote[len - 1] == '\n' ? len - 1 : shown);
	if (shown < len)
		strbuf_addf(&out, "… (%zu bytes)", len);
	return strbuf_steal(&out);
}

void refusals_add(struct refusals *r, int64_t now, uid_t uid, uint64_t resource, const char *path,
		  const void *wrote, size_t len, const struct ec2fs_error *error)
{
	char *user = user_name(uid); /* may take its time, so before the lock */
	struct refusal *x;

	pthread_mutex_lock(&r->lock);
	x = &r->ring[r->count++ % KEPT];
	refusal_clear(x);
	x->when = now;
	x->uid = uid;
	x->user = user;
	x->resource = resource;
	x->path = harmless(path);
	x->wrote = wrote ? excerpt(wrote, len) : NULL;
	x->code = error->code;
	x->number = error->number;
	x->message = harmless(error->message);
	pthread_mutex_unlock(&r->lock);
}

/* The resource's newest that is not cleared, or NULL. */
static struct refusal *last_of(struct refusals *r, uint64_t resource)
{
	uint64_t kept = r->count < KEPT ? r->count : KEPT;

	for (uint64_t i = 1; i <= kept; i++) {
		struct refusal *x = &r->ring[(r->count - i) % KEPT];

		if (x->resource == resource)
			return x->cleared ? NULL : x;
	}
	return NULL;
}

bool refusals_clear(struct refusals *r, uint64_t resource)
{
	struct refusal *x;

	pthread_mutex_lock(&r->lock);
	x = last_of(r, resource);
	if (x)
		x->cleared = true;
	pthread_mutex_unlock(&r->lock);
	return x;
}

/* Whose it was, to a reader that it is told to as "you". */
static void show_wrote(const struct refusal *x, uid_t you, struct strbuf *out)
{
	bool wrote = x->wrote && *x->wrote;

	if (x->uid != you)
		strbuf_addf(out, "%s%s", x->user, wrote ? " wrote " : ": ");
	else if (wrote)
		strbuf_adds(out, "you wrote ");
	if (wrote)
		strbuf_addf(out, "\"%s\": ", x->wrote);
}

void refusals_show_last(struct refusals *r, uint64_t resource, uid_t owner, struct strbuf *out)
{
	struct refusal *x;

	pthread_mutex_lock(&r->lock);
	x = last_of(r, resource);
	if (x) {
		const char *name = strrchr(x->path, '/');

		strbuf_addf(out, "%s: %s: ", ec2_code_name(x->code), name ? name + 1 : x->path);
		show_wrote(x, owner, out);
		strbuf_addf(out, "%s\n", x->message);
	}
	pthread_mutex_unlock(&r->lock);
}

void refusals_show(struct refusals *r, uid_t uid, struct strbuf *out)
{
	uint64_t kept;

	pthread_mutex_lock(&r->lock);
	kept = r->count < KEPT ? r->count : KEPT;
	for (uint64_t i = 1; i <= kept; i++) {
		struct refusal *x = &r->ring[(r->count - i) % KEPT];

		if (uid != 0 && uid != x->uid)
			continue;
		time_print(x->when, out);
		strbuf_addf(out, " %s: ", x->path);
		show_wrote(x, uid, out);
		strbuf_addf(out, "%s: %s (%s)\n", ec2_code_name(x->code), x->message,
			    strerrorname_np(x->number));
	}
	pthread_mutex_unlock(&r->lock);
}

uint64_t refusals_count(struct refusals *r)
{
	uint64_t n;

	pthread_mutex_lock(&r->lock);
	n = r->count;
	pthread_mutex_unlock(&r->lock);
	return n;
}
