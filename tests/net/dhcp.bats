#!/usr/bin/env bats
# DHCP and DNS of a VPC, by a real dnsmasq in a namespace of the test's own. A guest is another namespace, behind a
# veth that is named as a tap, with busybox's udhcpc in it.
load ../lib/cloud

setup()
{
	[ "$(id -u)" = 0 ] || skip "network namespaces need root"
	command -v dnsmasq busybox dig ip >/dev/null || skip "dnsmasq, busybox-static, dnsutils or iproute2 is missing"
	ip netns add "ec2t-$$" 2>/dev/null || skip "network namespaces cannot be made here"
	ip netns delete "ec2t-$$"
	cd "$BATS_TEST_TMPDIR"
	chmod a+x . .. ../.. 2>/dev/null || true # dnsmasq is another user
	vpc_add vpc
}

teardown()
{
	local name

	for name in $(ip netns list | awk -v p="ec2t-$$-" 'index($1, p) == 1 {print $1}'); do
		ip netns pids "$name" | xargs -r kill -9
		ip netns delete "$name"
	done
}

# vpc_add NAME: a namespace as netfw makes it, with the DNS servers' addresses.
vpc_add()
{
	local ns=ec2t-$$-$1 address

	ip netns add "$ns"
	ip -n "$ns" link set lo up
	for address in 10.0.1.2 10.0.2.2 10.0.4.2 169.254.169.253; do ip -n "$ns" addr add $address/32 dev lo; done
	ip netns exec "$ns" sysctl -qw net.ipv4.ip_forward=1
}

# guest_add NAME VPC ROUTER/PREFIX ADDRESS MAC: a guest that has no address yet.
guest_add()
{
	local ns=ec2t-$$-$2 guest=ec2t-$$-$1

	ip netns add "$guest"
	ip link add "tap$1" netns "$ns" type veth peer name eth0 netns "$guest"
	ip netns exec "$ns" sysctl -qw "net.ipv4.conf.tap$1.proxy_arp=1"
	ip -n "$ns" addr add "$3" dev "tap$1" noprefixroute
	ip -n "$ns" link set "tap$1" up
	ip -n "$ns" route add "$4/32" dev "tap$1"
	ip -n "$guest" link set lo up
	ip -n "$guest" link set eth0 address "$5" up
	cat >"$1.script" <<-EOF
		#!/bin/sh
		case \$1 in bound | renew) ;; *) exit 0 ;; esac
		for n in ip mask router dns domain hostname mtu ntpsrv lease; do eval "echo \$n \\\$\$n"; done >$PWD/$1.new
		ip addr replace \$ip/\$mask dev eth0
		ip route replace default via \$router
		mv $PWD/$1.new $PWD/$1.\$1
	EOF
	chmod +x "$1.script"
}

in_guest() { local guest=$1; shift; ip netns exec "ec2t-$$-$guest" "$@"; }
# The daemon's part, in a process of its own each time: dhcp host MAC ADDRESS NAME.
dhcp() { dhcp_of vpc "$@"; }
dhcp_of() { local vpc=$1; shift; "${EC2FS%/*}/tests/net/dhcp_tool" "/run/netns/ec2t-$$-$vpc" "$PWD/$vpc" "$@" 3>&- 4>&-; }
# boots GUEST [OPTION…]: it asks for an address, five times.
boots() { local guest=$1; shift; in_guest "$guest" busybox udhcpc -i eth0 -nqf -t 5 -T 1 -O mtu -O ntpsrv -s "$PWD/$guest.script" "$@" 3>&- 4>&-; }
# resolves GUEST NAME SERVER: the addresses, or dig's status when there are none.
resolves()
{
	in_guest "$1" dig +time=2 +tries=1 +noall +comments +answer "@${3:-10.0.1.2}" $2 |
		awk '/status:/ {sub(/,/, "", $6); s = $6} $4 == "A" || $4 == "PTR" {print $5; n++} END {if (!n) print s}'
}
# ended PID: it runs no more, whether somebody has reaped it or not.
ended() { case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) in '' | Z* | X*) ;; *) false ;; esac; }
dnsmasq_pid() { cat vpc/pid; }

@test "a guest gets its address, its router, its name and what else EC2 tells" {
	guest_add web vpc 10.0.1.1/24 10.0.1.5 02:00:0a:00:01:05
	dhcp host 02:00:0a:00:01:05 10.0.1.5 ip-10-0-1-5
	boots web
	diff - web.bound <<-EOF
		ip 10.0.1.5
		mask 24
		router 10.0.1.1
		dns 10.0.1.2
		domain ec2.internal
		hostname ip-10-0-1-5
		mtu 1500
		ntpsrv
		lease 3600
	EOF
	in_guest web ping -qc 1 -W 2 10.0.1.1
}

@test "a host that comes later is served without a restart, in every subnet" {
	dhcp start
	pid=$(dnsmasq_pid)
	guest_add small vpc 10.0.2.1/28 10.0.2.14 02:00:0a:00:02:0e
	dhcp host 02:00:0a:00:02:0e 10.0.2.14 ip-10-0-2-14
	boots small
	tells '^ip 10.0.2.14$' small.bound
	tells '^mask 28$' small.bound
	tells '^router 10.0.2.1$' small.bound
	tells '^dns 10.0.2.2$' small.bound
	[ "$(dnsmasq_pid)" = "$pid" ]
}

@test "nobody else gets an address" {
	guest_add other vpc 10.0.1.1/24 10.0.1.6 02:00:0a:00:01:06
	dhcp host 02:00:0a:00:01:05 10.0.1.5 ip-10-0-1-5
	run boots other
	[ "$status" != 0 ]
	[ ! -e other.bound ]
}

@test "private names resolve, to and fro; all else is refused at once" {
	guest_add web vpc 10.0.1.1/24 10.0.1.5 02:00:0a:00:01:05
	dhcp host 02:00:0a:00:01:05 10.0.1.5 ip-10-0-1-5
	boots web
	for server in 10.0.1.2 169.254.169.253; do
		[ "$(resolves web ip-10-0-1-5.ec2.internal $server)" = 10.0.1.5 ]
		[ "$(resolves web ip-10-0-200-9.ec2.internal $server)" = 10.0.200.9 ] # runs or not, as at EC2
		[ "$(resolves web ip-10-1-0-9.ec2.internal $server)" = 10.1.0.9 ]
		[ "$(resolves web '-x 10.0.1.5' $server)" = ip-10-0-1-5.ec2.internal. ]
		[ "$(resolves web ip-10-2-0-9.ec2.internal $server)" = NXDOMAIN ] # not of this VPC
		[ "$(resolves web '-x 10.2.0.9' $server)" = NXDOMAIN ]
		[ "$(resolves web db.ec2.internal $server)" = NXDOMAIN ]
		[ "$(resolves web example.com $server)" = REFUSED ]
		[ "$(resolves web instance-data.ec2.internal $server)" = 169.254.169.254 ]
	done
	[ "$(in_guest web dig +tcp +short @10.0.1.2 ip-10-0-1-5.ec2.internal)" = 10.0.1.5 ]
}

@test "a guest cannot choose the name by which others find it" {
	guest_add web vpc 10.0.1.1/24 10.0.1.5 02:00:0a:00:01:05
	dhcp host 02:00:0a:00:01:05 10.0.1.5 ip-10-0-1-5
	boots web -x hostname:db -F db
	tells '^hostname ip-10-0-1-5$' web.bound
	[ "$(resolves web db.ec2.internal)" = NXDOMAIN ]
	[ "$(resolves web '-x 10.0.1.5')" = ip-10-0-1-5.ec2.internal. ]
}

@test "DHCP options of the VPC: what is the same keeps dnsmasq, what is not restarts it" {
	guest_add web vpc 10.0.1.1/24 10.0.1.5 02:00:0a:00:01:05
	dhcp host 02:00:0a:00:01:05 10.0.1.5 ip-10-0-1-5
	pid=$(dnsmasq_pid)
	dhcp start
	[ "$(dnsmasq_pid)" = "$pid" ]
	DOMAIN=corp.example NAME_SERVER=10.0.1.9 NTP_SERVER=169.254.169.123 dhcp start
	[ "$(dnsmasq_pid)" != "$pid" ]
	ended "$pid"
	boots web
	tells '^domain corp.example$' web.bound
	tells '^dns 10.0.1.9$' web.bound
	tells '^ntpsrv 169.254.169.123$' web.bound
	[ "$(resolves web ip-10-0-1-5.corp.example)" = 10.0.1.5 ]
	for bad in a,b $'a\nb'; do
		DOMAIN=$bad run dhcp start
		[ "$status" != 0 ]
		[[ $output = *"is not a domain name"* ]]
	done
	[ "$(resolves web ip-10-0-1-5.corp.example)" = 10.0.1.5 ]
}

@test "without DNS nothing answers, and no server is told" {
	guest_add web vpc 10.0.1.1/24 10.0.1.5 02:00:0a:00:01:05
	DNS=no dhcp host 02:00:0a:00:01:05 10.0.1.5 ip-10-0-1-5
	boots web
	tells '^dns$' web.bound
	run in_guest web dig +time=2 +tries=1 @10.0.1.2 ip-10-0-1-5.ec2.internal
	[ "$status" != 0 ]
	[[ $output = *refused* ]]
}

@test "a lease is renewed while the daemon is away, and after dnsmasq was killed" {
	guest_add web vpc 10.0.1.1/24 10.0.1.5 02:00:0a:00:01:05
	dhcp host 02:00:0a:00:01:05 10.0.1.5 ip-10-0-1-5
	ip netns exec "ec2t-$$-web" busybox udhcpc -i eth0 -f -t 5 -T 1 -s "$PWD/web.script" 3>&- 4>&- &
	client=$!
	soon 10 test -e web.bound
	kill -USR1 $client # renew
	soon 10 test -e web.renew
	rm web.renew
	pid=$(dnsmasq_pid)
	kill -9 "$pid"
	soon 5 ended "$pid"
	dhcp start
	[ "$(dnsmasq_pid)" != "$pid" ]
	kill -USR1 $client
	soon 10 test -e web.renew
	tells '^ip 10.0.1.5$' web.renew
	kill $client
}

@test "a dnsmasq that dies is started again while nobody calls" {
	mkfifo stdin
	dhcp hold <stdin &
	exec 9>stdin
	soon 10 test -s vpc/pid
	pid=$(dnsmasq_pid)
	kill -9 "$pid"
	comes_back() { [ -s vpc/pid ] && [ "$(dnsmasq_pid)" != "$pid" ] && kill -0 "$(dnsmasq_pid)"; }
	soon 10 comes_back
	# Let go of, it stays dead when it dies.
	exec 9>&-
	wait
	pid=$(dnsmasq_pid)
	kill -9 "$pid"
	soon 5 ended "$pid"
	sleep 1.5
	[ "$(dnsmasq_pid)" = "$pid" ]
}

@test "an address goes on to another machine, a machine to another address" {
	guest_add web vpc 10.0.1.1/24 10.0.1.5 02:00:0a:00:01:05
	dhcp host 02:00:0a:00:01:05 10.0.1.5 ip-10-0-1-5
	boots web
	dhcp drop 02:00:0a:00:01:05 10.0.1.5
	dhcp drop 02:00:0a:00:01:05 10.0.1.5
	[ -z "$(ls vpc/hosts)" ]
	dhcp host 02:00:0a:00:01:77 10.0.1.5 ip-10-0-1-5
	rm web.bound
	ip -n "ec2t-$$-web" addr flush dev eth0
	ip -n "ec2t-$$-web" link set eth0 down address 02:00:0a:00:01:77 up
	boots web
	tells '^ip 10.0.1.5$' web.bound
	# The first machine's old record is no more: dropping it again leaves the new one alone.
	dhcp drop 02:00:0a:00:01:05 10.0.1.5
	[ -e vpc/hosts/10.0.1.5 ]
	dhcp drop 02:00:0a:00:01:77 10.0.1.5
	dhcp host 02:00:0a:00:01:77 10.0.1.8 ip-10-0-1-8
	ip -n "ec2t-$$-web" addr flush dev eth0
	boots web
	tells '^ip 10.0.1.8$' web.bound
	tells '^hostname ip-10-0-1-8$' web.bound
	[ -z "$(ls vpc/dropped)" ]
}

@test "a new owner of an address counts, even if nobody said that the old one is gone" {
	guest_add web vpc 10.0.1.1/24 10.0.1.5 02:00:0a:00:01:77
	dhcp host 02:00:0a:00:01:05 10.0.1.5 ip-10-0-1-5
	soon 5 test -e vpc/hosts/10.0.1.5
	dhcp host 02:00:0a:00:01:77 10.0.1.5 ip-10-0-1-5
	boots web
	tells '^ip 10.0.1.5$' web.bound
}

@test "a process that is not ours is left alone, whatever the pid file says" {
	dhcp start
	pid=$(dnsmasq_pid)
	kill -9 "$pid"
	soon 5 ended "$pid"
	sleep 300 3>&- 4>&- &
	echo $! >vpc/pid
	dhcp start
	[ "$(dnsmasq_pid)" != $! ]
	kill -0 $!
	dhcp stop
	kill $!
	# And one that was ours in another namespace is ended, not adopted.
	dhcp start
	pid=$(dnsmasq_pid)
	vpc_add again
	"${EC2FS%/*}/tests/net/dhcp_tool" "/run/netns/ec2t-$$-again" "$PWD/vpc" start 3>&- 4>&-
	[ "$(dnsmasq_pid)" != "$pid" ]
	ended "$pid"
	[ "$(ip netns pids "ec2t-$$-again")" = "$(dnsmasq_pid)" ]
}

@test "two VPCs with the same addresses do not meet" {
	vpc_add twin
	guest_add web vpc 10.0.1.1/24 10.0.1.5 02:00:0a:00:01:05
	guest_add web2 twin 10.0.1.1/24 10.0.1.6 02:00:0a:00:01:05
	dhcp host 02:00:0a:00:01:05 10.0.1.5 ip-10-0-1-5
	dhcp_of twin host 02:00:0a:00:01:05 10.0.1.6 ip-10-0-1-6
	boots web
	boots web2
	tells '^ip 10.0.1.5$' web.bound
	tells '^ip 10.0.1.6$' web2.bound
}

@test "a thousand hosts come one by one, and the last is served like the first" {
	dhcp start
	pid=$(dnsmasq_pid)
	dhcp many 1000
	guest_add last vpc 10.0.4.1/22 10.0.7.232 02:00:0a:00:07:e8
	boots last
	tells '^ip 10.0.7.232$' last.bound
	tells '^mask 22$' last.bound
	[ "$(dnsmasq_pid)" = "$pid" ]
	kill -9 "$pid"
	soon 5 ended "$pid"
	dhcp start
	rm last.bound
	ip -n "ec2t-$$-last" addr flush dev eth0
	boots last
	tells '^ip 10.0.7.232$' last.bound
}

@test "bad names are refused, and nothing of it is there" {
	run dhcp host 02:00:0a:00:01:05 10.0.1.5 $'web\n02:00:0a:00:01:06,10.0.1.6'
	[ "$status" != 0 ]
	[[ $output = *"is not a host name"* ]]
	run dhcp host 02:00:0a:00:01:05 10.0.1.5 a,b
	[ "$status" != 0 ]
	[ -z "$(ls -A vpc/hosts)" ]
}

@test "stopped, it leaves nothing behind" {
	dhcp host 02:00:0a:00:01:05 10.0.1.5 ip-10-0-1-5
	dhcp host 02:00:0a:00:01:06 10.0.1.6 ip-10-0-1-6
	dhcp drop 02:00:0a:00:01:06 10.0.1.6
	pid=$(dnsmasq_pid)
	dhcp stop
	ended "$pid"
	[ ! -e vpc ]
}
