/*
 * A machine as libvirt's domain XML: q35, virtio, one serial port, the identity in SMBIOS that
 * EC2's Nitro machines have (what cloud-init and others look for). As few devices as will do: each
 * costs time at every start.
 */
#include "providers/libvirt/domain_xml.h"

#include "ec2fs/util/memory.h"

#include <string.h>

/* The network interface and the source of random numbers. */
#define OTHER_PORTS 2
/* So many disks can be attached to a running machine beyond those it started with. */
#define SPARE_PORTS 8

/* Appends text so that it is itself again when read as an attribute's value or as content. */
static void add_escaped(struct strbuf *out, const char *text)
{
	for (const char *s = text; *s; s++)
		switch (*s) {
		case '&':
			strbuf_adds(out, "&amp;");
			break;
		case '<':
			strbuf_adds(out, "&lt;");
			break;
		case '>':
			strbuf_adds(out, "&gt;");
			break;
		case '\'':
			strbuf_adds(out, "&apos;");
			break;
		case '"':
			strbuf_adds(out, "&quot;");
			break;
		case '\t':
		case '\n':
		case '\r':
			strbuf_addf(out, "&#%d;", *s);
			break;
		default:
			strbuf_addc(out, *s);
		}
}

/* Appends format with its one %s replaced by the escaped text. */
static void add_text(struct strbuf *out, const char *before, const char *text, const char *after)
{
	strbuf_adds(out, before);
	add_escaped(out, text);
	strbuf_adds(out, after);
}

/* XML 1.0 has no way at all to write most control characters. */
static int check_text(const char *what, const char *text, struct ec2fs_error *error)
{
	for (const char *s = text ? text : ""; *s; s++)
		if ((unsigned char)*s < ' ' && !strchr("\t\n\r", *s))
			return ec2fs_fail(error, EC2_InvalidParameterValue,
					  "the %s contains the control character 0x%02x, which "
					  "libvirt cannot be told",
					  what, (unsigned char)*s);
	return 0;
}

static int check_spec(const struct machine_spec *spec, struct ec2fs_error *error)
{
	const struct {
		const char *what, *text;
	} texts[] = {
		{"ID", spec->id},
		{"owner", spec->owner},
		{"UUID", spec->uuid},
		{"instance type", spec->type},
		{"kernel's path", spec->kernel},
		{"ramdisk's path", spec->ramdisk},
		{"command line", spec->cmdline},
		{"console's path", spec->console},
		{"MAC address", spec->mac},
	};
	int r = 0;

	if (strcmp(spec->architecture, "x86_64") != 0)
		return ec2fs_fail(error, EC2_Unsupported,
				  "machines of the architecture %s cannot run on this host; x86_64 "
				  "can",
				  spec->architecture);
	for (size_t i = 0; r == 0 && i < sizeof(texts) / sizeof(texts[0]); i++)
		r = check_text(texts[i].what, texts[i].text, error);
	for (size_t i = 0; r == 0 && i < spec->disk_count; i++)
		r = check_text("disk's path", spec->disks[i].path, error);
	return r;
}

static void add_identity(struct strbuf *out, const struct machine_spec *spec)
{
	strbuf_adds(out, "  <sysinfo type='smbios'>\n"
			 "    <bios>\n"
			 "      <entry name='vendor'>Amazon EC2</entry>\n"
			 "    </bios>\n"
			 "    <system>\n"
			 "      <entry name='manufacturer'>Amazon EC2</entry>\n");
	add_text(out, "      <entry name='product'>", spec->type, "</entry>\n");
	add_text(out, "      <entry name='serial'>", spec->uuid, "</entry>\n");
	add_text(out, "      <entry name='uuid'>", spec->uuid, "</entry>\n");
	strbuf_adds(out, "    </system>\n"
			 "    <baseBoard>\n"
			 "      <entry name='manufacturer'>Amazon EC2</entry>\n");
	add_text(out, "      <entry name='asset'>", spec->id, "</entry>\n");
	strbuf_adds(out, "    </baseBoard>\n"
			 "    <chassis>\n"
			 "      <entry name='manufacturer'>Amazon EC2</entry>\n"
			 "      <entry name='asset'>Amazon EC2</entry>\n"
			 "    </chassis>\n"
			 "  </sysinfo>\n");
}

static void add_boot(struct strbuf *out, const struct machine_spec *spec)
{
	strbuf_adds(out, "  <os>\n"
			 "    <type arch='x86_64' machine='q35'>hvm</type>\n");
	if (spec->kernel) {
		add_text(out, "    <kernel>", spec->kernel, "</kernel>\n");
		if (spec->ramdisk)
			add_text(out, "    <initrd>", spec->ramdisk, "</initrd>\n");
		if (spec->cmdline)
			add_text(out, "    <cmdline>", spec->cmdline, "</cmdline>\n");
	} else {
		strbuf_adds(out, "    <boot dev='hd'/>\n");
	}
	strbuf_adds(out, "    <smbios mode='sysinfo'/>\n"
			 "  </os>\n");
}

static void add_processor(struct strbuf *out, bool kvm)
{
	if (kvm)
		strbuf_adds(out, "  <cpu mode='host-passthrough' migratable='on'/>\n");
	else
		/* All that QEMU can emulate, so that distributions that ask for x86-64-v2 or v3
		 * boot; but a fifth level of page tables only makes every miss dearer. */
		strbuf_adds(out, "  <cpu mode='maximum'>\n"
				 "    <feature policy='disable' name='la57'/>\n"
				 "  </cpu>\n");
}

uint64_t domain_xml_burst(uint64_t burst, uint64_t lasting)
{
	return lasting && burst > lasting ? burst : 0;
}

static void add_limit(struct strbuf *out, const char *name, uint64_t value)
{
	if (value)
		strbuf_addf(out, "        <%s>%ju</%s>\n", name, (uintmax_t)value, name);
}

static void add_burst(struct strbuf *out, const char *name, uint64_t value, uint64_t seconds)
{
	if (!value)
		return;
	strbuf_addf(out, "        <%s_max>%ju</%s_max>\n", name, (uintmax_t)value, name);
	strbuf_addf(out, "        <%s_max_length>%ju</%s_max_length>\n", name, (uintmax_t)seconds,
		    name);
}

static void add_limits(struct strbuf *out, const struct machine_disk *disk)
{
	if (!disk->iops && !disk->bytes)
		return;
	strbuf_adds(out, "      <iotune>\n");
	add_limit(out, "total_bytes_sec", disk->bytes);
	add_limit(out, "total_iops_sec", disk->iops);
	add_burst(out, "total_bytes_sec", domain_xml_burst(disk->burst_bytes, disk->bytes),
		  disk->burst_seconds);
	add_burst(out, "total_iops_sec", domain_xml_burst(disk->burst_iops, disk->iops),
		  disk->burst_seconds);
	strbuf_adds(out, "      </iotune>\n");
}

static void add_disk(struct strbuf *out, const struct machine_disk *disk)
{
	const char *type = disk->block ? "block" : "file";

	strbuf_addf(out, "    <disk type='%s' device='disk'>\n", type);
	strbuf_addf(out, "      <driver name='qemu' type='raw'%s%s discard='unmap'/>\n",
		    disk->direct ? " cache='none'" : "", disk->native ? " io='native'" : "");
	add_text(out, disk->block ? "      <source dev='" : "      <source file='", disk->path,
		 disk->secret ? "'>\n" : "'/>\n");
	if (disk->secret) {
		/* Raw is what QEMU's LUKS driver makes of it. */
		strbuf_adds(out, "        <encryption format='luks'>\n");
		add_text(out, "          <secret type='passphrase' uuid='", disk->secret, "'/>\n");
		strbuf_adds(out, "        </encryption>\n"
				 "      </source>\n");
	}
	add_text(out, "      <target dev='", disk->target, "' bus='virtio'/>\n");
	add_limits(out, disk);
	if (disk->read_only)
		strbuf_adds(out, "      <readonly/>\n");
	if (disk->shared)
		strbuf_adds(out, "      <shareable/>\n");
	if (disk->serial)
		add_text(out, "      <serial>", disk->serial, "</serial>\n");
	strbuf_adds(out, "    </disk>\n");
}

static void add_devices(struct strbuf *out, const struct machine_spec *spec)
{
	strbuf_adds(out, "  <devices>\n");
	strbuf_adds(out, "    <controller type='pci' index='0' model='pcie-root'/>\n");
	/* One for each device on PCI Express, and some for disks to come: none can be added later.
	 */
	for (size_t i = 0; i < spec->disk_count + OTHER_PORTS + SPARE_PORTS; i++)
		strbuf_adds(out, "    <controller type='pci' model='pcie-root-port'/>\n");
	for (size_t i = 0; i < spec->disk_count; i++)
		add_disk(out, &spec->disks[i]);
	if (spec->mac) {
		if (spec->tap) {
			strbuf_adds(out, "    <interface type='ethernet'>\n");
			add_text(out, "      <target dev='", spec->tap, "' managed='no'/>\n");
		} else {
			strbuf_adds(out, "    <interface type='user'>\n");
		}
		add_text(out, "      <mac address='", spec->mac, "'/>\n");
		/* Without the ROM the firmware has no network boot to try. */
		strbuf_adds(out, "      <model type='virtio'/>\n"
				 "      <rom enabled='no'/>\n"
				 "    </interface>\n");
	}
	if (spec->console) {
		strbuf_adds(out, "    <serial type='file'>\n");
		add_text(out, "      <source path='", spec->console, "' append='on'/>\n");
		strbuf_adds(out, "      <target type='isa-serial' port='0'/>\n"
				 "    </serial>\n");
	}
	/* The screen is for screenshots; nobody can connect to it. */
	strbuf_adds(out, "    <video>\n"
			 "      <model type='vga'/>\n"
			 "    </video>\n"
			 "    <rng model='virtio'>\n"
			 "      <backend model='random'>/dev/urandom</backend>\n"
			 "    </rng>\n"
			 "    <panic model='isa'/>\n"
			 "    <memballoon model='none'/>\n"
			 "    <controller type='usb' model='none'/>\n"
			 "  </devices>\n");
}

int domain_xml_disk(const struct machine_disk *disk, struct strbuf *out, struct ec2fs_error *error)
{
	int r = check_text("disk's path", disk->path, error);

	if (r == 0)
		add_disk(out, disk);
	return r;
}

int domain_xml(const struct machine_spec *spec, bool kvm, struct strbuf *out,
	       struct ec2fs_error *error)
{
	int r = check_spec(spec, error);

	if (r < 0)
		return r;
	strbuf_addf(out, "<domain type='%s'>\n", kvm ? "kvm" : "qemu");
	add_text(out, "  <name>", spec->id, "</name>\n");
	add_text(out, "  <uuid>", spec->uuid, "</uuid>\n");
	add_text(out,
		 "  <metadata>\n"
		 "    <ec2fs:machine xmlns:ec2fs='" DOMAIN_XML_NAMESPACE "' owner='",
		 spec->owner,
		 "'/>\n"
		 "  </metadata>\n");
	strbuf_addf(out, "  <memory unit='KiB'>%ju</memory>\n",
		    (uintmax_t)((spec->memory + 1023) / 1024));
	strbuf_addf(out, "  <vcpu>%u</vcpu>\n", spec->vcpus);
	add_identity(out, spec);
	add_boot(out, spec);
	strbuf_adds(out, "  <features>\n"
			 "    <acpi/>\n"
			 "    <apic/>\n"
			 "  </features>\n");
	add_processor(out, kvm);
	/* EC2's machines cannot sleep. A panic is over at once; the panic device tells of it. */
	strbuf_adds(out, "  <clock offset='utc'/>\n"
			 "  <on_poweroff>destroy</on_poweroff>\n"
			 "  <on_reboot>restart</on_reboot>\n"
			 "  <on_crash>destroy</on_crash>\n"
			 "  <pm>\n"
			 "    <suspend-to-mem enabled='no'/>\n"
			 "    <suspend-to-disk enabled='no'/>\n"
			 "  </pm>\n");
	add_devices(out, spec);
	strbuf_adds(out, "</domain>\n");
	return 0;
}

char *domain_xml_owner(const char *element)
{
	const char *s = strstr(element, " owner="), *end;

	if (!s)
		return NULL;
	s += strlen(" owner=");
	if (*s != '\'' && *s != '"')
		return NULL;
	end = strchr(s + 1, *s);
	return end ? xasprintf("%.*s", (int)(end - s - 1), s + 1) : NULL;
}
