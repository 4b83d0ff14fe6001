/*
 * A VPC's ruleset by hand, in the namespace that this runs in: descriptions (netfw_text.h) from
 * standard input, and between them
 *
 *   begin, whole     a change; of all
 *   commit           prints "ok", or "refused: " and the error
 *   abort
 *   log GROUP        from the next vpc on
 *   counters ID      of an interface, then "ok"
 *   print            the tables as described, then "ok"
 *   replacements     how often they were replaced as a whole, then "ok"
 */
#include "netfw/ruleset_state.h"
#include "tests/lib/netfw_text.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>

static void answer(int result, const struct ec2fs_error *error)
{
	if (result < 0)
		printf("refused: %s\n", error->message);
	else
		puts("ok");
	fflush(stdout);
}

/* True when the line was one of ours. */
static bool command(struct netfw_text *t, const char *line)
{
	struct ec2fs_error error = {0};
	struct strbuf text = STRBUF_INIT;
	char id[64];
	int result = 0;

	if (!strcmp(line, "begin") || !strcmp(line, "whole")) {
		text_close(t);
		ruleset_begin(t->ruleset, *line == 'w');
		return true;
	}
	if (!strcmp(line, "commit")) {
		text_close(t);
		answer(ruleset_commit(t->ruleset, &error), &error);
		return true;
	}
	if (sscanf(line, "log %63s", id) == 1) {
		ruleset_log(t->ruleset, (uint32_t)strtoul(id, NULL, 10));
		return true;
	}
	if (!strcmp(line, "abort")) {
		text_close(t);
		ruleset_abort(t->ruleset);
		return true;
	}
	if (!strcmp(line, "print"))
		ruleset_print(t->ruleset, &text);
	else if (!strcmp(line, "replacements"))
		strbuf_addf(&text, "%u\n", t->ruleset->replacements);
	else if (sscanf(line, "counters %63s", id) == 1)
		result = ruleset_counters(t->ruleset, id, &text, &error);
	else
		return false;
	fputs(strbuf_str(&text), stdout);
	strbuf_free(&text);
	answer(result, &error);
	return true;
}

int main(void)
{
	struct netfw_text t = {0};
	char *line = NULL;
	size_t capacity = 0;
	int result = 0;

	t.ruleset = ruleset_new(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
	while (!result && getline(&line, &capacity, stdin) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (!command(&t, line) && !text_line(&t, line)) {
			fprintf(stderr, "what is this: %s\n", line);
			result = 2;
		}
	}
	free(line);
	text_free(&t);
	ruleset_free(t.ruleset);
	return result;
}
