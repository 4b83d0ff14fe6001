/* Flows as lines of EC2's flow logs, and the end of an interval. */
#include "netfw/flow_table_internal.h"

#include <inttypes.h>
#include <stdlib.h>

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
					 ? flow_get(t, &old[i].key, now)
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
	flow_bury_interfaces(t);
}
