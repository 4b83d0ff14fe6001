# The network as its users drive it: files on one side, packets on the other. Guests are network namespaces named by
# the instance (compute is sim:network), so that any tool can speak for them; the cloud's host is one too.
load ../lib/cloud
load ../lib/guests

setup()
{
	guests_start
}

teardown()
{
	guests_stop
}

@test "guests get their addresses, and meet as their groups say" {
	launch a
	launch b
	tells "^ip $(address a) mask 20 router 172.31.0.1 dns 172.31.0.2 domain ec2.internal" "$CLOUD_HOME/udhcpc.$(id_of a)"
	# The default group lets its own members in, and nobody else.
	reaches a "$(address b)"
	reaches b "$(address a)"
	serve a 80
	connects b "$(address a)" 80
	refused_to host "$(public a)" 80

	# A rule, and it is so; without it, and it is not.
	echo 'tcp 80 0.0.0.0/0 # the web' >>security-groups/default/ingress
	soon 2 connects host "$(public a)" 80
	sed -i /web/d security-groups/default/ingress
	sleep 0.1
	refused_to host "$(public a)" 80
	tells '^dropped in [1-9]' instances/a/metrics
}

@test "groups name one another, and follow who is in them" {
	mkdir security-groups/web security-groups/app
	echo 'tcp 8080 sg:web' >security-groups/app/ingress
	launch app
	launch web
	for g in app web; do
		ln -s ../../../security-groups/$g instances/$g/security-groups/
		rm instances/$g/security-groups/default
	done
	serve app 8080
	soon 2 connects web "$(address app)" 8080
	silent web "$(address app)"
	rm instances/web/security-groups/web
	sleep 0.1
	refused_to web "$(address app)" 8080
	# Nothing goes out of no group.
	silent web "$(address app)"
	tells "^app $(address app)\$" security-groups/app/members
}

@test "what is connected stays connected when its rule goes" {
	launch a
	echo 'tcp 7 0.0.0.0/0' >security-groups/default/ingress
	serve a 7
	soon 2 connects host "$(public a)" 7
	coproc on_host nc "$(public a)" 7 3>&- 4>&-
	echo before >&"${COPROC[1]}"
	read -r -t 2 line <&"${COPROC[0]}"
	[ "$line" = before ]
	: >security-groups/default/ingress
	sleep 0.2
	refused_to host "$(public a)" 7
	echo after >&"${COPROC[1]}"
	read -r -t 2 line <&"${COPROC[0]}"
	[ "$line" = after ]
	# The daemon's death changes nothing for it, its new start neither.
	cloud_kill
	echo alone >&"${COPROC[1]}"
	read -r -t 2 line <&"${COPROC[0]}"
	[ "$line" = alone ]
	kill "$COPROC_PID"
	cloud_start -o stop-timeout=2
}

@test "the metadata service knows who asks" {
	echo secret-a >"$CLOUD_HOME/data"
	mkdir instances/a
	cp "$CLOUD_HOME/data" instances/a/user-data
	printf 'image empty\n' >instances/a/spec
	echo running >instances/a/state
	echo running 20 >instances/a/wait
	dhcp a
	launch b
	for g in a b; do
		token=$(guest $g curl -sf -m 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token)
		[ "$(guest $g curl -sf -m 5 -H "X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/meta-data/instance-id)" = "$(id_of $g)" ]
	done
	[ "$(guest a curl -sf -m 5 http://169.254.169.254/latest/user-data)" = secret-a ]
	run guest b curl -sf -m 5 http://169.254.169.254/latest/user-data
	[ "$status" -eq 22 ]
	# A forged source does not get past the tap.
	guest b ip addr add "$(address a)/32" dev eth0
	run guest b curl -s -m 2 --interface "$(address a)" http://169.254.169.254/latest/user-data
	[ "$status" -ne 0 ]
	echo 'http-tokens required' >instances/a/metadata-options
	[ "$(guest a curl -s -m 5 -o /dev/null -w '%{http_code}' http://169.254.169.254/latest/user-data)" = 401 ]
	[ "$(guest b dig +short +time=2 +tries=1 @172.31.0.2 "$(cat instances/a/private-dns-name)")" = "$(address a)" ]
}

@test "an Elastic IP moves" {
	mkdir addresses/www
	www=$(cat addresses/www/public-ip)
	echo 'icmp echo-request 0.0.0.0/0' >>security-groups/default/ingress
	launch a
	launch b
	no_answer on_host ping -c 1 -W 1 "$www"
	echo a >addresses/www/instance
	[ "$(public a)" = "$www" ]
	soon 2 on_host ping -c 1 -W 1 "$www"
	echo b >addresses/www/instance
	soon 2 eval '[ "$(public b)" = "$www" ]'
	soon 2 on_host ping -c 1 -W 1 "$www"
	echo >addresses/www/instance
	sleep 0.2
	no_answer on_host ping -c 1 -W 1 "$www"
	rmdir addresses/www
}

@test "two VPCs of the same range never meet; a peering of others does" {
	for v in red blue; do
		mkdir vpcs/$v
		echo 10.0.0.0/16 >vpcs/$v/cidr-block
		mkdir vpcs/$v/subnets/s
		echo 10.0.1.0/24 >vpcs/$v/subnets/s/cidr-block
		ADDRESS=10.0.1.9 launch $v subnet $v/s
	done
	launch red2 subnet red/s
	reaches red2 10.0.1.9
	# Blue's group lets all in, and yet no packet of red's comes there.
	echo 'all - 0.0.0.0/0' >"security-groups/blue-default/ingress"
	before=$(guest blue cat /sys/class/net/eth0/statistics/rx_packets)
	reaches red2 10.0.1.9
	sleep 0.2
	[ "$(guest blue cat /sys/class/net/eth0/statistics/rx_packets)" -le $((before + 1)) ] # an ARP packet may have come

	mkdir vpcs/green
	echo 10.1.0.0/16 >vpcs/green/cidr-block
	mkdir vpcs/green/subnets/s
	echo 10.1.1.0/24 >vpcs/green/subnets/s/cidr-block
	launch green subnet green/s
	echo 'all - 0.0.0.0/0' >security-groups/green-default/ingress
	silent red "$(address green)"
	mkdir vpcs/red/peerings/to-green
	echo green >vpcs/red/peerings/to-green/peer-vpc
	echo active >vpcs/red/peerings/to-green/state
	echo '10.1.0.0/16 peering:to-green' >>vpcs/red/route-tables/main/routes
	silent red "$(address green)"
	echo '10.0.0.0/16 peering:to-green' >>vpcs/green/route-tables/main/routes
	soon 3 reaches red "$(address green)"

	# A group of the one names a group of the other, and follows who is in it.
	mkdir security-groups/front
	echo red >security-groups/front/vpc
	echo 'all - 0.0.0.0/0' >security-groups/front/egress
	echo 'all - sg:front' >security-groups/green-default/ingress
	soon 3 silent red "$(address green)"
	ln -s ../../../security-groups/front instances/red/security-groups/
	soon 3 reaches red "$(address green)"
	silent red2 "$(address green)"
	rm instances/red/security-groups/front
	soon 3 silent red "$(address green)"
	# One that is gone leaves its address to others, and nothing else.
	ln -s ../../../security-groups/front instances/red/security-groups/
	soon 3 reaches red "$(address green)"
	echo terminated >instances/red/state
	becomes terminated instances/red/state
	ADDRESS=10.0.1.9 launch red3 subnet red/s
	silent red3 "$(address green)"
	# Of a peering that is gone is left a rule that matches nobody.
	ln -s ../../../security-groups/front instances/red3/security-groups/
	soon 3 reaches red3 "$(address green)"
	rmdir vpcs/red/peerings/to-green
	soon 3 silent red3 "$(address green)"
	reads 'all - sg:front' security-groups/green-default/ingress
	refuses ENOENT 'echo "tcp 22 sg:front" >security-groups/green-default/egress'
	tells 'neither in the VPC green nor in one that has an active peering with it' security-groups/green-default/error
}

@test "no guest reaches the host's own services, or pretends to be another" {
	launch a
	launch b
	(cd / && on_host "$BATS_TEST_DIRNAME/../lib/echo-server" 2222) >/dev/null 2>&1 3>&- 4>&- </dev/null &
	soon 5 on_host timeout 1 bash -c 'exec 3<>/dev/tcp/127.0.0.1/2222'
	gateway=$(on_host ip -o -4 addr show | awk '$2 != "lo" { sub("/.*", "", $4); print $4; exit }')
	refused_to a "$gateway" 2222
	refused_to a 172.31.0.1 22
	# Another's address, by packet and by ARP.
	guest b ip addr flush dev eth0
	guest b ip addr add "$(address a)/20" dev eth0
	guest b ip route add default via 172.31.0.1
	no_answer guest b ping -c 1 -W 1 172.31.0.1
	reaches a 172.31.0.1
}
