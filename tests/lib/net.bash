# Helpers for tests of networks. Everything is in namespaces of the test's own: "host" stands for the machine that
# runs the daemon, with a directory of named namespaces (/run/netns) that no one else sees; guests are namespaces
# whose eth0 is the other end of what netfw takes for a tap. Nothing can leave: the host has no link to outside.
#
#	load ../lib/cloud
#	load ../lib/net
#	setup() { net_start; }
#	teardown() { net_stop; }
#
#	@test "guests meet" {
#		netfw <<-END
#			change $VPC whole
#			…
#			commit
#		END
#		guest a $ENI_A 10.0.1.5/24
#		netfw_all ok
#	}

# net_start: makes the host. Skips where that cannot be.
net_start()
{
	local tries=0

	[ "$(id -u)" = 0 ] || skip "network namespaces need root"
	NET=${BATS_TEST_TMPDIR:-$BATS_FILE_TMPDIR}/net
	NETFW=${BUILD:-${EC2FS%/*}}/tests/net/netfw_ctl
	OWNER=$(cat /proc/sys/kernel/random/uuid)
	mkdir -p "$NET"
	unshare --mount --net --propagation private sleep infinity 3>&- 4>&- </dev/null &
	HOST=$!
	until [ "$(readlink /proc/$HOST/ns/net)" != "$(readlink /proc/self/ns/net)" ] && [ "$(cat /proc/$HOST/comm)" = sleep ]; do
		[ $((tries += 1)) -lt 200 ] && kill -0 $HOST 2>/dev/null || skip "namespaces cannot be made here"
		sleep 0.01
	done
	export NET NETFW OWNER HOST
	host mount -t tmpfs -o mode=755 tmpfs /run
	host ip link set lo up
}

net_stop()
{
	local file pid

	[ -n "${HOST-}" ] || return 0
	# dnsmasq outlives who started it.
	for file in "$NET"/network/*/pid; do
		pid=$(cat "$file" 2>/dev/null) || continue
		[ "$(readlink "/proc/$pid/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ] || continue
		kill "$pid" 2>/dev/null || true
	done
	# What the test started, the host among it.
	jobs -p | xargs -r kill 2>/dev/null || true
	wait 2>/dev/null || true
	HOST=
}

# host COMMAND…: runs it there.
host()
{
	nsenter -t "$HOST" -m -n -- "$@"
}

# within NAMESPACE COMMAND…: in a guest, a VPC or another named namespace.
within()
{
	local namespace=$1

	shift
	nsenter -t "$HOST" -m -n -- ip netns exec "$namespace" "$@"
}

# netfw: the commands on standard input, by a process of its own; all of them must succeed.
netfw()
{
	local out

	out=$(host "$NETFW" "$OWNER" "$NET/network") || fail "netfw:" "$out"
	[ -z "${NETFW_PRINTS-}" ] || echo "$out"
}

# tap_of ENI
tap_of()
{
	echo "tap${1: -12}"
}

# guest NAME ENI ADDRESS/PREFIX: a namespace that has the interface; its tap waits on the host for `attach`.
guest()
{
	local name=$1 tap address=${3%/*} mac

	tap=$(tap_of "$2")
	mac=$(printf '02:00:%02x:%02x:%02x:%02x' ${address//./ })
	host ip netns add "$name"
	host ip link add "$tap" type veth peer name eth0 address "$mac" netns "$name"
	within "$name" sysctl -qw net.ipv6.conf.all.disable_ipv6=1
	within "$name" ip link set lo up
	within "$name" ip addr add "$3" dev eth0
	within "$name" ip link set eth0 up
	within "$name" ip route add default via "$(router_of "$3")"
}

# The router's address: the first of the subnet.
router_of()
{
	python3 -c 'import ipaddress, sys; print(ipaddress.ip_interface(sys.argv[1]).network[1])' "$1"
}

# reaches FROM ADDRESS: a ping is answered, on a busy machine the second one. FROM is a namespace, or host.
reaches()
{
	local from=$1

	shift
	in_namespace "$from" ping -q -c 1 -W 2 "$@" >/dev/null || in_namespace "$from" ping -q -c 1 -W 8 "$@" >/dev/null || fail "$from does not reach $*"
}

misses()
{
	local from=$1 out

	shift
	if out=$(in_namespace "$from" ping -q -c 1 -W 0.3 "$@" 2>&1); then
		fail "$from reaches $*" "$out"
	fi
}

# serve FROM PORT: a service there that answers each line with the address it sees and the line.
serve()
{
	local where=$1 port=$2 tries=0

	background "$where" "$BATS_TEST_DIRNAME/../lib/talk" serve "$port"
	until in_namespace "$where" ss -Hltn "sport = :$port" | grep -q .; do
		[ $((tries += 1)) -lt 200 ] || fail "nothing serves port $port in $where" || return 1
		sleep 0.02
	done
}

# background NAMESPACE|host COMMAND…: net_stop ends it.
background()
{
	local where=$1

	shift
	[ "$where" = host ] || set -- ip netns exec "$where" "$@"
	nsenter -t "$HOST" -m -n -- "$@" 3>&- 4>&- &
}

# in_namespace NAMESPACE|host COMMAND…
in_namespace()
{
	if [ "$1" = host ]; then
		shift
		host "$@"
	else
		within "$@"
	fi
}

# asks FROM ADDRESS PORT: what the service there answers; fails when there is no way.
asks()
{
	echo hello | in_namespace "$1" timeout 5 bash -c 'exec 9<>/dev/tcp/$0/$1 && cat >&9 && read -r -t 3 line <&9 && echo "$line"' "$2" "$3" 2>/dev/null
}

# sees FROM ADDRESS PORT SOURCE: the service there answers, and sees who asks as SOURCE.
sees()
{
	local answer

	answer=$(asks "$1" "$2" "$3") || { fail "$1 gets no answer of $2 port $3"; return 1; }
	[ "$answer" = "$4 hello" ] || fail "$2 port $3 answers $1: $answer" "wanted: $4 hello"
}

# denied FROM ADDRESS PORT: it does not answer in time.
denied()
{
	local answer

	if answer=$(in_namespace "$1" timeout 0.5 bash -c 'exec 9<>/dev/tcp/$0/$1' "$2" "$3" 2>&1); then
		fail "$1 gets through to $2 port $3"
	fi
	true
}
