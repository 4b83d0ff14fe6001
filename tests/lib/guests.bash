# Guests of a cloud whose packets are real: network namespaces named by the instance (compute is sim:network), so that any
# tool can speak for them. After lib/cloud:
#
#	setup() { guests_start; }
#	teardown() { guests_stop; }
#
#	@test "guests meet" {
#		launch a
#		launch b
#		reaches a "$(address b)"
#	}

# guests_start [OPTION…]: a cloud with an image `empty` for them. Skips where that cannot be.
guests_start()
{
	[ "$(id -u)" = 0 ] || skip "network namespaces need root"
	command -v busybox dnsmasq nft >/dev/null || skip "busybox, dnsmasq or nftables is not installed"
	cloud_host
	export CLOUD_COMPUTE=sim:network
	cloud_start -o stop-timeout=2 "$@"
	: | dd of="$CLOUD_HOME/disk" bs=1 seek=1M count=0 status=none
	mkdir images/empty
	cp "$CLOUD_HOME/disk" images/empty/disk
}

guests_stop()
{
	local id

	# What a test has started in its guests.
	for id in $(cat "$CLOUD_HOME/guests" 2>/dev/null); do
		ip netns pids "$id" 2>/dev/null | xargs -r kill -9
	done
	cloud_stop
}

# launch NAME [KEY VALUE…]: a guest that has its address by DHCP. ADDRESS is the one it shall have.
launch()
{
	local name=$1

	shift
	mkdir "instances/$name"
	[ -z "${ADDRESS-}" ] || echo "$ADDRESS" >"instances/$name/private-ip-address"
	{ echo "image empty"; printf '%s %s\n' "$@"; } >"instances/$name/spec"
	echo running >"instances/$name/state"
	echo running 20 >"instances/$name/wait"
	dhcp "$name"
}

id_of()
{
	cat "instances/$1/instance-id"
}

address()
{
	cat "instances/$1/private-ip-address"
}

public()
{
	cat "instances/$1/public-ip-address"
}

# guest NAME COMMAND…: as if typed in the guest.
guest()
{
	local name=$1

	shift
	ip netns exec "$(id_of "$name")" "$@"
}

# What a guest's DHCP client does with what it is told.
dhcp()
{
	cat >"$CLOUD_HOME/udhcpc" <<-'END'
		#!/bin/sh
		[ "$1" = bound ] || exit 0
		ip addr replace "$ip/$mask" dev "$interface"
		for r in $router; do ip route replace default via "$r" dev "$interface"; done
		echo "ip $ip mask $mask router $router dns $dns domain $domain hostname $hostname" >"$0.$(ip netns identify $$)"
	END
	chmod +x "$CLOUD_HOME/udhcpc"
	id_of "$1" >>"$CLOUD_HOME/guests"
	guest "$1" busybox udhcpc -i eth0 -n -q -t 20 -T 1 -A 1 -f -s "$CLOUD_HOME/udhcpc" >/dev/null 2>&1 ||
		fail "$1 gets no address"
}

reaches()
{
	guest "$1" ping -c 1 -W 2 "$2" >/dev/null
}

silent()
{
	! guest "$1" ping -c 1 -W 1 "$2" >/dev/null 2>&1 || fail "$1 reaches $2, and should not"
}

# connects NAME ADDRESS PORT: opens a TCP connection from the guest (host: from the host).
connects()
{
	local from=(guest "$1")

	[ "$1" != host ] || from=(on_host)
	"${from[@]}" timeout 2 bash -c "exec 3<>/dev/tcp/$2/$3" 2>/dev/null
}

refused_to()
{
	! connects "$@" || fail "$1 connects to $2 port $3, and should not"
}

# serve NAME PORT: something listens there until the test ends.
serve()
{
	(id=$(id_of "$1") && cd / && exec ip netns exec "$id" "$BATS_TEST_DIRNAME/../lib/echo-server" "$2") >/dev/null 2>&1 3>&- 4>&- </dev/null &
	soon 5 guest "$1" timeout 1 bash -c "exec 3<>/dev/tcp/127.0.0.1/$2"
}
