/*
 * OpenSSH's key encodings: the wire format of public keys (RFC 4253 section 6.6, RFC 8709), its
 * base64 line, and the private key file "openssh-key-v1" (PROTOCOL.key in OpenSSH's sources).
 */
#ifndef EC2FS_MODEL_SSH_WIRE_H
#define EC2FS_MODEL_SSH_WIRE_H

#include "ec2fs/util/strbuf.h"

#include <openssl/bn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ED25519_BYTES 32 /* a public key, and the seed that is the private one */

/* Appends a length (32 bits, big endian) and the bytes. */
void ssh_wire_string(struct strbuf *out, const void *data, size_t len);
/* Appends a number >= 0 as an mpint. */
void ssh_wire_mpint(struct strbuf *out, const BIGNUM *n);

/* What is left to read of an encoding; nothing is copied. */
struct ssh_wire {
	const unsigned char *at;
	size_t left;
};

/* Takes a string off; false when the encoding is too short for it. */
bool ssh_wire_take(struct ssh_wire *wire, const unsigned char **ret_data, size_t *ret_len);

/* Appends the base64 of data; a newline after every `width` characters and at the end, or none when
 * width is 0. */
void ssh_base64(struct strbuf *out, const void *data, size_t len, size_t width);
/* Appends the bytes of base64 text, blanks and newlines in it skipped; false (out may hold some
 * bytes) when it is malformed or empty. */
bool ssh_unbase64(struct strbuf *out, const char *text, size_t len);

/* Appends the PEM file of an ed25519 private key. check is any random number: a reader compares two
 * copies of it to see that it decrypted well. */
void ssh_private_ed25519(struct strbuf *out, const unsigned char public_key[ED25519_BYTES],
			 const unsigned char seed[ED25519_BYTES], uint32_t check,
			 const char *comment);

#endif
