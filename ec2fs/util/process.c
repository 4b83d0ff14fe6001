#include "ec2fs/util/process.h"

#include "ec2fs/util/cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool process_stat_read(pid_t pid, struct process_stat *ret)
{
	char path[40], text[1024];
	cleanup_file FILE *f = NULL;
	const char *p;
	size_t len;

	if (pid <= 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	len = fread(text, 1, sizeof(text) - 1, f);
	text[len] = '\0';
	/* PID (COMMAND) STATE PPID PGRP SESSION …; the command may hold anything. */
	p = strrchr(text, ')');
	for (int field = 3; p && (p = strchr(p + 1, ' ')); field++) {
		if (field == 4)
			ret->parent = (pid_t)strtol(p, NULL, 10);
		else if (field == 6)
			ret->session = (pid_t)strtol(p, NULL, 10);
		else if (field == 9)
			ret->flags = (unsigned)strtoul(p, NULL, 10);
		else if (field == 22)
			ret->starttime = strtoull(p, NULL, 10);
		if (field == 22)
			return true;
	}
	return false;
}
