/* Disks that a running machine gets and loses; each step looks first. */
#include "ec2fs/engine/machine.h"
#include "ec2fs/engine/storage.h"
#include "ec2fs/model/storage.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/log.h"
#include "ec2fs/util/memory.h"

#include <inttypes.h>
#include <string.h>

#define SOON (300 * 1000000LL)
#define LATER (3 * 1000000000LL)
/* A guest that has not let go by then is called busy; it may still. */
#define PATIENCE (6 * 1000000000LL)

struct change {
	uint64_t number; /* the attachment's */
	uint64_t volume;
	char *serial;
	enum attachment_state state;
	bool forced;
};

static void record_attached(struct view *v, struct resource *r, const void *context)
{
	(void)context;
	attachment_saw_attached(v, r);
}

static void record_failure(struct view *v, struct resource *r, const void *context)
{
	attachment_saw_failure(v, r, context);
}

static void record_busy(struct view *v, struct resource *r, const void *context)
{
	(void)context;
	attachment_saw_busy(v, r);
}

static void record_detached(struct view *v, struct resource *r, const void *context)
{
	(void)context;
	attachment_saw_detached(v, r);
}

static void attach(struct engine *e, const struct resource *instance, struct machine *m,
		   const struct change *c)
{
	struct provider *p = m->provider;
	struct ec2fs_error error = {0};
	struct machine_disk disk = {0};
	int r;

	for (size_t i = 0; i < m->spec.disk_count; i++)
		if (strcmp(m->disks[i].serial, c->serial) == 0)
			disk = m->disks[i];
	if (!disk.path)
		return;
	/* Names are counted anew at each start: this machine may have used that one. */
	disk.target = NULL;
	if (!storage_machine_begins(e, instance->id, m)) {
		queue_kick_at(e->queue, instance->number, queue_now() + SOON);
		return;
	}
	r = p->ops->attach_disk(p, instance->id, &disk, &error);
	storage_machine_began(e, instance->id);
	if (r == -EAGAIN || r == -ENOENT)
		queue_kick_at(e->queue, instance->number, queue_now() + LATER);
	else if (r < 0)
		engine_record(e, c->number, record_failure, &error);
	else
		engine_record(e, c->number, record_attached, NULL);
}

static void detach(struct engine *e, const struct resource *instance, struct machine *m,
		   const struct change *c)
{
	/* An attachment's number is never another's. */
	cleanup_free char *key = xasprintf("attachment-%" PRIu64, c->number);
	struct provider *p = m->provider;
	struct ec2fs_error error = {0};
	int64_t now = queue_now(), first;
	bool there = true, ask, kept;
	struct live *l;
	int r = p->ops->has_disk(p, instance->id, c->serial, &there, &error);

	if (r == 0 && !there) {
		live_forget(e, key);
		engine_record(e, c->number, record_detached, NULL);
		return;
	}
	if (r == 0 && c->forced) {
		r = p->ops->cut_disk(p, instance->id, c->serial, &error);
		if (r == 0) {
			/* It may let go of the device yet. */
			p->ops->detach_disk(p, instance->id, c->serial, &error);
			live_forget(e, key);
			engine_record(e, c->number, record_detached, NULL);
			return;
		}
		log_warning("%s: %s", instance->id, error.message);
	}
	pthread_mutex_lock(&e->lock);
	l = live_get(e, key);
	if (!l->first_asked)
		l->first_asked = now;
	first = l->first_asked;
	kept = live_get(e, instance->id)->kept > first;
	/* A guest that was booting has not heard it. */
	ask = r == 0 && (!l->asked || now - l->asked > PATIENCE);
	if (ask)
		l->asked = now;
	pthread_mutex_unlock(&e->lock);
	/* What was asked already fails for as long as the guest thinks about it. */
	if (ask && p->ops->detach_disk(p, instance->id, c->serial, &error) < 0 && first == now)
		log_warning("%s: %s", instance->id, error.message);
	if ((kept || now - first > PATIENCE) && c->state == ATTACHMENT_DETACHING)
		engine_record(e, c->number, record_busy, NULL);
	/* An event tells when it has gone. */
	queue_kick_at(e->queue, instance->number, now + PATIENCE + SOON);
}

void engine_attachments(struct engine *e, const struct resource *instance, struct machine *m)
{
	struct change changes[MOST_ATTACHMENTS];
	size_t count = 0;
	struct view v = cloud_read(e->cloud);

	view_each (&v, instance->number, KIND_ATTACHMENT, a) {
		const struct resource *volume = attachment_volume(&v, a);

		if (!volume || attachment_state(a) == ATTACHMENT_ATTACHED ||
		    count == MOST_ATTACHMENTS)
			continue;
		changes[count++] = (struct change){.number = a->number,
						   .volume = volume->number,
						   .serial = storage_serial(volume->id),
						   .state = attachment_state(a),
						   .forced = attachment_is_forced(a)};
	}
	cloud_read_end(e->cloud);
	for (size_t i = 0; i < count; i++) {
		if (changes[i].state == ATTACHMENT_ATTACHING)
			attach(e, instance, m, &changes[i]);
		else
			detach(e, instance, m, &changes[i]);
		free(changes[i].serial);
	}
}
