# Namespaces, links and routes: who reaches whom, and what a daemon that comes and goes leaves alone.
load ../lib/cloud
load ../lib/net

setup()
{
	net_start
}

teardown()
{
	net_stop
}

V1=vpc-0a0000000000000a1 V2=vpc-0b0000000000000b2
A=eni-0a00000000000a0a1 B=eni-0a00000000000b0b1 C=eni-0a00000000000c0c1 D=eni-0b00000000000d0d2
NAT=nat-0a000000000000e1 PCX=pcx-0a000000000000f1
OPEN="in:all:all:0.0.0.0/0 out:all:all:0.0.0.0/0"
EDGE()
{
	echo "ec2fs-${OWNER:0:8}"
}

# One VPC: a public subnet with a and b, of which a has a public address, and a private one with c behind NAT.
describe_v1()
{
	cat <<-END
		change $V1 whole
		vpc 10.0.0.0/16
		internet
		table rtb-public 0.0.0.0/0=igw ${1-}
		table rtb-private 0.0.0.0/0=$NAT
		subnet subnet-1 10.0.1.0/24 rtb-public
		subnet subnet-2 10.0.2.0/24 rtb-private
		nat $NAT 10.0.1.100 198.51.100.9
		group sg-open $OPEN
		interface $A 10.0.1.5 subnet-1 public=198.51.100.5 group=sg-open
		interface $B 10.0.1.6 subnet-1 group=sg-open ${2-}
		interface $C 10.0.2.7 subnet-2 group=sg-open
		commit
	END
}

start_v1()
{
	guest a $A 10.0.1.5/24
	guest b $B 10.0.1.6/24
	guest c $C 10.0.2.7/24
	{
		echo "pool 198.51.100.0/24"
		describe_v1 "$@"
		printf 'attach %s %s\n' $V1 $A $V1 $B $V1 $C
	} | netfw
}

# A second VPC with one subnet: describe_v2 [CIDR ADDRESS [LINE…]]
describe_v2()
{
	local cidr=${1:-10.0.0.0/16} address=${2:-10.0.1.5}

	shift $(($# < 2 ? $# : 2))
	cat <<-END
		change $V2 whole
		vpc $cidr
		internet
		table rtb-2 0.0.0.0/0=igw ${ROUTE_2-}
		subnet subnet-3 ${address%.*}.0/24 rtb-2
		group sg-open $OPEN
		interface $D $address subnet-3 public=198.51.100.20 group=sg-open
	END
	printf '%s\n' "$@" commit
}

start_v2()
{
	guest d $D "${2:-10.0.1.5}/24"
	{
		describe_v2 "$@"
		echo "attach $V2 $D"
	} | netfw
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

@test "a new daemon that describes all again breaks no connection and touches no tap" {
	local before after answer

	start_v1
	serve a 7
	coproc TALK { host ip netns exec c "$BATS_TEST_DIRNAME/../lib/talk" call 10.0.1.5 7 3>&- 4>&-; }
	coproc_in=${TALK[1]} coproc_out=${TALK[0]}
	echo one >&"$coproc_in"
	read -r -t 5 answer <&"$coproc_out"
	[ "$answer" = "10.0.2.7 one" ]
	before=$(within $V1 ip -o link; within $V1 ip rule; within $V1 ip route show table all)
	within $V1 timeout 60 ip monitor link address neigh route rule >"$NET/monitor" 2>&1 3>&- 4>&- &
	sleep 0.3
	describe_v1 | netfw
	echo two >&"$coproc_in"
	read -r -t 5 answer <&"$coproc_out"
	[ "$answer" = "10.0.2.7 two" ]
	after=$(within $V1 ip -o link; within $V1 ip rule; within $V1 ip route show table all)
	[ "$before" = "$after" ]
	sleep 0.3
	lacks "$(tap_of $A)|$(tap_of $C)" "$NET/monitor"
	lacks Deleted "$NET/monitor"
}

@test "the whole description repairs what is missing or wrong" {
	local table

	start_v1
	within $V1 ip rule del priority 300 from 10.0.2.0/24
	within $V1 ip rule add priority 50 to 10.0.1.0/24 blackhole
	within $V1 ip route del 10.0.1.5 table 1
	within $V1 ip route add 10.0.1.99 dev "$(tap_of $B)" table 1
	within $V1 ip route add 203.0.113.0/24 dev igw table 1000000000
	within $V1 ip link set "$(tap_of $C)" down
	within $V1 ip addr del 10.0.2.2/32 dev lo
	within $V1 ip addr add 10.9.9.9/32 dev lo
	within $V1 ip link del igw
	within "$(EDGE)" ip route del default
	host ip netns add x
	host ip link add tapffffffffffff type veth peer name eth0 netns x
	host ip link set tapffffffffffff netns $V1
	describe_v1 | netfw
	reaches a 10.0.2.7
	reaches a 10.0.1.6
	tells 'inet 10.0.2.2/32' <(within $V1 ip addr show lo)
	reaches host 198.51.100.5
	lacks '10.0.1.99|203.0.113.0|10.9.9.9' <(within $V1 ip route show table all; within $V1 ip addr)
	lacks tapffffffffffff <(within $V1 ip link)
	lacks '^50:' <(within $V1 ip rule)
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

@test "what fails says what and where; the rules are what they were, and all is repaired by the next description" {
	local vgw=vgw-0a0000000000000a9 rules

	start_v1
	rules=$(within $V1 nft list ruleset | grep -v counter)
	{
		describe_v1
		echo "change $V1" && echo "interface $B 10.0.1.6 subnet-9 group=sg-open" && echo commit
		echo "known $V1"
	} >"$NET/bad"
	run host "$NETFW" "$OWNER" "$NET/network" <"$NET/bad"
	[ "$status" = 1 ]
	[[ $output == *"subnet subnet-9, which the VPC has not"*yes ]] || fail "$output"
	[ "$rules" = "$(within $V1 nft list ruleset | grep -v counter)" ]
	# What fails after the rules: the host has a route to where the gateway should lead.
	host ip route add 10.0.0.0/16 dev lo
	{
		describe_v1 | sed "/^internet/a gateway $vgw lo"
		echo "known $V1"
	} >"$NET/bad"
	run host "$NETFW" "$OWNER" "$NET/network" <"$NET/bad"
	[ "$status" = 1 ]
	[[ $output == "InternalError: the host has another route to 10.0.0.0/16 already: "*no ]] || fail "$output"
	describe_v1 | netfw
	reaches a 10.0.1.6
	lacks vgw <(host ip link)
}

# killed_at N: netfw, whose Nth message to the kernel is its last. 1: it got through.
killed_at()
{
	host strace -qq -o /dev/null -e trace=sendto,sendmsg -e inject=sendto,sendmsg:signal=KILL:when="$1" \
		"$NETFW" "$OWNER" "$NET/network" >/dev/null 2>&1 3>&- 4>&- && return 1
	return 0
}

@test "kill -9 at any point: the description, told again, repairs everything" {
	local n=1

	command -v strace >/dev/null || skip "strace is not installed"
	{
		echo "pool 198.51.100.0/24"
		describe_v1
		printf '%s\n' "tap $A" "attach $V1 $A" "remove $V1"
	} >"$NET/life"
	while killed_at $n <"$NET/life"; do
		{
			echo "pool 198.51.100.0/24"
			describe_v1
			printf '%s\n' "tap $A" "attach $V1 $A" "untap $V1 $A" "tap $A" "attach $V1 $A"
		} | netfw
		tells "^10.0.1.5 dev $(tap_of $A) " <(within $V1 ip route show table 1)
		tells '^198.51.100.5 via' <(within "$(EDGE)" ip route)
		lacks tap <(host ip -br link)
		netfw <<<"remove $V1"
		lacks "$V1" <(host ip netns)
		n=$((n + 13))
	done
	[ $n -gt 60 ]
}

@test "kill -9 at any point: no hole is opened, no connection broken" {
	local n answer closed killed=0

	command -v strace >/dev/null || skip "strace is not installed"
	closed="s/^interface $B .*/interface $B 10.0.1.6 subnet-1 group=sg-closed/;/^group/i group sg-closed"
	start_v1
	describe_v1 | sed "$closed" | netfw
	misses a 10.0.1.6
	serve a 7
	coproc TALK { host ip netns exec c "$BATS_TEST_DIRNAME/../lib/talk" call 10.0.1.5 7 3>&- 4>&-; }
	local to=${TALK[1]} from=${TALK[0]}
	within a ping -i 0.002 10.0.1.6 >"$NET/ping" 2>&1 3>&- 4>&- &
	for n in {1..100..3}; do
		describe_v1 | sed "$closed" >"$NET/description"
		# Every second time the gateways go, or come.
		[ $((n % 2)) = 0 ] || sed -i '/^internet/d' "$NET/description"
		! killed_at "$n" <"$NET/description" || killed=$((killed + 1))
		echo "$n" >&"$to"
		read -r -t 5 answer <&"$from"
		[ "$answer" = "10.0.2.7 $n" ]
	done
	[ $killed -gt 10 ]
	within a ping -c 1 -W 1 10.0.2.7 >/dev/null
	lacks 'bytes from' "$NET/ping"
	{ echo "pool 198.51.100.0/24" && describe_v1 | sed "$closed"; } | netfw
	reaches host 198.51.100.5
}

@test "VPCs are changed at once by several threads" {
	local vpc pcx

	run host "${NETFW%/*}/netfw_threads" "$OWNER" "$NET/network" 20
	[ "$status" = 0 ] || fail "$output"
	for vpc in 1 2 3 4; do
		tells "^198.51.100.$vpc via .* dev igw00000000000$vpc " <(within "$(EDGE)" ip route)
		tells "^10.$((vpc - 1)).0.5 dev tap00000000000$vpc " <(within "vpc-0f00000000000000$vpc" ip route show table 1)
		for pcx in $vpc $(((vpc + 2) % 4 + 1)); do
			tells "^10.* via 169.254.0.1 dev pcx00000000000$pcx " <(within "vpc-0f00000000000000$vpc" ip route show table all)
		done
	done
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
