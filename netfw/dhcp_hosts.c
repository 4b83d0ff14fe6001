/*
 * Hosts are files, hosts/ADDRESS, which dnsmasq reads when they come (it watches for files that are
 * moved there). What it has read, and a lease that it has given, it keeps; SIGHUP would make it
 * forget the one, but not the other. So a host that is dropped leaves its address and its MAC in
 * dropped/, and who gets one of these again has dnsmasq started anew: some ten milliseconds.
 */
#include "netfw/dhcp_internal.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "ec2fs/util/strbuf.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static const char *const parts[] = {"hosts", "dropped"};

static int fail(struct ec2fs_error *error, int number, const char *path)
{
	return ec2fs_fail_errno(error, number, EC2_InternalError, "%s: %s", path, strerror(number));
}

/* dnsmasq reads as a user of its own. */
static int make_directory(const char *path, struct ec2fs_error *error)
{
	if ((mkdir(path, 0755) < 0 && errno != EEXIST) || chmod(path, 0755) < 0)
		return fail(error, errno, path);
	return 0;
}

int dhcp_hosts_make(const char *directory, struct ec2fs_error *error)
{
	int r = make_directory(directory, error);

	for (size_t i = 0; i < 2 && r == 0; i++) {
		cleanup_free char *path = xasprintf("%s/%s", directory, parts[i]);

		r = make_directory(path, error);
	}
	return r;
}

static char *address_path(const char *directory, const char *part, uint32_t address)
{
	return xasprintf("%s/%s/%u.%u.%u.%u", directory, part, address >> 24, address >> 16 & 255,
			 address >> 8 & 255, address & 255);
}

static char *mac_path(const char *directory, const uint8_t m[6])
{
	return xasprintf("%s/dropped/%02x:%02x:%02x:%02x:%02x:%02x", directory, m[0], m[1], m[2],
			 m[3], m[4], m[5]);
}

static int touch(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	return fd < 0 ? -errno : close(fd);
}

/* The file's text, at most size - 1 bytes; "" when there is none. */
static void read_host(const char *path, char *buffer, size_t size)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, buffer, size - 1);

	buffer[n > 0 ? n : 0] = '\0';
}

/* Whole when dnsmasq sees it: it ignores names that begin with a dot. */
static int write_host(const char *directory, const char *path, const char *text)
{
	cleanup_free char *temporary = xasprintf("%s/hosts/.new", directory);
	cleanup_close int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ssize_t len = (ssize_t)strlen(text);

	if (fd < 0)
		return -errno;
	if (fchmod(fd, 0644) < 0)
		return -errno;
	errno = ENOSPC; /* what a short write means */
	if (write(fd, text, (size_t)len) != len || rename(temporary, path) < 0)
		return -errno;
	return 0;
}

int dhcp_hosts_set(const char *directory, const uint8_t m[6], uint32_t address,
		   const char *host_name, bool *ret_stale, struct ec2fs_error *error)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-";
	cleanup_free char *path = address_path(directory, "hosts", address);
	cleanup_free char *dropped = address_path(directory, "dropped", address);
	cleanup_free char *dropped_mac = mac_path(directory, m);
	cleanup_free char *text = NULL;
	char is[256];
	bool stale;
	int r = 0;

	if (!*host_name || strlen(host_name) > 63 || host_name[strspn(host_name, allowed)])
		return ec2fs_fail(error, EC2_InvalidParameterValue, "\"%s\" is not a host name",
				  host_name);
	text = xasprintf("%02x:%02x:%02x:%02x:%02x:%02x,%s,%s\n", m[0], m[1], m[2], m[3], m[4],
			 m[5], strrchr(path, '/') + 1, host_name);
	read_host(path, is, sizeof(is));
	stale = access(dropped, F_OK) == 0 || access(dropped_mac, F_OK) == 0;
	if (strcmp(is, text) != 0) {
		/* Noted first: whoever is interrupted here finds it noted. */
		if (*is && !stale) {
			stale = true;
			r = touch(dropped);
		}
		if (r == 0)
			r = write_host(directory, path, text);
		if (r < 0)
			return fail(error, -r, path);
	}
	*ret_stale = stale;
	return 0;
}

int dhcp_hosts_drop(const char *directory, const uint8_t m[6], uint32_t address)
{
	cleanup_free char *path = address_path(directory, "hosts", address);
	cleanup_free char *dropped = address_path(directory, "dropped", address);
	cleanup_free char *dropped_mac = mac_path(directory, m);
	char is[256];
	int r;

	read_host(path, is, sizeof(is));
	/* Not there, or another's by now. */
	if (strncasecmp(is, strrchr(dropped_mac, '/') + 1, 17) != 0)
		return 0;
	r = touch(dropped_mac);
	if (r == 0 && rename(path, dropped) < 0)
		r = -errno;
	return r;
}

static void empty(const char *path)
{
	cleanup_dir DIR *d = opendir(path);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			unlinkat(dirfd(d), e->d_name, 0);
	}
}

void dhcp_hosts_are_fresh(const char *directory)
{
	cleanup_free char *path = xasprintf("%s/dropped", directory);

	empty(path);
}

void dhcp_hosts_remove(const char *directory)
{
	for (size_t i = 0; i < 2; i++) {
		cleanup_free char *path = xasprintf("%s/%s", directory, parts[i]);

		empty(path);
		rmdir(path);
	}
	rmdir(directory);
}
