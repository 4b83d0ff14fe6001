# Flow logs and status checks: what a VPC writes of the packets of its guests, and whether a guest answers.
load ../lib/cloud
load ../lib/guests

setup()
{
	guests_start
	LOG=vpcs/default/flow-logs
}

teardown()
{
	guests_stop
}

# log ALL|ACCEPT|REJECT: switches it on; what is told together is a second's.
log_flows()
{
	printf 'traffic-type %s\nmax-aggregation-interval 1\n' "$1" >vpcs/default/flow-log-options
	local group=0

	until ip netns exec "$(cat vpcs/default/vpc-id)" nft list chain inet ec2fs dropped-in | grep -q 'log prefix'; do
		[ $((group += 1)) -lt 100 ] || fail "the rules do not log"
		sleep 0.05
	done
}

eni()
{
	cat "instances/$1/network-interface"
}

# flow ENI SOURCE DESTINATION SPORT DPORT PROTOCOL ACTION: the pattern of a line; any number for "".
flow()
{
	echo "^2 [0-9]{12} $1 $2 $3 ${4:-[0-9]+} ${5:-[0-9]+} $6 [0-9]+ [0-9]+ [0-9]{10} [0-9]{10} $7 OK\$"
}

# sums PATTERN: packets and bytes of all lines like that.
sums()
{
	grep -E -- "$1" "$LOG" | awk '{ p += $9; b += $10 } END { print p + 0, b + 0 }'
}

@test "a connection is logged by both interfaces, each direction by itself" {
	launch a
	launch b
	[ ! -s "$LOG" ]
	log_flows ALL
	guest a ping -c 3 -i 0.2 "$(address b)" >/dev/null
	out=$(flow "$(eni a)" "$(address a)" "$(address b)" 0 0 1 ACCEPT)
	soon 5 tells "$out" "$LOG"
	soon 5 eval '[ "$(sums "$out")" = "3 252" ]'
	[ "$(sums "$(flow "$(eni a)" "$(address b)" "$(address a)" 0 0 1 ACCEPT)")" = "3 252" ]
	[ "$(sums "$(flow "$(eni b)" "$(address a)" "$(address b)" 0 0 1 ACCEPT)")" = "3 252" ]
	[ "$(sums "$(flow "$(eni b)" "$(address b)" "$(address a)" 0 0 1 ACCEPT)")" = "3 252" ]
	lacks REJECT "$LOG"
	# A long connection is told as it goes on, not at its end.
	serve b 7
	coproc guest a nc "$(address b)" 7 3>&- 4>&-
	echo before >&"${COPROC[1]}"
	read -r -t 2 line <&"${COPROC[0]}"
	out=$(flow "$(eni a)" "$(address a)" "$(address b)" "" 7 6 ACCEPT)
	soon 5 tells "$out" "$LOG"
	sleep 1.2
	before=$(grep -cE "$out" "$LOG")
	echo after >&"${COPROC[1]}"
	read -r -t 2 line <&"${COPROC[0]}"
	soon 5 eval '[ "$(grep -cE "$out" "$LOG")" -gt '"$before"' ]'
	kill "$COPROC_PID"
}

@test "what is refused is logged, by who refused it and by who was allowed to send it" {
	launch a
	launch b
	log_flows ALL
	# From outside nothing comes in, and one sees what it was.
	refused_to host "$(public a)" 8080
	soon 5 tells "$(flow "$(eni a)" 169.254.0.2 "$(address a)" "" 8080 6 REJECT)" "$LOG"
	# b leaves the group of a: a may send, b does not let it in.
	mkdir security-groups/closed
	ln -s ../../../security-groups/closed instances/b/security-groups/
	rm instances/b/security-groups/default
	sleep 0.2
	silent a "$(address b)"
	soon 5 tells "$(flow "$(eni b)" "$(address a)" "$(address b)" 0 0 1 REJECT)" "$LOG"
	tells "$(flow "$(eni a)" "$(address a)" "$(address b)" 0 0 1 ACCEPT)" "$LOG"
	lacks "$(eni b) .* ACCEPT" "$LOG"
	# In no group it may not even send.
	rm instances/a/security-groups/default
	sleep 0.2
	silent a 203.0.113.200
	soon 5 tells "$(flow "$(eni a)" "$(address a)" 203.0.113.200 0 0 1 REJECT)" "$LOG"
}

@test "a network ACL that cuts a connection is seen" {
	launch a
	mkdir vpcs/default/subnets/far
	echo 172.31.200.0/24 >vpcs/default/subnets/far/cidr-block
	launch b subnet far
	log_flows ALL
	coproc guest a ping -i 0.2 "$(address b)" 3>&- 4>&-
	out=$(flow "$(eni a)" "$(address a)" "$(address b)" 0 0 1 ACCEPT)
	soon 5 tells "$out" "$LOG"
	mkdir vpcs/default/network-acls/shut
	printf '100 allow tcp 1-65535 0.0.0.0/0\n' >vpcs/default/network-acls/shut/ingress
	printf '100 allow all - 0.0.0.0/0\n' >vpcs/default/network-acls/shut/egress
	echo shut >vpcs/default/subnets/far/network-acl
	refused=$(flow "$(eni b)" "$(address a)" "$(address b)" 0 0 1 REJECT)
	soon 5 tells "$refused" "$LOG"
	accepted=$(flow "$(eni b)" "$(address a)" "$(address b)" 0 0 1 ACCEPT)
	read -r at_a _ <<<"$(sums "$out")"
	read -r at_b _ <<<"$(sums "$accepted")"
	soon 10 eval '[ "$(sums "$out" | cut -d" " -f1)" -gt $((at_a + 15)) ]'
	# b has not accepted what it refused, though the connection counts on.
	[ "$(sums "$accepted" | cut -d' ' -f1)" -le $((at_b + 3)) ]
	[ "$(sums "$refused" | cut -d' ' -f1)" -ge 12 ]
	kill "$COPROC_PID"
}

@test "the VPC's own services are not logged; off is off" {
	launch a
	log_flows ALL
	guest a ping -c 1 -W 1 172.31.0.1 >/dev/null
	guest a curl -s -m 5 -o /dev/null http://169.254.169.254/latest/meta-data/
	guest a dig +short +time=2 +tries=1 @172.31.0.2 "$(cat instances/a/private-dns-name)" >/dev/null
	dhcp a
	launch b
	guest b ping -c 1 "$(address a)" >/dev/null
	soon 5 tells " $(eni b) .* ACCEPT OK" "$LOG"
	lacks ' (172\.31\.0\.[12]|169\.254\.169\.25[34]|255\.255\.255\.255) ' "$LOG"
	# Interval and kind.
	printf 'traffic-type REJECT\nmax-aggregation-interval 1\n' >vpcs/default/flow-log-options
	sleep 1.5
	before=$(grep -c ACCEPT "$LOG")
	guest b ping -c 1 "$(address a)" >/dev/null
	refused_to host "$(public a)" 23
	soon 5 tells "$(flow "$(eni a)" 169.254.0.2 "$(address a)" "" 23 6 REJECT)" "$LOG"
	[ "$(grep -c ACCEPT "$LOG")" = "$before" ]
	: >vpcs/default/flow-log-options
	soon 5 eval '! ip netns exec "$(cat vpcs/default/vpc-id)" nft list ruleset | grep -q "log prefix"'
	cp "$LOG" "$CLOUD_HOME/log-then"
	refused_to host "$(public a)" 24
	guest b ping -c 1 "$(address a)" >/dev/null
	sleep 1.5
	cmp "$CLOUD_HOME/log-then" "$LOG"
}

@test "the log can be followed, and survives the daemon" {
	launch a
	launch b
	log_flows ALL
	(cd / && exec tail -n +1 -f "$CLOUD/us-east-1/$LOG") >"$CLOUD_HOME/followed" 2>&1 3>&- 4>&- </dev/null &
	follower=$!
	python3 - "$PWD/$LOG" "$(id_of a)" "$(address b)" <<-'END'
		import select, subprocess, sys
		f = open(sys.argv[1])
		p = select.poll()
		p.register(f, select.POLLPRI)
		while p.poll(0): pass
		subprocess.run(["ip", "netns", "exec", sys.argv[2], "ping", "-c", "1", sys.argv[3]], stdout=subprocess.DEVNULL, check=True)
		assert p.poll(10000), "it was not woken"
	END
	soon 5 tells "$(flow "$(eni a)" "$(address a)" "$(address b)" 0 0 1 ACCEPT)" "$CLOUD_HOME/followed"
	refused_to host "$(public a)" 25
	soon 5 tells "$(flow "$(eni a)" 169.254.0.2 "$(address a)" "" 25 6 REJECT)" "$CLOUD_HOME/followed"
	kill "$follower"
	before=$(wc -l <"$LOG")
	cloud_restart -o stop-timeout=2
	[ "$(wc -l <"$LOG")" -ge "$before" ]
	soon 5 eval '[ "$(cat instances/a/state)" = running ]'
	# It logs on, without being told again.
	soon 10 eval 'refused_to host "$(public a)" 26; tells "$(flow "$(eni a)" 169.254.0.2 "$(address a)" "" 26 6 REJECT)" "$LOG"'
	cloud_kill
	cloud_start -o stop-timeout=2
	soon 10 eval 'refused_to host "$(public a)" 27; tells "$(flow "$(eni a)" 169.254.0.2 "$(address a)" "" 27 6 REJECT)" "$LOG"'
}

@test "a flood is not followed packet by packet, and says so" {
	launch a
	log_flows REJECT
	# 40,000 ports, each a flow of its own: more than an interval holds.
	printf 'traffic-type REJECT\nmax-aggregation-interval 5\n' >vpcs/default/flow-log-options
	python3 - "$CLOUD_NETNS" "$(public a)" <<-'END'
		import ctypes, os, socket, sys
		fd = os.open("/run/netns/" + sys.argv[1], os.O_RDONLY)
		assert ctypes.CDLL(None).setns(fd, 0) == 0
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		for port in range(1024, 41024): s.sendto(b"x", (sys.argv[2], port))
	END
	soon 15 tells '^2 [0-9]{12} - - - - - - - - [0-9]{10} [0-9]{10} - SKIPDATA$' "$LOG"
	# What is kept and shown is bounded, and lines are whole.
	[ "$(stat -c %s "$LOG")" -le $((512 << 10)) ]
	[ "$(du -sb "$STATE/network/$(cat vpcs/default/vpc-id)" | cut -f1)" -le $((9 << 20)) ]
	[ "$(grep -cvE '^2 ([^ ]+ ){12}(OK|SKIPDATA)$' "$LOG")" = 0 ]
}

@test "wrong options are refused, and nothing changes" {
	cd vpcs/default
	printf 'traffic-type ALL\n' >flow-log-options
	refuses EINVAL 'echo "traffic-type SOME" >flow-log-options'
	tells InvalidParameterValue error
	refuses EINVAL 'echo "max-aggregation-interval 60" >flow-log-options'
	tells MissingParameter error
	refuses EINVAL 'printf "traffic-type ALL\nlog-format v3\n" >flow-log-options'
	tells UnknownParameter error
	refuses ERANGE 'printf "traffic-type ALL\nmax-aggregation-interval 3600\n" >flow-log-options'
	reads 'traffic-type ALL' flow-log-options
	refuses EACCES 'echo x >flow-logs'
	cd ../..
	# The log goes with its VPC.
	mkdir vpcs/red
	echo 10.0.0.0/16 >vpcs/red/cidr-block
	mkdir vpcs/red/subnets/s
	echo 10.0.1.0/24 >vpcs/red/subnets/s/cidr-block
	echo 'traffic-type ALL' >vpcs/red/flow-log-options
	id=$(cat vpcs/red/vpc-id)
	launch a subnet red/s
	launch b subnet red/s
	guest a ping -c 1 "$(address b)" >/dev/null
	for i in a b; do
		echo terminated >instances/$i/state
		becomes terminated instances/$i/state
		rmdir instances/$i
	done
	# An empty text switches it off, and what was under way is written.
	: >vpcs/red/flow-log-options
	soon 5 tells ' 1 [1-9]' vpcs/red/flow-logs
	rm -r vpcs/red
	soon 5 eval "! [ -e '$STATE/network/$id' ]"
}

@test "status checks ask the machine and its guest" {
	mkdir instances/a
	reads $'system not-applicable\ninstance not-applicable' instances/a/status-checks
	echo 'image empty' >instances/a/spec
	echo running >instances/a/state
	echo running 20 >instances/a/wait
	# It is up, and has no address yet.
	tells '^system ok$' instances/a/status-checks
	tells '^instance initializing$' instances/a/status-checks
	dhcp a
	reads $'system ok\ninstance ok' instances/a/status-checks
	# Its interface goes down: a guest that has answered before is ill.
	guest a ip link set eth0 down
	reads $'system ok\ninstance impaired' instances/a/status-checks
	guest a ip link set eth0 up
	soon 3 reads $'system ok\ninstance ok' instances/a/status-checks
	echo stopped >instances/a/state
	becomes stopped instances/a/state
	reads $'system not-applicable\ninstance not-applicable' instances/a/status-checks
	refuses EACCES 'echo ok >instances/a/status-checks'
}
