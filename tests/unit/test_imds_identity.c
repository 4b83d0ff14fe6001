/* The instance identity document: its text, and that openssl verifies it the way AWS's manual says.
 */
#include "ec2fs/util/cleanup.h"
#include "netfw/imds/identity.h"
#include "tests/lib/imds_fixture.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <cmocka.h>

static char directory[] = "/tmp/ec2fs-imds-XXXXXX";
static struct imds_identity *identity;
static struct imds_facts facts;

static void put(const char *name, const char *format, const char *text)
{
	cleanup_free char *path = xasprintf("%s/%s", directory, name);
	cleanup_file FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fprintf(f, "%s%s%s", format, text, *format ? "\n-----END PKCS7-----\n" : "") >
		    0);
}

/* Does a shell command in the directory succeed? */
static bool shell(const char *command)
{
	cleanup_free char *text = xasprintf("cd %s && { %s; } >/dev/null 2>&1", directory, command);

	return system(text) == 0;
}

static void test_document(void **state)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	(void)state;
	imds_identity_document(&facts, &out);
	assert_string_equal(out.data, "{\n"
				      "  \"accountId\" : \"123456789012\",\n"
				      "  \"architecture\" : \"x86_64\",\n"
				      "  \"availabilityZone\" : \"us-east-1a\",\n"
				      "  \"billingProducts\" : null,\n"
				      "  \"devpayProductCodes\" : null,\n"
				      "  \"marketplaceProductCodes\" : null,\n"
				      "  \"imageId\" : \"ami-0abcdef1234567890\",\n"
				      "  \"instanceId\" : \"i-0123456789abcdef0\",\n"
				      "  \"instanceType\" : \"t3.micro\",\n"
				      "  \"kernelId\" : null,\n"
				      "  \"pendingTime\" : \"2024-05-06T07:08:09Z\",\n"
				      "  \"privateIp\" : \"10.0.1.5\",\n"
				      "  \"ramdiskId\" : null,\n"
				      "  \"region\" : \"us-east-1\",\n"
				      "  \"version\" : \"2017-09-30\"\n"
				      "}");
}

static void test_signatures(void **state)
{
	cleanup_strbuf struct strbuf document = STRBUF_INIT, plain = STRBUF_INIT,
				     pkcs7 = STRBUF_INIT, again = STRBUF_INIT;

	(void)state;
	imds_identity_document(&facts, &document);
	assert_int_equal(imds_identity_sign(identity, &facts, IMDS_SIGNATURE, &plain), 0);
	assert_int_equal(imds_identity_sign(identity, &facts, IMDS_PKCS7, &pkcs7), 0);
	assert_int_equal(imds_identity_sign(identity, &facts, IMDS_SIGNATURE, &again), 0);
	assert_string_equal(plain.data, again.data);
	put("document", "", document.data);
	put("signature.base64", "", plain.data);
	put("pkcs7", "-----BEGIN PKCS7-----\n", pkcs7.data);
	assert_true(shell("openssl x509 -in identity-certificate.pem -pubkey -noout >key && "
			  "base64 -d signature.base64 >signature"));
#define VERIFY "openssl dgst -sha256 -verify key -signature signature document"
	assert_true(shell(VERIFY));
#define VERIFY_PKCS7                                                                               \
	"openssl smime -verify -in pkcs7 -inform PEM -certfile identity-certificate.pem -noverify"
	assert_true(shell(VERIFY_PKCS7 " -out found && cmp found document"));
	assert_true(shell(VERIFY_PKCS7 " -content document -out found && cmp found document"));
	assert_true(shell("sed -i s/i-0/i-1/ document"));
	assert_false(shell(VERIFY));
	assert_false(shell(VERIFY_PKCS7 " -content document"));
}

/* What changes is signed anew. */
static void test_change(void **state)
{
	cleanup_strbuf struct strbuf before = STRBUF_INIT, after = STRBUF_INIT;

	(void)state;
	assert_int_equal(imds_identity_sign(identity, &facts, IMDS_SIGNATURE, &before), 0);
	free(facts.instance_type);
	facts.instance_type = xstrdup("t3.\"nano\\");
	assert_int_equal(imds_identity_sign(identity, &facts, IMDS_SIGNATURE, &after), 0);
	assert_string_not_equal(before.data, after.data);
	strbuf_truncate(&before, 0);
	imds_identity_document(&facts, &before);
	assert_non_null(strstr(before.data, "\"t3.\\\"nano\\\\\""));
}

static void *open_one(void *number)
{
	static struct imds_identity *all[8];
	struct imds_identity **one = &all[(uintptr_t)number];

	return imds_identity_open(directory, one, NULL) == 0 ? *one : NULL;
}

/* Several VPCs that start at once on an empty directory get one and the same key. */
static void test_first_ones(void **state)
{
	struct strbuf signatures[8] = {0};
	pthread_t threads[8];

	(void)state;
	assert_true(shell("rm identity.pem"));
	for (uintptr_t i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, open_one, (void *)i), 0);
	for (size_t i = 0; i < 8; i++) {
		void *one;

		assert_int_equal(pthread_join(threads[i], &one), 0);
		assert_non_null(one);
		imds_identity_sign(one, &facts, IMDS_SIGNATURE, &signatures[i]);
		assert_string_equal(signatures[i].data, signatures[0].data);
		imds_identity_close(one);
	}
	for (size_t i = 0; i < 8; i++)
		strbuf_free(&signatures[i]);
	assert_true(shell("[ \"$(ls | grep -c 'identity.*pem')\" = 2 ]"));
}

static void test_damage(void **state)
{
	struct imds_identity *none = NULL;
	struct ec2fs_error error = {0};

	(void)state;
	assert_true(shell("cp identity.pem kept && : >identity.pem"));
	assert_int_equal(imds_identity_open(directory, &none, &error), -EIO);
	assert_non_null(strstr(error.message, "identity.pem"));
	assert_true(shell("openssl genrsa -out other 2048 && sed -n '/CERT/,$p' kept >>other && "
			  "cp other identity.pem"));
	assert_int_equal(imds_identity_open(directory, &none, &error), -EIO);
	assert_int_equal(imds_identity_open("/proc/nowhere", &none, &error), -ENOENT);
	assert_null(none);
}

static int set_up(void **state)
{
	struct ec2fs_error error = {0};

	(void)state;
	imds_sample(&facts);
	free(facts.kernel_id);
	free(facts.ramdisk_id);
	facts.kernel_id = facts.ramdisk_id = NULL;
	if (!mkdtemp(directory) || imds_identity_open(directory, &identity, &error) < 0) {
		print_error("%s\n", error.message);
		return -1;
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	imds_identity_close(identity);
	imds_facts_free(&facts);
	shell("rm -f ./*");
	return rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document), cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_change),   cmocka_unit_test(test_first_ones),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
