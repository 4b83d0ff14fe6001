/* Disks that simulated guests get and lose. One that does not listen to the power button does not
 * let go of a disk either. */
#include "ec2fs/util/memory.h"
#include "providers/sim/world.h"

#include <stdlib.h>
#include <string.h>

static size_t find(const struct sim_machine *m, const char *serial)
{
	size_t i = 0;

	while (i < m->disk_count && strcmp(m->disks[i], serial) != 0)
		i++;
	return i;
}

void sim_machine_add_disk(struct sim_machine *m, const char *serial)
{
	if (!serial || find(m, serial) < m->disk_count)
		return;
	array_reserve(m->disks, m->disk_count, m->disk_capacity);
	m->disks[m->disk_count++] = xstrdup(serial);
}

void sim_machine_free_disks(struct sim_machine *m)
{
	for (size_t i = 0; i < m->disk_count; i++)
		free(m->disks[i]);
	free(m->disks);
}

int sim_attach_disk(struct provider *p, const char *id, const struct machine_disk *disk,
		    struct ec2fs_error *error)
{
	struct sim_machine *m;
	int r = sim_lock_machine(sim_world_of(p), id, &m, error);

	if (r < 0)
		return r;
	if (find(m, disk->serial) == m->disk_count)
		sim_machine_print(m, "sim: %s came", disk->serial);
	sim_machine_add_disk(m, disk->serial);
	return sim_leave(sim_world_of(p), 0);
}

int sim_detach_disk(struct provider *p, const char *id, const char *serial,
		    struct ec2fs_error *error)
{
	struct sim_machine *m;
	int r = sim_lock_machine(sim_world_of(p), id, &m, error);
	size_t i;

	if (r < 0)
		return r;
	i = find(m, serial);
	if (i < m->disk_count && !m->deaf) {
		sim_machine_print(m, "sim: %s went", serial);
		free(m->disks[i]);
		m->disks[i] = m->disks[--m->disk_count];
		sim_machine_changed(sim_world_of(p), id, MACHINE_END_UNKNOWN);
	}
	return sim_leave(sim_world_of(p), 0);
}

int sim_cut_disk(struct provider *p, const char *id, const char *serial, struct ec2fs_error *error)
{
	struct sim_machine *m;
	int r = sim_lock_machine(sim_world_of(p), id, &m, error);
	size_t i;

	if (r < 0)
		return r;
	i = find(m, serial);
	if (i < m->disk_count) {
		sim_machine_print(m, "sim: %s was cut off", serial);
		free(m->disks[i]);
		m->disks[i] = m->disks[--m->disk_count];
	}
	return sim_leave(sim_world_of(p), 0);
}

int sim_has_disk(struct provider *p, const char *id, const char *serial, bool *ret,
		 struct ec2fs_error *error)
{
	struct sim_machine *m;
	int r = sim_lock_machine(sim_world_of(p), id, &m, error);

	if (r < 0)
		return r;
	*ret = find(m, serial) < m->disk_count;
	return sim_leave(sim_world_of(p), 0);
}

int sim_resize_disk(struct provider *p, const char *id, const char *serial, uint64_t bytes,
		    struct ec2fs_error *error)
{
	struct sim_machine *m;
	int r = sim_lock_machine(sim_world_of(p), id, &m, error);

	if (r < 0)
		return r;
	if (find(m, serial) < m->disk_count)
		sim_machine_print(m, "sim: %s has %ju bytes", serial, (uintmax_t)bytes);
	return sim_leave(sim_world_of(p), 0);
}

int sim_set_limits(struct provider *p, const char *id, const struct machine_disk *disk,
		   struct ec2fs_error *error)
{
	struct sim_machine *m;
	int r = sim_lock_machine(sim_world_of(p), id, &m, error);

	(void)disk;
	return r < 0 ? r : sim_leave(sim_world_of(p), 0);
}

static int set_paused(struct provider *p, const char *id, bool on, struct ec2fs_error *error)
{
	struct sim_machine *m;
	int r = sim_lock_machine(sim_world_of(p), id, &m, error);

	if (r < 0)
		return r;
	m->paused = on;
	return sim_leave(sim_world_of(p), 0);
}

int sim_pause(struct provider *p, const char *id, struct ec2fs_error *error)
{
	return set_paused(p, id, true, error);
}

int sim_resume(struct provider *p, const char *id, struct ec2fs_error *error)
{
	return set_paused(p, id, false, error);
}
