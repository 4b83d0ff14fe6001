/* The metadata tree, without HTTP: names, listings, versions, and that what is listed is served. */
#include "ec2fs/util/cleanup.h"
#include "netfw/imds/identity.h"
#include "netfw/imds/tree.h"
#include "tests/lib/imds_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

static char directory[] = "/tmp/ec2fs-imds-XXXXXX";
static struct imds_identity *identity;

static int answer(const struct imds_facts *f, const char *path, struct strbuf *out, unsigned *flags)
{
	struct imds_question q = {.facts = f, .identity = identity};

	return imds_answer(&q, path, out, flags);
}

static void serves(const struct imds_facts *f, const char *path, const char *content)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	unsigned flags;
	int r = answer(f, path, &out, &flags);

	if (r < 0)
		fail_msg("%s: %s", path, strerror(-r));
	assert_string_equal(strbuf_str(&out), content);
}

static void lacks(const struct imds_facts *f, const char *path, int number)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	unsigned flags;
	int r = answer(f, path, &out, &flags);

	if (r != -number)
		fail_msg("%s: %d, not %s: %s", path, r, strerror(number), strbuf_str(&out));
	assert_int_equal(out.len, 0);
}

static void test_leaves(void **state)
{
	struct imds_facts f;

	(void)state;
	imds_sample(&f);
#define M "/latest/meta-data/"
	serves(&f, M "ami-id", "ami-0abcdef1234567890");
	serves(&f, M "ami-launch-index", "3");
	serves(&f, M "ami-manifest-path", "(unknown)");
	serves(&f, M "block-device-mapping/ami", "/dev/xvda");
	serves(&f, M "block-device-mapping/root", "/dev/xvda");
	serves(&f, M "block-device-mapping/ebs1", "sdf");
	serves(&f, M "block-device-mapping/ebs2", "sdg");
	serves(&f, M "block-device-mapping/ephemeral2", "sdc");
	lacks(&f, M "block-device-mapping/ebs3", ENOENT);
	lacks(&f, M "block-device-mapping/ebs0", ENOENT);
	serves(&f, M "events/maintenance/history", "[]");
	serves(&f, M "hostname", "ip-10-0-1-5.ec2.internal");
	serves(&f, M "instance-action", "none");
	serves(&f, M "instance-id", "i-0123456789abcdef0");
	serves(&f, M "instance-id/", "i-0123456789abcdef0");
	serves(&f, M "instance-life-cycle", "on-demand");
	serves(&f, M "local-ipv4", "10.0.1.5");
	serves(&f, M "mac", "02:00:0a:00:01:05");
	serves(&f, M "placement/availability-zone", "us-east-1a");
	serves(&f, M "placement/region", "us-east-1");
	serves(&f, M "public-keys/0/openssh-key", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGZ my key");
	serves(&f, M "security-groups", "default\nweb");
	serves(&f, M "services/partition", "aws");
	serves(&f, M "tags/instance/Name", "web 1");
	serves(&f, M "tags/instance/env:stage", "");
#define MAC M "network/interfaces/macs/02:00:0a:00:01:05/"
	serves(&f, MAC "device-number", "0");
	serves(&f, MAC "ipv4-associations/192.0.2.7", "10.0.1.5");
	serves(&f, MAC "local-ipv4s", "10.0.1.5");
	serves(&f, MAC "security-group-ids", "sg-0123456789abcdef0\nsg-0fedcba9876543210");
	serves(&f, MAC "vpc-ipv4-cidr-blocks", "10.0.0.0/16\n10.1.0.0/16");
	serves(&f, "/latest/user-data", "#!/bin/sh\necho hello\n");
	serves(&f, "/latest/dynamic/fws/instance-monitoring", "disabled");
	imds_facts_free(&f);
}

static void test_listings(void **state)
{
	struct imds_facts f;

	(void)state;
	imds_sample(&f);
	serves(&f, "/latest", "dynamic\nmeta-data\nuser-data");
	serves(&f, "/latest/", "dynamic\nmeta-data\nuser-data");
	serves(&f, "/latest/dynamic", "fws/\ninstance-identity/");
	serves(&f, "/latest/dynamic/instance-identity", "document\npkcs7\nrsa2048\nsignature");
	serves(&f, M "block-device-mapping/", "ami\nebs1\nebs2\nephemeral0\nephemeral2\nroot");
	serves(&f, M "public-keys", "0=my key");
	serves(&f, M "public-keys/", "0=my key");
	serves(&f, M "public-keys/0/", "openssh-key");
	serves(&f, M "network/interfaces/macs", "02:00:0a:00:01:05/");
	serves(&f, MAC "ipv4-associations", "192.0.2.7");
	serves(&f, M "tags/instance", "Name\nenv:stage");
	serves(&f, M,
	       "ami-id\nami-launch-index\nami-manifest-path\nblock-device-mapping/\nevents/\n"
	       "hostname\ninstance-action\ninstance-id\ninstance-life-cycle\ninstance-type\n"
	       "kernel-id\nlocal-hostname\nlocal-ipv4\nmac\nnetwork/\nplacement/\nprofile\n"
	       "public-hostname\npublic-ipv4\npublic-keys/\nramdisk-id\nreservation-id\n"
	       "security-groups\nservices/\ntags/");
	imds_facts_free(&f);
}

/* What does not apply is neither there nor listed; what is younger than the version neither. */
static void test_absent(void **state)
{
	struct imds_facts f;

	(void)state;
	imds_sample(&f);
	serves(&f, "/2009-04-04/meta-data/placement", "availability-zone");
	lacks(&f, "/2009-04-04/meta-data/mac", ENOENT);
	lacks(&f, "/2009-04-04/meta-data/tags/instance/Name", ENOENT);
	lacks(&f, "/2021-01-03/meta-data/tags", ENOENT);
	serves(&f, "/2021-03-23/meta-data/tags/", "instance/");
	serves(&f, "/1.0/", "meta-data\nuser-data");
	lacks(&f, "/2009-04-05/meta-data", ENOENT);
	imds_sample_without(&f, ~0u);
	serves(&f, "/latest/", "dynamic\nmeta-data");
	lacks(&f, "/latest/user-data", ENOENT);
	lacks(&f, M "public-keys/", ENOENT);
	lacks(&f, M "tags/instance/Name", ENOENT);
	lacks(&f, M "network", ENOENT);
	serves(&f, M,
	       "ami-id\nami-launch-index\nami-manifest-path\nevents/\ninstance-action\n"
	       "instance-id\ninstance-life-cycle\ninstance-type\nlocal-ipv4\nplacement/\n"
	       "profile\nreservation-id\nsecurity-groups\nservices/");
	imds_facts_free(&f);
}

/* The domain is joined once, in whichever form the facts have it. */
static void test_host_name(void **state)
{
	struct imds_facts f;

	(void)state;
	imds_sample(&f);
	free(f.local_hostname);
	f.local_hostname = xstrdup("ip-10-0-1-5");
	serves(&f, M "local-hostname", "ip-10-0-1-5.ec2.internal");
	serves(&f, MAC "local-hostname", "ip-10-0-1-5.ec2.internal");
	imds_facts_free(&f);
}

/* A tag that would make cloud-init stop reading, or that no path can name, is not served. */
static void test_tag_keys(void **state)
{
	static const char *const bad[] = {"a/b",    "0=a", "a=b=c", "a b", ".",  "..",
					  "_index", "",    "ä",     "a\n", "%41"};
	struct imds_facts f;

	(void)state;
	imds_sample(&f);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cleanup_free char *path = xasprintf(M "tags/instance/%s", bad[i]);
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		unsigned flags;

		free(f.tag_keys[0]);
		f.tag_keys[0] = xstrdup(bad[i]);
		serves(&f, M "tags/instance/", "env:stage");
		if (answer(&f, path, &out, &flags) == 0)
			assert_string_equal(strbuf_str(&out), "env:stage"); /* the directory */
	}
	free(f.tag_keys[1]);
	f.tag_keys[1] = xstrdup("b/c");
	lacks(&f, M "tags/", ENOENT);
	imds_facts_free(&f);
}

static void test_paths(void **state)
{
	cleanup_free char *huge = xcalloc(1, 100001);
	struct imds_facts f;

	(void)state;
	imds_sample(&f);
	serves(&f, "//latest///meta-data//mac//", "02:00:0a:00:01:05");
	serves(&f, "/%6catest/meta-data/mac", "02:00:0a:00:01:05");
	serves(&f, M "network/interfaces/macs/02%3A00%3a0a:00:01:05/mac", "02:00:0a:00:01:05");
	lacks(&f, M "../meta-data/mac", ENOENT);
	lacks(&f, M "%2e%2e/meta-data/mac", ENOENT);
	lacks(&f, M "./mac", ENOENT);
	lacks(&f, "/latest%2fmeta-data/mac", EINVAL);
	lacks(&f, M "mac%00", EINVAL);
	lacks(&f, M "mac%0a", EINVAL);
	lacks(&f, M "mac%", EINVAL);
	lacks(&f, M "mac%4", EINVAL);
	lacks(&f, M "mac%4g", EINVAL);
	lacks(&f, M "mac/x", ENOENT);
	lacks(&f, M "MAC", ENOENT);
	lacks(&f, M "public-keys/0=my key", ENOENT);
	lacks(&f, "latest", EINVAL);
	lacks(&f, "", EINVAL);
	lacks(&f, "*", EINVAL);
	memset(huge, 'a', 100000);
	huge[0] = '/';
	lacks(&f, huge, ENOENT);
	memset(huge, '/', 100000);
	memcpy(huge + 99994, "latest", 6);
	serves(&f, huge, "dynamic\nmeta-data\nuser-data");
	imds_facts_free(&f);
}

/* As cloud-init crawls. The number of leaves. */
static size_t crawl(const struct imds_facts *f, const char *path, bool bare)
{
	cleanup_strbuf struct strbuf list = STRBUF_INIT;
	cleanup_free char *slash = xasprintf("%s/", path);
	unsigned flags;
	size_t leaves = 0;

	if (answer(f, slash, &list, &flags) < 0)
		fail_msg("%s is listed and not served", path);
	assert_true(list.len > 0);
	assert_int_not_equal(list.data[list.len - 1], '\n');
	for (char *rest = list.data, *name; (name = strsep(&rest, "\n"));) {
		size_t len = strlen(name);
		char *equals = strchr(name, '=');
		cleanup_free char *below = NULL;
		cleanup_strbuf struct strbuf content = STRBUF_INIT;

		assert_true(len > 0);
		if (name[len - 1] == '/' || (bare && strcmp(name, "user-data") != 0)) {
			if (name[len - 1] == '/')
				name[len - 1] = '\0';
			below = xasprintf("%s/%s", path, name);
			leaves += crawl(f, below, false);
			continue;
		}
		if (equals)
			*equals = '\0';
		below = xasprintf("%s/%s%s", path, name, equals ? "/openssh-key" : "");
		if (answer(f, below, &content, &flags) < 0)
			fail_msg("%s is listed and not served", below);
		leaves++;
	}
	return leaves;
}

static void test_what_is_listed_is_served(void **state)
{
	cleanup_strbuf struct strbuf versions = STRBUF_INIT;
	struct imds_facts f;
	unsigned flags;

	(void)state;
	for (unsigned without = 0; without < 1u << IMDS_OPTIONAL; without++) {
		imds_sample(&f);
		imds_sample_without(&f, without);
		assert_true(crawl(&f, "/latest", true) > 15);
		imds_facts_free(&f);
	}
	imds_sample(&f);
	assert_int_equal(answer(&f, "/", &versions, &flags), 0);
	for (char *rest = versions.data, *name; (name = strsep(&rest, "\n"));) {
		cleanup_free char *path = xasprintf("/%s", name);

		assert_true(crawl(&f, path, true) > 8);
	}
	assert_int_equal(crawl(&f, "/latest", true), 55);
	imds_facts_free(&f);
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	return imds_identity_open(directory, &identity, NULL);
}

static int tear_down(void **state)
{
	cleanup_free char *key = xasprintf("%s/identity.pem", directory);
	cleanup_free char *certificate = xasprintf("%s/identity-certificate.pem", directory);

	(void)state;
	imds_identity_close(identity);
	unlink(key);
	unlink(certificate);
	return rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_leaves),
		cmocka_unit_test(test_listings),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_host_name),
		cmocka_unit_test(test_tag_keys),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_what_is_listed_is_served),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
