#include "providers/sim/guest.h"

#include "ec2fs/util/spawn.h"

#include <stdio.h>
#include <unistd.h>

#define TIMEOUT_MS 10000

static int ip(const char *const *argv, struct ec2fs_error *error)
{
	int r = spawn_run(argv, TIMEOUT_MS, NULL, error);

	return r < 0 ? ec2fs_wrap(error, "ip %s %s", argv[1], argv[2]) : 0;
}

void sim_guest_end(const char *id)
{
	/* A namespace goes some time after its name, and the tap with it: not where the next guest
	 * of this ID has one already. */
	const char *const unplug[] = {"ip", "-netns", id, "link", "del", "eth0", NULL};
	const char *const del[] = {"ip", "netns", "del", id, NULL};
	char path[64];

	snprintf(path, sizeof(path), "/run/netns/%s", id);
	if (access(path, F_OK) < 0)
		return;
	spawn_run(unplug, TIMEOUT_MS, NULL, NULL);
	spawn_run(del, TIMEOUT_MS, NULL, NULL);
}

int sim_guest_start(const struct machine_spec *spec, struct ec2fs_error *error)
{
	const char *const commands[][16] = {
		{"ip", "netns", "add", spec->id, NULL},
		{"ip", "link", "add", spec->tap, "type", "veth", "peer", "name", "eth0", "address",
		 spec->mac, "netns", spec->id, NULL},
		{"ip", "-netns", spec->id, "link", "set", "lo", "up", NULL},
		{"ip", "-netns", spec->id, "link", "set", "eth0", "up", NULL},
	};
	int r = 0;

	sim_guest_end(spec->id);
	for (size_t i = 0; r == 0 && i < sizeof(commands) / sizeof(commands[0]); i++)
		r = ip(commands[i], error);
	if (r == 0 && spec->plug)
		r = spec->plug(spec->context, error);
	if (r < 0)
		sim_guest_end(spec->id);
	return r;
}
