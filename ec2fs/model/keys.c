/*
 * EC2's fingerprints, by origin and type (Amazon EC2 User Guide, "Verify the fingerprint of your
 * key pair"):
 *
 * - RSA, created: SHA-1 of the private key as PKCS#8 DER, in hexadecimal with colons
 * - RSA, imported: MD5 of the public key as SubjectPublicKeyInfo DER, in hexadecimal with colons
 * - ed25519: SHA-256 of the public key as OpenSSH encodes it, in base64
 *
 * The last one is written with its '=' and without "SHA256:", unlike ssh-keygen -l does: that is
 * what EC2's API answers, and what programs that compare fingerprints therefore strip or pad for.
 */
#include "ec2fs/model/keys_internal.h"

#include "ec2fs/model/ssh_wire.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <string.h>

const char *key_type_name(enum key_type type)
{
	return type == KEY_RSA ? "rsa" : "ed25519";
}

bool key_type_parse(const char *name, enum key_type *ret)
{
	for (enum key_type type = KEY_RSA; type <= KEY_ED25519; type++) {
		if (!strcmp(name, key_type_name(type))) {
			*ret = type;
			return true;
		}
	}
	return false;
}

int crypto_failed(struct ec2fs_error *error, const char *what)
{
	char reason[256] = "";

	ERR_error_string_n(ERR_peek_last_error(), reason, sizeof(reason));
	ERR_clear_error();
	return ec2fs_fail(error, EC2_InternalError, "%s: libcrypto: %s", what, reason);
}

static char *digest_hex(const EVP_MD *md, const unsigned char *der, int len)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	cleanup_strbuf struct strbuf hex = STRBUF_INIT;
	unsigned digest_len = 0;

	if (len <= 0 || !EVP_Digest(der, len, digest, &digest_len, md, NULL))
		return NULL;
	for (unsigned i = 0; i < digest_len; i++)
		strbuf_addf(&hex, i ? ":%02x" : "%02x", digest[i]);
	return strbuf_steal(&hex);
}

static char *fingerprint_rsa_imported(EVP_PKEY *pkey)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(pkey, &der);
	char *hex = digest_hex(EVP_md5(), der, len);

	OPENSSL_free(der);
	return hex;
}

static char *fingerprint_rsa_created(EVP_PKEY *pkey)
{
	cleanup_openssl(pkcs8) PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
	unsigned char *der = NULL;
	int len = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : 0;
	char *hex = digest_hex(EVP_sha1(), der, len);

	OPENSSL_clear_free(der, len > 0 ? len : 0);
	return hex;
}

static char *fingerprint_ed25519(const struct strbuf *blob)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	unsigned len = 0;

	if (!EVP_Digest(blob->data, blob->len, digest, &len, EVP_sha256(), NULL))
		return NULL;
	ssh_base64(&text, digest, len, 0);
	return strbuf_steal(&text);
}

/* The wire encoding of an RSA or ed25519 public key; false when libcrypto cannot tell its parts. */
static bool public_blob(EVP_PKEY *pkey, enum key_type type, struct strbuf *out)
{
	unsigned char raw[ED25519_BYTES];
	size_t raw_len = sizeof(raw);
	cleanup_openssl(bn) BIGNUM *e = NULL;
	cleanup_openssl(bn) BIGNUM *n = NULL;

	if (type == KEY_ED25519) {
		if (!EVP_PKEY_get_raw_public_key(pkey, raw, &raw_len))
			return false;
		ssh_wire_string(out, "ssh-ed25519", 11);
		ssh_wire_string(out, raw, raw_len);
		return true;
	}
	if (!EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) ||
	    !EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n))
		return false;
	ssh_wire_string(out, "ssh-rsa", 7);
	ssh_wire_mpint(out, e);
	ssh_wire_mpint(out, n);
	return true;
}

int key_describe(EVP_PKEY *pkey, enum key_type type, bool created, const char *comment,
		 struct key_material *ret, struct ec2fs_error *error)
{
	cleanup_key_material struct key_material key = {.type = type};
	cleanup_strbuf struct strbuf blob = STRBUF_INIT, line = STRBUF_INIT;

	if (!public_blob(pkey, type, &blob))
		return crypto_failed(error, "cannot encode the public key");
	strbuf_adds(&line, type == KEY_RSA ? "ssh-rsa " : "ssh-ed25519 ");
	ssh_base64(&line, blob.data, blob.len, 0);
	if (*comment)
		strbuf_addf(&line, " %s", comment);
	key.public_key = strbuf_steal(&line);

	if (type == KEY_ED25519)
		key.fingerprint = fingerprint_ed25519(&blob);
	else
		key.fingerprint =
			created ? fingerprint_rsa_created(pkey) : fingerprint_rsa_imported(pkey);
	if (!key.fingerprint)
		return crypto_failed(error, "cannot compute the fingerprint");
	*ret = key;
	memset(&key, 0, sizeof(key));
	return 0;
}

static char *private_pem(EVP_PKEY *pkey, enum key_type type, const char *comment)
{
	unsigned char public_key[ED25519_BYTES], seed[ED25519_BYTES];
	size_t public_len = sizeof(public_key), seed_len = sizeof(seed);
	cleanup_strbuf struct strbuf pem = STRBUF_INIT;
	cleanup_openssl(bio) BIO *bio = NULL;
	uint32_t check;
	char *data;
	long len;

	if (type == KEY_RSA) {
		bio = BIO_new(BIO_s_secmem());
		if (!bio ||
		    !PEM_write_bio_PrivateKey_traditional(bio, pkey, NULL, NULL, 0, NULL, NULL))
			return NULL;
		len = BIO_get_mem_data(bio, &data);
		strbuf_add(&pem, data, (size_t)len);
		return strbuf_steal(&pem);
	}
	if (!EVP_PKEY_get_raw_public_key(pkey, public_key, &public_len) ||
	    !EVP_PKEY_get_raw_private_key(pkey, seed, &seed_len) ||
	    RAND_bytes((unsigned char *)&check, sizeof(check)) != 1)
		return NULL;
	ssh_private_ed25519(&pem, public_key, seed, check, comment);
	OPENSSL_cleanse(seed, sizeof(seed));
	return strbuf_steal(&pem);
}

int keys_generate(enum key_type type, const char *comment, struct key_material *ret,
		  struct ec2fs_error *error)
{
	cleanup_key_material struct key_material key = {0};
	cleanup_openssl(pkey) EVP_PKEY *pkey =
		type == KEY_RSA ? EVP_RSA_gen(2048) : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	int r;

	if (!pkey)
		return crypto_failed(error, "cannot generate a key");
	r = key_describe(pkey, type, true, comment, &key, error);
	if (r)
		return r;
	key.private_key = private_pem(pkey, type, comment);
	if (!key.private_key)
		return crypto_failed(error, "cannot encode the private key");
	*ret = key;
	memset(&key, 0, sizeof(key));
	return 0;
}

void key_material_free(struct key_material *key)
{
	if (key->private_key)
		OPENSSL_cleanse(key->private_key, strlen(key->private_key));
	free(key->private_key);
	free(key->public_key);
	free(key->fingerprint);
	memset(key, 0, sizeof(*key));
}
