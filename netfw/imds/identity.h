/*
 * The instance identity document and its signatures. The key is made once and outlives all VPCs:
 * DIRECTORY/identity.pem (private key and certificate, 0600); who verifies gets the certificate
 * alone, DIRECTORY/identity-certificate.pem.
 */
#ifndef NETFW_IMDS_IDENTITY_H
#define NETFW_IMDS_IDENTITY_H

#include "ec2fs/util/error.h"
#include "ec2fs/util/strbuf.h"
#include "netfw/netfw.h"

struct imds_identity;

enum imds_signature {
	IMDS_SIGNATURE, /* RSA PKCS #1 with SHA-256 of the document alone */
	IMDS_PKCS7,     /* PKCS #7 with the document in it */
	IMDS_SIGNATURE_COUNT
};

/* A struct imds_identity is for one thread at a time. */
int imds_identity_open(const char *directory, struct imds_identity **ret,
		       struct ec2fs_error *error);
/* Accepts NULL. */
void imds_identity_close(struct imds_identity *identity);
/* The JSON text, as AWS lays it out. */
void imds_identity_document(const struct imds_facts *f, struct strbuf *out);
/* Base64 in lines, without armour. Remembers the last ones: a signature takes a millisecond. */
int imds_identity_sign(struct imds_identity *identity, const struct imds_facts *f,
		       enum imds_signature kind, struct strbuf *out);

#endif
