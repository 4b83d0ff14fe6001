/*
 * Disks taken from a guest that does not let go of them. libvirt has no call for it, QEMU has: the
 * device gets another node, on which all fails, and the volume's nodes are deleted, which closes
 * the file. To libvirt the disk looks as before, until the guest lets go of the device.
 */
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "providers/libvirt/running.h"

#include <inttypes.h>
#include <jansson.h>
#include <libvirt/libvirt-qemu.h>
#include <stdlib.h>
#include <string.h>

/* Where the serials of disks that were cut off are noted: " vol… vol…". */
#define NAMESPACE "urn:ec2fs:cut:1"
#define LEAST_SIZE (1 << 20)

static char *marks_of(virDomainPtr domain)
{
	char *element = virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, NAMESPACE, 0);

	return element ? element : xstrdup("");
}

bool libvirt_is_cut(virDomainPtr domain, const char *serial)
{
	cleanup_free char *marks = marks_of(domain);

	return strstr(marks, serial);
}

/* Each serial is "vol" and 17 digits. */
static char *next_mark(char **at)
{
	char *s = strstr(*at, "vol");
	char *mark;

	if (!s)
		return NULL;
	mark = xasprintf("%.*s", (int)strcspn(s, " '\""), s);
	*at = s + strlen(mark);
	return mark;
}

int libvirt_mark_cut(virDomainPtr domain, const char *serial, bool cut)
{
	cleanup_free char *marks = marks_of(domain);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char *at = marks;

	if (!cut && !strstr(marks, serial))
		return 0;
	strbuf_adds(&text, "<cut serials='");
	for (char *mark = next_mark(&at); mark; mark = next_mark(&at)) {
		if (strcmp(mark, serial) != 0)
			strbuf_addf(&text, " %s", mark);
		free(mark);
	}
	if (cut)
		strbuf_addf(&text, " %s", serial);
	strbuf_adds(&text, "'/>");
	return virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, strbuf_str(&text),
				    "ec2fs-cut", NAMESPACE, VIR_DOMAIN_AFFECT_LIVE);
}

bool libvirt_has_cut(virDomainPtr domain, const char *xml)
{
	cleanup_free char *marks = marks_of(domain);
	char *at = marks;
	bool has = false;

	for (char *mark = next_mark(&at); mark; mark = next_mark(&at)) {
		cleanup_free char *there = running_disk(xml, mark);

		has |= there != NULL;
		free(mark);
	}
	return has;
}

/* Asks QEMU. *ret, which may be NULL: what it answers. */
static int ask(const struct running *m, json_t *command, json_t **ret, struct ec2fs_error *error)
{
	char *text = json_dumps(command, JSON_COMPACT), *answer = NULL;
	json_t *reply = NULL, *refused;
	int r = 0;

	json_decref(command);
	if (virDomainQemuMonitorCommand(m->domain, text, &answer,
					VIR_DOMAIN_QEMU_MONITOR_COMMAND_DEFAULT) < 0)
		r = libvirt_fail(error, m->connection, "cannot ask the QEMU of a machine");
	else
		reply = json_loads(answer, 0, NULL);
	refused = json_object_get(reply, "error");
	if (r == 0 && (!reply || refused))
		r = ec2fs_fail(error, EC2_InternalError, "QEMU: %s",
			       refused ? json_string_value(json_object_get(refused, "desc"))
				       : "it does not speak JSON");
	if (r == 0 && ret)
		*ret = json_incref(json_object_get(reply, "return"));
	json_decref(reply);
	free(answer);
	free(text);
	return r;
}

/* Is there a node of that name? */
static int has_node(const struct running *m, const char *name, bool *ret, struct ec2fs_error *error)
{
	json_t *all = NULL, *node;
	size_t i;
	int r = ask(m,
		    json_pack("{s:s, s:{s:b}}", "execute", "query-named-block-nodes", "arguments",
			      "flat", 1),
		    &all, error);

	*ret = false;
	json_array_foreach(all, i, node)
	{
		const char *is = json_string_value(json_object_get(node, "node-name"));

		*ret |= is && strcmp(is, name) == 0;
	}
	json_decref(all);
	return r;
}

static int delete_node(const struct running *m, const char *name, struct ec2fs_error *error)
{
	bool there;
	int r = has_node(m, name, &there, error);

	if (r < 0 || !there)
		return r;
	return ask(m,
		   json_pack("{s:s, s:{s:s}}", "execute", "blockdev-del", "arguments", "node-name",
			     name),
		   NULL, error);
}

/* A node of the same size, on which all fails. */
static int add_failing(const struct running *m, const char *name, uint64_t size,
		       struct ec2fs_error *error)
{
	bool there;
	int r = has_node(m, name, &there, error);

	if (r < 0)
		return r;
	/* Of a disk that the guest had let go of; or of this one, and then it cannot go. */
	if (there && delete_node(m, name, NULL) < 0)
		return 0;
	return ask(m,
		   json_pack("{s:s, s:{s:s, s:s, s:{s:s, s:I}, s:[{s:s, s:i}]}}", "execute",
			     "blockdev-add", "arguments", "driver", "blkdebug", "node-name", name,
			     "image", "driver", "null-co", "size", (json_int_t)size, "inject-error",
			     "event", "none", "errno", 5),
		   NULL, error);
}

/* Every step may be repeated: where one of an earlier call stopped is found again. */
static int cut(const struct running *m, const char *disk, const char *serial,
	       struct ec2fs_error *error)
{
	cleanup_free char *alias = disk_word(disk, "<alias name='");
	cleanup_free char *target = disk_word(disk, "<target dev='");
	cleanup_free char *number = disk_word(disk, "' index='");
	cleanup_free char *device = xasprintf("/machine/peripheral/%s/virtio-backend", alias);
	cleanup_free char *format = xasprintf("libvirt-%s-format", number);
	cleanup_free char *storage = xasprintf("libvirt-%s-storage", number);
	cleanup_free char *failing = xasprintf("cut-%s", serial);
	virDomainBlockInfo info = {0};
	int r;

	if (!alias || !target || !number)
		return ec2fs_fail(error, EC2_InternalError, "libvirt does not tell the node of %s",
				  serial);
	if (virDomainGetBlockInfo(m->domain, target, &info, 0) < 0 || info.capacity < LEAST_SIZE)
		info.capacity = LEAST_SIZE;
	r = add_failing(m, failing, info.capacity, error);
	if (r == 0)
		r = ask(m,
			json_pack("{s:s, s:{s:s, s:s, s:s}}", "execute", "qom-set", "arguments",
				  "path", device, "property", "drive", "value", failing),
			NULL, error);
	/* With them QEMU closes the file. */
	if (r == 0)
		r = delete_node(m, format, error);
	return r < 0 ? r : delete_node(m, storage, error);
}

int libvirt_cut_disk(struct provider *p, const char *id, const char *serial,
		     struct ec2fs_error *error)
{
	cleanup_running struct running m = {0};
	cleanup_free char *disk = NULL;
	int r = running_get(p, id, &m, error);

	if (r < 0)
		return r;
	disk = running_disk(m.xml, serial);
	if (!disk)
		return 0;
	/* Noted first: it is not given back to a guest that wakes. */
	if (libvirt_mark_cut(m.domain, serial, true) < 0)
		return libvirt_fail(error, m.connection, "cannot note that %s is cut off from %s",
				    serial, id);
	r = cut(&m, disk, serial, error);
	return r < 0 ? ec2fs_wrap(error, "cannot cut the disk %s off from machine %s", serial, id)
		     : 0;
}
