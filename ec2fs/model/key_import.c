/* Reads somebody's public key: OpenSSH's line, RFC 4716, PEM or bare base64. */
#include "ec2fs/model/keys_internal.h"

#include "ec2fs/model/ssh_wire.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <string.h>

#define WANTED                                                                                         \
	"wanted is one OpenSSH public key line, \"ssh-ed25519 AAAA… comment\" or \"ssh-rsa AAAA… " \
	"comment\" of 1024, 2048 or 4096 bits, as in ~/.ssh/id_ed25519.pub"

static EVP_PKEY *rsa_from_numbers(const BIGNUM *e, const BIGNUM *n)
{
	cleanup_openssl(param_bld) OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	cleanup_openssl(pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	cleanup_openssl(param) OSSL_PARAM *params = NULL;
	EVP_PKEY *pkey = NULL;

	if (!build || !ctx || !OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) ||
	    !OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n))
		return NULL;
	params = OSSL_PARAM_BLD_to_param(build);
	if (!params || EVP_PKEY_fromdata_init(ctx) <= 0 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		return NULL;
	return pkey;
}

static int check_rsa(EVP_PKEY *pkey, struct ec2fs_error *error)
{
	cleanup_openssl(bn) BIGNUM *e = NULL;
	cleanup_openssl(bn) BIGNUM *n = NULL;
	int bits = EVP_PKEY_get_bits(pkey);

	if (bits != 1024 && bits != 2048 && bits != 4096)
		return ec2fs_fail(error, EC2_InvalidKeyPair_Format,
				  "this RSA key has %d bits; EC2 takes 1024, 2048 or 4096 "
				  "(ssh-keygen -t rsa -b 4096 makes one)",
				  bits);
	if (!EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) ||
	    !EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n))
		return crypto_failed(error, "cannot read the RSA key");
	/* No private key can belong to such numbers: somebody cut or mistyped them. */
	if (!BN_is_odd(e) || BN_is_one(e) || !BN_is_odd(n))
		return ec2fs_fail(error, EC2_InvalidKeyPair_Format,
				  "the numbers in this RSA key make no RSA key; " WANTED);
	return 0;
}

/* A public key in OpenSSH's wire encoding. */
static int import_blob(const struct strbuf *blob, const char *comment, struct key_material *ret,
		       struct ec2fs_error *error)
{
	struct ssh_wire wire = {(const unsigned char *)blob->data, blob->len};
	cleanup_openssl(pkey) EVP_PKEY *pkey = NULL;
	cleanup_openssl(bn) BIGNUM *e = NULL;
	cleanup_openssl(bn) BIGNUM *n = NULL;
	const unsigned char *name, *first, *second;
	size_t name_len, first_len, second_len;
	int r;

	if (!ssh_wire_take(&wire, &name, &name_len) || !ssh_wire_take(&wire, &first, &first_len))
		return ec2fs_fail(error, EC2_InvalidKeyPair_Format,
				  "the key ends too early, it was cut; " WANTED);
	if (name_len == 11 && !memcmp(name, "ssh-ed25519", 11)) {
		if (first_len != ED25519_BYTES || wire.left)
			return ec2fs_fail(error, EC2_InvalidKeyPair_Format,
					  "an ed25519 key has 32 bytes, this one has not; " WANTED);
		pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, first, first_len);
		if (!pkey)
			return crypto_failed(error, "cannot read the ed25519 key");
		return key_describe(pkey, KEY_ED25519, false, comment, ret, error);
	}
	if (name_len != 7 || memcmp(name, "ssh-rsa", 7))
		return ec2fs_fail(error, EC2_InvalidKeyPair_Format,
				  "a key of type \"%.*s\" is not taken by EC2; " WANTED,
				  name_len > 60 ? 60 : (int)name_len, name);
	/* A set sign bit would be a negative number. */
	if (!ssh_wire_take(&wire, &second, &second_len) || wire.left || !first_len || !second_len ||
	    (first[0] & 0x80) || (second[0] & 0x80))
		return ec2fs_fail(error, EC2_InvalidKeyPair_Format,
				  "the numbers in this RSA key are malformed, it was cut or "
				  "changed; " WANTED);
	e = BN_bin2bn(first, (int)first_len, NULL);
	n = BN_bin2bn(second, (int)second_len, NULL);
	pkey = e && n ? rsa_from_numbers(e, n) : NULL;
	if (!pkey)
		return crypto_failed(error, "cannot read the RSA key");
	r = check_rsa(pkey, error);
	return r ? r : key_describe(pkey, KEY_RSA, false, comment, ret, error);
}

/* An RSA public key in DER: SubjectPublicKeyInfo, or PKCS#1 when pkcs1. */
static int import_der(const struct strbuf *der, bool pkcs1, struct key_material *ret,
		      struct ec2fs_error *error)
{
	const unsigned char *at = (const unsigned char *)der->data;
	cleanup_openssl(pkey) EVP_PKEY *pkey =
		pkcs1 ? d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)der->len)
		      : d2i_PUBKEY(NULL, &at, (long)der->len);
	int r;

	ERR_clear_error();
	if (!pkey || at != (const unsigned char *)der->data + der->len)
		return ec2fs_fail(error, EC2_InvalidKeyPair_Format,
				  "this is base64, but no public key in DER is in it; " WANTED);
	if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA)
		return ec2fs_fail(error, EC2_InvalidKeyPair_Format,
				  "in DER and PEM EC2 takes RSA keys only, this one is %s; " WANTED,
				  EVP_PKEY_get0_type_name(pkey) ? EVP_PKEY_get0_type_name(pkey)
								: "of another type");
	r = check_rsa(pkey, error);
	return r ? r : key_describe(pkey, KEY_RSA, false, "", ret, error);
}

/* The lines between a BEGIN and an END line; RFC 4716's header lines ("Comment: …") are left out.
 */
static bool armoured_body(const char *text, const char *end, struct strbuf *out)
{
	const char *line = strchr(text, '\n');
	bool continued = false;

	while (line) {
		size_t len = strcspn(++line, "\n");
		size_t shown = len && line[len - 1] == '\r' ? len - 1 : len;

		if (!strncmp(line, end, strlen(end)))
			return line[strcspn(line, "\n")] == '\0';
		if (continued || memchr(line, ':', shown))
			continued = shown && line[shown - 1] == '\\';
		else
			strbuf_add(out, line, shown);
		line = line[len] ? line + len : NULL;
	}
	return false;
}

static int import_armoured(const char *text, struct key_material *ret, struct ec2fs_error *error)
{
	static const struct {
		const char *begin, *end;
		enum { SSH2, SPKI, PKCS1 } form;
	} forms[] = {
		{"---- BEGIN SSH2 PUBLIC KEY ----", "---- END SSH2 PUBLIC KEY ----", SSH2},
		{"-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----", SPKI},
		{"-----BEGIN RSA PUBLIC KEY-----", "-----END RSA PUBLIC KEY-----", PKCS1},
	};
	cleanup_strbuf struct strbuf body = STRBUF_INIT, data = STRBUF_INIT;

	if (memmem(text, strcspn(text, "\n"), "PRIVATE KEY", 11))
		return ec2fs_fail(
			error, EC2_InvalidKeyPair_Format,
			"this is a private key, which belongs to nobody but you; write the "
			"public one (ssh-keygen -y -f FILE prints it)");
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (strncmp(text, forms[i].begin, strlen(forms[i].begin)) != 0)
			continue;
		if (!armoured_body(text, forms[i].end, &body))
			return ec2fs_fail(error, EC2_InvalidKeyPair_Format,
					  "the text has to end with the line \"%s\"; " WANTED,
					  forms[i].end);
		if (!ssh_unbase64(&data, strbuf_str(&body), body.len))
			return ec2fs_fail(
				error, EC2_InvalidKeyPair_Format,
				"what stands between \"%s\" and its end is not base64; " WANTED,
				forms[i].begin);
		return forms[i].form == SSH2
			       ? import_blob(&data, "", ret, error)
			       : import_der(&data, forms[i].form == PKCS1, ret, error);
	}
	return ec2fs_fail(error, EC2_InvalidKeyPair_Format,
			  "\"%.*s\" begins no public key that EC2 takes; " WANTED,
			  (int)strcspn(text, "\r\n") > 60 ? 60 : (int)strcspn(text, "\r\n"), text);
}

/* "TYPE BASE64 COMMENT", already known to be one line. */
static int import_line(const char *line, struct key_material *ret, struct ec2fs_error *error)
{
	size_t type_len = strcspn(line, " \t");
	const char *base64 = line + type_len + strspn(line + type_len, " \t");
	size_t base64_len = strcspn(base64, " \t");
	const char *comment = base64 + base64_len + strspn(base64 + base64_len, " \t");
	cleanup_strbuf struct strbuf blob = STRBUF_INIT;
	struct ssh_wire wire;
	const unsigned char *name;
	size_t name_len;

	if (!ssh_unbase64(&blob, base64, base64_len))
		return ec2fs_fail(error, EC2_InvalidKeyPair_Format,
				  "\"%.*s\" is not followed by base64; " WANTED,
				  type_len > 60 ? 60 : (int)type_len, line);
	wire = (struct ssh_wire){(const unsigned char *)blob.data, blob.len};
	if (ssh_wire_take(&wire, &name, &name_len) &&
	    (name_len != type_len || memcmp(name, line, name_len) != 0))
		return ec2fs_fail(error, EC2_InvalidKeyPair_Format,
				  "the line says \"%.*s\", the key in it says \"%.*s\"; " WANTED,
				  type_len > 60 ? 60 : (int)type_len, line,
				  name_len > 60 ? 60 : (int)name_len, name);
	return import_blob(&blob, comment, ret, error);
}

int keys_import(const char *text, size_t len, struct key_material *ret, struct ec2fs_error *error)
{
	cleanup_free char *trimmed = NULL;
	cleanup_strbuf struct strbuf der = STRBUF_INIT;

	while (len && strchr(" \t\r\n", text[len - 1]) && text[len - 1])
		len--;
	while (len && strchr(" \t\r\n", *text) && *text)
		text++, len--;
	if (!len)
		return ec2fs_fail(error, EC2_InvalidKeyPair_Format, "the key is empty; " WANTED);
	if (memchr(text, '\0', len))
		return ec2fs_fail(error, EC2_InvalidKeyPair_Format,
				  "the key is not text: there is a NUL byte in it; " WANTED);
	trimmed = xasprintf("%.*s", (int)len, text);
	if (!strncmp(trimmed, "----", 4))
		return import_armoured(trimmed, ret, error);
	if (ssh_unbase64(&der, trimmed, len))
		return import_der(&der, false, ret, error);
	if (strchr(trimmed, '\n'))
		return ec2fs_fail(error, EC2_InvalidKeyPair_Format,
				  "a key pair holds one key, this is more than one line; " WANTED);
	if (!strpbrk(trimmed, " \t"))
		return ec2fs_fail(error, EC2_InvalidKeyPair_Format,
				  "this is neither an OpenSSH public key nor base64; " WANTED);
	return import_line(trimmed, ret, error);
}
