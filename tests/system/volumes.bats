# Volumes of real machines under libvirt.
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

launch()
{
	mkdir "instances/$1"
	printf 'image %s\ninstance-type t3.nano\n' "${2:-tiny}" >"$CLOUD_HOME/spec"
	cp "$CLOUD_HOME/spec" "instances/$1/spec"
	echo running >"instances/$1/state"
	echo running 90 >"instances/$1/wait"
}

# disks_of NAME: how many disks libvirt gives the machine.
disks_of()
{
	virsh -q -c qemu:///system domblklist "$(cat "instances/$1/instance-id")" | wc -l
}

@test "a volume comes to a running machine, grows there, and goes" {
	launch web-1
	soon 90 grep -q '^Hello from ec2fs' instances/web-1/console
	mkdir volumes/data
	echo 1 >volumes/data/size
	becomes available volumes/data/state 20
	ln -s ../../../volumes/data instances/web-1/volumes/sdf
	becomes attached volumes/data/attachment-state 20
	soon 20 grep -q '\[vdb\] 2097152 512-byte logical blocks' instances/web-1/console
	[ "$(disks_of web-1)" = 2 ]

	# What gp3 has, whoever asks.
	id=$(cat instances/web-1/instance-id)
	tells 'total_iops_sec *: 3000$' <(virsh -c qemu:///system blkdeviotune "$id" vdb)
	printf 'size 8\niops 4000\n' >"$CLOUD_HOME/bigger"
	cp "$CLOUD_HOME/bigger" volumes/data/spec
	becomes completed volumes/data/modification-state 20
	tells 'total_iops_sec *: 4000$' <(virsh -c qemu:///system blkdeviotune "$id" vdb)
	soon 20 grep -qE 'vdb.* 16777216 512-byte' instances/web-1/console

	# A daemon that comes back finds all as it was.
	cloud_restart -o stop-timeout=40
	reads attached volumes/data/attachment-state
	rm instances/web-1/volumes/sdf
	becomes available volumes/data/state 30
	[ "$(disks_of web-1)" = 1 ]
	# And it comes again.
	ln -s ../../../volumes/data instances/web-1/volumes/sdg
	becomes attached volumes/data/attachment-state 20
	rmdir instances/web-1
	becomes available volumes/data/state 30
	reads '8 GiB' volumes/data/size
	rmdir volumes/data
}

@test "snapshots of a running machine's volumes, and what is made from them" {
	launch web-1
	soon 90 grep -q '^ *boots *1' instances/web-1/console
	mkdir volumes/data
	echo 1 >volumes/data/size
	becomes available volumes/data/state 20
	ln -s ../../../volumes/data instances/web-1/volumes/sdf
	becomes attached volumes/data/attachment-state 20
	echo 'snapshot now' >instances/web-1/ctl
	becomes completed snapshots/now-xvda/state 60
	becomes completed snapshots/now-sdf/state 60
	id=$(cat instances/web-1/instance-id)
	[ "$(virsh -q -c qemu:///system domstate "$id" | head -n 1)" = running ]

	mkdir volumes/copy
	echo now-xvda >volumes/copy/snapshot
	becomes available volumes/copy/state 60
	cmp volumes/copy/device snapshots/now-xvda/disk

	# The root volume's content boots: it was booted once before.
	mkdir images/gold
	echo true >images/gold/no-reboot
	echo web-1 >images/gold/source-instance
	becomes available images/gold/state 60
	launch web-2 gold
	soon 90 grep -q '^ *boots *2' instances/web-2/console
	rmdir snapshots/now-xvda snapshots/now-sdf
	lists 'gold-sdf gold-xvda' snapshots
}

@test "an image of a running machine restarts it; instance store comes and goes" {
	mkdir instance-types/lab.store
	echo 1 >instance-types/lab.store/vcpus
	echo 512 MiB >instance-types/lab.store/memory
	echo 1x1 >instance-types/lab.store/instance-storage
	mkdir instances/web-1
	printf 'image tiny\ninstance-type lab.store\n' >"$CLOUD_HOME/spec"
	cp "$CLOUD_HOME/spec" instances/web-1/spec
	echo running >instances/web-1/state
	echo running 90 >instances/web-1/wait
	soon 90 grep -q '^ *boots *1' instances/web-1/console
	tells '\[vdb\] 195[0-9]* 512-byte' instances/web-1/console
	mkdir images/gold
	echo web-1 >images/gold/source-instance
	becomes available images/gold/state 90
	echo running 90 >instances/web-1/wait
	soon 90 grep -q '^ *boots *2' instances/web-1/console
	echo stopped >instances/web-1/state
	echo stopped 60 >instances/web-1/wait
	[ "$(find "$STATE/volumes" -name 'vol-*' | wc -l)" = 1 ]
}

@test "two running machines have one volume" {
	launch web-1
	launch web-2
	mkdir volumes/shared
	printf 'volume-type io2\niops 100\nmulti-attach-enabled true\nsize 4\n' >"$CLOUD_HOME/spec"
	cp "$CLOUD_HOME/spec" volumes/shared/spec
	becomes available volumes/shared/state 20
	for i in web-1 web-2; do
		soon 90 grep -q '^Hello from ec2fs' instances/$i/console
		ln -s ../../../volumes/shared instances/$i/volumes/sdf
		soon 20 eval "[ \$(disks_of $i) = 2 ]"
		soon 20 grep -q '\[vdb\] 8388608 512-byte' instances/$i/console
	done
	tells '^web-2 /dev/sdf attached$' volumes/shared/attachments
	rm instances/web-1/volumes/sdf
	soon 30 eval "[ \$(disks_of web-1) = 1 ]"
	reads in-use volumes/shared/state
}
