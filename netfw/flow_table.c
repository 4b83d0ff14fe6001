/* From connections and refused packets to flows. */
#include "netfw/flow_table_internal.h"

#include "ec2fs/util/memory.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define DHCP_SERVER 67
#define DHCP_CLIENT 68

#define INDEX_SIZE (2U * FLOWS_MAX)

struct flow_table *flow_table_new(void)
{
	return xnew(struct flow_table);
}

static void free_items(struct table *t)
{
	for (size_t i = 0; i < t->capacity; i++)
		free(t->cells[i].item);
	table_free(t);
}

void flow_table_free(struct flow_table *t)
{
	if (!t)
		return;
	table_free(&t->by_address);
	table_free(&t->by_tap);
	free_items(&t->by_id);
	free_items(&t->connections);
	free(t->reserved);
	free(t->flows);
	free(t->index);
	free(t);
}

static bool is_reserved(const struct flow_table *t, uint32_t address)
{
	return t->reserved_count &&
	       bsearch(&address, t->reserved, t->reserved_count, sizeof(address), by_number);
}

static bool is_dhcp(uint8_t protocol, uint16_t a, uint16_t b)
{
	return protocol == IPPROTO_UDP &&
	       ((a == DHCP_CLIENT && b == DHCP_SERVER) || (a == DHCP_SERVER && b == DHCP_CLIENT));
}

static bool same_tap(const void *item, const void *key)
{
	return strcmp(((const struct interface *)item)->tap, key) == 0;
}

static const struct interface *at_address(const struct flow_table *t, uint32_t address)
{
	return table_find(&t->by_address, hash_u64(address), same_address, &address);
}

static const struct interface *at_tap(const struct flow_table *t, const char *tap)
{
	return *tap ? table_find(&t->by_tap, hash_str(tap, 0), same_tap, tap) : NULL;
}

/* Flows. */

struct flow *flow_get(struct flow_table *t, const struct flow_key *key, int64_t now)
{
	uint64_t hash = hash_bytes(key, sizeof(*key), 0);
	struct flow *f;

	if (!t->index)
		t->index = xcalloc(INDEX_SIZE, sizeof(*t->index));
	for (; t->index[hash % INDEX_SIZE]; hash++) {
		f = &t->flows[t->index[hash % INDEX_SIZE] - 1];
		if (memcmp(&f->key, key, sizeof(*key)) == 0)
			return f;
	}
	if (t->flow_count == FLOWS_MAX) {
		t->lost = true;
		return NULL;
	}
	array_reserve(t->flows, t->flow_count, t->flow_capacity);
	f = &t->flows[t->flow_count++];
	*f = (struct flow){.key = *key, .first = now, .last = now};
	t->index[hash % INDEX_SIZE] = (uint32_t)t->flow_count;
	return f;
}

static struct flow_key make_key(const struct interface *i, bool accepted, uint8_t protocol)
{
	struct flow_key key = {.protocol = protocol, .accepted = accepted};

	memcpy(key.interface, i->id, sizeof(key.interface));
	return key;
}

static void add(struct flow_table *t, const struct flow_key *key, int64_t packets, int64_t bytes,
		int64_t begin, int64_t now)
{
	struct flow *f = flow_get(t, key, begin);

	if (!f)
		return;
	f->packets += packets;
	f->bytes += bytes;
	if (begin < f->first)
		f->first = begin;
	if (now > f->last)
		f->last = now;
}

/* Both directions of a connection, as one of its interfaces sees them. */
static void add_both(struct flow_table *t, const struct interface *i,
		     const struct flow_connection *c, const struct flow_count *there,
		     const struct flow_count *back, int64_t now)
{
	struct flow_key key = make_key(i, true, c->protocol);
	int64_t begin = c->begin && c->begin < now ? c->begin : now;

	key.source = c->client;
	key.source_port = c->client_port;
	key.destination = c->server;
	key.destination_port = c->server_port;
	if (there->packets)
		add(t, &key, (int64_t)there->packets, (int64_t)there->bytes, begin, now);
	key.source = c->server;
	key.source_port = c->server_port;
	key.destination = c->client;
	key.destination_port = c->client_port;
	if (back->packets)
		add(t, &key, (int64_t)back->packets, (int64_t)back->bytes, begin, now);
}

/* Connections. */

static bool same_connection(const void *item, const void *key)
{
	return ((const struct connection *)item)->key == *(const uint64_t *)key;
}

/* Counters that went back are of another connection, or of one that was counted anew. */
static struct flow_count since(struct flow_count is, struct flow_count was)
{
	if (is.packets < was.packets || is.bytes < was.bytes)
		return is;
	return (struct flow_count){is.packets - was.packets, is.bytes - was.bytes};
}

static void tell(struct flow_table *t, const struct flow_connection *c,
		 const struct connection *before, int64_t now)
{
	struct flow_count there = before ? since(c->there, before->there) : c->there;
	struct flow_count back = before ? since(c->back, before->back) : c->back;
	const struct interface *i;

	if (!there.packets && !back.packets)
		return;
	if (is_reserved(t, c->client) || is_reserved(t, c->server) ||
	    is_dhcp(c->protocol, c->client_port, c->server_port))
		return;
	i = at_address(t, c->client);
	if (i)
		add_both(t, i, c, &there, &back, now);
	i = at_address(t, c->server);
	if (i && c->server != c->client)
		add_both(t, i, c, &there, &back, now);
}

void flow_table_connection(struct flow_table *t, const struct flow_connection *c, bool known,
			   int64_t now)
{
	struct connection *k =
		table_find(&t->connections, hash_u64(c->key), same_connection, &c->key);

	if (!k && t->connections.count == CONNECTIONS_MAX) {
		t->lost = true;
		return;
	}
	if (!known)
		tell(t, c, k, now);
	if (!k) {
		k = xnew(struct connection);
		k->key = c->key;
		table_add(&t->connections, hash_u64(c->key), k);
	}
	k->there = c->there;
	k->back = c->back;
	k->told = true;
}

void flow_table_ended(struct flow_table *t, const struct flow_connection *c, int64_t now)
{
	struct connection *k =
		table_remove(&t->connections, hash_u64(c->key), same_connection, &c->key);

	tell(t, c, k, now);
	free(k);
}

void flow_table_sweep(struct flow_table *t)
{
	struct table rest = {0};

	for (size_t i = 0; i < t->connections.capacity; i++) {
		struct connection *k = t->connections.cells[i].item;

		if (k && k->told) {
			k->told = false;
			table_add(&rest, hash_u64(k->key), k);
		} else {
			free(k);
		}
	}
	table_free(&t->connections);
	t->connections = rest;
}

/* Refusals. */

/* A packet that passed an interface, or did not. A router's shows as its own, as at EC2. */
static void add_packet(struct flow_table *t, const struct interface *i, bool out, bool accepted,
		       const struct flow_refusal *p, int64_t now)
{
	struct flow_key key = make_key(i, accepted, p->protocol);

	key.source = out ? i->address : p->source;
	key.destination = out ? p->destination : i->address;
	key.source_port = p->source_port;
	key.destination_port = p->destination_port;
	add(t, &key, 1, p->bytes, now, now);
}

/* It was counted as accepted by the interface at that address. */
static void take_back(struct flow_table *t, uint32_t address, const struct flow_refusal *p,
		      int64_t now)
{
	const struct interface *i = at_address(t, address);
	struct flow_key key;

	if (!i)
		return;
	key = make_key(i, true, p->protocol);
	key.source = p->source;
	key.destination = p->destination;
	key.source_port = p->source_port;
	key.destination_port = p->destination_port;
	add(t, &key, -1, -(int64_t)p->bytes, now, now);
}

void flow_table_refused(struct flow_table *t, const struct flow_refusal *p, int64_t now)
{
	const struct interface *from = at_tap(t, p->in_tap), *to = at_tap(t, p->out_tap);

	if (is_reserved(t, p->source) || is_reserved(t, p->destination))
		return;
	from = from ? from : at_address(t, p->source);
	to = to ? to : at_address(t, p->destination);
	if (p->out && from)
		add_packet(t, from, true, false, p, now);
	if (!p->out && to)
		add_packet(t, to, false, false, p, now);
	/* What its receiver refused, its sender was allowed to send. */
	if (!p->out && from)
		add_packet(t, from, true, true, p, now);
}

void flow_table_counted(struct flow_table *t, const struct flow_refusal *p, int64_t now)
{
	take_back(t, p->source, p, now);
	if (p->destination != p->source)
		take_back(t, p->destination, p, now);
}

void flow_table_lost(struct flow_table *t)
{
	t->lost = true;
}
