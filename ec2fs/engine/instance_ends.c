/* The ends of an instance: stopped, hibernated, terminated, forgotten. */
#include "ec2fs/engine/instances.h"

#include "ec2fs/engine/network.h"
#include "ec2fs/engine/storage.h"
#include "ec2fs/model/instance.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/log.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A guest that is still booting misses the power button: it is pressed again that often. */
#define PRESS_AGAIN (5 * 1000000000LL)

static void record_deadline(struct view *v, struct resource *r, const void *context)
{
	const int64_t *deadline = context;

	if (resource_is(r, "@stop", "soft"))
		set_format(v, r, "@stop", "soft %lld", (long long)*deadline);
}

static void record_hibernated(struct view *v, struct resource *r, const void *context)
{
	(void)context;
	instance_saw_hibernated(v, r);
}

static void record_no_hibernation(struct view *v, struct resource *r, const void *context)
{
	/* EC2: "if hibernation fails, a normal shutdown happens". */
	set_text(v, r, "@wanted", "stopped");
	set_format(v, r, "state-reason", "Server.InternalError: hibernation failed: %s",
		   (const char *)context);
}

static void hibernate(struct engine *e, const struct resource *r, struct machine *m)
{
	cleanup_free char *memory = engine_instance_path(e, r->id, "memory");
	struct ec2fs_error error = {0};
	int result = m->provider->ops->save(m->provider, r->id, memory, &error);

	if (result == 0) {
		instance_unplug(e, r, m);
		engine_record(e, r->number, record_hibernated, NULL);
	} else if (result == -EAGAIN) {
		instance_retry_later(e, r);
	} else {
		engine_record(e, r->number, record_no_hibernation, error.message);
	}
}

void instance_stop(struct engine *e, const struct resource *r, struct machine *m)
{
	const char *how = resource_or(r, "@stop", "soft");
	int64_t now = cloud_now(e->cloud), deadline;
	cleanup_free char *memory = engine_instance_path(e, r->id, "memory");
	struct ec2fs_error error = {0};
	enum machine_state state;

	if (instance_look(e, r, m, &state) < 0)
		return;
	if (state == MACHINE_ABSENT) {
		/* Saved, but the daemon ended before it could say so: the end is known or the file
		 * is. */
		instance_unplug(e, r, m);
		if (instance_wants(r, "hibernated") && access(memory, F_OK) == 0)
			engine_record(e, r->number, record_hibernated, NULL);
		else {
			storage_remove_ephemeral(m);
			engine_record(e, r->number, instance_record_gone, NULL);
		}
		instance_take_end(e, r->id);
		return;
	}
	if (instance_wants(r, "hibernated")) {
		hibernate(e, r, m);
		return;
	}
	if (strcmp(how, "soft") == 0) {
		deadline = now + e->stop_timeout;
		if (engine_record(e, r->number, record_deadline, &deadline) < 0)
			return;
	} else {
		deadline = strncmp(how, "soft ", 5) == 0 ? atoll(how + 5) : 0;
	}
	if (now >= deadline) {
		if (m->provider->ops->destroy(m->provider, r->id, &error) < 0)
			instance_retry_later(e, r);
		else
			queue_kick(e->queue, r->number);
		return;
	}
	m->provider->ops->shutdown(m->provider, r->id, &error);
	now += PRESS_AGAIN;
	queue_kick_at(e->queue, r->number,
		      queue_now() + (now < deadline ? PRESS_AGAIN : deadline - now + PRESS_AGAIN));
}

static void record_cleaned(struct view *v, struct resource *r, const void *context)
{
	(void)context;
	instance_saw_cleaned(v, r);
}

void instance_terminate(struct engine *e, const struct resource *r, struct machine *m)
{
	struct ec2fs_error error = {0};
	int result = m->provider->ops->destroy(m->provider, r->id, &error);

	if (result == 0)
		result = network_release(e, r, m, &error);
	if (result < 0) {
		log_warning("%s cannot be cleaned up yet: %s", r->id, error.message);
		instance_retry_later(e, r);
		return;
	}
	storage_remove_ephemeral(m);
	machine_remove_files(e, r->id, false);
	engine_record(e, r->number, record_cleaned, NULL);
}

struct forgetting {
	uint64_t number;
};

static int forget_change(struct view *v, void *context, struct ec2fs_error *error)
{
	const struct forgetting *f = context;
	const struct resource *r = view_get(v, f->number);

	(void)error;
	if (r && instance_state(r) == INSTANCE_TERMINATED && v->now >= instance_forget_time(r))
		view_delete(v, r);
	return 0;
}

void instance_forget(struct engine *e, const struct resource *r)
{
	int64_t left = instance_forget_time(r) - cloud_now(e->cloud);
	struct forgetting f = {r->number};
	struct ec2fs_error error;

	if (left > 0) {
		queue_kick_at(e->queue, r->number, queue_now() + left);
		return;
	}
	machine_remove_files(e, r->id, true);
	live_forget(e, r->id);
	cloud_change(e->cloud, NULL, forget_change, &f, &error);
}
