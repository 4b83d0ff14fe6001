/* What keys.c and key_import.c share. */
#ifndef EC2FS_MODEL_KEYS_INTERNAL_H
#define EC2FS_MODEL_KEYS_INTERNAL_H

#include "ec2fs/model/keys.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#define DEFINE_CLEANUP(name, type, function)                                                       \
	static inline void cleanup_##name##p(type **p)                                             \
	{                                                                                          \
		function(*p);                                                                      \
	}
DEFINE_CLEANUP(pkey, EVP_PKEY, EVP_PKEY_free)
DEFINE_CLEANUP(pkey_ctx, EVP_PKEY_CTX, EVP_PKEY_CTX_free)
DEFINE_CLEANUP(bn, BIGNUM, BN_free)
DEFINE_CLEANUP(bio, BIO, BIO_free_all)
DEFINE_CLEANUP(pkcs8, PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free)
DEFINE_CLEANUP(param_bld, OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)
DEFINE_CLEANUP(param, OSSL_PARAM, OSSL_PARAM_free)
#define cleanup_openssl(name) __attribute__((cleanup(cleanup_##name##p)))

/* libcrypto keeps its complaints in a queue per thread, which nobody else would empty. */
int crypto_failed(struct ec2fs_error *error, const char *what);
/* Fills ret from a checked key. created: it was made here, which EC2's fingerprint tells. */
int key_describe(EVP_PKEY *pkey, enum key_type type, bool created, const char *comment,
		 struct key_material *ret, struct ec2fs_error *error);

#endif
