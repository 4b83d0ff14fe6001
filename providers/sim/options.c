#include "providers/sim/options.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <stddef.h>
#include <string.h>

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit durations[] = {
	{"ms", 1000000}, {"s", 1000000000}, {"m", 60000000000}, {NULL, 0}};
static const struct unit sizes[] = {
	{"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}, {"TiB", 1ULL << 40}, {NULL, 0}};
static const struct unit counts[] = {{"", 1}, {NULL, 0}};

static const char *const verbs[] = {
#define X(verb) #verb,
	SIM_VERBS(X)
#undef X
};

static const char all_verbs[] =
#define X(verb) " " #verb
	SIM_VERBS(X)
#undef X
	;

static const char all_keys[] =
	"start, restore, save, boot, shutdown, crash-after (durations: 200ms, 2s, 1m), "
	"ignore-power-button, network, fail-start=N, fail=VERB, vcpus=N, memory=SIZE";

/* Keys whose value is a number with a unit. */
static const struct {
	const char *key;
	size_t offset;
	const struct unit *units;
	const char *example;
} numbers[] = {
	{"start", offsetof(struct sim_options, start_ns), durations, "200ms, 2s or 1m"},
	{"restore", offsetof(struct sim_options, restore_ns), durations, "200ms, 2s or 1m"},
	{"save", offsetof(struct sim_options, save_ns), durations, "200ms, 2s or 1m"},
	{"boot", offsetof(struct sim_options, boot_ns), durations, "200ms, 2s or 1m"},
	{"shutdown", offsetof(struct sim_options, shutdown_ns), durations, "200ms, 2s or 1m"},
	{"crash-after", offsetof(struct sim_options, crash_after_ns), durations, "200ms, 2s or 1m"},
	{"fail-start", offsetof(struct sim_options, fail_start), counts, "1"},
	{"memory", offsetof(struct sim_options, memory), sizes, "512MiB, 64GiB or 4TiB"},
};

const char *sim_verb_name(enum sim_verb verb)
{
	return verbs[verb];
}

/* At most nine digits, so that nothing overflows (a million TiB would). */
static bool parse_number(const char *text, const struct unit *units, uint64_t *ret)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 9)
		return false;
	for (; units->name; units++)
		if (strcmp(text + digits, units->name) == 0)
			return !__builtin_mul_overflow(strtoull(text, NULL, 10), units->factor,
						       ret);
	return false;
}

static int parse_fail(const char *value, struct sim_options *o, struct ec2fs_error *error)
{
	for (unsigned verb = 0; verb < SIM_VERB_COUNT; verb++)
		if (strcmp(value, verbs[verb]) == 0) {
			o->fail |= 1U << verb;
			return 0;
		}
	return ec2fs_fail(error, EC2_InvalidParameterValue,
			  "sim cannot fail \"%s\"; its verbs are%s", value, all_verbs);
}

static int parse_pair(char *pair, struct sim_options *o, struct ec2fs_error *error)
{
	char *equals = strchr(pair, '=');
	const char *value = equals ? equals + 1 : "";
	uint64_t number;

	if (!equals && strcmp(pair, "ignore-power-button") == 0) {
		o->ignore_power_button = true;
		return 0;
	}
	if (!equals && strcmp(pair, "network") == 0) {
		o->network = true;
		return 0;
	}
	if (equals)
		*equals = '\0';
	if (strcmp(pair, "fail") == 0)
		return parse_fail(value, o, error);
	if (strcmp(pair, "vcpus") == 0) {
		if (!parse_number(value, counts, &number) || number == 0)
			return ec2fs_fail(error, EC2_InvalidParameterValue,
					  "sim's vcpus is a number, like 64, not \"%s\"", value);
		o->vcpus = (unsigned)number;
		return 0;
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (strcmp(pair, numbers[i].key) != 0)
			continue;
		if (!parse_number(value, numbers[i].units, &number))
			return ec2fs_fail(error, EC2_InvalidParameterValue,
					  "sim's %s is something like %s, not \"%s\"", pair,
					  numbers[i].example, value);
		*(uint64_t *)((char *)o + numbers[i].offset) = number;
		return 0;
	}
	return ec2fs_fail(error, EC2_InvalidParameterValue, "sim has no \"%s\"; it has %s", pair,
			  all_keys);
}

int sim_options_parse(const char *uri, struct sim_options *ret, struct ec2fs_error *error)
{
	struct sim_options o = {
		.shutdown_ns = 20 * durations[0].factor, .vcpus = 1024, .memory = 4ULL << 40};
	cleanup_free char *pairs = NULL;
	char *rest = NULL;
	int r = 0;

	if (strcmp(uri, "sim") != 0) {
		if (strncmp(uri, "sim:", 4) != 0 || !uri[4])
			return ec2fs_fail(error, EC2_InvalidParameterValue,
					  "\"%s\" is neither sim nor sim:KEY=VALUE,…; keys: %s",
					  uri, all_keys);
		pairs = xstrdup(uri + 4);
		for (char *pair = strtok_r(pairs, ",", &rest); pair && r == 0;
		     pair = strtok_r(NULL, ",", &rest))
			r = parse_pair(pair, &o, error);
	}
	if (r == 0)
		*ret = o;
	return r;
}
