#!/usr/bin/env bats
# The back end lvm in a test host. Takes up to 1200 s. Beside others.

load lvm

setup_file()
{
	lvm_host
}

teardown_file()
{
	host_stop
}

setup()
{
	lvm_setup
}

# empty: nothing is left of ours, for the next test.
empty()
{
	host 'lvremove -qq --yes --select "segtype=thin && lv_tags=ec2fs.owner=one" ec2 && [ -z "$(lvs --noheadings --select segtype=thin ec2)" ]'
}

@test "a group and a pool are made of an empty disk, and of no other" {
	run tool list
	[ "$status" = 1 ]
	[[ $output == *"No such device (InvalidParameterValue): there is no volume group ec2"*"vgcreate"* ]]
	storage=$storage,device=/dev/vda run tool list
	[[ $output == *"/dev/vda: Device or resource busy"* ]]
	host 'mkfs.ext4 -q -L precious /dev/vdb'
	storage=$storage,device=/dev/vdb run tool list
	[ "$status" = 1 ]
	[[ $output == *'(IncorrectState): /dev/vdb is not empty: it holds ext4 "precious"'*',overwrite'* ]]
	[ "$(host 'blkid -o value -s LABEL /dev/vdb')" = precious ]
	host 'echo "label: gpt" | sfdisk -q --wipe always /dev/vdb && echo , | sfdisk -q /dev/vdb'
	storage=$storage,device=/dev/vdb run tool list
	[[ $output == *'it holds gpt'* ]]
	# Told to, it does.
	storage=$storage,device=/dev/vdb,overwrite tool list
	[ "$(host 'vgs --noheadings -o vg_tags ec2' | tr -d ' ')" = ec2fs.owner=one ]
	run tool capacity
	[ "$status" = 0 ]
	[[ $output == *$'\nrefused 0\nnotice \n'* ]]
}

@test "a disk of another group is never taken" {
	storage=lvm:other/pool,device=/dev/vdb,overwrite run tool list
	[ "$status" = 1 ]
	[[ $output == *"/dev/vdb"* ]]
	[ "$(host 'vgs --noheadings -o vg_name' | tr -d ' ')" = ec2 ]
}

@test "what was cut short while it was made is made again" {
	host 'vgremove -qq --yes --force ec2 && vgcreate -qq --addtag ec2fs.owner=one --addtag ec2fs.making ec2 /dev/vdb &&
		lvcreate -qq --yes -L 100m -n pool ec2'
	storage=$storage,device=/dev/vdb tool list
	[ "$(host 'vgs --noheadings -o vg_tags ec2' | tr -d ' ')" = ec2fs.owner=one ]
	[ "$(host 'lvs --noheadings -o segtype ec2/pool' | tr -d ' ')" = thin-pool ]
}

@test "volumes begin as zeroes, as an image, as a snapshot; they grow, and are wiped" {
	run tool batch <<-END
		create vol-1 $((100 * MIB))
		create vol-2 $((100 * MIB)) image
		import snap-1 image
		clone vol-3 $((48 * MIB)) snap-1
		clone vol-4 $((99 * MIB)) snap-1
		resize vol-3 $((200 * MIB))
		resize vol-3 $((200 * MIB))
		create vol-2 $((100 * MIB)) image
		import snap-1 image
		clone vol-4 $((99 * MIB)) snap-1
		path vol-1
		list
	END
	[ "$status" = 0 ]
	[[ $output == *$'\n/dev/ec2/vol-1\n'* ]]
	[[ $output == *"snapshot snap-1 $((48 * MIB))"* ]]
	[[ $output == *"volume vol-1 $((100 * MIB))"* ]]
	[[ $output == *"volume vol-3 $((200 * MIB))"* ]]
	[[ $output == *"volume vol-4 $((100 * MIB))"* ]]
	begin_as_image /dev/ec2/vol-{2,3,4}
	host "cmp -n $((20 * MIB)) /dev/zero /dev/ec2/vol-1"
	# Refused, and nothing changed.
	run tool batch <<-END
		resize vol-3 $((100 * MIB))
		clone vol-5 $((40 * MIB)) snap-1
		clone vol-5 $((40 * MIB)) snap-5
		create vol-5 $((40 * MIB)) image
		create vol-5 $((40 * MIB)) nothing
		resize vol-5 $((40 * MIB))
		snapshot vol-5 snap-5
		snapshot vol-1 snap-5 vol-5 snap-6
		wipe vol-5
	END
	[ "$status" = 1 ]
	[ "$(grep -c '^failed' <<<"$output")" = 9 ]
	[[ $output == *"resize"*"Invalid argument (InvalidParameterValue): a volume only grows"* ]]
	[[ $output == *"snap-1: Invalid argument (InvalidParameterValue): the snapshot is bigger"* ]]
	[[ $output == *"snap-5: No such file or directory"* ]]
	[ "$(in_pool | wc -l)" = 5 ]
	# A wiped volume is zeroes; what was cloned of it, or it of, is not.
	tool batch <<-END
		snapshot vol-3 snap-3
		wipe vol-3
		clone vol-6 $((200 * MIB)) snap-3
	END
	host "cmp -n $((20 * MIB)) /dev/zero /dev/ec2/vol-3"
	begin_as_image /dev/ec2/vol-6
	empty
}

@test "an image that does not end with a sector comes over whole, and nothing behind it" {
	host "dd if=/dev/urandom of=odd bs=1000 count=3000 status=none && truncate -s $((5 * MIB + 777)) odd &&
		printf end | dd of=odd bs=1 seek=$((5 * MIB + 774)) conv=notrunc status=none"
	run tool batch <<-END
		import snap-1 odd
		clone vol-1 $((8 * MIB)) snap-1
		list
	END
	[ "$status" = 0 ]
	[[ $output == *"snapshot snap-1 $((5 * MIB + 777))"* ]]
	host "cmp -n $((5 * MIB + 777)) odd /dev/ec2/vol-1 && tail -c +$((5 * MIB + 778)) /dev/ec2/vol-1 | cmp -n $((2 * MIB)) - /dev/zero"
	empty
}

@test "a snapshot takes no room and keeps its instant, in whatever order what follows is removed" {
	tool batch <<-END
		create vol-1 $GIB
	END
	host "head -c $((20 * MIB)) /dev/urandom >monday && dd if=monday of=/dev/ec2/vol-1 bs=1M conv=fsync status=none"
	used() { host 'lvs --noheadings --units b --nosuffix -o data_percent ec2/pool' | tr -d ' '; }
	before=$(used)
	tool batch <<-END
		snapshot vol-1 snap-1
		clone vol-2 $GIB snap-1
		snapshot vol-2 snap-2
	END
	[ "$(used)" = "$before" ]
	# Snapshots are not active until they are read.
	host '! [ -e /dev/ec2/snap-1 ] && ! [ -e /dev/ec2/snap-2 ]'
	host "dd if=/dev/zero of=/dev/ec2/vol-1 bs=1M count=20 conv=fsync status=none"
	run tool batch <<-END
		snapshot-path snap-1
		remove vol-1
		remove vol-2
		remove snap-1
		clone vol-3 $GIB snap-2
	END
	[ "$status" = 0 ]
	[[ $output == /dev/ec2/snap-1$'\n'* ]]
	host "cmp -n $((20 * MIB)) monday /dev/ec2/vol-3"
	empty
}

@test "many at once, and several snapshots at one instant" {
	run tool batch <<-END
		import snap-0 image
		&create vol-1 $((64 * MIB))
		&create vol-2 $((64 * MIB))
		&clone vol-3 $((48 * MIB)) snap-0
		&clone vol-4 $((64 * MIB)) snap-0
		&create vol-5 $((64 * MIB)) image
	END
	[ "$status" = 0 ]
	[ "$(in_pool | wc -l)" = 6 ]
	# As if the power had gone after the first of the three: that one is of another instant.
	tool snapshot vol-1 snap-1
	host "head -c 1000 image >/dev/ec2/vol-1 && sync /dev/ec2/vol-1"
	tool batch <<-END
		snapshot vol-1 snap-1 vol-2 snap-2 vol-3 snap-3
		snapshot vol-1 snap-1 vol-2 snap-2 vol-3 snap-3
		snapshot-path snap-1
		snapshot-path snap-3
	END
	host "cmp -n 1000 image /dev/ec2/snap-1"
	begin_as_image /dev/ec2/snap-3
	empty
}

# absent LV: the pool has it no more, and lvm does not know.
absent()
{
	host "lvchange -qq -a n ec2/$1 && dmsetup message ec2-pool-tpool 0 \"delete \$(lvs --noheadings -o thin_id ec2/$1 | xargs)\""
}

@test "what lvm's records have and the pool has not is made anew, and keeps nothing else from coming" {
	tool batch <<-END
		create vol-1 $((48 * MIB)) image
		create vol-2 $((48 * MIB)) image
		create vol-3 $((48 * MIB))
		snapshot vol-1 snap-1
		snapshot vol-1 snap-2 vol-3 snap-3
	END
	# As when the power goes between the two: the last one is gone with the next start.
	absent snap-3
	tool list >/dev/null
	[ "$(in_pool | wc -l)" = 5 ]
	[ "$(in_pool | grep -c snap-3)" = 0 ]
	# Whatever else it may be.
	absent vol-2
	absent snap-1
	absent snap-2
	host 'lvchange -qq -a n ec2/vol-3'
	run tool batch <<-END
		list
		create vol-2 $((48 * MIB)) image
		snapshot vol-1 snap-1
		snapshot vol-1 snap-2 vol-3 snap-3
		snapshot-path snap-1
		snapshot-path snap-2
		snapshot-path snap-3
	END
	[ "$status" = 0 ]
	begin_as_image /dev/ec2/{vol-{1,2},snap-{1,2}}
	host '[ -e /dev/ec2/vol-3 ]'
	empty
}

@test "what is in use stays, and says so" {
	tool batch <<-END
		create vol-1 $((64 * MIB)) image
		snapshot vol-1 snap-1
		snapshot-path snap-1
	END
	run host "exec 8</dev/ec2/vol-1 9</dev/ec2/snap-1; OWNER=one ./tool $storage batch" <<-END
		remove vol-1
		remove snap-1
	END
	[ "$status" = 1 ]
	[[ $output == *"vol-1: Device or resource busy (VolumeInUse): lvremove: Logical volume ec2/vol-1 in use."* ]]
	[[ $output == *"snap-1: Device or resource busy (IncorrectState): lvremove: Logical volume ec2/snap-1 in use."* ]]
	begin_as_image /dev/ec2/vol-1
	empty
}

@test "nothing that has not this cloud's tags is told, changed or removed" {
	host "lvcreate -qq --type thin -V 64m -n vol-1 --thinpool pool ec2
		lvcreate -qq --type thin -V 64m -n vol-2 --thinpool pool --addtag ec2fs.owner=two --addtag ec2fs.id=vol-2 ec2
		lvcreate -qq --type thin -V 64m -n vol-3 --thinpool pool --addtag ec2fs.owner=two --addtag ec2fs.id=vol-3 --addtag ec2fs.making ec2
		lvcreate -qq --type thin -V 64m -n vol-4 --thinpool pool --addtag ec2fs.owner=one --addtag ec2fs.id=vol-0 ec2
		lvcreate -qq --yes -L 64m -n home ec2
		for i in 1 2 3 4; do head -c 1000 image >/dev/ec2/vol-\$i; done; sync"
	before=$(in_pool)
	run tool batch <<-END
		list
		create vol-1 $((64 * MIB))
		create vol-2 $((64 * MIB)) image
		create home $((64 * MIB))
		resize vol-1 $((128 * MIB))
		snapshot vol-2 snap-2
		wipe vol-2
		remove vol-1
		remove vol-2
		remove vol-3
		remove home
		list
	END
	[[ $output != *"volume vol"* ]]
	[[ $output == *"create vol-1 $((64 * MIB)): File exists (IncorrectState): the logical volume ec2/vol-1 is there and has not this cloud's tags"* ]]
	[ "$(grep -c '^failed' <<<"$output")" = 6 ]
	[ "$(in_pool)" = "$before" ]
	host 'for i in 1 2 3 4; do cmp -n 1000 image /dev/ec2/vol-$i || exit; done; [ -e /dev/ec2/home ]'
	# The other cloud sweeps its own.
	run env OWNER=two bash -c "$(declare -f tool host host_ssh); storage=$storage; tool list"
	[[ $output == "volume vol-2 $((64 * MIB))"$'\nok list' ]]
	host 'lvremove -qq --yes ec2/vol-1 ec2/vol-2 ec2/vol-4 ec2/home'
	[ -z "$(in_pool)" ]
}

@test "a pool that is no thin pool, or shows old data, is refused" {
	host 'lvcreate -qq --yes -L 8m -n plain ec2; lvchange -qq --zero n ec2/pool'
	run tool list
	[[ $output == *"does not zero what it gives out"*"lvchange --zero y ec2/pool"* ]]
	host 'lvchange -qq --zero y ec2/pool'
	storage=lvm:ec2/plain run tool list
	[[ $output == *"ec2/plain is no thin pool: its type is linear"* ]]
	storage=lvm:ec2/nothing run tool list
	[[ $output == *"has no thin pool nothing: make it with lvcreate"* ]]
	host 'lvremove -qq --yes ec2/plain'
}

@test "a pool that fills up is told early, takes nothing new, and loses nothing" {
	storage=lvm:small/pool
	host "truncate -s 140M small && vgcreate -qq small \$(losetup --show -f small) &&
		lvcreate -qq --yes --type thin-pool -L 100m -n pool small && lvchange -qq --errorwhenfull y small/pool"
	tool batch <<-END
		create vol-1 $GIB
		create vol-2 $((64 * MIB)) image
		snapshot vol-2 snap-2
	END
	# A thin pool gives out room for zeroes too.
	host "dd if=/dev/zero of=/dev/small/vol-1 bs=1M count=79 conv=fsync status=none && dd if=/dev/zero of=large bs=1M count=20 status=none"
	run tool batch <<-END
		capacity
		import snap-1 large
		create vol-3 $GIB large
		list
	END
	[[ $output == *$'\nrefused 0\nnotice the thin pool small/pool is 8'*"lvextend makes it larger"* ]]
	[ "$(grep -c 'No space left on device (InsufficientVolumeCapacity): 20 MiB do not fit' <<<"$output")" = 2 ]
	[ "$(grep -c '^volume\|^snapshot' <<<"$output")" = 3 ]
	# 97 percent: nothing new.
	host "dd if=/dev/zero of=/dev/small/vol-1 bs=1M seek=79 count=14 conv=fsync status=none"
	run tool batch <<-END
		create vol-3 $((64 * MIB))
		clone vol-3 $((64 * MIB)) snap-2
		snapshot vol-1 snap-1
		import snap-1 image
		capacity
	END
	[ "$(grep -c 'No space left on device (InsufficientVolumeCapacity): the thin pool small/pool is 9' <<<"$output")" = 4 ]
	[[ $output == *$'\nrefused 1\n'* ]]
	# Full: a write fails, and is not lost in silence.
	run host "dd if=/dev/zero of=/dev/small/vol-1 bs=1M seek=400 count=10 conv=fsync status=none"
	[ "$status" != 0 ]
	run tool capacity
	[[ $output == *"is full: writes of new data fail; lvextend makes it larger"* ]]
	begin_as_image /dev/small/vol-2
	# What is removed gives its room back; then all works again.
	run tool batch <<-END
		remove vol-1
		capacity
		clone vol-4 $((64 * MIB)) snap-2
		import snap-1 large
	END
	[ "$status" = 0 ]
	[[ $output == *$'\nrefused 0\nnotice \n'* ]]
	begin_as_image /dev/small/vol-4
	host 'vgremove -qq --yes --force small'
}
