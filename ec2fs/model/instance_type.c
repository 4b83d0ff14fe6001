/* Instance types: EC2's catalogue (DescribeInstanceTypes), and one's own. */
#include "ec2fs/model/instance.h"

#include "ec2fs/text/number.h"
#include "ec2fs/text/size.h"
#include "ec2fs/util/strbuf.h"

#include <stdio.h>
#include <string.h>

/* Instance storage is COUNTxSIZE in GB (10^9 bytes). */
#define CATALOGUE(X)                                                                               \
	X("t3.nano", 2, 512, "")                                                                   \
	X("t3.micro", 2, 1024, "")                                                                 \
	X("t3.small", 2, 2048, "")                                                                 \
	X("t3.medium", 2, 4096, "")                                                                \
	X("t3.large", 2, 8192, "")                                                                 \
	X("t3.xlarge", 4, 16384, "")                                                               \
	X("t3.2xlarge", 8, 32768, "")                                                              \
	X("t3a.nano", 2, 512, "")                                                                  \
	X("t3a.micro", 2, 1024, "")                                                                \
	X("t3a.small", 2, 2048, "")                                                                \
	X("t3a.medium", 2, 4096, "")                                                               \
	X("t3a.large", 2, 8192, "")                                                                \
	X("t3a.xlarge", 4, 16384, "")                                                              \
	X("t3a.2xlarge", 8, 32768, "")                                                             \
	X("t4g.nano", 2, 512, "")                                                                  \
	X("t4g.micro", 2, 1024, "")                                                                \
	X("t4g.small", 2, 2048, "")                                                                \
	X("t4g.medium", 2, 4096, "")                                                               \
	X("t4g.large", 2, 8192, "")                                                                \
	X("t4g.xlarge", 4, 16384, "")                                                              \
	X("t4g.2xlarge", 8, 32768, "")                                                             \
	X("m5.large", 2, 8192, "")                                                                 \
	X("m5.xlarge", 4, 16384, "")                                                               \
	X("m5.2xlarge", 8, 32768, "")                                                              \
	X("m5.4xlarge", 16, 65536, "")                                                             \
	X("m5d.large", 2, 8192, "1x75")                                                            \
	X("m6i.large", 2, 8192, "")                                                                \
	X("m6i.xlarge", 4, 16384, "")                                                              \
	X("m6id.large", 2, 8192, "1x118")                                                          \
	X("m7i.large", 2, 8192, "")                                                                \
	X("m7g.medium", 1, 4096, "")                                                               \
	X("m7g.large", 2, 8192, "")                                                                \
	X("c5d.large", 2, 4096, "1x50")                                                            \
	X("c6i.large", 2, 4096, "")                                                                \
	X("c6i.xlarge", 4, 8192, "")                                                               \
	X("c6i.2xlarge", 8, 16384, "")                                                             \
	X("r6i.large", 2, 16384, "")                                                               \
	X("r6i.xlarge", 4, 32768, "")                                                              \
	X("i3.large", 2, 15616, "1x475")                                                           \
	X("i3.xlarge", 4, 31232, "1x950")                                                          \
	X("i4i.large", 2, 16384, "1x468")                                                          \
	X("i4i.xlarge", 4, 32768, "1x937")                                                         \
	X("i4i.2xlarge", 8, 65536, "1x1875")                                                       \
	X("d3.xlarge", 4, 32768, "3x1980")                                                         \
	X("d3.2xlarge", 8, 65536, "6x1980")

static const struct {
	const char *name;
	unsigned vcpus, mib;
	const char *storage;
} catalogue[] = {
#define X(name, vcpus, mib, storage) {name, vcpus, mib, storage},
	CATALOGUE(X)
#undef X
};

bool instance_type_in_catalogue(const char *name)
{
	for (size_t i = 0; i < sizeof(catalogue) / sizeof(catalogue[0]); i++)
		if (strcmp(catalogue[i].name, name) == 0)
			return true;
	return false;
}

/* Graviton families have a g behind their generation. */
static bool is_arm(const char *name)
{
	size_t family = strcspn(name, ".");

	return family > 0 && name[family - 1] == 'g';
}

static void describe(struct resource *r, unsigned vcpus, unsigned mib, const char *architecture,
		     const char *storage)
{
	char text[32];

	snprintf(text, sizeof(text), "%u", vcpus);
	set_default(r, "vcpus", text);
	snprintf(text, sizeof(text), "%u MiB", mib);
	set_default(r, "memory", text);
	set_default(r, "architecture", architecture);
	if (*storage)
		set_default(r, "instance-storage", storage);
}

void instance_types_add_catalogue(struct view *v, const struct resource *region)
{
	for (size_t i = 0; i < sizeof(catalogue) / sizeof(catalogue[0]); i++)
		describe(view_create(v, region->number, KIND_INSTANCE_TYPE, catalogue[i].name),
			 catalogue[i].vcpus, catalogue[i].mib,
			 is_arm(catalogue[i].name) ? "arm64" : "x86_64", catalogue[i].storage);
}

int instance_type_make(struct view *v, const struct resource *parent, const char *name,
		       struct resource **ret, struct ec2fs_error *error)
{
	(void)error;
	*ret = view_create(v, parent->number, KIND_INSTANCE_TYPE, name);
	describe(*ret, 1, 512, "x86_64", "");
	return 0;
}

const struct resource *instance_type_user(const struct view *v, const struct resource *type)
{
	view_each (v, type->parent, KIND_INSTANCE, r) {
		enum instance_state s = instance_state(r);

		if (s != INSTANCE_DRAFT && s != INSTANCE_TERMINATED &&
		    resource_is(r, "instance-type", type->name))
			return r;
	}
	return NULL;
}

static int refuse_used(const struct view *v, const struct resource *type, struct ec2fs_error *error)
{
	const struct resource *user = instance_type_user(v, type);

	return user ? ec2fs_fail_errno(error, EBUSY, EC2_DependencyViolation,
				       "the instance %s is of this type", user->name)
		    : 0;
}

int instance_type_remove(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	int result = refuse_used(v, r, error);

	if (result == 0)
		view_delete(v, r);
	return result;
}

int instance_type_rename(struct view *v, struct resource *r, const char *name,
			 struct ec2fs_error *error)
{
	int result = refuse_used(v, r, error);

	if (result == 0)
		view_rename(v, r, name);
	return result;
}

int instance_type_set_vcpus(struct view *v, struct resource *r, const char *text, size_t len,
			    struct ec2fs_error *error)
{
	uint64_t n;
	int result = number_parse(text, 1, 255, &n, error);

	(void)len;
	if (result == 0 && !resource_is(r, "vcpus", text))
		result = refuse_used(v, r, error);
	if (result == 0)
		set_format(v, r, "vcpus", "%llu", (unsigned long long)n);
	return result;
}

uint64_t instance_type_memory(const struct resource *type)
{
	uint64_t bytes = 0;

	return size_parse(resource_or(type, "memory", ""), MIB, &bytes, NULL) < 0 ? 0 : bytes;
}

int instance_type_set_memory(struct view *v, struct resource *r, const char *text, size_t len,
			     struct ec2fs_error *error)
{
	struct strbuf printed __attribute__((cleanup(strbuf_free))) = STRBUF_INIT;
	uint64_t bytes;
	int result = size_parse(text, MIB, &bytes, error);

	(void)len;
	if (result < 0)
		return result;
	if (bytes < 32 * MIB || bytes > 24576 * GIB || bytes % MIB)
		return ec2fs_fail_errno(
			error, ERANGE, EC2_InvalidParameterValue,
			"memory is whole MiB, from 32 MiB to 24 TiB, such as 512 MiB");
	/* 8 GiB or 8192 MiB: as it is shown already. */
	if (bytes == instance_type_memory(r)) {
		set_text(v, r, "memory", resource_or(r, "memory", text));
		return 0;
	}
	result = refuse_used(v, r, error);
	if (result < 0)
		return result;
	size_print(bytes, &printed);
	set_text(v, r, "memory", strbuf_str(&printed));
	return 0;
}

int instance_type_set_architecture(struct view *v, struct resource *r, const char *text, size_t len,
				   struct ec2fs_error *error)
{
	int result = 0;

	(void)len;
	if (strcmp(text, "x86_64") != 0 && strcmp(text, "arm64") != 0)
		return ec2fs_fail(error, EC2_InvalidParameterValue, "write x86_64 or arm64");
	if (!resource_is(r, "architecture", text))
		result = refuse_used(v, r, error);
	if (result == 0)
		set_text(v, r, "architecture", text);
	return result;
}
