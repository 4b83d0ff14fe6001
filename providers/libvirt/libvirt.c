/*
 * libvirt: real machines, run by QEMU on this host. Domains are transient and bear the machine's
 * ID as their name; nothing is ever defined, so what does not run does not exist.
 */
#include "providers/libvirt/internal.h"

#include "ec2fs/util/cleanup.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static bool claims(const char *uri)
{
	return strncmp(uri, "qemu", strlen("qemu")) == 0;
}

static int check(const char *uri, struct ec2fs_error *error)
{
	static const char *const schemes[] = {"qemu:///", "qemu+unix:///"};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		const char *path = uri + strlen(schemes[i]);
		size_t len;

		if (strncmp(uri, schemes[i], strlen(schemes[i])) != 0)
			continue;
		len = strcspn(path, "?#");
		if ((len == strlen("system") && memcmp(path, "system", len) == 0) ||
		    (len == strlen("session") && memcmp(path, "session", len) == 0))
			return 0;
	}
	/* A remote libvirtd would look for the disks on its own host. */
	return ec2fs_fail(error, EC2_InvalidParameterValue,
			  "\"%s\" is not a libvirt that this host's disks can be given to: it is "
			  "qemu:///system, qemu:///session, or qemu+unix:///system?socket=PATH",
			  uri);
}

static bool is_system(const char *uri)
{
	return strstr(uri, ":///system") != NULL;
}

/* libvirtd may live in another one than we do (in a container, say): it tells its PID in a file. */
static int network_namespace(const char *uri)
{
	static const char *const files[] = {"/run/libvirtd.pid", "/run/virtqemud.pid"};

	for (size_t i = 0; is_system(uri) && i < sizeof(files) / sizeof(files[0]); i++) {
		cleanup_file FILE *f = fopen(files[i], "re");
		char path[64];
		long pid;
		int fd;

		if (!f || fscanf(f, "%ld", &pid) != 1)
			continue;
		snprintf(path, sizeof(path), "/proc/%ld/ns/net", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			return fd;
	}
	return -1;
}

const struct provider_ops provider_libvirt = {
	.name = "libvirt",
	.claims = claims,
	.check = check,
	.takes_taps = is_system,
	.network_namespace = network_namespace,
	.open = libvirt_open,
	.close = libvirt_close,
	.start = libvirt_start,
	.restore = libvirt_restore,
	.save = libvirt_save,
	.shutdown = libvirt_shutdown,
	.destroy = libvirt_destroy,
	.reboot = libvirt_reboot,
	.reset = libvirt_reset,
	.pause = libvirt_pause,
	.resume = libvirt_resume,
	.attach_disk = libvirt_attach_disk,
	.detach_disk = libvirt_detach_disk,
	.cut_disk = libvirt_cut_disk,
	.has_disk = libvirt_has_disk,
	.resize_disk = libvirt_resize_disk,
	.set_limits = libvirt_set_limits,
	.observe = libvirt_observe,
	.list = libvirt_list,
	.stats = libvirt_stats,
	.screenshot = libvirt_screenshot,
	.capacity = libvirt_capacity,
};
