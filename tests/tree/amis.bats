# Images from instances and snapshots, and the disks that a launch makes, on the simulated provider.
load ../lib/cloud

setup()
{
	cloud_start -o stop-timeout=1
	W=$CLOUD_HOME
	head -c 1M /dev/urandom >"$W/disk"
	mkdir images/tiny
	cp "$W/disk" images/tiny/disk
}
teardown() { cloud_stop; }

@test "what an image is made from is told once" {
	reads false images/tiny/no-reboot
	mkdir images/gold instances/web-1
	refuses ENOENT 'echo web-2 > images/gold/source-instance'
	tells '^InvalidInstanceID.NotFound: .*did you mean web-1' images/gold/error
	refuses EBUSY 'echo web-1 > images/gold/source-instance'
	tells '^IncorrectInstanceState: .*the instance is draft' images/gold/error
	refuses ENOENT 'echo none > images/gold/source-snapshot'
	refuses EBUSY 'echo web-1 > images/tiny/source-instance'
	tells '^IncorrectState: .*has a disk already' images/tiny/error
	refuses EINVAL 'echo perhaps > images/gold/no-reboot'
	reads pending images/gold/state
	lists '' snapshots
}

@test "an image of a stopped instance has a snapshot of each of its volumes" {
	mkdir instances/web-1
	printf 'image tiny\ninstance-type t3.nano\n' >instances/web-1/spec
	echo running >instances/web-1/state
	echo running >instances/web-1/wait
	echo stopped >instances/web-1/state
	echo stopped >instances/web-1/wait
	mkdir images/gold
	echo web-1 >images/gold/source-instance
	lists gold-xvda snapshots
	reads web-1 images/gold/source-instance
	tells '^/dev/xvda snapshot:gold-xvda type=gp3 delete-on-termination=true$' images/gold/block-device-mappings
	tells '^(pending|available)$' images/gold/state
	refuses EBUSY 'rmdir snapshots/gold-xvda'
	tells '^InvalidSnapshot.InUse' snapshots/gold-xvda/error
	mv snapshots/gold-xvda snapshots/root
	tells '^/dev/xvda snapshot:root ' images/gold/block-device-mappings
	# Deregistering leaves the snapshot, and what runs.
	rmdir images/gold
	lists root snapshots
	reads stopped instances/web-1/state
	rmdir snapshots/root
}

@test "mappings are kept as they were written, and checked line by line" {
	mkdir snapshots/data
	cp "$W/disk" snapshots/data/disk
	printf '# what every instance gets\n/dev/sdf   snapshot:data  type=gp2   # its data\n\nsdg size:7\n' >"$W/map"
	cp "$W/map" images/tiny/block-device-mappings
	cmp "$W/map" images/tiny/block-device-mappings
	printf 'sdh size:1\n' >>images/tiny/block-device-mappings
	tells '^sdh size:1$' images/tiny/block-device-mappings
	printf '/dev/sdf snapshot:dada\n' >"$W/bad"
	refuses ENOENT 'cp "$CLOUD_HOME/bad" images/tiny/block-device-mappings'
	tells '^InvalidSnapshot.NotFound: .*line 1: .*did you mean data' images/tiny/error
	printf '# fine\nsdf size:1\nsdg 8\n' >"$W/bad"
	refuses EINVAL 'cp "$CLOUD_HOME/bad" images/tiny/block-device-mappings'
	tells '^InvalidBlockDeviceMapping: .*line 3: "8": after the device comes' images/tiny/error
	tells '^sdh size:1$' images/tiny/block-device-mappings
	refuses EBUSY 'rmdir snapshots/data'
	sed -i '/snapshot:data/d' images/tiny/block-device-mappings
	rmdir snapshots/data
}

@test "a launch that cannot have its disks is refused" {
	mkdir instances/web-1
	printf 'image tiny\ninstance-type t3.nano\n' >instances/web-1/spec
	echo '/dev/xvda none' >instances/web-1/block-device-mappings
	refuses EINVAL 'echo running > instances/web-1/state'
	tells '^InvalidBlockDeviceMapping: .*/dev/xvda is the root device' instances/web-1/error
	echo '/dev/xvda size:200 type=sc1' >instances/web-1/block-device-mappings
	refuses EOPNOTSUPP 'echo running > instances/web-1/state'
	tells '^BootForVolumeTypeUnsupported' instances/web-1/error
	echo '/dev/xvda size:200000' >"$W/big"
	refuses EINVAL 'cp "$CLOUD_HOME/big" instances/web-1/block-device-mappings'
	echo '/dev/xvda size:100 type=io1 iops=5001' >instances/web-1/block-device-mappings
	refuses ERANGE 'echo running > instances/web-1/state'
	reads draft instances/web-1/state
	lists '' volumes
}

@test "a launch makes its root volume as it is mapped" {
	mkdir instances/web-1
	printf 'image tiny\ninstance-type t3.nano\n' >instances/web-1/spec
	echo '/dev/xvda size:12 type=gp2 delete-on-termination=false' >instances/web-1/block-device-mappings
	echo running >instances/web-1/state
	echo running >instances/web-1/wait
	reads '12 GiB' instances/web-1/volumes/xvda/size
	reads gp2 instances/web-1/volumes/xvda/volume-type
	reads 100 instances/web-1/volumes/xvda/iops
	refuses EBUSY 'echo sdf size:1 > instances/web-1/block-device-mappings'
	volume=$(basename "$(readlink instances/web-1/volumes/xvda)")
	echo terminated >instances/web-1/state
	echo terminated >instances/web-1/wait
	reads available "volumes/$volume/state"
	rmdir "volumes/$volume"
}

@test "instance store is what a type says" {
	reads 1x75 instance-types/m5d.large/instance-storage
	mkdir instance-types/lab.store
	echo 2x1 >instance-types/lab.store/instance-storage
	refuses EINVAL 'echo 2 > instance-types/lab.store/instance-storage'
	refuses EINVAL 'echo 99x1 > instance-types/lab.store/instance-storage'
	reads 2x1 instance-types/lab.store/instance-storage
	echo >instance-types/lab.store/instance-storage
	[ -z "$(cat instance-types/lab.store/instance-storage)" ]
}

@test "an image of a running instance restarts it, or not; what it makes begins as it was" {
	mkdir instances/web-1
	printf 'image tiny\ninstance-type t3.nano\n' >instances/web-1/spec
	echo running >instances/web-1/state
	echo running >instances/web-1/wait
	launched=$(grep -c 'Linux version' instances/web-1/console)
	mkdir images/live images/gold
	echo true >images/live/no-reboot
	echo web-1 >images/live/source-instance
	echo available 30 >images/live/wait
	reads available images/live/state
	[ "$(grep -c 'Linux version' instances/web-1/console)" = "$launched" ]
	echo web-1 >images/gold/source-instance
	becomes available images/gold/state 10
	echo running >instances/web-1/wait
	[ "$(grep -c 'Linux version' instances/web-1/console)" = $((launched + 1)) ]
	mkdir instances/web-2
	printf 'image gold\ninstance-type t3.nano\n' >instances/web-2/spec
	echo running >instances/web-2/state
	echo running >instances/web-2/wait
	cmp -n $((1 << 20)) instances/web-2/volumes/xvda/device "$W/disk"
	refuses EOPNOTSUPP 'mkdir instances/web-3 && echo gold > instances/web-3/image && echo t3.nano > instances/web-3/instance-type && echo /dev/xvda encrypted > instances/web-3/block-device-mappings && echo running > instances/web-3/state'
}

@test "the instance store is there while the machine is" {
	mkdir instance-types/lab.store instances/web-1
	echo 1 >instance-types/lab.store/vcpus
	echo 512 MiB >instance-types/lab.store/memory
	echo 2x1 >instance-types/lab.store/instance-storage
	printf 'image tiny\ninstance-type lab.store\n' >instances/web-1/spec
	echo running >instances/web-1/state
	echo running >instances/web-1/wait
	[ "$(find "$STATE/volumes" -name 'vol-*' | wc -l)" = 3 ]
	echo stopped >instances/web-1/state
	echo stopped >instances/web-1/wait
	[ "$(find "$STATE/volumes" -name 'vol-*' | wc -l)" = 1 ]
	echo running >instances/web-1/state
	echo running >instances/web-1/wait
	rmdir instances/web-1
	soon 10 eval '[ "$(ls "$STATE/volumes")" = "" ]'
}
