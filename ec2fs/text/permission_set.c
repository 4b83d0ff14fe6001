/* Permissions, each once. */
#include "ec2fs/text/permission.h"

#include "ec2fs/util/memory.h"

#include <stdlib.h>
#include <string.h>

struct member {
	struct permission p; /* its name is in `name` */
	unsigned line;
	char name[];
};

static bool has_name(const struct permission *p)
{
	return p->peer != PEER_CIDR;
}

static bool same(const void *item, const void *key)
{
	const struct permission *a = &((const struct member *)item)->p, *b = key;

	return a->protocol == b->protocol && a->from == b->from && a->to == b->to &&
	       a->type == b->type && a->code == b->code && a->peer == b->peer &&
	       (has_name(a)
			? strcmp(a->name, b->name) == 0
			: a->cidr.address == b->cidr.address && a->cidr.prefix == b->cidr.prefix);
}

static uint64_t hash(const struct permission *p)
{
	uint64_t h = hash_u64((uint64_t)p->from << 48 | (uint64_t)p->to << 32 |
			      (uint64_t)(uint16_t)p->type << 16 | (uint16_t)p->code);

	h = hash_u64(h ^ ((uint64_t)(p->protocol + 1) << 8 | p->peer));
	return has_name(p) ? hash_str(p->name, h)
			   : hash_u64(h ^ ((uint64_t)p->cidr.address << 8 | p->cidr.prefix));
}

bool permission_set_add(struct permission_set *s, const struct permission *p, unsigned line,
			unsigned *ret_line)
{
	uint64_t h = hash(p);
	const struct member *there = table_find(&s->table, h, same, p);
	size_t len = has_name(p) ? strlen(p->name) : 0;
	struct member *m;

	if (there) {
		*ret_line = there->line;
		return false;
	}
	m = xcalloc(1, sizeof(*m) + len + 1);
	m->p = *p;
	m->line = line;
	if (len)
		memcpy(m->name, p->name, len);
	m->p.name = m->name;
	table_add(&s->table, h, m);
	return true;
}

void permission_set_free(struct permission_set *s)
{
	for (size_t i = 0; i < s->table.capacity; i++)
		free(s->table.cells[i].item);
	table_free(&s->table);
	*s = (struct permission_set){0};
}
