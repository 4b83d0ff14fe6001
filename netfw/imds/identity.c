#include "netfw/imds/identity.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "ec2fs/util/table.h"
#include "netfw/imds/keep.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

#define LINE 64
#define DAYS 36500
#define REMEMBERED 64 /* documents; a VPC's instances ask when they boot, rarely later */

struct signed_document {
	char *document;
	char *signatures[IMDS_SIGNATURE_COUNT]; /* NULL: not asked for yet */
};

struct imds_identity {
	EVP_PKEY *key;
	X509 *certificate;
	struct signed_document remembered[REMEMBERED]; /* by the document's hash */
};

static bool self_sign(X509 *certificate, EVP_PKEY *key)
{
	X509_NAME *name = X509_get_subject_name(certificate);
	BIGNUM *serial = BN_new();
	bool ok = serial && BN_rand(serial, 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) &&
		  BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)) &&
		  X509_set_version(certificate, X509_VERSION_3) &&
		  X509_gmtime_adj(X509_getm_notBefore(certificate), -86400L) &&
		  X509_time_adj_ex(X509_getm_notAfter(certificate), DAYS, 0, NULL) &&
		  X509_set_pubkey(certificate, key) &&
		  X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const uint8_t *)"ec2fs", -1,
					     -1, 0) &&
		  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					     (const uint8_t *)"instance identity documents", -1, -1,
					     0) &&
		  X509_set_issuer_name(certificate, name) &&
		  X509_sign(certificate, key, EVP_sha256());

	BN_free(serial);
	return ok;
}

static int make_identity(struct strbuf *out)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	X509 *certificate = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());
	bool ok = key && certificate && bio && self_sign(certificate, key) &&
		  PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) &&
		  PEM_write_bio_X509(bio, certificate);

	if (ok) {
		char *data;
		long len = BIO_get_mem_data(bio, &data);

		strbuf_add(out, data, (size_t)len);
	}
	BIO_free(bio);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return ok ? 0 : -EIO;
}

/* The certificate alone, for those who verify. */
static int publish_certificate(const char *directory, X509 *certificate, struct ec2fs_error *error)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	BIO *bio = BIO_new(BIO_s_mem());

	if (bio && PEM_write_bio_X509(bio, certificate)) {
		char *data;
		long len = BIO_get_mem_data(bio, &data);

		strbuf_add(&text, data, (size_t)len);
	}
	BIO_free(bio);
	return imds_publish(directory, "identity-certificate.pem", 0644, &text, error);
}

int imds_identity_open(const char *directory, struct imds_identity **ret, struct ec2fs_error *error)
{
	cleanup_strbuf struct strbuf pem = STRBUF_INIT;
	struct imds_identity *identity;
	BIO *bio;
	int r = imds_keep(directory, "identity.pem", make_identity, &pem, error);

	if (r < 0)
		return r;
	identity = xnew(struct imds_identity);
	bio = BIO_new_mem_buf(strbuf_str(&pem), (int)pem.len);
	if (bio) {
		identity->key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
		identity->certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	}
	BIO_free(bio);
	OPENSSL_cleanse(pem.data, pem.len);
	if (!identity->key || !identity->certificate ||
	    X509_check_private_key(identity->certificate, identity->key) != 1)
		r = ec2fs_fail(error, EC2_InternalError,
			       "%s/identity.pem is not a private key and its certificate; remove "
			       "it, and new ones are made",
			       directory);
	else
		r = publish_certificate(directory, identity->certificate, error);
	ERR_clear_error();
	if (r < 0) {
		imds_identity_close(identity);
		return r;
	}
	*ret = identity;
	return 0;
}

static void forget(struct signed_document *d)
{
	free(d->document);
	for (size_t i = 0; i < IMDS_SIGNATURE_COUNT; i++)
		free(d->signatures[i]);
	*d = (struct signed_document){0};
}

void imds_identity_close(struct imds_identity *identity)
{
	if (!identity)
		return;
	EVP_PKEY_free(identity->key);
	X509_free(identity->certificate);
	for (size_t i = 0; i < REMEMBERED; i++)
		forget(&identity->remembered[i]);
	free(identity);
}

static void member(struct strbuf *out, const char *name, const char *value)
{
	strbuf_addf(out, "%s  \"%s\" : ", out->len > 1 ? ",\n" : "\n", name);
	if (!value) {
		strbuf_adds(out, "null");
		return;
	}
	strbuf_addc(out, '"');
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			strbuf_addf(out, "\\%c", *value);
		else if ((unsigned char)*value < 0x20)
			strbuf_addf(out, "\\u%04x", *value);
		else
			strbuf_addc(out, *value);
	}
	strbuf_addc(out, '"');
}

void imds_identity_document(const struct imds_facts *f, struct strbuf *out)
{
	struct strbuf text = STRBUF_INIT;

	strbuf_addc(&text, '{');
	member(&text, "accountId", f->account);
	member(&text, "architecture", f->architecture);
	member(&text, "availabilityZone", f->availability_zone);
	member(&text, "billingProducts", NULL);
	member(&text, "devpayProductCodes", NULL);
	member(&text, "marketplaceProductCodes", NULL);
	member(&text, "imageId", f->image_id);
	member(&text, "instanceId", f->instance_id);
	member(&text, "instanceType", f->instance_type);
	member(&text, "kernelId", f->kernel_id);
	member(&text, "pendingTime", f->launch_time);
	member(&text, "privateIp", f->local_ipv4);
	member(&text, "ramdiskId", f->ramdisk_id);
	member(&text, "region", f->region);
	member(&text, "version", "2017-09-30");
	strbuf_adds(&text, "\n}");
	strbuf_add(out, text.data, text.len);
	strbuf_free(&text);
}

/* Lines of base64, the last one without newline. */
static void add_base64(struct strbuf *out, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i += LINE / 4 * 3) {
		size_t part = len - i < LINE / 4 * 3 ? len - i : LINE / 4 * 3;
		char line[LINE + 1];

		if (i)
			strbuf_addc(out, '\n');
		EVP_EncodeBlock((uint8_t *)line, data + i, (int)part);
		strbuf_adds(out, line);
	}
}

static int sign_plain(struct imds_identity *identity, const struct strbuf *document,
		      struct strbuf *out)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t signature[512];
	size_t len = sizeof(signature);
	int ok = context &&
		 EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, identity->key) == 1 &&
		 EVP_DigestSign(context, signature, &len, (const uint8_t *)document->data,
				document->len) == 1;

	EVP_MD_CTX_free(context);
	if (ok)
		add_base64(out, signature, len);
	return ok ? 0 : -EIO;
}

static int sign_pkcs7(struct imds_identity *identity, const struct strbuf *document,
		      struct strbuf *out)
{
	int flags = PKCS7_BINARY | PKCS7_NOCERTS | PKCS7_NOSMIMECAP | PKCS7_PARTIAL;
	BIO *content = BIO_new_mem_buf(document->data, (int)document->len);
	PKCS7 *p7 = PKCS7_sign(NULL, NULL, NULL, NULL, flags);
	uint8_t *der = NULL;
	int len = -1;

	if (content && p7 &&
	    PKCS7_sign_add_signer(p7, identity->certificate, identity->key, EVP_sha256(), flags) &&
	    PKCS7_final(p7, content, flags) == 1)
		len = i2d_PKCS7(p7, &der);
	if (len > 0)
		add_base64(out, der, (size_t)len);
	OPENSSL_free(der);
	PKCS7_free(p7);
	BIO_free(content);
	return len > 0 ? 0 : -EIO;
}

int imds_identity_sign(struct imds_identity *identity, const struct imds_facts *f,
		       enum imds_signature kind, struct strbuf *out)
{
	static int (*const sign[])(struct imds_identity *, const struct strbuf *,
				   struct strbuf *) = {
		[IMDS_SIGNATURE] = sign_plain,
		[IMDS_PKCS7] = sign_pkcs7,
	};
	cleanup_strbuf struct strbuf document = STRBUF_INIT, text = STRBUF_INIT;
	struct signed_document *d;
	int r;

	imds_identity_document(f, &document);
	d = &identity->remembered[hash_bytes(document.data, document.len, 0) % REMEMBERED];
	if (!d->document || strcmp(d->document, document.data) != 0) {
		forget(d);
		d->document = xstrdup(document.data);
	}
	if (!d->signatures[kind]) {
		r = sign[kind](identity, &document, &text);
		ERR_clear_error();
		if (r < 0)
			return r;
		d->signatures[kind] = strbuf_steal(&text);
	}
	strbuf_adds(out, d->signatures[kind]);
	return 0;
}
