# Regions, zones, types, key pairs, tags, quotas.
load ../lib/cloud

setup() { cloud_start; W=$CLOUD_HOME; }
teardown() { cloud_stop; }

@test "a new cloud has a region, a zone and EC2's types" {
	lists 'README errors events metrics public-ipv4-pool us-east-1 version' "$CLOUD"
	lists us-east-1a availability-zones
	reads available availability-zones/us-east-1a/state
	reads sim availability-zones/us-east-1a/compute
	reads '1 GiB' <(echo '1 GiB')
	reads '1024 MiB' instance-types/t3.micro/memory
	reads arm64 instance-types/t4g.nano/architecture
}

@test "mkdir at the root makes a region" {
	mkdir "$CLOUD/eu-west-1"
	lists eu-west-1a "$CLOUD/eu-west-1/availability-zones"
	[ -d "$CLOUD/eu-west-1/instance-types/t3.micro" ]
	refuses EINVAL 'mkdir "$CLOUD/Nowhere_1"'
	mkdir "$CLOUD/eu-west-1/availability-zones/eu-west-1b"
	refuses EINVAL 'mkdir "$CLOUD/eu-west-1/availability-zones/somewhere"'
	mkdir "$CLOUD/eu-west-1/images/x"
	refuses ENOTEMPTY 'rmdir "$CLOUD/eu-west-1"'
	rmdir "$CLOUD/eu-west-1/images/x"
	rmdir "$CLOUD/eu-west-1"
}

@test "a type of one's own" {
	mkdir instance-types/lab.tiny
	echo 256 >instance-types/lab.tiny/memory
	reads '256 MiB' instance-types/lab.tiny/memory
	echo '1 GiB' >instance-types/lab.tiny/memory
	echo 3 >instance-types/lab.tiny/vcpus
	refuses EINVAL 'echo many > instance-types/lab.tiny/vcpus'
	refuses ERANGE 'echo 0 > instance-types/lab.tiny/vcpus'
	refuses ERANGE 'echo 1MiB > instance-types/lab.tiny/memory'
	reads 3 instance-types/lab.tiny/vcpus
	rmdir instance-types/lab.tiny
}

@test "keys are made where they are asked for" {
	mkdir key-pairs/alice key-pairs/bob
	echo ed25519 >key-pairs/alice/key-type
	[ "$(stat -c %a key-pairs/alice/private-key)" = 400 ]
	(umask 077; cat key-pairs/alice/private-key >"$W/id")
	[ "$(ssh-keygen -y -f "$W/id" | cut -d' ' -f1,2)" = "$(cut -d' ' -f1,2 key-pairs/alice/public-key)" ]
	mv key-pairs/alice/private-key "$W/moved"
	[ ! -e key-pairs/alice/private-key ]
	cmp "$W/id" "$W/moved"
	echo rsa >key-pairs/bob/key-type
	tells '^([0-9a-f]{2}:){19}[0-9a-f]{2}$' key-pairs/bob/fingerprint
	refuses EEXIST 'echo ed25519 > key-pairs/bob/key-type'
	refuses EINVAL 'echo dsa > key-pairs/bob/key-type'
}

@test "public keys are imported" {
	ssh-keygen -q -t rsa -b 2048 -N '' -f "$W/id"
	mkdir key-pairs/carol
	cp "$W/id.pub" key-pairs/carol/public-key
	reads rsa key-pairs/carol/key-type
	[ ! -e key-pairs/carol/private-key ]
	tells '^([0-9a-f]{2}:){15}[0-9a-f]{2}$' key-pairs/carol/fingerprint
	mkdir key-pairs/dora
	refuses EINVAL 'echo ssh-dss AAAA > key-pairs/dora/public-key'
	tells '^InvalidKeyPair.Format' key-pairs/dora/error
}

@test "tags are files" {
	mkdir instances/web-1
	echo prod >instances/web-1/tags/env
	echo 'two words' >instances/web-1/tags/Name
	reads prod instances/web-1/tags/env
	[ "$(grep -l prod instances/*/tags/env)" = instances/web-1/tags/env ]
	echo test >instances/web-1/tags/env
	reads test instances/web-1/tags/env
	mv instances/web-1/tags/env instances/web-1/tags/stage
	lists 'Name stage' instances/web-1/tags
	rm instances/web-1/tags/stage
	lists Name instances/web-1/tags
	: >instances/web-1/tags/empty
	lists 'Name empty' instances/web-1/tags
	refuses EINVAL 'echo x > instances/web-1/tags/aws:mine'
	refuses EFBIG 'printf "x%.0s" {1..300} > instances/web-1/tags/long'
	for i in {1..48}; do echo "$i" >"instances/web-1/tags/t$i"; done
	refuses EDQUOT 'echo x > instances/web-1/tags/one-more'
}

@test "quotas are a keyed file" {
	tells '^vcpus 64$' quotas
	cp quotas "$W/quotas"
	sed -i 's/^key-pairs .*/key-pairs 1/' quotas
	mkdir key-pairs/one
	refuses EDQUOT 'mkdir key-pairs/two'
	refuses EINVAL 'echo wishes 3 > quotas'
	tells 'there is no quota wishes; read the file' error
	refuses EINVAL 'echo vcpu 3 > quotas'
	tells 'line 1: there is no quota vcpu; did you mean vcpus\?' error
	tells '^key-pairs 1$' quotas
	cat "$W/quotas" >quotas
	mkdir key-pairs/two
}

@test "the story in error is over with the next change there that succeeds, whatever it is" {
	mkdir instances/web-1
	wrong() { refuses EINVAL 'echo t9.huge > instances/web-1/instance-type' && [ -s instances/web-1/error ]; }
	for change in 'echo t3.nano > instances/web-1/instance-type' 'echo a > instances/web-1/tags/x' \
		'echo b > instances/web-1/tags/x' 'mv instances/web-1/tags/x instances/web-1/tags/y' 'rm instances/web-1/tags/y' \
		'ln -s ../../../security-groups/default instances/web-1/security-groups/' \
		'rm instances/web-1/security-groups/default'; do
		wrong
		bash -c "$change"
		reads '' <(cat instances/web-1/error; echo)
	done
	refuses EINVAL 'mkdir key-pairs/.x'
	tells '^InvalidParameterValue' error
	mkdir key-pairs/x
	reads '' <(cat error; echo)
}

@test "a mistyped key of a spec is refused, with a suggestion" {
	mkdir instances/web-1
	refuses EINVAL 'echo "instance-typ t3.nano" > instances/web-1/spec'
	tells 'line 1: there is no instance-typ; did you mean instance-type\?' instances/web-1/error
	refuses EINVAL 'echo "subnets x" > instances/web-1/spec'
	tells 'did you mean subnet\?' instances/web-1/error
	refuses EINVAL 'echo "user-data x" > instances/web-1/spec'
	tells 'spec does not hold user-data, which has a file of its own' instances/web-1/error
}

@test "a mistyped attribute is refused, with a suggestion" {
	mkdir instances/web-1
	refuses ENOENT 'echo x > instances/web-1/instance-typ'
	tells 'did you mean instance-type\?' "$CLOUD/errors"
	refuses EACCES 'echo x > instances/web-1/instance-id'
}

@test "a zone that is not available takes no launches" {
	echo unavailable >availability-zones/us-east-1a/state
	mkdir images/tiny instances/web-1
	head -c 512 /dev/zero >"$W/disk"
	cp "$W/disk" images/tiny/disk
	echo tiny >instances/web-1/image
	refuses ENOMEM 'echo running > instances/web-1/state'
	refuses EINVAL 'echo vmware:// > availability-zones/us-east-1a/compute'
	refuses EINVAL 'echo nowhere > availability-zones/us-east-1a/storage'
}

@test "reading everything changes nothing and never blocks" {
	mkdir instances/web-1 images/x key-pairs/k
	find "$CLOUD" >"$W/one"
	timeout 60 grep -r . "$CLOUD" >/dev/null
	timeout 60 tar -C "$CLOUD" -cf "$W/backup.tar" .
	find "$CLOUD" >"$W/two"
	cmp "$W/one" "$W/two"
	find "$CLOUD" -type f -printf '%s %p\n' | grep -v -e metrics -e events -e errors | while read -r size path; do
		[ "$(wc -c <"$path")" = "$size" ]
	done
}

@test "modes, owners and times are kept, over a restart too" {
	mkdir instances/web-1
	chmod 750 instances/web-1
	chmod 640 instances/web-1/instance-type
	chown 12:34 instances/web-1
	touch -d 2001-02-03T04:05:06Z instances/web-1/instance-type
	inode=$(stat -c %i instances/web-1/instance-type)
	cloud_restart
	[ "$(stat -c '%a %u %g' instances/web-1)" = '750 12 34' ]
	[ "$(stat -c '%a %Y' instances/web-1/instance-type)" = '640 981173106' ]
	[ "$(stat -c %i instances/web-1/instance-type)" = "$inode" ]
}
