# Snapshots as files, on the simulated provider: taken, imported, used, removed.
load ../lib/cloud

setup()
{
	cloud_start -o stop-timeout=1
	W=$CLOUD_HOME
	head -c 3M /dev/urandom >"$W/disk"
}
teardown()
{
	cloud_stop
	[ -z "${ELSEWHERE-}" ] || rm -r "$ELSEWHERE"
}

# stopped NAME: an instance that was launched and stopped; VOLUME is its root volume.
stopped()
{
	mkdir -p images/tiny
	[ -s images/tiny/disk ] || cp "$W/disk" images/tiny/disk
	mkdir "instances/$1"
	echo tiny >"instances/$1/image"
	echo t3.nano >"instances/$1/instance-type"
	echo running >"instances/$1/state"
	echo running >"instances/$1/wait"
	echo stopped >"instances/$1/state"
	echo stopped >"instances/$1/wait"
	VOLUME=$(basename "$(readlink "instances/$1/volumes/xvda")")
	export VOLUME
}

@test "mkdir below a volume takes a snapshot, which is the region's" {
	stopped web-1
	mv "volumes/$VOLUME" volumes/data
	mkdir volumes/data/snapshots/monday
	lists data-monday snapshots
	[ "$(readlink volumes/data/snapshots/monday)" = ../../../snapshots/data-monday ]
	reads data volumes/data/snapshots/monday/volume
	echo completed 30 >snapshots/data-monday/wait
	reads completed snapshots/data-monday/state
	refuses EINVAL 'echo running > snapshots/data-monday/wait'
	tells 'wait for .completed.' snapshots/data-monday/error
	reads '1 GiB' snapshots/data-monday/size
	reads false snapshots/data-monday/encrypted
	tells '^20..-..-..T' snapshots/data-monday/start-time
	tells '^snap-[0-9a-f]{17}$' snapshots/data-monday/snapshot-id
	[ "$(readlink "by-id/$(cat snapshots/data-monday/snapshot-id)")" = ../snapshots/data-monday ]
	refuses EEXIST 'mkdir volumes/data/snapshots/monday'
	# By the region's directory too.
	mkdir snapshots/tuesday
	reads draft snapshots/tuesday/state
	refuses ENOENT 'echo date > snapshots/tuesday/volume'
	tells '^InvalidVolume.NotFound: .*did you mean data' snapshots/tuesday/error
	echo data >snapshots/tuesday/volume
	tells '^(pending|completed)$' snapshots/tuesday/state
	lists 'monday tuesday' volumes/data/snapshots
	echo backup >volumes/data/snapshots/tuesday/tags/purpose
	reads backup snapshots/tuesday/tags/purpose
	# It follows names, and outlives its volume.
	mv snapshots/data-monday snapshots/first
	[ "$(readlink volumes/data/snapshots/monday)" = ../../../snapshots/first ]
	rm instances/web-1/volumes/xvda
	id=$(cat volumes/data/volume-id)
	rm -r volumes/data
	lists 'first tuesday' snapshots
	reads "$id" snapshots/first/volume
	cloud_restart
	lists 'first tuesday' snapshots
}

@test "a removed link below a volume removes no snapshot" {
	stopped web-1
	mkdir "volumes/$VOLUME/snapshots/monday"
	rm "volumes/$VOLUME/snapshots/monday"
	lists "$VOLUME-monday" snapshots
	rmdir "snapshots/$VOLUME-monday"
	lists '' snapshots
	lists '' "volumes/$VOLUME/snapshots"
	mkdir "volumes/$VOLUME/snapshots/monday"
}

@test "there is nothing to snapshot of a draft" {
	mkdir volumes/data
	refuses EBUSY 'mkdir volumes/data/snapshots/monday'
	tells '^IncorrectState: monday: the volume data is in state draft' volumes/data/error
	lists '' snapshots
	lists '' volumes/data/snapshots
}

@test "all volumes of an instance at once" {
	stopped web-1
	stopped web-2
	mv "volumes/$VOLUME" volumes/data
	rm instances/web-2/volumes/xvda
	ln -s ../../../volumes/data instances/web-1/volumes/sdf
	echo 'snapshot nightly' >instances/web-1/ctl
	lists 'nightly-sdf nightly-xvda' snapshots
	[ "$(readlink volumes/data/snapshots/nightly-sdf)" = ../../../snapshots/nightly-sdf ]
	refuses EEXIST 'echo snapshot nightly > instances/web-1/ctl'
	mkdir instances/draft
	refuses EBUSY 'echo snapshot x > instances/draft/ctl'
	tells '^IncorrectInstanceState' instances/draft/error
}

@test "a disk written into a snapshot is one, and goes where disks go" {
	mkdir snapshots/gold
	cp "$W/disk" snapshots/gold/disk
	reads completed snapshots/gold/state
	reads 100% snapshots/gold/progress
	reads '1 GiB' snapshots/gold/size
	cmp "$W/disk" snapshots/gold/disk
	cp snapshots/gold/disk "$W/backup"
	mkdir snapshots/again images/gold
	cp "$W/backup" snapshots/again/disk
	cmp "$W/disk" snapshots/again/disk
	cp snapshots/gold/disk images/gold/disk
	reads available images/gold/state
	cmp "$W/disk" images/gold/disk
	cp -r snapshots/gold snapshots/copy
	cmp "$W/disk" snapshots/copy/disk
	reads completed snapshots/copy/state
	# What it is stays: the same again is nothing, another is refused.
	cp "$W/disk" snapshots/gold/disk
	{ head -c 1M /dev/zero && cat "$W/disk"; } >"$W/other"
	refuses EBUSY 'cp "$CLOUD_HOME/other" snapshots/gold/disk'
	tells '^IncorrectState' snapshots/gold/error
	refuses EBUSY 'echo none > snapshots/gold/volume'
	rm -r snapshots/gold snapshots/again snapshots/copy
	lists '' snapshots
}

@test "what is no disk makes no snapshot" {
	mkdir snapshots/gold
	gzip -c "$W/disk" >"$W/gz"
	refuses EINVAL 'cp "$CLOUD_HOME/gz" snapshots/gold/disk'
	tells '^InvalidParameterValue: .*gunzip' snapshots/gold/error
	head -c 1000 /dev/zero >"$W/odd"
	refuses EINVAL 'cp "$CLOUD_HOME/odd" snapshots/gold/disk'
	reads draft snapshots/gold/state
	command -v qemu-img >/dev/null || skip "qemu-img is not installed"
	qemu-img create -q -f raw "$W/base" 1M
	qemu-img create -q -f qcow2 -b "$W/base" -F raw "$W/child"
	refuses EINVAL 'cp "$CLOUD_HOME/child" snapshots/gold/disk'
	tells 'backing file' snapshots/gold/error
	qemu-img create -q -f qcow2 "$W/huge" 1T
	# The virtual size, 8 bytes at 24: 2^60.
	printf '\x10\0\0\0\0\0\0\0' | dd of="$W/huge" bs=1 seek=24 conv=notrunc status=none
	refuses EINVAL 'cp "$CLOUD_HOME/huge" snapshots/gold/disk'
	tells '^InvalidParameterValue' snapshots/gold/error
	reads draft snapshots/gold/state
	[ ! -s snapshots/gold/disk ]
	soon 5 eval '[ "$(ls "$STATE/blobs" | wc -l)" = 0 ]'
}

@test "a volume from a snapshot is no smaller; an image keeps the snapshot" {
	cp "$W/disk" "$W/big"
	truncate -s 1025M "$W/big"
	mkdir snapshots/gold
	cp --sparse=always "$W/big" snapshots/gold/disk
	reads '2 GiB' snapshots/gold/size
	mkdir volumes/small volumes/data
	printf 'snapshot gold\nsize 1\n' >"$W/spec"
	refuses ERANGE 'cp "$CLOUD_HOME/spec" volumes/small/spec'
	tells '^InvalidParameterValue: .*the snapshot has 2 GiB' volumes/small/error
	reads draft volumes/small/state
	echo gold >volumes/data/snapshot
	reads '2 GiB' volumes/data/size
	reads gold volumes/data/snapshot
	tells '^(creating|available)$' volumes/data/state

	mkdir images/gold
	echo gold >images/gold/source-snapshot
	reads available images/gold/state
	cmp -n 4M images/gold/disk "$W/big"
	[ "$(stat -c %s images/gold/disk)" = $((1025 << 20)) ]
	refuses EBUSY 'rmdir snapshots/gold'
	tells '^InvalidSnapshot.InUse: .*the image gold needs it' snapshots/gold/error
	rmdir images/gold
	rmdir snapshots/gold
	lists '' snapshots
}

@test "quotas are kept" {
	echo snapshots 1 >quotas
	mkdir snapshots/one
	refuses EDQUOT 'mkdir snapshots/two'
	tells '^SnapshotLimitExceeded|SnapshotLimitExceeded' "$CLOUD/errors"
}

@test "holes are kept by who copies a snapshot out, or an image that begins with it" {
	truncate -s 64M "$W/sparse"
	dd if="$W/disk" of="$W/sparse" bs=1M seek=20 conv=notrunc status=none
	mkdir snapshots/imported volumes/data images/gold
	cp "$W/sparse" snapshots/imported/disk
	becomes completed snapshots/imported/state
	echo imported >images/gold/source-snapshot
	echo imported >volumes/data/snapshot
	becomes available volumes/data/state
	mkdir volumes/data/snapshots/taken
	becomes completed snapshots/data-taken/state
	for disk in {snapshots/{imported,data-taken},images/gold}/disk; do
		[ "$(du -k "$disk" | cut -f1)" -lt 8000 ] || fail "$disk has no holes"
		cp "$disk" "$W/copy"
		[ "$(du -k "$W/copy" | cut -f1)" -lt 8000 ] || fail "the copy of $disk has none"
		cmp -n $((64 << 20)) "$W/sparse" "$W/copy"
		rm "$W/copy"
	done
}

@test "several volumes at once from a snapshot that their zone has not got yet" {
	# Of another file system, so that it is copied, which takes its time.
	ELSEWHERE=$(mktemp -d /dev/shm/ec2fs-test-XXXXXX) || skip "there is no /dev/shm"
	mkdir availability-zones/us-east-1b snapshots/gold volumes/{a,b,c,d}
	echo "file:$ELSEWHERE/volumes" >availability-zones/us-east-1b/storage
	head -c 60M /dev/urandom >"$W/big"
	cp "$W/big" snapshots/gold/disk
	printf 'snapshot gold\navailability-zone us-east-1b\n' >"$W/spec"
	for volume in a b c d; do
		cp "$W/spec" "volumes/$volume/spec" &
		copies="${copies-} $!"
	done
	wait $copies
	for volume in a b c d; do
		soon 30 eval "! grep -qx creating volumes/$volume/state"
		reads available "volumes/$volume/state"
		cmp -n $((60 << 20)) "$W/big" "$(readlink "volumes/$volume/device")"
	done
}
