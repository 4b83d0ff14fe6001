/* What the files of the provider libvirt share: machines as transient domains named by their ID. */
#ifndef PROVIDERS_LIBVIRT_INTERNAL_H
#define PROVIDERS_LIBVIRT_INTERNAL_H

#include "ec2fs/util/error.h"
#include "providers/provider.h"

#include <libvirt/libvirt.h>
#include <pthread.h>
#include <stdbool.h>

struct libvirt {
	struct provider base;
	/* Immutable. */
	char *uri;
	struct provider_events events;
	void *context;
	bool kvm;
	pthread_t thread; /* connect.c: makes and replaces the connection */

	pthread_mutex_t lock; /* innermost: nothing is called with it held */
	pthread_cond_t changed;
	/* Under lock: */
	virConnectPtr connection; /* NULL: no link; owned by the thread */
	virConnectPtr current;    /* the same, or the one about to become it */
	bool broken;              /* the current one is no good any more */
	bool closing;
	unsigned telling;    /* calls of events under way */
	unsigned references; /* open .. close, the thread, callbacks registered with libvirt */
	char *owner;         /* whose machines these are, once a caller has told */
	char story[256];     /* why there is no connection */
};

static inline struct libvirt *libvirt_of(struct provider *p)
{
	return (struct libvirt *)p;
}

void libvirt_unref(struct libvirt *v);

/* connect.c */
int libvirt_open(const char *uri, const struct provider_events *events, void *context,
		 struct provider **ret, struct ec2fs_error *error);
void libvirt_close(struct provider *p);
/* A reference to the connection, for virConnectClose; Unavailable (EAGAIN) when there is none. */
int libvirt_connection(struct libvirt *v, virConnectPtr *ret, struct ec2fs_error *error);

/* events.c */
/* Starts libvirt's event loop, once in the life of the process, which it then outlives. */
int libvirt_event_loop(struct ec2fs_error *error);
/* What libvirt tells on a connection. */
#define WATCHES 3
struct watches {
	int ids[WATCHES];
	size_t count;
};
/* Tells v->events of what happens to domains, until libvirt_unwatch_domains(). */
int libvirt_watch_domains(struct libvirt *v, virConnectPtr connection, struct watches *ret);
void libvirt_unwatch_domains(virConnectPtr connection, const struct watches *w);
/* A STOPPED event's detail as the reason why the machine is not there any more. */
enum machine_end libvirt_end_of(int detail);
/* False: closing, do not tell. Else libvirt_told() follows. */
bool libvirt_telling(struct libvirt *v);
void libvirt_told(struct libvirt *v);

/* failure.c */
/* Turns this thread's last libvirt error into ours, saying what was tried. connection may be NULL.
 */
int libvirt_fail(struct ec2fs_error *error, virConnectPtr connection, const char *format, ...)
	__attribute__((format(printf, 3, 4), cold));
/* The code of this thread's last libvirt error. */
int libvirt_code(void);
/* Its message in one line; a static string if there is none. */
const char *libvirt_message(char *buffer, size_t size);

/* machine.c */
/*
 * The domain of that name, to be freed with virDomainFree; absent: 0 and NULL. A domain that has
 * the name but is not a machine of this owner is refused: OperationNotPermitted.
 */
int libvirt_find(struct libvirt *v, virConnectPtr connection, const char *id, virDomainPtr *ret,
		 struct ec2fs_error *error);
/* The same, but absent is an error: InvalidInstanceID_NotFound. */
int libvirt_need(struct libvirt *v, virConnectPtr connection, const char *id, virDomainPtr *ret,
		 struct ec2fs_error *error);
/* From here on only machines of that owner are touched. */
void libvirt_serve_owner(struct libvirt *v, const char *owner);
int libvirt_state(virDomainPtr domain, enum machine_state *ret);
int libvirt_observe(struct provider *p, const char *id, enum machine_state *ret,
		    struct ec2fs_error *error);
int libvirt_list(struct provider *p, const char *owner,
		 void (*each)(void *context, const char *id, enum machine_state state),
		 void *context, struct ec2fs_error *error);

/* verbs.c */
int libvirt_start(struct provider *p, const struct machine_spec *spec, struct ec2fs_error *error);
int libvirt_restore(struct provider *p, const struct machine_spec *spec, const char *file,
		    struct ec2fs_error *error);
int libvirt_save(struct provider *p, const char *id, const char *file, struct ec2fs_error *error);
int libvirt_shutdown(struct provider *p, const char *id, struct ec2fs_error *error);
int libvirt_destroy(struct provider *p, const char *id, struct ec2fs_error *error);
int libvirt_reboot(struct provider *p, const char *id, struct ec2fs_error *error);
int libvirt_reset(struct provider *p, const char *id, struct ec2fs_error *error);

/* verbs.c, disks.c */
int libvirt_pause(struct provider *p, const char *id, struct ec2fs_error *error);
int libvirt_resume(struct provider *p, const char *id, struct ec2fs_error *error);
int libvirt_attach_disk(struct provider *p, const char *id, const struct machine_disk *disk,
			struct ec2fs_error *error);
int libvirt_detach_disk(struct provider *p, const char *id, const char *serial,
			struct ec2fs_error *error);
int libvirt_cut_disk(struct provider *p, const char *id, const char *serial,
		     struct ec2fs_error *error);
int libvirt_has_disk(struct provider *p, const char *id, const char *serial, bool *ret,
		     struct ec2fs_error *error);
int libvirt_resize_disk(struct provider *p, const char *id, const char *serial, uint64_t bytes,
			struct ec2fs_error *error);
int libvirt_set_limits(struct provider *p, const char *id, const struct machine_disk *disk,
		       struct ec2fs_error *error);

/* direct.c */
/* Sets direct and native as the file or device at the disk's path, and the host, allow. */
void libvirt_choose_io(struct machine_disk *disk);

/* secrets.c */
struct secrets {
	/* The caller's, as they are told: each encrypted one with its secret, and how it is read.
	 */
	struct machine_disk *disks;
	char **uuids;
	virSecretPtr *secrets;
	size_t count; /* of secrets */
};
/* libvirtd may use the keys of these disks until libvirt_forget_secrets(), which is due in any
 * case.
 */
int libvirt_tell_secrets(virConnectPtr connection, const struct machine_disk *disks, size_t count,
			 struct secrets *ret, struct ec2fs_error *error);
void libvirt_forget_secrets(struct secrets *all);
#define cleanup_secrets __attribute__((cleanup(libvirt_forget_secrets)))

/* stats.c, screenshot.c */
int libvirt_stats(struct provider *p, const char *id, struct machine_stats *ret,
		  struct ec2fs_error *error);
int libvirt_capacity(struct provider *p, struct provider_capacity *ret, struct ec2fs_error *error);
int libvirt_screenshot(struct provider *p, const char *id, struct strbuf *out,
		       struct ec2fs_error *error);

static inline void cleanup_connectionp(virConnectPtr *connection)
{
	if (*connection)
		virConnectClose(*connection);
}

static inline void cleanup_domainp(virDomainPtr *domain)
{
	if (*domain)
		virDomainFree(*domain);
}

#define cleanup_connection __attribute__((cleanup(cleanup_connectionp)))
#define cleanup_domain __attribute__((cleanup(cleanup_domainp)))

#endif
