/*
 * A small process beside the daemon, for the day it is killed. A thread of it may then be inside
 * the kernel, telling that a name is gone, and wait for a directory's lock; who holds that waits
 * for an answer of the daemon, of which that thread is the last one and cannot die. Nothing ends
 * either, not even kill -9, until somebody ends the connection: the guard does.
 */
#ifndef EC2FS_FS_GUARD_H
#define EC2FS_FS_GUARD_H

struct guard;

/* Forks the guard of what will be mounted there. Before the first thread and the first lock on a
 * file. NULL when that cannot be done: the daemon works as well without. */
struct guard *guard_start(const char *mountpoint);
/* It is mounted now. Accepts NULL. */
void guard_mounted(struct guard *g);
/* The daemon ends as it should: waits for the guard's end, frees. Accepts NULL. */
void guard_dismiss(struct guard *g);

#endif
