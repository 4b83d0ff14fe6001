# A VPC and an office, joined by WireGuard: a machine of the office and an instance reach one another by their private
# addresses. For a kernel that has WireGuard: tests/system/wireguard.bats runs this in the test host.
load ../lib/cloud
load ../lib/guests

TABLE=vpcs/lab/route-tables/main
INGRESS=security-groups/lab-default/ingress

# The host and the office's router meet on a veth, "wan"; pc is a machine of the office.
#
#	box 10.0.1.9 [VPC] host wg0 .. 198.51.100.1 ~ wan ~ 198.51.100.2 .. wg0 office 192.168.7.1 - 192.168.7.2 pc
setup_file()
{
	command -v wg >/dev/null || skip_all "wireguard-tools is not installed"
	[ -z "${SKIP_ALL-}" ] || return 0
	guests_start
	export PC=$CLOUD_NETNS-pc OFFICE=$CLOUD_NETNS-office
	for name in $PC $OFFICE; do
		ip netns add "$name" && ip -n "$name" link set lo up
		echo "$name" >>"${TMPDIR:-/tmp}/.namespaces"
	done
	ip -n "$OFFICE" link add wg0 type wireguard 2>/dev/null || skip_all "this kernel has no WireGuard"
	[ -z "${SKIP_ALL-}" ] || return 0
	on_host ip link add wg0 type wireguard
	ip -n "$OFFICE" link add wan type veth peer name wan netns "$CLOUD_NETNS"
	ip -n "$OFFICE" link add lan type veth peer name eth0 netns "$PC"
	within office sysctl -qw net.ipv4.ip_forward=1
	for end in office host; do
		# The kernel's own words to its neighbours are no concern of this.
		within $end sysctl -qw net.ipv6.conf.wan.disable_ipv6=1
		(umask 077 && wg genkey >"$CLOUD_HOME/$end.key")
	done
	up office lan 192.168.7.1/24
	up pc eth0 192.168.7.2/24
	within pc ip route add default via 192.168.7.1
	up office wan 198.51.100.2/30
	up host wan 198.51.100.1/30
	within office wg set wg0 private-key "$CLOUD_HOME/office.key" listen-port 51820 \
		peer "$(wg pubkey <"$CLOUD_HOME/host.key")" endpoint 198.51.100.1:51820 allowed-ips 10.0.0.0/16,192.168.255.1/32
	within host wg set wg0 private-key "$CLOUD_HOME/host.key" listen-port 51820 \
		peer "$(wg pubkey <"$CLOUD_HOME/office.key")" endpoint 198.51.100.2:51820 allowed-ips 192.168.7.0/24,192.168.255.2/32
	up office wg0 192.168.255.2/30
	up host wg0 192.168.255.1/30
	within office ip route add 10.0.0.0/16 dev wg0
	within host ip route add 192.168.7.0/24 dev wg0
	soon 60 within host ping -c 1 -W 1 192.168.7.2

	mkdir vpcs/lab
	echo 10.0.0.0/16 >vpcs/lab/cidr-block
	mkdir vpcs/lab/subnets/s
	echo 10.0.1.0/24 >vpcs/lab/subnets/s/cidr-block
	mkdir vpcs/lab/vpn/office
	echo wg0 >vpcs/lab/vpn/office/interface
	echo 192.168.7.0/24 >vpcs/lab/vpn/office/routes
	echo true >$TABLE/propagating
	ADDRESS=10.0.1.9 launch box subnet lab/s
	answers box
	answers pc
}

setup() { cloud_enter; }

teardown_file()
{
	local name

	[ -n "${CLOUD-}" ] || return 0
	[ ! -e "$CLOUD_HOME/pids" ] || xargs -r kill -9 <"$CLOUD_HOME/pids" 2>/dev/null || true
	for name in ${PC-} ${OFFICE-}; do
		ip netns del "$name" 2>/dev/null || true
	done
	guests_stop
}

# The namespace of office, pc, host or an instance.
namespace()
{
	case $1 in
	office) echo "$OFFICE" ;;
	pc) echo "$PC" ;;
	host) echo "$CLOUD_NETNS" ;;
	*) id_of "$1" ;;
	esac
}

# within PLACE COMMAND…: as if typed in office, pc, host or an instance.
within()
{
	local place=$1

	shift
	case $place in
	office) ip netns exec "$OFFICE" "$@" ;;
	pc) ip netns exec "$PC" "$@" ;;
	host) on_host "$@" ;;
	*) guest "$place" "$@" ;;
	esac
}

up()
{
	within "$1" ip addr add "$3" dev "$2"
	within "$1" ip link set "$2" up
}

# in_background PLACE OUTPUT COMMAND…: until the tests end.
in_background()
{
	local there output=$2

	there=$(namespace "$1") && shift 2
	(cd / && exec ip netns exec "$there" "$@") >"$output" 2>&1 3>&- 4>&- </dev/null &
	echo $! >>"$CLOUD_HOME/pids"
}

# answers PLACE: on port 80 there, with the address that asks and what is asked.
answers()
{
	in_background "$1" "$CLOUD_HOME/talk.$1" "$BATS_TEST_DIRNAME/../lib/talk" serve 80
	soon 60 says "$1" 127.0.0.1 "127.0.0.1 here" here
}

# says PLACE ADDRESS ANSWER TEXT: from there, to port 80 of that address.
says()
{
	local answer

	answer=$(within "$1" timeout 5 bash -c 'exec 3<>"/dev/tcp/$0/80" && echo "$1" >&3 && head -n 1 <&3' "$2" "$4" 2>&1) || true
	[ "$answer" = "$3" ] || fail "$1 says to $2: ${4:0:60}" "the answer is: ${answer:0:100}"
}

pings() { within "$1" ping -c 1 -W 3 "$2" >/dev/null || fail "$1 gets no answer from $2"; }
no_ping() { ! within "$1" ping -c 1 -W 1 "$2" >/dev/null 2>&1 || fail "$1 reaches $2, and should not"; }
no_port() { ! within "$1" timeout 2 bash -c 'exec 3<>"/dev/tcp/$0/80"' "$2" 2>/dev/null || fail "$1 connects to $2, and should not"; }

@test "the office reaches an instance as its group says; the instance reaches the office" {
	reads available vpcs/lab/vpn/office/state
	tells '^192.168.7.0/24 vpn:office active propagated$' $TABLE/effective-routes
	says box 192.168.7.2 "10.0.1.9 hello" hello
	pings box 192.168.7.2
	no_port pc 10.0.1.9
	no_ping pc 10.0.1.9
	echo 'tcp 80 192.168.7.0/24 # the office' >>$INGRESS
	soon 20 says pc 10.0.1.9 "192.168.7.2 hello" hello
	no_ping pc 10.0.1.9
	echo 'icmp echo-request 192.168.7.2/32 # its pc' >>$INGRESS
	soon 20 pings pc 10.0.1.9
	# More than goes into a packet, which is smaller in the tunnel than on either side of it.
	long=$(printf '%0100000d' 7)
	says pc 10.0.1.9 "192.168.7.2 $long" "$long"
	says box 192.168.7.2 "10.0.1.9 $long" "$long"
	sed -i '/#/d' $INGRESS
	soon 20 no_port pc 10.0.1.9
	no_ping pc 10.0.1.9
	# Behind the tunnel is a network, not the host with it.
	echo 'all - 0.0.0.0/0' >>$INGRESS
	soon 20 pings pc 10.0.1.9
	no_ping box 192.168.255.1
	no_ping box 198.51.100.1
	no_ping box 198.51.100.2
	: >$INGRESS
}

@test "between the two ends everything is encrypted" {
	echo 'all - 192.168.7.0/24' >>$INGRESS
	soon 20 pings pc 10.0.1.9
	before=$(within host wg show wg0 transfer)
	for device in wan wg0; do
		in_background office "$CLOUD_HOME/$device" "$BATS_TEST_DIRNAME/../lib/sniff" $device overheard
		soon 60 grep -q ready "$CLOUD_HOME/$device"
	done
	says pc 10.0.1.9 "192.168.7.2 overheard" overheard
	says box 192.168.7.2 "10.0.1.9 overheard" overheard
	pings box 192.168.7.2
	sleep 2
	# Each was said and answered, in the tunnel.
	[ "$(grep -c '^ipv4 6 text$' "$CLOUD_HOME/wg0")" -ge 4 ] || fail "$(cat "$CLOUD_HOME/wg0")"
	[ "$(grep -c '^ipv4 1$' "$CLOUD_HOME/wg0")" -ge 2 ] || fail "$(cat "$CLOUD_HOME/wg0")"
	[ "$(grep -c '^udp 51820 wireguard$' "$CLOUD_HOME/wan")" -ge 6 ] || fail "$(cat "$CLOUD_HOME/wan")"
	[ "$(sort -u "$CLOUD_HOME/wan" | grep -vx -e ready -e arp)" = "udp 51820 wireguard" ] || fail "$(cat "$CLOUD_HOME/wan")"
	after=$(within host wg show wg0 transfer)
	for column in 2 3; do
		[ "$(cut -f $column <<<"$after")" -gt "$(cut -f $column <<<"$before")" ] || fail "before: $before" "after: $after"
	done
	[ "$(within office wg show wg0 latest-handshakes | cut -f 2)" -gt 0 ]
	: >$INGRESS
}

@test "without a route it is silent, both ways" {
	echo 'all - 192.168.7.0/24' >>$INGRESS
	soon 20 pings pc 10.0.1.9
	pings box 192.168.7.2
	# One that is propagated,
	echo false >$TABLE/propagating
	soon 20 no_ping pc 10.0.1.9
	no_ping box 192.168.7.2
	no_port pc 10.0.1.9
	# one that is written,
	echo '192.168.7.0/24 vpn:office' >>$TABLE/routes
	soon 20 pings pc 10.0.1.9
	says box 192.168.7.2 "10.0.1.9 hello" hello
	sed -i /vpn:office/d $TABLE/routes
	soon 20 no_ping pc 10.0.1.9
	no_ping box 192.168.7.2
	# and one that the gateway has no longer.
	echo true >$TABLE/propagating
	soon 20 pings pc 10.0.1.9
	echo 192.168.8.0/24 >vpcs/lab/vpn/office/routes
	soon 20 no_ping pc 10.0.1.9
	no_ping box 192.168.7.2
	echo 192.168.7.0/24 >vpcs/lab/vpn/office/routes
	soon 20 pings pc 10.0.1.9
	# A daemon's death and its next start change nothing.
	cloud_kill
	says pc 10.0.1.9 "192.168.7.2 alone" alone
	cloud_start -o stop-timeout=2
	says pc 10.0.1.9 "192.168.7.2 again" again
	# Nothing is left of it.
	echo false >$TABLE/propagating
	rmdir vpcs/lab/vpn/office
	soon 20 eval '! on_host ip link | grep -q vgw'
	no_ping pc 10.0.1.9
	lacks vgw <(on_host ip route; on_host nft list tables)
	[ "$(on_host cat /proc/sys/net/ipv4/conf/wg0/forwarding)" = 0 ]
	pings host 192.168.7.2
}
