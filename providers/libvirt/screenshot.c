/* What is on a machine's screen: libvirt sends QEMU's portable pixmap, we make a PNG of it. */
#include "ec2fs/util/cleanup.h"
#include "providers/libvirt/internal.h"
#include "providers/png.h"

#include <stdio.h>
#include <string.h>

/* The largest that QEMU's VGA offers is far below that. */
#define LARGEST_PICTURE (64 << 20)

static void cleanup_streamp(virStreamPtr *stream)
{
	if (*stream)
		virStreamFree(*stream);
}

static int receive(virConnectPtr connection, virStreamPtr stream, struct strbuf *out,
		   struct ec2fs_error *error)
{
	char chunk[65536];
	int got;

	while ((got = virStreamRecv(stream, chunk, sizeof(chunk))) > 0) {
		if (out->len + (size_t)got > LARGEST_PICTURE) {
			virStreamAbort(stream);
			return ec2fs_fail(error, EC2_InternalError,
					  "the screenshot is larger than %d bytes",
					  LARGEST_PICTURE);
		}
		strbuf_add(out, chunk, (size_t)got);
	}
	if (got < 0) {
		int r = libvirt_fail(error, connection, "cannot receive the screenshot");

		virStreamAbort(stream);
		return r;
	}
	if (virStreamFinish(stream) < 0)
		return libvirt_fail(error, connection, "cannot receive the screenshot");
	return 0;
}

/* netpbm's binary RGB: "P6 WIDTH HEIGHT 255\n" and the bytes. */
static int write_pixmap(const struct strbuf *pixmap, struct strbuf *out, struct ec2fs_error *error)
{
	unsigned width, height;
	int header = 0;

	if (sscanf(strbuf_str(pixmap), "P6 %5u %5u 255%n", &width, &height, &header) != 2 ||
	    !header || !width || !height ||
	    pixmap->len - (size_t)header - 1 != (size_t)3 * width * height)
		return ec2fs_fail(error, EC2_InternalError,
				  "libvirt sent a screenshot that is no pixmap of three bytes a "
				  "pixel");
	return png_write_rgb(width, height, (const uint8_t *)pixmap->data + header + 1, out, error);
}

int libvirt_screenshot(struct provider *p, const char *id, struct strbuf *out,
		       struct ec2fs_error *error)
{
	struct libvirt *v = libvirt_of(p);
	cleanup_connection virConnectPtr connection = NULL;
	cleanup_domain virDomainPtr domain = NULL;
	__attribute__((cleanup(cleanup_streamp))) virStreamPtr stream = NULL;
	cleanup_free char *type = NULL;
	cleanup_strbuf struct strbuf picture = STRBUF_INIT;
	int r = libvirt_connection(v, &connection, error);

	if (r == 0)
		r = libvirt_need(v, connection, id, &domain, error);
	if (r < 0)
		return r;
	stream = virStreamNew(connection, 0);
	if (stream)
		type = virDomainScreenshot(domain, stream, 0, 0);
	if (!type)
		return libvirt_fail(error, connection, "cannot take a screenshot of machine %s",
				    id);
	r = receive(connection, stream, &picture, error);
	if (r < 0)
		return r;
	if (strcmp(type, "image/png") == 0) {
		strbuf_add(out, picture.data, picture.len);
		return 0;
	}
	if (strcmp(type, "image/x-portable-pixmap") == 0)
		return write_pixmap(&picture, out, error);
	return ec2fs_fail(error, EC2_InternalError, "libvirt sent a screenshot of the type %s",
			  type);
}
