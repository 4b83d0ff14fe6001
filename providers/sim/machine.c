/* One simulated machine: its life, its console. */
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "ec2fs/util/strbuf.h"
#include "providers/sim/world.h"

#include <fcntl.h>
#include <string.h>

static bool same_id(const void *item, const void *key)
{
	return strcmp(((const struct sim_machine *)item)->id, key) == 0;
}

static bool same_machine(const void *item, const void *key)
{
	return item == key;
}

struct sim_machine *sim_machine_find(struct sim_world *w, const char *id)
{
	return table_find(&w->machines, hash_str(id, 0), same_id, id);
}

void sim_machine_print(const struct sim_machine *m, const char *format, ...)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	cleanup_close int fd = -1;
	ssize_t written;
	va_list args;

	if (!m->console)
		return;
	va_start(args, format);
	strbuf_vaddf(&line, format, args);
	va_end(args);
	strbuf_adds(&line, "\r\n"); /* what a serial port sends */
	fd = open(m->console, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	written = write(fd, line.data, line.len);
	(void)written;
}

struct sim_machine *sim_machine_add(struct sim_world *w, const struct machine_spec *spec,
				    uint64_t started_ns)
{
	struct sim_machine *m = xnew(struct sim_machine);

	m->id = xstrdup(spec->id);
	m->owner = xstrdup(spec->owner);
	m->type = xstrdup(spec->type);
	m->console = spec->console ? xstrdup(spec->console) : NULL;
	m->vcpus = spec->vcpus;
	m->memory = spec->memory;
	m->serial = ++w->serial;
	m->started_ns = started_ns;
	m->deaf = w->options.ignore_power_button;
	m->watch = -1;
	for (size_t i = 0; i < spec->disk_count; i++)
		sim_machine_add_disk(m, spec->disks[i].serial);
	table_add(&w->machines, hash_str(m->id, 0), m);
	if (m->console) {
		table_add(&w->by_console, hash_str(m->console, 0), m);
		sim_control_watch(w, m);
	}
	if (w->options.crash_after_ns) {
		m->crash_ns = sim_now() + w->options.crash_after_ns;
		sim_machine_plan(w, m, m->crash_ns);
	}
	sim_machine_changed(w, m->id, MACHINE_END_UNKNOWN);
	return m;
}

void sim_machine_remove(struct sim_world *w, struct sim_machine *m, enum machine_end end)
{
	sim_machine_changed(w, m->id, end);
	table_remove(&w->machines, hash_str(m->id, 0), same_machine, m);
	if (m->console) {
		table_remove(&w->by_console, hash_str(m->console, 0), same_machine, m);
		sim_control_forget(w, m);
	}
	sim_machine_free_disks(m);
	free(m->id);
	free(m->owner);
	free(m->type);
	free(m->console);
	free(m);
}

void sim_machine_boot(struct sim_world *w, struct sim_machine *m, uint64_t delay_ns)
{
	m->booted = false;
	m->off_ns = 0;
	m->boot_ns = sim_now() + delay_ns + w->options.boot_ns;
	sim_machine_print(m, "Linux version 0.0 (sim) %s: %u processors, %ju MiB", m->type,
			  m->vcpus, (uintmax_t)(m->memory >> 20));
	sim_machine_plan(w, m, m->boot_ns);
}

void sim_machine_power_button(struct sim_world *w, struct sim_machine *m)
{
	if (m->deaf || m->off_ns)
		return;
	m->off_ns = m->boot_ns ? m->boot_ns : sim_now();
	m->off_ns += w->options.shutdown_ns;
	sim_machine_print(m, "The system is going down NOW!");
	sim_machine_plan(w, m, m->off_ns);
}
