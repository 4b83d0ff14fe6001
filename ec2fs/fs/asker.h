/*
 * What a process is doing while it waits for us. FUSE's LOOKUP does not say whether a name is
 * looked up to be read or to be made; the system call that the process stands in does (proc(5),
 * /proc/PID/syscall).
 */
#ifndef EC2FS_FS_ASKER_H
#define EC2FS_FS_ASKER_H

#include <stdbool.h>
#include <sys/types.h>

enum asker {
	ASKER_MAKES,  /* it makes that name: open with O_CREAT, mkdir, mknod, symlink */
	ASKER_OTHER,  /* it does something else */
	ASKER_UNKNOWN /* it cannot be looked at: not ours to trace, or of another architecture */
};

/* Of a thread that waits for the answer to a LOOKUP of the name. Reads /proc: tens of microseconds.
 */
enum asker asker_of(pid_t thread, const char *name);

/* Does a thread that waits for the answer to an UNLINK go through an open directory, as rm -r does
 * with each on its way? False where that cannot be seen. */
bool asker_removes_below(pid_t thread);

#endif
