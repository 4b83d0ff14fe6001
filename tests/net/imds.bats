#!/usr/bin/env bats
# The metadata service across real hops: a VPC, a guest in it, and behind the guest a container whose packets the
# guest forwards; each is a namespace of the test's own.
load ../lib/cloud

setup()
{
	[ "$(id -u)" = 0 ] || skip "network namespaces need root"
	command -v curl nft nc >/dev/null || skip "curl, nftables or netcat-openbsd is missing"
	ip netns add "ec2t-$$" 2>/dev/null || skip "network namespaces cannot be made here"
	ip netns delete "ec2t-$$"
	cd "$BATS_TEST_TMPDIR"
	local name
	for name in vpc guest container; do
		ip netns add "ec2t-$$-$name"
		ip -n "ec2t-$$-$name" link set lo up
		ip netns exec "ec2t-$$-$name" sysctl -qw net.ipv4.ip_forward=1
	done
	ip -n "ec2t-$$-vpc" addr add 169.254.169.254/32 dev lo
	join vpc 10.0.1.1/24 guest 10.0.1.5/24
	join guest 172.17.0.1/16 container 172.17.0.2/16
	ip -n "ec2t-$$-guest" route add default via 10.0.1.1
	ip -n "ec2t-$$-container" route add default via 172.17.0.1
	in_ guest nft 'add table ip nat; add chain ip nat out { type nat hook postrouting priority 100; }; add rule ip nat out ip saddr 172.17.0.0/16 masquerade'
}

teardown()
{
	local name

	for name in $(ip netns list | awk -v p="ec2t-$$-" 'index($1, p) == 1 {print $1}'); do
		ip netns pids "$name" | xargs -r kill -9
		ip netns delete "$name"
	done
}

join()
{
	ip link add "$3" netns "ec2t-$$-$1" type veth peer name "$1" netns "ec2t-$$-$3"
	ip -n "ec2t-$$-$1" addr add "$2" dev "$3"
	ip -n "ec2t-$$-$3" addr add "$4" dev "$1"
	ip -n "ec2t-$$-$1" link set "$3" up
	ip -n "ec2t-$$-$3" link set "$1" up
}

in_() { local name=$1; shift; ip netns exec "ec2t-$$-$name" "$@" 3>&- 4>&-; }

# The service, until the test ends: serve [VARIABLE=VALUE…]
serve()
{
	[ -p stdin ] || mkfifo stdin
	env "$@" "${EC2FS%/*}/tests/net/imds_tool" "/run/netns/ec2t-$$-vpc" "$PWD/keys" <stdin >serving 3>&- 4>&- 9>&- &
	service=$!
	exec 9>stdin
	soon 10 test -s serving
}
unserve() { exec 9>&-; wait $service; rm serving; }

# get WHO PATH [OPTION…], token WHO
get() { in_ "$1" curl -sSf --max-time 3 "${@:3}" "http://169.254.169.254$2"; }
token() { get "$1" /latest/api/token -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60'; }

@test "a token comes one hop far: to the guest, not into its containers" {
	serve
	t=$(token guest)
	[ ${#t} = 56 ]
	run token container
	[ "$status" = 28 ] # time is over: it is sent again and again, and never comes
	[ "$(get container /latest/meta-data/mac)" = 02:00:0a:00:01:05 ]
}

@test "nor does it come with the answer to the next request" {
	serve
	printf 'PUT /latest/api/token HTTP/1.1\r\nHost: x\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n%s' \
		$'GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n' >requests
	in_ guest timeout 3 nc 169.254.169.254 80 <requests >answers || true
	tells 'token-ttl-seconds: 60' answers
	tells '2021-03-23' answers
	# The second piece comes while the token is under way.
	{ cat requests; sleep 1; printf 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'; sleep 2; } |
		in_ container timeout 4 nc 169.254.169.254 80 >answers || true
	[ ! -s answers ]
}

@test "two hops are for containers" {
	serve HOPS=2 TOKENS=required
	t=$(token container)
	[ "$(get container /latest/meta-data/mac -H "X-aws-ec2-metadata-token: $t")" = 02:00:0a:00:01:05 ]
	run get container /latest/meta-data/mac
	[[ $output = *401* ]]
}

# crawl PATH TOKEN: as cloud-init does; a line for each thing that was fetched.
crawl()
{
	local name list

	list=$(get guest "$1/" -H "X-aws-ec2-metadata-token: $2") || { fail "listed, not served: $1/"; return 1; }
	while read -r name; do
		case $name in
		*/) crawl "$1/${name%/}" "$2" || return 1 ;;
		[0-9]*=*) get guest "$1/${name%%=*}/openssh-key" -H "X-aws-ec2-metadata-token: $2" >leaf && echo "$1/$name" ;;
		*) get guest "$1/$name" -H "X-aws-ec2-metadata-token: $2" >leaf && echo "$1/$name" ;;
		esac || fail "listed, not served: $1/$name" || return 1
	done <<<"$list"
}

@test "cloud-init's crawl finds everything that is listed" {
	serve TOKENS=required
	t=$(token guest)
	crawl /2021-03-23/meta-data "$t" >found
	tells 'public-keys/0=my key' found
	tells 'macs/02:00:0a:00:01:05/ipv4-associations/192.0.2.7' found
	[ "$(wc -l <found)" = 49 ]
	crawl /2021-03-23/dynamic "$t" >found
	[ "$(wc -l <found)" = 5 ]
	get guest /2021-03-23/user-data -H "X-aws-ec2-metadata-token: $t" -D head >data
	tells '^Content-Type: application/octet-stream' head
	diff data <(printf '#!/bin/sh\necho hello\n')
}

@test "a token is good after the service was killed" {
	serve TOKENS=required
	t=$(token guest)
	kill -9 $service
	wait $service || true
	rm serving
	serve TOKENS=required
	[ "$(get guest /latest/meta-data/instance-id -H "X-aws-ec2-metadata-token: $t")" = i-0123456789abcdef0 ]
	unserve
	serve TOKENS=required
	[ "$(get guest /latest/meta-data/instance-id -H "X-aws-ec2-metadata-token: $t")" = i-0123456789abcdef0 ]
	rm keys/token-key
	unserve
	serve TOKENS=required
	run get guest /latest/meta-data/instance-id -H "X-aws-ec2-metadata-token: $t"
	[[ $output = *401* ]]
}

@test "the document's signature is verified with the certificate that lies beside the keys" {
	serve
	for f in document signature pkcs7; do get guest "/latest/dynamic/instance-identity/$f" >$f; done
	openssl x509 -in keys/identity-certificate.pem -pubkey -noout >public
	base64 -d signature | openssl dgst -sha256 -verify public -signature /dev/stdin document
	{ echo -----BEGIN PKCS7-----; cat pkcs7; echo; echo -----END PKCS7-----; } |
		openssl smime -verify -inform PEM -certfile keys/identity-certificate.pem -noverify | cmp - document
	[ "$(stat -c %a keys/identity.pem keys/token-key | sort -u)" = 600 ]
}
