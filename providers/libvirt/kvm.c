#include "providers/libvirt/kvm.h"

#include "ec2fs/util/cleanup.h"

#include <fcntl.h>
#include <string.h>

static bool line_has_flag(char *line)
{
	char *rest = NULL;

	for (char *word = strtok_r(line, " \t\n:", &rest); word;
	     word = strtok_r(NULL, " \t\n:", &rest))
		if (strcmp(word, "vmx") == 0 || strcmp(word, "svm") == 0)
			return true;
	return false;
}

bool kvm_works(const char *cpuinfo, const char *device)
{
	cleanup_file FILE *f = fopen(cpuinfo, "re");
	cleanup_free char *line = NULL;
	cleanup_close int fd = -1;
	size_t capacity = 0;
	bool flag = false;

	while (f && !flag && getline(&line, &capacity, f) > 0)
		/* "vmx flags" names what vmx can do; "flags" names the processor's own. */
		flag = strncmp(line, "flags", 5) == 0 && line_has_flag(line);
	if (!flag)
		return false;
	fd = open(device, O_RDWR | O_CLOEXEC);
	return fd >= 0;
}
