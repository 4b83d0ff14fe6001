/* A simulated machine's screen: its ID in large pixels, over stripes that move with its uptime. */
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "providers/png.h"
#include "providers/sim/world.h"

#include <string.h>

#define WIDTH 320
#define HEIGHT 200
#define SCALE 4 /* a glyph is 3 by 5 dots, a dot SCALE by SCALE pixels */

/* Rows from the top, three bits each. */
static const struct {
	char c;
	uint8_t rows[5];
} glyphs[] = {
	{'0', {7, 5, 5, 5, 7}}, {'1', {2, 6, 2, 2, 7}}, {'2', {7, 1, 7, 4, 7}},
	{'3', {7, 1, 7, 1, 7}}, {'4', {5, 5, 7, 1, 1}}, {'5', {7, 4, 7, 1, 7}},
	{'6', {7, 4, 7, 5, 7}}, {'7', {7, 1, 1, 2, 2}}, {'8', {7, 5, 7, 5, 7}},
	{'9', {7, 5, 7, 1, 7}}, {'a', {2, 5, 7, 5, 5}}, {'b', {6, 5, 6, 5, 6}},
	{'c', {3, 4, 4, 4, 3}}, {'d', {6, 5, 5, 5, 6}}, {'e', {7, 4, 6, 4, 7}},
	{'f', {7, 4, 6, 4, 4}}, {'i', {2, 0, 2, 2, 2}}, {'-', {0, 0, 7, 0, 0}},
};

static void draw_glyph(uint8_t *pixels, unsigned left, unsigned top, char c)
{
	size_t g = 0;

	while (g < sizeof(glyphs) / sizeof(glyphs[0]) && glyphs[g].c != c)
		g++;
	if (g == sizeof(glyphs) / sizeof(glyphs[0]))
		return;
	for (unsigned y = 0; y < 5 * SCALE; y++)
		for (unsigned x = 0; x < 3 * SCALE; x++)
			if (glyphs[g].rows[y / SCALE] & 4 >> x / SCALE)
				memset(pixels + 3 * ((top + y) * WIDTH + left + x), 0xff, 3);
}

int sim_screen(const char *id, uint64_t uptime_ns, struct strbuf *out, struct ec2fs_error *error)
{
	cleanup_free uint8_t *pixels = xcalloc(WIDTH * HEIGHT, 3);
	unsigned shift = (unsigned)(uptime_ns / 100000000);
	unsigned left = (WIDTH - 19 * 4 * SCALE) / 2;

	for (unsigned y = 0; y < HEIGHT; y++)
		for (unsigned x = 0; x < WIDTH; x++) {
			uint8_t *pixel = pixels + 3 * (y * WIDTH + x);

			pixel[1] = (x + y + shift) % 32 < 16 ? 0x30 : 0x40;
			pixel[2] = 0x60;
		}
	for (size_t i = 0; i < 19 && id[i]; i++)
		draw_glyph(pixels, left + (unsigned)i * 4 * SCALE, (HEIGHT - 5 * SCALE) / 2, id[i]);
	return png_write_rgb(WIDTH, HEIGHT, pixels, out, error);
}
