# Route tables and their routes.
load ../lib/cloud

setup()
{
	cloud_start
	W=$CLOUD_HOME
	mkdir vpcs/main
	echo 10.0.0.0/16 >vpcs/main/cidr-block
	mkdir vpcs/main/subnets/a
	echo 10.0.1.0/24 >vpcs/main/subnets/a/cidr-block
	T=vpcs/main/route-tables/main
	export T
}
teardown() { cloud_stop; }

# launch NAME SUBNET: an instance there, running.
launch()
{
	[ -d images/tiny ] || { mkdir images/tiny && head -c 512 /dev/zero >images/tiny/disk; }
	mkdir "instances/$1"
	printf 'image tiny\ninstance-type t3.nano\nsubnet %s\n' "$2" >"instances/$1/spec"
	echo running >"instances/$1/state"
	becomes running "instances/$1/state"
}

# peer NAME BLOCK: a VPC, and an active peering to-NAME from main.
peer()
{
	mkdir "vpcs/$1"
	echo "$2" >"vpcs/$1/cidr-block"
	mkdir "vpcs/main/peerings/to-$1"
	echo "$1" >"vpcs/main/peerings/to-$1/peer-vpc"
	echo active >"vpcs/main/peerings/to-$1/state"
}

@test "the local route is there by itself" {
	reads '10.0.0.0/16 local' $T/routes
	reads '10.0.0.0/16 local active' $T/effective-routes
	cp $T/routes "$W/routes"
	cat "$W/routes" >$T/routes
	reads '10.0.0.0/16 local' $T/routes
	refuses EINVAL 'echo 10.9.0.0/16 local >> $T/routes'
	tells 'no block of the VPC; only those are local' $T/error
}

@test "what was written is shown as it was" {
	echo true >vpcs/main/internet-gateway
	printf '# the way out\n\n0.0.0.0/0\tinternet-gateway  # all\n' >"$W/routes"
	cp "$W/routes" $T/routes
	cmp "$W/routes" $T/routes
	reads $'10.0.0.0/16 local active\n0.0.0.0/0 internet-gateway active' $T/effective-routes
	cp "$W/routes" $T/routes
	cmp "$W/routes" $T/routes
	sed -i '/internet/d' $T/routes
	reads '10.0.0.0/16 local active' $T/effective-routes
	echo >$T/routes
	reads '10.0.0.0/16 local' $T/routes
}

@test "lines that make no route" {
	refuses EINVAL 'echo 0.0.0.0/0 >> $T/routes'
	tells '^InvalidParameterValue: .*line 2: write DESTINATION TARGET' $T/error
	refuses EINVAL 'echo 0.0.0.0/0 moon >> $T/routes'
	tells 'moon is no target' $T/error
	refuses EINVAL 'echo 0.0.0.0/0 internet-gateway active >> $T/routes'
	refuses EINVAL 'echo 192.0.2.1/24 internet-gateway >> $T/routes'
	tells 'has host bits; the block is 192.0.2.0/24' $T/error
	refuses EINVAL 'echo 10.0.1.0/24 internet-gateway >> $T/routes'
	tells 'is within the VPC, where all routes are local' $T/error
	refuses EINVAL 'echo 169.254.169.0/24 internet-gateway >> $T/routes'
	tells 'is within 169.254.168.0/22' $T/error
	reads '10.0.0.0/16 local' $T/routes
}

@test "a route to nowhere" {
	refuses ENOTCONN 'echo 0.0.0.0/0 internet-gateway >> $T/routes'
	tells '^Gateway.NotAttached: ' $T/error
	mkdir vpcs/main/nat-gateways/out
	refuses ENOENT 'echo 0.0.0.0/0 nat:uot >> $T/routes'
	tells '^InvalidNatGatewayID.NotFound: .*did you mean out\?' $T/error
	refuses ENOENT 'echo 0.0.0.0/0 instance:web-1 >> $T/routes'
	tells '^InvalidInstanceID.NotFound: ' $T/error
	refuses ENOENT 'echo 0.0.0.0/0 peering:x >> $T/routes'
	tells '^InvalidVpcPeeringConnectionID.NotFound: ' $T/error
	refuses ENOENT 'echo 0.0.0.0/0 vpn:x >> $T/routes'
	tells '^InvalidVpnGatewayID.NotFound: ' $T/error
	reads '10.0.0.0/16 local' $T/routes
}

@test "one route a destination, and so many" {
	echo true >vpcs/main/internet-gateway
	echo '0.0.0.0/0 internet-gateway' >>$T/routes
	refuses EEXIST 'echo 0.0.0.0/0 internet-gateway >> $T/routes'
	tells '^RouteAlreadyExists: .*line 3' $T/error
	refuses EEXIST 'echo 10.0.0.0/16 local >> $T/routes'
	printf '192.0.%d.0/24 internet-gateway\n' {1..49} >>$T/routes
	refuses EDQUOT 'echo 198.51.100.0/24 internet-gateway >> $T/routes'
	tells '^RouteLimitExceeded: ' $T/error
	sed -i 's/^routes-per-table .*/routes-per-table 51/' quotas
	echo 198.51.100.0/24 internet-gateway >>$T/routes
}

@test "targets keep their routes when they are renamed, and leave holes when they go" {
	echo true >vpcs/main/internet-gateway
	mkdir addresses/eip vpcs/main/nat-gateways/n
	echo eip >vpcs/main/nat-gateways/n/address
	echo '0.0.0.0/0 nat:n  # out' >$T/routes
	reads $'10.0.0.0/16 local active\n0.0.0.0/0 nat:n blackhole' $T/effective-routes
	echo a >vpcs/main/nat-gateways/n/subnet
	tells '^0.0.0.0/0 nat:n active$' $T/effective-routes
	mv vpcs/main/nat-gateways/n vpcs/main/nat-gateways/m
	reads '0.0.0.0/0 nat:m  # out' $T/routes
	id=$(cat vpcs/main/nat-gateways/m/nat-gateway-id)
	echo "192.0.2.0/24 nat:$id" >>$T/routes
	reads $'0.0.0.0/0 nat:m  # out\n192.0.2.0/24 nat:m' $T/routes
	mv vpcs/main/nat-gateways/m vpcs/main/nat-gateways/'two words'
	reads "0.0.0.0/0 nat:$id  # out"$'\n'"192.0.2.0/24 nat:$id" $T/routes
	rmdir vpcs/main/nat-gateways/'two words'
	tells "^0.0.0.0/0 nat:$id blackhole\$" $T/effective-routes
	cp $T/routes "$W/routes"
	cat "$W/routes" >$T/routes
	cmp "$W/routes" $T/routes
	refuses ENOENT 'echo "203.0.113.0/24 nat:'"$id"'" >> $T/routes'
}

@test "an instance as a router" {
	mkdir instances/router
	refuses EBUSY 'echo 0.0.0.0/0 instance:router >> $T/routes'
	tells '^IncorrectInstanceState: .*not launched' $T/error
	rmdir instances/router
	launch elsewhere us-east-1a
	refuses EINVAL 'echo 0.0.0.0/0 instance:elsewhere >> $T/routes'
	tells 'not in this VPC' $T/error
	launch router main/a
	echo 0.0.0.0/0 instance:router >>$T/routes
	tells '^0.0.0.0/0 instance:router active$' $T/effective-routes
	echo stopped >instances/router/state
	becomes stopped instances/router/state
	tells '^0.0.0.0/0 instance:router blackhole$' $T/effective-routes
	id=$(cat instances/router/instance-id)
	rmdir instances/router
	becomes terminated "by-id/$id/state"
	tells "^0.0.0.0/0 instance:$id blackhole\$" $T/effective-routes
}

@test "both sides of a peering name it" {
	peer shared 10.1.0.0/16
	echo 10.1.0.0/16 peering:to-shared >>$T/routes
	tells '^10.1.0.0/16 peering:to-shared active$' $T/effective-routes
	echo 10.0.0.0/16 peering:to-shared >>vpcs/shared/route-tables/main/routes
	tells '^10.0.0.0/16 peering:to-shared active$' vpcs/shared/route-tables/main/effective-routes
	mv vpcs/main/peerings/to-shared vpcs/main/peerings/p
	tells '^10.0.0.0/16 peering:p$' vpcs/shared/route-tables/main/routes
	# A peering of its own of that name goes before.
	mkdir vpcs/shared/peerings/p
	tells '^10.0.0.0/16 peering:pcx-[0-9a-f]{17}$' vpcs/shared/route-tables/main/routes
	rmdir vpcs/shared/peerings/p vpcs/main/peerings/p
	tells '^10.0.0.0/16 peering:pcx-[0-9a-f]{17} blackhole$' vpcs/shared/route-tables/main/effective-routes
}

@test "a block cannot come where a route leads away" {
	echo true >vpcs/main/internet-gateway
	echo 10.1.2.0/24 internet-gateway >>$T/routes
	refuses EINVAL 'echo 10.1.0.0/16 > vpcs/main/cidr-blocks'
	tells 'the route table main has a route to 10.1.2.0/24' vpcs/main/error
}

@test "the routes of a VPN gateway come by themselves where that is wished" {
	mkdir vpcs/main/vpn/office
	printf '192.168.7.0/24\n192.168.8.0/24  # the lab\n' >vpcs/main/vpn/office/routes
	lacks office $T/effective-routes
	refuses EINVAL 'echo yes > $T/propagating'
	echo true >$T/propagating
	tells '^192.168.7.0/24 vpn:office blackhole propagated$' $T/effective-routes
	echo wg0 >vpcs/main/vpn/office/interface
	tells '^192.168.8.0/24 vpn:office active propagated$' $T/effective-routes
	# What is written goes before.
	echo true >vpcs/main/internet-gateway
	echo 192.168.8.0/24 internet-gateway >>$T/routes
	tells '^192.168.8.0/24 internet-gateway active$' $T/effective-routes
	lacks '^192.168.8.0/24 vpn' $T/effective-routes
	echo 172.16.0.0/12 vpn:office >>$T/routes
	tells '^172.16.0.0/12 vpn:office active$' $T/effective-routes
}

@test "subnets choose a table" {
	mkdir vpcs/main/route-tables/private
	reads a $T/associations
	reads '' <(cat vpcs/main/subnets/a/route-table && echo)
	refuses ENOENT 'echo privat > vpcs/main/subnets/a/route-table'
	tells '^InvalidRouteTableID.NotFound: .*did you mean private\?' vpcs/main/subnets/a/error
	echo private >vpcs/main/subnets/a/route-table
	reads private vpcs/main/subnets/a/route-table
	reads a vpcs/main/route-tables/private/associations
	lacks . $T/associations
	mv vpcs/main/route-tables/private vpcs/main/route-tables/db
	reads db vpcs/main/subnets/a/route-table
	refuses ENOTEMPTY 'rmdir vpcs/main/route-tables/db'
	tells '^DependencyViolation: .*the subnet a uses it' vpcs/main/route-tables/db/error
	echo >vpcs/main/subnets/a/route-table
	rmdir vpcs/main/route-tables/db
	reads a $T/associations
}

@test "another table can be the main one" {
	mkdir vpcs/main/route-tables/private
	reads false vpcs/main/route-tables/private/main
	refuses EPERM 'rmdir $T'
	tells '^CannotDelete: ' $T/error
	refuses EPERM 'echo false > $T/main'
	refuses EINVAL 'echo maybe > $T/main'
	echo true >vpcs/main/route-tables/private/main
	reads true vpcs/main/route-tables/private/main
	reads false $T/main
	reads a vpcs/main/route-tables/private/associations
	rmdir $T
	refuses EPERM 'rmdir vpcs/main/route-tables/private'
	rm -r vpcs/main
}

@test "tools that write files write routes" {
	echo true >vpcs/main/internet-gateway
	printf '10.0.0.0/16 local\n0.0.0.0/0 internet-gateway\n' >"$W/routes"
	install -m 644 "$W/routes" $T/routes
	cmp "$W/routes" $T/routes
	sed -i 's|^0.0.0.0/0|192.0.2.0/24|' $T/routes
	tells '^192.0.2.0/24 internet-gateway active$' $T/effective-routes
	tar -C "$W" -cf "$W/routes.tar" routes
	tar -C $T -xf "$W/routes.tar"
	cmp "$W/routes" $T/routes
	refuses EINVAL 'sed -i "s|^0.0.0.0/0|10.0.0.0/24|" $T/routes'
	cmp "$W/routes" $T/routes
}
