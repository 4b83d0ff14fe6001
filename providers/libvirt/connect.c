/*
 * The connection to libvirtd. A thread makes it, sleeps until it breaks, and makes it anew, 0.2 s
 * to 30 s apart as long as that fails. No keep-alive messages: libvirtd's end of the socket closes
 * when libvirtd does, and an idle daemon should not wake twice a second to hear that.
 */
#include "ec2fs/util/memory.h"
#include "providers/libvirt/internal.h"
#include "providers/libvirt/kvm.h"

#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIRST_DELAY_MS 200
#define LONGEST_DELAY_MS 30000
#define CLOSE_PATIENCE_S 2

void libvirt_unref(struct libvirt *v)
{
	bool last;

	pthread_mutex_lock(&v->lock);
	last = --v->references == 0;
	pthread_mutex_unlock(&v->lock);
	if (!last)
		return;
	pthread_mutex_destroy(&v->lock);
	pthread_cond_destroy(&v->changed);
	free(v->owner);
	free(v->uri);
	free(v);
}

static void release(void *opaque)
{
	libvirt_unref(opaque);
}

static void connection_closed(virConnectPtr connection, int reason, void *opaque)
{
	struct libvirt *v = opaque;

	(void)reason;
	pthread_mutex_lock(&v->lock);
	if (connection == v->current) {
		v->broken = true;
		pthread_cond_broadcast(&v->changed);
	}
	pthread_mutex_unlock(&v->lock);
}

/* Tries once. Events are registered before anyone may use the connection, so that none is missed.
 */
static virConnectPtr try_to_connect(struct libvirt *v, struct watches *ret_watch)
{
	virConnectPtr connection = virConnectOpen(v->uri);

	if (!connection)
		return NULL;
	pthread_mutex_lock(&v->lock);
	v->current = connection;
	v->broken = false;
	v->references++;
	pthread_mutex_unlock(&v->lock);
	if (virConnectRegisterCloseCallback(connection, connection_closed, v, release) < 0) {
		libvirt_unref(v);
		virConnectClose(connection);
		return NULL;
	}
	if (libvirt_watch_domains(v, connection, ret_watch) < 0) {
		virConnectUnregisterCloseCallback(connection, connection_closed);
		virConnectClose(connection);
		return NULL;
	}
	return connection;
}

static void disconnect(virConnectPtr connection, const struct watches *watch)
{
	libvirt_unwatch_domains(connection, watch);
	virConnectUnregisterCloseCallback(connection, connection_closed);
	virConnectClose(connection);
}

static void tell_link(struct libvirt *v, bool up)
{
	if (!libvirt_telling(v))
		return;
	v->events.link(v->context, up);
	libvirt_told(v);
}

/* Sleeps, or returns early when closing. Called with the lock held. */
static void wait_before_retry(struct libvirt *v, unsigned delay_ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += delay_ms / 1000;
	until.tv_nsec += delay_ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	while (!v->closing && pthread_cond_timedwait(&v->changed, &v->lock, &until) == 0)
		;
}

/* Serves the connection from now until it breaks or the provider closes. */
static void hold(struct libvirt *v, virConnectPtr connection)
{
	pthread_mutex_lock(&v->lock);
	v->connection = connection;
	pthread_mutex_unlock(&v->lock);
	tell_link(v, true);
	pthread_mutex_lock(&v->lock);
	while (!v->broken && !v->closing)
		pthread_cond_wait(&v->changed, &v->lock);
	v->connection = NULL;
	v->current = NULL;
	snprintf(v->story, sizeof(v->story), "libvirtd ended the connection");
	pthread_mutex_unlock(&v->lock);
	tell_link(v, false);
}

static void *serve(void *opaque)
{
	struct libvirt *v = opaque;
	unsigned delay = FIRST_DELAY_MS;
	bool closing = false;

	pthread_setname_np(pthread_self(), "libvirt-link");
	while (!closing) {
		struct watches watch;
		virConnectPtr connection = try_to_connect(v, &watch);
		char buffer[200];

		if (connection) {
			hold(v, connection);
			disconnect(connection, &watch);
			delay = FIRST_DELAY_MS;
		}
		pthread_mutex_lock(&v->lock);
		if (!connection)
			snprintf(v->story, sizeof(v->story), "%s",
				 libvirt_message(buffer, sizeof(buffer)));
		wait_before_retry(v, delay);
		closing = v->closing;
		pthread_mutex_unlock(&v->lock);
		delay = 2 * delay < LONGEST_DELAY_MS ? 2 * delay : LONGEST_DELAY_MS;
	}
	libvirt_unref(v);
	return NULL;
}

int libvirt_open(const char *uri, const struct provider_events *events, void *context,
		 struct provider **ret, struct ec2fs_error *error)
{
	pthread_condattr_t attributes;
	struct libvirt *v;
	int r;

	r = provider_libvirt.check(uri, error);
	if (r == 0)
		r = libvirt_event_loop(error);
	if (r < 0)
		return r;
	v = xnew(struct libvirt);
	v->base.ops = &provider_libvirt;
	v->uri = xstrdup(uri);
	v->events = *events;
	v->context = context;
	v->kvm = kvm_works("/proc/cpuinfo", "/dev/kvm");
	v->references = 2;
	snprintf(v->story, sizeof(v->story), "the first attempt is under way");
	pthread_mutex_init(&v->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&v->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	r = pthread_create(&v->thread, NULL, serve, v);
	if (r != 0) {
		v->references = 1;
		libvirt_unref(v);
		return ec2fs_fail_errno(error, r, EC2_InternalError,
					"no thread can be had for the connection to %s: %s", uri,
					strerror(r));
	}
	*ret = &v->base;
	return 0;
}

void libvirt_close(struct provider *p)
{
	struct libvirt *v = libvirt_of(p);
	struct timespec until;

	pthread_mutex_lock(&v->lock);
	v->closing = true;
	pthread_cond_broadcast(&v->changed);
	while (v->telling)
		pthread_cond_wait(&v->changed, &v->lock);
	pthread_mutex_unlock(&v->lock);
	/* It may be waiting for a libvirtd that hangs; then it goes when it can. */
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += CLOSE_PATIENCE_S;
	if (pthread_clockjoin_np(v->thread, NULL, CLOCK_MONOTONIC, &until) != 0)
		pthread_detach(v->thread);
	libvirt_unref(v);
}

int libvirt_connection(struct libvirt *v, virConnectPtr *ret, struct ec2fs_error *error)
{
	char story[sizeof(v->story)];
	virConnectPtr connection;

	pthread_mutex_lock(&v->lock);
	connection = v->connection;
	if (connection)
		virConnectRef(connection);
	else
		memcpy(story, v->story, sizeof(story));
	pthread_mutex_unlock(&v->lock);
	if (!connection)
		return ec2fs_fail(error, EC2_Unavailable,
				  "no connection to libvirt at %s: %s; it is tried again at least "
				  "every %d s",
				  v->uri, story, LONGEST_DELAY_MS / 1000);
	*ret = connection;
	return 0;
}
