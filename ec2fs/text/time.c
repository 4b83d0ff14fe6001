#include "ec2fs/text/time.h"

#include <time.h>

#define SECOND 1000000000LL

static struct tm broken_down(int64_t ns)
{
	time_t seconds = (time_t)(ns / SECOND);
	struct tm tm = {0};

	gmtime_r(&seconds, &tm);
	return tm;
}

void time_print(int64_t ns, struct strbuf *out)
{
	struct tm tm = broken_down(ns);

	strbuf_addf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1,
		    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(ns % SECOND / 1000000));
}

void time_print_gmt(int64_t ns, struct strbuf *out)
{
	struct tm tm = broken_down(ns);

	strbuf_addf(out, "%04d-%02d-%02d %02d:%02d:%02d GMT", tm.tm_year + 1900, tm.tm_mon + 1,
		    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}
