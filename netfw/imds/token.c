#include "netfw/imds/token.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "netfw/imds/keep.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <string.h>

#define KEY_SIZE 32
#define MAC_SIZE 32
#define VERSION 1

/* As it is before base64 makes 56 characters of it. */
struct token {
	uint8_t version;
	uint8_t nonce[4];  /* so that no two tokens are equal */
	uint8_t expiry[5]; /* seconds since the epoch, high byte first */
	uint8_t mac[MAC_SIZE];
};
_Static_assert(sizeof(struct token) == IMDS_TOKEN_LENGTH / 4 * 3, "tokens need no padding");

/* Tokens that have been authenticated: the same one comes with each request of a crawl. */
#define KNOWN 64

struct imds_tokens {
	EVP_MAC_CTX *mac; /* has the key */
	struct known {
		char text[IMDS_TOKEN_LENGTH]; /* empty: none */
		char instance_id[24];
		int64_t expiry;
	} known[KNOWN];
};

static int make_key(struct strbuf *out)
{
	uint8_t key[KEY_SIZE];

	if (RAND_bytes(key, sizeof(key)) != 1)
		return -EIO;
	strbuf_add(out, key, sizeof(key));
	OPENSSL_cleanse(key, sizeof(key));
	return 0;
}

int imds_tokens_open(const char *directory, struct imds_tokens **ret, struct ec2fs_error *error)
{
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA256"}, 0),
		OSSL_PARAM_construct_end(),
	};
	cleanup_strbuf struct strbuf key = STRBUF_INIT;
	struct imds_tokens *t;
	EVP_MAC *hmac;
	int r = imds_keep(directory, "token-key", make_key, &key, error);

	if (r < 0)
		return r;
	if (key.len != KEY_SIZE)
		return ec2fs_fail(error, EC2_InternalError,
				  "%s/token-key has not %d bytes; remove it, and a new one is made",
				  directory, KEY_SIZE);
	t = xnew(struct imds_tokens);
	hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	t->mac = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
	EVP_MAC_free(hmac);
	r = t->mac ? EVP_MAC_init(t->mac, (const uint8_t *)key.data, key.len, parameters) : 0;
	OPENSSL_cleanse(key.data, key.len);
	if (r != 1) {
		imds_tokens_close(t);
		return ec2fs_fail(error, EC2_InternalError, "OpenSSL has no HMAC with SHA-256");
	}
	*ret = t;
	return 0;
}

void imds_tokens_close(struct imds_tokens *t)
{
	if (!t)
		return;
	EVP_MAC_CTX_free(t->mac);
	free(t);
}

static bool authenticate(struct imds_tokens *t, const struct token *token, const char *instance_id,
			 uint8_t mac[MAC_SIZE])
{
	size_t len;

	/* All before the instance's ID has a fixed length, so that no two messages look alike. */
	return EVP_MAC_init(t->mac, NULL, 0, NULL) == 1 &&
	       EVP_MAC_update(t->mac, (const uint8_t *)token, offsetof(struct token, mac)) == 1 &&
	       EVP_MAC_update(t->mac, (const uint8_t *)instance_id, strlen(instance_id)) == 1 &&
	       EVP_MAC_final(t->mac, mac, &len, MAC_SIZE) == 1 && len == MAC_SIZE;
}

int imds_token_make(struct imds_tokens *t, const char *instance_id, int64_t now, unsigned ttl,
		    char ret[IMDS_TOKEN_LENGTH + 1])
{
	uint64_t expiry = (uint64_t)now + ttl;
	struct token token = {.version = VERSION};

	for (size_t i = 0; i < sizeof(token.expiry); i++)
		token.expiry[i] = (uint8_t)(expiry >> (8 * (sizeof(token.expiry) - 1 - i)));
	if (RAND_bytes(token.nonce, sizeof(token.nonce)) != 1 ||
	    !authenticate(t, &token, instance_id, token.mac))
		return -EIO;
	EVP_EncodeBlock((uint8_t *)ret, (const uint8_t *)&token, sizeof(token));
	/* Safe in URLs and file names, as EC2's. */
	for (char *c = ret; *c; c++)
		*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
	return 0;
}

static int digit(char c)
{
	return c >= 'A' && c <= 'Z'   ? c - 'A'
	       : c >= 'a' && c <= 'z' ? c - 'a' + 26
	       : c >= '0' && c <= '9' ? c - '0' + 52
	       : c == '-'             ? 62
	       : c == '_'             ? 63
				      : -1;
}

static bool decode(const char *text, struct token *ret)
{
	uint8_t *out = (uint8_t *)ret;

	for (size_t i = 0; i < IMDS_TOKEN_LENGTH; i += 4, out += 3) {
		int bits = 0;

		for (size_t j = 0; j < 4; j++) {
			int d = digit(text[i + j]); /* -1 at the end, so never past it */

			if (d < 0)
				return false;
			bits = bits << 6 | d;
		}
		out[0] = (uint8_t)(bits >> 16);
		out[1] = (uint8_t)(bits >> 8);
		out[2] = (uint8_t)bits;
	}
	return text[IMDS_TOKEN_LENGTH] == '\0';
}

/* The token's expiry when it is one of that instance, else 0. */
static int64_t check(struct imds_tokens *t, const char *instance_id, const char *text)
{
	uint8_t mac[MAC_SIZE];
	struct token token;
	int64_t expiry = 0;

	if (!decode(text, &token) || token.version != VERSION ||
	    !authenticate(t, &token, instance_id, mac) ||
	    CRYPTO_memcmp(mac, token.mac, MAC_SIZE) != 0)
		return 0;
	for (size_t i = 0; i < sizeof(token.expiry); i++)
		expiry = expiry << 8 | token.expiry[i];
	return expiry;
}

/* Compares two tokens in a time that tells nothing; by words, for CRYPTO_memcmp goes by bytes. */
static bool is_same(const char *a, const char *b)
{
	uint64_t difference = 0;

	_Static_assert(IMDS_TOKEN_LENGTH % sizeof(difference) == 0, "whole words");
	for (size_t i = 0; i < IMDS_TOKEN_LENGTH; i += sizeof(difference)) {
		uint64_t x, y;

		memcpy(&x, a + i, sizeof(x));
		memcpy(&y, b + i, sizeof(y));
		difference |= x ^ y;
	}
	return difference == 0;
}

bool imds_token_valid(struct imds_tokens *t, const char *instance_id, int64_t now, const char *text)
{
	struct known *k;
	int64_t expiry;

	if (strnlen(text, IMDS_TOKEN_LENGTH + 1) != IMDS_TOKEN_LENGTH)
		return false;
	k = &t->known[(uint8_t)text[2] % KNOWN]; /* of the nonce */
	if (is_same(k->text, text) && strcmp(k->instance_id, instance_id) == 0) {
		expiry = k->expiry;
	} else {
		expiry = check(t, instance_id, text);
		if (expiry && strlen(instance_id) < sizeof(k->instance_id)) {
			memcpy(k->text, text, IMDS_TOKEN_LENGTH);
			memcpy(k->instance_id, instance_id, strlen(instance_id) + 1);
			k->expiry = expiry;
		}
	}
	/* Far ahead: the clock was put back since. */
	return expiry > now && expiry <= now + IMDS_TOKEN_TTL_MAX;
}
