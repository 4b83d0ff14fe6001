/* Worlds: their list, their threads, who is told of what happens in them. */
#include "providers/sim/world.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <time.h>

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER; /* taken before a world's lock */
static struct sim_world *worlds;

uint64_t sim_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void wake(struct sim_world *w)
{
	uint64_t one = 1;
	ssize_t r = write(w->wake_fd, &one, sizeof(one));

	(void)r; /* it fails only when 2^64 - 2 wake-ups wait already */
}

/* The heap: every timer is due no later than the two below it. */
static void push_timer(struct sim_world *w, struct sim_timer timer)
{
	size_t i = w->timer_count;

	array_reserve(w->timers, w->timer_count, w->timer_capacity);
	w->timer_count++;
	for (; i > 0 && w->timers[(i - 1) / 2].due_ns > timer.due_ns; i = (i - 1) / 2)
		w->timers[i] = w->timers[(i - 1) / 2];
	w->timers[i] = timer;
}

static struct sim_timer pop_timer(struct sim_world *w)
{
	struct sim_timer first = w->timers[0], last = w->timers[--w->timer_count];
	size_t i = 0, child;

	for (; (child = 2 * i + 1) < w->timer_count; i = child) {
		if (child + 1 < w->timer_count &&
		    w->timers[child + 1].due_ns < w->timers[child].due_ns)
			child++;
		if (last.due_ns <= w->timers[child].due_ns)
			break;
		w->timers[i] = w->timers[child];
	}
	w->timers[i] = last;
	return first;
}

void sim_machine_plan(struct sim_world *w, const struct sim_machine *m, uint64_t due_ns)
{
	push_timer(w, (struct sim_timer){due_ns, m->serial, xstrdup(m->id)});
	if (w->timers[0].due_ns == due_ns)
		wake(w);
}

void sim_machine_changed(struct sim_world *w, const char *id, enum machine_end end)
{
	array_reserve(w->events, w->event_count, w->event_capacity);
	w->events[w->event_count++] = (struct sim_event){xstrdup(id), end};
	wake(w);
}

/* What has come due for one machine. */
static void act(struct sim_world *w, struct sim_machine *m, uint64_t now)
{
	if (m->saving)
		return; /* its CPUs stand still */
	if (m->boot_ns && m->boot_ns <= now) {
		m->boot_ns = 0;
		m->booted = true;
		sim_machine_print(m, "%s login: ", m->id);
	}
	if (m->crash_ns && m->crash_ns <= now) {
		sim_machine_print(m, "Kernel panic - not syncing: sim was told to crash");
		sim_machine_remove(w, m, MACHINE_END_CRASHED);
	} else if (m->off_ns && m->off_ns <= now) {
		sim_machine_print(m, "reboot: Power down");
		sim_machine_remove(w, m, MACHINE_END_GUEST);
	}
}

/* Does what is due; returns the milliseconds to the next timer, -1 when there is none. */
static int run_timers(struct sim_world *w)
{
	uint64_t now = sim_now();

	while (w->timer_count && w->timers[0].due_ns <= now) {
		struct sim_timer timer = pop_timer(w);
		struct sim_machine *m = sim_machine_find(w, timer.id);

		if (m && m->serial == timer.serial)
			act(w, m, now);
		free(timer.id);
	}
	if (!w->timer_count)
		return -1;
	/* Rounded up: a timer must have come due when we look. */
	now = (w->timers[0].due_ns - now + 999999) / 1000000;
	return now < 3600000 ? (int)now : 3600000;
}

static void free_events(struct sim_event *events, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(events[i].id);
	free(events);
}

/* Tells all providers of all that happened. Called with the lock held, which is let go meanwhile.
 */
static void tell(struct sim_world *w)
{
	struct sim_event *events = steal_pointer(&w->events);
	size_t event_count = w->event_count, provider_count = 0, i = 0;
	cleanup_free struct sim **providers = NULL;
	cleanup_free bool *fresh = NULL;

	w->event_count = w->event_capacity = 0;
	for (struct sim *s = w->providers; s; s = s->next)
		provider_count++;
	providers = xcalloc(provider_count + 1, sizeof(struct sim *));
	fresh = xcalloc(provider_count + 1, sizeof(bool));
	for (struct sim *s = w->providers; s; s = s->next, i++) {
		providers[i] = s;
		fresh[i] = !s->greeted;
		s->greeted = true;
	}
	w->telling = true;
	pthread_mutex_unlock(&w->lock);
	for (i = 0; i < provider_count; i++) {
		struct sim *s = providers[i];

		if (fresh[i])
			s->events.link(s->context, true);
		for (size_t k = 0; k < event_count; k++)
			s->events.machine(s->context, events[k].id, events[k].end);
	}
	free_events(events, event_count);
	pthread_mutex_lock(&w->lock);
	w->telling = false;
	pthread_cond_broadcast(&w->told);
}

static bool something_to_tell(const struct sim_world *w)
{
	for (const struct sim *s = w->providers; s; s = s->next)
		if (!s->greeted)
			return true;
	return w->event_count > 0;
}

static void *run(void *opaque)
{
	struct sim_world *w = opaque;
	int timeout = 0;

	pthread_setname_np(pthread_self(), "sim");
	pthread_mutex_lock(&w->lock);
	while (!w->quit) {
		struct pollfd fds[] = {{w->wake_fd, POLLIN, 0}, {w->inotify_fd, POLLIN, 0}};
		uint64_t count;

		pthread_mutex_unlock(&w->lock);
		poll(fds, 2, timeout);
		if (fds[0].revents && read(w->wake_fd, &count, sizeof(count)) < 0)
			count = 0;
		pthread_mutex_lock(&w->lock);
		if (fds[1].revents)
			sim_control_read(w);
		timeout = run_timers(w);
		if (!w->quit && something_to_tell(w)) {
			tell(w);
			timeout = 0;
		}
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static struct sim_world *new_world(const char *uri, const struct sim_options *options)
{
	struct sim_world *w = xnew(struct sim_world);

	w->uri = xstrdup(uri);
	w->options = *options;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->told, NULL);
	w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	w->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	return w;
}

static void free_world(struct sim_world *w)
{
	for (size_t i = 0; i < w->timer_count; i++)
		free(w->timers[i].id);
	free_events(w->events, w->event_count);
	free(w->timers);
	table_free(&w->machines);
	table_free(&w->by_console);
	table_free(&w->directories);
	close(w->wake_fd);
	if (w->inotify_fd >= 0)
		close(w->inotify_fd);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->told);
	free(w->uri);
	free(w);
}

/* Takes the world out of the list when neither providers nor machines are left. */
static void drop_if_empty(struct sim_world *w)
{
	struct sim_world **link = &worlds;

	if (w->opened || w->machines.count)
		return;
	while (*link != w)
		link = &(*link)->next;
	*link = w->next;
	free_world(w);
}

/* Called with list_lock held. */
static int start_thread(struct sim_world *w, struct ec2fs_error *error)
{
	int r;

	if (w->wake_fd < 0)
		return ec2fs_fail_errno(error, EMFILE, EC2_InternalError,
					"no file descriptor is left for the simulator");
	w->quit = false;
	/* What nobody was there to hear is not told later: a new provider looks at everything. */
	free_events(steal_pointer(&w->events), w->event_count);
	w->event_count = w->event_capacity = 0;
	r = pthread_create(&w->thread, NULL, run, w);
	if (r != 0)
		return ec2fs_fail_errno(error, r, EC2_InternalError,
					"no thread can be had for the simulator: %s", strerror(r));
	return 0;
}

int sim_world_join(struct sim *s, const char *uri, struct ec2fs_error *error)
{
	struct sim_options options;
	struct sim_world *w;
	int r = sim_options_parse(uri, &options, error);

	if (r < 0)
		return r;
	pthread_mutex_lock(&list_lock);
	for (w = worlds; w && strcmp(w->uri, uri) != 0; w = w->next)
		;
	if (!w) {
		w = new_world(uri, &options);
		w->next = worlds;
		worlds = w;
	}
	if (w->opened == 0)
		r = start_thread(w, error);
	if (r == 0) {
		w->opened++;
		s->world = w;
		pthread_mutex_lock(&w->lock);
		s->next = w->providers;
		w->providers = s;
		wake(w);
		pthread_mutex_unlock(&w->lock);
	} else {
		drop_if_empty(w);
	}
	pthread_mutex_unlock(&list_lock);
	return r;
}

void sim_world_leave(struct sim *s)
{
	struct sim_world *w = s->world;
	struct sim **link;

	pthread_mutex_lock(&list_lock);
	pthread_mutex_lock(&w->lock);
	for (link = &w->providers; *link != s; link = &(*link)->next)
		;
	*link = s->next;
	while (w->telling)
		pthread_cond_wait(&w->told, &w->lock);
	if (--w->opened == 0) {
		w->quit = true;
		wake(w);
	}
	pthread_mutex_unlock(&w->lock);
	if (w->opened == 0) {
		pthread_join(w->thread, NULL);
		drop_if_empty(w);
	}
	pthread_mutex_unlock(&list_lock);
}
