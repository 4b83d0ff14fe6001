/* "Did you mean …?" */
#ifndef EC2FS_TEXT_SUGGEST_H
#define EC2FS_TEXT_SUGGEST_H

#include <stddef.h>

/* The candidate nearest to the word, or NULL when none is near. */
const char *suggest(const char *word, const char *const *candidates, size_t count);

#endif
