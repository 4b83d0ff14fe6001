/* Writing a picture as PNG. */
#ifndef PROVIDERS_PNG_H
#define PROVIDERS_PNG_H

#include "ec2fs/util/error.h"
#include "ec2fs/util/strbuf.h"

#include <stdint.h>

/*
 * Appends the picture (rows from the top, three bytes a pixel: red, green, blue) to out as the
 * bytes of a PNG file. ENOMEM, or EIO when libpng refuses it; out is unchanged then.
 */
int png_write_rgb(unsigned width, unsigned height, const uint8_t *pixels, struct strbuf *out,
		  struct ec2fs_error *error);

#endif
