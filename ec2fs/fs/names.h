/* What a file's name tells about the tool that made it. */
#ifndef EC2FS_FS_NAMES_H
#define EC2FS_FS_NAMES_H

#include "ec2fs/fs/internal.h"

/*
 * Is it the name of a copy, lock or temporary of a file that the directory has (f~, f~123, .f.swp,
 * .#f, #f#; and f.bak, f.orig unless the directory is one whose files users name themselves)?
 */
bool name_is_derived(struct fs *fs, const struct tree_node *dir, const char *name,
		     const struct tree_caller *who);
/* Where a request does not tell its flags (MKNOD, from NFS): does the name look like a temporary?
 */
bool name_looks_temporary(const char *name);
/* Names that make no resources: beginning with a dot, or mktemp's tmp.XXXXXXXXXX. */
bool name_makes_nothing(const char *name);
/* ln -sf: CuXXXXXX. */
bool name_is_link_temporary(const char *name);
/* rsync: .NAME.XXXXXX, to become the file of that name. */
bool name_is_rsync_temporary(const char *name, const char *of);
/* An ID of EC2's: letters, a dash, 17 hexadecimal digits. */
bool name_is_id(const char *name);
/* vim tries whether it may make files in the directory with this one; if not, it writes in place.
 */
bool name_is_probe(const char *name);

#endif
