/* What state an instance is in, what users may ask of it there, and what the engine may tell. */
#include "ec2fs/model/instance.h"

#include "ec2fs/model/admission.h"
#include "ec2fs/model/interface.h"
#include "ec2fs/model/storage.h"
#include "ec2fs/text/time.h"
#include "ec2fs/util/strbuf.h"

#include <string.h>

static const char *const names[INSTANCE_STATE_COUNT] = {
	"draft", "pending", "running", "stopping", "stopped", "shutting-down", "terminated",
};

/* How long a terminated instance stays visible: about an hour in EC2. */
#define FORGET_AFTER (3600 * 1000000000LL)

const char *instance_state_name(enum instance_state state)
{
	return names[state];
}

enum instance_state instance_state_by_name(const char *name)
{
	int s = 0;

	while (s < INSTANCE_STATE_COUNT && strcmp(names[s], name) != 0)
		s++;
	return (enum instance_state)s;
}

enum instance_state instance_state(const struct resource *r)
{
	return instance_state_by_name(resource_or(r, "state", "draft"));
}

bool instance_wants(const struct resource *r, const char *wanted)
{
	return resource_is(r, "@wanted", wanted);
}

static void enter(struct view *v, struct resource *r, enum instance_state state)
{
	set_text(v, r, "state", names[state]);
}

/* "User initiated (2026-11-24 02:00:00 GMT)", EC2's StateTransitionReason. */
static void user_did_it(struct view *v, struct resource *r, const char *code)
{
	struct strbuf when __attribute__((cleanup(strbuf_free))) = STRBUF_INIT;

	time_print_gmt(v->now, &when);
	set_format(v, r, "state-reason", "%s: User initiated (%s)", code, strbuf_str(&when));
}

static int wrong_state(struct ec2fs_error *error, const struct resource *r, const char *verb,
		       const char *right)
{
	enum instance_state s = instance_state(r);

	return ec2fs_fail_errno(error, s == INSTANCE_TERMINATED ? EIDRM : EBUSY,
				EC2_IncorrectInstanceState,
				"the instance is %s and cannot be %s; %s", names[s], verb, right);
}

static int start(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	int result;

	switch (instance_state(r)) {
	case INSTANCE_PENDING:
	case INSTANCE_RUNNING:
		return 0;
	case INSTANCE_DRAFT:
		result = admit_launch(v, r, error);
		break;
	case INSTANCE_STOPPED:
		result = admit_start(v, r, error);
		break;
	case INSTANCE_STOPPING:
		return wrong_state(error, r, "started", "write it again once it is stopped");
	default:
		return wrong_state(error, r, "started", "make a new one with mkdir");
	}
	if (result < 0)
		return result;
	enter(v, r, INSTANCE_PENDING);
	set_text(v, r, "@wanted", "running");
	unset(v, r, "state-reason");
	unset(v, r, "@stop");
	unset(v, r, "@restarts");
	return 0;
}

static int protected(struct ec2fs_error *error, const char *file, const char *verb)
{
	return ec2fs_fail(error, EC2_OperationNotPermitted,
			  "the instance may not be %s: write false to %s first", verb, file);
}

/* how: "soft" asks the guest, "hard" pulls the plug. */
static int stop(struct view *v, struct resource *r, const char *wanted, const char *how,
		struct ec2fs_error *error)
{
	bool hibernate = strcmp(wanted, "hibernated") == 0;

	/* Who asks for it wants it to stay so. */
	unset(v, r, "@restarts");
	switch (instance_state(r)) {
	case INSTANCE_STOPPED:
		if (hibernate && !resource_is(r, "@hibernated", "true"))
			return wrong_state(error, r, "hibernated", "start it first");
		return 0;
	case INSTANCE_STOPPING:
		/* Asking again with force is the way out when the guest does not listen. */
		if (strcmp(how, "hard") == 0)
			set_text(v, r, "@stop", how);
		return 0;
	case INSTANCE_RUNNING:
		break;
	case INSTANCE_PENDING:
		return wrong_state(error, r, hibernate ? "hibernated" : "stopped",
				   "write it again once it is running");
	default:
		return wrong_state(error, r, hibernate ? "hibernated" : "stopped",
				   "only a running one can");
	}
	if (resource_is(r, "disable-api-stop", "true"))
		return protected(error, "disable-api-stop", "stopped");
	if (hibernate && !resource_is(r, "hibernation-options", "true"))
		return ec2fs_fail(error, EC2_UnsupportedHibernationConfiguration,
				  "hibernation was not enabled at launch: write true to "
				  "hibernation-options of a draft");
	enter(v, r, INSTANCE_STOPPING);
	set_text(v, r, "@wanted", wanted);
	set_text(v, r, "@stop", how);
	user_did_it(v, r,
		    hibernate ? "Client.UserInitiatedHibernate" : "Client.UserInitiatedShutdown");
	return 0;
}

int instance_pause_begin(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	int result = instance_state(r) == INSTANCE_RUNNING
			     ? stop(v, r, "stopped", "soft", error)
			     : wrong_state(error, r, "stopped", "only a running one can");

	if (result == 0)
		set_text(v, r, "@restarts", "true");
	return result;
}

bool instance_is_paused(const struct resource *r)
{
	return instance_state(r) == INSTANCE_STOPPED && resource_get(r, "@restarts");
}

int instance_pause_end(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	return instance_is_paused(r) ? start(v, r, error) : 0;
}

static int terminate(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	enum instance_state s = instance_state(r);

	if (s == INSTANCE_TERMINATED || s == INSTANCE_SHUTTING_DOWN)
		return 0;
	if (resource_is(r, "disable-api-termination", "true"))
		return protected(error, "disable-api-termination", "terminated");
	if (resource_is(r, "disable-api-stop", "true"))
		return protected(error, "disable-api-stop", "terminated");
	set_text(v, r, "@wanted", "terminated");
	user_did_it(v, r, "Client.UserInitiatedShutdown");
	if (s == INSTANCE_DRAFT) {
		attachments_release(v, r);
		enter(v, r, INSTANCE_TERMINATED);
		set_format(v, r, "@terminated", "%lld", (long long)v->now);
	} else {
		enter(v, r, INSTANCE_SHUTTING_DOWN);
	}
	return 0;
}

int instance_set_state(struct view *v, struct resource *r, const char *text, size_t len,
		       struct ec2fs_error *error)
{
	(void)len;
	if (strcmp(text, "running") == 0)
		return start(v, r, error);
	if (strcmp(text, "stopped") == 0)
		return stop(v, r, "stopped", "soft", error);
	if (strcmp(text, "hibernated") == 0)
		return stop(v, r, "hibernated", "soft", error);
	if (strcmp(text, "terminated") == 0)
		return terminate(v, r, error);
	if (strcmp(text, resource_or(r, "state", "")) == 0)
		return 0;
	return ec2fs_fail(error, EC2_InvalidParameterValue,
			  "there is no such state to ask for; write running, stopped, hibernated "
			  "or terminated");
}

/* "detach sdf", "detach sdf --force". */
static int detach(struct view *v, struct resource *r, const char *text, struct ec2fs_error *error)
{
	size_t len = strcspn(text, " ");
	const char *rest = text + len + strspn(text + len, " ");
	char device[32] = "";

	if (!len || len >= sizeof(device) || (*rest && strcmp(rest, "--force") != 0))
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "write detach DEVICE, and --force if need be");
	memcpy(device, text, len);
	return attachment_detach(v, r, device, *rest, error);
}

int instance_command(struct view *v, struct resource *r, const char *text, size_t len,
		     struct ec2fs_error *error)
{
	bool reboot = strcmp(text, "reboot") == 0, reset = strcmp(text, "reset") == 0;

	(void)len;
	if (!*text)
		return 0;
	if (strcmp(text, "start") == 0)
		return start(v, r, error);
	if (strcmp(text, "stop") == 0)
		return stop(v, r, "stopped", "soft", error);
	if (strcmp(text, "stop --force") == 0)
		return stop(v, r, "stopped", "hard", error);
	if (strcmp(text, "hibernate") == 0)
		return stop(v, r, "hibernated", "soft", error);
	if (strcmp(text, "terminate") == 0)
		return terminate(v, r, error);
	if (strncmp(text, "detach ", 7) == 0)
		return detach(v, r, text + 7 + strspn(text + 7, " "), error);
	if (strncmp(text, "snapshot ", 9) == 0)
		return snapshot_take_all(v, r, text + 9 + strspn(text + 9, " "), false, error);
	if (!reboot && !reset)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "there is no such command; write reboot, reset, start, stop, "
				  "stop --force, hibernate, terminate, detach DEVICE [--force] or "
				  "snapshot NAME");
	if (instance_state(r) == INSTANCE_TERMINATED)
		return 0; /* as EC2 does, silently */
	if (instance_state(r) != INSTANCE_RUNNING)
		return wrong_state(error, r, "restarted", "only a running one can");
	set_format(v, r, "@reboot", "%s %lld", reboot ? "soft" : "hard", (long long)v->now);
	return 0;
}

void instance_saw_running(struct view *v, struct resource *r)
{
	if (instance_state(r) != INSTANCE_PENDING)
		return;
	enter(v, r, INSTANCE_RUNNING);
	attachments_saw_running(v, r);
	unset(v, r, "@hibernated");
	unset(v, r, "state-reason");
}

static void stopped(struct view *v, struct resource *r)
{
	enter(v, r, INSTANCE_STOPPED);
	set_text(v, r, "@wanted", "stopped");
	unset(v, r, "@stop");
	unset(v, r, "@reboot");
	interface_stopped(v, r);
	attachments_saw_stopped(v, r);
}

void instance_saw_gone(struct view *v, struct resource *r, const char *reason)
{
	enum instance_state s = instance_state(r);

	if (s != INSTANCE_RUNNING && s != INSTANCE_STOPPING && s != INSTANCE_PENDING)
		return;
	if (s == INSTANCE_STOPPING) {
		stopped(v, r);
		return;
	}
	if (reason)
		set_text(v, r, "state-reason", reason);
	if (resource_is(r, "instance-initiated-shutdown-behavior", "terminate")) {
		/* Protection guards against requests, not against the guest (EC2 user guide). */
		set_text(v, r, "@wanted", "terminated");
		enter(v, r, INSTANCE_SHUTTING_DOWN);
		return;
	}
	stopped(v, r);
}

void instance_saw_hibernated(struct view *v, struct resource *r)
{
	if (instance_state(r) != INSTANCE_STOPPING)
		return;
	stopped(v, r);
	set_text(v, r, "@hibernated", "true");
}

void instance_saw_failure(struct view *v, struct resource *r, const struct ec2fs_error *why)
{
	const char *side = why->code == EC2_InternalError ? "Server" : "Client";

	if (why->code == EC2_InsufficientInstanceCapacity)
		side = "Server";
	if (instance_state(r) != INSTANCE_PENDING)
		return;
	set_format(v, r, "state-reason", "%s.%s: %s", side, ec2_code_name(why->code), why->message);
	if (resource_get(r, "@launched")) {
		stopped(v, r);
	} else {
		set_text(v, r, "@wanted", "terminated");
		enter(v, r, INSTANCE_SHUTTING_DOWN);
	}
}

void instance_saw_cleaned(struct view *v, struct resource *r)
{
	if (instance_state(r) != INSTANCE_SHUTTING_DOWN)
		return;
	enter(v, r, INSTANCE_TERMINATED);
	set_format(v, r, "@terminated", "%lld", (long long)v->now);
	interface_gone(v, r);
	attachments_instance_gone(v, r);
	unset(v, r, "@hibernated");
}

void instance_saw_reboot(struct view *v, struct resource *r)
{
	unset(v, r, "@reboot");
}

int64_t instance_forget_time(const struct resource *r)
{
	return (int64_t)resource_u64(r, "@terminated", 0) + FORGET_AFTER;
}
