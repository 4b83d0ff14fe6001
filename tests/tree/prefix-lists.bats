# Prefix lists: CIDRs by a name.
load ../lib/cloud

setup()
{
	cloud_start
	mkdir prefix-lists/office security-groups/web
}
teardown() { cloud_stop; }

@test "a list of CIDR blocks" {
	tells '^pl-[0-9a-f]{17}$' prefix-lists/office/prefix-list-id
	reads 10 prefix-lists/office/max-entries
	printf '192.0.2.0/24  # ground floor\n# upstairs\n198.51.100.7/32' >prefix-lists/office/entries
	echo '203.0.113.0/28' >>prefix-lists/office/entries
	reads "$(printf '192.0.2.0/24  # ground floor\n# upstairs\n198.51.100.7/32\n203.0.113.0/28')" prefix-lists/office/entries
	cp -r prefix-lists/office prefix-lists/twin
	cmp prefix-lists/office/entries prefix-lists/twin/entries
	sed -i /198/d prefix-lists/office/entries
	lacks 198 prefix-lists/office/entries
	cloud_restart
	tells 'ground floor' prefix-lists/office/entries
}

@test "one bad line refuses the whole list" {
	echo 192.0.2.0/24 >prefix-lists/office/entries
	refuses EINVAL 'printf "10.0.0.0/8\n10.0.0.1/8\n" > prefix-lists/office/entries'
	tells '^InvalidParameterValue: .*line 2: 10.0.0.1/8 has host bits; the block is 10.0.0.0/8' prefix-lists/office/error
	refuses EINVAL 'printf "10.0.0.0/8\n10.0.0.0/8 # again\n" > prefix-lists/office/entries'
	tells 'line 2: 10.0.0.0/8 stands in line 1 already' prefix-lists/office/error
	refuses EINVAL 'echo "10.0.0.1" > prefix-lists/office/entries'
	tells 'write 10.0.0.1/32' prefix-lists/office/error
	refuses EINVAL 'echo "10.0.0.0/8 upstairs" > prefix-lists/office/entries'
	tells 'descriptions after a #' prefix-lists/office/error
	refuses EINVAL 'echo "sg:web" > prefix-lists/office/entries'
	reads 192.0.2.0/24 prefix-lists/office/entries
}

@test "max-entries holds, and counts as rules" {
	seq -f '10.%g.0.0/16' 10 >prefix-lists/office/entries
	refuses EDQUOT 'echo 10.11.0.0/16 >> prefix-lists/office/entries'
	tells '^ResourceLimitExceeded: .*11 entries are more than max-entries, 10' prefix-lists/office/error
	refuses EINVAL 'echo 9 > prefix-lists/office/max-entries'
	tells 'there are 10 entries' prefix-lists/office/error
	refuses ERANGE 'echo 0 > prefix-lists/office/max-entries'
	refuses ERANGE 'echo 1001 > prefix-lists/office/max-entries'
	echo 30 >prefix-lists/office/max-entries
	printf 'tcp 22,80 pl:office\n' >security-groups/web/ingress
	refuses EDQUOT 'echo "udp 53 10.0.0.0/8" >> security-groups/web/ingress'
	tells '^RulesPerSecurityGroupLimitExceeded' security-groups/web/error
	refuses EDQUOT 'echo 31 > prefix-lists/office/max-entries'
	tells '^RulesPerSecurityGroupLimitExceeded: .*ingress of the security group web' prefix-lists/office/error
	echo 29 >prefix-lists/office/max-entries
	echo "udp 53 10.0.0.0/8" >>security-groups/web/ingress
	echo "udp 54 10.0.0.0/8" >>security-groups/web/ingress
	refuses EDQUOT 'echo "udp 55 10.0.0.0/8" >> security-groups/web/ingress'
}

@test "a list in use stays, and rules follow its name" {
	echo 'tcp 22 pl:office   # pl:office' >security-groups/web/egress
	refuses ENOTEMPTY 'rmdir prefix-lists/office'
	tells '^DependencyViolation: .*security group web names it' prefix-lists/office/error
	mv prefix-lists/office prefix-lists/branch
	reads 'tcp 22 pl:branch   # pl:office' security-groups/web/egress
	echo "tcp 22 pl:$(cat prefix-lists/branch/prefix-list-id)" >security-groups/web/egress
	refuses ENOTEMPTY 'rmdir prefix-lists/branch'
	refuses EEXIST 'printf "all - pl:branch\nall - pl:$(cat prefix-lists/branch/prefix-list-id)\n" > security-groups/web/ingress'
	echo 'all - 0.0.0.0/0' >security-groups/web/egress
	rm -r prefix-lists/branch
}

@test "names and quotas" {
	refuses EINVAL 'mkdir "prefix-lists/two words"'
	refuses EINVAL 'mkdir prefix-lists/pl-1'
	refuses EINVAL 'mkdir prefix-lists/com.amazonaws.us-east-1.s3'
	mv prefix-lists/office 'prefix-lists/a#b' && fail "a list was called a#b"
	tells 'has no blank and no #' "$CLOUD/errors"
	echo 'prefix-lists 2' >quotas
	mkdir prefix-lists/second
	refuses EDQUOT 'mkdir prefix-lists/third'
	tells 'third: ResourceLimitExceeded' "$CLOUD/errors"
}
