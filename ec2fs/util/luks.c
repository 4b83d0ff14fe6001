#include "ec2fs/util/luks.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <libcryptsetup.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY_BYTES 64 /* two of 256 bits: XTS */
/* The passphrase is a key itself, of 256 bits: nothing is gained by making its guessing slow. */
#define ITERATIONS 2000

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

/* libcryptsetup counts and logs in places that all contexts share. */
static pthread_mutex_t library = PTHREAD_MUTEX_INITIALIZER;

/* Its errors are for the caller, and not for the daemon's standard error. */
static void log_nothing(int level, const char *message, void *context)
{
	(void)level;
	(void)message;
	(void)context;
}

/* Under the lock. The file or device that is open there; 0 or a negative errno. */
static int begin(int fd, struct crypt_device **ret)
{
	char path[32];
	int r;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = crypt_init(ret, path);
	if (r == 0)
		crypt_set_log_callback(*ret, log_nothing, NULL);
	return r;
}

static int format(struct crypt_device *c, const char *passphrase)
{
	const struct crypt_pbkdf_type stretching = {
		.type = CRYPT_KDF_PBKDF2,
		.hash = "sha256",
		.iterations = ITERATIONS,
		.flags = CRYPT_PBKDF_NO_BENCHMARK | CRYPT_PBKDF_ITER_TIME_SET,
	};
	struct crypt_params_luks1 layout = {
		.hash = "sha256",
		.data_alignment = LUKS_HEADER / LUKS_SECTOR,
	};
	int r = crypt_set_pbkdf_type(c, &stretching);

	if (r == 0)
		r = crypt_format(c, CRYPT_LUKS1, "aes", "xts-plain64", NULL, NULL, KEY_BYTES,
				 &layout);
	if (r == 0)
		r = crypt_keyslot_add_by_volume_key(c, 0, NULL, KEY_BYTES, passphrase,
						    strlen(passphrase));
	return r < 0 ? r : 0;
}

int luks_format(int fd, const char *passphrase, struct ec2fs_error *error)
{
	struct crypt_device *c = NULL;
	int r = 0;

	pthread_mutex_lock(&library);
	/* The library would call a full disk a broken one. Of a device no room can be asked for. */
	if (fallocate(fd, 0, 0, LUKS_HEADER) < 0 && errno == ENOSPC)
		r = -ENOSPC;
	if (r == 0)
		r = begin(fd, &c);
	if (r == 0)
		r = format(c, passphrase);
	crypt_free(c);
	pthread_mutex_unlock(&library);
	if (r < 0)
		return ec2fs_fail_errno(
			error, -r,
			r == -ENOSPC ? EC2_InsufficientVolumeCapacity : EC2_InternalError,
			"writing the header of an encrypted volume: %s", strerror(-r));
	return 0;
}

static bool is_known(struct crypt_device *c)
{
	return strcmp(crypt_get_cipher(c), "aes") == 0 &&
	       strcmp(crypt_get_cipher_mode(c), "xts-plain64") == 0 &&
	       crypt_get_volume_key_size(c) == KEY_BYTES;
}

int luks_open(int fd, const char *passphrase, struct luks **ret, struct ec2fs_error *error)
{
	struct luks *l = xnew(struct luks);
	struct crypt_device *c = NULL;
	size_t size = sizeof(l->key);
	bool known;
	int r;

	pthread_mutex_lock(&library);
	r = begin(fd, &c);
	known = r == 0 && crypt_load(c, CRYPT_LUKS1, NULL) == 0 && is_known(c);
	if (known) {
		r = crypt_volume_key_get(c, CRYPT_ANY_SLOT, (char *)l->key, &size, passphrase,
					 strlen(passphrase));
		l->payload = (off_t)crypt_get_data_offset(c) * LUKS_SECTOR;
	}
	crypt_free(c);
	pthread_mutex_unlock(&library);
	if (known && r >= 0) {
		*ret = l;
		return 0;
	}
	luks_free(l);
	if (!known)
		return ec2fs_fail(error, EC2_Unsupported,
				  "it is not LUKS of version 1 with aes-xts-plain64");
	if (r != -EPERM)
		return ec2fs_fail_errno(error, -r, EC2_InternalError,
					"reading the header of an encrypted volume: %s",
					strerror(-r));
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
