/* What is done to machines. */
#include "ec2fs/util/cleanup.h"
#include "providers/libvirt/domain_xml.h"
#include "providers/libvirt/internal.h"
#include "providers/libvirt/running.h"

#include <libvirt/virterror.h>

/*
 * Starting failed; is it because the machine is there already, and ours? Then nothing failed. On
 * its way out it cannot be started yet. Otherwise the error of the start stands.
 */
static int start_failed(struct libvirt *v, virConnectPtr connection, const char *id,
			const char *verb, struct ec2fs_error *error)
{
	cleanup_domain virDomainPtr domain = NULL;
	enum machine_state state = MACHINE_ABSENT;
	struct ec2fs_error why = {0};
	int code = libvirt_code(), r;

	libvirt_fail(&why, connection, "cannot %s machine %s", verb, id);
	if (code == VIR_ERR_OPERATION_FAILED || code == VIR_ERR_OPERATION_INVALID ||
	    code == VIR_ERR_DOM_EXIST) {
		r = libvirt_find(v, connection, id, &domain, error);
		if (r < 0)
			return r;
		if (domain && libvirt_state(domain, &state) == 0) {
			if (state == MACHINE_RUNNING || state == MACHINE_PAUSED)
				return 0;
			/* A libvirtd that was restarted takes back what it had half started. */
			return ec2fs_fail(error, EC2_Unavailable,
					  "machine %s is still on its way out", id);
		}
	}
	if (error)
		*error = why;
	return -why.number;
}

/*
 * The machine is there, made just now (domain) or found (NULL): its tap goes to its network, and
 * its processors may run. One whose tap cannot be plugged is ended: it would be out of reach for
 * ever. One that was found, half started for a libvirtd that is gone, may have processors that
 * nobody let run.
 */
static int finish_start(struct libvirt *v, virConnectPtr connection,
			const struct machine_spec *spec, virDomainPtr domain,
			struct ec2fs_error *error)
{
	cleanup_domain virDomainPtr found = NULL;
	enum machine_state state = MACHINE_ABSENT;
	int r = 0;

	if (domain && !spec->tap)
		return 0;
	if (!domain) {
		r = libvirt_need(v, connection, spec->id, &found, error);
		domain = found;
	}
	if (r < 0)
		return r;
	if (spec->tap)
		r = spec->plug(spec->context, error);
	if (r < 0) {
		if (!found)
			virDomainDestroy(domain);
		return r;
	}
	if (libvirt_state(domain, &state) < 0)
		return libvirt_fail(error, connection, "cannot tell the state of machine %s",
				    spec->id);
	if (state == MACHINE_PAUSED && virDomainResume(domain) < 0)
		return libvirt_fail(error, connection, "cannot let machine %s run", spec->id);
	return 0;
}

/* The domain's XML, for whose time libvirtd knows the keys of its disks. */
static int describe(struct libvirt *v, virConnectPtr connection, const struct machine_spec *spec,
		    struct secrets *secrets, struct strbuf *xml, struct ec2fs_error *error)
{
	struct machine_spec told = *spec;
	int r = libvirt_tell_secrets(connection, spec->disks, spec->disk_count, secrets, error);

	told.disks = secrets->disks;
	return r < 0 ? r : domain_xml(&told, v->kvm, xml, error);
}

int libvirt_start(struct provider *p, const struct machine_spec *spec, struct ec2fs_error *error)
{
	struct libvirt *v = libvirt_of(p);
	cleanup_connection virConnectPtr connection = NULL;
	cleanup_secrets struct secrets secrets = {0};
	cleanup_domain virDomainPtr domain = NULL;
	cleanup_strbuf struct strbuf xml = STRBUF_INIT;
	int r = libvirt_connection(v, &connection, error);

	if (r == 0)
		r = describe(v, connection, spec, &secrets, &xml, error);
	if (r < 0)
		return r;
	libvirt_serve_owner(v, spec->owner);
	domain = virDomainCreateXML(connection, xml.data, spec->tap ? VIR_DOMAIN_START_PAUSED : 0);
	r = domain ? 0 : start_failed(v, connection, spec->id, "start", error);
	return r < 0 ? r : finish_start(v, connection, spec, domain, error);
}

int libvirt_restore(struct provider *p, const struct machine_spec *spec, const char *file,
		    struct ec2fs_error *error)
{
	unsigned how = spec->tap ? VIR_DOMAIN_SAVE_PAUSED : VIR_DOMAIN_SAVE_RUNNING;
	struct libvirt *v = libvirt_of(p);
	cleanup_connection virConnectPtr connection = NULL;
	cleanup_secrets struct secrets secrets = {0};
	cleanup_strbuf struct strbuf xml = STRBUF_INIT;
	int r = libvirt_connection(v, &connection, error);

	if (r == 0)
		r = describe(v, connection, spec, &secrets, &xml, error);
	if (r < 0)
		return r;
	libvirt_serve_owner(v, spec->owner);
	/* The file has its own XML, but its paths may be those of before the state was moved. */
	r = virDomainRestoreFlags(connection, file, xml.data, how);
	/* Another version may build the same spec a bit differently; the guest then gets what it
	 * had. */
	if (r < 0 && libvirt_code() == VIR_ERR_CONFIG_UNSUPPORTED)
		r = virDomainRestoreFlags(connection, file, NULL, how);
	if (r < 0)
		r = start_failed(v, connection, spec->id, "restore", error);
	return r < 0 ? r : finish_start(v, connection, spec, NULL, error);
}

/* The connection and the domain of a machine that must be there. */
static int need(struct provider *p, const char *id, virConnectPtr *connection, virDomainPtr *domain,
		struct ec2fs_error *error)
{
	struct libvirt *v = libvirt_of(p);
	int r = libvirt_connection(v, connection, error);

	return r < 0 ? r : libvirt_need(v, *connection, id, domain, error);
}

int libvirt_save(struct provider *p, const char *id, const char *file, struct ec2fs_error *error)
{
	cleanup_running struct running m = {0};
	int r = running_get(p, id, &m, error);

	if (r < 0)
		return r;
	/* It would wake with what was taken from it. */
	if (libvirt_has_cut(m.domain, m.xml))
		return ec2fs_fail(error, EC2_IncorrectInstanceState,
				  "machine %s has a device from which a volume was detached by "
				  "force: restart the guest first",
				  id);
	if (virDomainSaveFlags(m.domain, file, NULL, VIR_DOMAIN_SAVE_RUNNING) < 0)
		return libvirt_fail(error, m.connection, "cannot save machine %s to %s", id, file);
	return 0;
}

int libvirt_shutdown(struct provider *p, const char *id, struct ec2fs_error *error)
{
	cleanup_connection virConnectPtr connection = NULL;
	cleanup_domain virDomainPtr domain = NULL;
	int r = need(p, id, &connection, &domain, error);

	if (r < 0)
		return r;
	if (virDomainShutdownFlags(domain, VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN) < 0)
		return libvirt_fail(error, connection, "cannot press the power button of %s", id);
	return 0;
}

int libvirt_destroy(struct provider *p, const char *id, struct ec2fs_error *error)
{
	struct libvirt *v = libvirt_of(p);
	cleanup_connection virConnectPtr connection = NULL;
	cleanup_domain virDomainPtr domain = NULL;
	int r = libvirt_connection(v, &connection, error);

	if (r == 0)
		r = libvirt_find(v, connection, id, &domain, error);
	if (r < 0 || !domain)
		return r;
	if (virDomainDestroy(domain) == 0)
		return 0;
	/* Gone by itself meanwhile, or still in libvirt's books but not running any more. */
	if (libvirt_code() == VIR_ERR_NO_DOMAIN || libvirt_code() == VIR_ERR_OPERATION_INVALID)
		return 0;
	return libvirt_fail(error, connection, "cannot pull the plug of machine %s", id);
}

int libvirt_reboot(struct provider *p, const char *id, struct ec2fs_error *error)
{
	cleanup_connection virConnectPtr connection = NULL;
	cleanup_domain virDomainPtr domain = NULL;
	int r = need(p, id, &connection, &domain, error);

	if (r < 0)
		return r;
	/* libvirt presses the power button, and resets the machine when the guest has obeyed. */
	if (virDomainReboot(domain, VIR_DOMAIN_REBOOT_ACPI_POWER_BTN) < 0)
		return libvirt_fail(error, connection, "cannot reboot machine %s", id);
	return 0;
}

int libvirt_reset(struct provider *p, const char *id, struct ec2fs_error *error)
{
	cleanup_connection virConnectPtr connection = NULL;
	cleanup_domain virDomainPtr domain = NULL;
	int r = need(p, id, &connection, &domain, error);

	if (r < 0)
		return r;
	if (virDomainReset(domain, 0) < 0)
		return libvirt_fail(error, connection, "cannot reset machine %s", id);
	return 0;
}

int libvirt_pause(struct provider *p, const char *id, struct ec2fs_error *error)
{
	cleanup_connection virConnectPtr connection = NULL;
	cleanup_domain virDomainPtr domain = NULL;
	enum machine_state state;
	int r = need(p, id, &connection, &domain, error);

	if (r < 0)
		return r;
	if (virDomainSuspend(domain) < 0 &&
	    (libvirt_state(domain, &state) < 0 || state != MACHINE_PAUSED))
		return libvirt_fail(error, connection, "cannot pause machine %s", id);
	return 0;
}

int libvirt_resume(struct provider *p, const char *id, struct ec2fs_error *error)
{
	cleanup_connection virConnectPtr connection = NULL;
	cleanup_domain virDomainPtr domain = NULL;
	enum machine_state state;
	int r = need(p, id, &connection, &domain, error);

	if (r < 0)
		return r;
	if (virDomainResume(domain) < 0 &&
	    (libvirt_state(domain, &state) < 0 || state != MACHINE_RUNNING))
		return libvirt_fail(error, connection, "cannot let machine %s run", id);
	return 0;
}
