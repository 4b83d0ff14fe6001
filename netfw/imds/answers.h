/* Answers as libmicrohttpd takes them: refusals, and contents. For one thread at a time. */
#ifndef NETFW_IMDS_ANSWERS_H
#define NETFW_IMDS_ANSWERS_H

#include "ec2fs/util/strbuf.h"

#include <microhttpd.h>

struct imds_answers;

/* NULL when there is no memory. */
struct imds_answers *imds_answers_new(void);
/* Accepts NULL. */
void imds_answers_free(struct imds_answers *a);

/* Queues a small page that says no. */
enum MHD_Result imds_refuse(struct imds_answers *a, struct MHD_Connection *http, unsigned status);
/* Queues the text, as it is now; header: one more, or NULL. */
enum MHD_Result imds_tell(struct MHD_Connection *http, const struct strbuf *text, const char *type,
			  const char *header, const char *value);
/* The same for plain text that was read from that path: when the one before it was the same, as it
 * mostly is, it is used again. */
enum MHD_Result imds_tell_path(struct imds_answers *a, struct MHD_Connection *http,
			       const char *path, const struct strbuf *text);

#endif
