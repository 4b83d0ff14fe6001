/*
 * libvirt's events. Its event loop is one for the whole process and cannot be given back, so it has
 * a detached thread that lives as long as the process; with nothing to tell, it sleeps.
 */
#include "providers/libvirt/internal.h"

#include <libvirt/virterror.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *loop_failure;

static void say_nothing(void *context, virErrorPtr error)
{
	(void)context;
	(void)error; /* every caller looks at its own error; the default prints it too */
}

static void *run_loop(void *unused)
{
	(void)unused;
	pthread_setname_np(pthread_self(), "libvirt-events");
	while (virEventRunDefaultImpl() == 0)
		;
	return NULL;
}

static void start_loop(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	virSetErrorFunc(NULL, say_nothing);
	if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0) {
		loop_failure = "libvirt's client library does not start";
		return;
	}
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attributes, run_loop, NULL) != 0)
		loop_failure = "no thread can be had for libvirt's events";
	pthread_attr_destroy(&attributes);
}

int libvirt_event_loop(struct ec2fs_error *error)
{
	pthread_once(&once, start_loop);
	if (loop_failure)
		return ec2fs_fail(error, EC2_InternalError, "%s", loop_failure);
	return 0;
}

bool libvirt_telling(struct libvirt *v)
{
	bool tell;

	pthread_mutex_lock(&v->lock);
	tell = !v->closing;
	if (tell)
		v->telling++;
	pthread_mutex_unlock(&v->lock);
	return tell;
}

void libvirt_told(struct libvirt *v)
{
	pthread_mutex_lock(&v->lock);
	v->telling--;
	pthread_cond_broadcast(&v->changed);
	pthread_mutex_unlock(&v->lock);
}

enum machine_end libvirt_end_of(int detail)
{
	switch (detail) {
	case VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN:
		return MACHINE_END_GUEST;
	case VIR_DOMAIN_EVENT_STOPPED_DESTROYED:
		return MACHINE_END_DESTROYED;
	case VIR_DOMAIN_EVENT_STOPPED_CRASHED:
	case VIR_DOMAIN_EVENT_STOPPED_FAILED:
		return MACHINE_END_CRASHED;
	case VIR_DOMAIN_EVENT_STOPPED_SAVED:
		return MACHINE_END_SAVED;
	}
	return MACHINE_END_UNKNOWN;
}

/* Other users' domains send events too. */
static bool is_machine_name(const char *name)
{
	return strncmp(name, "i-", 2) == 0 && strlen(name) == 2 + 17 &&
	       strspn(name + 2, "0123456789abcdef") == 17;
}

static int lifecycle(virConnectPtr connection, virDomainPtr domain, int event, int detail,
		     void *opaque)
{
	struct libvirt *v = opaque;
	const char *id = virDomainGetName(domain);
	enum machine_end end = MACHINE_END_UNKNOWN;

	(void)connection;
	if (!id || !is_machine_name(id) || !libvirt_telling(v))
		return 0;
	if (event == VIR_DOMAIN_EVENT_STOPPED)
		end = libvirt_end_of(detail);
	v->events.machine(v->context, id, end);
	libvirt_told(v);
	return 0;
}

/* Which device it was, the machine's own XML tells who looks. */
static void device_removed(virConnectPtr connection, virDomainPtr domain, const char *device,
			   void *opaque)
{
	struct libvirt *v = opaque;
	const char *id = virDomainGetName(domain);

	(void)connection;
	(void)device;
	if (!id || !is_machine_name(id) || !libvirt_telling(v))
		return;
	v->events.machine(v->context, id, MACHINE_END_UNKNOWN);
	libvirt_told(v);
}

static void removal_failed(virConnectPtr connection, virDomainPtr domain, const char *device,
			   void *opaque)
{
	struct libvirt *v = opaque;
	const char *id = virDomainGetName(domain);

	(void)connection;
	(void)device;
	if (!id || !is_machine_name(id) || !v->events.disk_kept || !libvirt_telling(v))
		return;
	v->events.disk_kept(v->context, id);
	libvirt_told(v);
}

static void release(void *opaque)
{
	libvirt_unref(opaque);
}

int libvirt_watch_domains(struct libvirt *v, virConnectPtr connection, struct watches *ret)
{
	static const struct {
		int event;
		virConnectDomainEventGenericCallback fn;
	} wanted[WATCHES] = {
		{VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(lifecycle)},
		{VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK(device_removed)},
		{VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED,
		 VIR_DOMAIN_EVENT_CALLBACK(removal_failed)},
	};

	ret->count = 0;
	for (size_t i = 0; i < WATCHES; i++) {
		int id;

		pthread_mutex_lock(&v->lock);
		v->references++;
		pthread_mutex_unlock(&v->lock);
		id = virConnectDomainEventRegisterAny(connection, NULL, wanted[i].event,
						      wanted[i].fn, v, release);
		if (id < 0) {
			libvirt_unref(v);
			libvirt_unwatch_domains(connection, ret);
			return -EIO;
		}
		ret->ids[ret->count++] = id;
	}
	return 0;
}

void libvirt_unwatch_domains(virConnectPtr connection, const struct watches *w)
{
	for (size_t i = 0; i < w->count; i++)
		virConnectDomainEventDeregisterAny(connection, w->ids[i]);
}
