#include "providers/png.h"

#include "ec2fs/util/cleanup.h"

#include <png.h>

int png_write_rgb(unsigned width, unsigned height, const uint8_t *pixels, struct strbuf *out,
		  struct ec2fs_error *error)
{
	png_image image = {
		.version = PNG_IMAGE_VERSION,
		.width = width,
		.height = height,
		.format = PNG_FORMAT_RGB,
		.flags = PNG_IMAGE_FLAG_FAST, /* looked at once, thrown away soon */
	};
	png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
	cleanup_free void *file = malloc(size);

	if (!file)
		return ec2fs_fail_errno(error, ENOMEM, EC2_InternalError,
					"no memory for a screenshot of %ux%u pixels", width,
					height);
	if (!png_image_write_to_memory(&image, file, &size, 0, pixels, 0, NULL))
		return ec2fs_fail(error, EC2_InternalError,
				  "libpng cannot write a picture of %ux%u pixels: %s", width,
				  height, image.message);
	strbuf_add(out, file, size);
	return 0;
}
