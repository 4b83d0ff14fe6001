#include "netfw/flow_logs.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/log.h"
#include "ec2fs/util/memory.h"
#include "netfw/flow_file.h"
#include "netfw/flow_messages.h"
#include "netfw/flow_sockets.h"
#include "netfw/namespaces.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#define SECOND 1000000000LL
/* Messages that are heard in a second. */
#define PACE 50000
/* More than can wait in a socket. */
#define EVERYTHING 100000

struct flow_logs {
	char *vpc, *directory;
	void (*written)(void *context, const char *vpc);
	void *context;
	pthread_t thread;
	int wake; /* eventfd: ending, or the interval is another one */
	struct flow_sockets sockets;

	pthread_mutex_t mutex; /* guards what follows; nothing is taken under it */
	struct netfw_flow_logs what;
	struct flow_table *table;
	bool ending;

	/* The thread's own. */
	bool running;       /* an interval is under way */
	int64_t since;      /* when it began, monotonic ns */
	int64_t begin;      /* the same, in seconds since the epoch */
	int64_t second;     /* the one that `heard` counts for, monotonic */
	unsigned heard;     /* messages in this second */
	bool ends;          /* ends of connections are wanted */
	size_t connections; /* that the last dump told of */
	bool known;         /* what this dump tells of is of before */
	bool began;         /* a message came */
	bool trouble;       /* with the file, and it was said */
};

static int64_t monotonic(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

static int64_t wanted_interval(struct flow_logs *f)
{
	int64_t interval;

	pthread_mutex_lock(&f->mutex);
	interval = f->what.interval;
	pthread_mutex_unlock(&f->mutex);
	return (interval > 0 ? interval : 1) * SECOND;
}

/* Messages. The mutex is held. */

static void hear_event(void *context, const struct nlmsghdr *m)
{
	struct flow_logs *f = context;
	struct flow_connection c;

	f->began = true;
	if ((m->nlmsg_type & 0xff) == IPCTNL_MSG_CT_DELETE && flow_message_connection(m, &c))
		flow_table_ended(f->table, &c, time(NULL));
}

static void hear_connection(void *context, const struct nlmsghdr *m)
{
	struct flow_logs *f = context;
	struct flow_connection c;

	if (!flow_message_connection(m, &c))
		return;
	f->connections++;
	flow_table_connection(f->table, &c, f->known, time(NULL));
}

static void hear_packet(void *context, const struct nlmsghdr *m)
{
	struct flow_logs *f = context;
	struct flow_refusal p;
	uint32_t in, out;
	bool counted;

	if (!flow_message_packet(m, &p, &counted, &in, &out))
		return;
	f->began = true;
	if (counted) {
		flow_table_counted(f->table, &p, time(NULL));
		return;
	}
	flow_sockets_device(&f->sockets, in, p.in_tap);
	flow_sockets_device(&f->sockets, out, p.out_tap);
	flow_table_refused(f->table, &p, time(NULL));
}

static unsigned hear(struct flow_logs *f, int fd, flow_message_fn *each, unsigned most)
{
	bool lost = false;
	unsigned count;

	pthread_mutex_lock(&f->mutex);
	count = flow_sockets_hear(&f->sockets, fd, most, &lost, each, f);
	if (lost)
		flow_table_lost(f->table);
	pthread_mutex_unlock(&f->mutex);
	f->began |= lost;
	return count;
}

/* All connections that are, and those that ended until they had been told. */
static void look(struct flow_logs *f, bool known)
{
	int r;

	pthread_mutex_lock(&f->mutex);
	f->connections = 0;
	f->known = known;
	r = flow_sockets_dump(&f->sockets, hear_connection, f);
	pthread_mutex_unlock(&f->mutex);
	/* An end that waits here would look like one of a connection that is not known, when its
	 * own is forgotten: it is heard before. */
	hear(f, f->sockets.events, hear_event, EVERYTHING);
	pthread_mutex_lock(&f->mutex);
	if (r == 0)
		flow_table_sweep(f->table);
	else
		flow_table_lost(f->table);
	pthread_mutex_unlock(&f->mutex);
}

/* Intervals. */

static void begin_interval(struct flow_logs *f)
{
	f->running = true;
	f->since = monotonic();
	f->begin = time(NULL);
}

static void write_lines(struct flow_logs *f)
{
	cleanup_strbuf struct strbuf lines = STRBUF_INIT;
	int r;

	pthread_mutex_lock(&f->mutex);
	flow_table_print(f->table, &f->what, f->begin, time(NULL), &lines);
	pthread_mutex_unlock(&f->mutex);
	if (!lines.len)
		return;
	r = flow_file_append(f->directory, &lines);
	if (r < 0) {
		if (!f->trouble)
			log_warning("the flow log of %s: %s", f->vpc, strerror(-r));
		pthread_mutex_lock(&f->mutex);
		flow_table_lost(f->table);
		pthread_mutex_unlock(&f->mutex);
	}
	f->trouble = r < 0;
	if (f->written)
		f->written(f->context, f->vpc);
}

/* Nothing flows: the kernel is to say when a connection begins, which else is no news. */
static void rest(struct flow_logs *f)
{
	f->running = false;
	if (!f->ends)
		return;
	flow_sockets_want(&f->sockets, true, true);
	/* One that began before these were wanted. */
	look(f, false);
	f->began |= f->connections > 0;
}

static void wake_up(struct flow_logs *f)
{
	f->began = false;
	if (f->running)
		return;
	begin_interval(f);
	if (f->ends)
		flow_sockets_want(&f->sockets, true, false);
}

/* All that there is to hear is heard, and written. */
static void tell(struct flow_logs *f)
{
	hear(f, f->sockets.packets, hear_packet, EVERYTHING);
	if (f->ends)
		look(f, false);
	write_lines(f);
}

static void end_interval(struct flow_logs *f)
{
	tell(f);
	f->began = false;
	begin_interval(f);
	if (!f->connections)
		rest(f);
}

/* Accepted flows are wanted now, or no longer. */
static void follow_options(struct flow_logs *f)
{
	bool accepted;

	pthread_mutex_lock(&f->mutex);
	accepted = f->what.flows & NETFW_FLOWS_ACCEPTED;
	pthread_mutex_unlock(&f->mutex);
	if (accepted == f->ends)
		return;
	f->ends = accepted;
	f->connections = 0;
	flow_sockets_want(&f->sockets, accepted, false);
	if (accepted)
		look(f, true);
	if (f->connections)
		wake_up(f);
	else if (!f->running)
		rest(f);
}

static bool is_ending(struct flow_logs *f)
{
	bool ending;

	pthread_mutex_lock(&f->mutex);
	ending = f->ending;
	pthread_mutex_unlock(&f->mutex);
	return ending;
}

static int milliseconds(int64_t ns)
{
	return ns <= 0 ? 0 : (int)((ns + 999999) / 1000000);
}

/* Waits until there is something to hear or to do, and hears it. */
static void listen_on(struct flow_logs *f)
{
	struct pollfd fds[] = {{.fd = f->wake, .events = POLLIN},
			       {.fd = f->sockets.events, .events = POLLIN},
			       {.fd = f->sockets.packets, .events = POLLIN}};
	int64_t now = monotonic(), until = f->running ? f->since + wanted_interval(f) : INT64_MAX;
	eventfd_t value;

	if (now / SECOND != f->second)
		f->heard = 0;
	f->second = now / SECOND;
	if (f->heard >= PACE) {
		int64_t next = (f->second + 1) * SECOND;

		fds[1].fd = fds[2].fd = -1;
		until = until < next ? until : next;
	}
	if (poll(fds, 3, until == INT64_MAX ? -1 : milliseconds(until - now)) < 0)
		return;
	if (fds[0].revents)
		eventfd_read(f->wake, &value);
	if (fds[1].revents)
		f->heard += hear(f, f->sockets.events, hear_event, PACE - f->heard);
	if (fds[2].revents && f->heard < PACE)
		f->heard += hear(f, f->sockets.packets, hear_packet, PACE - f->heard);
}

static void *run(void *context)
{
	struct flow_logs *f = context;

	while (!is_ending(f)) {
		follow_options(f);
		if (f->began)
			wake_up(f);
		if (f->running && monotonic() >= f->since + wanted_interval(f))
			end_interval(f);
		else
			listen_on(f);
	}
	flow_sockets_unbind(&f->sockets, FLOW_LOGS_GROUP);
	tell(f);
	return NULL;
}

static void free_all(struct flow_logs *f)
{
	flow_sockets_close(&f->sockets);
	if (f->wake >= 0)
		close(f->wake);
	flow_table_free(f->table);
	pthread_mutex_destroy(&f->mutex);
	free((char *)f->what.account);
	free(f->directory);
	free(f->vpc);
	free(f);
}

/* The mutex is held, or nobody else is there yet. */
static void set_options(struct flow_logs *f, const struct netfw_vpc *vpc)
{
	free((char *)f->what.account);
	f->what = vpc->flow_logs;
	f->what.account = xstrdup(vpc->flow_logs.account ? vpc->flow_logs.account : "-");
	flow_table_set_vpc(f->table, vpc);
}

int flow_logs_start(int netns_fd, const char *directory, const struct netfw_vpc *vpc,
		    void (*written)(void *context, const char *vpc), void *context,
		    struct flow_logs **ret, struct ec2fs_error *error)
{
	struct flow_logs *f = xnew(struct flow_logs);
	int r;

	f->vpc = xstrdup(vpc->id);
	f->directory = xstrdup(directory);
	f->written = written;
	f->context = context;
	f->sockets = (struct flow_sockets)FLOW_SOCKETS_INIT;
	f->table = flow_table_new();
	f->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f->begin = time(NULL);
	pthread_mutex_init(&f->mutex, NULL);
	set_options(f, vpc);
	r = f->wake < 0 ? ec2fs_fail(error, EC2_InternalError, "flow logs of %s: %s", vpc->id,
				     strerror(errno))
			: flow_sockets_open(netns_fd, FLOW_LOGS_GROUP, &f->sockets, error);
	if (r == 0) {
		r = -pthread_create(&f->thread, NULL, run, f);
		if (r < 0)
			r = ec2fs_fail(error, EC2_InternalError, "flow logs of %s: %s", vpc->id,
				       strerror(-r));
	}
	if (r < 0) {
		free_all(f);
		return r;
	}
	*ret = f;
	return 0;
}

void flow_logs_set_vpc(struct flow_logs *f, const struct netfw_vpc *vpc)
{
	pthread_mutex_lock(&f->mutex);
	set_options(f, vpc);
	pthread_mutex_unlock(&f->mutex);
	eventfd_write(f->wake, 1);
}

void flow_logs_set_interface(struct flow_logs *f, const char *id, uint32_t address)
{
	pthread_mutex_lock(&f->mutex);
	flow_table_set_interface(f->table, id, address);
	pthread_mutex_unlock(&f->mutex);
}

void flow_logs_drop_interface(struct flow_logs *f, const char *id)
{
	pthread_mutex_lock(&f->mutex);
	flow_table_drop_interface(f->table, id);
	pthread_mutex_unlock(&f->mutex);
}

void flow_logs_stop(struct flow_logs *f)
{
	if (!f)
		return;
	pthread_mutex_lock(&f->mutex);
	f->ending = true;
	pthread_mutex_unlock(&f->mutex);
	eventfd_write(f->wake, 1);
	pthread_join(f->thread, NULL);
	free_all(f);
}
