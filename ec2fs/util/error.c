#include "ec2fs/util/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int number;
} codes[EC2_CODE_COUNT] = {
#define X(symbol, name, number) [EC2_##symbol] = {name, number},
	EC2_ERROR_CODES(X)
#undef X
};

const char *ec2_code_name(enum ec2_code code)
{
	return codes[code].name;
}

int ec2_code_errno(enum ec2_code code)
{
	return codes[code].number;
}

static int tell(struct ec2fs_error *error, int number, enum ec2_code code, const char *format,
		va_list args)
{
	if (error) {
		error->number = number;
		error->code = code;
		vsnprintf(error->message, sizeof(error->message), format, args);
	}
	return -number;
}

int ec2fs_fail(struct ec2fs_error *error, enum ec2_code code, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = tell(error, codes[code].number, code, format, args);
	va_end(args);
	return r;
}

int ec2fs_fail_errno(struct ec2fs_error *error, int number, enum ec2_code code, const char *format,
		     ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = tell(error, number, code, format, args);
	va_end(args);
	return r;
}

int ec2fs_wrap(struct ec2fs_error *error, const char *format, ...)
{
	char was[sizeof(error->message)];
	va_list args;
	size_t len;

	if (!error)
		return -EIO;
	memcpy(was, error->message, sizeof(was));
	va_start(args, format);
	vsnprintf(error->message, sizeof(error->message), format, args);
	va_end(args);
	len = strlen(error->message);
	/* A long story loses its end, never its beginning. */
	for (const char *s = ": "; *s && len + 1 < sizeof(error->message); s++)
		error->message[len++] = *s;
	for (const char *s = was; *s && len + 1 < sizeof(error->message); s++)
		error->message[len++] = *s;
	error->message[len] = '\0';
	return -error->number;
}
