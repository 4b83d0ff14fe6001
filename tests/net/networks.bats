# Namespaces, links and routes: who reaches whom.
load ../lib/cloud
load ../lib/net
load ../lib/vpcs

setup()
{
	net_start
}

teardown()
{
	net_stop
}

@test "instances of one subnet and of two meet, each by its router" {
	start_v1
	reaches a 10.0.1.6
	reaches a 10.0.2.7
	reaches c 10.0.1.5
	reaches a 10.0.1.1
	reaches c 10.0.2.1
	serve b 80
	sees a 10.0.1.6 80 10.0.1.5
	sees c 10.0.1.6 80 10.0.2.7
	# All of it was routed: the neighbour's MAC is the router's.
	[ "$(within a ip neigh show 10.0.1.6 | awk '{ print $3 }')" = "$(within a ip neigh show 10.0.1.1 | awk '{ print $3 }')" ]
}

@test "an address that nobody has is answered by nobody" {
	start_v1
	misses a 10.0.1.77
	misses a 10.0.9.9
	misses c 192.0.2.1
	tells 'FAILED|INCOMPLETE' <(within a ip neigh show 10.0.1.77)
}

@test "the host reaches a public address, and an instance sees the host" {
	start_v1
	serve a 22
	sees host 198.51.100.5 22 169.254.0.2
	misses host 10.0.1.5
	misses host 198.51.100.6
}

@test "an address of the pool that is not in use is unreachable at once" {
	start_v1
	run host ping -c 1 -W 2 198.51.100.77
	[ "$status" = 1 ]
	[[ $output == *"Destination Host Unreachable"* ]]
	# Without the edge too: nothing of the pool leaves the host.
	host ip link delete "ec2-${OWNER:0:8}"
	run host ping -c 1 -W 2 198.51.100.5
	[ "$status" != 0 ]
	[[ $output == *"No route to host"* || $output == *"unreachable"* ]]
}

@test "no instance reaches the host's own services, by whatever address" {
	start_v1
	host ip link add lan type veth peer name lan0
	host ip addr add 203.0.113.1/24 dev lan
	host ip link set lan up
	host ip link set lan0 up
	serve host 80
	sees host 203.0.113.1 80 203.0.113.1
	for from in a b c; do
		for address in 203.0.113.1 169.254.0.2 169.254.0.1; do
			denied $from $address 80
			misses $from $address
		done
	done
	# Nor where the host hands connections on to a service of its own.
	host nft 'table ip handed { chain pre { type nat hook prerouting priority dstnat; tcp dport 81 redirect to 80; }; }'
	denied a 203.0.113.1 81
	denied a 203.0.113.99 81
}

@test "what is outside the host is reached as the host allows" {
	start_v1
	host ip netns add outside
	host ip link add lan type veth peer name eth0 netns outside
	host ip addr add 203.0.113.1/24 dev lan
	host ip link set lan up
	within outside ip addr add 203.0.113.2/24 dev eth0
	within outside ip link set eth0 up
	within outside ip route add 198.51.100.0/24 via 203.0.113.1
	serve outside 80
	denied a 203.0.113.2 80
	host sysctl -qw net.ipv4.ip_forward=1
	sees a 203.0.113.2 80 198.51.100.5
	# Behind the NAT gateway, in its name; without a public address, not at all.
	sees c 203.0.113.2 80 198.51.100.9
	denied b 203.0.113.2 80
	serve a 22
	sees outside 198.51.100.5 22 203.0.113.2
	misses outside 198.51.100.9
}

@test "two VPCs with the same addresses never meet, but by their public ones" {
	start_v1
	start_v2
	serve a 80
	serve d 80
	sees b 10.0.1.5 80 10.0.1.6
	sees d 198.51.100.5 80 198.51.100.20
	sees a 198.51.100.20 80 198.51.100.5
	sees host 198.51.100.20 80 169.254.0.2
	misses d 10.0.1.6
	misses d 10.0.2.7
}

@test "a peering routes both ways, where routes say so, and no further" {
	start_v1 10.1.0.0/16=$PCX
	start_v2 10.1.0.0/16 10.1.1.5
	misses a 10.1.1.5
	# One side only: no link, and the route leads nowhere rather than to the internet gateway.
	describe_v1 10.1.0.0/16=$PCX | sed "/^internet/a peering $PCX $V2" | netfw
	misses a 10.1.1.5
	lacks pcx <(within $V1 ip link)
	tells '^blackhole 10.1.0.0/16' <(within $V1 ip route show table all)
	{
		describe_v1 10.1.0.0/16=$PCX | sed "/^internet/a peering $PCX $V2"
		ROUTE_2=10.0.1.0/24=$PCX describe_v2 10.1.0.0/16 10.1.1.5 "peering $PCX $V1"
	} | netfw
	serve a 80
	serve c 80
	serve d 80
	sees a 10.1.1.5 80 10.0.1.5
	sees d 10.0.1.5 80 10.1.1.5
	denied d 10.0.2.7 80 # V2 has no route there
	denied d 10.0.1.2 53 # the resolver is not the peer's
	denied d 10.0.1.1 80
	# The first comes back later: each side routes again.
	{
		ROUTE_2=10.0.1.0/24=$PCX describe_v2 10.1.0.0/16 10.1.1.5 "peering $PCX $V1"
		describe_v1 10.1.0.0/16=$PCX
		describe_v1 10.1.0.0/16=$PCX | sed "/^internet/a peering $PCX $V2"
	} | netfw
	sees a 10.1.1.5 80 10.0.1.5
	sees d 10.0.1.5 80 10.1.1.5
	# Its end is at once, at both sides.
	describe_v1 10.1.0.0/16=$PCX | netfw
	misses a 10.1.1.5
	misses d 10.0.1.5
}

@test "the longest prefix wins; a blackhole swallows; a route by way of an instance that is not there too" {
	start_v1 "203.0.113.0/24=$B 203.0.113.128/25=blackhole" router
	# It asks who its neighbours are in its own name, not in that of an address behind it.
	within b sysctl -qw net.ipv4.conf.eth0.arp_announce=2
	within b ip addr add 203.0.113.7/32 dev lo
	within b ip addr add 203.0.113.200/32 dev lo
	reaches a 203.0.113.7
	misses a 203.0.113.200
	misses c 203.0.113.7 # its table has no such route
	netfw <<<"untap $V1 $B"
	tells '^blackhole 203.0.113.0/24' <(within $V1 ip route show table all)
	lacks '203.0.113.0/24 via' <(within $V1 ip route show table all)
	misses a 203.0.113.7
}

@test "a router's packets take its own subnet's routes" {
	# c forwards what it does not translate: a source that is in no subnet, by c's table.
	start_v1 "203.0.113.0/24=$C"
	describe_v1 "203.0.113.0/24=$C" | sed "s/^interface $C.*/& router/" | netfw
	within c sysctl -qw net.ipv4.ip_forward=1
	host ip netns add far
	within c ip link add far0 type veth peer name eth0 netns far
	within c ip addr add 203.0.113.1/24 dev far0
	within c ip link set far0 up
	within far ip addr add 203.0.113.2/24 dev eth0
	within far ip link set eth0 up
	within far ip route add default via 203.0.113.1
	serve far 80
	sees a 203.0.113.2 80 10.0.1.5
	serve a 80
	sees far 10.0.1.5 80 203.0.113.2
}

@test "a part of a description changes only that" {
	start_v1
	{
		describe_v1
		cat <<-END
			change $V1
			interface $B 10.0.1.6 subnet-1 public=198.51.100.6 group=sg-open
			commit
		END
	} | netfw
	reaches host 198.51.100.6
	reaches host 198.51.100.5
	{
		describe_v1 "" public=198.51.100.6
		cat <<-END
			change $V1
			interface $A 10.0.1.5 subnet-1 group=sg-open
			interface $B 10.0.1.6 subnet-1 public=198.51.100.5 group=sg-open
			commit
		END
	} | netfw
	serve b 22
	sees host 198.51.100.5 22 169.254.0.2
	misses host 198.51.100.6
	{
		describe_v1
		cat <<-END
			change $V1
			drop-interface $C
			commit
		END
	} | netfw
	misses a 10.0.2.7
	misses c 10.0.1.5
}

@test "an address that moves to another VPC leads there" {
	start_v1
	start_v2
	serve d 22
	{
		describe_v1 | sed 's/public=198.51.100.5//'
		describe_v2 | sed 's/public=198.51.100.20/public=198.51.100.5/'
		describe_v1 | sed 's/public=198.51.100.5//'
	} | netfw
	sees host 198.51.100.5 22 169.254.0.2
	# Also when the new one is told before the old one is.
	{
		describe_v1
		describe_v2 | sed 's/public=198.51.100.20//'
	} | netfw
	serve a 22
	sees host 198.51.100.5 22 169.254.0.2
	reaches a 10.0.1.6
}

@test "without its internet gateway a VPC is by itself" {
	start_v1
	describe_v1 | sed '/^internet/d' | netfw
	misses host 198.51.100.5
	reaches a 10.0.1.6
	lacks "igw|nat" <(within $V1 ip -br link)
	# Nor is there an edge, or a way to the pool, after the last daemon that had nobody to lead there.
	lacks "$(EDGE)" <(host ip netns)
	{ echo "pool 198.51.100.0/24" && describe_v1; } | netfw
	reaches host 198.51.100.5
}

@test "the pool can be another one" {
	start_v1
	netfw <<<"pool 192.0.2.0/24 203.0.113.0/25"
	lacks 198.51.100 <(host ip route)
	tells '^192.0.2.0/24 via' <(host ip route)
	tells '^unreachable 203.0.113.0/25' <(host ip route)
	netfw <<<"pool 198.51.100.0/24"
	reaches host 198.51.100.5
	host ip route add 192.0.2.0/24 dev lo
	run host "$NETFW" "$OWNER" "$NET/network" <<<"pool 192.0.2.0/24"
	[ "$status" = 1 ]
	[[ $output == "InternalError: the host has another route to 192.0.2.0/24 already"* ]]
}

@test "taps are made once, for the privileged, and found again in their VPC" {
	describe_v1 | { cat && echo "tap $A" && echo "tap $A"; } | netfw
	tells 'tun type tap pi off vnet_hdr on persist on' <(host ip -d link show "$(tap_of $A)")
	{
		describe_v1
		printf '%s\n' "attach $V1 $A" "attach $V1 $A" "tap $A"
	} | netfw
	lacks "$(tap_of $A)" <(host ip link)
	tells '10.0.1.1/24' <(within $V1 ip addr show "$(tap_of $A)")
	tells "10.0.1.5 dev $(tap_of $A)" <(within $V1 ip route show table 1)
	netfw <<-END
		untap $V1 $A
		untap $V1 $A
	END
	lacks "$(tap_of $A)" <(within $V1 ip link)
}

@test "a tap without rules stays outside" {
	guest a $A 10.0.1.5/24
	run host "$NETFW" "$OWNER" "$NET/network" <<<"attach $V1 $A"
	[ "$status" = 1 ]
	[[ $output == "InternalError: $V1 has no rules for $A yet: its tap stays outside" ]]
	tells "$(tap_of $A)" <(host ip link)
}

@test "a VPC is listed and removed by its owner only" {
	local other

	start_v1
	start_v2
	other=$(cat /proc/sys/kernel/random/uuid)
	[ "$(host "$NETFW" "$OWNER" "$NET/network" <<<list | sort | tr '\n' ' ')" = "ok $V1 $V2 " ]
	[ "$(host "$NETFW" "$other" "$NET/network" <<<list)" = ok ]
	run host "$NETFW" "$other" "$NET/network" <<<"remove $V1"
	[ "$status" = 1 ]
	[[ $output == "InternalError: the network namespace $V1 belongs to somebody else" ]]
	reaches a 10.0.1.6
	netfw <<-END
		remove $V1
		remove $V1
		remove vpc-0c00000000000000c
	END
	[ "$(host "$NETFW" "$OWNER" "$NET/network" <<<list | tr '\n' ' ')" = "$V2 ok " ]
	lacks "$V1" <(host ip netns)
	lacks 198.51.100.5 <(within "$(EDGE)" ip route)
	reaches host 198.51.100.20
}

@test "when no VPC leads out any more, the daemon's end leaves the host as it was" {
	local before

	before=$(host ip link; host ip route; host nft list tables)
	start_v1
	netfw <<<"remove $V1"
	lacks "$(EDGE)|$V1" <(host ip netns)
	host ip link del dev "$(tap_of $A)" 2>/dev/null || true
	[ "$before" = "$(host ip link; host ip route; host nft list tables)" ]
}

@test "two daemons on one host do not disturb each other" {
	local other

	other=$(cat /proc/sys/kernel/random/uuid)
	start_v1
	guest d $D 10.0.1.5/24
	OWNER=$other netfw <<-END
		pool 192.0.2.0/24
		$(describe_v2 | sed 's/198.51.100.20/192.0.2.20/')
		attach $V2 $D
	END
	reaches host 192.0.2.20
	reaches host 198.51.100.5
	misses d 10.0.1.6
}

@test "it says what privilege is missing" {
	run host setpriv --bounding-set -net_admin --inh-caps -net_admin "$NETFW" "$OWNER" "$NET/network" <<<list
	[ "$status" = 1 ]
	[[ $output == "OperationNotPermitted: networks need CAP_NET_ADMIN and CAP_SYS_ADMIN" ]]
}

@test "a virtual private gateway joins the network behind one interface of the host, and nothing else" {
	local vgw=vgw-0a0000000000000a9

	start_v1 192.168.7.0/24=$vgw
	host ip netns add lan
	host ip netns add elsewhere
	for name in lan elsewhere; do
		host ip link add $name type veth peer name eth0 netns $name
		host ip link set $name up
		within $name ip link set eth0 up
	done
	host ip addr add 192.168.7.1/24 dev lan
	within lan ip addr add 192.168.7.2/24 dev eth0
	within lan ip route add default via 192.168.7.1
	host ip addr add 192.168.8.1/24 dev elsewhere
	within elsewhere ip addr add 192.168.8.2/24 dev eth0
	within elsewhere ip route add default via 192.168.8.1
	misses a 192.168.7.2
	describe_v1 "192.168.7.0/24=$vgw 192.168.8.0/24=$vgw" | sed "/^internet/a gateway $vgw lan" | netfw
	serve lan 80
	serve a 80
	serve host 81
	serve elsewhere 80
	sees a 192.168.7.2 80 10.0.1.5
	sees lan 10.0.1.5 80 192.168.7.2
	sees host 10.0.1.5 80 192.168.7.1
	denied a 192.168.7.1 81
	denied a 192.168.8.2 80
	denied elsewhere 10.0.1.5 80
	denied lan 192.168.8.2 80
	denied c 192.168.7.2 80
	# Told again it stays; taken away nothing of it is left.
	describe_v1 "192.168.7.0/24=$vgw" | sed "/^internet/a gateway $vgw lan" | netfw
	sees a 192.168.7.2 80 10.0.1.5
	describe_v1 192.168.7.0/24=$vgw | netfw
	misses a 192.168.7.2
	denied lan 10.0.1.5 80
	lacks vgw <(host ip link; host ip route; host nft list tables)
	[ "$(host cat /proc/sys/net/ipv4/conf/lan/forwarding)" = 0 ]
}
