/* What follows "sim:" in a zone's `compute` file. Pure. */
#ifndef PROVIDERS_SIM_OPTIONS_H
#define PROVIDERS_SIM_OPTIONS_H

#include "ec2fs/util/error.h"

#include <stdbool.h>
#include <stdint.h>

#define SIM_VERBS(X)                                                                               \
	X(start)                                                                                   \
	X(restore)                                                                                 \
	X(save)                                                                                    \
	X(shutdown)                                                                                \
	X(destroy)                                                                                 \
	X(reboot)                                                                                  \
	X(reset)                                                                                   \
	X(observe)                                                                                 \
	X(list)                                                                                    \
	X(stats)                                                                                   \
	X(screenshot)                                                                              \
	X(capacity)

enum sim_verb {
#define X(verb) SIM_##verb,
	SIM_VERBS(X)
#undef X
		SIM_VERB_COUNT
};

const char *sim_verb_name(enum sim_verb verb);

/*
 * "sim", or "sim:KEY=VALUE,…" with any of
 *   start, restore, save=DURATION   how long these verbs take (default: 0)
 *   boot=DURATION                   from the start until the guest listens to the power button (0)
 *   shutdown=DURATION               from the power button until the guest is off (20ms)
 *   crash-after=DURATION            every guest panics that long after its start
 *   ignore-power-button             no guest ever obeys it
 *   network                         each guest is a network namespace of its own, named by its
 *                                   ID, with an interface eth0 that is plugged like a machine's
 *   fail-start=N                    the Nth start fails (counted over all machines, from 1)
 *   fail=VERB                       that verb always fails; may be given several times
 *   vcpus=N, memory=SIZE            the host's capacity (1024, 4TiB)
 * A DURATION is a number and ms, s or m; a SIZE a number and MiB, GiB or TiB.
 */
struct sim_options {
	uint64_t start_ns, restore_ns, save_ns, boot_ns, shutdown_ns;
	uint64_t crash_after_ns; /* 0: never */
	bool ignore_power_button, network;
	uint64_t fail_start; /* 0: none */
	unsigned fail;       /* bit 1 << verb */
	unsigned vcpus;
	uint64_t memory; /* bytes */
};

/* -EINVAL with what would be right; *ret is untouched then. */
int sim_options_parse(const char *uri, struct sim_options *ret, struct ec2fs_error *error);

#endif
