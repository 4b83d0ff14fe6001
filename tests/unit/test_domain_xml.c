/*
 * What libvirt is told, compared with the files in domain_xml/ beside this one. UPDATE_GOLDEN=1
 * writes them anew: then read the difference.
 */
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "providers/libvirt/domain_xml.h"
#include "providers/libvirt/internal.h"
#include "providers/libvirt/kvm.h"

#include <libgen.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct machine_disk root = {
	.path = "/var/lib/ec2fs/volumes/vol-0123456789abcdef0",
	.target = "vda",
	.serial = "vol0123456789abcdef0",
};

static const struct machine_spec plain = {
	.id = "i-0123456789abcdef0",
	.owner = "6b1c9a52-7c1c-4f7e-9f0c-2d3c4b5a6978",
	.uuid = "ec2a1b2c-3d4e-4f50-8a6b-7c8d9e0f1a2b",
	.type = "t3.micro",
	.architecture = "x86_64",
	.vcpus = 2,
	.memory = 1ULL << 30,
	.console = "/var/lib/ec2fs/console/i-0123456789abcdef0",
	.mac = "02:12:34:56:78:9a",
	.disks = &root,
	.disk_count = 1,
};

static void check_golden(const char *name, const struct machine_spec *spec, bool kvm)
{
	cleanup_free char *here = xstrdup(__FILE__);
	cleanup_free char *path = xasprintf("%s/domain_xml/%s.xml", dirname(here), name);
	cleanup_free char *golden = xcalloc(1, 65536);
	cleanup_strbuf struct strbuf xml = STRBUF_INIT;
	struct ec2fs_error error = {0};
	cleanup_file FILE *f = NULL;

	if (domain_xml(spec, kvm, &xml, &error) < 0)
		fail_msg("%s", error.message);
	if (getenv("UPDATE_GOLDEN")) {
		f = fopen(path, "w");
		assert_non_null(f);
		fputs(xml.data, f);
		return;
	}
	f = fopen(path, "r");
	if (!f)
		fail_msg("cannot read %s", path);
	golden[fread(golden, 1, 65535, f)] = '\0';
	assert_string_equal(xml.data, golden);
}

static void test_boot_from_disk_on_kvm(void **state)
{
	(void)state;
	check_golden("disk-kvm", &plain, true);
}

static void test_direct_kernel_boot_emulated(void **state)
{
	const struct machine_disk disks[] = {
		root,
		{.path = "/dev/vg/data",
		 .target = "vdb",
		 .serial = "vol0fedcba9876543210",
		 .block = true,
		 .read_only = true},
	};
	struct machine_spec spec = plain;

	(void)state;
	spec.kernel = "/var/lib/ec2fs/images/ami-0/kernel";
	spec.ramdisk = "/var/lib/ec2fs/images/ami-0/ramdisk";
	spec.cmdline = "console=ttyS0 quiet";
	spec.disks = disks;
	spec.disk_count = 2;
	check_golden("kernel-emulated", &spec, false);
}

static void test_encrypted_disks(void **state)
{
	const struct machine_disk disks[] = {
		{.path = "/var/lib/ec2fs/volumes/vol-0123456789abcdef0.raw",
		 .target = "vda",
		 .serial = "vol0123456789abcdef0",
		 .key = "/var/lib/ec2fs/volume-keys/vol-0123456789abcdef0",
		 .secret = "3f1c1d52-7c1c-4f7e-9f0c-2d3c4b5a6978"},
		{.path = "/dev/vg/data",
		 .target = "vdb",
		 .serial = "vol0fedcba9876543210",
		 .key = "/var/lib/ec2fs/volume-keys/vol-0fedcba9876543210",
		 .secret = "4f1c1d52-7c1c-4f7e-9f0c-2d3c4b5a6978",
		 .block = true,
		 .shared = true},
	};
	struct machine_spec spec = plain;

	(void)state;
	spec.disks = disks;
	spec.disk_count = 2;
	check_golden("encrypted", &spec, true);
}

static void test_odd_characters_stay_what_they_are(void **state)
{
	struct machine_disk disk = root;
	struct machine_spec spec = plain;

	(void)state;
	disk.path = "/srv/a & b/<x>\n\"'/vol";
	spec.console = "/srv/caf\xc3\xa9";
	spec.kernel = "/k";
	spec.cmdline = "a=\"b c\" d>e";
	spec.mac = NULL;
	spec.disks = &disk;
	check_golden("odd-characters", &spec, false);
}

static void test_memory_is_rounded_up(void **state)
{
	cleanup_strbuf struct strbuf xml = STRBUF_INIT;
	struct machine_spec spec = plain;

	(void)state;
	spec.memory = (512ULL << 20) + 1;
	assert_int_equal(domain_xml(&spec, false, &xml, NULL), 0);
	assert_non_null(strstr(xml.data, "<memory unit='KiB'>524289</memory>"));
}

static void test_a_disk_has_limits(void **state)
{
	cleanup_strbuf struct strbuf xml = STRBUF_INIT;
	struct machine_disk disk = root;

	(void)state;
	disk.iops = 3000;
	disk.bytes = 125 << 20;
	disk.burst_iops = 3000; /* no more than it has for ever: none */
	disk.burst_bytes = 250 << 20;
	disk.burst_seconds = 4194;
	assert_int_equal(domain_xml_disk(&disk, &xml, NULL), 0);
	assert_non_null(strstr(xml.data, "<total_iops_sec>3000</total_iops_sec>"));
	assert_non_null(strstr(xml.data, "<total_bytes_sec>131072000</total_bytes_sec>"));
	assert_non_null(strstr(xml.data, "<total_bytes_sec_max>262144000</total_bytes_sec_max>"));
	assert_non_null(
		strstr(xml.data, "<total_bytes_sec_max_length>4194</total_bytes_sec_max_length>"));
	assert_null(strstr(xml.data, "total_iops_sec_max"));
}

static void test_a_disk_is_read_past_the_page_cache_where_that_can_be(void **state)
{
	cleanup_strbuf struct strbuf xml = STRBUF_INIT;
	struct machine_disk disk = root;

	(void)state;
	disk.direct = true;
	assert_int_equal(domain_xml_disk(&disk, &xml, NULL), 0);
	assert_non_null(strstr(xml.data, " type='raw' cache='none' discard='unmap'/>"));
	disk.native = true;
	assert_int_equal(domain_xml_disk(&disk, &xml, NULL), 0);
	assert_non_null(strstr(xml.data, " type='raw' cache='none' io='native' discard='unmap'/>"));

	/* proc cannot; nor can what is not there. */
	disk.path = "/proc/version";
	libvirt_choose_io(&disk);
	assert_false(disk.direct || disk.native);
	disk.path = "/nonexistent";
	libvirt_choose_io(&disk);
	assert_false(disk.direct || disk.native);
}

static void test_refusals(void **state)
{
	cleanup_strbuf struct strbuf xml = STRBUF_INIT;
	struct machine_spec spec = plain;
	struct ec2fs_error error;

	(void)state;
	spec.architecture = "arm64";
	assert_int_equal(domain_xml(&spec, false, &xml, &error), -EOPNOTSUPP);
	assert_non_null(strstr(error.message, "arm64"));
	spec = plain;
	spec.cmdline = "quiet \x1b[31m";
	assert_int_equal(domain_xml(&spec, false, &xml, &error), -EINVAL);
	assert_non_null(strstr(error.message, "command line contains the control character 0x1b"));
	assert_int_equal(xml.len, 0);
}

static void test_owner_is_found_in_metadata(void **state)
{
	cleanup_free char *single = domain_xml_owner("<machine owner='abc-1'/>");
	cleanup_free char *twice =
		domain_xml_owner("<ec2fs:machine xmlns:ec2fs=\"x\" owner=\"d\"/>");

	(void)state;
	assert_string_equal(single, "abc-1");
	assert_string_equal(twice, "d");
	assert_null(domain_xml_owner("<machine/>"));
	assert_null(domain_xml_owner("<machine owner=abc/>"));
	assert_null(domain_xml_owner("<machine owner='abc"));
}

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void test_kvm_needs_the_flag_and_the_device(void **state)
{
	const char *tmp = getenv("TMPDIR");
	cleanup_free char *path = xasprintf("%s/cpuinfo-XXXXXX", tmp ? tmp : "/tmp");
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	write_text(path, "processor\t: 0\nflags\t\t: fpu vme svm sse\n");
	assert_true(kvm_works(path, "/dev/null"));
	assert_false(kvm_works(path, "/dev/no-such-device"));
	write_text(path, "flags\t\t: fpu vme sse vmx");
	assert_true(kvm_works(path, "/dev/null"));
	/* A paravirtual kernel: its device opens, and its machines hang. */
	write_text(path, "model name\t: svm\nflags\t\t: fpu svm_lock vmxnet sse\nbugs\t: vmx\n");
	assert_false(kvm_works(path, "/dev/null"));
	write_text(path, "vmx flags\t: vmx\n");
	assert_false(kvm_works(path, "/dev/null"));
	unlink(path);
	assert_false(kvm_works(path, "/dev/null"));
}

static void test_uris(void **state)
{
	const char *const good[] = {"qemu:///system", "qemu:///session",
				    "qemu+unix:///system?socket=/run/libvirt/libvirt-sock"};
	const char *const bad[] = {"qemu",
				   "qemu:///",
				   "qemu:///systemd",
				   "qemu+ssh://host/system",
				   "qemu://h/system",
				   "qemu+tcp:///system",
				   "qemu:///embed?root=/x"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(provider_libvirt.check(good[i], NULL), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ec2fs_error error = {0};

		assert_int_equal(provider_libvirt.check(bad[i], &error), -EINVAL);
		assert_non_null(strstr(error.message, "qemu:///system"));
	}
}

static void test_why_machines_end(void **state)
{
	(void)state;
	assert_int_equal(libvirt_end_of(VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN), MACHINE_END_GUEST);
	assert_int_equal(libvirt_end_of(VIR_DOMAIN_EVENT_STOPPED_DESTROYED), MACHINE_END_DESTROYED);
	assert_int_equal(libvirt_end_of(VIR_DOMAIN_EVENT_STOPPED_CRASHED), MACHINE_END_CRASHED);
	assert_int_equal(libvirt_end_of(VIR_DOMAIN_EVENT_STOPPED_FAILED), MACHINE_END_CRASHED);
	assert_int_equal(libvirt_end_of(VIR_DOMAIN_EVENT_STOPPED_SAVED), MACHINE_END_SAVED);
	assert_int_equal(libvirt_end_of(VIR_DOMAIN_EVENT_STOPPED_MIGRATED), MACHINE_END_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boot_from_disk_on_kvm),
		cmocka_unit_test(test_direct_kernel_boot_emulated),
		cmocka_unit_test(test_encrypted_disks),
		cmocka_unit_test(test_odd_characters_stay_what_they_are),
		cmocka_unit_test(test_memory_is_rounded_up),
		cmocka_unit_test(test_a_disk_has_limits),
		cmocka_unit_test(test_a_disk_is_read_past_the_page_cache_where_that_can_be),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_owner_is_found_in_metadata),
		cmocka_unit_test(test_kvm_needs_the_flag_and_the_device),
		cmocka_unit_test(test_uris),
		cmocka_unit_test(test_why_machines_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
