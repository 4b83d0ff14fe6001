#include "ec2fs/model/ssh_wire.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

static void wire_u32(struct strbuf *out, uint32_t n)
{
	const unsigned char bytes[4] = {n >> 24, n >> 16, n >> 8, n};

	strbuf_add(out, bytes, sizeof(bytes));
}

void ssh_wire_string(struct strbuf *out, const void *data, size_t len)
{
	wire_u32(out, len);
	strbuf_add(out, data, len);
}

void ssh_wire_mpint(struct strbuf *out, const BIGNUM *n)
{
	size_t len = BN_num_bytes(n);
	cleanup_free unsigned char *bytes = xcalloc(1, len + 1);
	/* The highest bit is the sign: a number that sets it needs a zero byte before. */
	size_t sign = len && BN_is_bit_set(n, 8 * len - 1);

	BN_bn2bin(n, bytes + sign);
	ssh_wire_string(out, bytes, len + sign);
}

bool ssh_wire_take(struct ssh_wire *wire, const unsigned char **ret_data, size_t *ret_len)
{
	size_t len;

	if (wire->left < 4)
		return false;
	len = (size_t)wire->at[0] << 24 | (size_t)wire->at[1] << 16 | (size_t)wire->at[2] << 8 |
	      wire->at[3];
	if (wire->left - 4 < len)
		return false;
	*ret_data = wire->at + 4;
	*ret_len = len;
	wire->at += 4 + len;
	wire->left -= 4 + len;
	return true;
}

void ssh_base64(struct strbuf *out, const void *data, size_t len, size_t width)
{
	size_t room = 4 * ((len + 2) / 3) + 1;
	cleanup_free char *text = xcalloc(1, room);
	size_t text_len = EVP_EncodeBlock((unsigned char *)text, data, (int)len);

	for (size_t at = 0; at < text_len;) {
		size_t piece = width && text_len - at > width ? width : text_len - at;

		strbuf_add(out, text + at, piece);
		if (width)
			strbuf_addc(out, '\n');
		at += piece;
	}
	OPENSSL_cleanse(text, room); /* it may be a private key */
}

bool ssh_unbase64(struct strbuf *out, const char *text, size_t len)
{
	cleanup_free char *packed = xcalloc(1, len + 1);
	cleanup_free unsigned char *bytes = xcalloc(1, len + 1);
	size_t n = 0, padding;
	int decoded;

	for (size_t i = 0; i < len; i++)
		if (!strchr(" \t\r\n", text[i]))
			packed[n++] = text[i];
		else if (!text[i])
			return false;
	/* EVP_DecodeBlock takes '=' for a zero anywhere and counts it as data. */
	padding = n - strcspn(packed, "=");
	if (!n || n % 4 || padding > 2 || strspn(packed + n - padding, "=") != padding)
		return false;
	decoded = EVP_DecodeBlock(bytes, (unsigned char *)packed, (int)n);
	if (decoded < 0)
		return false;
	strbuf_add(out, bytes, (size_t)decoded - padding);
	return true;
}

void ssh_private_ed25519(struct strbuf *out, const unsigned char public_key[ED25519_BYTES],
			 const unsigned char seed[ED25519_BYTES], uint32_t check,
			 const char *comment)
{
	static const char magic[] = "openssh-key-v1"; /* with its NUL */
	static const char type[] = "ssh-ed25519";
	cleanup_strbuf struct strbuf file = STRBUF_INIT, public = STRBUF_INIT, secret = STRBUF_INIT;
	unsigned char pair[2 * ED25519_BYTES];

	ssh_wire_string(&public, type, strlen(type));
	ssh_wire_string(&public, public_key, ED25519_BYTES);

	memcpy(pair, seed, ED25519_BYTES);
	memcpy(pair + ED25519_BYTES, public_key, ED25519_BYTES);
	wire_u32(&secret, check);
	wire_u32(&secret, check);
	strbuf_add(&secret, public.data, public.len);
	ssh_wire_string(&secret, pair, sizeof(pair));
	ssh_wire_string(&secret, comment, strlen(comment));
	/* To a multiple of the block size, which is 8 for the cipher "none", with 1, 2, 3 … */
	for (char byte = 1; secret.len % 8; byte++)
		strbuf_addc(&secret, byte);

	strbuf_add(&file, magic, sizeof(magic));
	ssh_wire_string(&file, "none", 4); /* cipher */
	ssh_wire_string(&file, "none", 4); /* key derivation */
	ssh_wire_string(&file, "", 0);     /* and its options */
	wire_u32(&file, 1);                /* keys in this file */
	ssh_wire_string(&file, public.data, public.len);
	ssh_wire_string(&file, secret.data, secret.len);

	strbuf_adds(out, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
	ssh_base64(out, file.data, file.len, 70);
	strbuf_adds(out, "-----END OPENSSH PRIVATE KEY-----\n");
	OPENSSL_cleanse(pair, sizeof(pair));
	OPENSSL_cleanse(secret.data, secret.len);
	OPENSSL_cleanse(file.data, file.len);
}
