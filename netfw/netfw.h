/*
 * netfw: networks. A VPC is a network namespace named by its ID (`ip netns list` shows it); each
 * instance's interface is a tap moved into it and routed: all traffic, that of one subnet too,
 * crosses the forward hook, where the VPC's one nftables table (inet ec2fs) decides. DHCP and DNS
 * (dnsmasq) and the metadata service (libmicrohttpd) answer inside the namespace. VPCs meet only in
 * the edge namespace, which has the public addresses and one link to the host.
 *
 * The engine describes what is wanted; netfw makes it so, with one atomic batch for the ruleset. It
 * keeps nothing on disk that must survive: after a restart of the daemon the engine describes each
 * VPC once as a whole, and what stands in the kernel is replaced without a gap: no packet passes
 * that should not, no established connection breaks.
 *
 * Functions may block (netlink, a child program) and may be called from several threads at once for
 * different VPCs; calls for one VPC wait for each other. The caller holds no lock. All text is
 * borrowed for the time of the call. Addresses are IPv4 in host byte order; 0 is none.
 */
#ifndef NETFW_NETFW_H
#define NETFW_NETFW_H

#include "ec2fs/util/error.h"
#include "ec2fs/util/strbuf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct netfw;

struct netfw_cidr {
	uint32_t address; /* no host bits */
	uint8_t prefix;   /* 0 to 32 */
};

/* One permission of a security group. Prefix lists come as one rule an entry. */
struct netfw_rule {
	int protocol;       /* IANA's number; -1: all */
	uint16_t from, to;  /* TCP, UDP: ports */
	int16_t type, code; /* ICMP; -1: any */
	const char *group;  /* ID of the peer group; NULL: the peer is cidr */
	struct netfw_cidr cidr;
};

struct netfw_group {
	const char *id; /* sg-… */
	const struct netfw_rule *ingress, *egress;
	size_t ingress_count, egress_count;
};

/* An entry of a network ACL: stateless, lowest number first, what matches none is dropped. */
struct netfw_acl_entry {
	bool egress, allow;
	uint16_t number;
	int protocol;
	uint16_t from, to;
	int16_t type, code;
	struct netfw_cidr cidr;
};

struct netfw_acl {
	const char *id;
	bool allows_all; /* as the default ACL is made: nothing needs to be looked at */
	const struct netfw_acl_entry *entries;
	size_t entry_count;
};

enum netfw_target {
	NETFW_INTERNET,  /* the internet gateway */
	NETFW_NAT,       /* id: nat-… */
	NETFW_INTERFACE, /* id: eni-…, of this VPC */
	NETFW_PEERING,   /* id: pcx-… */
	NETFW_GATEWAY,   /* id: vgw-…: the host's own network */
	NETFW_BLACKHOLE  /* the target is gone */
};

struct netfw_route {
	struct netfw_cidr to;
	enum netfw_target target;
	const char *id;
};

struct netfw_route_table {
	const char *id;
	const struct netfw_route *routes; /* without the local ones */
	size_t route_count;
};

struct netfw_subnet {
	const char *id;
	struct netfw_cidr cidr; /* its first address + 1 is the router, + 2 the DNS server */
	const char *route_table;
	const char *acl;
};

struct netfw_nat {
	const char *id; /* nat-… */
	uint32_t private_ip, public_ip;
};

/* The other side of a peering is another VPC of this netfw. */
struct netfw_peering {
	const char *id; /* pcx-… */
	const char *vpc;
};

/* What of a VPC's traffic is logged, in EC2's format. */
enum netfw_flows { NETFW_FLOWS_ACCEPTED = 1, NETFW_FLOWS_REJECTED = 2 };
struct netfw_flow_logs {
	unsigned flows;    /* enum netfw_flows; 0: nothing, and it costs nothing */
	unsigned interval; /* seconds that are told together */
	const char *account;
};

/* All of a VPC but its groups and interfaces. */
struct netfw_vpc {
	const char *id; /* vpc-… */
	const struct netfw_cidr *cidrs;
	size_t cidr_count;
	const struct netfw_subnet *subnets;
	size_t subnet_count;
	const struct netfw_route_table *route_tables;
	size_t route_table_count;
	const struct netfw_acl *acls;
	size_t acl_count;
	const struct netfw_nat *nats;
	size_t nat_count;
	const struct netfw_peering *peerings;
	size_t peering_count;
	bool internet; /* has an internet gateway */
	/* vpn/: a host interface ("eth1", a wg device) that is reached as the virtual private
	 * gateway, or NULL. */
	const char *gateway_id, *gateway_interface;
	/* DHCP options. */
	bool dns;                     /* enableDnsSupport: .2 and 169.254.169.253 answer */
	const char *domain_name;      /* "ec2.internal" */
	const uint32_t *name_servers; /* none: the VPC's own */
	size_t name_server_count;
	const uint32_t *ntp_servers;
	size_t ntp_server_count;
	struct netfw_flow_logs flow_logs;
};

/* The network interface of an instance. */
struct netfw_interface {
	const char *id; /* eni-… */
	uint8_t mac[6];
	uint32_t address;   /* private, in the subnet */
	uint32_t public_ip; /* one-to-one NAT by the internet gateway; 0: none */
	const char *subnet;
	bool source_dest_check;
	const char *const *groups;
	size_t group_count;
	const char *host_name; /* "ip-10-0-0-5", without domain */
};

/* What the metadata service tells of one instance; texts are owned (imds_facts_free). NULL or
 * count 0: not applicable, neither listed nor served. */
struct imds_facts {
	uint64_t revision; /* see netfw_options.facts; 0: none */
	bool endpoint, tokens_required,
		tags_served; /* HttpEndpoint, HttpTokens, InstanceMetadataTags */
	uint8_t hops;        /* IP TTL of a token's answer, HttpPutResponseHopLimit: 1 to 64 */
	char *instance_id, *image_id, *instance_type, *region, *availability_zone, *account;
	char *architecture, *reservation_id, *launch_time; /* ISO 8601, Z */
	unsigned launch_index;
	char *kernel_id, *ramdisk_id;
	char *local_hostname, *public_hostname, *domain;
	char *mac, *local_ipv4, *public_ipv4;
	char *interface_id, *subnet_id, *subnet_cidr, *vpc_id, *vpc_cidr, *owner_id;
	char **vpc_cidrs;
	size_t vpc_cidr_count;
	char **group_names, **group_ids;
	size_t group_count;
	char *key_name, *public_key; /* OpenSSH form, no newline */
	char *root_device;           /* "/dev/xvda" */
	char **devices;              /* of further volumes: "sdf" */
	size_t device_count;
	/* Of disks of the instance store that are mapped: "ephemeral0" and "sdb". */
	char **store_names, **store_devices;
	size_t store_count;
	char **tag_keys, **tag_values;
	size_t tag_count;
	void *user_data;
	size_t user_data_size;
	const char *action; /* static: "none", "shutdown" */
};
void imds_facts_free(struct imds_facts *f);

struct netfw_options {
	const char *owner;     /* UUID of the state directory: marks what is ours */
	const char *directory; /* for sockets, leases, keys: STATE/network; made 0711 */
	/* Namespace (an open descriptor, borrowed) in which taps are made for the hypervisor; -1:
	 * the daemon's own. */
	int hypervisor;
	/* Facts of the instance with that private address in that VPC: 0, or -ENOENT. Called from
	 * the metadata service's threads; may take locks of the engine's. ret comes empty but for
	 * its revision, the one of the facts that were told for this address last, or 0: when it
	 * is not 0 and they are as true as ever, the answer may be -EALREADY, with ret left alone.
	 */
	int (*facts)(void *context, const char *vpc, uint32_t address, struct imds_facts *ret);
	/* Lines were appended to the flow log of that VPC. From a thread of its own; may take locks
	 * of the engine's. NULL: nobody wants to know. */
	void (*flow_logged)(void *context, const char *vpc);
	void *context;
};

/* Needs CAP_NET_ADMIN and CAP_SYS_ADMIN: OperationNotPermitted without. */
int netfw_open(const struct netfw_options *options, struct netfw **ret, struct ec2fs_error *error);
/* Lets go; networks, rules and dnsmasq go on, the metadata service ends. The edge, and with it the
 * host's routes to the pool, goes when no VPC leads to it. Accepts NULL. */
void netfw_close(struct netfw *n);

/* The public addresses: pool CIDRs are routed to the edge namespace, unreachable when not in use.
 * Replaces what was set before. */
int netfw_set_pool(struct netfw *n, const struct netfw_cidr *cidrs, size_t count,
		   struct ec2fs_error *error);

/*
 * A change of one VPC: what is staged takes effect together at commit, or not at all. `whole`: what
 * is not staged goes (after a start of the daemon); else it stays as it is.
 */
struct netfw_change;
struct netfw_change *netfw_change_begin(struct netfw *n, const char *vpc, bool whole);
/* Makes the namespace when there is none. In a whole change it comes first. */
void netfw_change_vpc(struct netfw_change *c, const struct netfw_vpc *vpc);
void netfw_change_group(struct netfw_change *c, const struct netfw_group *group);
void netfw_change_drop_group(struct netfw_change *c, const char *id);
/* The rules are in force when the commit returns, whether a tap is there or not. */
void netfw_change_interface(struct netfw_change *c, const struct netfw_interface *interface);
void netfw_change_drop_interface(struct netfw_change *c, const char *id);
/* Frees c. When the ruleset is refused nothing has changed. When it is in force and links or routes
 * fail after it, the VPC is no longer known (netfw_vpc_known): describe it as a whole again. */
int netfw_change_commit(struct netfw_change *c, struct ec2fs_error *error);
void netfw_change_cancel(struct netfw_change *c);
/* Is the VPC described since this netfw was opened (so that parts of it can be changed)? */
bool netfw_vpc_known(struct netfw *n, const char *vpc);
/* Takes the namespace and all in it away. Absent is a success. */
int netfw_vpc_remove(struct netfw *n, const char *vpc, struct ec2fs_error *error);
/* Calls each for every VPC of this owner that has a namespace. */
int netfw_vpc_list(struct netfw *n, void (*each)(void *context, const char *vpc), void *context,
		   struct ec2fs_error *error);

/* The name of an interface's tap, at most 15 bytes, into buffer. */
void netfw_tap_name(const char *interface_id, char buffer[16]);
/* Makes the tap (persistent, vnet_hdr, for the hypervisor's user or group to open) in the
 * hypervisor's namespace; one that is there, or is in its VPC already, is left. */
int netfw_tap_create(struct netfw *n, const char *interface_id, struct ec2fs_error *error);
/* Moves the tap, opened by a paused machine, into its VPC and brings it up with its addresses and
 * its route; the interface was committed before. Repeating it is a success. */
int netfw_tap_attach(struct netfw *n, const char *vpc, const char *interface_id,
		     struct ec2fs_error *error);
/* Wherever it is; absent is a success. */
int netfw_tap_remove(struct netfw *n, const char *vpc, const char *interface_id,
		     struct ec2fs_error *error);

/* Of an interface, seen from the instance; since its tap was made. */
struct netfw_stats {
	uint64_t received_bytes, received_packets, sent_bytes, sent_packets;
};
/* -ENOENT, error untouched: it has no tap in the VPC now. */
int netfw_stats(struct netfw *n, const char *vpc, const char *interface_id, struct netfw_stats *ret,
		struct ec2fs_error *error);
/* Lines "accepted|dropped in|out PACKETS BYTES" of an interface since its rules were made. */
int netfw_counters(struct netfw *n, const char *vpc, const char *interface_id, struct strbuf *out,
		   struct ec2fs_error *error);
/* Does whoever is behind the interface answer ARP? 1: yes, 0: not within a second. Blocks as long,
 * without holding up others. */
int netfw_probe(struct netfw *n, const char *vpc, const char *interface_id,
		struct ec2fs_error *error);

/* The flow log of a VPC, with or without a struct netfw; directory as in the options. The last part
 * of it, in whole lines, is appended; it only grows, except that its older half goes at times. */
void netfw_flow_log_show(const char *directory, const char *vpc, struct strbuf *out);
void netfw_flow_log_remove(const char *directory, const char *vpc);

#endif
