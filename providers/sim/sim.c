/*
 * sim: machines that are not there. They start, boot, obey or ignore the power button, crash and
 * are saved in this process's memory, with delays and faults to order (options.h, control.c): for
 * tests, for scale, and for planning a change dry.
 */
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "providers/sim/guest.h"
#include "providers/sim/world.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

static struct sim *sim_of(struct provider *p)
{
	return (struct sim *)p;
}

static bool sim_claims(const char *uri)
{
	return strcmp(uri, "sim") == 0 || strncmp(uri, "sim:", 4) == 0;
}

static int sim_check(const char *uri, struct ec2fs_error *error)
{
	struct sim_options unused;

	return sim_options_parse(uri, &unused, error);
}

static int sim_open(const char *uri, const struct provider_events *events, void *context,
		    struct provider **ret, struct ec2fs_error *error)
{
	cleanup_free struct sim *s = xnew(struct sim);
	int r;

	s->base.ops = &provider_sim;
	s->events = *events;
	s->context = context;
	r = sim_world_join(s, uri, error);
	if (r == 0)
		*ret = &steal_pointer(&s)->base;
	return r;
}

static void sim_close(struct provider *p)
{
	sim_world_leave(sim_of(p));
	free(p);
}

static void take(uint64_t ns)
{
	struct timespec t = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};

	if (ns)
		nanosleep(&t, NULL);
}

static bool sim_takes_taps(const char *uri)
{
	struct sim_options o;

	return sim_options_parse(uri, &o, NULL) == 0 && o.network;
}

static int check_fault(struct sim_world *w, enum sim_verb verb, struct ec2fs_error *error)
{
	if (w->options.fail & 1U << verb)
		return ec2fs_fail(error, EC2_InternalError, "sim was told to fail every %s",
				  sim_verb_name(verb));
	return 0;
}

int sim_enter(struct sim_world *w, enum sim_verb verb, struct ec2fs_error *error)
{
	int r = check_fault(w, verb, error);

	if (r == 0)
		pthread_mutex_lock(&w->lock);
	return r;
}

int sim_lock_machine(struct sim_world *w, const char *id, struct sim_machine **ret,
		     struct ec2fs_error *error)
{
	pthread_mutex_lock(&w->lock);
	*ret = sim_machine_find(w, id);
	return *ret ? 0
		    : sim_leave(w, ec2fs_fail(error, EC2_InvalidInstanceID_NotFound,
					      "no machine %s is running", id));
}

int sim_enter_machine(struct sim_world *w, enum sim_verb verb, const char *id,
		      struct sim_machine **ret, struct ec2fs_error *error)
{
	int r = check_fault(w, verb, error);

	return r < 0 ? r : sim_lock_machine(w, id, ret, error);
}

int sim_leave(struct sim_world *w, int r)
{
	pthread_mutex_unlock(&w->lock);
	return r;
}

/* Is it there already? 1 if it is and may be; the lock is held. */
static int already(struct sim_world *w, const struct machine_spec *spec, struct ec2fs_error *error)
{
	struct sim_machine *m = sim_machine_find(w, spec->id);

	if (!m)
		return 0;
	if (strcmp(m->owner, spec->owner) != 0)
		return ec2fs_fail(error, EC2_OperationNotPermitted,
				  "the machine %s belongs to another ec2fs, %s, and is left alone",
				  spec->id, m->owner);
	if (m->saving)
		return ec2fs_fail(error, EC2_IncorrectInstanceState,
				  "machine %s is still on its way out", spec->id);
	return 1;
}

/* The rest of start and restore, which take their time with the lock not held. */
static int bring_up(struct sim_world *w, const struct machine_spec *spec, uint64_t delay_ns,
		    const uint64_t *uptime_ns, struct ec2fs_error *error)
{
	struct sim_machine *m;
	int r = already(w, spec, error);

	if (r == 0) {
		pthread_mutex_unlock(&w->lock);
		take(delay_ns);
		pthread_mutex_lock(&w->lock);
		r = already(w, spec, error);
	}
	if (r != 0)
		return r < 0 ? r : 0;
	m = sim_machine_add(w, spec, sim_now() - (uptime_ns ? *uptime_ns : 0));
	if (uptime_ns) {
		m->booted = true;
		sim_machine_print(m, "sim: resumed");
	} else {
		sim_machine_boot(w, m, 0);
	}
	return 0;
}

static int sim_start(struct provider *p, const struct machine_spec *spec, struct ec2fs_error *error)
{
	struct sim_world *w = sim_world_of(p);
	int r = sim_enter(w, SIM_start, error);

	if (r < 0)
		return r;
	if (++w->starts == w->options.fail_start)
		return sim_leave(w, ec2fs_fail(error, EC2_InternalError,
					       "sim was told to fail start number %ju",
					       (uintmax_t)w->starts));
	r = sim_leave(w, bring_up(w, spec, w->options.start_ns, NULL, error));
	return r == 0 && spec->tap ? sim_guest_start(spec, error) : r;
}

static int sim_restore(struct provider *p, const struct machine_spec *spec, const char *file,
		       struct ec2fs_error *error)
{
	cleanup_file FILE *f = NULL;
	struct sim_world *w = sim_world_of(p);
	char id[32];
	uint64_t uptime_ns;
	int r = sim_enter(w, SIM_restore, error);

	if (r < 0)
		return r;
	f = fopen(file, "re");
	if (!f)
		return sim_leave(w, ec2fs_fail(error, EC2_InternalError,
					       "cannot restore machine %s from %s: %m", spec->id,
					       file));
	if (fscanf(f, "ec2fs sim 1\nid %31s\nuptime %" SCNu64 "\n", id, &uptime_ns) != 2 ||
	    strcmp(id, spec->id) != 0)
		return sim_leave(w, ec2fs_fail(error, EC2_InternalError,
					       "%s is not the saved memory of machine %s", file,
					       spec->id));
	r = sim_leave(w, bring_up(w, spec, w->options.restore_ns, &uptime_ns, error));
	return r == 0 && spec->tap ? sim_guest_start(spec, error) : r;
}

static int write_memory(const char *file, const char *id, uint64_t uptime_ns,
			struct ec2fs_error *error)
{
	FILE *f = fopen(file, "we");
	bool bad;

	if (!f)
		return ec2fs_fail(error, EC2_InternalError, "cannot save machine %s to %s: %m", id,
				  file);
	fprintf(f, "ec2fs sim 1\nid %s\nuptime %ju\n", id, (uintmax_t)uptime_ns);
	bad = ferror(f);
	if (fclose(f) != 0 || bad)
		return ec2fs_fail(error, EC2_InsufficientVolumeCapacity,
				  "cannot save machine %s to %s: %m", id, file);
	return 0;
}

static int sim_save(struct provider *p, const char *id, const char *file, struct ec2fs_error *error)
{
	struct sim_world *w = sim_world_of(p);
	struct sim_machine *m;
	uint64_t serial;
	int r = sim_enter_machine(w, SIM_save, id, &m, error);

	if (r < 0)
		return r;
	if (m->saving)
		return sim_leave(w, ec2fs_fail(error, EC2_Unavailable,
					       "machine %s is being saved already", id));
	m->saving = true;
	serial = m->serial;
	pthread_mutex_unlock(&w->lock);
	take(w->options.save_ns);
	pthread_mutex_lock(&w->lock);
	m = sim_machine_find(w, id);
	if (!m || m->serial != serial)
		return sim_leave(w, ec2fs_fail(error, EC2_InvalidInstanceID_NotFound,
					       "machine %s went while it was saved", id));
	r = write_memory(file, id, sim_now() - m->started_ns, error);
	m->saving = false;
	if (r == 0)
		sim_machine_remove(w, m, MACHINE_END_SAVED);
	else
		sim_machine_plan(w, m, sim_now()); /* what came due meanwhile */
	return sim_leave(w, r);
}

static int sim_shutdown(struct provider *p, const char *id, struct ec2fs_error *error)
{
	struct sim_world *w = sim_world_of(p);
	struct sim_machine *m;
	int r = sim_enter_machine(w, SIM_shutdown, id, &m, error);

	if (r < 0)
		return r;
	sim_machine_power_button(w, m);
	return sim_leave(w, 0);
}

static int sim_destroy(struct provider *p, const char *id, struct ec2fs_error *error)
{
	struct sim_world *w = sim_world_of(p);
	struct sim_machine *m;
	int r = sim_enter(w, SIM_destroy, error);

	if (r < 0)
		return r;
	m = sim_machine_find(w, id);
	if (m)
		sim_machine_remove(w, m, MACHINE_END_DESTROYED);
	sim_leave(w, 0);
	/* One whose machine ended by itself has waited for this, or for its next start. */
	if (w->options.network)
		sim_guest_end(id);
	return 0;
}

static int sim_reboot(struct provider *p, const char *id, struct ec2fs_error *error)
{
	struct sim_world *w = sim_world_of(p);
	struct sim_machine *m;
	int r = sim_enter_machine(w, SIM_reboot, id, &m, error);

	if (r < 0)
		return r;
	if (!m->deaf) {
		sim_machine_print(m, "reboot: Restarting system");
		sim_machine_boot(w, m, w->options.shutdown_ns);
	}
	return sim_leave(w, 0);
}

static int sim_reset(struct provider *p, const char *id, struct ec2fs_error *error)
{
	struct sim_world *w = sim_world_of(p);
	struct sim_machine *m;
	int r = sim_enter_machine(w, SIM_reset, id, &m, error);

	if (r < 0)
		return r;
	m->deaf = w->options.ignore_power_button; /* a guest that hung does so no more */
	sim_machine_boot(w, m, 0);
	return sim_leave(w, 0);
}

const struct provider_ops provider_sim = {
	.name = "sim",
	.forgets = true,
	.takes_taps = sim_takes_taps,
	.makes_taps = true,
	.claims = sim_claims,
	.check = sim_check,
	.open = sim_open,
	.close = sim_close,
	.start = sim_start,
	.restore = sim_restore,
	.save = sim_save,
	.shutdown = sim_shutdown,
	.destroy = sim_destroy,
	.reboot = sim_reboot,
	.reset = sim_reset,
	.pause = sim_pause,
	.resume = sim_resume,
	.attach_disk = sim_attach_disk,
	.detach_disk = sim_detach_disk,
	.cut_disk = sim_cut_disk,
	.has_disk = sim_has_disk,
	.resize_disk = sim_resize_disk,
	.set_limits = sim_set_limits,
	.observe = sim_observe,
	.list = sim_list,
	.stats = sim_stats,
	.screenshot = sim_screenshot,
	.capacity = sim_capacity,
};
