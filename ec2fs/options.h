/* The command line of ec2fs, and of mount(8) and fstab(5), which call it the same way. */
#ifndef EC2FS_OPTIONS_H
#define EC2FS_OPTIONS_H

#include <stdbool.h>

struct options {
	char *mountpoint;
	char *state;         /* absolute; "/var/lib/ec2fs" */
	char *compute;       /* of zones made from now on: "qemu:///system" */
	char *storage;       /* "file:STATE/volumes" */
	int stop_timeout;    /* seconds; 120 */
	int scratch_timeout; /* seconds; 600 */
	bool foreground, debug;
	char *mount_options; /* what is left for libfuse and the kernel; NULL: nothing */
};

enum { OPTIONS_GO, OPTIONS_DONE, OPTIONS_WRONG };

/* OPTIONS_GO: *ret is filled, to be freed. OPTIONS_DONE: --help or --version were answered on
 * standard output. OPTIONS_WRONG: what is wrong was told on standard error. */
int options_parse(int argc, char **argv, struct options *ret);
void options_free(struct options *o);

#endif
