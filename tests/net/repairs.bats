# Daemons that come, go, are killed, fail and do several things at once: networks stay whole.
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

@test "a new daemon that describes all again breaks no connection and touches no tap" {
	local before after answer

	start_v1
	serve a 7
	coproc TALK { exec nsenter -t "$HOST" -m -n -- ip netns exec c "$BATS_TEST_DIRNAME/../lib/talk" call 10.0.1.5 7 3>&- 4>&-; }
	coproc_in=${TALK[1]} coproc_out=${TALK[0]}
	echo one >&"$coproc_in"
	read -r -t 5 answer <&"$coproc_out"
	[ "$answer" = "10.0.2.7 one" ]
	before=$(within $V1 ip -o link; within $V1 ip rule; within $V1 ip route show table all)
	background $V1 ip monitor link address neigh route rule >"$NET/monitor" 2>&1
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

# rules_of VPC: what is in force, whatever the classes are numbered and the sets are listed in: both are a process's own.
rules_of()
{
	within "$1" nft list ruleset | grep -v counter | sed -E 's/class-[0-9]+/class/g; s/0x[0-9a-f]{8}/mark/g; s/^[\t ]*(elements = \{)?//' |
		sort
}

@test "what fails says what and where; the rules are what they were, and all is repaired by the next description" {
	local vgw=vgw-0a0000000000000a9 rules

	start_v1
	rules=$(rules_of $V1)
	{
		describe_v1
		echo "change $V1" && echo "interface $B 10.0.1.6 subnet-9 group=sg-open" && echo commit
		echo "known $V1"
	} >"$NET/bad"
	run host "$NETFW" "$OWNER" "$NET/network" <"$NET/bad"
	[ "$status" = 1 ]
	[[ $output == *"subnet subnet-9, which the VPC has not"*yes ]] || fail "$output"
	[ "$rules" = "$(rules_of $V1)" ]
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
	# Leaks cannot be looked for in what is traced.
	ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 host strace -qq -o /dev/null -e trace=sendto,sendmsg -e inject=sendto,sendmsg:signal=KILL:when="$1" \
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
		[ $n -lt 5000 ] || break
	done
	[ $n -gt 60 ]
	[ $n -lt 5000 ]
}

@test "kill -9 at any point: no hole is opened, no connection broken" {
	local n answer closed killed=0

	command -v strace >/dev/null || skip "strace is not installed"
	closed="s/^interface $B .*/interface $B 10.0.1.6 subnet-1 group=sg-closed/;/^group/i group sg-closed"
	start_v1
	describe_v1 | sed "$closed" | netfw
	misses a 10.0.1.6
	serve a 7
	coproc TALK { exec nsenter -t "$HOST" -m -n -- ip netns exec c "$BATS_TEST_DIRNAME/../lib/talk" call 10.0.1.5 7 3>&- 4>&-; }
	local to=${TALK[1]} from=${TALK[0]}
	background a ping -i 0.002 10.0.1.6 >"$NET/ping" 2>&1
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
