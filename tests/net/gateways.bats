# Ways out of a VPC: the internet gateway, a NAT gateway, peerings. What is behind them are namespaces.
load ../lib/cloud
load ../lib/network

# a has a public address, b has none, c is in another subnet.
VPC=('vpc vpc-1 10.0.0.0/16 internet dns' 'subnet subnet-a 10.0.1.0/24' 'subnet subnet-b 10.0.2.0/24'
	'nat nat-0000000000000b 10.0.1.9 203.0.113.9' 'peering pcx-000000000000c1 vpc-2')
A="interface eni-000000000001 02:00:00:00:00:01 10.0.1.5 subnet-a"
B="interface eni-000000000002 02:00:00:00:00:02 10.0.1.6 subnet-a"
C="interface eni-000000000003 02:00:00:00:00:03 10.0.2.5 subnet-b"
OPEN=('group sg-open' 'in all - 0.0.0.0/0' 'out all - 0.0.0.0/0')
OUT=('group sg-out' 'out all - 0.0.0.0/0')

setup_file()
{
	net_needs
	net_start
	guest a 1 10.0.1.5
	guest b 2 10.0.1.6
	guest c 3 10.0.2.5
	# The internet, 198.51.100.7, and the peer VPC's 10.1.0.5.
	gateway internet igw 198.51.100.7 1 203.0.113.0/25
	gateway internet nat00000000000b 198.51.100.7 2 203.0.113.128/25
	gateway peer pcx0000000000c1 10.1.0.5 3 10.0.0.0/16 198.51.100.0/24
	in_vpc ip route add 198.51.100.0/24 via "$(beyond 1)"
	in_vpc ip route add 203.0.113.0/24 via "$(beyond 1)"
	in_vpc ip route add 10.1.0.0/16 via "$(beyond 3)"
}
teardown_file() { [ -z "${NET-}" ] || net_stop; }
plain() { describe whole "${VPC[@]}" "${OPEN[@]}" "${OUT[@]}" "$@"; }

@test "in and out under the public address, as the group says" {
	plain "$A sg-open public 203.0.113.5" "$B sg-open" "$C sg-out public 203.0.113.7"
	: >"$NET/internet/seen"
	passes a tcp 198.51.100.7 22
	passes a udp 198.51.100.7 53
	pings a 198.51.100.7
	[ "$(sort -u "$NET/internet/seen")" = $'tcp 22 from 203.0.113.5\nudp 53 from 203.0.113.5' ]
	: >"$NET/a/seen"
	passes internet tcp 203.0.113.5 22
	pings internet 203.0.113.5
	grep -qx 'tcp 22 from 198.51.100.7' "$NET/a/seen"
	# c may ask, and is not asked; b has no public address, neither as source nor as target.
	passes c tcp 198.51.100.7 22
	blocked internet tcp 203.0.113.7 22
	blocked b tcp 198.51.100.7 22
	blocked b udp 198.51.100.7 53
	grep -q 'from 10\.' "$NET/internet/seen" && fail "$(<"$NET/internet/seen")"
	# Private addresses are not reached from there.
	ip -n "$RUN-internet" route add 10.0.0.0/16 via 192.0.2.5 src 198.51.100.7
	blocked internet tcp 10.0.1.5 22
	blocked internet udp 10.0.1.6 53
	blocked internet tcp 169.254.169.254 80
	ip -n "$RUN-internet" route del 10.0.0.0/16
}

@test "by public address to a neighbour, and to itself" {
	plain "$A sg-open public 203.0.113.5" "$B sg-open public 203.0.113.6"
	: >"$NET/b/seen"
	passes a tcp 203.0.113.6 22
	grep -qx 'tcp 22 from 203.0.113.5' "$NET/b/seen"
	passes a tcp 203.0.113.5 23
}

@test "when the public address moves, its connections end; none goes on under another's" {
	plain "$A sg-open public 203.0.113.5" "$B sg-open" "$C sg-open"
	hold internet 203.0.113.5 22
	say inward
	: >"$NET/internet/seen"
	describe begin "$A sg-open public 203.0.113.8" "$B sg-open public 203.0.113.5"
	say cut silence
	passes internet tcp 203.0.113.8 22
	: >"$NET/b/seen"
	passes internet tcp 203.0.113.5 22
	grep -q 'tcp 22' "$NET/b/seen"
	hold b 198.51.100.7 22
	say outward
	describe begin "$B sg-open"
	say cut silence
	blocked internet tcp 203.0.113.5 22
}

@test "a NAT gateway: out for TCP, UDP and ping, in for nothing" {
	plain "$A sg-open" "$B sg-open" "$C sg-open"
	ip -n "$RUN-vpc" rule add iif tap000000000003 to 198.51.100.0/24 lookup 77
	ip -n "$RUN-vpc" route add 198.51.100.0/24 via "$(beyond 2)" table 77
	ip -n "$RUN-internet" route add 203.0.113.9/32 via 192.0.2.9 src 198.51.100.7
	: >"$NET/internet/seen"
	passes c tcp 198.51.100.7 22
	passes c udp 198.51.100.7 53
	pings c 198.51.100.7
	blocked c raw 198.51.100.7 47
	[ "$(sort -u "$NET/internet/seen")" = $'tcp 22 from 203.0.113.9\nudp 53 from 203.0.113.9' ]
	blocked internet tcp 203.0.113.9 22
	ip -n "$RUN-internet" route replace 10.0.2.0/24 via 192.0.2.9 src 198.51.100.7
	blocked internet tcp 10.0.2.5 22
	ip -n "$RUN-internet" route del 10.0.2.0/24
	ip -n "$RUN-internet" route del 203.0.113.9/32
	ip -n "$RUN-vpc" rule del iif tap000000000003 to 198.51.100.0/24 lookup 77
	ip -n "$RUN-vpc" route flush table 77
}

@test "a peering: private addresses both ways, as the groups say, and no further" {
	plain "$A sg-open public 203.0.113.5" "$B sg-out" "$C sg-in" 'group sg-in' 'in tcp 22 10.1.0.0/16'
	: >"$NET/peer/seen"
	passes a tcp 10.1.0.5 22
	grep -qx 'tcp 22 from 10.0.1.5' "$NET/peer/seen"
	passes peer tcp 10.0.1.5 22
	passes peer tcp 10.0.2.5 22
	blocked peer tcp 10.0.2.5 23
	blocked peer tcp 10.0.1.6 22
	passes b tcp 10.1.0.5 23
	# Not through to the internet, nor to the services.
	blocked peer tcp 198.51.100.7 22
	ip -n "$RUN-peer" route add 10.0.1.2/32 via 192.0.2.13
	blocked peer udp 10.0.1.2 53
	no_ping peer 10.0.1.1
	# Without the peering, nothing.
	describe begin "${VPC[@]:0:4}"
	blocked a tcp 10.1.0.5 22
	blocked peer tcp 10.0.1.5 22
}
