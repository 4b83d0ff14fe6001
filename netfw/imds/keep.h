/* Secrets that outlive the daemon: a file, made once, 0600, whoever of several comes first. */
#ifndef NETFW_IMDS_KEEP_H
#define NETFW_IMDS_KEEP_H

#include "ec2fs/util/error.h"
#include "ec2fs/util/strbuf.h"

#include <sys/types.h>

/* Appends what the file holds to out. When there is none, make's output becomes it: complete or not
 * at all, and the same for all who call this at once, threads and processes. */
int imds_keep(const char *directory, const char *name, int (*make)(struct strbuf *out),
	      struct strbuf *out, struct ec2fs_error *error);
/* Writes a file that is derived from a kept one, over what is there. */
int imds_publish(const char *directory, const char *name, mode_t mode, const struct strbuf *content,
		 struct ec2fs_error *error);

#endif
