#include "ec2fs/text/suggest.h"

#include <string.h>

#define LONGEST 64

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Insertions, deletions and replacements between the two (Levenshtein), by rows. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t row[LONGEST + 1];

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t change = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = least(change, least(row[j], row[j - 1]) + 1);
		}
	}
	return row[b_len];
}

const char *suggest(const char *word, const char *const *candidates, size_t count)
{
	size_t len = strlen(word), best = least(len, len / 3 + 2);
	const char *near = NULL;

	if (!len || len > LONGEST)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(candidates[i]), d;

		if (n > LONGEST)
			continue;
		d = distance(word, len, candidates[i], n);
		/* A word that the candidate begins or ends with is an abbreviation of it. */
		if (len >= 3 && (strncmp(candidates[i], word, len) == 0 ||
				 (n > len && strcmp(candidates[i] + n - len, word) == 0)))
			d = 1;
		if (d < best) {
			best = d;
			near = candidates[i];
		}
	}
	return near;
}
