/* A machine that runs, and its disks as libvirt tells them. */
#ifndef PROVIDERS_LIBVIRT_RUNNING_H
#define PROVIDERS_LIBVIRT_RUNNING_H

#include "providers/libvirt/internal.h"

struct running {
	virConnectPtr connection;
	virDomainPtr domain;
	char *xml;
};

int running_get(struct provider *p, const char *id, struct running *ret, struct ec2fs_error *error);
void running_free(struct running *m);
#define cleanup_running __attribute__((cleanup(running_free)))

/* The <disk> element with that serial as libvirt prints it, to be freed; NULL: there is none. */
char *running_disk(const char *xml, const char *serial);
/* What follows that text, up to the next apostrophe, to be freed; NULL: the text is not there. */
char *disk_word(const char *disk, const char *before);

/* cut.c. Was the disk with that serial cut off? What is known of it outlives libvirtd. */
bool libvirt_is_cut(virDomainPtr domain, const char *serial);
int libvirt_mark_cut(virDomainPtr domain, const char *serial, bool cut);
/* Has the guest the device of any disk that was cut off? xml: the domain's. */
bool libvirt_has_cut(virDomainPtr domain, const char *xml);

#endif
