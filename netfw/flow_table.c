#include "netfw/flow_table.h"

#include "ec2fs/util/memory.h"
#include "ec2fs/util/table.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define METADATA 0xa9fea9feU /* 169.254.169.254 */
#define RESOLVER 0xa9fea9fdU /* 169.254.169.253 */
#define CLOCK 0xa9fea97bU    /* 169.254.169.123 */
#define DHCP_SERVER 67
#define DHCP_CLIENT 68

struct interface {
	char id[24], tap[16];
	uint32_t address;
	bool gone; /* kept until the interval ends */
};

/* What makes a flow. No padding: it is hashed and compared as bytes. */
struct flow_key {
	char interface[24];
	uint32_t source, destination;
	uint16_t source_port, destination_port;
	uint8_t protocol, accepted;
	uint16_t none;
};

struct flow {
	struct flow_key key;
	int64_t packets, bytes; /* below 0 while refusals were told and their connection was not */
	int64_t first, last;
	bool carried; /* from the interval before */
};

struct connection {
	uint64_t key;
	struct flow_count there, back;
	bool told; /* since the last sweep */
};

struct flow_table {
	struct table by_id, by_address, by_tap; /* of struct interface; the first owns */
	uint32_t *reserved;                     /* sorted */
	size_t reserved_count;
	struct flow *flows;
	size_t flow_count, flow_capacity;
	uint32_t *index; /* hash to flow + 1, linear probing; twice FLOWS_MAX, made when needed */
	struct table connections;
	bool lost;
};

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

/* Who may be talked to without a word. */

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

void flow_table_set_vpc(struct flow_table *t, const struct netfw_vpc *vpc)
{
	size_t n = 0;

	free(t->reserved);
	t->reserved = xcalloc(5 + vpc->cidr_count + 2 * vpc->subnet_count, sizeof(*t->reserved));
	t->reserved[n++] = METADATA;
	t->reserved[n++] = RESOLVER;
	t->reserved[n++] = CLOCK;
	t->reserved[n++] = INADDR_ANY;
	t->reserved[n++] = INADDR_BROADCAST;
	for (size_t i = 0; i < vpc->cidr_count; i++)
		t->reserved[n++] = vpc->cidrs[i].address + 2;
	for (size_t i = 0; i < vpc->subnet_count; i++) {
		t->reserved[n++] = vpc->subnets[i].cidr.address + 1;
		t->reserved[n++] = vpc->subnets[i].cidr.address + 2;
	}
	qsort(t->reserved, n, sizeof(*t->reserved), by_number);
	t->reserved_count = n;
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

/* Interfaces. */

static bool same_id(const void *item, const void *key)
{
	return strcmp(((const struct interface *)item)->id, key) == 0;
}

static bool same_tap(const void *item, const void *key)
{
	return strcmp(((const struct interface *)item)->tap, key) == 0;
}

static bool same_address(const void *item, const void *key)
{
	return ((const struct interface *)item)->address == *(const uint32_t *)key;
}

static bool same_item(const void *item, const void *key)
{
	return item == key;
}

static const struct interface *at_address(const struct flow_table *t, uint32_t address)
{
	return table_find(&t->by_address, hash_u64(address), same_address, &address);
}

static const struct interface *at_tap(const struct flow_table *t, const char *tap)
{
	return *tap ? table_find(&t->by_tap, hash_str(tap, 0), same_tap, tap) : NULL;
}

void flow_table_set_interface(struct flow_table *t, const char *id, uint32_t address)
{
	struct interface *i = table_find(&t->by_id, hash_str(id, 0), same_id, id);

	if (!i) {
		i = xnew(struct interface);
		snprintf(i->id, sizeof(i->id), "%s", id);
		netfw_tap_name(id, i->tap);
		table_add(&t->by_id, hash_str(i->id, 0), i);
		table_add(&t->by_tap, hash_str(i->tap, 0), i);
	} else {
		table_remove(&t->by_address, hash_u64(i->address), same_item, i);
	}
	i->gone = false;
	/* One that is gone and had it before. */
	table_remove(&t->by_address, hash_u64(address), same_address, &address);
	i->address = address;
	table_add(&t->by_address, hash_u64(address), i);
}

void flow_table_drop_interface(struct flow_table *t, const char *id)
{
	struct interface *i = table_find(&t->by_id, hash_str(id, 0), same_id, id);

	if (i)
		i->gone = true;
}

static void bury_interfaces(struct flow_table *t)
{
	struct interface **gone = xcalloc(t->by_id.count + 1, sizeof(struct interface *));
	size_t count = 0;

	for (size_t c = 0; c < t->by_id.capacity; c++) {
		struct interface *i = t->by_id.cells[c].item;

		if (i && i->gone)
			gone[count++] = i;
	}
	while (count) {
		struct interface *i = gone[--count];

		table_remove(&t->by_address, hash_u64(i->address), same_item, i);
		table_remove(&t->by_tap, hash_str(i->tap, 0), same_item, i);
		table_remove(&t->by_id, hash_str(i->id, 0), same_item, i);
		free(i);
	}
	free(gone);
}

/* Flows. */

/* NULL: there is no room for another one. */
static struct flow *get_flow(struct flow_table *t, const struct flow_key *key, int64_t now)
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
	struct flow *f = get_flow(t, key, begin);

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

/* The log. */

static void print_address(uint32_t a, struct strbuf *out)
{
	strbuf_addf(out, " %u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

static void print_flow(const struct flow *f, const char *account, int64_t begin, int64_t end,
		       struct strbuf *out)
{
	const struct flow_key *k = &f->key;
	int64_t first = f->first > begin ? f->first : begin;
	int64_t last = f->last < end ? f->last : end;

	strbuf_addf(out, "2 %s %s", account, k->interface);
	print_address(k->source, out);
	print_address(k->destination, out);
	strbuf_addf(out, " %u %u %u %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %s OK\n",
		    k->source_port, k->destination_port, k->protocol, f->packets,
		    f->bytes > 0 ? f->bytes : 0, first, last > first ? last : first,
		    k->accepted ? "ACCEPT" : "REJECT");
}

/* What was refused, and comes to be counted as accepted only in the next interval, waits for that;
 * a flood's memory is given back. */
static void carry_on(struct flow_table *t, int64_t now)
{
	struct flow *old = t->flows;
	size_t count = t->flow_count;

	free(t->index);
	t->flows = NULL;
	t->index = NULL;
	t->flow_count = t->flow_capacity = 0;
	for (size_t i = 0; i < count; i++) {
		struct flow *f = old[i].packets < 0 && !old[i].carried
					 ? get_flow(t, &old[i].key, now)
					 : NULL;

		if (f) {
			f->packets = old[i].packets;
			f->bytes = old[i].bytes;
			f->carried = true;
		}
	}
	free(old);
}

void flow_table_print(struct flow_table *t, const struct netfw_flow_logs *what, int64_t begin,
		      int64_t end, struct strbuf *out)
{
	for (size_t i = 0; i < t->flow_count; i++) {
		const struct flow *f = &t->flows[i];
		unsigned kind = f->key.accepted ? NETFW_FLOWS_ACCEPTED : NETFW_FLOWS_REJECTED;

		if (f->packets > 0 && (what->flows & kind))
			print_flow(f, what->account, begin, end, out);
	}
	if (t->lost)
		strbuf_addf(out, "2 %s - - - - - - - - %" PRId64 " %" PRId64 " - SKIPDATA\n",
			    what->account, begin, end);
	t->lost = false;
	carry_on(t, end);
	bury_interfaces(t);
}
