# Storage that cannot be reached, and what lies in it that no record names.
load ../lib/cloud

setup() { cloud_start; }
teardown()
{
	cloud_stop
	! mountpoint -q "$CLOUD_HOME/disk" || umount "$CLOUD_HOME/disk"
}

@test "a volume, a snapshot and an instance wait for storage that is not there, and say so" {
	mkdir availability-zones/us-east-1b
	echo "file:$CLOUD_HOME/disk/volumes" >availability-zones/us-east-1b/storage
	mkdir volumes/data
	printf 'availability-zone us-east-1b\nsize 1\n' >"$CLOUD_HOME/spec"
	cp "$CLOUD_HOME/spec" volumes/data/spec
	soon 10 grep -q '^Server.Unavailable: the storage of us-east-1b cannot be reached: .*it is tried again$' volumes/data/state-reason
	reads creating volumes/data/state
	mkdir images/tiny
	truncate -s 1M images/tiny/disk
	mkdir instances/web-1
	printf 'image tiny\ninstance-type t3.nano\navailability-zone us-east-1b\n' >"$CLOUD_HOME/spec"
	cp "$CLOUD_HOME/spec" instances/web-1/spec
	echo running >instances/web-1/state
	soon 10 grep -q 'disk/volumes' instances/web-1/state-reason
	reads pending instances/web-1/state
	# The next life waits on.
	cloud_kill
	cloud_start
	reads creating volumes/data/state
	mkdir "$CLOUD_HOME/disk"
	becomes available volumes/data/state 30
	echo running 60 >instances/web-1/wait
	reads '' <(cat volumes/data/state-reason instances/web-1/state-reason; echo)
	mkdir volumes/data/snapshots/now
	becomes completed snapshots/data-now/state 10
}

@test "a directory whose disk is not mounted is not taken for an empty one" {
	mkdir "$CLOUD_HOME/disk" availability-zones/us-east-1b volumes/{data,new}
	mount -t tmpfs tmpfs "$CLOUD_HOME/disk" || skip "nothing can be mounted here"
	echo "file:$CLOUD_HOME/disk" >availability-zones/us-east-1b/storage
	printf 'availability-zone us-east-1b\nsize 1\n' >"$CLOUD_HOME/spec"
	cp "$CLOUD_HOME/spec" volumes/data/spec
	becomes available volumes/data/state 30
	cloud_unmount
	umount "$CLOUD_HOME/disk"
	cloud_start
	cp "$CLOUD_HOME/spec" volumes/new/spec
	echo 2 >volumes/data/size
	mkdir volumes/data/snapshots/now
	for asked in volumes/{data,new} snapshots/data-now; do
		soon 30 grep -q "^Server.Unavailable: .* $CLOUD_HOME/disk has none of its volumes: mount its disk; " $asked/state-reason
	done
	reads creating volumes/new/state
	[ -z "$(ls -A "$CLOUD_HOME/disk")" ]
	# They are lost, as far as this test goes: who says so begins anew.
	tells 'where they are lost, write [-0-9a-f]{36} to ' volumes/new/state-reason
	grep -oE '[0-9a-f]{8}-[-0-9a-f]{27}' volumes/new/state-reason | head -1 >"$CLOUD_HOME/disk/.owner"
	becomes available volumes/new/state 30
	becomes failed volumes/data/modification-state 30
}

@test "a start removes volumes that no record names, and nothing else" {
	mkdir volumes/data
	echo 1 >volumes/data/size
	becomes available volumes/data/state 10
	mkdir volumes/data/snapshots/now
	becomes completed snapshots/data-now/state 10
	there=$(ls "$STATE/volumes")
	cloud_unmount
	cd "$STATE/volumes"
	truncate -s 1M vol-00000000000000001.raw snap-00000000000000002.raw vol-00000000000000003.part
	# Somebody else's.
	truncate -s 1M notes.raw vol-00000000000000004
	cloud_start
	soon 10 eval '[ ! -e "$STATE/volumes/vol-00000000000000001.raw" ]'
	soon 10 eval '[ ! -e "$STATE/volumes/snap-00000000000000002.raw" ]'
	tells 'removed vol-00000000000000001, which no record names' "$CLOUD_HOME/log"
	rm "$STATE/volumes/notes.raw" "$STATE/volumes/vol-00000000000000004"
	[ "$(ls "$STATE/volumes")" = "$there" ]
}

@test "zones that name one directory in two spellings share it" {
	mkdir -p "$CLOUD_HOME/disk" availability-zones/us-east-1{b,c}
	echo "file:$CLOUD_HOME/disk" >availability-zones/us-east-1b/storage
	alone=$(stat -f -c %b availability-zones/us-east-1b)
	all=$(stat -f -c %b .)
	echo "file:$CLOUD_HOME/./disk/" >availability-zones/us-east-1c/storage
	for zone in b c; do
		mkdir volumes/data-$zone
		printf "availability-zone us-east-1$zone\nsize 1\n" >"$CLOUD_HOME/spec"
		cp "$CLOUD_HOME/spec" volumes/data-$zone/spec
		becomes available volumes/data-$zone/state 10
	done
	[ -e "$CLOUD_HOME/disk/$(cat volumes/data-b/volume-id).raw" ]
	[ -e "$CLOUD_HOME/disk/$(cat volumes/data-c/volume-id).raw" ]
	# Room is not counted twice.
	[ "$(stat -f -c %b availability-zones/us-east-1c)" = "$alone" ]
	[ "$(stat -f -c %b .)" = "$all" ]
	# What one zone is making is no leftover to the other, which is first looked at by a start.
	cloud_restart
	for zone in c b; do
		mkdir volumes/more-$zone
		cp "$CLOUD_HOME/spec" volumes/more-$zone/spec
		becomes available volumes/more-$zone/state 10
	done
	! grep 'which no record names' "$CLOUD_HOME/log"
}

@test "a volume that no record names stays while QEMU has it" {
	command -v qemu-io >/dev/null || skip "qemu-io is not installed"
	mkdir volumes/data
	echo 1 >volumes/data/size
	becomes available volumes/data/state 10
	cloud_unmount
	truncate -s 1M "$STATE/volumes/vol-00000000000000001.raw"
	coproc QEMU { exec qemu-io -f raw "$STATE/volumes/vol-00000000000000001.raw" 3>&- 4>&-; }
	qemu=$QEMU_PID
	echo 'read 0 512' >&"${QEMU[1]}"
	read -r -t 30 _ <&"${QEMU[0]}"
	cloud_start
	soon 10 grep -q 'vol-00000000000000001, which no record names, is in use: it stays' "$CLOUD_HOME/log"
	[ -e "$STATE/volumes/vol-00000000000000001.raw" ]
	kill "$qemu"
	cloud_restart
	soon 10 eval '[ ! -e "$STATE/volumes/vol-00000000000000001.raw" ]'
	reads available volumes/data/state
}
