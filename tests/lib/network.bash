# Helpers for tests with packets: a VPC's namespace with guests, in which netfw_tool keeps the ruleset.
#
#	net_start                  the namespace of the VPC, and the tool in it
#	guest a 1 10.0.1.5         a guest: namespace, tap "tap000000000001", a server on $PORTS
#	describe 'begin' 'group sg-1' 'in tcp 22 0.0.0.0/0'     commits; the answer must be ok
#	as a tcp 10.0.1.6 22       as guest a; passes ARGUMENTS…, blocked ARGUMENTS…: with and without success
#	net_stop                   ends all of it
#
# Everything has a name of this run's own; nothing sends outside of these namespaces.

PORTS=${PORTS:-22 23 53 80 5000}
# Debian's: a wrapper of somebody's would take longer to start than a packet to be refused.
PYTHON=/usr/bin/python3

net_needs()
{
	[ "$(id -u)" = 0 ] || skip "only root makes network namespaces"
	command -v nft >/dev/null || skip "there is no nft"
	unshare -n nft list ruleset 2>/dev/null || skip "no nftables in network namespaces here"
}

net_start()
{
	NET=${BATS_FILE_TMPDIR:?}
	RUN=ec2fs-test-$$
	export NET RUN
	TOOL=$PWD/build/tests/net/netfw_tool
	[ -z "${BUILD-}" ] || TOOL=$BUILD/tests/net/netfw_tool
	export TOOL
	[ -x "$TOOL" ] || make -s "$TOOL"
	ip netns add "$RUN-vpc"
	in_vpc ip link set lo up
	in_vpc sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
		net.ipv6.conf.default.disable_ipv6=0
	in_vpc ip addr add 169.254.169.254/32 dev lo
	mkfifo "$NET/tool" "$NET/answers"
	# shellcheck disable=SC2094 # both ends stay open
	in_vpc "$TOOL" <>"$NET/tool" 1<>"$NET/answers" 2>"$NET/tool.log" 3>&- 4>&- &
	echo $! >>"$NET/pids"
}

net_stop()
{
	local pid name

	while read -r pid; do kill "$pid" 2>/dev/null; done <"$NET/pids"
	wait
	for name in $(ip netns list | awk -v run="$RUN-" 'index($1, run) == 1 { print $1 }'); do
		ip netns pids "$name" | xargs -r kill -9 2>/dev/null
		ip netns del "$name"
	done
}

in_vpc() { ip netns exec "$RUN-vpc" "$@"; }
in_guest() { local name=$1; shift; ip netns exec "$RUN-$name" "$@"; }
mac_of() { printf '02:00:00:00:00:%02x' "$1"; }

# serve NAME: its server.
serve()
{
	local tries=0

	mkdir -p "$NET/$1"
	: >"$NET/$1/seen"
	# shellcheck disable=SC2086 # ports are words
	in_guest "$1" "$PYTHON" tests/net/peer.py serve "$NET/$1" $PORTS >"$NET/$1/log" 2>&1 </dev/null 3>&- 4>&- &
	echo $! >>"$NET/pids"
	until [ -e "$NET/$1/ready" ]; do
		[ $((tries += 1)) -lt 200 ] || fail "no server in $1: $(cat "$NET/$1/log")"
		sleep 0.02
	done
}

# guest NAME NUMBER ADDRESS: its router is the first address of its /24; routed as link.c does.
guest()
{
	local name=$1 tap router=${3%.*}.1

	tap=$(printf 'tap%012x' "$2")
	ip netns add "$RUN-$name"
	ip -n "$RUN-vpc" link add "$tap" type veth peer name eth0 netns "$RUN-$name"
	ip -n "$RUN-$name" link set eth0 address "$(mac_of "$2")"
	ip -n "$RUN-$name" link set lo up
	ip -n "$RUN-$name" addr add "$3/24" dev eth0
	ip -n "$RUN-$name" link set eth0 up
	ip -n "$RUN-$name" route add default via "$router"
	ip -n "$RUN-vpc" addr add "$router/24" dev "$tap" noprefixroute
	ip -n "$RUN-vpc" link set "$tap" up
	ip -n "$RUN-vpc" route add "$3/32" dev "$tap"
	in_vpc sysctl -qw "net.ipv4.conf.$tap.proxy_arp=1" "net.ipv4.neigh.$tap.proxy_delay=0"
	serve "$name"
}

# gateway NAME DEVICE ADDRESS NUMBER ROUTE…: a namespace behind a link of the VPC's, which has ADDRESS, and routes
# ROUTEs back. In the VPC, $(beyond NUMBER) is the next hop.
beyond() { echo "192.0.2.$((4 * $1 + 2))"; }
gateway()
{
	local name=$1 device=$2 address=$3 number=$4 route
	shift 4

	[ -e "/run/netns/$RUN-$name" ] || { ip netns add "$RUN-$name"; ip -n "$RUN-$name" link set lo up; }
	ip -n "$RUN-vpc" link add "$device" type veth peer name "$device" netns "$RUN-$name"
	ip -n "$RUN-$name" addr replace "$address/32" dev lo
	ip -n "$RUN-vpc" addr add "192.0.2.$((4 * number + 1))/30" dev "$device"
	ip -n "$RUN-$name" addr add "$(beyond "$number")/30" dev "$device"
	ip -n "$RUN-vpc" link set "$device" up
	ip -n "$RUN-$name" link set "$device" up
	for route in "$@"; do
		ip -n "$RUN-$name" route add "$route" via "192.0.2.$((4 * number + 1))" src "$address"
	done
	in_guest "$name" sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.ip_forward=1
	[ -e "$NET/$name/ready" ] || serve "$name"
}

# tool LINE…: to the tool; prints what it answers, until "ok" or "refused". All is read before any is printed: who
# reads that may stop early, and the next answer must not be the rest of this one.
tool()
{
	local line text=

	printf '%s\n' "$@" >"$NET/tool"
	while IFS= read -r -t 20 line <>"$NET/answers"; do
		case $line in
		ok) printf '%s' "$text"; return 0 ;;
		refused:*) printf '%s\n' "$text$line"; return 1 ;;
		*) text+=$line$'\n' ;;
		esac
	done
	fail "the tool says nothing: $(cat "$NET/tool.log")"
}

describe()
{
	tool "$@" commit || fail "refused" "$@"
}

as() { local name=$1; shift; in_guest "$name" "$PYTHON" tests/net/peer.py "$@"; }
passes() { as "$@" 2>&1 || fail "did not get through: $*"; }
blocked() { ! as "$@" 2>/dev/null || fail "got through: $*"; }
pings() { in_guest "$1" ping -q -c 1 -W 1 "$2" >/dev/null || fail "no answer: $*"; }
no_ping() { ! in_guest "$1" ping -q -c 1 -W 0.4 "$2" >/dev/null || fail "answers: $*"; }

# hold NAME ADDRESS PORT: a connection that is kept; say TEXT prints what comes back on it.
hold()
{
	rm -f "$NET/hold" "$NET/heard"
	mkfifo "$NET/hold" "$NET/heard"
	as "$1" hold "$2" "$3" <>"$NET/hold" 1<>"$NET/heard" 2>/dev/null 3>&- 4>&- &
	echo $! >>"$NET/pids"
	heard connected
}
heard()
{
	local line

	IFS= read -r -t 5 line <>"$NET/heard" || true
	[ "$line" = "$1" ] || fail "heard: $line"
}
say()
{
	echo "$1" >"$NET/hold"
	heard "${2:-$1}"
}
