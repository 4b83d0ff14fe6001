# Security groups: their rules, who is in them, and what is refused.
load ../lib/cloud

setup()
{
	cloud_start
	W=$CLOUD_HOME
	mkdir security-groups/web
}
teardown() { cloud_stop; }

# A machine called $1 runs.
launch()
{
	[ -d images/tiny ] || { mkdir images/tiny && head -c 512 /dev/zero >"$W/disk" && cp "$W/disk" images/tiny/disk; }
	mkdir "instances/$1"
	echo tiny >"instances/$1/image"
	echo running >"instances/$1/state"
	echo running >"instances/$1/wait"
}

# The document holds nothing any more: `: >` acts when the last handle is gone.
clear_file()
{
	: >"$1"
	becomes '' "$1"
}

# What the group's error says, without the path and what was written.
says()
{
	tells "$1" "security-groups/${2:-web}/error"
}

@test "a new group lets nothing in and everything out" {
	tells '^sg-[0-9a-f]{17}$' security-groups/web/group-id
	reads web security-groups/web/group-name
	[ -z "$(cat security-groups/web/ingress security-groups/web/members security-groups/web/description)" ]
	reads 'all - 0.0.0.0/0' security-groups/web/egress
	reads "$(cat security-groups/default/vpc)" security-groups/web/vpc
	[ "$(readlink "by-id/$(cat security-groups/web/group-id)")" = ../security-groups/web ]
}

@test "rules are lines: added, removed, kept as they were written" {
	cd security-groups/web
	echo 'tcp 22 203.0.113.0/24    # the office' >>ingress
	echo 'tcp 80,443,8000-8100 0.0.0.0/0' >>ingress
	printf '\n# pings from within\nicmp echo-request sg:web' >>ingress
	printf 'all - fd00::/8\n' >>ingress
	cat >"$W/wanted" <<-'END'
		tcp 22 203.0.113.0/24    # the office
		tcp 80,443,8000-8100 0.0.0.0/0

		# pings from within
		icmp echo-request sg:web
		all - fd00::/8
	END
	cmp "$W/wanted" ingress
	sed -i '/443/d' ingress
	lacks 443 ingress
	tells '# the office' ingress
	cp "$W/wanted" ingress
	cmp "$W/wanted" ingress
	cloud_restart
	cmp "$W/wanted" security-groups/web/ingress
	clear_file security-groups/web/egress
}

@test "one bad line refuses the whole file, and is named" {
	echo 'tcp 22 203.0.113.0/24' >security-groups/web/ingress
	refuses EINVAL 'printf "tcp 80 0.0.0.0/0\ntcp 443 everybody\n" > security-groups/web/ingress'
	says '^InvalidPermission.Malformed: ingress: .*line 2: everybody is no peer; write a CIDR block'
	refuses EINVAL 'echo "tpc 22 10.0.0.0/8" >> security-groups/web/ingress'
	says 'line 2: tpc is no protocol.* did you mean tcp\?'
	refuses EINVAL 'echo "tcp ssh 10.0.0.0/8" > security-groups/web/ingress'
	says 'ssh is no port'
	refuses EINVAL 'echo "tcp 22 10.0.0.1/8" > security-groups/web/ingress'
	says 'the block is 10.0.0.0/8'
	refuses EINVAL 'echo "icmp echo-requst 10.0.0.0/8" > security-groups/web/ingress'
	says 'did you mean echo-request\?'
	refuses EINVAL 'echo "tcp 22" > security-groups/web/ingress'
	says 'write PROTOCOL PORTS PEER'
	refuses EINVAL 'sed -i s/22/22x/ security-groups/web/ingress'
	reads 'tcp 22 203.0.113.0/24' security-groups/web/ingress
	echo 'tcp 23 203.0.113.0/24' >>security-groups/web/ingress
	[ ! -s security-groups/web/error ]
}

@test "the same rule twice, unknown groups and lists are refused" {
	mkdir security-groups/database
	refuses EEXIST 'printf "tcp 22 10.0.0.0/8\n6 22 10.0.0.0/8 # again\n" > security-groups/web/ingress'
	says '^InvalidPermission.Duplicate: .*line 2: tcp 22 10.0.0.0/8 stands in line 1 already'
	refuses EEXIST 'printf "all - sg:database\nall - sg:$(cat security-groups/database/group-id)\n" > security-groups/web/ingress'
	says 'database and sg-[0-9a-f]{17} are the same security-group'
	refuses ENOENT 'echo "tcp 5432 sg:databse" > security-groups/web/egress'
	says '^InvalidGroup.NotFound: .*line 1: .*did you mean database\?'
	refuses ENOENT 'echo "tcp 5432 sg:sg-00000000000000000" > security-groups/web/egress'
	refuses ENOENT 'echo "tcp 5432 pl:office" > security-groups/web/egress'
	says '^InvalidPrefixListID.NotFound'
	reads 'all - 0.0.0.0/0' security-groups/web/egress
	echo "all - sg:$(cat security-groups/database/group-id)" >security-groups/web/ingress
}

@test "rule 61" {
	seq -f 'tcp %g 10.0.0.0/8' 60 >security-groups/web/ingress
	refuses EDQUOT 'echo "tcp 61 10.0.0.0/8" >> security-groups/web/ingress'
	says '^RulesPerSecurityGroupLimitExceeded: .*line 61: 60 rules are as many'
	[ "$(wc -l <security-groups/web/ingress)" = 60 ]
	# IPv6 is counted by itself, the other direction too.
	echo 'tcp 61 fd00::/8' >>security-groups/web/ingress
	seq -f 'tcp %g 10.0.0.0/8' 60 >security-groups/web/egress
	# Each port of a list is a rule, a group is one.
	refuses EDQUOT 'echo "tcp $(seq -s, 61) 10.0.0.0/8" > security-groups/web/egress'
	refuses EDQUOT '(seq -f "tcp %g 10.0.0.0/8" 60; echo "all - sg:web") > security-groups/web/egress'
	sed -i 's/^rules-per-security-group .*/rules-per-security-group 100/' quotas
	seq -f 'tcp %g 10.0.0.0/8' 100 >security-groups/web/egress
	refuses EDQUOT 'seq -f "tcp %g 10.0.0.0/8" 101 > security-groups/web/egress'
}

@test "a name is EC2's" {
	refuses EEXIST 'mkdir security-groups/default'
	refuses EEXIST 'mkdir security-groups/Default'
	tells 'Default: InvalidGroup.Reserved' "$CLOUD/errors"
	refuses EEXIST 'mkdir security-groups/web'
	refuses EEXIST 'mkdir security-groups/WEB'
	tells 'WEB: InvalidGroup.Duplicate: .*the group web' "$CLOUD/errors"
	refuses EINVAL 'mkdir security-groups/sg-mine'
	refuses EINVAL 'mkdir security-groups/Größe'
	refuses EINVAL 'mkdir "security-groups/web "'
	mkdir "security-groups/front end (1)"
	mv security-groups/web security-groups/DEFAULT && fail "a group was called DEFAULT"
	tells 'InvalidGroup.Reserved: DEFAULT' "$CLOUD/errors"
	mv security-groups/web security-groups/sg-web && fail "a group was called as an ID is"
	tells 'web: InvalidParameterValue: names that begin with sg- are IDs' "$CLOUD/errors"
	mv security-groups/web security-groups/WEB
	mkdir "$CLOUD/eu-west-1"
	mkdir "$CLOUD/eu-west-1/security-groups/web"
}

@test "a description is EC2's" {
	echo 'web servers, all of them' >security-groups/web/description
	reads 'web servers, all of them' security-groups/web/description
	refuses EINVAL 'echo "no <angles>" > security-groups/web/description'
	refuses ENAMETOOLONG 'printf "x%.0s" {1..256} > security-groups/web/description'
	reads 'web servers, all of them' security-groups/web/description
}

@test "as many groups as the quota allows" {
	echo "security-groups $(($(ls security-groups | wc -l) + 1))" >quotas
	mkdir security-groups/one
	refuses EDQUOT 'mkdir security-groups/two'
	tells 'two: SecurityGroupLimitExceeded' "$CLOUD/errors"
}

@test "the default group comes and goes with its VPC" {
	reads 'all - sg:default' security-groups/default/ingress
	refuses EPERM 'rmdir security-groups/default'
	says '^CannotDelete' default
	refuses EPERM 'mv security-groups/default security-groups/other'
	tells 'security-groups/default: OperationNotPermitted' "$CLOUD/errors"
	mkdir vpcs/lab
	[ -d security-groups/lab-default ]
	reads lab security-groups/lab-default/vpc
	reads default security-groups/lab-default/group-name
	reads 'all - sg:lab-default' security-groups/lab-default/ingress
	refuses EPERM 'echo lab > security-groups/default/vpc'
	mv vpcs/lab vpcs/attic
	reads 'all - sg:attic-default' security-groups/attic-default/ingress
	mkdir security-groups/inside
	echo attic >security-groups/inside/vpc
	refuses ENOTEMPTY 'rmdir vpcs/attic'
	rmdir security-groups/inside
	rmdir vpcs/attic
	[ ! -e security-groups/attic-default ]
}

@test "members are told live" {
	launch web-1
	tells "^web-1 $(cat instances/web-1/private-ip-address)\$" security-groups/default/members
	[ ! -s security-groups/web/members ]
	ln -s ../../../security-groups/web instances/web-1/security-groups/
	lists 'default web' instances/web-1/security-groups
	[ "$(readlink instances/web-1/security-groups/web)" = ../../../security-groups/web ]
	[ instances/web-1/security-groups/web -ef security-groups/web ]
	reads "web-1 $(cat instances/web-1/private-ip-address)" security-groups/web/members
	mv instances/web-1 instances/front
	tells '^front ' security-groups/web/members
	rm instances/front/security-groups/web
	[ ! -s security-groups/web/members ]
	rm instances/front/security-groups/default
	lists '' instances/front/security-groups
	ln -s ../../../security-groups/web instances/front/security-groups/
	echo terminated >instances/front/state
	echo terminated >instances/front/wait
	[ ! -s security-groups/web/members ]
	rmdir security-groups/web
}

@test "an instance is in at most five groups, of one VPC" {
	mkdir instances/web-1 vpcs/lab security-groups/{a,b,c,d,e,far}
	echo lab >security-groups/far/vpc
	for g in a b c d e; do ln -s ../../../security-groups/$g instances/web-1/security-groups/; done
	refuses EDQUOT 'ln -s ../../../security-groups/web instances/web-1/security-groups/'
	tells 'SecurityGroupsPerInterfaceLimitExceeded' "$CLOUD/errors"
	rm instances/web-1/security-groups/e
	refuses EEXIST 'ln -s ../../../security-groups/a instances/web-1/security-groups/again'
	refuses EINVAL 'ln -s ../../../security-groups/far instances/web-1/security-groups/'
	tells 'far: .*InvalidParameter: .*is in the VPC lab' "$CLOUD/errors"
	mkdir images/none
	refuses ENOENT 'ln -s ../../../images/none instances/web-1/security-groups/'
	tells 'InvalidGroup.NotFound' "$CLOUD/errors"
	refuses ENOENT 'ln -s ../../../security-groups/nowhere instances/web-1/security-groups/'
	tells 'InvalidGroup.NotFound: nowhere: .*there is no security-group nowhere here' instances/web-1/error
	refuses ENOENT 'ln -s ../../../security-groups/wep instances/web-1/security-groups/'
	tells 'did you mean web\?' instances/web-1/error
	refuses ENOENT 'ln -s ../security-groups/web instances/web-1/security-groups/'
	tells 'leads nowhere, seen from the link; write ../../../security-groups/NAME' instances/web-1/error
	refuses EINVAL 'ln -s "$PWD/security-groups/web" instances/web-1/security-groups/'
	sed -i 's/^security-groups-per-interface .*/security-groups-per-interface 16/' quotas
	ln -s ../../../security-groups/e instances/web-1/security-groups/
	ln -s ../../../security-groups/web instances/web-1/security-groups/
}

@test "spec names the groups too" {
	mkdir security-groups/db "security-groups/a,b" instances/web-1 instances/web-2
	ln -s ../../../security-groups/web instances/web-1/security-groups/
	ln -s ../../../security-groups/db instances/web-1/security-groups/
	tells '^security-groups web,db$' instances/web-1/spec
	cp instances/web-1/spec instances/web-2/spec
	lists 'db web' instances/web-2/security-groups
	echo 'security-groups web' >instances/web-2/spec
	lists 'web' instances/web-2/security-groups
	reads 'security-groups web' instances/web-2/spec
	ln -s ../../../security-groups/db instances/web-2/security-groups/
	tells '^security-groups web,db$' instances/web-2/spec
	refuses ENOENT 'echo "security-groups web,dv" > instances/web-2/spec'
	tells 'line 1: security-groups: .*did you mean db\?' instances/web-2/error
	lists 'db web' instances/web-2/security-groups
	echo "security-groups $(cat "security-groups/a,b/group-id")" >instances/web-2/spec
	lists 'a,b' instances/web-2/security-groups
	tells '^security-groups sg-' instances/web-2/spec
	cp -r instances/web-1 instances/web-3
	lists 'db web' instances/web-3/security-groups
	mv security-groups/db security-groups/data
	tells '^security-groups web,data$' instances/web-1/spec
	lists 'data web' instances/web-1/security-groups
	[ instances/web-1/security-groups/data -ef security-groups/data ]
}

@test "a group in use stays" {
	mkdir security-groups/db instances/web-1
	ln -s ../../../security-groups/web instances/web-1/security-groups/
	refuses ENOTEMPTY 'rmdir security-groups/web'
	says '^DependencyViolation: .*the instance web-1 is in it'
	rm instances/web-1/security-groups/web
	echo 'tcp 5432 sg:web  # from the front' >security-groups/db/ingress
	refuses ENOTEMPTY 'rmdir security-groups/web'
	says '^DependencyViolation: .*security group db names it'
	echo "tcp 5432 sg:$(cat security-groups/web/group-id)" >security-groups/db/egress
	clear_file security-groups/db/ingress
	refuses ENOTEMPTY 'rmdir security-groups/web'
	clear_file security-groups/db/egress
	echo 'all - sg:web' >security-groups/web/ingress
	rm -r security-groups/web
	[ ! -e security-groups/web ]
}

@test "rules follow a group that is renamed" {
	mkdir security-groups/db
	printf '# sg:web may\ntcp 5432  sg:web  # from sg:web\nall - sg:db\n' >security-groups/db/ingress
	echo 'all - sg:web' >security-groups/web/ingress
	mv security-groups/web "security-groups/front end"
	reads 'all - sg:front end' "security-groups/front end/ingress"
	reads "$(printf '# sg:web may\ntcp 5432  sg:front end  # from sg:web\nall - sg:db')" security-groups/db/ingress
	mv "security-groups/front end" "security-groups/no #1"
	reads "all - sg:$(cat "security-groups/no #1/group-id")" "security-groups/no #1/ingress"
	refuses ENOTEMPTY 'rmdir "security-groups/no #1"'
	tells 'security-groups/db/ingress changed' "$CLOUD/events"
}

@test "a group moves to another VPC while nobody would notice" {
	mkdir vpcs/lab security-groups/db instances/web-1
	echo lab >security-groups/web/vpc
	reads lab security-groups/web/vpc
	[ "$(stat -c %Y security-groups/web/vpc)" -gt 0 ]
	mv vpcs/lab vpcs/attic
	reads attic security-groups/web/vpc
	mv vpcs/attic vpcs/lab
	refuses ENOENT 'echo lap > security-groups/web/vpc'
	says '^InvalidVpcID.NotFound: .*did you mean lab\?'
	refuses ENOENT 'echo "all - sg:web" > security-groups/db/ingress'
	tells 'InvalidGroup.NotFound: .*web is neither in the VPC' security-groups/db/error
	cat vpcs/lab/vpc-id >security-groups/db/vpc
	echo 'all - sg:web' >security-groups/db/ingress
	home=$(cat security-groups/default/vpc)
	refuses EBUSY "echo $home > security-groups/db/vpc"
	tells '^DependencyViolation: .*name other groups' security-groups/db/error
	refuses EBUSY "echo $home > security-groups/web/vpc"
	says '^DependencyViolation: .*db names it'
	clear_file security-groups/db/ingress
	echo 'all - sg:web' >security-groups/web/ingress
	ln -s ../../../security-groups/web instances/web-1/security-groups/
	refuses EBUSY "echo $home > security-groups/web/vpc"
	says 'the instance web-1 is in it'
	rm instances/web-1/security-groups/web
	mkdir security-groups/Web
	refuses EEXIST "echo $home > security-groups/web/vpc"
	says '^InvalidGroup.Duplicate'
	rmdir security-groups/Web
	echo "$home" >security-groups/web/vpc
	reads 'all - sg:web' security-groups/web/ingress
}

@test "a region without a default VPC has groups all the same" {
	rmdir security-groups/web vpcs/default/subnets/*
	echo false >vpcs/default/internet-gateway
	rmdir vpcs/default
	mkdir security-groups/lone instances/web-1
	[ -z "$(cat security-groups/lone/vpc)" ]
	refuses EINVAL 'ln -s ../../../security-groups/lone instances/web-1/security-groups/'
	tells 'MissingParameter: .*write one to its vpc' "$CLOUD/errors"
	mkdir vpcs/lab
	echo lab >security-groups/lone/vpc
	ln -s ../../../security-groups/lone instances/web-1/security-groups/
}

@test "a group is copied with cp -r" {
	echo 'web servers' >security-groups/web/description
	echo 'tcp 80 0.0.0.0/0 # all' >security-groups/web/ingress
	clear_file security-groups/web/egress
	echo prod >security-groups/web/tags/env
	cp -r security-groups/web security-groups/twin
	for f in description vpc ingress egress tags/env; do cmp "security-groups/web/$f" "security-groups/twin/$f"; done
}
