/* Encrypted volumes: their keys, and what is done with their bytes while no guest has them. */
#ifndef EC2FS_ENGINE_ENCRYPTION_H
#define EC2FS_ENGINE_ENCRYPTION_H

#include "ec2fs/engine/internal.h"
#include "ec2fs/util/luks.h"

/* Bytes that the back end holds for a volume of that size: an encrypted one has a header. */
uint64_t encryption_held_size(const struct resource *volume, uint64_t size);

/* volume_keys.c. A key is a file of the state directory, readable by its owner alone, that holds a
 * passphrase of 256 random bits. */
/* Its path, to be freed. */
char *volume_key_path(struct engine *e, const char *key);
/* Made, on disk, unless it is there. */
int volume_key_make(struct engine *e, const char *key, struct ec2fs_error *error);
/* Removed for ever, unless a volume or snapshot has it still. NULL: nothing is done. */
void volume_key_forget(struct engine *e, const char *key);
/* At the start: removes those that nothing has. */
void volume_keys_sweep(struct engine *e);

/* What an encrypted volume begins with: the first size bytes of a raw file or device; path NULL:
 * nothing, which reads as noise. */
struct encryption_source {
	const char *path;
	uint64_t size;
};
/* Makes the file or device at path, which no guest has, an encrypted one; its key is made when
 * need be. What was on it is gone. On disk when it returns. May be repeated. */
int encryption_make(struct engine *e, const char *key, const char *path,
		    const struct encryption_source *source, struct ec2fs_error *error);
/* Opens what is in the open file or device; to be freed. */
int encryption_open(struct engine *e, const char *key, int fd, struct luks **ret,
		    struct ec2fs_error *error);

#endif
