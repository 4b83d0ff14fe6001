/* Status checks, as EC2 has them: is the machine well, and does its guest answer? Made when
 * somebody looks. */
#include "ec2fs/engine/internal.h"

#include "ec2fs/engine/network.h"
#include "ec2fs/model/instance.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <stdlib.h>
#include <string.h>

/* So long a guest that has not answered yet is still starting. */
#define STARTING (5 * 60 * 1000000000LL)

/* What the record says. */
struct launch {
	bool running;
	char *time;
	int64_t age; /* ns */
};

static void read_launch(struct engine *e, uint64_t number, struct launch *ret)
{
	struct view v = cloud_read(e->cloud);
	const struct resource *r = view_get(&v, number);
	const struct field *f = r ? resource_field(r, "launch-time") : NULL;

	*ret = (struct launch){.running = r && instance_state(r) == INSTANCE_RUNNING};
	ret->time = xstrdup(r ? resource_or(r, "launch-time", "") : "");
	if (f)
		ret->age = cloud_now(e->cloud) - f->mtime;
	cloud_read_end(e->cloud);
}

static const char *check_system(struct provider *p, const char *id)
{
	enum machine_state state;

	if (!p || p->ops->observe(p, id, &state, NULL) < 0)
		return "insufficient-data";
	return state == MACHINE_RUNNING ? "ok" : "impaired";
}

/* Has the guest answered since this launch? Notes it when it does now. */
static bool has_answered(struct engine *e, const char *id, const char *launch, bool now)
{
	struct live *l;
	bool answered;

	pthread_mutex_lock(&e->lock);
	l = live_get(e, id);
	if (now) {
		free(l->answered);
		l->answered = xstrdup(launch);
	}
	answered = l->answered && strcmp(l->answered, launch) == 0;
	pthread_mutex_unlock(&e->lock);
	return answered;
}

static const char *check_instance(struct engine *e, uint64_t number, const char *id,
				  const struct launch *launch)
{
	int r = network_probe(e, number);

	if (r < 0)
		return "insufficient-data";
	if (r > 0) {
		has_answered(e, id, launch->time, true);
		return "ok";
	}
	return launch->age < STARTING && !has_answered(e, id, launch->time, false) ? "initializing"
										   : "impaired";
}

int engine_refresh_status_checks(struct engine *e, uint64_t number, const char *id)
{
	struct strbuf text cleanup_strbuf = STRBUF_INIT;
	const char *system = "not-applicable", *instance = "not-applicable";
	struct launch launch;

	read_launch(e, number, &launch);
	if (launch.running) {
		system = check_system(live_provider(e, number), id);
		instance = check_instance(e, number, id, &launch);
	}
	free(launch.time);
	strbuf_addf(&text, "system %s\ninstance %s\n", system, instance);
	live_keep(e, id, offsetof(struct live, status_checks), &text);
	return 0;
}

void engine_status_checks(struct engine *e, const char *id, struct strbuf *out)
{
	live_show(e, id, offsetof(struct live, status_checks), out);
}
