/* What is seen of simulated machines: whether they run, figures, the screen. */
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "providers/sim/world.h"

#include <stdio.h>
#include <string.h>

static enum machine_state state_of(const struct sim_machine *m)
{
	if (m->saving)
		return MACHINE_STOPPING;
	return m->paused ? MACHINE_PAUSED : MACHINE_RUNNING;
}

int sim_observe(struct provider *p, const char *id, enum machine_state *ret,
		struct ec2fs_error *error)
{
	const struct sim_machine *m;
	struct sim_world *w = sim_world_of(p);
	int r = sim_enter(w, SIM_observe, error);

	if (r < 0)
		return r;
	m = sim_machine_find(w, id);
	*ret = m ? state_of(m) : MACHINE_ABSENT;
	return sim_leave(w, 0);
}

int sim_list(struct provider *p, const char *owner,
	     void (*each)(void *context, const char *id, enum machine_state state), void *context,
	     struct ec2fs_error *error)
{
	struct found {
		char id[32];
		enum machine_state state;
	};
	cleanup_free struct found *found = NULL;
	size_t count = 0;
	struct sim_world *w = sim_world_of(p);
	int r = sim_enter(w, SIM_list, error);

	if (r < 0)
		return r;
	found = xcalloc(w->machines.count + 1, sizeof(*found));
	for (size_t i = 0; i < w->machines.capacity; i++) {
		const struct sim_machine *m = w->machines.cells[i].item;

		if (!m || strcmp(m->owner, owner) != 0)
			continue;
		snprintf(found[count].id, sizeof(found[count].id), "%s", m->id);
		found[count++].state = state_of(m);
	}
	sim_leave(w, 0);
	for (size_t i = 0; i < count; i++)
		each(context, found[i].id, found[i].state);
	return 0;
}

/* A machine that does a twentieth of what it could: figures that grow with its uptime, no more. */
int sim_stats(struct provider *p, const char *id, struct machine_stats *ret,
	      struct ec2fs_error *error)
{
	struct sim_world *w = sim_world_of(p);
	struct sim_machine *m;
	int r = sim_enter_machine(w, SIM_stats, id, &m, error);
	uint64_t ns;

	if (r < 0)
		return r;
	ns = sim_now() - m->started_ns;
	*ret = (struct machine_stats){
		.cpu_ns = ns / 20 * m->vcpus,
		.memory = m->memory / 4,
		.disk_read_bytes = ns / 1000000 * 4096,
		.disk_write_bytes = ns / 2000000 * 4096,
		.disk_read_requests = ns / 1000000,
		.disk_write_requests = ns / 2000000,
		.net_receive_bytes = ns / 1000000 * 1000,
		.net_transmit_bytes = ns / 2000000 * 1000,
		.net_receive_packets = ns / 1000000,
		.net_transmit_packets = ns / 2000000,
	};
	return sim_leave(w, 0);
}

int sim_screenshot(struct provider *p, const char *id, struct strbuf *out,
		   struct ec2fs_error *error)
{
	struct sim_world *w = sim_world_of(p);
	struct sim_machine *m;
	uint64_t ns;
	int r = sim_enter_machine(w, SIM_screenshot, id, &m, error);

	if (r < 0)
		return r;
	ns = sim_now() - m->started_ns;
	sim_leave(w, 0);
	return sim_screen(id, ns, out, error);
}

int sim_capacity(struct provider *p, struct provider_capacity *ret, struct ec2fs_error *error)
{
	struct sim_world *w = sim_world_of(p);
	int r = sim_enter(w, SIM_capacity, error);

	if (r < 0)
		return r;
	*ret = (struct provider_capacity){
		.vcpus = w->options.vcpus, .memory = w->options.memory, .accelerated = false};
	return sim_leave(w, 0);
}
