# Network ACLs: numbered entries, and which subnets they are for.
load ../lib/cloud

setup()
{
	cloud_start
	W=$CLOUD_HOME
	mkdir vpcs/main
	echo 10.0.0.0/16 >vpcs/main/cidr-block
	mkdir vpcs/main/subnets/a
	echo 10.0.1.0/24 >vpcs/main/subnets/a/cidr-block
	mkdir vpcs/main/network-acls/strict
	A=vpcs/main/network-acls/strict
	export A
}
teardown() { cloud_stop; }

@test "the default ACL allows all, another one nothing" {
	reads '100 allow all - 0.0.0.0/0' vpcs/main/network-acls/default/ingress
	reads '100 allow all - 0.0.0.0/0' vpcs/main/network-acls/default/egress
	reads true vpcs/main/network-acls/default/is-default
	reads false $A/is-default
	[ ! -s $A/ingress ]
	[ ! -s $A/egress ]
	tells '^acl-[0-9a-f]{17}$' $A/network-acl-id
}

@test "entries, with comments, in any order" {
	cat >"$W/ingress" <<-END
		# from outside
		200 deny  udp 53      198.51.100.0/24
		100 allow tcp 443     0.0.0.0/0         # the web
		110 allow tcp 1024-65535 0.0.0.0/0
		120 allow icmp echo-request 10.0.0.0/8
		130 allow 50 - 10.0.0.0/8
		32766 deny all - 0.0.0.0/0
	END
	cp "$W/ingress" $A/ingress
	cmp "$W/ingress" $A/ingress
	echo '90 deny tcp 25 0.0.0.0/0' >>$A/ingress
	sed -i '/^200/d' $A/ingress
	lacks '^200' $A/ingress
	tells '^90 deny tcp 25 0.0.0.0/0$' $A/ingress
	echo >$A/ingress
	lacks . $A/ingress
}

@test "lines that are no entry" {
	refuses EINVAL 'echo allow tcp 22 0.0.0.0/0 > $A/ingress'
	tells '^InvalidParameterValue: .*line 1: write NUMBER allow.deny PROTOCOL PORTS CIDR' $A/error
	refuses EINVAL 'echo 100 permit tcp 22 0.0.0.0/0 > $A/ingress'
	refuses ERANGE 'echo 0 allow tcp 22 0.0.0.0/0 > $A/ingress'
	refuses ERANGE 'echo 32767 allow tcp 22 0.0.0.0/0 > $A/ingress'
	refuses EINVAL 'echo 100 allow tpc 22 0.0.0.0/0 > $A/ingress'
	tells '^InvalidParameterValue: .*tpc' $A/error
	refuses EINVAL 'echo 100 allow tcp 70000 0.0.0.0/0 > $A/ingress'
	refuses EINVAL 'echo 100 allow tcp 80,443 0.0.0.0/0 > $A/ingress'
	tells 'an entry has one port or one range' $A/error
	refuses EINVAL 'echo 100 allow tcp 22 10.0.0.1/8 > $A/ingress'
	tells 'host bits; the block is 10.0.0.0/8' $A/error
	refuses EINVAL 'echo 100 allow tcp 22 sg:default > $A/ingress'
	refuses EINVAL 'echo 100 allow tcp 22 ::/0 > $A/ingress'
	lacks . $A/ingress
}

@test "a number stands once, and so many of them" {
	printf '%d allow tcp 22 10.0.0.0/8\n' {1..20} >$A/egress
	refuses EEXIST 'echo 7 deny tcp 23 0.0.0.0/0 >> $A/egress'
	tells '^NetworkAclEntryAlreadyExists: .*line 21: there is an entry 7' $A/error
	refuses EDQUOT 'echo 21 deny tcp 23 0.0.0.0/0 >> $A/egress'
	tells '^NetworkAclEntryLimitExceeded: ' $A/error
	echo '7 deny tcp 23 0.0.0.0/0' >$A/ingress
	sed -i 's/^rules-per-network-acl .*/rules-per-network-acl 21/' quotas
	echo '21 deny tcp 23 0.0.0.0/0' >>$A/egress
}

@test "subnets choose an ACL" {
	reads a vpcs/main/network-acls/default/associations
	refuses ENOENT 'echo strikt > vpcs/main/subnets/a/network-acl'
	tells '^InvalidNetworkAclID.NotFound: .*did you mean strict\?' vpcs/main/subnets/a/error
	echo strict >vpcs/main/subnets/a/network-acl
	reads a $A/associations
	mv $A vpcs/main/network-acls/tight
	reads tight vpcs/main/subnets/a/network-acl
	refuses ENOTEMPTY 'rmdir vpcs/main/network-acls/tight'
	tells '^DependencyViolation: .*the subnet a uses it' vpcs/main/network-acls/tight/error
	refuses EPERM 'rmdir vpcs/main/network-acls/default'
	tells '^CannotDelete: ' vpcs/main/network-acls/default/error
	rm vpcs/main/subnets/a/network-acl
	reads a vpcs/main/network-acls/default/associations
	rm -r vpcs/main/network-acls/tight
}
