/*
 * How QEMU reads and writes a disk: past the host's page cache. The guest has one of its own; a
 * second copy would take the host's memory, and the processor's time for copying, and what the
 * guest takes for written would be there only when the host gets round to it.
 */
#include "ec2fs/util/cleanup.h"
#include "providers/libvirt/internal.h"

#include <fcntl.h>
#include <stdio.h>

/* What QEMU asks the kernel for; it does not start when that is refused. A few may start at once.
 */
#define EVENTS_PER_MACHINE 1024
#define AT_ONCE 8

static unsigned long long number_in(const char *path)
{
	cleanup_file FILE *f = fopen(path, "re");
	unsigned long long n = 0;

	return f && fscanf(f, "%llu", &n) == 1 ? n : 0;
}

/* Has the kernel room for more asynchronous I/O? fs.aio-max-nr is enough for 64 machines unless
 * somebody makes it more. */
static bool aio_has_room(void)
{
	return number_in("/proc/sys/fs/aio-nr") + EVENTS_PER_MACHINE * AT_ONCE <=
	       number_in("/proc/sys/fs/aio-max-nr");
}

void libvirt_choose_io(struct machine_disk *disk)
{
	/* There are file systems that cannot: tmpfs before Linux 6.6, some of FUSE's. */
	cleanup_close int fd = open(disk->path, O_RDONLY | O_DIRECT | O_CLOEXEC);

	disk->direct = fd >= 0;
	disk->native = disk->direct && aio_has_room();
}
