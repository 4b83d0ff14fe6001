/* Finding machines among the domains of this host, and telling their state. */
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "providers/libvirt/domain_xml.h"
#include "providers/libvirt/internal.h"

#include <libvirt/virterror.h>
#include <string.h>

void libvirt_serve_owner(struct libvirt *v, const char *owner)
{
	pthread_mutex_lock(&v->lock);
	if (!v->owner || strcmp(v->owner, owner) != 0) {
		free(v->owner);
		v->owner = xstrdup(owner);
	}
	pthread_mutex_unlock(&v->lock);
}

/* The owner that the domain's metadata names: 0 and NULL if it has none of ours. To be freed. */
static int owner_of(virDomainPtr domain, char **ret)
{
	cleanup_free char *element =
		virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, DOMAIN_XML_NAMESPACE, 0);

	if (!element && libvirt_code() != VIR_ERR_NO_DOMAIN_METADATA)
		return -EIO;
	*ret = element ? domain_xml_owner(element) : NULL;
	return 0;
}

/* Until somebody said whose machines these are, any that ec2fs made will do. */
static bool is_ours(struct libvirt *v, const char *owner)
{
	bool ours;

	if (!owner)
		return false;
	pthread_mutex_lock(&v->lock);
	ours = !v->owner || strcmp(v->owner, owner) == 0;
	pthread_mutex_unlock(&v->lock);
	return ours;
}

int libvirt_find(struct libvirt *v, virConnectPtr connection, const char *id, virDomainPtr *ret,
		 struct ec2fs_error *error)
{
	cleanup_domain virDomainPtr domain = virDomainLookupByName(connection, id);
	cleanup_free char *owner = NULL;

	if (!domain || owner_of(domain, &owner) < 0) {
		/* It may also go between the two questions. */
		if (libvirt_code() != VIR_ERR_NO_DOMAIN)
			return libvirt_fail(error, connection, "cannot look for machine %s", id);
		*ret = NULL;
		return 0;
	}
	if (!is_ours(v, owner))
		return ec2fs_fail(error, EC2_OperationNotPermitted,
				  "the libvirt domain %s belongs to %s%s and is left alone", id,
				  owner ? "another ec2fs, " : "somebody else", owner ? owner : "");
	*ret = steal_pointer(&domain);
	return 0;
}

int libvirt_need(struct libvirt *v, virConnectPtr connection, const char *id, virDomainPtr *ret,
		 struct ec2fs_error *error)
{
	virDomainPtr domain = NULL;
	int r = libvirt_find(v, connection, id, &domain, error);

	if (r < 0)
		return r;
	if (!domain)
		return ec2fs_fail(error, EC2_InvalidInstanceID_NotFound, "no machine %s is running",
				  id);
	*ret = domain;
	return 0;
}

static enum machine_state state_of(int state, int reason)
{
	switch (state) {
	case VIR_DOMAIN_RUNNING:
	case VIR_DOMAIN_BLOCKED:
	case VIR_DOMAIN_PMSUSPENDED:
		return MACHINE_RUNNING;
	case VIR_DOMAIN_PAUSED:
		if (reason == VIR_DOMAIN_PAUSED_SAVE || reason == VIR_DOMAIN_PAUSED_SHUTTING_DOWN ||
		    reason == VIR_DOMAIN_PAUSED_CRASHED)
			return MACHINE_STOPPING;
		return MACHINE_PAUSED;
	case VIR_DOMAIN_SHUTDOWN:
		return MACHINE_STOPPING;
	}
	/* Transient domains that are off or crashed are about to vanish. */
	return MACHINE_ABSENT;
}

int libvirt_state(virDomainPtr domain, enum machine_state *ret)
{
	int state, reason;

	if (virDomainGetState(domain, &state, &reason, 0) == 0)
		*ret = state_of(state, reason);
	else if (libvirt_code() == VIR_ERR_NO_DOMAIN)
		*ret = MACHINE_ABSENT;
	else
		return -EIO;
	return 0;
}

int libvirt_observe(struct provider *p, const char *id, enum machine_state *ret,
		    struct ec2fs_error *error)
{
	struct libvirt *v = libvirt_of(p);
	cleanup_connection virConnectPtr connection = NULL;
	cleanup_domain virDomainPtr domain = NULL;
	enum machine_state state = MACHINE_ABSENT;
	int r = libvirt_connection(v, &connection, error);

	if (r == 0)
		r = libvirt_find(v, connection, id, &domain, error);
	if (r < 0)
		return r;
	if (domain && libvirt_state(domain, &state) < 0)
		return libvirt_fail(error, connection, "cannot tell the state of machine %s", id);
	*ret = state;
	return 0;
}

static void free_domains(virDomainPtr *domains, int count)
{
	for (int i = 0; i < count; i++)
		virDomainFree(domains[i]);
	free(domains);
}

int libvirt_list(struct provider *p, const char *owner,
		 void (*each)(void *context, const char *id, enum machine_state state),
		 void *context, struct ec2fs_error *error)
{
	struct libvirt *v = libvirt_of(p);
	cleanup_connection virConnectPtr connection = NULL;
	virDomainPtr *domains;
	int count, r = libvirt_connection(v, &connection, error);

	if (r < 0)
		return r;
	libvirt_serve_owner(v, owner);
	count = virConnectListAllDomains(connection, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
	if (count < 0)
		return libvirt_fail(error, connection, "cannot list the machines");
	for (int i = 0; i < count && r == 0; i++) {
		cleanup_free char *whose = NULL;
		enum machine_state state = MACHINE_ABSENT;

		if (owner_of(domains[i], &whose) == 0) {
			if (!whose || strcmp(whose, owner) != 0)
				continue;
			if (libvirt_state(domains[i], &state) == 0) {
				if (state != MACHINE_ABSENT)
					each(context, virDomainGetName(domains[i]), state);
				continue;
			}
		}
		/* What goes while we look is no longer there; a list cut short would be a lie. */
		if (libvirt_code() != VIR_ERR_NO_DOMAIN)
			r = libvirt_fail(error, connection, "cannot list the machines");
	}
	free_domains(domains, count);
	return r;
}
