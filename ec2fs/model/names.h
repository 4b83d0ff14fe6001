/* The DNS names of instances (EC2 user guide, "instance naming"). */
#ifndef EC2FS_MODEL_NAMES_H
#define EC2FS_MODEL_NAMES_H

#include "ec2fs/model/network.h"
#include "ec2fs/util/strbuf.h"

/* "ip-10-0-0-5". */
void host_name(uint32_t address, struct strbuf *out);
/* The VPC's domain: of its DHCP options, or "ec2.internal" in us-east-1, else
 * "REGION.compute.internal". */
void vpc_domain(const struct view *v, const struct resource *vpc, struct strbuf *out);
/* Appends it, without a newline; false when it has none. */
bool private_dns_name(const struct view *v, const struct resource *instance, struct strbuf *out);
bool public_dns_name(const struct view *v, const struct resource *instance, struct strbuf *out);

#endif
