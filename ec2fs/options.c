#include "ec2fs/options.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "ec2fs/util/strbuf.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
	"usage: ec2fs [OPTION...] MOUNTPOINT\n"
	"       ec2fs SOURCE MOUNTPOINT [-o OPTIONS]      (as mount(8) calls it; SOURCE is "
	"ignored)\n"
	"\n"
	"Mounts a cloud: a directory tree that is a small Amazon EC2. It goes to the background "
	"once\n"
	"it serves. Unmount it with umount or fusermount3 -u; instances run on, and the next "
	"mount\n"
	"finds them again.\n"
	"\n"
	"  -f, --foreground       stay in the foreground and log to standard error\n"
	"  -d, --debug            log more; implies -f\n"
	"  -o OPTION[,OPTION...]  any of these, or options of FUSE (allow_other, ro, max_read=N "
	"…):\n"
	"      state=DIR            where the state is kept (/var/lib/ec2fs)\n"
	"      compute=URI          what runs the machines of new zones: a libvirt URI or sim\n"
	"                           (qemu:///system)\n"
	"      storage=URI          what holds the volumes of new zones (file:STATE/volumes)\n"
	"      stop-timeout=SECONDS how long a guest may take to shut down (120)\n"
	"      scratch-timeout=SECONDS\n"
	"                           how long temporary files are kept that nobody uses (600)\n"
	"  -h, --help             this text\n"
	"  -V, --version          the version\n"
	"\n"
	"Exit status: 0 fine, 1 trouble, 2 wrong usage, 3 another ec2fs has the state directory.\n";

static int wrong(const char *format, const char *what)
{
	fputs("ec2fs: ", stderr);
	/* Every format of this file has one %s. */
	fprintf(stderr, "%.*s%s%s", (int)(strstr(format, "%s") - format), format, what,
		strstr(format, "%s") + 2);
	fputs("\nTry 'ec2fs --help'.\n", stderr);
	return OPTIONS_WRONG;
}

/* The part behind "key=", or NULL. */
static const char *value_of(const char *option, const char *key)
{
	size_t len = strlen(key);

	return strncmp(option, key, len) == 0 && option[len] == '=' ? option + len + 1 : NULL;
}

static void replace(char **slot, const char *value)
{
	free(*slot);
	*slot = xstrdup(value);
}

/* A daemon in the background has another working directory. */
static char *absolute(const char *path)
{
	char *cwd, *full;

	if (*path == '/')
		return xstrdup(path);
	cwd = getcwd(NULL, 0);
	full = xasprintf("%s/%s", cwd ? cwd : "", path);
	free(cwd);
	return full;
}

static int seconds(const char *value, const char *otherwise, int *ret)
{
	char *end;
	long n = strtol(value, &end, 10);

	if (!*value || *end || n < 1 || n > 86400)
		return wrong(otherwise, value);
	*ret = (int)n;
	return OPTIONS_GO;
}

static int one_option(struct options *o, const char *option, struct strbuf *rest)
{
	/* What mount(8) passes on from fstab and is not for us, nor for libfuse. */
	static const char *const ignored[] = {"defaults", "auto",    "noauto", "user",
					      "nofail",   "_netdev", "nouser", "rw"};
	const char *value;

	if ((value = value_of(option, "state")) != NULL) {
		if (!*value)
			return wrong("state= needs a directory%s", "");
		free(o->state);
		o->state = absolute(value);
		return OPTIONS_GO;
	}
	if ((value = value_of(option, "compute")) != NULL) {
		replace(&o->compute, value);
		return OPTIONS_GO;
	}
	if ((value = value_of(option, "storage")) != NULL) {
		replace(&o->storage, value);
		return OPTIONS_GO;
	}
	if ((value = value_of(option, "stop-timeout")) != NULL)
		return seconds(value, "stop-timeout takes seconds from 1 to 86400, not '%s'",
			       &o->stop_timeout);
	if ((value = value_of(option, "scratch-timeout")) != NULL)
		return seconds(value, "scratch-timeout takes seconds from 1 to 86400, not '%s'",
			       &o->scratch_timeout);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		if (strcmp(option, ignored[i]) == 0)
			return OPTIONS_GO;
	if (strncmp(option, "x-", 2) == 0)
		return OPTIONS_GO;
	strbuf_addf(rest, "%s%s", rest->len ? "," : "", option);
	return OPTIONS_GO;
}

static int option_list(struct options *o, const char *list, struct strbuf *rest)
{
	cleanup_free char *copy = xstrdup(list);
	char *save = NULL;

	for (char *one = strtok_r(copy, ",", &save); one; one = strtok_r(NULL, ",", &save)) {
		int r = one_option(o, one, rest);

		if (r != OPTIONS_GO)
			return r;
	}
	return OPTIONS_GO;
}

/* Checked here, where it can be told: once libfuse has them, so has the kernel. */
static int finish(struct options *o, int argc, char **argv, struct strbuf *rest)
{
	int left = argc - optind;

	if (left < 1)
		return wrong("the mount point is missing%s", "");
	if (left > 2)
		return wrong("what is '%s'? One mount point is enough", argv[optind + 2]);
	o->mountpoint = realpath(argv[argc - 1], NULL);
	/* A dead mount cannot be looked at, but it can be mounted over once it is cleared. */
	if (!o->mountpoint)
		o->mountpoint = absolute(argv[argc - 1]);
	if (!o->storage)
		o->storage = xasprintf("file:%s/volumes", o->state);
	if (rest->len)
		o->mount_options = strbuf_steal(rest);
	return OPTIONS_GO;
}

int options_parse(int argc, char **argv, struct options *ret)
{
	static const struct option longs[] = {{"foreground", no_argument, NULL, 'f'},
					      {"debug", no_argument, NULL, 'd'},
					      {"help", no_argument, NULL, 'h'},
					      {"version", no_argument, NULL, 'V'},
					      {0}};
	struct strbuf rest cleanup_strbuf = STRBUF_INIT;
	struct options o = {.state = xstrdup("/var/lib/ec2fs"),
			    .compute = xstrdup("qemu:///system"),
			    .stop_timeout = 120,
			    .scratch_timeout = 600};
	int c, r = OPTIONS_GO;

	while (r == OPTIONS_GO && (c = getopt_long(argc, argv, "fdo:hV", longs, NULL)) != -1) {
		switch (c) {
		case 'f':
			o.foreground = true;
			break;
		case 'd':
			o.foreground = o.debug = true;
			break;
		case 'o':
			r = option_list(&o, optarg, &rest);
			break;
		case 'h':
			fputs(usage, stdout);
			r = OPTIONS_DONE;
			break;
		case 'V':
			puts("ec2fs " EC2FS_VERSION);
			r = OPTIONS_DONE;
			break;
		default:
			fputs("Try 'ec2fs --help'.\n", stderr);
			r = OPTIONS_WRONG;
		}
	}
	if (r == OPTIONS_GO)
		r = finish(&o, argc, argv, &rest);
	if (r != OPTIONS_GO) {
		options_free(&o);
		return r;
	}
	*ret = o;
	return OPTIONS_GO;
}

void options_free(struct options *o)
{
	free(o->mountpoint);
	free(o->state);
	free(o->compute);
	free(o->storage);
	free(o->mount_options);
	*o = (struct options){0};
}
