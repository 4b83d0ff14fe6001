/* Key pairs: what ec2fs says about keys is what ssh-keygen and openssl say about them. */
#include "ec2fs/model/keys.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

static char directory[] = "/tmp/ec2fs-keys-XXXXXX";

/* Runs a shell command in the private directory; its output without the last newline, NULL when it
 * fails. */
static char *shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *shell(const char *format, ...)
{
	char command[1024], output[8192];
	va_list args;
	size_t len;
	FILE *pipe;
	int prefix = snprintf(command, sizeof(command), "cd %s && ", directory);

	va_start(args, format);
	vsnprintf(command + prefix, sizeof(command) - (size_t)prefix, format, args);
	va_end(args);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	len = fread(output, 1, sizeof(output) - 1, pipe);
	if (pclose(pipe) != 0)
		return NULL;
	output[len] = '\0';
	if (len && output[len - 1] == '\n')
		output[len - 1] = '\0';
	return xstrdup(output);
}

static void write_file(const char *name, const char *text)
{
	cleanup_free char *path = xasprintf("%s/%s", directory, name);
	cleanup_file FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fchmod(fileno(f), 0600), 0);
	assert_true(fputs(text, f) >= 0);
}

static void need(const char *program)
{
	cleanup_free char *found = shell("command -v %s", program);

	if (!found) {
		print_message("skipped: %s is not installed\n", program);
		skip();
	}
}

static void import_ok(const char *text, struct key_material *key)
{
	struct ec2fs_error error = {0};
	int r = keys_import(text, strlen(text), key, &error);

	if (r)
		print_error("%s\n", error.message);
	assert_int_equal(r, 0);
	assert_null(key->private_key);
}

/* The key is refused, as EC2 does it, and the message holds `says`. */
static void import_refused(const char *text, size_t len, const char *says)
{
	struct key_material key = {.type = 77};
	struct ec2fs_error error = {0};

	assert_int_equal(keys_import(text, len, &key, &error), -EINVAL);
	assert_int_equal(error.code, EC2_InvalidKeyPair_Format);
	if (!strstr(error.message, says))
		print_error("\"%s\" lacks \"%s\"\n", error.message, says);
	assert_non_null(strstr(error.message, says));
	assert_int_equal(key.type, 77); /* untouched */
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(directory) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(shell("rm -r %s", directory));
	return 0;
}

static void rsa_of_ssh_keygen_is_imported(void **state)
{
	static const int sizes[] = {1024, 2048, 4096};

	(void)state;
	need("ssh-keygen");
	need("openssl");
	for (size_t i = 0; i < 3; i++) {
		cleanup_key_material struct key_material key = {0};
		cleanup_free char *line = NULL, *md5 = NULL;

		free(shell("ssh-keygen -q -t rsa -b %d -N '' -C 'ann at home' -f rsa%d", sizes[i],
			   sizes[i]));
		line = shell("cat rsa%d.pub", sizes[i]);
		import_ok(line, &key);
		assert_int_equal(key.type, KEY_RSA);
		assert_string_equal(key.public_key, line);
		md5 = shell("ssh-keygen -e -m PKCS8 -f rsa%d.pub | "
			    "openssl pkey -pubin -outform DER | openssl md5 -c | sed 's/.*= //'",
			    sizes[i]);
		assert_string_equal(key.fingerprint, md5);
	}
}

static void ed25519_of_ssh_keygen_is_imported(void **state)
{
	cleanup_key_material struct key_material key = {0};
	cleanup_free char *line = NULL, *fingerprint = NULL;

	(void)state;
	need("ssh-keygen");
	free(shell("ssh-keygen -q -t ed25519 -N '' -C '' -f ed"));
	line = shell("cat ed.pub");
	import_ok(line, &key);
	assert_int_equal(key.type, KEY_ED25519);
	/* ssh-keygen ends a line without comment in a blank. */
	assert_memory_equal(key.public_key, line, strlen(key.public_key));
	assert_int_equal(strlen(key.public_key), strlen("ssh-ed25519 ") + 68);
	fingerprint = shell("ssh-keygen -lf ed.pub | sed 's/.*SHA256:\\([^ ]*\\).*/\\1/'");
	assert_int_equal(strlen(key.fingerprint), 44);
	assert_int_equal(key.fingerprint[43], '=');
	key.fingerprint[43] = '\0';
	assert_string_equal(key.fingerprint, fingerprint);
}

/* Every form of one key gives the same line and fingerprint. */
static void other_forms_of_a_key_are_the_same_key(void **state)
{
	static const char *const forms[] = {
		"ssh-keygen -e -m PKCS8 -f forms.pub",   /* PEM of SubjectPublicKeyInfo */
		"ssh-keygen -e -m PEM -f forms.pub",     /* PEM of PKCS#1 */
		"ssh-keygen -e -m RFC4716 -f forms.pub", /* with a Comment header */
		"ssh-keygen -e -m RFC4716 -f forms.pub | sed 's/$/\\r/'",
		"ssh-keygen -e -m PKCS8 -f forms.pub | grep -v -- ----",
		"ssh-keygen -e -m PKCS8 -f forms.pub | grep -v -- ---- | tr -d '\\n'",
		"echo; echo; cat forms.pub; echo",
	};
	cleanup_key_material struct key_material line_key = {0};
	cleanup_free char *line = NULL;

	(void)state;
	need("ssh-keygen");
	free(shell("ssh-keygen -q -t rsa -b 2048 -N '' -C '' -f forms"));
	line = shell("cat forms.pub");
	import_ok(line, &line_key);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		cleanup_key_material struct key_material key = {0};
		cleanup_free char *text = shell("%s", forms[i]);

		assert_non_null(text);
		import_ok(text, &key);
		assert_string_equal(key.public_key, line_key.public_key);
		assert_string_equal(key.fingerprint, line_key.fingerprint);
	}
}

static void other_keys_are_refused(void **state)
{
	static const struct {
		const char *make, *says;
	} keys[] = {
		{"ssh-keygen -q -t ecdsa -N '' -f k1; cat k1.pub", "ecdsa-sha2-nistp256"},
		{"ssh-keygen -q -t rsa -b 3072 -N '' -f k2; cat k2.pub", "3072 bits"},
		{"openssl genpkey -algorithm ed25519 | openssl pkey -pubout", "RSA keys only"},
		{"openssl ecparam -name prime256v1 -genkey | openssl pkey -pubout",
		 "RSA keys only"},
		{"openssl genrsa 2048 2>&1", "private key"},
		{"ssh-keygen -q -t ed25519 -N '' -f k3; cat k3", "private key"},
		{"cat k1.pub k2.pub", "more than one line"},
		{"sed 's/^/no-pty /' k2.pub", "\"no-pty\" is not followed by base64"},
		{"sed 's/ssh-rsa/ssh-ed25519/' k2.pub", "the key in it says \"ssh-rsa\""},
		{"ssh-keygen -e -m PKCS8 -f k2.pub | sed '$d'", "END PUBLIC KEY"},
		{"ssh-keygen -e -m PKCS8 -f k2.pub | sed '2s/./!/'", "not base64"},
		{"ssh-keygen -e -m PKCS8 -f k2.pub | sed 3d | grep -v -e ----", "no public key"},
		{"cat k2.pub | cut -c-100", "malformed"},
	};

	(void)state;
	need("ssh-keygen");
	need("openssl");
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		cleanup_free char *text = shell("%s", keys[i].make);

		assert_non_null(text);
		import_refused(text, strlen(text), keys[i].says);
	}
}

static void text_that_is_no_key_is_refused(void **state)
{
	(void)state;
	import_refused("", 0, "empty");
	import_refused(" \n\n", 3, "empty");
	import_refused("ssh-rsa AAAA\0B", 14, "NUL");
	import_refused("\0", 1, "NUL");
	import_refused("hello", 5, "neither");
	import_refused("ssh-rsa", 7, "neither");
	import_refused("ssh-rsa AAAA", 12, "ends too early");
	import_refused("ssh-dss AAAAB3NzaC1kc3MAAAAA", 28, "ssh-dss");
	import_refused("ssh-rsa AAAAB3NzaC1yc2EAAAAA", 28, "malformed");
	import_refused("ssh-rsa AA=AB3Nz", 16, "not followed by base64");
	import_refused("ssh-rsa A===", 12, "not followed by base64");
	import_refused("AAAA", 4, "no public key in DER");
	import_refused("-----BEGIN CERTIFICATE-----\nAAAA", 32, "BEGIN CERTIFICATE");
	import_refused("-----BEGIN PUBLIC KEY-----", 26, "END PUBLIC KEY");
	/* An even modulus of the right length. */
	import_refused(
		"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQCAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
		204 + 8, "make no RSA key");
}

/* No cut or flipped byte of a good key crashes the reader or is taken for a key of another size. */
static void damaged_keys_never_surprise(void **state)
{
	cleanup_key_material struct key_material good = {0};
	struct ec2fs_error error;
	size_t len;

	(void)state;
	assert_int_equal(keys_generate(KEY_RSA, "x", &good, &error), 0);
	len = strlen(good.public_key);
	for (size_t i = 0; i < len; i++) {
		cleanup_key_material struct key_material cut = {0}, flipped = {0};
		cleanup_free char *copy = xstrdup(good.public_key);

		if (i < len - 2)
			assert_int_equal(keys_import(copy, i, &cut, &error), -EINVAL);
		copy[i] ^= 0x11;
		if (!keys_import(copy, len, &flipped, &error))
			assert_int_equal(flipped.type, KEY_RSA);
		else
			assert_int_equal(error.number, EINVAL);
	}
}

static void generated_rsa_is_what_openssl_and_ssh_expect(void **state)
{
	cleanup_key_material struct key_material key = {0}, imported = {0};
	cleanup_free char *sha1 = NULL, *line = NULL, *checked = NULL;
	struct ec2fs_error error;

	(void)state;
	need("ssh-keygen");
	need("openssl");
	assert_int_equal(keys_generate(KEY_RSA, "alice", &key, &error), 0);
	assert_memory_equal(key.private_key, "-----BEGIN RSA PRIVATE KEY-----\n", 32);
	write_file("alice", key.private_key);
	sha1 = shell("openssl pkcs8 -in alice -topk8 -nocrypt -outform DER | openssl sha1 -c | "
		     "sed 's/.*= //'");
	assert_string_equal(key.fingerprint, sha1);
	checked = shell("openssl rsa -in alice -check -noout 2>&1");
	assert_string_equal(checked, "RSA key ok");
	line = shell("echo $(ssh-keygen -y -f alice) alice");
	assert_string_equal(key.public_key, line);
	/* Importing the public half of a created key gives EC2's other fingerprint. */
	import_ok(key.public_key, &imported);
	assert_string_equal(imported.public_key, key.public_key);
	assert_int_equal(strlen(imported.fingerprint), 47);
	assert_int_equal(strlen(key.fingerprint), 59);
}

static void generated_ed25519_is_what_ssh_expects(void **state)
{
	(void)state;
	need("ssh-keygen");
	/* Comments of every length modulo the block size of the file's padding. */
	for (size_t i = 0; i < 9; i++) {
		cleanup_key_material struct key_material key = {0}, imported = {0};
		cleanup_free char *comment = xasprintf("%.*s", (int)i, "bob-smith");
		cleanup_free char *line = NULL, *signature = NULL;
		struct ec2fs_error error;

		assert_int_equal(keys_generate(KEY_ED25519, comment, &key, &error), 0);
		write_file("bob", key.private_key);
		line = shell("ssh-keygen -y -f bob");
		assert_non_null(line);
		assert_string_equal(key.public_key, line);
		import_ok(key.public_key, &imported);
		assert_string_equal(imported.fingerprint, key.fingerprint);
		/* The private half belongs to the public one: ssh verifies what it signs. */
		write_file("signers", "");
		signature = shell(
			"echo hello > msg; rm -f msg.sig; echo \"me $(cat bob.pub 2>/dev/null "
			"|| ssh-keygen -y -f bob)\" > signers; "
			"ssh-keygen -q -Y sign -n file -f bob msg 2>&1 && "
			"ssh-keygen -Y verify -n file -f signers -I me -s msg.sig < msg");
		assert_non_null(signature);
		assert_non_null(strstr(signature, "Good"));
	}
}

static void two_keys_are_never_the_same(void **state)
{
	cleanup_key_material struct key_material a = {0}, b = {0};
	struct ec2fs_error error;

	(void)state;
	assert_int_equal(keys_generate(KEY_ED25519, "", &a, &error), 0);
	assert_int_equal(keys_generate(KEY_ED25519, "", &b, &error), 0);
	assert_string_not_equal(a.public_key, b.public_key);
	assert_string_not_equal(a.private_key, b.private_key);
}

static void types_have_names(void **state)
{
	enum key_type type = KEY_RSA;

	(void)state;
	assert_true(key_type_parse("ed25519", &type));
	assert_int_equal(type, KEY_ED25519);
	assert_true(key_type_parse(key_type_name(KEY_RSA), &type));
	assert_int_equal(type, KEY_RSA);
	assert_false(key_type_parse("dsa", &type));
	assert_false(key_type_parse("", &type));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rsa_of_ssh_keygen_is_imported),
		cmocka_unit_test(ed25519_of_ssh_keygen_is_imported),
		cmocka_unit_test(other_forms_of_a_key_are_the_same_key),
		cmocka_unit_test(other_keys_are_refused),
		cmocka_unit_test(text_that_is_no_key_is_refused),
		cmocka_unit_test(damaged_keys_never_surprise),
		cmocka_unit_test(generated_rsa_is_what_openssl_and_ssh_expect),
		cmocka_unit_test(generated_ed25519_is_what_ssh_expects),
		cmocka_unit_test(two_keys_are_never_the_same),
		cmocka_unit_test(types_have_names),
	};

	return cmocka_run_group_tests_name("keys", tests, setup, teardown);
}
