/* A machine as libvirt's domain XML (https://libvirt.org/formatdomain.html). Pure. */
#ifndef PROVIDERS_LIBVIRT_DOMAIN_XML_H
#define PROVIDERS_LIBVIRT_DOMAIN_XML_H

#include "ec2fs/util/strbuf.h"
#include "providers/provider.h"

#include <stdbool.h>

/* The namespace of our element in a domain's <metadata>. */
#define DOMAIN_XML_NAMESPACE "urn:ec2fs:machine:1"

/*
 * Appends the XML. kvm: run on the processor itself, else QEMU emulates one. InvalidParameterValue
 * for text that XML cannot hold, Unsupported for an architecture other than x86_64; out is
 * unchanged then.
 */
/* One disk's element alone, for a machine that runs. */
int domain_xml_disk(const struct machine_disk *disk, struct strbuf *out, struct ec2fs_error *error);
/* A burst that is one: above the lasting limit, or 0. */
uint64_t domain_xml_burst(uint64_t burst, uint64_t lasting);
int domain_xml(const struct machine_spec *spec, bool kvm, struct strbuf *out,
	       struct ec2fs_error *error);

/* The owner's UUID out of our metadata element as libvirt returns it; NULL if there is none. To be
 * freed. */
char *domain_xml_owner(const char *element);

#endif
