/* The steps of an instance: its launch and its life; instance_ends.c has the rest. Each looks
 * first, so each may be repeated after any interruption. */
#include "ec2fs/engine/instances.h"

#include "ec2fs/engine/network.h"
#include "ec2fs/engine/storage.h"
#include "ec2fs/model/instance.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/log.h"

#include <stdio.h>
#include <string.h>

/* How long after its machine an event may come. */
#define GRACE (500 * 1000000LL)
/* While a back end is not there. */
#define RETRY_FIRST (200 * 1000000LL)
#define RETRY_MOST (30 * 1000000000LL)

void instance_retry_later(struct engine *e, const struct resource *r)
{
	int64_t wait = RETRY_FIRST;
	unsigned n;

	pthread_mutex_lock(&e->lock);
	n = live_get(e, r->id)->failures++;
	pthread_mutex_unlock(&e->lock);
	while (n-- && wait < RETRY_MOST)
		wait *= 2;
	queue_kick_at(e->queue, r->number, queue_now() + (wait < RETRY_MOST ? wait : RETRY_MOST));
}

static void went_well(struct engine *e, const struct resource *r)
{
	pthread_mutex_lock(&e->lock);
	live_get(e, r->id)->failures = 0;
	pthread_mutex_unlock(&e->lock);
}

enum machine_end instance_take_end(struct engine *e, const char *id)
{
	enum machine_end end;
	struct live *l;

	pthread_mutex_lock(&e->lock);
	l = live_get(e, id);
	end = l->end;
	l->end = MACHINE_END_UNKNOWN;
	pthread_mutex_unlock(&e->lock);
	return end;
}

static void record_waiting(struct view *v, struct resource *r, const void *context)
{
	if (instance_state(r) == INSTANCE_PENDING)
		set_text(v, r, "state-reason", context);
}

struct launched {
	const char *boot_id;
};

static void record_running(struct view *v, struct resource *r, const void *context)
{
	const struct launched *l = context;

	if (instance_state(r) != INSTANCE_PENDING)
		return;
	instance_saw_running(v, r);
	set_text(v, r, "@launched", l->boot_id);
}

static void record_failure(struct view *v, struct resource *r, const void *context)
{
	instance_saw_failure(v, r, context);
}

static void launch(struct engine *e, const struct resource *r, struct machine *m)
{
	struct launched l = {machine_boot_id(e, m)};
	struct ec2fs_error error = {0};
	bool wakes = resource_is(r, "@hibernated", "true");
	cleanup_free char *memory = engine_instance_path(e, r->id, "memory");
	enum machine_state state = MACHINE_ABSENT;
	int result;

	/* The volume's job kicks this one. */
	if (m->waits && !m->broken)
		return;
	result = m->broken ? ec2fs_fail(&error, EC2_InternalError, "a volume: %s", m->broken)
			   : machine_prepare(e, m, &error);
	if (result == 0)
		result = network_prepare(e, r, m, &error);
	if (result == 0 && m->store.count)
		result = m->provider->ops->observe(m->provider, r->id, &state, &error);
	if (result == 0)
		result = storage_make_ephemeral(m, state == MACHINE_ABSENT && !wakes, &error);
	if (result == 0 && !storage_machine_begins(e, r->id, m)) {
		queue_kick_at(e->queue, r->number, queue_now() + RETRY_FIRST);
		return;
	}
	if (result == 0)
		instance_take_end(e, r->id);
	if (result == 0 && wakes)
		result = m->provider->ops->restore(m->provider, &m->spec, memory, &error);
	else if (result == 0)
		result = m->provider->ops->start(m->provider, &m->spec, &error);
	storage_machine_began(e, r->id);
	if (result == -EAGAIN) {
		if (!resource_is(r, "state-reason", error.message))
			engine_record(e, r->number, record_waiting, error.message);
		instance_retry_later(e, r);
		return;
	}
	if (result < 0) {
		log_warning("%s cannot start: %s", r->id, error.message);
		engine_record(e, r->number, record_failure, &error);
		return;
	}
	went_well(e, r);
	if (engine_record(e, r->number, record_running, &l) == 0 && wakes)
		remove(memory);
	/* It may have ended before it was recorded as running. */
	queue_kick(e->queue, r->number);
}

static const char *end_reason(enum machine_end end)
{
	switch (end) {
	case MACHINE_END_GUEST:
		return "Client.InstanceInitiatedShutdown: Instance initiated shutdown";
	case MACHINE_END_CRASHED:
		return "Client.InternalError: the guest crashed";
	case MACHINE_END_DESTROYED:
		return "Server.InternalError: the machine was ended from outside";
	default:
		return "Client.InstanceInitiatedShutdown: the machine ended while nobody watched";
	}
}

void instance_record_gone(struct view *v, struct resource *r, const void *context)
{
	instance_saw_gone(v, r, context);
}

static void record_host_restart(struct view *v, struct resource *r, const void *context)
{
	(void)context;
	if (instance_state(r) == INSTANCE_RUNNING)
		set_text(v, r, "state", "pending");
}

static void record_reboot(struct view *v, struct resource *r, const void *context)
{
	/* Only the request that was carried out: a newer one stands. */
	if (resource_is(r, "@reboot", context))
		instance_saw_reboot(v, r);
}

int instance_look(struct engine *e, const struct resource *r, struct machine *m,
		  enum machine_state *ret)
{
	struct ec2fs_error error = {0};
	int result = m->provider->ops->observe(m->provider, r->id, ret, &error);

	/* The link's return kicks every instance of the zone; other trouble is retried. */
	if (result < 0 && atomic_load(&m->compute->up))
		instance_retry_later(e, r);
	else if (result == 0)
		went_well(e, r);
	return result;
}

/* The event that tells why may come a moment after the machine is gone: it is given that moment. */
static bool first_miss(struct engine *e, const char *id)
{
	struct live *l;
	bool first;

	pthread_mutex_lock(&e->lock);
	l = live_get(e, id);
	first = l->end == MACHINE_END_UNKNOWN && !l->missed;
	l->missed = first;
	pthread_mutex_unlock(&e->lock);
	return first;
}

void instance_unplug(struct engine *e, const struct resource *r, struct machine *m)
{
	struct ec2fs_error error = {0};

	if (network_release(e, r, m, &error) < 0)
		log_warning("%s: its network: %s", r->id, error.message);
}

static void watch_running(struct engine *e, const struct resource *r, struct machine *m)
{
	const char *reboot = resource_get(r, "@reboot");
	struct ec2fs_error error = {0};
	enum machine_state state;
	int result;

	if (instance_look(e, r, m, &state) < 0)
		return;
	if (state == MACHINE_ABSENT) {
		/* After a restart of the host it runs again, as EC2 recovers instances. */
		if (!resource_is(r, "@launched", machine_boot_id(e, m))) {
			engine_record(e, r->number, record_host_restart, NULL);
		} else if (first_miss(e, r->id)) {
			queue_kick_at(e->queue, r->number, queue_now() + GRACE);
		} else {
			instance_unplug(e, r, m);
			storage_remove_ephemeral(m);
			engine_record(e, r->number, instance_record_gone,
				      end_reason(instance_take_end(e, r->id)));
		}
		return;
	}
	/* Paused for a snapshot by a daemon that did not live to let it go on. */
	if (state == MACHINE_PAUSED && !storage_is_held(e, r->id) &&
	    m->provider->ops->resume(m->provider, r->id, &error) < 0)
		instance_retry_later(e, r);
	engine_attachments(e, r, m);
	if (network_watch(e, r, m, &error) < 0) {
		log_warning("%s: its network: %s", r->id, error.message);
		instance_retry_later(e, r);
	}
	if (!reboot)
		return;
	if (strncmp(reboot, "soft", 4) == 0)
		result = m->provider->ops->reboot(m->provider, r->id, &error);
	else
		result = m->provider->ops->reset(m->provider, r->id, &error);
	if (result == 0)
		engine_record(e, r->number, record_reboot, reboot);
	else
		instance_retry_later(e, r);
}

void engine_instance_job(struct engine *e, const struct resource *r)
{
	struct machine m cleanup_machine = {0};
	struct ec2fs_error error = {0};
	enum instance_state state = instance_state(r);
	int result;

	if (state == INSTANCE_DRAFT || state == INSTANCE_STOPPED)
		return;
	if (state == INSTANCE_TERMINATED) {
		instance_forget(e, r);
		return;
	}
	result = machine_describe(e, r, &m, &error);
	if (result < 0) {
		log_warning("%s: %s", r->id, error.message);
		if (state == INSTANCE_PENDING && result == -EAGAIN &&
		    !resource_is(r, "state-reason", error.message))
			engine_record(e, r->number, record_waiting, error.message);
		if (state == INSTANCE_PENDING && result != -EAGAIN)
			engine_record(e, r->number, record_failure, &error);
		else
			instance_retry_later(e, r);
		return;
	}
	switch (state) {
	case INSTANCE_PENDING:
		launch(e, r, &m);
		break;
	case INSTANCE_RUNNING:
		watch_running(e, r, &m);
		break;
	case INSTANCE_STOPPING:
		instance_stop(e, r, &m);
		break;
	case INSTANCE_SHUTTING_DOWN:
		instance_terminate(e, r, &m);
		break;
	default:
		break;
	}
}
