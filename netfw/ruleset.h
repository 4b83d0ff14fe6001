/*
 * The nftables tables of one VPC's namespace, `inet ec2fs` and `arp ec2fs`: what is described here
 * is compiled (compile.h), compared with what is applied, and the difference sent as one atomic
 * batch. docs/networks.md, "The ruleset", tells how it is built.
 *
 * Not locked: one thread at a time for one ruleset. All text is borrowed for the time of the call.
 */
#ifndef NETFW_RULESET_H
#define NETFW_RULESET_H

#include "netfw/netfw.h"

struct ruleset;

/* nl_fd: a NETLINK_NETFILTER socket that was opened in the namespace; owned from here on. What
 * stands in the kernel is unknown, so the first commit replaces it, and has to describe the VPC. */
struct ruleset *ruleset_new(int nl_fd);
/* The kernel's rules stay. Accepts NULL. */
void ruleset_free(struct ruleset *r);

/* From the next ruleset_vpc on, dropped packets are told to this nflog group of the namespace, with
 * the prefix "dropped-in" or "dropped-out"; 0: to none. One whose connection has counted it before
 * it is dropped is told as "counted" as well. */
void ruleset_log(struct ruleset *r, uint32_t group);

/* Begins a change; ruleset_commit or ruleset_abort ends it. whole: what is not told again goes. */
void ruleset_begin(struct ruleset *r, bool whole);
/* Order is free: a group may be named before it is described, a subnet's ACL too. */
void ruleset_vpc(struct ruleset *r, const struct netfw_vpc *vpc);
void ruleset_group(struct ruleset *r, const struct netfw_group *group);
void ruleset_drop_group(struct ruleset *r, const char *id);
void ruleset_interface(struct ruleset *r, const struct netfw_interface *interface);
void ruleset_drop_interface(struct ruleset *r, const char *id);
/*
 * One atomic batch of the difference; nothing is sent when there is none. On failure memory and
 * kernel are what they were, and no change is open. When the kernel's tables are not what was
 * applied last (somebody else changed them), all is put in place anew, in one transaction as well.
 */
int ruleset_commit(struct ruleset *r, struct ec2fs_error *error);
void ruleset_abort(struct ruleset *r);

/* Appends the tables as they were described, the open change included, for `nft -f`. */
void ruleset_print(struct ruleset *r, struct strbuf *out);

/* Appends lines "accepted|dropped in|out PACKETS BYTES" of an interface, since its rules were made.
 * -ENOENT when it is not applied. */
int ruleset_counters(struct ruleset *r, const char *interface_id, struct strbuf *out,
		     struct ec2fs_error *error);

#endif
