#include "ec2fs/fs/nfs_server.h"

#include "ec2fs/fs/callers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * NFS has fewer errors than errno(3). What it has no word for, the server calls EIO; and for some
 * it says that the client shall try again, which the client does for ever.
 */
static int nfs_errno(int error)
{
	switch (error) {
	case ERANGE:
		return EINVAL;
	case EADDRINUSE:
		return EEXIST;
	case EADDRNOTAVAIL:
	case ENOMEM:
		return ENOSPC;
	case EAGAIN:
		return EDQUOT;
	case ETIMEDOUT:
	case EIDRM:
	case ENODATA:
	case ENOTCONN:
	case EALREADY:
		return EIO;
	case ERESTART:
		return EAGAIN; /* a wait, which the client is to ask for again */
	default:
		return error;
	}
}

void reply_result(fuse_req_t req, int result)
{
	struct tree_caller who = caller_of(req);

	if (result < 0 && result != -ENOENT && caller_is_kernel(&who))
		result = -nfs_errno(-result);
	fuse_reply_err(req, result < 0 ? -result : 0);
}

void nfs_server_look_again(void)
{
	static const char *const files[] = {"/proc/net/rpc/nfsd.fh/flush",
					    "/proc/net/rpc/nfsd.export/flush"};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		int fd = open(files[i], O_WRONLY | O_CLOEXEC);

		if (fd < 0)
			continue;
		/* Any number means now. There is nothing to be done about a failure. */
		if (write(fd, "1\n", 2) < 0)
			errno = 0;
		close(fd);
	}
}
