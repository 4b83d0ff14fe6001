/*
 * Keys of encrypted disks. QEMU gets them from libvirtd, and libvirtd from here: as a secret that
 * is ephemeral (in its memory only) and private (it tells no client), for the time of one call.
 */
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "providers/libvirt/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>

#define LONGEST_KEY 512

/* Another one each time: two machines that start from one snapshot have the same key. */
static char *make_uuid(void)
{
	unsigned char u[VIR_UUID_BUFLEN];

	if (getrandom(u, sizeof(u), 0) != (ssize_t)sizeof(u))
		return NULL;
	u[6] = (unsigned char)((u[6] & 0x0f) | 0x40);
	u[8] = (unsigned char)((u[8] & 0x3f) | 0x80);
	return xasprintf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
			 u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11],
			 u[12], u[13], u[14], u[15]);
}

static int read_key(const char *path, unsigned char *key, size_t *len, struct ec2fs_error *error)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, key, LONGEST_KEY);

	if (n <= 0)
		return ec2fs_fail(error, EC2_InternalError,
				  "the key %s, without which nothing can be read: %s", path,
				  n < 0 ? strerror(errno) : "it is empty");
	*len = (size_t)n;
	return 0;
}

static int define(virConnectPtr connection, const char *path, const char *uuid, struct secrets *all,
		  struct ec2fs_error *error)
{
	cleanup_free char *xml = xasprintf("<secret ephemeral='yes' private='yes'>\n"
					   "  <description>ec2fs: for one call</description>\n"
					   "  <uuid>%s</uuid>\n"
					   "</secret>\n",
					   uuid);
	unsigned char key[LONGEST_KEY];
	size_t len = 0;
	virSecretPtr secret;
	int r = read_key(path, key, &len, error);

	if (r < 0)
		return r;
	secret = virSecretDefineXML(connection, xml, 0);
	if (secret)
		all->secrets[all->count++] = secret;
	if (!secret || virSecretSetValue(secret, key, len, 0) < 0)
		r = libvirt_fail(error, connection, "cannot give libvirt the key of a disk");
	explicit_bzero(key, sizeof(key));
	return r;
}

int libvirt_tell_secrets(virConnectPtr connection, const struct machine_disk *disks, size_t count,
			 struct secrets *all, struct ec2fs_error *error)
{
	int r = 0;

	all->disks = xcalloc(count ? count : 1, sizeof(*all->disks));
	all->secrets = xcalloc(count ? count : 1, sizeof(*all->secrets));
	all->uuids = xcalloc(count + 1, sizeof(*all->uuids)); /* NULL ends it */
	for (size_t i = 0; r == 0 && i < count; i++) {
		all->disks[i] = disks[i];
		libvirt_choose_io(&all->disks[i]);
		if (!disks[i].key)
			continue;
		all->uuids[all->count] = make_uuid();
		all->disks[i].secret = all->uuids[all->count];
		if (all->disks[i].secret)
			r = define(connection, disks[i].key, all->disks[i].secret, all, error);
		else
			r = ec2fs_fail(error, EC2_InternalError, "no random bytes can be had");
	}
	return r;
}

void libvirt_forget_secrets(struct secrets *all)
{
	for (size_t i = 0; i < all->count; i++) {
		virSecretUndefine(all->secrets[i]);
		virSecretFree(all->secrets[i]);
	}
	for (size_t i = 0; all->uuids && all->uuids[i]; i++)
		free(all->uuids[i]);
	free(all->uuids);
	free(all->secrets);
	free(all->disks);
}
