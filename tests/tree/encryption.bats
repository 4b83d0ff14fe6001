# Encrypted volumes: their keys, what is made of each other, what is on the host's disk.
load ../lib/cloud

setup()
{
	cloud_start
	KEYS=$STATE/volume-keys
	# Something of which every block tells where it is.
	seq -f 'a line of the content, number %09.0f' 60000 >"$CLOUD_HOME/content"
	truncate -s 4M "$CLOUD_HOME/content"
}
teardown() { cloud_stop; }

# snapshot_of NAME: takes one of the volume, called NAME-now.
snapshot_of()
{
	mkdir "volumes/$1/snapshots/now"
	becomes completed "snapshots/$1-now/state" 10
}

# volume NAME ATTRIBUTE VALUE [ATTRIBUTE VALUE]…
volume()
{
	local name=$1

	shift
	printf '%s %s\n' "$@" >"$CLOUD_HOME/spec"
	mkdir "volumes/$name"
	cp "$CLOUD_HOME/spec" "volumes/$name/spec"
	becomes available "volumes/$name/state" 10
}

# lacks TEXT FILE…
lacks() { [ "$(cat "${@:2}" | grep -c "$1")" = 0 ]; }

# is_luks FILE GIB: with a size that is that of what is in it, and 4 MiB.
is_luks()
{
	[ "$(head -c 4 "$1")" = LUKS ]
	[ "$(stat -L -c %s "$1")" = $((($2 << 30) + (4 << 20))) ]
}

@test "a volume is encrypted under a key of its own, which goes with the last that was made of it" {
	mkdir volumes/data
	echo true >volumes/data/encrypted
	echo 1 >volumes/data/size
	becomes available volumes/data/state 10
	reads true volumes/data/encrypted
	is_luks volumes/data/device 1
	id=$(cat volumes/data/volume-id)
	[ "$(ls "$KEYS")" = "$id" ]
	[ "$(stat -c '%a %s' "$KEYS/$id")" = '600 64' ]
	[ "$(stat -c %a "$KEYS")" = 700 ]
	refuses EBUSY 'echo false > volumes/data/encrypted'
	# Two have nothing in common.
	volume other encrypted true size 1
	[ "$(cat "$KEYS/$id")" != "$(cat "$KEYS/$(cat volumes/other/volume-id)")" ]
	rmdir volumes/other
	soon 10 eval '[ "$(ls "$KEYS")" = "$id" ]'

	snapshot_of data
	reads true snapshots/data-now/encrypted
	[ "$(stat -c %s snapshots/data-now/disk)" = $((1 << 30)) ]
	# What is encrypted stays so, whatever is asked for, under the same key.
	volume copy snapshot data-now encrypted false
	reads true volumes/copy/encrypted
	rmdir volumes/data
	rmdir snapshots/data-now
	soon 10 eval '[ -z "$(find "$STATE/volumes" -name "snap-*")" ]'
	[ "$(ls "$KEYS")" = "$id" ]
	cloud_restart
	[ "$(ls "$KEYS")" = "$id" ]
	snapshot_of copy
	rmdir snapshots/copy-now volumes/copy
	soon 10 eval '[ -z "$(ls "$KEYS")" ]'
}

@test "an encrypted copy of what is not; reading it gives what it was; growth, the other zone, a filesystem" {
	mkdir snapshots/plain
	cp "$CLOUD_HOME/content" snapshots/plain/disk
	becomes completed snapshots/plain/state 10
	volume sealed snapshot plain encrypted true
	is_luks volumes/sealed/device 1
	lacks 'a line of the content' volumes/sealed/device
	snapshot_of sealed
	lacks 'a line of the content' "$STATE"/volumes/snap-*
	cmp -n $((4 << 20)) snapshots/sealed-now/disk "$CLOUD_HOME/content"
	[ "$(dd if=snapshots/sealed-now/disk bs=1 skip=1000003 count=37 status=none)" = \
		"$(dd if="$CLOUD_HOME/content" bs=1 skip=1000003 count=37 status=none)" ]
	# What nobody has written is a hole.
	cp snapshots/sealed-now/disk "$CLOUD_HOME/copy"
	[ "$(stat -c '%s' "$CLOUD_HOME/copy")" = $((1 << 30)) ]
	[ "$(stat -c %b "$CLOUD_HOME/copy")" -lt $((16 << 11)) ]
	[ "$(stat -c %b snapshots/sealed-now/disk)" -lt $((16 << 11)) ]
	cmp "$CLOUD_HOME/copy" snapshots/sealed-now/disk
	rm "$CLOUD_HOME/copy"
	# It leaves the cloud in the clear, and comes back as what it is.
	mkdir snapshots/back
	cp --sparse=always snapshots/sealed-now/disk "$CLOUD_HOME/backup"
	[ "$(stat -c %b "$CLOUD_HOME/backup")" -lt $((16 << 11)) ]
	head -c 8M "$CLOUD_HOME/backup" >snapshots/back/disk
	becomes completed snapshots/back/state 20
	reads false snapshots/back/encrypted
	cmp -n $((8 << 20)) snapshots/back/disk snapshots/sealed-now/disk

	echo 2 >volumes/sealed/size
	becomes completed volumes/sealed/modification-state 10
	is_luks volumes/sealed/device 2
	mkdir availability-zones/us-east-1b
	echo "file:$STATE/other" >availability-zones/us-east-1b/storage
	volume far snapshot sealed-now availability-zone us-east-1b size 3
	is_luks volumes/far/device 3
	snapshot_of far
	cmp -n $((4 << 20)) snapshots/far-now/disk "$CLOUD_HOME/content"

	command -v mke2fs >/dev/null || PATH=$PATH:/sbin:/usr/sbin
	command -v mke2fs >/dev/null || skip "mke2fs is not installed"
	mke2fs -q -F -t ext4 -L database "$CLOUD_HOME/content" 4M
	mkdir snapshots/made
	cp "$CLOUD_HOME/content" snapshots/made/disk
	becomes completed snapshots/made/state 10
	volume database snapshot made encrypted true
	tells '^type ext4$' volumes/database/filesystem
	tells '^label database$' volumes/database/filesystem
}

@test "a key that is lost is told, and nothing is made of what it opened" {
	volume data encrypted true size 1
	snapshot_of data
	mv "$KEYS/$(cat volumes/data/volume-id)" "$CLOUD_HOME/key"
	refuses EIO 'cat snapshots/data-now/disk'
	reads '' <(cat volumes/data/filesystem; echo)
	mv "$CLOUD_HOME/key" "$KEYS/$(cat volumes/data/volume-id)"
	[ "$(head -c 1M snapshots/data-now/disk | wc -c)" = $((1 << 20)) ]
}

@test "a daemon that is killed while it encrypts does it again" {
	head -c 32M /dev/urandom >"$CLOUD_HOME/content"
	mkdir snapshots/plain
	cp "$CLOUD_HOME/content" snapshots/plain/disk
	becomes completed snapshots/plain/state 10
	mkdir volumes/sealed
	printf 'snapshot plain\nencrypted true\n' >"$CLOUD_HOME/spec"
	cp "$CLOUD_HOME/spec" volumes/sealed/spec
	cloud_kill
	cloud_start
	becomes available volumes/sealed/state 20
	snapshot_of sealed
	cmp -n $((32 << 20)) snapshots/sealed-now/disk "$CLOUD_HOME/content"
	[ "$(ls "$KEYS")" = "$(cat volumes/sealed/volume-id)" ]
}
