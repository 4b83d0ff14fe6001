/*
 * Rules of security groups, one a line: `PROTOCOL PORTS PEER  # description`.
 *
 *	tcp 22 203.0.113.0/24
 *	tcp 80,443,8000-8100 0.0.0.0/0     # the web
 *	icmp echo-request sg:web
 *	all - 10.0.0.0/8
 *
 * A line may stand for several of EC2's permissions (a list of ports). The peer is all up to the
 * comment, which begins with a blank and "#": a group's name may hold blanks.
 */
#ifndef EC2FS_TEXT_PERMISSION_H
#define EC2FS_TEXT_PERMISSION_H

#include "ec2fs/text/cidr.h"
#include "ec2fs/util/error.h"
#include "ec2fs/util/strbuf.h"
#include "ec2fs/util/table.h"

#include <stddef.h>
#include <stdint.h>

enum permission_peer {
	PEER_CIDR,
	PEER_CIDR6, /* taken and kept; VPCs have no IPv6 yet, so it matches nothing */
	PEER_GROUP,
	PEER_PREFIX_LIST
};

#define PROTOCOL_ALL (-1)

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

/* The permission as a line of its own, without comment and newline. */
void permission_print(const struct permission *p, struct strbuf *out);

/* The text with each peer `old` ("sg:web") become `new`, all else as it was; false (and nothing
 * appended) when no line has that peer. */
bool permissions_replace_peer(const char *text, size_t len, const char *old, const char *new,
			      struct strbuf *out);

/* Permissions, each once; init with zeros. */
struct permission_set {
	struct table table;
};

/* False when it is there already; the line of the first one is then in *ret_line. */
bool permission_set_add(struct permission_set *s, const struct permission *p, unsigned line,
			unsigned *ret_line);
void permission_set_free(struct permission_set *s);

#define cleanup_permission_set __attribute__((cleanup(permission_set_free)))

/* For permission.c: its words (permission_words.c). */
/* The number of a protocol's name or number, -1 for all; -2: there is none. */
int protocol_parse(const char *text);
/* Appends the name, or the number where there is none. */
void protocol_print(int protocol, struct strbuf *out);
/* Message for a word that is no protocol. */
int protocol_refuse(const char *text, struct ec2fs_error *error);
/* A type of ICMP (1) or ICMPv6 (58) by its name; *ret_code is -1 or that of the name. */
bool icmp_by_name(int protocol, const char *name, int16_t *ret_type, int16_t *ret_code);
/* The name, or NULL. */
const char *icmp_name(int protocol, int16_t type, int16_t code);
/* The nearest name to a mistyped one, or NULL. */
const char *icmp_suggest(int protocol, const char *name);

#endif
