/*
 * Errors: a function that can fail returns 0 or a negative errno and tells the story in the
 * struct ec2fs_error given as its last argument, which stays untouched on success and may be NULL.
 * The errno of an EC2 error code stands in one table, here; docs/errors.md shows it to users.
 */
#ifndef EC2FS_UTIL_ERROR_H
#define EC2FS_UTIL_ERROR_H

#include <errno.h>

/* EC2's error codes (Amazon EC2 API reference, "Error codes") and the errno each one means. */
#define EC2_ERROR_CODES(X)                                                                         \
	X(ActiveVpcPeeringConnectionPerVpcLimitExceeded,                                           \
	  "ActiveVpcPeeringConnectionPerVpcLimitExceeded", EDQUOT)                                 \
	X(AddressLimitExceeded, "AddressLimitExceeded", EDQUOT)                                    \
	X(AttachmentLimitExceeded, "AttachmentLimitExceeded", EDQUOT)                              \
	X(BootForVolumeTypeUnsupported, "BootForVolumeTypeUnsupported", EOPNOTSUPP)                \
	X(CannotDelete, "CannotDelete", EPERM)                                                     \
	X(ConcurrentSnapshotLimitExceeded, "ConcurrentSnapshotLimitExceeded", EAGAIN)              \
	X(DefaultVpcDoesNotExist, "DefaultVpcDoesNotExist", ENODEV)                                \
	X(DependencyViolation, "DependencyViolation", ENOTEMPTY)                                   \
	X(Gateway_NotAttached, "Gateway.NotAttached", ENOTCONN)                                    \
	X(IncorrectInstanceState, "IncorrectInstanceState", EBUSY)                                 \
	X(IncorrectModificationState, "IncorrectModificationState", EALREADY)                      \
	X(IncorrectState, "IncorrectState", EBUSY)                                                 \
	X(InstanceLimitExceeded, "InstanceLimitExceeded", EDQUOT)                                  \
	X(InsufficientAddressCapacity, "InsufficientAddressCapacity", EADDRNOTAVAIL)               \
	X(InsufficientFreeAddressesInSubnet, "InsufficientFreeAddressesInSubnet", EADDRNOTAVAIL)   \
	X(InsufficientInstanceCapacity, "InsufficientInstanceCapacity", ENOMEM)                    \
	X(InsufficientVolumeCapacity, "InsufficientVolumeCapacity", ENOSPC)                        \
	X(InternalError, "InternalError", EIO)                                                     \
	X(InvalidAllocationID_NotFound, "InvalidAllocationID.NotFound", ENOENT)                    \
	X(InvalidAMIID_NotFound, "InvalidAMIID.NotFound", ENOENT)                                  \
	X(InvalidAMIID_Unavailable, "InvalidAMIID.Unavailable", EBUSY)                             \
	X(InvalidAttachment_NotFound, "InvalidAttachment.NotFound", ENOTCONN)                      \
	X(InvalidBlockDeviceMapping, "InvalidBlockDeviceMapping", EINVAL)                          \
	X(InvalidGroup_Duplicate, "InvalidGroup.Duplicate", EEXIST)                                \
	X(InvalidGroup_NotFound, "InvalidGroup.NotFound", ENOENT)                                  \
	X(InvalidGroup_Reserved, "InvalidGroup.Reserved", EEXIST)                                  \
	X(InvalidInstanceAttributeValue, "InvalidInstanceAttributeValue", EINVAL)                  \
	X(InvalidInstanceID_NotFound, "InvalidInstanceID.NotFound", ENOENT)                        \
	X(InvalidIPAddress_InUse, "InvalidIPAddress.InUse", EADDRINUSE)                            \
	X(InvalidKeyPair_Duplicate, "InvalidKeyPair.Duplicate", EEXIST)                            \
	X(InvalidKeyPair_Format, "InvalidKeyPair.Format", EINVAL)                                  \
	X(InvalidKeyPair_NotFound, "InvalidKeyPair.NotFound", ENOENT)                              \
	X(InvalidNatGatewayID_NotFound, "InvalidNatGatewayID.NotFound", ENOENT)                    \
	X(InvalidNetworkAclID_NotFound, "InvalidNetworkAclID.NotFound", ENOENT)                    \
	X(InvalidParameter, "InvalidParameter", EINVAL)                                            \
	X(InvalidParameterCombination, "InvalidParameterCombination", EINVAL)                      \
	X(InvalidParameterValue, "InvalidParameterValue", EINVAL)                                  \
	X(InvalidPermission_Duplicate, "InvalidPermission.Duplicate", EEXIST)                      \
	X(InvalidPermission_Malformed, "InvalidPermission.Malformed", EINVAL)                      \
	X(InvalidPrefixListID_NotFound, "InvalidPrefixListID.NotFound", ENOENT)                    \
	X(InvalidRouteTableID_NotFound, "InvalidRouteTableID.NotFound", ENOENT)                    \
	X(InvalidSnapshot_InUse, "InvalidSnapshot.InUse", EBUSY)                                   \
	X(InvalidSnapshot_NotFound, "InvalidSnapshot.NotFound", ENOENT)                            \
	X(InvalidStateTransition, "InvalidStateTransition", EBUSY)                                 \
	X(InvalidSubnet_Conflict, "InvalidSubnet.Conflict", EADDRINUSE)                            \
	X(InvalidSubnet_Range, "InvalidSubnet.Range", ERANGE)                                      \
	X(InvalidSubnetID_NotFound, "InvalidSubnetID.NotFound", ENOENT)                            \
	X(InvalidTagKey_Malformed, "InvalidTagKey.Malformed", EINVAL)                              \
	X(InvalidVolume_NotFound, "InvalidVolume.NotFound", ENOENT)                                \
	X(InvalidVolume_ZoneMismatch, "InvalidVolume.ZoneMismatch", EXDEV)                         \
	X(InvalidVpcID_NotFound, "InvalidVpcID.NotFound", ENOENT)                                  \
	X(InvalidVpcPeeringConnectionID_NotFound, "InvalidVpcPeeringConnectionID.NotFound",        \
	  ENOENT)                                                                                  \
	X(InvalidVpcRange, "InvalidVpcRange", ERANGE)                                              \
	X(InvalidVpnGatewayID_NotFound, "InvalidVpnGatewayID.NotFound", ENOENT)                    \
	X(InvalidZone_NotFound, "InvalidZone.NotFound", ENOENT)                                    \
	X(KeyPairLimitExceeded, "KeyPairLimitExceeded", EDQUOT)                                    \
	X(MaxIOPSLimitExceeded, "MaxIOPSLimitExceeded", EDQUOT)                                    \
	X(MissingParameter, "MissingParameter", EINVAL)                                            \
	X(NameTooLong, "InvalidParameterValue", ENAMETOOLONG)                                      \
	X(NatGatewayLimitExceeded, "NatGatewayLimitExceeded", EDQUOT)                              \
	X(NetworkAclEntryAlreadyExists, "NetworkAclEntryAlreadyExists", EEXIST)                    \
	X(NetworkAclEntryLimitExceeded, "NetworkAclEntryLimitExceeded", EDQUOT)                    \
	X(NetworkAclLimitExceeded, "NetworkAclLimitExceeded", EDQUOT)                              \
	X(OperationNotPermitted, "OperationNotPermitted", EPERM)                                   \
	X(RequestLimitExceeded, "RequestLimitExceeded", EAGAIN)                                    \
	X(Resource_AlreadyAssociated, "Resource.AlreadyAssociated", EBUSY)                         \
	X(ResourceExists, "ResourceAlreadyExists", EEXIST)                                         \
	X(ResourceLimitExceeded, "ResourceLimitExceeded", EDQUOT)                                  \
	X(RouteAlreadyExists, "RouteAlreadyExists", EEXIST)                                        \
	X(RouteLimitExceeded, "RouteLimitExceeded", EDQUOT)                                        \
	X(RouteTableLimitExceeded, "RouteTableLimitExceeded", EDQUOT)                              \
	X(RulesPerSecurityGroupLimitExceeded, "RulesPerSecurityGroupLimitExceeded", EDQUOT)        \
	X(SecurityGroupLimitExceeded, "SecurityGroupLimitExceeded", EDQUOT)                        \
	X(SecurityGroupsPerInterfaceLimitExceeded, "SecurityGroupsPerInterfaceLimitExceeded",      \
	  EDQUOT)                                                                                  \
	X(SnapshotLimitExceeded, "SnapshotLimitExceeded", EDQUOT)                                  \
	X(SubnetLimitExceeded, "SubnetLimitExceeded", EDQUOT)                                      \
	X(TagLimitExceeded, "TagLimitExceeded", EDQUOT)                                            \
	X(UnauthorizedOperation, "UnauthorizedOperation", EACCES)                                  \
	X(Unavailable, "Unavailable", EAGAIN)                                                      \
	X(UnknownParameter, "UnknownParameter", ENOENT)                                            \
	X(Unsupported, "Unsupported", EOPNOTSUPP)                                                  \
	X(UnsupportedHibernationConfiguration, "UnsupportedHibernationConfiguration", EOPNOTSUPP)  \
	X(UserDataTooLarge, "InvalidParameterValue", EFBIG)                                        \
	X(ValueTooLong, "InvalidParameterValue", EFBIG)                                            \
	X(VcpuLimitExceeded, "VcpuLimitExceeded", EDQUOT)                                          \
	X(VolumeInUse, "VolumeInUse", EBUSY)                                                       \
	X(VolumeLimitExceeded, "VolumeLimitExceeded", EDQUOT)                                      \
	X(VPCIdNotSpecified, "VPCIdNotSpecified", ENODEV)                                          \
	X(VpcLimitExceeded, "VpcLimitExceeded", EDQUOT)                                            \
	X(VpcPeeringConnectionAlreadyExists, "VpcPeeringConnectionAlreadyExists", EEXIST)          \
	X(VpnGatewayAttachmentLimitExceeded, "VpnGatewayAttachmentLimitExceeded", EDQUOT)

enum ec2_code {
#define X(symbol, name, number) EC2_##symbol,
	EC2_ERROR_CODES(X)
#undef X
		EC2_CODE_COUNT
};

struct ec2fs_error {
	int number; /* errno, positive; 0 when nothing was told */
	enum ec2_code code;
	char message[600]; /* what was wrong, and what would be right; without a final newline */
};

/* The code as EC2 spells it; a static string. */
const char *ec2_code_name(enum ec2_code code);
/* The errno, positive, that the code means. */
int ec2_code_errno(enum ec2_code code);

/* Tells an error by its code; returns the code's errno, negative. */
int ec2fs_fail(struct ec2fs_error *error, enum ec2_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4), cold));
/* The same where the situation gives the code another errno than the table (number > 0). */
int ec2fs_fail_errno(struct ec2fs_error *error, int number, enum ec2_code code, const char *format,
		     ...) __attribute__((format(printf, 4, 5), cold));
/* Puts "CONTEXT: " before the message; returns the error's errno, negative. */
int ec2fs_wrap(struct ec2fs_error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3), cold));

#endif
