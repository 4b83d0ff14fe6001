/* IPv4 addresses and CIDR blocks, as text. */
#ifndef EC2FS_TEXT_CIDR_H
#define EC2FS_TEXT_CIDR_H

#include "ec2fs/util/error.h"

#include <stdbool.h>
#include <stdint.h>

struct cidr {
	uint32_t address; /* host byte order, no host bits */
	uint8_t prefix;
};

#define CIDR_TEXT 19 /* bytes of the longest, its NUL too */

/* "10.0.0.5". */
int address_parse(const char *text, uint32_t *ret, struct ec2fs_error *error);
void address_print(uint32_t address, char out[CIDR_TEXT]);
/*
 * "10.0.0.0/16". Host bits are refused, and the message says what would be right: EC2 corrects them
 * silently, but a file reads back what was written.
 */
int cidr_parse(const char *text, struct cidr *ret, struct ec2fs_error *error);
void cidr_print(struct cidr c, char out[CIDR_TEXT]);

uint32_t cidr_last(struct cidr c);
bool cidr_has(struct cidr c, uint32_t address);
/* Is all of `inner` in `outer`? */
bool cidr_contains(struct cidr outer, struct cidr inner);
bool cidr_overlaps(struct cidr a, struct cidr b);

#endif
