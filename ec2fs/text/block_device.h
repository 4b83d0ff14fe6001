/*
 * Block device mappings, one device a line (EC2's BlockDeviceMapping):
 *
 *	/dev/xvda snapshot:gold-xvda size=16 type=io1 iops=500 delete-on-termination=false
 *	/dev/sdf  size:100 type=gp3 throughput=250 encrypted
 *	/dev/sdb  ephemeral0
 *	/dev/sdc  none
 *
 * "size:N" is an empty volume of N GiB; what the line leaves out is as the image has it, or EC2's
 * default. "none" takes away what the image has there.
 */
#ifndef EC2FS_TEXT_BLOCK_DEVICE_H
#define EC2FS_TEXT_BLOCK_DEVICE_H

#include "ec2fs/util/error.h"
#include "ec2fs/util/strbuf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum block_device_content {
	BLOCK_DEVICE_VOLUME,    /* empty, or what the image has there */
	BLOCK_DEVICE_SNAPSHOT,  /* begins as a snapshot */
	BLOCK_DEVICE_EPHEMERAL, /* a disk of the instance store */
	BLOCK_DEVICE_NONE
};

enum block_device_flag { BLOCK_DEVICE_UNSET, BLOCK_DEVICE_FALSE, BLOCK_DEVICE_TRUE };

#define BLOCK_DEVICE_TEXT 264

struct block_device {
	char name[32]; /* "xvda", without "/dev/" */
	enum block_device_content content;
	char snapshot[BLOCK_DEVICE_TEXT]; /* name or ID */
	unsigned ephemeral;
	uint64_t gib; /* 0: not given, as with the others */
	char type[16];
	uint64_t iops, throughput;
	enum block_device_flag delete_on_termination;
	bool encrypted;
};

/* A non-zero answer ends the parse and is its result. */
typedef int block_device_fn(void *context, const struct block_device *d, struct ec2fs_error *error);

/* Calls each with every line. InvalidBlockDeviceMapping, naming the line: what is no device, a
 * device twice, words that are none of the above or stand there twice. */
int block_devices_parse(const char *text, size_t len, block_device_fn *each, void *context,
			struct ec2fs_error *error);
/* Appends the line with its newline. */
void block_device_print(const struct block_device *d, struct strbuf *out);

#endif
