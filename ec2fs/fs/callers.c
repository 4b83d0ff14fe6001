#include "ec2fs/fs/callers.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/process.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* include/linux/sched.h; proc_pid_stat(5) shows them in the 9th field. */
#define PF_EXITING 0x4u
#define PF_SIGNALED 0x400u
#define PF_KTHREAD 0x200000u

#define GENERATIONS 16

/* Does the descriptor's line "ino:" have that number? Kernels before 5.14 have no such line. */
static bool is_descriptor_of(pid_t pid, const char *fd, uint64_t ino, bool *ret_told)
{
	char path[300], line[128];
	cleanup_file FILE *f = NULL;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%.200s", pid, fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "ino:", 4) != 0)
			continue;
		*ret_told = true;
		return strtoull(line + 4, NULL, 10) == ino;
	}
	return false;
}

static enum closing holds(pid_t pid, uint64_t ino)
{
	cleanup_dir DIR *d = NULL;
	bool told = false, any = false;
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
	d = opendir(path);
	if (!d)
		return CLOSES_UNTOLD;
	for (const struct dirent *e; (e = readdir(d));) {
		if (*e->d_name == '.')
			continue;
		any = true;
		if (is_descriptor_of(pid, e->d_name, ino, &told))
			return CLOSES_ONE;
	}
	return any && !told ? CLOSES_UNTOLD : CLOSES_LAST;
}

enum closing caller_closes(const struct tree_caller *who, uint64_t ino)
{
	enum closing closing;
	struct process_stat s;

	if (!process_stat_read(who->pid, &s))
		return CLOSES_UNTOLD;
	closing = holds(who->pid, ino);
	/* An ancestor that may not be looked at is somebody else's. */
	for (int i = 0; closing == CLOSES_LAST && i < GENERATIONS && s.parent > 1; i++) {
		if (holds(s.parent, ino) == CLOSES_ONE)
			return CLOSES_ONE;
		if (!process_stat_read(s.parent, &s))
			break;
	}
	return closing;
}

void caller_fill_groups(struct tree_caller *who)
{
	char path[40], line[1024], *p, *end;
	cleanup_file FILE *f = NULL;

	who->group_count = 0;
	if (who->uid == 0)
		return;
	snprintf(path, sizeof(path), "/proc/%d/status", who->pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "Groups:", 7) != 0)
			continue;
		for (p = line + 7; who->group_count < CALLER_GROUPS; p = end) {
			unsigned long group = strtoul(p, &end, 10);

			if (end == p)
				break;
			who->groups[who->group_count++] = (gid_t)group;
		}
		return;
	}
}

bool caller_reads(const struct tree_caller *who, const char *name)
{
	cleanup_dir DIR *d = NULL;
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/fd", who->pid);
	d = opendir(path);
	if (!d)
		return false;
	for (const struct dirent *e; (e = readdir(d));) {
		char target[PATH_MAX];
		const char *slash;
		ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof(target) - 1);

		if (n <= 0)
			continue;
		target[n] = '\0';
		slash = strrchr(target, '/');
		if (slash && strcmp(slash + 1, name) == 0)
			return true;
	}
	return false;
}

bool caller_is_killed(const struct tree_caller *who)
{
	struct process_stat s;

	return process_stat_read(who->pid, &s) && (s.flags & PF_EXITING) && (s.flags & PF_SIGNALED);
}

bool caller_is_kernel(const struct tree_caller *who)
{
	struct process_stat s;

	return process_stat_read(who->pid, &s) && (s.flags & PF_KTHREAD);
}

bool caller_is_sftp_server(const struct tree_caller *who)
{
	/* OpenSSH's: a program of its own, or "internal-sftp". */
	static const char *const names[] = {"sftp-server\n", "sshd\n", "sshd-session\n"};
	char path[40], name[32];
	cleanup_file FILE *f = NULL;

	snprintf(path, sizeof(path), "/proc/%d/comm", who->pid);
	f = fopen(path, "re");
	if (!f || !fgets(name, sizeof(name), f))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

pid_t caller_process(const struct tree_caller *who)
{
	char path[40], line[128];
	cleanup_file FILE *f = NULL;

	snprintf(path, sizeof(path), "/proc/%d/status", who->pid);
	f = who->pid > 0 ? fopen(path, "re") : NULL;
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, "Tgid:", 5) == 0)
			return (pid_t)strtol(line + 5, NULL, 10);
	return 0;
}

bool caller_is_same(const struct tree_caller *a, const struct tree_caller *b)
{
	pid_t process;

	if (a->pid == b->pid || (caller_is_kernel(a) && caller_is_kernel(b)))
		return true;
	process = caller_process(a);
	return process && process == caller_process(b);
}
