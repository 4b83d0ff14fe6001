# Encrypted volumes of real machines under libvirt.
load ../lib/cloud

setup()
{
	cloud_paths
	cloud_real
	cloud_start -o stop-timeout=40
	# The guest's kernel tells of the disks that come and grow.
	TINY_CMDLINE='loglevel=7' tiny_image
}
teardown() { cloud_stop; }

# sealed NAME: launches a machine with an encrypted root volume, whose guest looks at its second disk at each boot:
# it writes a pattern there, or tells that it is there.
sealed()
{
	cat >"$CLOUD_HOME/script" <<'END'
#!/bin/sh
rm -f /volume/.user-data-*
sync
until [ -e /dev/vdb ]; do sleep 0.2; done
if dd if=/dev/vdb bs=1M skip=3 count=1 2>/dev/null | grep -q 'a secret of [t]he guest'; then
	echo "the secret is there"
else
	yes 'a secret of the guest' | head -c 1048576 | dd of=/dev/vdb bs=1M seek=3 conv=fsync 2>/dev/null
	echo "the secret is written"
fi
END
	mkdir "instances/$1"
	printf 'image %s\ninstance-type t3.nano\n' "${2:-tiny}" >"$CLOUD_HOME/spec"
	cp "$CLOUD_HOME/spec" "instances/$1/spec"
	cp "$CLOUD_HOME/script" "instances/$1/user-data"
	echo '/dev/xvda encrypted' >"instances/$1/block-device-mappings"
	echo running >"instances/$1/state"
	echo running 90 >"instances/$1/wait"
}

# lacks TEXT FILE
lacks() { [ "$(grep -c "$1" "$2")" = 0 ]; }

# libvirtd has none of our keys.
no_keys_left()
{
	local uuid

	for uuid in $(virsh -q -c qemu:///system secret-list | awk '{ print $1 }'); do
		[ "$(virsh -q -c qemu:///system secret-dumpxml "$uuid" 2>/dev/null | grep -c 'ec2fs: for one call')" = 0 ] || return 1
	done
}

# said NAME COUNT TEXT: waits until the console has that line so often.
said() { soon 120 eval "[ \$(grep -c '$3' instances/$1/console) = $2 ]"; }

@test "what a guest writes to an encrypted volume the host's disk does not have; stop, growth, snapshot, daemon" {
	mkdir volumes/data
	printf 'size 1\nencrypted true\n' >"$CLOUD_HOME/spec"
	cp "$CLOUD_HOME/spec" volumes/data/spec
	becomes available volumes/data/state 20
	sealed web-1
	[ "$(head -c 4 instances/web-1/volumes/xvda/device)" = LUKS ]
	ln -s ../../../volumes/data instances/web-1/volumes/sdf
	becomes attached volumes/data/attachment-state 30
	# Exactly as big as it is called.
	soon 90 grep -q '\[vdb\] 2097152 512-byte logical blocks' instances/web-1/console
	said web-1 1 'the secret is written'
	[ "$(head -c 4 volumes/data/device)" = LUKS ]
	lacks 'a secret of the guest' volumes/data/device
	lacks 'user-data' instances/web-1/volumes/xvda/device
	# libvirtd keeps no key.
	soon 20 no_keys_left

	mkdir volumes/data/snapshots/now
	becomes completed snapshots/data-now/state 60
	tells 'a secret of the guest' <(dd if=snapshots/data-now/disk bs=1M skip=3 count=1 status=none | head -n 1)
	echo 2 >volumes/data/size
	becomes completed volumes/data/modification-state 20
	soon 20 grep -qE 'vdb.* 4194304 512-byte' instances/web-1/console
	cloud_restart -o stop-timeout=40
	reads attached volumes/data/attachment-state
	echo stopped >instances/web-1/state
	echo stopped 60 >instances/web-1/wait
	echo running >instances/web-1/state
	echo running 90 >instances/web-1/wait
	soon 90 grep -q '^ *boots *2' instances/web-1/console
	said web-1 1 'the secret is there'
	rm instances/web-1/volumes/sdf
	becomes available volumes/data/state 60

	# An image of it, and a volume of the snapshot, in another machine.
	echo stopped >instances/web-1/state
	echo stopped 60 >instances/web-1/wait
	mkdir images/gold volumes/copy
	echo web-1 >images/gold/source-instance
	becomes available images/gold/state 60
	echo data-now >volumes/copy/snapshot
	becomes available volumes/copy/state 20
	sealed web-2 gold
	ln -s ../../../volumes/copy instances/web-2/volumes/sdf
	said web-2 1 'the secret is there'
	soon 90 grep -q '^ *boots *3' instances/web-2/console
	lacks 'a secret of the guest' volumes/copy/device
}

@test "two running machines have one encrypted volume; one sleeps and wakes with it" {
	mkdir volumes/shared
	printf 'volume-type io2\niops 100\nmulti-attach-enabled true\nsize 4\nencrypted true\n' >"$CLOUD_HOME/spec"
	cp "$CLOUD_HOME/spec" volumes/shared/spec
	becomes available volumes/shared/state 20
	sealed web-1
	ln -s ../../../volumes/shared instances/web-1/volumes/sdf
	said web-1 1 'the secret is written'
	sealed web-2
	ln -s ../../../volumes/shared instances/web-2/volumes/sdf
	said web-2 1 'the secret is there'
	rmdir instances/web-2
}
