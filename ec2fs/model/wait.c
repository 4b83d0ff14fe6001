#include "ec2fs/model/wait.h"

#include "ec2fs/text/number.h"
#include "ec2fs/util/strbuf.h"

#include <string.h>

#define MOST_PATIENCE (365 * 86400) /* s */

/* A state, and the states from which it may come without anybody's doing more, or by what others
 * are about to do: a draft may be launched. */
static const struct awaited {
	enum kind kind;
	const char *state;
	const char *from[7];
} awaited[] = {
	{KIND_INSTANCE, "running", {"draft", "pending"}},
	{KIND_INSTANCE, "stopped", {"pending", "running", "stopping"}},
	{KIND_INSTANCE,
	 "terminated",
	 {"draft", "pending", "running", "stopping", "stopped", "shutting-down"}},
	{KIND_VOLUME, "available", {"draft", "creating", "in-use"}},
	{KIND_VOLUME, "in-use", {"draft", "creating", "available"}},
	{KIND_SNAPSHOT, "completed", {"draft", "pending"}},
	{KIND_IMAGE, "available", {"pending"}},
	{KIND_NAT_GATEWAY, "available", {"pending"}},
};

#define EACH_AWAITED(a)                                                                            \
	for (const struct awaited *a = awaited; a < awaited + sizeof(awaited) / sizeof(*awaited);  \
	     a++)

static const struct awaited *find(enum kind kind, const char *state, size_t len)
{
	EACH_AWAITED(a)
	{
		if (a->kind == kind && strncmp(a->state, state, len) == 0 && !a->state[len])
			return a;
	}
	return NULL;
}

static int refuse_state(enum kind kind, struct ec2fs_error *error)
{
	cleanup_strbuf struct strbuf list = STRBUF_INIT;

	EACH_AWAITED(a)
	{
		if (a->kind == kind)
			strbuf_addf(&list, "%s%s", list.len ? ", " : "", a->state);
	}
	return ec2fs_fail(error, EC2_InvalidParameterValue,
			  "write the state to wait for (%s), and the most seconds to wait if you "
			  "like",
			  list.len ? list.data : "none");
}

static bool may_come(const struct awaited *a, const struct resource *r)
{
	for (const char *const *from = a->from; *from; from++) {
		if (resource_is(r, "state", *from))
			return true;
	}
	return false;
}

int state_wait(const struct view *v, const struct resource *r, const char *text,
	       int64_t *ret_timeout, struct ec2fs_error *error)
{
	size_t len = strcspn(text, " ");
	const char *patience = text + len + strspn(text + len, " ");
	const struct awaited *a = find(r->kind, text, len);
	uint64_t seconds;

	(void)v;
	if (!a)
		return refuse_state(r->kind, error);
	if (*patience) {
		int result = number_parse(patience, 0, MOST_PATIENCE, &seconds, error);

		if (result < 0)
			return ec2fs_wrap(error, "the seconds to wait");
		*ret_timeout = (int64_t)seconds * 1000000000LL;
	}
	if (resource_is(r, "state", a->state))
		return 0;
	if (may_come(a, r))
		return -EINPROGRESS;
	return ec2fs_fail_errno(
		error, resource_is(r, "state", "terminated") ? EIDRM : EBUSY,
		r->kind == KIND_INSTANCE ? EC2_IncorrectInstanceState : EC2_IncorrectState,
		"it is %s, and will not be %s%s%s", resource_or(r, "state", "draft"), a->state,
		resource_get(r, "state-reason") ? ": " : "", resource_or(r, "state-reason", ""));
}
