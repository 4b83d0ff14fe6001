/* libvirt's errors as ours. */
#include "providers/libvirt/internal.h"

#include <libvirt/virterror.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int libvirt_code(void)
{
	virErrorPtr e = virGetLastError();

	return e ? e->code : VIR_ERR_OK;
}

const char *libvirt_message(char *buffer, size_t size)
{
	virErrorPtr e = virGetLastError();
	size_t len;

	if (!e || !e->message || !*e->message)
		return "libvirt failed and did not say why";
	/* QEMU's own words come in several lines, dated ones with a carriage return. */
	snprintf(buffer, size, "%s", e->message);
	len = strlen(buffer);
	while (len && strchr("\r\n ", buffer[len - 1]))
		buffer[--len] = '\0';
	for (char *s = buffer; *s; s++)
		if (*s == '\n' || *s == '\r')
			*s = ' ';
	return buffer;
}

/* Did the call fail because nobody was there to answer it? */
static bool link_is_broken(virErrorPtr e, virConnectPtr connection)
{
	switch (e->code) {
	case VIR_ERR_NO_CONNECT:
	case VIR_ERR_INVALID_CONN:
	case VIR_ERR_RPC:
		return true;
	}
	/* Errors of these two arise on our side of the socket. */
	if (e->domain == VIR_FROM_RPC || e->domain == VIR_FROM_REMOTE)
		return true;
	return connection && virConnectIsAlive(connection) != 1;
}

static enum ec2_code code_of(virErrorPtr e, bool broken)
{
	const char *message = e && e->message ? e->message : "";

	if (!e)
		return EC2_InternalError;
	if (broken)
		return EC2_Unavailable;
	switch (e->code) {
	case VIR_ERR_NO_DOMAIN:
		return EC2_InvalidInstanceID_NotFound;
	case VIR_ERR_NO_MEMORY:
		return EC2_InsufficientInstanceCapacity;
	case VIR_ERR_OPERATION_TIMEOUT: /* another operation holds the domain */
	case VIR_ERR_RESOURCE_BUSY:
		return EC2_Unavailable;
	case VIR_ERR_AUTH_FAILED:
	case VIR_ERR_AUTH_CANCELLED:
	case VIR_ERR_AUTH_UNAVAILABLE:
	case VIR_ERR_ACCESS_DENIED:
	case VIR_ERR_OPERATION_DENIED:
		return EC2_UnauthorizedOperation;
	}
	/* QEMU tells of what it could not get in words only, and libvirt of what it takes away. */
	if (strstr(message, "Cannot allocate memory") || strstr(message, "Resource temporarily"))
		return EC2_InsufficientInstanceCapacity;
	if (strstr(message, "already being removed"))
		return EC2_Unavailable;
	if (strstr(message, "No space left on device"))
		return EC2_InsufficientVolumeCapacity;
	return EC2_InternalError;
}

int libvirt_fail(struct ec2fs_error *error, virConnectPtr connection, const char *format, ...)
{
	char buffer[400], tried[160];
	const char *message = libvirt_message(buffer, sizeof(buffer));
	virErrorPtr e = virSaveLastError(); /* asking whether the link is alive forgets it */
	enum ec2_code code = code_of(e, e && link_is_broken(e, connection));
	va_list args;

	virFreeError(e);
	va_start(args, format);
	vsnprintf(tried, sizeof(tried), format, args);
	va_end(args);
	return ec2fs_fail(error, code, "%s: %s", tried, message);
}
