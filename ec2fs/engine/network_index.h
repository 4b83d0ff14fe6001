/* Which instance has an address of a VPC: what the metadata service asks, without the cloud's lock.
 */
#ifndef EC2FS_ENGINE_NETWORK_INDEX_H
#define EC2FS_ENGINE_NETWORK_INDEX_H

#include <stdint.h>

struct network_index; /* with a lock of its own; nothing else is taken under it */

struct network_index *network_index_new(void);
void network_index_free(struct network_index *x);
void network_index_set(struct network_index *x, const char *vpc, uint32_t address,
		       uint64_t instance);
/* Only if it is still that instance's: the address may be another's already. */
void network_index_drop(struct network_index *x, const char *vpc, uint32_t address,
			uint64_t instance);
/* 0: none. */
uint64_t network_index_get(struct network_index *x, const char *vpc, uint32_t address);

#endif
