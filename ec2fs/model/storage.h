/*
 * Storage: volumes, their attachments, snapshots, and the block device mappings of images and
 * launches (EC2 user guide, "Amazon EBS"). Users write what they want (kinds.h, the setters below);
 * the engine reads from here what is to be done and tells, by the *_saw_* functions, what it did.
 *
 * A volume's fields:
 *   state           draft (made, nothing asked yet: EC2 has no name for it), creating, available,
 *                   in-use, deleting, error
 *   size            "8 GiB", what is wanted; @made: bytes that the back end holds, once it does
 *   volume-type, iops, throughput, encrypted, multi-attach-enabled, availability-zone
 *   snapshot        ID of the snapshot that it begins as; @image: ID of the image whose disk it
 *                   begins as (a root volume)
 *   @key            of an encrypted one: name of its key, the ID of the volume that was first
 *                   encrypted with it
 *   modification-state  modifying, optimizing, completed, failed
 *   delete-on-termination  it goes with the last instance that has it
 *   @removed        its old name: rmdir was acknowledged, and nothing shows it any more
 *
 * An attachment is a child of its instance, called as the device is without "/dev/" ("sdf"):
 *   state           attached, or while a running machine gets or loses it attaching, detaching,
 *                   busy (the guest does not let go); @force: it is to be taken without asking
 *   @volume         number of the volume
 *
 * A snapshot's fields:
 *   state           draft, pending (to be taken, or being copied), completed, error
 *   volume          ID of the volume; @volume its number
 *   disk            of an imported one: "BLOB SIZE FORMAT VIRTUAL-SIZE", as an image's disk
 *   @zone           name of the zone where it was taken
 *   @group          number of the first of those that are taken at one instant
 *   encrypted, @key, @removed  as a volume's
 */
#ifndef EC2FS_MODEL_STORAGE_H
#define EC2FS_MODEL_STORAGE_H

#include "ec2fs/model/kinds.h"
#include "ec2fs/util/strbuf.h"

/* An instance's interfaces, volumes and NVMe disks (EC2 user guide, "Instance volume limits"). */
#define MOST_ATTACHMENTS 28
#define INSTANCE_STORE_MOST 8

/* Acknowledged as removed: no name leads to it, and the engine takes away what it is made of. */
bool storage_is_removed(const struct resource *r);

/* Volumes: what the engine reads. */

/* Bytes wanted; 0 of a draft. */
uint64_t volume_size(const struct resource *volume);
/* Bytes that the back end holds; 0 before it is made. */
uint64_t volume_made_size(const struct resource *volume);
bool volume_is_encrypted(const struct resource *volume);
/* Of an encrypted volume or snapshot: the name of its key; NULL of others. Those that were made of
 * each other have the same one. */
const char *volume_key(const struct resource *volume);
/* Of a volume that is to be created, from that snapshot (NULL: of none): it gets a key when it is
 * to be encrypted, or the snapshot's, for what is encrypted stays so. */
void volume_encrypt(struct view *v, struct resource *r, const struct resource *snapshot);
/* Does any volume or snapshot of any region have that key? */
bool volume_key_is_wanted(const struct view *v, const char *key);
/* What a volume in creation begins as: a snapshot, or an image (its disk; of one without a disk,
 * zeroes); *ret NULL: zeroes. Refused when it is gone, which ends the creation. */
int volume_source(const struct view *v, const struct resource *volume, const struct resource **ret,
		  struct ec2fs_error *error);
/* Is it being modified: is it to grow, or its limits to be set anew? */
bool volume_is_modifying(const struct resource *volume);
/* May a volume in state deleting go now: is no snapshot of it still to be taken? */
bool volume_may_go(const struct view *v, const struct resource *volume);

/* What its type lets through, for each attachment; 0: no limit. burst: above the lasting one, 0:
 * none. A full budget lasts for so many seconds of it, and fills at the lasting rate. */
struct volume_limits {
	uint64_t iops, burst_iops;
	uint64_t bytes, burst_bytes; /* a second */
	uint64_t burst_seconds;
};
void volume_limits(const struct resource *volume, struct volume_limits *ret);

/* Volumes: what the engine tells. Each is a no-op when the state has gone on meanwhile; r is
 * staged. */

/* It is made, that big (its wanted size may have grown meanwhile: then a modification begins). */
void volume_saw_created(struct view *v, struct resource *r, uint64_t bytes);
/* It cannot be made: error, with a state-reason. */
void volume_saw_failure(struct view *v, struct resource *r, const struct ec2fs_error *why);
/* The back end holds that many bytes, and the limits are set: optimizing as long as guests are
 * told. */
void volume_saw_modified(struct view *v, struct resource *r, uint64_t bytes);
/* Guests see it: completed. */
void volume_saw_optimized(struct view *v, struct resource *r);
/* It cannot grow: failed, its size what it was. */
void volume_saw_modification_failure(struct view *v, struct resource *r,
				     const struct ec2fs_error *why);
/* The back end holds nothing of it any more: the record goes. */
void volume_saw_gone(struct view *v, struct resource *r);

/* Attachments. view_each (v, instance->number, KIND_ATTACHMENT, a) goes through an instance's,
 * view_each_about (v, volume->number, KIND_ATTACHMENT, a) through a volume's. */

enum attachment_state {
	ATTACHMENT_ATTACHING,
	ATTACHMENT_ATTACHED,
	ATTACHMENT_DETACHING,
	ATTACHMENT_BUSY
};
enum attachment_state attachment_state(const struct resource *attachment);
const char *attachment_state_name(enum attachment_state state);
const struct resource *attachment_volume(const struct view *v, const struct resource *attachment);
const struct resource *attachment_instance(const struct view *v, const struct resource *attachment);
/* Appends "/dev/sdf". */
void attachment_device(const struct resource *attachment, struct strbuf *out);
/* Is it the instance's root volume? */
bool attachment_is_root(const struct view *v, const struct resource *attachment);
/* Is it to be taken from the machine, whatever the guest says? */
bool attachment_is_forced(const struct resource *attachment);
/* Is it on its way out (detaching or busy)? Its device's name is not free yet; no link shows it. */
bool attachment_is_leaving(const struct resource *attachment);
/* The name of a device as links have it: "/dev/sdb" is sdb, and sdb too. */
const char *device_name(const char *device);
/* The volume's first attachment, or NULL. */
const struct resource *volume_attachment(const struct view *v, const struct resource *volume);
/* Does the volume go with the instance: is it to be deleted, and does nobody else have it? */
bool attachment_is_doomed(const struct view *v, const struct resource *attachment);

/* What the engine tells; as above. */
void attachment_saw_attached(struct view *v, struct resource *r);
/* The machine cannot take it: it is detached again; the instance's state-reason says why. */
void attachment_saw_failure(struct view *v, struct resource *r, const struct ec2fs_error *why);
/* The guest was asked and holds on to it. */
void attachment_saw_busy(struct view *v, struct resource *r);
void attachment_saw_detached(struct view *v, struct resource *r);

/* When an instance's state changes (instance_states.c): its machine runs, and has what it was
 * started with; it has none any more; it is terminated. */
void attachments_saw_running(struct view *v, const struct resource *instance);
void attachments_saw_stopped(struct view *v, const struct resource *instance);
/* Those that go with it are in state deleting from here on, the others are free. */
void attachments_instance_gone(struct view *v, const struct resource *instance);
/* A draft goes: all are free. */
void attachments_release(struct view *v, const struct resource *instance);
/* Made by the launch itself; nothing is checked. */
struct resource *attachment_add(struct view *v, const struct resource *instance, const char *name,
				const struct resource *volume);

/* Of a cloud that is older than attachments: what its volumes say becomes attachments. */
void attachments_adopt(struct view *v);

/* What users do. */
/* name: a device ("sdf"); target: a volume. EC2's rules of zones, states, names, numbers. */
int attachment_make(struct view *v, const struct resource *instance, const char *name,
		    const struct resource *target, struct resource **ret,
		    struct ec2fs_error *error);
/* At once when no machine has it; else the engine's to do. */
REMOVER(attachment_remove);
/* rm -r of an instance leaves to its termination: the root, and what is to be deleted then. */
bool attachment_is_held(const struct view *v, const struct resource *attachment);
/* By device, forced or not: `ctl`. */
int attachment_detach(struct view *v, const struct resource *instance, const char *device,
		      bool force, struct ec2fs_error *error);

/* Snapshots. */

/* Bytes; 0 of a draft. */
uint64_t snapshot_size(const struct resource *snapshot);
/* Bytes that reading its disk gives; 0 before it is completed. */
uint64_t snapshot_disk_size(const struct resource *snapshot);
bool snapshot_is_encrypted(const struct resource *snapshot);
/* The volume that is to be snapshot, or was; NULL when it is gone, or the snapshot was imported. */
const struct resource *snapshot_volume(const struct view *v, const struct resource *snapshot);
/* Those that are taken at one instant with this one and are pending still, in order, itself too;
 * how many (at most SNAPSHOT_GROUP_MAX). */
#define SNAPSHOT_GROUP_MAX 32
size_t snapshot_group(const struct view *v, const struct resource *snapshot,
		      const struct resource *ret[SNAPSHOT_GROUP_MAX]);
/* The instance that is to be shut down while this group is taken, and started again; or NULL. */
const struct resource *snapshot_restarts(const struct view *v, const struct resource *snapshot);
/* Was removed, and is neither to be taken nor is a volume being created from it: the engine takes
 * it away. */
bool snapshot_may_go(const struct view *v, const struct resource *snapshot);
/* Is its disk's content in a format that must be converted first? */
bool snapshot_needs_conversion(const struct resource *snapshot);

void snapshot_saw_progress(struct view *v, struct resource *r, int percent);
/* Taken: its content is fixed and can be read. */
void snapshot_saw_completed(struct view *v, struct resource *r);
void snapshot_saw_failure(struct view *v, struct resource *r, const struct ec2fs_error *why);
/* The disk of a qcow2 import is there as raw now (value as for snapshot_set_disk). */
void snapshot_imported(struct view *v, struct resource *r, const char *value);
void snapshot_saw_gone(struct view *v, struct resource *r);

/* Instance store: disks of the instance's type, there while the machine is. */
struct instance_store {
	unsigned count;
	uint64_t bytes; /* each */
};
void instance_store(const struct view *v, const struct resource *instance,
		    struct instance_store *ret);
/* The ID, as a volume's, of the nth disk: the same at each call, nobody else's. */
void instance_store_id(const struct resource *instance, unsigned n, char ret[22]);

/* What users do with volumes. */
MAKER(volume_make);
SETTER(volume_set_size);
SETTER(volume_set_type);
SETTER(volume_set_iops);
SETTER(volume_set_throughput);
SETTER(volume_set_encrypted);
SETTER(volume_set_multi_attach);
SETTER(volume_set_zone);
SETTER(volume_set_snapshot);
/* After one of those, or all of a spec: is it right as a whole? Then it is created or modified. */
int volume_settle(struct view *v, struct resource *r, struct ec2fs_error *error);
/* The part of it that is about a volume that is there (volume_states.c). */
int volume_modify(struct view *v, struct resource *r, struct ec2fs_error *error);
/* By name or ID; one that was removed is not there. */
int volume_refer(const struct view *v, uint64_t region, const char *text,
		 const struct resource **ret, struct ec2fs_error *error);
int snapshot_refer(const struct view *v, uint64_t region, const char *text,
		   const struct resource **ret, struct ec2fs_error *error);
/* The figures that it has, set or by its type and size; 0: its type has none. */
uint64_t volume_iops(const struct resource *volume);
uint64_t volume_throughput(const struct resource *volume); /* MiB/s */

/* What users do with snapshots. */
MAKER(snapshot_make); /* in snapshots/: a draft */
/* parent: the volume; takes one, called VOLUME-NAME. */
MAKER(snapshot_take);
REMOVER(snapshot_remove);
RENAMER(snapshot_rename);
SETTER(snapshot_set_volume);
SETTER(snapshot_set_description);
SETTER(snapshot_set_disk);
/* One of each volume that the instance has, at one instant, called NAME-DEVICE. restart: the
 * instance is shut down meanwhile. */
int snapshot_take_all(struct view *v, const struct resource *instance, const char *name,
		      bool restart, struct ec2fs_error *error);

/* Limits of the types (volume_types.c). */

struct volume_spec {
	const char *type;
	uint64_t gib;
	uint64_t iops, throughput; /* 0: not given */
};
/* Is there such a type? InvalidParameterValue. */
int volume_type_check(const char *type, struct ec2fs_error *error);
/* Size, IOPS and throughput of that type, and their proportions. ERANGE, or InvalidParameterValue,
 * InvalidParameterCombination, MissingParameter. */
int volume_spec_check(const struct volume_spec *spec, struct ec2fs_error *error);
bool volume_type_boots(const char *type);
/* May its IOPS be chosen? */
bool volume_type_takes_iops(const char *type);
bool volume_type_multi_attaches(const char *type);
/* What it would have: given, or by type and size. */
uint64_t volume_spec_iops(const struct volume_spec *spec);
uint64_t volume_spec_throughput(const struct volume_spec *spec);
/* How many volumes, GiB of a type, IOPS of a type the region may still get. number: a volume not
 * to be counted (it is being modified); NO_NUMBER: none. */
int volume_quota_check(const struct view *v, const struct resource *region,
		       const struct volume_spec *spec, uint64_t number, struct ec2fs_error *error);

#endif
