# A VPC's ruleset in a namespace: what the kernel has, what packets say. Guests are namespaces, their taps veths.
load ../lib/cloud
load ../lib/network

VPC='vpc vpc-1 10.0.0.0/16 internet dns'
SUBNETS=('subnet subnet-a 10.0.1.0/24' 'subnet subnet-b 10.0.2.0/24')
A="interface eni-000000000001 02:00:00:00:00:01 10.0.1.5 subnet-a"
B="interface eni-000000000002 02:00:00:00:00:02 10.0.1.6 subnet-a"
C="interface eni-000000000003 02:00:00:00:00:03 10.0.2.5 subnet-b"
OPEN=('group sg-open' 'in all - 0.0.0.0/0' 'out all - 0.0.0.0/0')

setup_file()
{
	net_needs
	net_start
	guest a 1 10.0.1.5
	guest b 2 10.0.1.6
	guest c 3 10.0.2.5
}
teardown_file() { [ -z "${NET-}" ] || net_stop; }

# plain LINE…: all anew: the VPC, and a as client that may send anything, b and c as LINES say.
plain() { describe whole "$VPC" "${SUBNETS[@]}" 'group sg-a' 'out all - 0.0.0.0/0' "$A sg-a" "$@"; }
listing() { in_vpc "$PYTHON" tests/net/listing.py; }
# Handles too, and the order of all; but not counts, for somebody may still be talking.
# counts ENI PATTERN: a line of its counters matches. (A grep that needs no more must not end `tool` at its work.)
counts() { tool "counters $1" >"$NET/counted" && grep -qE -- "$2" "$NET/counted"; }
raw_listing() { in_vpc nft -j -s list ruleset; }

@test "the kernel has what the golden files say, and nft reads its own listing of it" {
	local name log

	for name in empty web everything logged; do
		log=0
		[ $name != logged ] || log=5
		# Numbers of classes are each daemon's own.
		(echo log $log; echo whole; cat "tests/unit/netfw/$name.txt"; echo commit; echo print) >"$NET/lines"
		unshare -n sh -c '"$1" <"$2" >"$3" && nft list ruleset >"$4" && nft -c -f "$4" && "$5" tests/net/listing.py' - \
			"$TOOL" "$NET/lines" "$NET/print" "$NET/listed" "$PYTHON" >"$NET/applied"
		[ "$(grep -c '^ok' "$NET/print")" = 2 ]
		sed -i '/^ok/d' "$NET/print"
		unshare -n sh -c 'nft -f "$1" && "$2" tests/net/listing.py' - "$NET/print" "$PYTHON" | diff - "$NET/applied"
		unshare -n nft -c -f "$PWD/tests/unit/netfw/$name.nft"
		[ "$(wc -l <"$NET/print")" = "$(wc -l <"tests/unit/netfw/$name.nft")" ]
	done
}

@test "a thousand random changes end as if made at once" {
	$PYTHON tests/net/random_changes.py 1000 >"$NET/changes"
	printf '%s\n' replacements print >>"$NET/changes"
	unshare -n sh -c '"$1" <"$2" && "$3" tests/net/listing.py >"$4"' - "$TOOL" "$NET/changes" "$PYTHON" "$NET/applied" >"$NET/print"
	[ "$(grep -c '^ok' "$NET/print")" = 1002 ]
	# None of them was beyond the kernel, so that all had to be replaced.
	[ "$(sed -n 1001p "$NET/print")" = 1 ]
	sed -i 1001d "$NET/print"
	sed -i '/^ok/d' "$NET/print"
	unshare -n sh -c 'nft -f "$1" && "$2" tests/net/listing.py' - "$NET/print" "$PYTHON" >"$NET/golden"
	diff "$NET/golden" "$NET/applied"
	[ "$(wc -l <"$NET/applied")" -gt 200 ]
}

@test "ports: one, a range, another protocol, another address" {
	plain 'group sg-b' 'in tcp 22 10.0.1.0/24' 'in tcp 50-90 10.0.0.0/16' 'in udp 53 10.0.1.5/32' "$B sg-b" "$C sg-b"
	passes a tcp 10.0.1.6 22
	blocked a tcp 10.0.1.6 23
	passes a tcp 10.0.1.6 53
	passes a tcp 10.0.1.6 80
	blocked a tcp 10.0.1.6 5000
	passes a udp 10.0.1.6 53
	blocked a udp 10.0.1.6 80
	passes a tcp 10.0.2.5 22
	# sg-b may send nothing; what answers is not sending.
	blocked b tcp 10.0.2.5 22
	blocked b udp 10.0.1.5 53
	no_ping a 10.0.1.6
}

@test "overlapping rules: all are asked, wider or narrower" {
	plain 'group sg-b' 'in tcp 5000 10.0.1.5/32' 'in tcp 22-80 10.0.1.0/24' 'in tcp 53 0.0.0.0/0' 'in udp 22-80 10.0.1.0/25' \
		'in udp 5000 10.0.1.0/24' "$B sg-b"
	passes a tcp 10.0.1.6 5000
	passes a tcp 10.0.1.6 23
	passes a tcp 10.0.1.6 53
	passes a udp 10.0.1.6 80
	passes a udp 10.0.1.6 5000
}

@test "ICMP by type, any protocol by number, all protocols" {
	plain 'group sg-b' 'in icmp 8 10.0.1.5/32' 'in 47 - 10.0.0.0/16' "$B sg-b" "$C sg-open" "${OPEN[@]}"
	pings a 10.0.1.6
	passes a raw 10.0.1.6 47
	blocked a raw 10.0.1.6 50
	pings a 10.0.2.5
	passes a raw 10.0.2.5 50
	passes a tcp 10.0.2.5 22
	describe begin 'group sg-b' 'in icmp 8/1 0.0.0.0/0' 'in icmp 3 0.0.0.0/0'
	no_ping a 10.0.1.6
	describe begin 'group sg-b' 'in icmp - 0.0.0.0/0'
	pings a 10.0.1.6
}

@test "groups as peers: another, and itself; membership counts, not the address" {
	plain 'group sg-b' 'in tcp 22 sg-a' 'in tcp 23 sg-b' 'in udp - sg-b' 'in icmp - sg-b' 'in 47 - sg-b' \
		'out all - sg-b' "$B sg-b" "$C sg-b"
	passes a tcp 10.0.1.6 22
	blocked a tcp 10.0.1.6 23
	passes b tcp 10.0.2.5 23
	passes c tcp 10.0.1.6 23
	passes c udp 10.0.1.6 5000
	passes c raw 10.0.1.6 47
	blocked c raw 10.0.1.6 50
	pings c 10.0.1.6
	no_ping a 10.0.1.6
	blocked b tcp 10.0.1.5 22
	# a joins: one change of its interface.
	describe begin "$A sg-a,sg-b"
	passes a tcp 10.0.1.6 23
	pings a 10.0.1.6
	# and leaves
	describe begin "$A sg-a"
	blocked a tcp 10.0.1.6 23
	passes a tcp 10.0.1.6 22
	# b is gone from the group, and with it what it may do.
	describe begin 'drop-interface eni-000000000002'
	blocked c tcp 10.0.1.6 23
}

@test "several groups: what one of them allows is allowed; no group: nothing" {
	plain 'group sg-22' 'in tcp 22 0.0.0.0/0' 'group sg-80' 'in tcp 80 0.0.0.0/0' "$B sg-22,sg-80" "$C sg-22"
	passes a tcp 10.0.1.6 22
	passes a tcp 10.0.1.6 80
	passes a tcp 10.0.2.5 22
	blocked a tcp 10.0.2.5 80
	# A group that nobody described allows nothing, until somebody does.
	describe begin "$C sg-later"
	blocked a tcp 10.0.2.5 22
	describe begin 'group sg-later' 'in tcp 23 sg-a'
	passes a tcp 10.0.2.5 23
	describe begin 'drop-group sg-later'
	blocked a tcp 10.0.2.5 23
}

@test "an established connection outlives its rule, a new one does not begin" {
	plain 'group sg-b' 'in tcp 22 sg-a' "$B sg-b"
	hold a 10.0.1.6 22
	say before
	describe begin 'group sg-b'
	blocked a tcp 10.0.1.6 22
	say after
	# Nor does it end when all is described anew, by another daemon as it were.
	plain 'group sg-b' "$B sg-b"
	say 'still there'
	describe begin 'group sg-b' 'in tcp 22 sg-a'
	passes a tcp 10.0.1.6 22
	say end
}

@test "changes and replacements lose no packet and let none in" {
	local i before

	plain 'group sg-b' 'in udp 53 sg-a' "$B sg-b"
	before=$(grep -c 'udp 80' "$NET/b/seen" || true)
	as a flood 10.0.1.6 80 6 3>&- 4>&- &
	as a stream 10.0.1.6 53 5 >"$NET/lost" 3>&- 4>&- &
	sleep 0.3
	for i in {1..30}; do
		describe begin 'group sg-b' 'in udp 53 sg-a' "in udp $((1000 + i)) 10.0.0.0/16"
		# Somebody meddles: all is put in place anew, in one step.
		in_vpc nft add counter inet ec2fs "stranger$i"
		describe begin "group sg-$i" 'in all - 0.0.0.0/0'
		describe begin "drop-group sg-$i"
	done
	# Other daemons, that know nothing of this one, start and end.
	for i in {1..10}; do
		printf '%s\n' whole "$VPC" "${SUBNETS[@]}" 'group sg-a' 'out all - 0.0.0.0/0' "$A sg-a" "group sg-b$i" 'in udp 53 sg-a' \
			"$B sg-b$i" "$C sg-b$i" commit | in_vpc "$TOOL" | grep -qx ok
	done
	wait %1 %2
	[ "$(<"$NET/lost")" = 0 ] || fail "lost: $(<"$NET/lost")"
	[ "$(grep -c 'udp 80' "$NET/b/seen" || true)" = "$before" ] || fail "came through"
	# It was tried, all the time.
	[ "$(tool 'counters eni-000000000002' | awk '/^dropped in/ { print $3 }')" -gt 1000 ]
}

@test "nobody sends as somebody else, or answers ARP for others" {
	plain 'group sg-b' 'in udp 53 0.0.0.0/0' "$B sg-b" "$C sg-open" "${OPEN[@]}"
	passes a udp 10.0.1.6 53
	: >"$NET/b/seen"
	as a forge 02:00:00:00:00:01 10.0.2.5 10.0.1.6 53
	as a forge 02:00:00:00:00:03 10.0.1.5 10.0.1.6 53
	as a forge 02:00:00:00:00:01 0.0.0.0 10.0.1.6 53
	as a forge 02:00:00:00:00:01 10.0.1.5 10.0.1.6 53
	soon 2 grep -q 'udp 53 from 10.0.1.5' "$NET/b/seen"
	[ "$(wc -l <"$NET/b/seen")" = 1 ] || fail "$(<"$NET/b/seen")"
	in_vpc nft list chain inet ec2fs antispoof | grep -q 'counter packets 3 bytes'
	# ARP: the neighbour table believes the tap's own address only.
	in_vpc ip neigh flush all
	as a arp 02:00:00:00:00:01 10.0.2.5 10.0.1.1
	as a arp 02:00:00:00:00:09 10.0.1.5 10.0.1.1
	as a arp 02:00:00:00:00:01 0.0.0.0 10.0.1.5
	in_vpc nft list chain arp ec2fs input | grep -q 'counter packets 2 bytes'
	[ -z "$(in_vpc ip neigh show dev tap000000000001 | grep -v 10.0.1.5)" ] || fail "$(in_vpc ip neigh)"
	# IPv6 is not spoken.
	in_guest a ping -6 -q -c 1 -W 0.3 ff02::1%eth0 >/dev/null || true
	in_vpc nft list chain inet ec2fs antispoof | grep 'ipv6' | grep -vq 'packets 0'
}

@test "a forwarder sends for others and gets what is for others; its own address only for the metadata" {
	plain "$B sg-open" "$C sg-open forwarder" "${OPEN[@]}"
	: >"$NET/b/seen"
	in_guest c ping -q -c 1 -W 1 10.0.2.1 >/dev/null
	as c forge 02:00:00:00:00:03 192.0.2.9 10.0.1.6 53
	soon 2 grep -q 'udp 53 from 192.0.2.9' "$NET/b/seen"
	in_vpc ip addr add 10.0.1.2/32 dev lo
	as c forge 02:00:00:00:00:03 10.0.1.6 10.0.1.2 53
	soon 2 counts eni-000000000003 '^dropped out 1 '
	in_vpc ip addr del 10.0.1.2/32 dev lo
	# To it: packets for an address that is not its own.
	in_guest c ip addr add 192.0.2.77/32 dev lo
	in_vpc ip route add 192.0.2.77/32 via 10.0.2.5 dev tap000000000003 onlink
	passes b tcp 192.0.2.77 53
	describe begin "$C sg-open"
	blocked b tcp 192.0.2.77 53
	in_vpc ip route del 192.0.2.77/32
	in_guest c ip addr del 192.0.2.77/32 dev lo
}

@test "the VPC's own services, and nothing else of the host" {
	local server

	plain "$B sg-none"
	in_vpc ip addr add 10.0.1.2/32 dev lo
	mkdir -p "$NET/services"
	rm -f "$NET/services/ready"
	in_vpc "$PYTHON" tests/net/peer.py serve "$NET/services" 22 53 80 3>&- 4>&- &
	server=$!
	soon 5 [ -e "$NET/services/ready" ]
	# Groups do not matter to them.
	passes b tcp 169.254.169.254 80
	passes b udp 10.0.1.2 53
	passes b tcp 10.0.1.2 53
	blocked b tcp 169.254.169.254 22
	blocked b tcp 10.0.1.2 80
	blocked b udp 10.0.1.1 53
	blocked b tcp 10.0.1.1 22
	pings b 10.0.1.1
	no_ping b 10.0.1.2
	grep -qx 'tcp 80 from 10.0.1.6' "$NET/services/seen"
	ip netns pids "$RUN-vpc" | while read -r pid; do
		! grep -qa "$NET/services" "/proc/$pid/cmdline" || kill "$pid"
	done
	wait "$server" || true
	in_vpc ip addr del 10.0.1.2/32 dev lo
}

@test "network ACLs: stateless, between subnets, by number" {
	local vpc=("$VPC" 'subnet subnet-a 10.0.1.0/24' 'subnet subnet-b 10.0.2.0/24 acl acl-b' 'acl acl-b'
		'entry in 90 deny tcp 23 10.0.1.5/32' 'entry in 100 allow tcp 22-80 10.0.1.0/24' 'entry in 110 allow icmp 8 0.0.0.0/0'
		'entry out 100 allow tcp 1024-65535 10.0.1.0/24')

	describe whole "${vpc[@]}" "$A sg-open" "$B sg-open" "$C sg-open" "${OPEN[@]}"
	passes a tcp 10.0.2.5 22
	blocked a tcp 10.0.2.5 23
	passes b tcp 10.0.2.5 23
	blocked a tcp 10.0.2.5 5000
	blocked a udp 10.0.2.5 53
	blocked c tcp 10.0.1.5 22
	# The request passes, the answer does not: no state.
	no_ping a 10.0.2.5
	describe begin "${vpc[@]}" 'entry out 110 allow icmp 0 0.0.0.0/0'
	pings a 10.0.2.5
	# An established connection is cut, too.
	hold a 10.0.2.5 22
	say before
	describe begin "${vpc[@]}" 'entry in 80 deny tcp 22 0.0.0.0/0'
	say cut silence
	# The other subnet's guests among themselves are not concerned; then nothing is restricted.
	passes a tcp 10.0.1.6 5000
	describe begin "$VPC" "${SUBNETS[@]}"
	passes a tcp 10.0.2.5 5000
	passes c tcp 10.0.1.5 22
	# Inside the subnet of the ACL it says nothing.
	describe begin "$VPC" 'subnet subnet-a 10.0.1.0/24 acl acl-none' "${SUBNETS[1]}"
	passes a tcp 10.0.1.6 22
	blocked a tcp 10.0.2.5 22
	counts eni-000000000001 '^dropped out [1-9]'
}

@test "counters of an interface" {
	plain 'group sg-b' 'in tcp 22 sg-a' "$B sg-b"
	passes a tcp 10.0.1.6 22
	blocked a udp 10.0.1.6 53
	blocked b udp 10.0.1.5 53
	tool 'counters eni-000000000002' >"$NET/counters"
	grep -qE '^accepted in [3-9] [0-9]{3}$' "$NET/counters"
	grep -qE '^accepted out [2-9] [0-9]{3}$' "$NET/counters"
	grep -qx 'dropped in 1 33' "$NET/counters"
	grep -qx 'dropped out 1 33' "$NET/counters"
	tool 'counters eni-00000000000f' >"$NET/counters" && fail "it has counters"
	grep -q 'has no rules' "$NET/counters"
}

@test "a refused change leaves the kernel byte for byte as it was, and the memory" {
	plain "$B sg-open public 203.0.113.6" "$C sg-open" "${OPEN[@]}"
	raw_listing >"$NET/before"
	# A public address can be one interface's only: the kernel says so in the middle of the batch.
	tool begin 'group sg-new' 'in tcp 1 0.0.0.0/0' "$C sg-new public 203.0.113.6" 'drop-group sg-open' commit >"$NET/answer" && fail "accepted"
	grep -q 'refused an element of set private-addresses: File exists' "$NET/answer" || fail "$(<"$NET/answer")"
	raw_listing | cmp "$NET/before" -
	# An interface in a subnet that there is not.
	tool begin "interface eni-000000000009 02:00:00:00:00:09 10.0.9.9 subnet-z sg-open" commit && fail "accepted"
	raw_listing | cmp "$NET/before" -
	tool begin 'group sg-x' 'drop-interface eni-000000000002' abort print >/dev/null
	raw_listing | cmp "$NET/before" -
	passes a tcp 10.0.2.5 22
	# The next change finds memory and kernel of one mind.
	describe begin "$C sg-open public 203.0.113.7"
	listing >"$NET/applied"
	tool print >"$NET/print"
	unshare -n sh -c 'nft -f "$1" && "$2" tests/net/listing.py' - "$NET/print" "$PYTHON" | diff - "$NET/applied"
}

@test "what somebody else did to the tables is put right with the next change" {
	local damage

	plain "$B sg-open" "$C sg-open" "${OPEN[@]}"
	for damage in 'delete table inet ec2fs' 'flush ruleset' 'flush chain inet ec2fs egress' \
		'delete element inet ec2fs sources { "tap000000000001" . 02:00:00:00:00:01 . 10.0.1.5 }' \
		'add rule inet ec2fs ingress accept' 'delete table arp ec2fs'; do
		listing >"$NET/before"
		in_vpc nft "$damage"
		describe begin 'group sg-more' 'in tcp 1 0.0.0.0/0'
		describe begin 'drop-group sg-more'
		listing | diff "$NET/before" -
	done
	passes a tcp 10.0.2.5 22
	# Tables that are not ours are nobody's business.
	in_vpc nft add table inet other
	describe begin 'group sg-more' 'in tcp 1 0.0.0.0/0'
	in_vpc nft list table inet other >/dev/null
	in_vpc nft delete table inet other
}
