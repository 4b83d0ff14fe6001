/*
 * The rules of each kind of resource, as functions over a view: one file a kind. Setters have the
 * form that the tree's tables take: text is one line without its end; they refuse with EC2's code
 * and change nothing, or stage the change. Called under the writer lock; pure.
 */
#ifndef EC2FS_MODEL_KINDS_H
#define EC2FS_MODEL_KINDS_H

#include "ec2fs/model/view.h"

#include <stdbool.h>

#define SETTER(name)                                                                               \
	int name(struct view *v, struct resource *r, const char *text, size_t len,                 \
		 struct ec2fs_error *error)
#define MAKER(maker)                                                                               \
	int maker(struct view *v, const struct resource *parent, const char *name,                 \
		  struct resource **ret, struct ec2fs_error *error)
#define REMOVER(name) int name(struct view *v, struct resource *r, struct ec2fs_error *error)
#define RENAMER(renamer)                                                                           \
	int renamer(struct view *v, struct resource *r, const char *name, struct ec2fs_error *error)

/* What a new zone gets, from the daemon's options: borrowed for ever. */
struct zone_defaults {
	const char *compute; /* "qemu:///system" */
	const char *storage; /* "file:/var/lib/ec2fs/volumes" */
	/* Whether such a value may stand in a zone's file; told by the providers and volumes. */
	int (*check_compute)(const char *text, struct ec2fs_error *error);
	int (*check_storage)(const char *text, struct ec2fs_error *error);
};
void zone_set_defaults(const struct zone_defaults *defaults);

/* region.c */
MAKER(region_make);
REMOVER(region_remove);
/* Sets up an empty cloud: us-east-1 with us-east-1a; and what older clouds lack. A change function.
 */
int cloud_first(struct view *v, void *context, struct ec2fs_error *error);

/* zone.c */
MAKER(zone_make);
REMOVER(zone_remove);
SETTER(zone_set_state);
SETTER(zone_set_compute);
SETTER(zone_set_storage);

/* instance_type.c */
MAKER(instance_type_make);
REMOVER(instance_type_remove);
RENAMER(instance_type_rename);
SETTER(instance_type_set_vcpus);
SETTER(instance_type_set_memory);
SETTER(instance_type_set_architecture);
/* instance_store.c; text: "1x75", or "". */
SETTER(instance_type_set_storage);
/* An instance of that type, that is neither a draft nor terminated; NULL: none. */
const struct resource *instance_type_user(const struct view *v, const struct resource *type);
/* Adds EC2's types to a new region. */
void instance_types_add_catalogue(struct view *v, const struct resource *region);
/* Is it one of EC2's, which every region has from the beginning? */
bool instance_type_in_catalogue(const char *name);
uint64_t instance_type_memory(const struct resource *type); /* bytes */

/* image.c */
MAKER(image_make);
REMOVER(image_remove);
RENAMER(image_rename);
SETTER(image_set_description);
SETTER(image_set_architecture);
SETTER(image_set_root_device_name);
SETTER(image_set_cmdline);
int image_unset_cmdline(struct view *v, struct resource *r, struct ec2fs_error *error);
/* text: "BLOB SIZE FORMAT VIRTUAL-SIZE" for disk, "BLOB SIZE" for kernel and ramdisk; "" takes it
 * away. */
SETTER(image_set_disk);
SETTER(image_set_kernel);
SETTER(image_set_ramdisk);
int image_unset_kernel(struct view *v, struct resource *r, struct ec2fs_error *error);
int image_unset_ramdisk(struct view *v, struct resource *r, struct ec2fs_error *error);
/* The disk of a qcow2 import is there as raw now (value as for image_set_disk), or could not be
 * (error). */
void image_imported(struct view *v, struct resource *r, const char *value);
void image_import_failed(struct view *v, struct resource *r, const struct ec2fs_error *why);
/* Virtual size in bytes of its disk, 0 without one. */
uint64_t image_disk_size(const struct resource *image);
/* Is its disk in a format that must be converted before it can be used? */
bool image_needs_conversion(const struct resource *image);

/* image_sources.c */
/* From an instance: its volumes are snapshot, at one instant, as IMAGE-DEVICE. */
SETTER(image_set_source_instance);
SETTER(image_set_no_reboot);
SETTER(image_set_source_snapshot);
SETTER(image_set_mappings);
/* Available as soon as there is something to boot, and nothing left to do. */
void image_settle(struct view *v, struct resource *r);
/* Is the kernel that the source instance boots to be copied into the image? From which instance,
 * or NULL when it is gone. */
bool image_wants_kernel(const struct resource *image);
const struct resource *image_kernel_of(const struct view *v, const struct resource *image);
/* It is (values as for image_set_kernel; NULL or "": there is none). */
void image_saw_kernel(struct view *v, struct resource *r, const char *kernel, const char *ramdisk);
/* That a snapshot was completed, or failed. */
void images_saw_snapshot(struct view *v, const struct resource *snapshot);
/* An image that names the snapshot, or NULL. */
const struct resource *image_of_snapshot(const struct view *v, const struct resource *snapshot);

/* key_pair.c */
MAKER(key_pair_make);
REMOVER(key_pair_remove);
RENAMER(key_pair_rename);
SETTER(key_pair_set_public_key);
SETTER(key_pair_set_type);
int key_pair_unset_private_key(struct view *v, struct resource *r, struct ec2fs_error *error);
/* For tables: makes what key_pair_set_type takes as v->prepared. */
int key_pair_prepare(const struct resource *r, const char *text, void **ret,
		     struct ec2fs_error *error);

/* tag.c: tags of any resource */
MAKER(tag_make);
REMOVER(tag_remove);
RENAMER(tag_rename);
SETTER(tag_set_value);

/* quotas.c: limits of a region, a keyed text */
SETTER(quotas_set);
/* The limit of that key ("vcpus"). */
uint64_t quota_get(const struct resource *region, const char *key);
/* Each key with its limit, in order. */
void quotas_each(const struct resource *region,
		 void (*each)(void *context, const char *key, uint64_t limit), void *context);

/* volume.c, attachment.c, snapshot.c: see storage.h */
SETTER(volume_set_delete_on_termination);
REMOVER(volume_remove);
RENAMER(volume_rename);
/* The volume of the instance at the root device, or NULL. */
const struct resource *volume_root_of(const struct view *v, const struct resource *instance);

/* security_group.c */
MAKER(security_group_make);
REMOVER(security_group_remove);
RENAMER(security_group_rename);
SETTER(security_group_set_description);
SETTER(security_group_set_vpc);
/* security_group_rules.c: documents in the grammar of text/permission.h */
SETTER(security_group_set_ingress);
SETTER(security_group_set_egress);

/* prefix_list.c */
MAKER(prefix_list_make);
REMOVER(prefix_list_remove);
RENAMER(prefix_list_rename);
SETTER(prefix_list_set_entries);
SETTER(prefix_list_set_max_entries);
/* The rules that it counts for. */
uint64_t prefix_list_max_entries(const struct resource *list);

/* address.c */
MAKER(address_make);
REMOVER(address_remove);
RENAMER(address_rename);
/* text: name or ID of the instance to associate it with; "" disassociates. */
SETTER(address_set_instance);
int address_associate(struct view *v, struct resource *address, const struct resource *instance,
		      struct ec2fs_error *error);
void address_disassociate(struct view *v, struct resource *address);

/* public_pool.c: of the root */
SETTER(public_pool_set);
/* Its text, as the file shows it; borrowed from the root. */
const char *public_pool_text(const struct view *v);

/* vpc.c */
MAKER(vpc_make);
REMOVER(vpc_remove);
RENAMER(vpc_rename);
/* vpc_blocks.c */
SETTER(vpc_set_cidr_block);
SETTER(vpc_set_cidr_blocks);
/* vpc_options.c */
SETTER(vpc_set_internet_gateway);
/* Detaches it where nothing needs it; else does nothing. */
int vpc_unset_internet_gateway(struct view *v, struct resource *r, struct ec2fs_error *error);
SETTER(vpc_set_dns_support);
SETTER(vpc_set_dns_hostnames);
SETTER(vpc_set_dhcp_options);
SETTER(vpc_set_flow_log_options);

/* subnet.c */
MAKER(subnet_make);
REMOVER(subnet_remove);
RENAMER(subnet_rename);
SETTER(subnet_set_cidr_block);
SETTER(subnet_set_zone);
SETTER(subnet_set_map_public_ip);
SETTER(subnet_set_route_table);
SETTER(subnet_set_network_acl);
int subnet_unset_route_table(struct view *v, struct resource *r, struct ec2fs_error *error);
int subnet_unset_network_acl(struct view *v, struct resource *r, struct ec2fs_error *error);

/* route_table.c */
MAKER(route_table_make);
REMOVER(route_table_remove);
RENAMER(route_table_rename);
SETTER(route_table_set_main);
SETTER(route_table_set_propagating);
/* routes.c */
SETTER(route_table_set_routes);

/* network_acl.c */
MAKER(network_acl_make);
REMOVER(network_acl_remove);
RENAMER(network_acl_rename);
SETTER(network_acl_set_ingress);
SETTER(network_acl_set_egress);

/* nat_gateway.c */
MAKER(nat_gateway_make);
REMOVER(nat_gateway_remove);
RENAMER(nat_gateway_rename);
SETTER(nat_gateway_set_subnet);
SETTER(nat_gateway_set_address);
SETTER(nat_gateway_set_connectivity_type);

/* peering.c */
MAKER(peering_make);
REMOVER(peering_remove);
RENAMER(peering_rename);
SETTER(peering_set_peer_vpc);
SETTER(peering_set_state);

/* vpn_gateway.c */
MAKER(vpn_gateway_make);
REMOVER(vpn_gateway_remove);
RENAMER(vpn_gateway_rename);
SETTER(vpn_gateway_set_interface);
SETTER(vpn_gateway_set_customer_gateway);
int vpn_gateway_unset_customer_gateway(struct view *v, struct resource *r,
				       struct ec2fs_error *error);
SETTER(vpn_gateway_set_routes);

/* membership.c: that an instance is in a security group */
/* target: the group. EC2's limit of groups, the VPC's identity and duplicates are checked. */
int membership_make(struct view *v, const struct resource *instance, const char *name,
		    const struct resource *target, struct resource **ret,
		    struct ec2fs_error *error);
REMOVER(membership_remove);
/* text: "web,db", names or IDs: the instance is in these groups and no others. */
SETTER(membership_set_all);
/* The group that a membership means; NULL when it is gone. */
const struct resource *membership_group(const struct view *v, const struct resource *membership);
/* Is the instance in the group? */
bool membership_has(const struct view *v, const struct resource *instance,
		    const struct resource *group);

#define GIB ((uint64_t)1 << 30)
#define MIB ((uint64_t)1 << 20)

#endif
