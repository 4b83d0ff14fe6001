# A machine in the machine: its disks are logical volumes. Runs in a test host (tests/volumes/lvm-cloud.bats).
load ../lib/cloud

setup()
{
	cloud_paths
	cloud_real
	cloud_start -o stop-timeout=120
	echo lvm:ec2/pool,device=/dev/vdb >availability-zones/us-east-1a/storage
	# Its kernel tells of the disks that come, and of little else: each byte of the console goes through two machines.
	TINY_CMDLINE='loglevel=6' tiny_image
}
teardown() { cloud_stop; }

# The first bytes of a volume, as who reads its device past the host's own memory sees them.
begins()
{
	dd if="volumes/$1/device" bs=4096 count=1 iflag=direct status=none | tr -d '\0'
}

@test "a machine boots from a logical volume, gets another while it runs, and finds both again" {
	mkdir instances/web-1
	printf 'image tiny\ninstance-type t3.nano\n' >"$CLOUD_HOME/spec"
	cp "$CLOUD_HOME/spec" instances/web-1/spec
	echo running >instances/web-1/state
	mkdir volumes/data
	echo 1 >volumes/data/size
	echo running 600 >instances/web-1/wait
	soon 600 grep -q '^Hello from ec2fs' instances/web-1/console
	tells '^ *boots *1' instances/web-1/console
	id=$(cat instances/web-1/instance-id)
	root=$(basename "$(readlink instances/web-1/volumes/xvda)")
	[ "$(virsh -q -c qemu:///system domblklist "$id" | awk '{print $2}')" = "$(readlink "volumes/$root/device")" ]
	[ "$(lvs --noheadings -o lv_name,pool_lv "ec2/$(cat "volumes/$root/volume-id")" | xargs)" = "$(cat "volumes/$root/volume-id") pool" ]

	becomes available volumes/data/state 240
	echo "what is kept" | dd of=volumes/data/device conv=fsync status=none
	ln -s ../../../volumes/data instances/web-1/volumes/sdf
	becomes attached volumes/data/attachment-state 240
	soon 240 grep -q '\[vdb\] 2097152 512-byte logical blocks' instances/web-1/console

	# An encrypted one is exactly as big to the guest; in the pool it is LUKS.
	mkdir volumes/secret
	printf 'size 1\nencrypted true\n' >"$CLOUD_HOME/spec"
	cp "$CLOUD_HOME/spec" volumes/secret/spec
	becomes available volumes/secret/state 240
	ln -s ../../../volumes/secret instances/web-1/volumes/sdg
	becomes attached volumes/secret/attachment-state 240
	soon 240 grep -q '\[vdc\] 2097152 512-byte logical blocks' instances/web-1/console
	[ "$(begins secret | head -c 4)" = LUKS ]
	rm instances/web-1/volumes/sdg
	becomes available volumes/secret/state 240

	# Both at one instant, while it runs.
	echo 'snapshot live' >instances/web-1/ctl
	becomes completed snapshots/live-xvda/state 240
	becomes completed snapshots/live-sdf/state 240
	reads running instances/web-1/state

	echo stopped >instances/web-1/state
	echo stopped 300 >instances/web-1/wait
	echo running >instances/web-1/state
	soon 600 grep -q '^ *boots *2' instances/web-1/console
	[ "$(begins data)" = "what is kept" ]

	# The snapshots are of before.
	mkdir volumes/{root,copy}
	echo live-xvda >volumes/root/snapshot
	echo live-sdf >volumes/copy/snapshot
	becomes available volumes/root/state 240
	becomes available volumes/copy/state 240
	mkdir "$CLOUD_HOME/root"
	mount volumes/root/device "$CLOUD_HOME/root"
	reads 1 "$CLOUD_HOME/root/boots"
	umount "$CLOUD_HOME/root"
	[ "$(begins copy)" = "what is kept" ]

	# Nothing is left when all is removed.
	echo terminated >instances/web-1/state
	echo terminated 300 >instances/web-1/wait
	rm -r volumes/{data,root,copy,secret} snapshots/*
	soon 240 eval '[ -z "$(lvs --noheadings --select segtype=thin ec2)" ]'
}
