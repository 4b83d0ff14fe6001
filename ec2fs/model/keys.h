/*
 * Keys of key pairs: EC2's import and generation, over libcrypto. Pure functions: text in, text
 * out; nothing is kept. The rules are those of EC2's ImportKeyPair and CreateKeyPair.
 */
#ifndef EC2FS_MODEL_KEYS_H
#define EC2FS_MODEL_KEYS_H

#include "ec2fs/util/error.h"

#include <stdbool.h>
#include <stddef.h>

enum key_type { KEY_RSA, KEY_ED25519 };

/* "rsa" or "ed25519", as key-type shows it. */
const char *key_type_name(enum key_type type);
/* False when EC2 has no such type. */
bool key_type_parse(const char *name, enum key_type *ret);

/* All strings are owned; none ends in a newline but private_key. */
struct key_material {
	enum key_type type;
	char *public_key;  /* one OpenSSH line: "ssh-rsa AAAA… comment" */
	char *fingerprint; /* as EC2 computes it for this origin and type, see keys.c */
	char *private_key; /* PEM, unencrypted; NULL for an imported key */
};

/*
 * Reads somebody's public key: an OpenSSH line, RFC 4716 text, or an RSA SubjectPublicKeyInfo as
 * PEM or bare base64. EC2 takes RSA of 1024, 2048 and 4096 bits, and ed25519. Surrounding blanks
 * are ignored, the comment is kept. Anything else: InvalidKeyPair.Format, saying what would be
 * right.
 */
int keys_import(const char *text, size_t len, struct key_material *ret, struct ec2fs_error *error);

/*
 * Makes a new pair: RSA of 2048 bits (PKCS#1 PEM, some 0.1 s of computing) or ed25519 (OpenSSH's
 * PEM, which is what EC2 gives out for it). comment, usually the pair's name, ends the public line;
 * no newline in it. The randomness is libcrypto's.
 */
int keys_generate(enum key_type type, const char *comment, struct key_material *ret,
		  struct ec2fs_error *error);

/* Frees the strings and overwrites the secret; accepts a zeroed one and one freed before. */
void key_material_free(struct key_material *key);

#define cleanup_key_material __attribute__((cleanup(key_material_free)))

#endif
