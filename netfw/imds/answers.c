#include "netfw/imds/answers.h"

#include "ec2fs/util/memory.h"
#include "ec2fs/util/table.h"

#include <stdlib.h>
#include <string.h>

#define KEPT 64
#define KEPT_SIZE 1024 /* longer ones are made anew */
#define KEY_SIZE 12    /* so much of the end of a path tells it from most others */

static const struct {
	unsigned status;
	const char *phrase;
} statuses[] = {
	{MHD_HTTP_BAD_REQUEST, "Bad Request"},
	{MHD_HTTP_UNAUTHORIZED, "Unauthorized"},
	{MHD_HTTP_FORBIDDEN, "Forbidden"},
	{MHD_HTTP_NOT_FOUND, "Not Found"},
	{MHD_HTTP_METHOD_NOT_ALLOWED, "Method Not Allowed"},
	{MHD_HTTP_INTERNAL_SERVER_ERROR, "Internal Server Error"},
	{MHD_HTTP_SERVICE_UNAVAILABLE, "Service Unavailable"},
};
#define STATUSES (sizeof(statuses) / sizeof(statuses[0]))

struct imds_answers {
	struct MHD_Response *refusals[STATUSES];
	struct kept {
		struct MHD_Response *response; /* NULL: none */
		const char *body;              /* the response's */
		size_t len;
	} kept[KEPT]; /* by the hash of the path's end */
};

/* *ret_body: the response's own copy of the text. */
static struct MHD_Response *make(const struct strbuf *text, const char *type, const char **ret_body)
{
	char *body = memcpy(xcalloc(1, text->len + 1), strbuf_str(text), text->len);
	struct MHD_Response *response =
		MHD_create_response_from_buffer(text->len, body, MHD_RESPMEM_MUST_FREE);

	if (!response) {
		free(body);
		return NULL;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_SERVER, "EC2ws");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (ret_body)
		*ret_body = body;
	return response;
}

static struct MHD_Response *make_refusal(unsigned status, const char *phrase)
{
	struct strbuf text = STRBUF_INIT;
	struct MHD_Response *response;

	strbuf_addf(&text,
		    "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n"
		    "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\"\n"
		    "\t\"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n"
		    "<html xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\" lang=\"en\">\n"
		    " <head>\n  <title>%u - %s</title>\n </head>\n"
		    " <body>\n  <h1>%u - %s</h1>\n </body>\n</html>\n",
		    status, phrase, status, phrase);
	response = make(&text, "text/html", NULL);
	if (response && status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD, PUT");
	strbuf_free(&text);
	return response;
}

struct imds_answers *imds_answers_new(void)
{
	struct imds_answers *a = xnew(struct imds_answers);

	for (size_t i = 0; i < STATUSES; i++) {
		a->refusals[i] = make_refusal(statuses[i].status, statuses[i].phrase);
		if (!a->refusals[i]) {
			imds_answers_free(a);
			return NULL;
		}
	}
	return a;
}

void imds_answers_free(struct imds_answers *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < STATUSES; i++) {
		if (a->refusals[i])
			MHD_destroy_response(a->refusals[i]);
	}
	for (size_t i = 0; i < KEPT; i++) {
		if (a->kept[i].response)
			MHD_destroy_response(a->kept[i].response);
	}
	free(a);
}

enum MHD_Result imds_refuse(struct imds_answers *a, struct MHD_Connection *http, unsigned status)
{
	for (size_t i = 0; i < STATUSES; i++) {
		if (statuses[i].status == status)
			return MHD_queue_response(http, status, a->refusals[i]);
	}
	return MHD_NO;
}

enum MHD_Result imds_tell(struct MHD_Connection *http, const struct strbuf *text, const char *type,
			  const char *header, const char *value)
{
	struct MHD_Response *response = make(text, type, NULL);
	enum MHD_Result r;

	if (!response)
		return MHD_NO;
	if (header)
		MHD_add_response_header(response, header, value);
	r = MHD_queue_response(http, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return r;
}

enum MHD_Result imds_tell_path(struct imds_answers *a, struct MHD_Connection *http,
			       const char *path, const struct strbuf *text)
{
	size_t len = strlen(path), tail = len < KEY_SIZE ? len : KEY_SIZE;
	struct kept *k = &a->kept[hash_bytes(path + len - tail, tail, 0) % KEPT];

	if (text->len > KEPT_SIZE)
		return imds_tell(http, text, "text/plain", NULL, NULL);
	if (!k->response || k->len != text->len ||
	    memcmp(k->body, strbuf_str(text), text->len) != 0) {
		if (k->response)
			MHD_destroy_response(k->response);
		k->response = make(text, "text/plain", &k->body);
		k->len = text->len;
	}
	return k->response ? MHD_queue_response(http, MHD_HTTP_OK, k->response) : MHD_NO;
}
