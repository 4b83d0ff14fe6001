# VPCs: blocks, subnets, gateways, peerings, what comes with one and goes with it.
load ../lib/cloud

setup() { cloud_start; W=$CLOUD_HOME; }
teardown() { cloud_stop; }

# vpc NAME BLOCK: makes one.
vpc()
{
	mkdir "vpcs/$1"
	echo "$2" >"vpcs/$1/cidr-block"
}

# subnet VPC/NAME BLOCK: makes one.
subnet()
{
	mkdir "vpcs/${1%/*}/subnets/${1#*/}"
	echo "$2" >"vpcs/${1%/*}/subnets/${1#*/}/cidr-block"
}

# launch NAME SUBNET: an instance there, running.
launch()
{
	[ -d images/tiny ] || { mkdir images/tiny && head -c 512 /dev/zero >images/tiny/disk; }
	mkdir "instances/$1"
	printf 'image tiny\ninstance-type t3.nano\nsubnet %s\n' "$2" >"instances/$1/spec"
	echo running >"instances/$1/state"
	becomes running "instances/$1/state"
}

gone()
{
	local end=$(($(date +%s) + 10))

	rm -r "instances/$1"
	until rmdir "$2" 2>/dev/null; do
		[ "$(date +%s)" -lt "$end" ] || fail "$2 cannot be removed:" "$(cat "$2/error")"
		sleep 0.05
	done
}

@test "a region has a default VPC, with a subnet a zone" {
	lists default vpcs
	reads true vpcs/default/is-default
	reads 172.31.0.0/16 vpcs/default/cidr-block
	reads true vpcs/default/internet-gateway
	reads true vpcs/default/enable-dns-hostnames
	tells '^0.0.0.0/0 internet-gateway active$' vpcs/default/route-tables/main/effective-routes
	mkdir availability-zones/us-east-1b
	lists 'us-east-1a us-east-1b' vpcs/default/subnets
	reads 172.31.16.0/20 vpcs/default/subnets/us-east-1b/cidr-block
	reads us-east-1b vpcs/default/subnets/us-east-1b/availability-zone
	reads true vpcs/default/subnets/us-east-1b/map-public-ip-on-launch
	reads true vpcs/default/subnets/us-east-1b/default-for-az
	reads 4091 vpcs/default/subnets/us-east-1b/available-ip-address-count
	rmdir availability-zones/us-east-1b
	lists us-east-1a vpcs/default/subnets
	mkdir "$CLOUD/eu-west-1"
	lists eu-west-1a "$CLOUD/eu-west-1/vpcs/default/subnets"
	tells '^domain-name eu-west-1.compute.internal$' "$CLOUD/eu-west-1/vpcs/default/dhcp-options"
	rmdir "$CLOUD/eu-west-1"
}

@test "a default VPC that was removed stays away, and mkdir vpcs/default makes it again" {
	rm -r vpcs/default
	lists '' vpcs
	cloud_restart
	lists '' vpcs
	mkdir vpcs/default
	reads 172.31.0.0/16 vpcs/default/cidr-block
	lists us-east-1a vpcs/default/subnets
	vpc other 10.0.0.0/16
	reads false vpcs/other/is-default
	mv vpcs/default vpcs/first
	mkdir vpcs/default
	reads false vpcs/default/is-default
}

@test "what is left in a region is no accident" {
	mkdir -p "$CLOUD/eu-west-1/vpcs/main"
	refuses ENOTEMPTY 'rmdir "$CLOUD/eu-west-1"'
	tells 'the vpc main' "$CLOUD/eu-west-1/error"
	rmdir "$CLOUD/eu-west-1/vpcs/main"
	mkdir "$CLOUD/eu-west-1/vpcs/default/route-tables/mine"
	refuses ENOTEMPTY 'rmdir "$CLOUD/eu-west-1"'
	rmdir "$CLOUD/eu-west-1/vpcs/default/route-tables/mine"
	rmdir "$CLOUD/eu-west-1"
}

@test "a block makes a VPC" {
	mkdir vpcs/main
	reads pending vpcs/main/state
	lists main vpcs/main/route-tables
	lists default vpcs/main/network-acls
	refuses ERANGE 'echo 10.0.0.0/15 > vpcs/main/cidr-block'
	tells '^InvalidVpcRange: ' vpcs/main/error
	refuses ERANGE 'echo 10.0.0.0/29 > vpcs/main/cidr-block'
	refuses EINVAL 'echo 10.0.0.1/16 > vpcs/main/cidr-block'
	tells '^InvalidParameterValue: .*host bits; the block is 10.0.0.0/16$' vpcs/main/error
	refuses EINVAL 'echo 169.254.0.0/16 > vpcs/main/cidr-block'
	refuses EINVAL 'echo 127.0.0.0/16 > vpcs/main/cidr-block'
	refuses EINVAL 'echo 224.1.0.0/16 > vpcs/main/cidr-block'
	refuses EINVAL 'echo ten > vpcs/main/cidr-block'
	reads pending vpcs/main/state
	echo 10.0.0.0/16 >vpcs/main/cidr-block
	reads available vpcs/main/state
	reads '' <(cat vpcs/main/error && echo)
	echo 10.2.0.0/16 >vpcs/main/cidr-block
	subnet main/a 10.2.1.0/24
	refuses EBUSY 'echo 10.0.0.0/16 > vpcs/main/cidr-block'
	tells '^DependencyViolation: ' vpcs/main/error
	echo 10.2.0.0/16 >vpcs/main/cidr-block
	reads 10.2.0.0/16 vpcs/main/cidr-block
	tells '^vpc-[0-9a-f]{17}$' vpcs/main/vpc-id
}

@test "VPCs with the same block are side by side" {
	vpc a 10.0.0.0/16
	vpc b 10.0.0.0/16
	subnet a/x 10.0.1.0/24
	subnet b/x 10.0.1.0/24
}

@test "further blocks" {
	mkdir vpcs/main
	refuses EINVAL 'echo 10.1.0.0/16 > vpcs/main/cidr-blocks'
	tells '^MissingParameter: ' vpcs/main/error
	echo 10.0.0.0/16 >vpcs/main/cidr-block
	printf '# more\n10.1.0.0/16\n100.64.0.0/24  # of the carrier\n' >vpcs/main/cidr-blocks
	reads $'# more\n10.1.0.0/16\n100.64.0.0/24  # of the carrier' vpcs/main/cidr-blocks
	reads $'10.0.0.0/16 local\n10.1.0.0/16 local\n100.64.0.0/24 local' vpcs/main/route-tables/main/routes
	refuses EINVAL 'echo 10.0.5.0/24 >> vpcs/main/cidr-blocks'
	refuses EINVAL 'echo 192.168.0.0/24 >> vpcs/main/cidr-blocks'
	tells 'line 4: 192.168.0.0/24 is from another private range' vpcs/main/error
	refuses EDQUOT 'printf "10.%s.0.0/16\n" {1..5} > vpcs/main/cidr-blocks'
	refuses ERANGE 'echo 10.16.0.0/12 >> vpcs/main/cidr-blocks'
	subnet main/a 10.1.1.0/24
	refuses EBUSY 'echo > vpcs/main/cidr-blocks'
	tells 'the subnet a is in a block' vpcs/main/error
	rmdir vpcs/main/subnets/a
	echo >vpcs/main/cidr-blocks
	reads '10.0.0.0/16 local' vpcs/main/route-tables/main/routes
}

@test "subnets are within the VPC, and never overlap" {
	mkdir -p vpcs/main/subnets/a
	refuses EINVAL 'echo 10.0.1.0/24 > vpcs/main/subnets/a/cidr-block'
	tells '^MissingParameter: ' vpcs/main/subnets/a/error
	echo 10.0.0.0/16 >vpcs/main/cidr-block
	refuses ERANGE 'echo 10.1.0.0/24 > vpcs/main/subnets/a/cidr-block'
	tells '^InvalidSubnet.Range: ' vpcs/main/subnets/a/error
	refuses ERANGE 'echo 10.0.0.0/29 > vpcs/main/subnets/a/cidr-block'
	refuses EINVAL 'echo 10.0.1.1/24 > vpcs/main/subnets/a/cidr-block'
	reads pending vpcs/main/subnets/a/state
	echo 10.0.1.0/24 >vpcs/main/subnets/a/cidr-block
	reads available vpcs/main/subnets/a/state
	reads 251 vpcs/main/subnets/a/available-ip-address-count
	mkdir vpcs/main/subnets/b
	refuses EADDRINUSE 'echo 10.0.1.128/25 > vpcs/main/subnets/b/cidr-block'
	tells '^InvalidSubnet.Conflict: .*overlaps the subnet a' vpcs/main/subnets/b/error
	echo 10.0.2.0/28 >vpcs/main/subnets/b/cidr-block
	reads 11 vpcs/main/subnets/b/available-ip-address-count
	refuses EPERM 'echo 10.0.3.0/24 > vpcs/main/subnets/b/cidr-block'
	echo 10.0.2.0/28 >vpcs/main/subnets/b/cidr-block
	refuses EACCES 'echo 1 > vpcs/main/subnets/b/available-ip-address-count'
}

@test "a subnet is in one zone" {
	mkdir availability-zones/us-east-1b
	vpc main 10.0.0.0/16
	subnet main/a 10.0.1.0/24
	reads us-east-1a vpcs/main/subnets/a/availability-zone
	refuses ENOENT 'echo us-east-1x > vpcs/main/subnets/a/availability-zone'
	tells '^InvalidZone.NotFound: ' vpcs/main/subnets/a/error
	echo us-east-1b >vpcs/main/subnets/a/availability-zone
	refuses EPERM 'echo us-east-1a > vpcs/main/subnets/a/availability-zone'
	refuses ENOTEMPTY 'rmdir availability-zones/us-east-1b'
	rmdir vpcs/main/subnets/a
	rmdir availability-zones/us-east-1b
}

@test "addresses of a subnet are given out one by one, until there is none" {
	vpc main 10.0.0.0/16
	subnet main/small 10.0.1.16/28
	launch one main/small
	reads 10.0.1.20 instances/one/private-ip-address
	reads 10 vpcs/main/subnets/small/available-ip-address-count
	mkdir instances/two
	printf 'image tiny\ninstance-type t3.nano\nsubnet main/small\n' >instances/two/spec
	refuses EADDRINUSE 'echo 10.0.1.20 > instances/two/private-ip-address'
	tells '^InvalidIPAddress.InUse: .*the instance one has' instances/two/error
	refuses EINVAL 'echo 10.0.1.17 > instances/two/private-ip-address'
	refuses EINVAL 'echo 10.0.1.31 > instances/two/private-ip-address'
	refuses EINVAL 'echo 10.0.2.5 > instances/two/private-ip-address'
	for i in {2..11}; do launch "more-$i" main/small; done
	reads 0 vpcs/main/subnets/small/available-ip-address-count
	refuses EADDRNOTAVAIL 'echo running > instances/two/state'
	tells '^InsufficientFreeAddressesInSubnet: ' instances/two/error
	refuses ENOTEMPTY 'rmdir vpcs/main/subnets/small'
	tells '^DependencyViolation: .*the instance one has an interface' vpcs/main/subnets/small/error
	rm -r instances/*
	becomes 11 vpcs/main/subnets/small/available-ip-address-count
	rmdir vpcs/main/subnets/small
}

@test "an internet gateway stays while public addresses need it" {
	vpc main 10.0.0.0/16
	subnet main/a 10.0.1.0/24
	echo true >vpcs/main/subnets/a/map-public-ip-on-launch
	refuses EINVAL 'echo yes > vpcs/main/internet-gateway'
	echo true >vpcs/main/internet-gateway
	launch web-1 main/a
	tells '^[0-9.]+$' instances/web-1/public-ip-address
	refuses EBUSY 'echo false > vpcs/main/internet-gateway'
	tells '^DependencyViolation: .*web-1 has a public address' vpcs/main/error
	gone web-1 vpcs/main/subnets/a
	refuses ENOTEMPTY 'rmdir vpcs/main'
	tells 'an internet gateway is attached' vpcs/main/error
	echo false >vpcs/main/internet-gateway
	rmdir vpcs/main
}

@test "DHCP options are a keyed file" {
	vpc main 10.0.0.0/16
	reads $'domain-name ec2.internal\ndomain-name-servers AmazonProvidedDNS' vpcs/main/dhcp-options
	printf 'domain-name corp.example  \nntp-servers 10.0.0.7, 10.0.0.8\n' >vpcs/main/dhcp-options
	tells '^ntp-servers 10.0.0.7, 10.0.0.8$' vpcs/main/dhcp-options
	refuses EINVAL 'echo domain-name-servers 10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4,10.0.0.5 > vpcs/main/dhcp-options'
	refuses EINVAL 'echo domain-name -x > vpcs/main/dhcp-options'
	refuses EINVAL 'echo router 10.0.0.1 > vpcs/main/dhcp-options'
	tells '^UnknownParameter: .*line 1: there is no option router' vpcs/main/error
	echo >vpcs/main/dhcp-options
	tells '^domain-name ec2.internal$' vpcs/main/dhcp-options
	echo false >vpcs/main/enable-dns-support
	refuses EINVAL 'echo maybe > vpcs/main/enable-dns-hostnames'
}

@test "a NAT gateway needs a subnet, an address and the way out" {
	vpc main 10.0.0.0/16
	subnet main/public 10.0.1.0/24
	mkdir addresses/out addresses/two vpcs/main/nat-gateways/n
	reads pending vpcs/main/nat-gateways/n/state
	refuses ENOENT 'echo publik > vpcs/main/nat-gateways/n/subnet'
	tells '^InvalidSubnetID.NotFound: .*did you mean public\?' vpcs/main/nat-gateways/n/error
	refuses ENOENT 'echo nowhere > vpcs/main/nat-gateways/n/address'
	tells '^InvalidAllocationID.NotFound: ' vpcs/main/nat-gateways/n/error
	refuses EINVAL 'echo private > vpcs/main/nat-gateways/n/connectivity-type'
	echo out >vpcs/main/nat-gateways/n/address
	refuses ENOTCONN 'echo public > vpcs/main/nat-gateways/n/subnet'
	tells '^Gateway.NotAttached: ' vpcs/main/nat-gateways/n/error
	echo true >vpcs/main/internet-gateway
	echo public >vpcs/main/nat-gateways/n/subnet
	reads available vpcs/main/nat-gateways/n/state
	reads 10.0.1.4 vpcs/main/nat-gateways/n/private-ip-address
	reads "$(cat addresses/out/public-ip)" vpcs/main/nat-gateways/n/public-ip-address
	reads 250 vpcs/main/subnets/public/available-ip-address-count
	refuses EPERM 'echo two > vpcs/main/nat-gateways/n/address'
	mv addresses/out addresses/exit
	reads exit vpcs/main/nat-gateways/n/address
	refuses EADDRINUSE 'rmdir addresses/exit'
	refuses EBUSY 'echo false > vpcs/main/internet-gateway'
	mkdir vpcs/main/nat-gateways/m
	refuses EBUSY 'echo exit > vpcs/main/nat-gateways/m/address'
	tells '^Resource.AlreadyAssociated: ' vpcs/main/nat-gateways/m/error
	refuses ENOTEMPTY 'rmdir vpcs/main/subnets/public'
	sed -i 's/^nat-gateways-per-zone .*/nat-gateways-per-zone 1/' quotas
	refuses EDQUOT 'echo public > vpcs/main/nat-gateways/m/subnet'
	tells '^NatGatewayLimitExceeded: ' vpcs/main/nat-gateways/m/error
	rmdir vpcs/main/nat-gateways/n
	echo exit >vpcs/main/nat-gateways/m/address
	rmdir addresses/two vpcs/main/nat-gateways/m addresses/exit
}

@test "a peering is asked for, and accepted" {
	vpc a 10.0.0.0/16
	vpc b 10.1.0.0/16
	mkdir vpcs/a/peerings/to-b vpcs/a/peerings/again
	reads initiating-request vpcs/a/peerings/to-b/state
	refuses ENOENT 'echo c > vpcs/a/peerings/to-b/peer-vpc'
	tells '^InvalidVpcID.NotFound: ' vpcs/a/peerings/to-b/error
	refuses EINVAL 'echo a > vpcs/a/peerings/to-b/peer-vpc'
	refuses EBUSY 'echo active > vpcs/a/peerings/to-b/state'
	tells '^InvalidStateTransition: ' vpcs/a/peerings/to-b/error
	echo b >vpcs/a/peerings/to-b/peer-vpc
	reads pending-acceptance vpcs/a/peerings/to-b/state
	refuses EEXIST 'echo b > vpcs/a/peerings/again/peer-vpc'
	tells '^VpcPeeringConnectionAlreadyExists: ' vpcs/a/peerings/again/error
	refuses EINVAL 'echo yes > vpcs/a/peerings/to-b/state'
	echo active >vpcs/a/peerings/to-b/state
	reads active vpcs/a/peerings/to-b/state
	echo active >vpcs/a/peerings/to-b/state
	refuses EBUSY 'echo rejected > vpcs/a/peerings/to-b/state'
	refuses EPERM 'echo default > vpcs/a/peerings/to-b/peer-vpc'
	refuses ENOTEMPTY 'rmdir vpcs/b'
	tells 'the peering to-b' vpcs/b/error
	refuses EINVAL 'echo 10.1.0.0/20 > vpcs/a/cidr-blocks'
	mv vpcs/b vpcs/beta
	reads beta vpcs/a/peerings/to-b/peer-vpc
	rmdir vpcs/a/peerings/again vpcs/a/peerings/to-b
	rmdir vpcs/beta
}

@test "peerings fail, are rejected, are counted, and cross regions" {
	vpc a 10.0.0.0/16
	vpc twin 10.0.0.0/20
	vpc b 10.1.0.0/16
	mkdir vpcs/a/peerings/x vpcs/a/peerings/y vpcs/a/peerings/z
	[ ! -e vpcs/a/peerings/x/state-reason ]
	echo twin >vpcs/a/peerings/x/peer-vpc
	reads failed vpcs/a/peerings/x/state
	reads '10.0.0.0/16 of a overlaps 10.0.0.0/20 of twin' vpcs/a/peerings/x/state-reason
	rmdir vpcs/twin
	echo b >vpcs/a/peerings/y/peer-vpc
	echo rejected >vpcs/a/peerings/y/state
	refuses EBUSY 'echo active > vpcs/a/peerings/y/state'
	mkdir -p "$CLOUD/eu-west-1/vpcs/far"
	refuses EBUSY 'echo eu-west-1/far > vpcs/a/peerings/z/peer-vpc'
	tells '^IncorrectState: .*far has no block yet' vpcs/a/peerings/z/error
	echo 10.9.0.0/16 >"$CLOUD/eu-west-1/vpcs/far/cidr-block"
	sed -i 's/^peerings-per-vpc .*/peerings-per-vpc 0/' quotas
	refuses EDQUOT 'echo eu-west-1/far > vpcs/a/peerings/z/peer-vpc'
	tells '^ActiveVpcPeeringConnectionPerVpcLimitExceeded: ' vpcs/a/peerings/z/error
	sed -i 's/^peerings-per-vpc .*/peerings-per-vpc 1/' quotas
	echo eu-west-1/far >vpcs/a/peerings/z/peer-vpc
	reads eu-west-1/far vpcs/a/peerings/z/peer-vpc
	echo active >vpcs/a/peerings/z/state
	refuses ENOENT 'echo us-west-9/far > vpcs/a/peerings/x/peer-vpc'
	rm -r vpcs/a
}

@test "a VPN gateway is the joint to one's own network" {
	vpc main 10.0.0.0/16
	vpc other 10.1.0.0/16
	mkdir vpcs/main/vpn/office vpcs/other/vpn/office
	reads pending vpcs/main/vpn/office/state
	refuses EDQUOT 'mkdir vpcs/main/vpn/second'
	refuses EINVAL 'echo a-name-that-is-too-long > vpcs/main/vpn/office/interface'
	refuses EINVAL 'echo "eth 1" > vpcs/main/vpn/office/interface'
	echo wg0 >vpcs/main/vpn/office/interface
	reads available vpcs/main/vpn/office/state
	refuses EBUSY 'echo wg0 > vpcs/other/vpn/office/interface'
	tells '^Resource.AlreadyAssociated: ' vpcs/other/vpn/office/error
	echo 192.0.2.1 >vpcs/main/vpn/office/customer-gateway
	refuses EINVAL 'echo router > vpcs/main/vpn/office/customer-gateway'
	rm vpcs/main/vpn/office/customer-gateway
	echo 192.168.7.0/24 >vpcs/main/vpn/office/routes
	refuses EINVAL 'echo 10.0.3.0/24 >> vpcs/main/vpn/office/routes'
	refuses EEXIST 'echo 192.168.7.0/24 >> vpcs/main/vpn/office/routes'
	reads 192.168.7.0/24 vpcs/main/vpn/office/routes
}

@test "quotas" {
	printf 'vpcs 2\nsubnets-per-vpc 1\nroute-tables-per-vpc 2\nnetwork-acls-per-vpc 2\n' >quotas
	vpc main 10.0.0.0/16
	refuses EDQUOT 'mkdir vpcs/third'
	tells '^VpcLimitExceeded: ' error
	mkdir vpcs/main/subnets/a vpcs/main/route-tables/a vpcs/main/network-acls/a
	refuses EDQUOT 'mkdir vpcs/main/subnets/b'
	tells '^SubnetLimitExceeded: ' vpcs/main/error
	refuses EDQUOT 'mkdir vpcs/main/route-tables/b'
	tells '^RouteTableLimitExceeded: ' vpcs/main/error
	refuses EDQUOT 'mkdir vpcs/main/network-acls/b'
	tells '^NetworkAclLimitExceeded: ' vpcs/main/error
}

@test "rm -r takes a VPC away, with all that is in it" {
	vpc main 10.0.0.0/16
	echo true >vpcs/main/internet-gateway
	subnet main/a 10.0.1.0/24
	subnet main/b 10.0.2.0/24
	mkdir vpcs/main/route-tables/private vpcs/main/network-acls/strict addresses/out vpcs/main/nat-gateways/n
	echo private >vpcs/main/subnets/b/route-table
	echo strict >vpcs/main/subnets/b/network-acl
	echo out >vpcs/main/nat-gateways/n/address
	echo a >vpcs/main/nat-gateways/n/subnet
	echo '0.0.0.0/0 nat:n' >>vpcs/main/route-tables/private/routes
	mkdir vpcs/main/peerings/p vpcs/main/vpn/v
	echo default >vpcs/main/peerings/p/peer-vpc
	echo prod >vpcs/main/tags/env
	rm -r vpcs/main
	lists default vpcs
	rmdir addresses/out
}

@test "rm -r stops where instances are" {
	vpc main 10.0.0.0/16
	subnet main/a 10.0.1.0/24
	launch web-1 main/a
	mkdir vpcs/main/route-tables/other
	echo other >vpcs/main/subnets/a/route-table
	echo x >vpcs/main/tags/mine
	refuses ENOTEMPTY 'rm -r vpcs/main'
	[ -d vpcs/main/route-tables/main ]
	tells '^DependencyViolation' vpcs/main/subnets/a/error
	reads other vpcs/main/subnets/a/route-table
	soon 30 reads x vpcs/main/tags/mine
	reads running instances/web-1/state
	gone web-1 vpcs/main/subnets/a
	rm -r vpcs/main
}

@test "cp -r makes another one like it" {
	vpc main 10.0.0.0/16
	echo 10.1.0.0/16 >vpcs/main/cidr-blocks
	echo true >vpcs/main/internet-gateway
	echo true >vpcs/main/enable-dns-hostnames
	echo 'domain-name corp.example' >vpcs/main/dhcp-options
	subnet main/a 10.0.1.0/24
	subnet main/b 10.1.2.0/24
	echo true >vpcs/main/subnets/a/map-public-ip-on-launch
	mkdir vpcs/main/route-tables/public vpcs/main/network-acls/strict
	echo '0.0.0.0/0 internet-gateway  # out' >>vpcs/main/route-tables/public/routes
	echo '192.0.2.0/24 internet-gateway' >>vpcs/main/route-tables/main/routes
	echo '10 allow tcp 443 0.0.0.0/0' >vpcs/main/network-acls/strict/ingress
	echo '5 deny tcp 25 0.0.0.0/0' >>vpcs/main/network-acls/default/egress
	echo public >vpcs/main/subnets/a/route-table
	echo strict >vpcs/main/subnets/b/network-acl
	echo prod >vpcs/main/tags/env
	cp -r vpcs/main vpcs/twin
	diff -r -x '*-id' -x map.svg vpcs/main vpcs/twin
	[ "$(cat vpcs/main/vpc-id)" != "$(cat vpcs/twin/vpc-id)" ]
	cp -a vpcs/main vpcs/third
	diff -r -x '*-id' -x map.svg vpcs/main vpcs/third
	rm -r vpcs/main vpcs/twin vpcs/third
}

@test "names change, and a VPC is by its ID too" {
	vpc main 10.0.0.0/16
	subnet main/a 10.0.1.0/24
	id=$(cat vpcs/main/vpc-id)
	[ by-id/"$id" -ef vpcs/main ]
	[ -z "$(find vpcs -printf '%i\n' | sort | uniq -d)" ]
	mv vpcs/main vpcs/first
	[ by-id/"$id" -ef vpcs/first ]
	refuses EEXIST 'mkdir vpcs/first'
	mkdir instances/web-1
	echo first/a >instances/web-1/subnet
	reads first/a instances/web-1/subnet
	mv vpcs/first/subnets/a vpcs/first/subnets/b
	reads first/b instances/web-1/subnet
	refuses ENOENT 'echo first/a > instances/web-1/subnet'
}

@test "map.svg is a drawing" {
	vpc main 10.0.0.0/16
	subnet main/a 10.0.1.0/24
	mkdir vpcs/main/subnets/'b<&>"'
	echo 10.0.2.0/24 >vpcs/main/subnets/'b<&>"'/cidr-block
	tells '<svg xmlns' vpcs/main/map.svg
	tells 'b&lt;&amp;&gt;' vpcs/main/map.svg
	python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' vpcs/main/map.svg
	python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' vpcs/default/map.svg
}

@test "all of it outlives a restart" {
	vpc main 10.0.0.0/16
	echo true >vpcs/main/internet-gateway
	subnet main/a 10.0.1.0/24
	echo '0.0.0.0/0 internet-gateway  # out' >>vpcs/main/route-tables/main/routes
	echo '90 deny all - 198.51.100.0/24' >>vpcs/main/network-acls/default/ingress
	cp -r vpcs "$W/before"
	cloud_kill
	cloud_start
	diff -r "$W/before" vpcs
}
