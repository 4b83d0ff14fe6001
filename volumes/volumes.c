#include "volumes/volumes.h"

#include <stddef.h>

static const struct volumes_ops *const backends[] = {&volumes_file, &volumes_lvm};

const struct volumes_ops *volumes_for(const char *uri)
{
	for (size_t i = 0; i < sizeof(backends) / sizeof(backends[0]); i++)
		if (backends[i]->claims(uri))
			return backends[i];
	return NULL;
}
