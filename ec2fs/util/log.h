/* What the daemon says to its operator: lines on standard error, or syslog once in background. */
#ifndef EC2FS_UTIL_LOG_H
#define EC2FS_UTIL_LOG_H

#include <stdbool.h>
#include <syslog.h>

/* From here on messages go to syslog(3) instead of standard error. */
void log_to_syslog(void);
/* Shows LOG_DEBUG messages too. */
void log_set_debug(bool on);
/* priority: LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG. Thread-safe. Only edges of the program log.
 */
void log_message(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_message(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_message(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_message(LOG_DEBUG, __VA_ARGS__)

#endif
