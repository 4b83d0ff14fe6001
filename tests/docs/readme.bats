# README in the mount: what it says is right, and nobody stumbles over it.
load ../lib/cloud
load ../lib/every_kind

setup()
{
	cloud_start
	HOME=$BATS_TEST_TMPDIR/home
	export HOME
	mkdir -p ~/.ssh
	ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519
	truncate -s 1M ~/disk.raw
	qemu-img convert -O qcow2 ~/disk.raw ~/disk.qcow2
}

teardown()
{
	cloud_stop
}

# Every README there is, by its directory.
collections=(availability-zones instance-types images key-pairs security-groups prefix-lists instances volumes snapshots
	addresses vpcs)
of_a_vpc=(subnets route-tables network-acls nat-gateways peerings vpn)

# examples README: its commands, a line each.
examples()
{
	sed -n '/^For example/,/^[A-Z].*(r:/s/^  //p' "$1"
}

# try DIRECTORY: types the examples of its README there, one after the other, in one shell.
try()
{
	local line

	cd "$1"
	[ "$(examples README | wc -l)" -ge 3 ] || fail "$1/README has no three examples"
	while IFS= read -r line; do
		# What comes after another one's beginning is refused until that is done.
		soon 30 eval "$line" || fail "in $1: $line" "$(grep -h . ./*/error)"
	done < <(examples README)
	cd "$OLDPWD"
}

@test "README is at the root, in a region, and in every directory where mkdir makes something" {
	local dir

	for dir in "$CLOUD" . "${collections[@]}" "${of_a_vpc[@]/#/vpcs/default/}"; do
		[ "$(wc -l <"$dir/README")" -ge 8 ] || fail "$dir/README is too short"
		[ "$(stat -c '%A %s' "$dir/README")" = "-r--r--r-- $(cat "$dir/README" | wc -c)" ]
		! LC_ALL=C.UTF-8 grep '.\{80\}' "$dir/README" || fail "$dir/README has long lines"
	done
	# All of them are different files.
	[ "$(stat -c %i "${collections[@]/%//README}" "${of_a_vpc[@]/#/vpcs/default/}" README | sort -u | wc -l)" = 18 ]
}

@test "it is listed at the root and in regions; elsewhere it is there for who asks" {
	local dir

	[ "$(ls -d "$CLOUD"/*/README)" = "$CLOUD/us-east-1/README" ]
	for dir in "${collections[@]}" "${of_a_vpc[@]/#/vpcs/default/}"; do
		lacks '^README$' <(ls -a "$dir")
		grep -q "^${dir##*/}/: " "$dir/README"
	done
	[ -z "$(find . -mindepth 2 -name README)" ]
}

@test "its files are those that a resource has" {
	local dir name

	every_kind
	for dir in "${collections[@]}"; do
		name=made
		case $dir in availability-zones) name=us-east-1a ;; instance-types) name=t3.nano ;; snapshots) name=made-one ;; esac
		for file in "$dir/$name"/*; do
			tells "^  ${file##*/}(/| )" "$dir/README"
		done
	done
}

@test "the examples of every README work" {
	try "$CLOUD"
	try .
	for dir in availability-zones instance-types key-pairs security-groups prefix-lists; do
		[ $dir != security-groups ] || { mkdir instances/web-1; }
		try $dir
	done
	rmdir instances/web-1
	# debian has to be there for an instance, and an instance for gold.
	mkdir images/debian instances/web-1
	cp ~/disk.raw images/debian/disk
	becomes available images/debian/state 30
	rmdir instances/web-1
	try instances
	rmdir images/debian
	try images
	try volumes
	becomes completed snapshots/data-monday/state 30
	try snapshots
	try addresses
	try vpcs

	cd vpcs/main
	mkdir ../shared
	echo 10.1.0.0/16 >../shared/cidr-block
	for dir in subnets route-tables network-acls nat-gateways peerings vpn; do
		try $dir
	done
	[ -s ~/main.svg ] || [ -s ~/map.svg ]
}

@test "copies, archives and comparisons pass it by" {
	local work=$BATS_TEST_TMPDIR/work

	mkdir security-groups/web "$work"
	echo 'tcp 80 0.0.0.0/0' >security-groups/web/ingress
	cp -r security-groups/web "$work/"
	rsync -r --delete --exclude=tags --exclude=error "$work/" security-groups/ 2>/dev/null || true
	[ -s security-groups/README ]
	lacks README <(tar -c security-groups 2>/dev/null | tar -t)

	mkdir "$CLOUD/eu-central-1"
	cp -r security-groups/web "$CLOUD/eu-central-1/security-groups/"
	# The same in every region, and never newer than a copy.
	diff README "$CLOUD/eu-central-1/README"
	diff instances/README "$CLOUD/eu-central-1/instances/README"
	[ "$(stat -c %Y README instances/README "$CLOUD/README")" = "$(printf '0\n0\n0')" ]
	lacks README <(diff -rq security-groups "$CLOUD/eu-central-1/security-groups")
	echo mine >"$work/README"
	! cp "$work/README" instances/README 2>/dev/null || true
	grep -q '^instances/: ' instances/README
}

@test "nobody writes it, and no resource is called like it" {
	refuses EACCES 'echo mine > instances/README'
	refuses EPERM 'chmod 600 instances/README'
	refuses EEXIST 'mkdir instances/README'
	mkdir instances/web-1
	refuses EPERM 'mv instances/README instances/web-2'
	run mv -T instances/web-1 instances/README
	[ "$status" = 1 ]
	lists web-1 instances
	grep -q '^instances/: ' instances/README
	tells 'us-east-1/instances/README' "$CLOUD/errors"
	# A tag may be.
	echo yes >instances/web-1/tags/README
	reads yes instances/web-1/tags/README
}
