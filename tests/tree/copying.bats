# What one copies with the tools that copy files: a region's key pairs, VPCs and groups to another one, a backup and
# back, a plain directory that the tree is made equal to; and what differs.
load ../lib/cloud

setup()
{
	cloud_start
	W=$BATS_TEST_TMPDIR
	mkdir key-pairs/{made,brought}
	echo ed25519 >key-pairs/made/key-type
	ssh-keygen -q -t ed25519 -N '' -C me -f "$W/key"
	cp "$W/key.pub" key-pairs/brought/public-key

	mkdir vpcs/lab
	echo 10.0.0.0/16 >vpcs/lab/cidr-block
	echo true >vpcs/lab/internet-gateway
	mkdir vpcs/lab/route-tables/public vpcs/lab/network-acls/strict vpcs/lab/subnets/{a,b}
	printf '# out\n0.0.0.0/0 internet-gateway\n' >vpcs/lab/route-tables/public/routes
	echo '100 allow tcp 443 0.0.0.0/0' >vpcs/lab/network-acls/strict/ingress
	echo 10.0.1.0/24 >vpcs/lab/subnets/a/cidr-block
	echo 10.0.2.0/24 >vpcs/lab/subnets/b/cidr-block
	echo public >vpcs/lab/subnets/a/route-table
	echo strict >vpcs/lab/subnets/b/network-acl
	echo lab >vpcs/lab/tags/team

	# Groups that name each other: whichever comes first names one that is still to come.
	mkdir prefix-lists/office security-groups/{web,db}
	echo 203.0.113.0/24 >prefix-lists/office/entries
	echo lab >security-groups/web/vpc
	echo lab >security-groups/db/vpc
	printf 'tcp 80 0.0.0.0/0\ntcp 22 pl:office\n' >security-groups/web/ingress
	printf '# the web servers\ntcp 5432 sg:web\n' >security-groups/db/ingress
	echo 'tcp 5432 sg:db' >security-groups/web/egress
	echo prod >security-groups/web/tags/env
}

teardown() { cloud_stop; }

COLLECTIONS='key-pairs vpcs prefix-lists security-groups'

# differences ONE OTHER: of what can be written, as `diff -r` has it; a line each.
differences()
{
	(cd "$CLOUD/us-east-1" && find $COLLECTIONS instances images volumes addresses snapshots -type f ! -perm /222 -printf '%f\n' | sort -u) >"$W/computed"
	diff -rq --no-dereference -x error -X "$W/computed" "$1" "$2" || true
}

# same ONE OTHER [PATTERN]: there is no difference, but for lines with the pattern.
same()
{
	local found

	found=$(differences "$1" "$2" | grep -vE -- "${3:-^$}" || true)
	[ -z "$found" ] || fail "$found" "$(head -n 5 "$CLOUD/errors")"
}

# Everything that can be written to a plain directory, with no IDs and states.
plain()
{
	local from=$PWD

	mkdir -p "$1"
	(cd "$from" && find $COLLECTIONS \( -type d -o -type f -perm /222 \) -print0 | tar --null --no-recursion -T - -cf -) | tar -C "$1" -xf -
}

@test "cp -r of key pairs, VPCs, prefix lists and groups to another region" {
	mkdir ../us-west-1
	for collection in $COLLECTIONS; do
		cp -r $collection ../us-west-1/
	done
	[ ! -s ../errors ] || fail "$(cat ../errors)"
	cd ../us-west-1
	lists 'default lab' vpcs
	lists 'db default lab-default web' security-groups
	reads available vpcs/lab/subnets/a/state
	reads public vpcs/lab/subnets/a/route-table
	tells '^[0-9./]+ local active' vpcs/lab/route-tables/public/effective-routes
	tells '^0.0.0.0/0 internet-gateway active' vpcs/lab/route-tables/public/effective-routes
	reads lab security-groups/db/vpc
	cmp security-groups/db/ingress ../us-east-1/security-groups/db/ingress
	# The zone of another region is the one here with its letter.
	reads us-west-1a vpcs/lab/subnets/a/availability-zone
	# The default VPC is the one that was here.
	lists us-east-1a vpcs/default/subnets
	reads true vpcs/default/subnets/us-east-1a/default-for-az
	reads us-west-1a vpcs/default/subnets/us-east-1a/availability-zone
	# A copy of a key pair is its public half.
	cmp key-pairs/made/public-key ../us-east-1/key-pairs/made/public-key
	cmp key-pairs/made/fingerprint ../us-east-1/key-pairs/made/fingerprint
	[ ! -e key-pairs/made/private-key ] && [ -e ../us-east-1/key-pairs/made/private-key ]
	reads ed25519 key-pairs/made/key-type
	same "$CLOUD/us-east-1/key-pairs" "$CLOUD/us-west-1/key-pairs"
	same "$CLOUD/us-east-1/security-groups" "$CLOUD/us-west-1/security-groups"
	same "$CLOUD/us-east-1/vpcs" "$CLOUD/us-west-1/vpcs" '/availability-zone |/dhcp-options '

	# What is there is written over: with -f, as on any file system with read-only files.
	echo 'tcp 81 0.0.0.0/0' >security-groups/web/ingress
	cp -rf ../us-east-1/security-groups .
	same "$CLOUD/us-east-1/security-groups" "$CLOUD/us-west-1/security-groups"
	# Whoever does not copy is refused, as before.
	refuses EACCES 'echo sg-0 > security-groups/web/group-id'
	refuses EACCES 'cat security-groups/db/group-id > security-groups/web/group-id'
	refuses ENOENT 'echo us-east-1z > vpcs/lab/subnets/a/availability-zone'
	mkdir availability-zones/us-west-1b vpcs/lab/subnets/c
	refuses ENOENT 'echo us-east-1b > vpcs/lab/subnets/c/availability-zone'
}

@test "a rule that came before the group it names holds when the group is there" {
	mkdir "$W/one"
	cp -r security-groups/web "$W/one/"
	mkdir ../us-west-1
	cp -r vpcs/lab ../us-west-1/vpcs/
	cp -r "$W/one/web" ../us-west-1/security-groups/
	cd ../us-west-1
	reads 'tcp 5432 sg:db' security-groups/web/egress
	# It can be written again, another one that names nothing cannot.
	cat security-groups/web/egress >"$W/egress"
	cat "$W/egress" >security-groups/web/egress
	refuses ENOENT "printf 'tcp 1 sg:nobody\n' >> security-groups/web/egress"
	refuses ENOENT 'echo "tcp 1 pl:nobody" > security-groups/web/egress'
	mkdir security-groups/db
	echo lab >security-groups/db/vpc
	# Now it holds, and holds the group.
	refuses ENOTEMPTY 'rmdir security-groups/db'
	mv security-groups/db security-groups/store
	reads 'tcp 5432 sg:store' security-groups/web/egress
}

@test "cp -r out of one cloud and into another that knows nothing of it" {
	for collection in $COLLECTIONS; do
		cp -r $collection "$W/"
	done
	cloud_unmount
	rm -r "$STATE"
	cloud_start
	for collection in $COLLECTIONS; do
		cp -r "$W/$collection" .
	done
	[ ! -s ../errors ] || fail "$(cat ../errors)"
	for collection in $COLLECTIONS; do
		same "$W/$collection" "$PWD/$collection" ': private-key$'
	done
}

@test "cp -r takes a VPC's subnets before what they name, where the disk has them so" {
	mkdir vpcs/again
	echo 10.77.0.0/16 >vpcs/again/cidr-block
	mkdir "$W/subnet"
	printf '%s\n' 10.77.1.0/24 >"$W/subnet/cidr-block"
	echo late >"$W/subnet/route-table"
	echo later >"$W/subnet/network-acl"
	cp -r "$W/subnet" vpcs/again/subnets/s
	mkdir vpcs/again/route-tables/late vpcs/again/network-acls/later
	reads late vpcs/again/subnets/s/route-table
	reads later vpcs/again/subnets/s/network-acl
	# What is written is not waited for.
	refuses ENOENT 'echo never >vpcs/again/subnets/s/route-table'
	reads late vpcs/again/subnets/s/route-table
	rm -r vpcs/again
}

@test "diff -r shows what differs between a copy and the tree, and between regions" {
	plain "$W/plain"
	for collection in $COLLECTIONS; do
		same "$W/plain/$collection" "$PWD/$collection"
	done
	echo 'tcp 8080 0.0.0.0/0' >>security-groups/web/ingress
	mkdir key-pairs/new
	rm vpcs/lab/tags/team
	run differences "$W/plain/security-groups" security-groups
	[ "$output" = "Files $W/plain/security-groups/web/ingress and security-groups/web/ingress differ" ]
	run differences "$W/plain/key-pairs" key-pairs
	[ "$output" = "Only in key-pairs: new" ]
	run differences "$W/plain/vpcs" vpcs
	[ "$output" = "Only in $W/plain/vpcs/lab/tags: team" ]
	diff "$W/plain/security-groups/web/ingress" security-groups/web/ingress | tells '^> tcp 8080' -
}

@test "rsync -a --delete makes the tree equal to a plain directory; once more, it has nothing to do" {
	command -v rsync >/dev/null || skip "rsync is not installed"
	plain "$W/plain"
	mkdir ../us-west-1
	cd ../us-west-1
	mkdir vpcs/other security-groups/other
	bring() { for collection in vpcs prefix-lists security-groups key-pairs; do rsync -ai --delete "$W/plain/$collection" .; done; }
	bring
	[ ! -s ../errors ] || fail "$(cat ../errors)"
	bring_same() { for collection in $COLLECTIONS; do same "$W/plain/$collection" "$PWD/$collection" "/availability-zone |/dhcp-options |^Only in $PWD/"; done; }
	bring_same
	lists 'default lab' vpcs
	lists 'db default lab-default web' security-groups
	ids() { cat vpcs/*/vpc-id vpcs/*/subnets/*/subnet-id security-groups/*/group-id key-pairs/*/key-pair-id; }
	# rsync "deletes" them, too: each is away for a moment, and comes back by itself.
	all_ids() { [ "$(ids | wc -l)" = "$(ls -d {vpcs,vpcs/*/subnets,security-groups,key-pairs}/* | wc -l)" ]; }
	soon 20 all_ids
	ids >"$W/ids"
	# But for the time of a directory, which a change deep below it has set anew. What cannot be deleted, it says, it does.
	lacks '^[^.*]|^\.[^d]' <(bring)
	lacks '^[^*]' <(bring)
	soon 20 all_ids
	soon 10 eval 'ids | diff "$W/ids" -'

	# A changed line, a group more, which the changed one names, and one less.
	mkdir -p "$W/plain/security-groups/cache" "$W/plain/key-pairs/third"
	echo lab >"$W/plain/security-groups/cache/vpc"
	echo 'tcp 6379 sg:web' >"$W/plain/security-groups/cache/ingress"
	cp "$W/key.pub" "$W/plain/key-pairs/third/public-key"
	echo 'tcp 443 0.0.0.0/0' >>"$W/plain/security-groups/web/ingress"
	rm -r "$W/plain/key-pairs/brought"
	bring
	bring_same
	tells '^tcp 443 ' security-groups/web/ingress
	lists 'made third' key-pairs
	reads 'tcp 6379 sg:web' security-groups/cache/ingress
}

@test "tar of a region, rm -r, and the archive brings it back" {
	mkdir images/tiny volumes/data addresses/www availability-zones/us-east-1b instance-types/my.own
	head -c 1M /dev/urandom >images/tiny/disk
	echo us-east-1b >volumes/data/availability-zone
	echo 1 >volumes/data/size
	echo 96 >instance-types/my.own/memory
	sed -i 's/^vpcs .*/vpcs 7/' quotas
	for name in web-1 web-2; do
		mkdir instances/$name
		printf 'image tiny\nkey-pair made\nsubnet lab/a\n' >instances/$name/spec
		ln -s ../../../security-groups/web instances/$name/security-groups/web
		echo "#!/bin/sh" >instances/$name/user-data
		echo $name >instances/$name/tags/Name
	done
	chmod 640 instances/web-1/tags/Name
	chown 12:34 instances/web-2
	echo running >instances/web-1/state
	echo running 20 >instances/web-1/wait
	echo web-1 >addresses/www/instance
	becomes available volumes/data/state

	cd ..
	# By inode number: what is built upon comes first.
	tar --sort=inode -cf "$W/region.tar" us-east-1
	mkdir "$W/was"
	tar -C "$W/was" -xf "$W/region.tar"
	# Rules that go round in a circle hold their groups, as in EC2.
	truncate -s 0 us-east-1/security-groups/{web,db}/{in,e}gress
	rm -r us-east-1
	[ ! -e us-east-1 ]
	timeout 60 tar -xf "$W/region.tar" --same-owner
	[ ! -s errors ] || fail "$(cat errors)"
	# A copy is not launched, and not attached; a root volume comes as a volume.
	reads draft us-east-1/instances/web-1/state
	cd us-east-1
	same "$W/was/us-east-1" "$CLOUD/us-east-1" \
		'/instances/web-1/(state|private-ip-address) |/addresses/www/instance |^Only in .*/(by-id|attachment|volumes|addresses)|/by-id|: (attachment|private-key|association-id|private-ip-address)$|/(console|state-reason|device|metrics) |/capacity '
	lists web instances/web-1/security-groups
	[ "$(stat -c %a instances/web-1/tags/Name)" = 640 ]
	[ "$(stat -c %u:%g instances/web-2)" = 12:34 ]
	echo running >instances/web-2/state
	echo running 20 >instances/web-2/wait
}

# attachments: what is attached, by ID and device, and what happens to it from now on.
attachments() { cat instances/web-1/volumes/*/volume-id volumes/*/state addresses/www/association-id; ls instances/web-1/{volumes,security-groups,addresses}; }

@test "a backup is restored over what is there, and nothing is detached, lost or launched" {
	mkdir images/tiny volumes/{data,more} addresses/www instances/web-1
	head -c 1M /dev/urandom >images/tiny/disk
	echo 1 | tee volumes/{data,more}/size >/dev/null
	printf 'image tiny\nkey-pair made\nsubnet lab/a\n' >instances/web-1/spec
	ln -s ../../../security-groups/web instances/web-1/security-groups/web
	echo running >instances/web-1/state
	echo running 20 >instances/web-1/wait
	ln -s ../../../volumes/data instances/web-1/volumes/sdf
	echo web-1 >addresses/www/instance
	becomes in-use volumes/data/state
	mkdir volumes/data/snapshots/one
	becomes completed snapshots/data-one/state
	key=$(cat key-pairs/made/private-key)
	attachments >"$W/was"
	cd ..
	tar --sort=inode -cf "$W/inode.tar" us-east-1
	tar -cf "$W/plain.tar" us-east-1
	mkdir "$W/plain"
	tar -C "$W/plain" -xf "$W/plain.tar"
	tail -n 1 events >"$W/last"
	for way in 'tar -xf $W/inode.tar' 'tar -xf $W/plain.tar' 'cp -r $W/plain/us-east-1 .' 'cp -a $W/plain/us-east-1 .' 'rsync -a $W/plain/us-east-1 .'; do
		command -v "${way%% *}" >/dev/null || continue
		eval "timeout 60 $way" || fail "$way" "$(cat errors)"
		[ ! -s errors ] || fail "$way" "$(cat errors)"
		(cd us-east-1 && attachments) | diff "$W/was" - || fail "after $way"
		[ "$(cat us-east-1/key-pairs/made/private-key)" = "$key" ]
		reads running us-east-1/instances/web-1/state
	done
	lacks 'detach|volumes/sdf (gone|removed)' <(sed "1,/$(cut -c1-24 "$W/last")/d" events)

	# And in a cloud that knows nothing of it, where the region is new.
	cp -a us-east-1/key-pairs/made/public-key "$W/public-key"
	cloud_unmount
	rm -r "$STATE"
	cloud_start
	timeout 60 tar -C "$CLOUD" -xf "$W/inode.tar" || fail "$(cat ../errors)"
	[ ! -s ../errors ] || fail "$(cat ../errors)"
	reads draft instances/web-1/state
	reads lab/a instances/web-1/subnet
	becomes available volumes/data/state
	becomes completed snapshots/data-one/state
	cmp "$W/public-key" key-pairs/made/public-key
}

@test "a link is detached at once by rm, and by who writes files, too: at the next step, or when he ends" {
	mkdir volumes/{a,b} instances/{one,two}
	echo 1 | tee volumes/{a,b}/size >/dev/null
	becomes available volumes/a/state
	becomes available volumes/b/state
	ln -s ../../../volumes/a instances/one/volumes/sdf
	reads in-use volumes/a/state
	rm instances/one/volumes/sdf
	reads available volumes/a/state
	ln -s ../../../volumes/a instances/one/volumes/sdf
	ln -s ../../../volumes/b instances/one/volumes/sdg
	timeout 60 /usr/bin/python3 - <<-'END'
		import os, time
		def state(name):
		    return open("volumes/%s/state" % name).read().strip()
		link = "instances/one/volumes/sdf"
		open("instances/one/tags/env", "w").write("prod\n")
		os.unlink(link)
		assert not os.path.lexists(link) and "sdf" not in os.listdir("instances/one/volumes")
		# The same again: nothing has happened.
		os.symlink("../../../volumes/a", link)
		assert os.path.lexists(link) and state("a") == "in-use"
		# A step further it is detached, and may be attached elsewhere.
		os.unlink(link)
		os.symlink("../../../volumes/a", "instances/two/volumes/sdf")
		assert not os.path.lexists(link) and os.path.lexists("instances/two/volumes/sdf")
		os.unlink("instances/two/volumes/sdf")
		open("instances/two/tags/env", "w").write("prod\n")
		assert state("a") == "available"
		# And if there is no next step, soon.
		os.symlink("../../../volumes/a", link)
		os.unlink(link)
		for i in range(200):
		    if state("a") == "available":
		        break
		    time.sleep(0.05)
		assert state("a") == "available" and not os.path.lexists(link)
		os.unlink("instances/one/volumes/sdg")
	END
	becomes available volumes/b/state
	lists '' instances/one/volumes
	[ ! -s ../errors ] || fail "$(cat ../errors)"
}
