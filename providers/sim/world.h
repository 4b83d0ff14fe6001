/*
 * A world of simulated machines: one a URI, in this process's memory alone. It outlives the
 * providers that open it, as real machines outlive the daemon, and has a thread as long as one is
 * open.
 */
#ifndef PROVIDERS_SIM_WORLD_H
#define PROVIDERS_SIM_WORLD_H

#include "ec2fs/util/table.h"
#include "providers/provider.h"
#include "providers/sim/options.h"

#include <pthread.h>

struct sim_machine {
	char *id, *owner, *type, *console;
	unsigned vcpus;
	uint64_t memory;
	uint64_t serial;     /* tells it from earlier machines of that name */
	uint64_t started_ns; /* monotonic clock; before the process if it was restored */
	/* When the guest will have booted, be off, panic; 0: not planned. */
	uint64_t boot_ns, off_ns, crash_ns;
	bool booted, saving, paused;
	char **disks; /* their serials */
	size_t disk_count, disk_capacity;
	bool deaf; /* does not listen to the power button */
	int watch; /* of the console's directory, -1 if none */
};

struct sim {
	struct provider base;
	struct sim_world *world;
	struct provider_events events;
	void *context;
	bool greeted;     /* told that the link is up; under the world's lock */
	struct sim *next; /* under the world's lock */
};

struct sim_timer {
	uint64_t due_ns, serial;
	char *id;
};

struct sim_event {
	char *id;
	enum machine_end end;
};

struct sim_world {
	char *uri;
	struct sim_options options;
	struct sim_world *next;
	unsigned opened;  /* under the list's lock */
	pthread_t thread; /* there while opened */

	pthread_mutex_t lock; /* nothing is called with it held that takes another lock */
	pthread_cond_t told;
	int wake_fd;    /* eventfd */
	int inotify_fd; /* -1: cannot watch */
	/* Under lock: */
	struct sim *providers;
	struct table machines;    /* by ID */
	struct table by_console;  /* by path */
	struct table directories; /* watches, by descriptor */
	struct sim_timer *timers; /* a heap, the next at its root */
	size_t timer_count, timer_capacity;
	struct sim_event *events; /* not told yet */
	size_t event_count, event_capacity;
	uint64_t serial, starts;
	bool telling, quit;
};

uint64_t sim_now(void);

/* Takes part in the world of that URI, made when there is none; told by the world's thread. */
int sim_world_join(struct sim *s, const char *uri, struct ec2fs_error *error);
/* No event comes to s after it returned. */
void sim_world_leave(struct sim *s);

static inline struct sim_world *sim_world_of(struct provider *p)
{
	return ((struct sim *)p)->world;
}

/* A verb that can be told to fail begins here, and takes the world's lock unless it was told to. */
int sim_enter(struct sim_world *w, enum sim_verb verb, struct ec2fs_error *error);
/* The same for verbs that need the machine. */
int sim_enter_machine(struct sim_world *w, enum sim_verb verb, const char *id,
		      struct sim_machine **ret, struct ec2fs_error *error);
/* Takes the world's lock when it has the machine. */
int sim_lock_machine(struct sim_world *w, const char *id, struct sim_machine **ret,
		     struct ec2fs_error *error);
/* The end of each: gives the lock back, and returns r. */
int sim_leave(struct sim_world *w, int r);

/* With the world's lock held: */
struct sim_machine *sim_machine_find(struct sim_world *w, const char *id);
/* A new machine that has run since started_ns and boots from now. */
struct sim_machine *sim_machine_add(struct sim_world *w, const struct machine_spec *spec,
				    uint64_t started_ns);
/* Takes it out, frees it, and plans the event. */
void sim_machine_remove(struct sim_world *w, struct sim_machine *m, enum machine_end end);
/* Asks the thread to look at the machine at that time. */
void sim_machine_plan(struct sim_world *w, const struct sim_machine *m, uint64_t due_ns);
/* The guest starts over: it will have booted after the delay and its boot time. */
void sim_machine_boot(struct sim_world *w, struct sim_machine *m, uint64_t delay_ns);
/* The guest hears the power button: off once booted and shut down. */
void sim_machine_power_button(struct sim_world *w, struct sim_machine *m);
/* Plans the event that something changed. */
void sim_machine_changed(struct sim_world *w, const char *id, enum machine_end end);
/* Writes a line to the serial console; a console that cannot be written loses it. */
void sim_machine_print(const struct sim_machine *m, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* control.c: words for the guest in the file CONSOLE.guest */
void sim_control_watch(struct sim_world *w, struct sim_machine *m);
void sim_control_forget(struct sim_world *w, struct sim_machine *m);
/* Reads what inotify has to say, and does it. */
void sim_control_read(struct sim_world *w);

/* disks.c */
void sim_machine_add_disk(struct sim_machine *m, const char *serial);
void sim_machine_free_disks(struct sim_machine *m);
int sim_pause(struct provider *p, const char *id, struct ec2fs_error *error);
int sim_resume(struct provider *p, const char *id, struct ec2fs_error *error);
int sim_attach_disk(struct provider *p, const char *id, const struct machine_disk *disk,
		    struct ec2fs_error *error);
int sim_detach_disk(struct provider *p, const char *id, const char *serial,
		    struct ec2fs_error *error);
int sim_cut_disk(struct provider *p, const char *id, const char *serial, struct ec2fs_error *error);
int sim_has_disk(struct provider *p, const char *id, const char *serial, bool *ret,
		 struct ec2fs_error *error);
int sim_resize_disk(struct provider *p, const char *id, const char *serial, uint64_t bytes,
		    struct ec2fs_error *error);
int sim_set_limits(struct provider *p, const char *id, const struct machine_disk *disk,
		   struct ec2fs_error *error);

/* looks.c */
int sim_observe(struct provider *p, const char *id, enum machine_state *ret,
		struct ec2fs_error *error);
int sim_list(struct provider *p, const char *owner,
	     void (*each)(void *context, const char *id, enum machine_state state), void *context,
	     struct ec2fs_error *error);
int sim_stats(struct provider *p, const char *id, struct machine_stats *ret,
	      struct ec2fs_error *error);
int sim_screenshot(struct provider *p, const char *id, struct strbuf *out,
		   struct ec2fs_error *error);
int sim_capacity(struct provider *p, struct provider_capacity *ret, struct ec2fs_error *error);

/* screen.c */
int sim_screen(const char *id, uint64_t uptime_ns, struct strbuf *out, struct ec2fs_error *error);

#endif
