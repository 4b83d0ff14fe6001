#include "ec2fs/util/luks.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC "LUKS\xba\xbe"
#define KEY_BYTES 64 /* two of 256 bits: XTS */
#define STRIPES 4000
#define SLOTS 8
#define MATERIAL ((size_t)KEY_BYTES * STRIPES)
/* The passphrase is a key itself, of 256 bits: nothing is gained by making its guessing slow. */
#define ITERATIONS 2000
#define MOST_ITERATIONS 100000000 /* of a header that somebody else wrote */
#define ACTIVE 0x00ac71f3
#define INACTIVE 0x0000dead
#define DIGEST_BYTES 32

struct slot {
	uint32_t active, iterations;
	unsigned char salt[32];
	uint32_t offset, stripes; /* offset: in sectors */
} __attribute__((packed));

/* Big-endian numbers; what is not text is as it is. */
struct header {
	char magic[6];
	uint16_t version;
	char cipher[32], mode[32], hash[32];
	uint32_t payload, key_bytes; /* payload: in sectors */
	unsigned char digest[20], digest_salt[32];
	uint32_t digest_iterations;
	char uuid[40];
	struct slot slots[SLOTS];
} __attribute__((packed));

struct luks {
	unsigned char key[KEY_BYTES];
	off_t payload; /* bytes */
};

/* Of what was written, one of 2^4096 sectors looks like this. */
static bool never_written(const unsigned char *sector)
{
	return sector[0] == 0 && memcmp(sector, sector + 1, LUKS_SECTOR - 1) == 0;
}

/* Each sector by itself, with its number as the tweak. len: whole sectors. */
static int crypt_sectors(const unsigned char *key, bool encrypt, unsigned char *data, size_t len,
			 uint64_t sector)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	bool ok = c && EVP_CipherInit_ex(c, EVP_aes_256_xts(), NULL, key, NULL, encrypt);

	for (size_t i = 0; ok && i < len; i += LUKS_SECTOR, sector++) {
		uint64_t tweak[2] = {htole64(sector), 0};
		int n = LUKS_SECTOR;

		if (!encrypt && never_written(data + i))
			continue;
		ok = EVP_CipherInit_ex(c, NULL, NULL, NULL, (unsigned char *)tweak, encrypt) &&
		     EVP_CipherUpdate(c, data + i, &n, data + i, LUKS_SECTOR);
	}
	EVP_CIPHER_CTX_free(c);
	return ok ? 0 : -EIO;
}

static bool stretch(const void *text, size_t len, const unsigned char *salt, uint32_t iterations,
		    unsigned char *ret, int bytes)
{
	return PKCS5_PBKDF2_HMAC(text, (int)len, salt, 32, (int)iterations, EVP_sha256(), bytes,
				 ret);
}

/* The diffusion of the anti-forensic splitter. */
static bool diffuse(unsigned char *block)
{
	for (uint32_t i = 0; i < KEY_BYTES / DIGEST_BYTES; i++) {
		unsigned char text[4 + DIGEST_BYTES];
		uint32_t number = htobe32(i);

		memcpy(text, &number, sizeof(number));
		memcpy(text + 4, block + (size_t)i * DIGEST_BYTES, DIGEST_BYTES);
		if (!EVP_Digest(text, sizeof(text), block + (size_t)i * DIGEST_BYTES, NULL,
				EVP_sha256(), NULL))
			return false;
	}
	return true;
}

/* Splits the key into stripes, of which all are needed to have it again. */
static bool split(const unsigned char *key, unsigned char *material)
{
	unsigned char *last = material + MATERIAL - KEY_BYTES;
	unsigned char block[KEY_BYTES] = {0};

	if (RAND_bytes(material, (int)(MATERIAL - KEY_BYTES)) != 1)
		return false;
	for (size_t i = 0; i + 1 < STRIPES; i++) {
		for (size_t k = 0; k < KEY_BYTES; k++)
			block[k] ^= material[i * KEY_BYTES + k];
		if (!diffuse(block))
			return false;
	}
	for (size_t k = 0; k < KEY_BYTES; k++)
		last[k] = block[k] ^ key[k];
	return true;
}

static bool merge(const unsigned char *material, unsigned char *key)
{
	memset(key, 0, KEY_BYTES);
	for (size_t i = 0; i < STRIPES; i++) {
		for (size_t k = 0; k < KEY_BYTES; k++)
			key[k] ^= material[i * KEY_BYTES + k];
		if (i + 1 < STRIPES && !diffuse(key))
			return false;
	}
	return true;
}

static int write_all(int fd, const void *data, size_t len, off_t at)
{
	const char *s = data;

	while (len) {
		ssize_t n = pwrite(fd, s, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		s += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* As much as there is of it. */
static ssize_t read_all(int fd, void *data, size_t len, off_t at)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = pread(fd, (char *)data + got, len - got, at + (off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

static void set_uuid(char *ret, size_t size)
{
	unsigned char u[16] = {0};

	RAND_bytes(u, sizeof(u));
	u[6] = (unsigned char)((u[6] & 0x0f) | 0x40);
	u[8] = (unsigned char)((u[8] & 0x3f) | 0x80);
	snprintf(ret, size, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12],
		 u[13], u[14], u[15]);
}

/* Slots as QEMU and cryptsetup lay them out: from the eighth sector on, at 4 KiB each. */
static void lay_out(struct header *h)
{
	uint32_t sectors = (MATERIAL / LUKS_SECTOR + 7) / 8 * 8;

	memcpy(h->magic, MAGIC, sizeof(h->magic));
	h->version = htobe16(1);
	snprintf(h->cipher, sizeof(h->cipher), "aes");
	snprintf(h->mode, sizeof(h->mode), "xts-plain64");
	snprintf(h->hash, sizeof(h->hash), "sha256");
	h->payload = htobe32((uint32_t)(LUKS_HEADER / LUKS_SECTOR));
	h->key_bytes = htobe32(KEY_BYTES);
	h->digest_iterations = htobe32(ITERATIONS);
	set_uuid(h->uuid, sizeof(h->uuid));
	for (uint32_t i = 0; i < SLOTS; i++) {
		h->slots[i].active = htobe32(i ? INACTIVE : ACTIVE);
		h->slots[i].iterations = htobe32(i ? 0 : ITERATIONS);
		h->slots[i].offset = htobe32(8 + i * sectors);
		h->slots[i].stripes = htobe32(STRIPES);
	}
}

static bool fill(struct header *h, const char *passphrase, unsigned char *material)
{
	unsigned char key[KEY_BYTES], derived[KEY_BYTES];
	struct slot *s = &h->slots[0];
	bool ok = RAND_bytes(key, sizeof(key)) == 1 &&
		  RAND_bytes(h->digest_salt, sizeof(h->digest_salt)) == 1 &&
		  RAND_bytes(s->salt, sizeof(s->salt)) == 1 &&
		  stretch(key, sizeof(key), h->digest_salt, ITERATIONS, h->digest,
			  sizeof(h->digest)) &&
		  stretch(passphrase, strlen(passphrase), s->salt, ITERATIONS, derived,
			  sizeof(derived)) &&
		  split(key, material) && crypt_sectors(derived, true, material, MATERIAL, 0) == 0;

	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(derived, sizeof(derived));
	return ok;
}

int luks_format(int fd, const char *passphrase, struct ec2fs_error *error)
{
	cleanup_free unsigned char *material = xcalloc(1, MATERIAL);
	struct header h = {0};
	int r;

	lay_out(&h);
	if (!fill(&h, passphrase, material))
		return ec2fs_fail(error, EC2_InternalError,
				  "OpenSSL does not encrypt with aes-256-xts");
	r = write_all(fd, material, MATERIAL, (off_t)be32toh(h.slots[0].offset) * LUKS_SECTOR);
	if (r == 0)
		r = write_all(fd, &h, sizeof(h), 0);
	if (r < 0)
		return ec2fs_fail_errno(
			error, -r,
			r == -ENOSPC ? EC2_InsufficientVolumeCapacity : EC2_InternalError,
			"writing the header of an encrypted volume: %s", strerror(-r));
	return 0;
}

static bool is_known(const struct header *h)
{
	return memcmp(h->magic, MAGIC, sizeof(h->magic)) == 0 && be16toh(h->version) == 1 &&
	       strncmp(h->cipher, "aes", sizeof(h->cipher)) == 0 &&
	       strncmp(h->mode, "xts-plain64", sizeof(h->mode)) == 0 &&
	       strncmp(h->hash, "sha256", sizeof(h->hash)) == 0 &&
	       be32toh(h->key_bytes) == KEY_BYTES;
}

/* Is it this slot's passphrase? Then *key is the master key. */
static bool try_slot(int fd, const struct header *h, const struct slot *s, const char *passphrase,
		     unsigned char *material, unsigned char *key)
{
	unsigned char derived[KEY_BYTES], digest[sizeof(h->digest)];
	uint32_t iterations = be32toh(s->iterations), again = be32toh(h->digest_iterations);
	bool ok;

	if (be32toh(s->active) != ACTIVE || be32toh(s->stripes) != STRIPES || !iterations ||
	    !again || iterations > MOST_ITERATIONS || again > MOST_ITERATIONS ||
	    read_all(fd, material, MATERIAL, (off_t)be32toh(s->offset) * LUKS_SECTOR) !=
		    (ssize_t)MATERIAL)
		return false;
	ok = stretch(passphrase, strlen(passphrase), s->salt, iterations, derived,
		     sizeof(derived)) &&
	     crypt_sectors(derived, false, material, MATERIAL, 0) == 0 && merge(material, key) &&
	     stretch(key, KEY_BYTES, h->digest_salt, again, digest, sizeof(digest)) &&
	     memcmp(digest, h->digest, sizeof(digest)) == 0;
	OPENSSL_cleanse(derived, sizeof(derived));
	OPENSSL_cleanse(material, MATERIAL);
	return ok;
}

int luks_open(int fd, const char *passphrase, struct luks **ret, struct ec2fs_error *error)
{
	cleanup_free unsigned char *material = xcalloc(1, MATERIAL);
	struct luks *l;
	struct header h;

	if (read_all(fd, &h, sizeof(h), 0) != (ssize_t)sizeof(h) || !is_known(&h))
		return ec2fs_fail(error, EC2_Unsupported,
				  "it is not LUKS of version 1 with aes-xts-plain64 and SHA-256");
	l = xnew(struct luks);
	l->payload = (off_t)be32toh(h.payload) * LUKS_SECTOR;
	for (size_t i = 0; i < SLOTS; i++)
		if (try_slot(fd, &h, &h.slots[i], passphrase, material, l->key)) {
			*ret = l;
			return 0;
		}
	luks_free(l);
	return ec2fs_fail(error, EC2_UnauthorizedOperation, "it was encrypted with another key");
}

void luks_free(struct luks *l)
{
	if (l)
		OPENSSL_cleanse(l, sizeof(*l));
	free(l);
}

ssize_t luks_read(const struct luks *l, int fd, void *buffer, size_t len, off_t at)
{
	off_t begin = at - at % LUKS_SECTOR;
	size_t skip = (size_t)(at - begin);
	size_t whole = (skip + len + LUKS_SECTOR - 1) / LUKS_SECTOR * LUKS_SECTOR;
	cleanup_free unsigned char *data = malloc(whole ? whole : 1);
	ssize_t n;

	if (!data) {
		errno = ENOMEM;
		return -1;
	}
	n = read_all(fd, data, whole, l->payload + begin);
	if (n < 0)
		return -1;
	n -= n % LUKS_SECTOR;
	if (n <= (ssize_t)skip)
		return 0;
	if (crypt_sectors(l->key, false, data, (size_t)n, (uint64_t)begin / LUKS_SECTOR) < 0) {
		errno = EIO;
		return -1;
	}
	n -= (ssize_t)skip;
	if (n > (ssize_t)len)
		n = (ssize_t)len;
	memcpy(buffer, data + skip, (size_t)n);
	return n;
}

off_t luks_seek(const struct luks *l, int fd, off_t at, int whence)
{
	off_t found = lseek(fd, l->payload + at, whence);

	return found < 0 ? found : found - l->payload;
}

int luks_write(const struct luks *l, int fd, void *data, size_t len, off_t at)
{
	int r;

	if (at % LUKS_SECTOR || len % LUKS_SECTOR)
		return -EINVAL;
	r = crypt_sectors(l->key, true, data, len, (uint64_t)at / LUKS_SECTOR);
	return r < 0 ? r : write_all(fd, data, len, l->payload + at);
}
