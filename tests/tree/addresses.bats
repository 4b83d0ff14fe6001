# Elastic IPs, and the pool that public addresses come from.
load ../lib/cloud

setup()
{
	cloud_start
	W=$CLOUD_HOME
	mkdir addresses/www
}
teardown() { cloud_stop; }

# launch NAME [SUBNET]: a machine runs.
launch()
{
	[ -d images/tiny ] || { mkdir images/tiny && head -c 512 /dev/zero >"$W/disk" && cp "$W/disk" images/tiny/disk; }
	mkdir "instances/$1"
	echo tiny >"instances/$1/image"
	[ -z "${2-}" ] || echo "$2" >"instances/$1/subnet"
	echo running >"instances/$1/state"
	echo running >"instances/$1/wait"
}

# A VPC called lab with a subnet a, without a way to the internet.
make_lab()
{
	mkdir vpcs/lab
	echo 10.0.0.0/16 >vpcs/lab/cidr-block
	mkdir vpcs/lab/subnets/a
	echo 10.0.1.0/24 >vpcs/lab/subnets/a/cidr-block
}

www()
{
	tells "$1" addresses/www/error
}

@test "mkdir allocates an address of the pool" {
	tells '^eipalloc-[0-9a-f]{17}$' addresses/www/allocation-id
	tells '^198\.51\.100\.[0-9]+$' addresses/www/public-ip
	[ -z "$(cat addresses/www/instance)" ]
	[ ! -e addresses/www/association-id ]
	[ ! -e addresses/www/private-ip-address ]
	refuses EACCES 'echo 198.51.100.9 > addresses/www/public-ip'
	ip=$(cat addresses/www/public-ip)
	mv addresses/www addresses/site
	cloud_restart
	reads "$ip" addresses/site/public-ip
	rm -r addresses/site
	[ ! -e addresses/site ]
}

@test "it is associated, moved and disassociated" {
	launch web-1
	launch web-2
	automatic=$(cat instances/web-1/public-ip-address)
	tells '^198\.51\.100\.' instances/web-1/public-ip-address
	echo web-1 >addresses/www/instance
	reads web-1 addresses/www/instance
	tells '^eipassoc-[0-9a-f]{17}$' addresses/www/association-id
	reads "$(cat instances/web-1/private-ip-address)" addresses/www/private-ip-address
	reads "$(cat addresses/www/public-ip)" instances/web-1/public-ip-address
	lists www instances/web-1/addresses
	[ instances/web-1/addresses/www -ef addresses/www ]
	association=$(cat addresses/www/association-id)
	cat instances/web-1/instance-id >addresses/www/instance
	reads "$association" addresses/www/association-id
	tells "addresses/www/instance - -> i-" "$CLOUD/events"
	[ "$(stat -c %Y addresses/www/instance)" -gt 0 ]
	# A taken address moves; who had it gets an automatic one again.
	echo web-2 >addresses/www/instance
	reads web-2 addresses/www/instance
	reads "$(cat addresses/www/public-ip)" instances/web-2/public-ip-address
	[ "$(cat addresses/www/association-id)" != "$association" ]
	tells '^198\.51\.100\.' instances/web-1/public-ip-address
	[ "$(cat instances/web-1/public-ip-address)" != "$(cat addresses/www/public-ip)" ]
	lists '' instances/web-1/addresses
	mv instances/web-2 instances/front
	reads front addresses/www/instance
	echo >addresses/www/instance
	[ -z "$(cat addresses/www/instance)" ]
	[ ! -e addresses/www/association-id ]
	echo >addresses/www/instance
	tells '^198\.51\.100\.' instances/front/public-ip-address
	[ -n "$automatic" ]
}

@test "an instance has one, and drops it for another" {
	launch web-1
	mkdir addresses/second
	echo web-1 >addresses/www/instance
	echo web-1 >addresses/second/instance
	[ -z "$(cat addresses/www/instance)" ]
	[ -d addresses/www ]
	reads "$(cat addresses/second/public-ip)" instances/web-1/public-ip-address
	lists second instances/web-1/addresses
}

@test "a link does the same" {
	launch web-1
	mkdir images/other
	ln -s ../../../addresses/www instances/web-1/addresses/
	reads web-1 addresses/www/instance
	[ "$(readlink instances/web-1/addresses/www)" = ../../../addresses/www ]
	mv addresses/www addresses/site
	lists site instances/web-1/addresses
	rm instances/web-1/addresses/site
	[ -z "$(cat addresses/site/instance)" ]
	lists '' instances/web-1/addresses
	refuses EINVAL 'ln -s ../../../addresses/site instances/web-1/addresses/other'
	tells 'called as the Elastic IP is: site' "$CLOUD/errors"
	refuses ENOENT 'ln -s ../../../images/other instances/web-1/addresses/'
	tells 'InvalidAllocationID.NotFound' "$CLOUD/errors"
}

@test "it stays through stop and start, and outlives its instance" {
	launch web-1
	echo web-1 >addresses/www/instance
	echo stopped >instances/web-1/state
	echo stopped >instances/web-1/wait
	reads "$(cat addresses/www/public-ip)" instances/web-1/public-ip-address
	echo running >instances/web-1/state
	echo running >instances/web-1/wait
	reads "$(cat addresses/www/public-ip)" instances/web-1/public-ip-address
	cp -r instances/web-1 instances/twin
	reads web-1 addresses/www/instance
	echo terminated >instances/web-1/state
	echo terminated >instances/web-1/wait
	[ -z "$(cat addresses/www/instance)" ]
	refuses EIDRM 'echo web-1 > addresses/www/instance'
	www '^IncorrectInstanceState: .*is terminated'
}

@test "what cannot have it" {
	mkdir instances/draft
	refuses EBUSY 'echo draft > addresses/www/instance'
	www '^IncorrectInstanceState: .*draft is draft'
	refuses ENOENT 'echo drafd > addresses/www/instance'
	www '^InvalidInstanceID.NotFound: .*did you mean draft\?'
	make_lab
	launch lab-1 lab/a
	refuses ENOTCONN 'echo lab-1 > addresses/www/instance'
	www '^Gateway.NotAttached: .*VPC lab, which has no internet gateway'
	echo true >vpcs/lab/internet-gateway
	echo lab-1 >addresses/www/instance
	reads lab-1 addresses/www/instance
}

@test "releasing" {
	launch web-1
	echo web-1 >addresses/www/instance
	# In the default VPC EC2 disassociates by itself.
	rmdir addresses/www
	tells '^198\.51\.100\.' instances/web-1/public-ip-address
	make_lab
	echo true >vpcs/lab/internet-gateway
	launch lab-1 lab/a
	mkdir addresses/www
	echo lab-1 >addresses/www/instance
	refuses EADDRINUSE 'rmdir addresses/www'
	www '^InvalidIPAddress.InUse: .*associated with the instance lab-1'
	reads lab-1 addresses/www/instance
	echo >addresses/www/instance
	rmdir addresses/www
}

@test "as many as the quota allows" {
	mkdir addresses/{2,3,4,5}
	refuses EDQUOT 'mkdir addresses/6'
	tells '6: AddressLimitExceeded: there are 5 Elastic IPs' "$CLOUD/errors"
	refuses EINVAL 'mkdir addresses/eipalloc-1'
	sed -i 's/^addresses .*/addresses 6/' quotas
	mkdir addresses/6
}

@test "the pool is a file, and can be empty" {
	tells '^198.51.100.0/24' "$CLOUD/public-ipv4-pool"
	sed -i 's/^addresses .*/addresses 100/' quotas
	rmdir addresses/www
	# Of four addresses the first and the last are the network's own; of two, neither.
	printf '203.0.113.0/30\n192.0.2.8/31  # two more' >"$CLOUD/public-ipv4-pool"
	mkdir addresses/{1,2,3,4}
	[ "$(cat addresses/*/public-ip | sort)" = "$(printf '192.0.2.8\n192.0.2.9\n203.0.113.1\n203.0.113.2')" ]
	refuses EADDRNOTAVAIL 'mkdir addresses/5'
	tells '5: InsufficientAddressCapacity: all 4 addresses' "$CLOUD/errors"
	rmdir addresses/2
	mkdir "$CLOUD/eu-west-1"
	mkdir "$CLOUD/eu-west-1/addresses/a"
	refuses EADDRNOTAVAIL 'mkdir "$CLOUD/eu-west-1/addresses/b"'
	# An instance does without what only its subnet wished for.
	launch web-1
	[ -z "$(cat instances/web-1/public-ip-address)" ]
	cloud_restart
	reads "$(printf '203.0.113.0/30\n192.0.2.8/31  # two more')" "$CLOUD/public-ipv4-pool"
}

@test "addresses in use stay in the pool" {
	launch web-1
	ip=$(cat instances/web-1/public-ip-address)
	refuses EADDRINUSE 'echo 203.0.113.0/24 > "$CLOUD/public-ipv4-pool"'
	tells 'public-ipv4-pool: .*InvalidIPAddress.InUse: .*us-east-1 has it' "$CLOUD/errors"
	rmdir addresses/www
	refuses EADDRINUSE 'echo 203.0.113.0/24 > "$CLOUD/public-ipv4-pool"'
	tells "InvalidIPAddress.InUse: ${ip//./\\.} .*instance web-1 of us-east-1 has it" "$CLOUD/errors"
	echo '203.0.113.0/24' >>"$CLOUD/public-ipv4-pool"
	printf '%s/32\n' "$ip" >"$CLOUD/public-ipv4-pool"
	refuses EADDRNOTAVAIL 'mkdir addresses/www'
	echo terminated >instances/web-1/state
	echo terminated >instances/web-1/wait
	mkdir addresses/www
	reads "$ip" addresses/www/public-ip
}

@test "a pool that makes no sense is refused" {
	for bad in 127.0.0.0/8 169.254.0.0/24 224.0.0.0/4 0.0.0.0/0 10.0.0.1/8 office; do
		refuses EINVAL "echo $bad > \"\$CLOUD/public-ipv4-pool\""
	done
	refuses EINVAL 'printf "198.51.100.0/24\n198.51.100.128/25\n" > "$CLOUD/public-ipv4-pool"'
	tells 'line 2: the block overlaps 198.51.100.0/24' "$CLOUD/errors"
	tells '^198.51.100.0/24' "$CLOUD/public-ipv4-pool"
}
