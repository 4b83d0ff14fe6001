/*
 * Rules of security groups, one a line: `PROTOCOL PORTS PEER  # description`.
 *
 *	tcp 22 203.0.113.0/24
 *	tcp 80,443,8000-8100 0.0.0.0/0     # the web
 *	icmp echo-request sg:web
 *	all - 10.0.0.0/8
 *
 * A line may stand for several of EC2's permissions (a list of ports).
 */
#ifndef EC2FS_TEXT_PERMISSION_H
#define EC2FS_TEXT_PERMISSION_H

#include "ec2fs/text/cidr.h"
#include "ec2fs/util/error.h"
#include "ec2fs/util/strbuf.h"

#include <stddef.h>
#include <stdint.h>

enum permission_peer {
	PEER_CIDR,
	PEER_CIDR6, /* taken and kept; VPCs have no IPv6 yet, so it matches nothing */
	PEER_GROUP,
	PEER_PREFIX_LIST
};

/* One protocol, one range, one peer. */
struct permission {
	int protocol;       /* IANA's number; -1: all */
	uint16_t from, to;  /* TCP, UDP: ports */
	int16_t type, code; /* ICMP; -1: any */
	enum permission_peer peer;
	struct cidr cidr;
	const char *name; /* of the group or list, or the IPv6 CIDR; valid during the call */
};

typedef int permission_fn(void *context, unsigned line, const struct permission *p,
			  struct ec2fs_error *error);

/* Calls each with every permission of the text, in order; comments and blank lines are passed
 * over. A malformed line: InvalidPermission.Malformed, naming line and what would be right; the
 * same permission twice: InvalidPermission.Duplicate. A non-zero answer of each ends it. */
int permissions_parse(const char *text, size_t len, permission_fn *each, void *context,
		      struct ec2fs_error *error);

#endif
