/* What proc(5) tells of a process. */
#ifndef EC2FS_UTIL_PROCESS_H
#define EC2FS_UTIL_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process_stat {
	pid_t parent, session;
	unsigned flags;     /* PF_* of the kernel */
	uint64_t starttime; /* since boot, in clock ticks: with its number it names the process */
};

/* False: there is no such process (it is gone, or in another PID namespace), or not for us. */
bool process_stat_read(pid_t pid, struct process_stat *ret);

#endif
