#include "ec2fs/util/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

static atomic_bool use_syslog;
static atomic_bool show_debug;

void log_to_syslog(void)
{
	openlog("ec2fs", LOG_PID, LOG_DAEMON);
	atomic_store(&use_syslog, true);
}

void log_set_debug(bool on)
{
	atomic_store(&show_debug, on);
}

void log_message(int priority, const char *format, ...)
{
	va_list args;

	if (priority == LOG_DEBUG && !atomic_load(&show_debug))
		return;
	va_start(args, format);
	if (atomic_load(&use_syslog)) {
		vsyslog(priority, format, args);
	} else {
		char line[1024];

		/* One write a line, so that lines of several threads do not mix. */
		vsnprintf(line, sizeof(line), format, args);
		fprintf(stderr, "ec2fs: %s\n", line);
	}
	va_end(args);
}
