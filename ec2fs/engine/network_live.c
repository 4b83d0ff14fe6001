/* What netfw sees of an instance's interface now: figures, and whether its guest answers. */
#include "ec2fs/engine/network.h"

#include <errno.h>
#include <inttypes.h>

int network_probe(struct engine *e, uint64_t instance)
{
	struct arena a cleanup_arena = ARENA_INIT;
	const char *vpc, *interface;
	struct netfw *n = network_interface_of(e, instance, &a, &vpc, &interface);
	int r;

	if (!n)
		return -ENODATA;
	r = netfw_probe(n, vpc, interface, NULL);
	return r < 0 ? -ENODATA : r;
}

bool network_metrics(struct engine *e, uint64_t instance, struct strbuf *out)
{
	struct arena a cleanup_arena = ARENA_INIT;
	const char *vpc, *interface;
	struct netfw *n = network_interface_of(e, instance, &a, &vpc, &interface);
	struct netfw_stats s;

	if (!n || netfw_stats(n, vpc, interface, &s, NULL) < 0)
		return false;
	strbuf_addf(out, "network-in %" PRIu64 "\n", s.received_bytes);
	strbuf_addf(out, "network-out %" PRIu64 "\n", s.sent_bytes);
	strbuf_addf(out, "network-packets-in %" PRIu64 "\n", s.received_packets);
	strbuf_addf(out, "network-packets-out %" PRIu64 "\n", s.sent_packets);
	netfw_counters(n, vpc, interface, out, NULL);
	return true;
}
