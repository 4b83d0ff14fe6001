/*
 * Session tokens, version 2 of the service. Nothing is remembered of a token: it carries its expiry
 * and a message authentication code over that and the ID of the instance it was given to, so that
 * any number may exist, they outlive the daemon, and are of no use to another instance.
 */
#ifndef NETFW_IMDS_TOKEN_H
#define NETFW_IMDS_TOKEN_H

#include "ec2fs/util/error.h"

#include <stdbool.h>
#include <stdint.h>

#define IMDS_TOKEN_LENGTH 56
#define IMDS_TOKEN_TTL_MAX 21600 /* seconds */

struct imds_tokens;

/* The key is DIRECTORY/token-key. A struct imds_tokens is for one thread at a time. */
int imds_tokens_open(const char *directory, struct imds_tokens **ret, struct ec2fs_error *error);
/* Accepts NULL. */
void imds_tokens_close(struct imds_tokens *t);
/* now: seconds since the epoch; ttl: 1 to IMDS_TOKEN_TTL_MAX. */
int imds_token_make(struct imds_tokens *t, const char *instance_id, int64_t now, unsigned ttl,
		    char ret[IMDS_TOKEN_LENGTH + 1]);
/* Was it made here, for this instance, and is it not yet expired? */
bool imds_token_valid(struct imds_tokens *t, const char *instance_id, int64_t now,
		      const char *token);

#endif
