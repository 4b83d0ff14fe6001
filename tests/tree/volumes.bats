# Volumes as files, on the simulated provider: made, chosen, attached, refused.
load ../lib/cloud

setup()
{
	cloud_start -o stop-timeout=1
	mkdir images/tiny
	head -c 1M /dev/zero >"$CLOUD_HOME/disk"
	cp "$CLOUD_HOME/disk" images/tiny/disk
}
teardown()
{
	cloud_stop
	umount -l "$CLOUD_HOME/small" 2>/dev/null || true
}

# stopped NAME [ZONE]: an instance that was launched and stopped.
stopped()
{
	mkdir "instances/$1"
	printf 'image tiny\ninstance-type t3.nano\navailability-zone %s\n' "${2:-us-east-1a}" >"$CLOUD_HOME/spec"
	cp "$CLOUD_HOME/spec" "instances/$1/spec"
	echo running >"instances/$1/state"
	echo running >"instances/$1/wait"
	echo stopped >"instances/$1/state"
	echo stopped >"instances/$1/wait"
}

# root_of NAME: takes the root volume off a stopped instance; its name.
root_of()
{
	local volume

	volume=$(basename "$(readlink "instances/$1/volumes/xvda")")
	rm "instances/$1/volumes/xvda"
	echo "$volume"
}

@test "mkdir makes a draft with EC2's defaults; size creates it" {
	mkdir volumes/data
	reads draft volumes/data/state
	reads gp3 volumes/data/volume-type
	reads 3000 volumes/data/iops
	reads 125 volumes/data/throughput
	reads false volumes/data/encrypted
	reads us-east-1a volumes/data/availability-zone
	tells '^vol-[0-9a-f]{17}$' volumes/data/volume-id
	[ ! -e volumes/data/device ]
	[ ! -e volumes/data/attachment ]
	[ "$(readlink "by-id/$(cat volumes/data/volume-id)")" = ../volumes/data ]
	echo 10 >volumes/data/size
	reads '10 GiB' volumes/data/size
	tells '^(creating|available)$' volumes/data/state
	size=$(cat volumes/data/size)
	echo "$size" >volumes/data/size
	refuses EBUSY 'echo true > volumes/data/encrypted'
	tells '^IncorrectState: encrypted: you wrote "true": encrypted is fixed when the volume is created' volumes/data/error
	rmdir volumes/data
	lists '' volumes
	mkdir volumes/data
	reads draft volumes/data/state
}

@test "values that no volume has are refused, and change nothing" {
	mkdir volumes/data
	refuses ERANGE 'echo 0 > volumes/data/size'
	refuses ERANGE 'echo 65537 > volumes/data/size'
	refuses ERANGE 'echo 100 MiB > volumes/data/size'
	refuses EINVAL 'echo much > volumes/data/size'
	refuses EINVAL 'echo gp4 > volumes/data/volume-type'
	refuses EINVAL 'echo maybe > volumes/data/encrypted'
	refuses ENOENT 'echo us-east-1q > volumes/data/availability-zone'
	tells '^InvalidZone.NotFound' volumes/data/error
	refuses ENOENT 'echo monday > volumes/data/snapshot'
	tells '^InvalidSnapshot.NotFound' volumes/data/error
	reads draft volumes/data/state
	echo io2 >volumes/data/volume-type
	refuses EINVAL 'echo 4 > volumes/data/size'
	tells '^MissingParameter: .*needs iops' volumes/data/error
	echo 4001 >volumes/data/iops
	refuses ERANGE 'echo 4 > volumes/data/size'
	tells '^InvalidParameterValue: .*at most 1000 IOPS a GiB' volumes/data/error
	echo 4000 >volumes/data/iops
	echo 4 >volumes/data/size
	reads '' <(cat volumes/data/error; echo)
}

@test "a spec is everything at once, in any order" {
	mkdir volumes/data
	printf '# for the database\nsize 20\niops 500\nencrypted false\nvolume-type io1\n' >volumes/data/spec
	tells '^(creating|available)$' volumes/data/state
	reads io1 volumes/data/volume-type
	reads 500 volumes/data/iops
	reads false volumes/data/encrypted
	tells '^# for the database$' volumes/data/spec
	mkdir volumes/bad
	printf 'size 20\nvolume-type st1\n' >"$CLOUD_HOME/bad"
	refuses ERANGE 'cp "$CLOUD_HOME/bad" volumes/bad/spec'
	tells '125 to 16384 GiB' volumes/bad/error
	reads draft volumes/bad/state
	reads gp3 volumes/bad/volume-type
	cp volumes/data/spec volumes/bad/spec
	reads io1 volumes/bad/volume-type
}

@test "cp -r makes a volume like it, mv renames, rm -r removes" {
	mkdir volumes/data
	echo st1 >volumes/data/volume-type
	echo 125 >volumes/data/size
	echo prod >volumes/data/tags/env
	cp -r volumes/data volumes/copy
	reads st1 volumes/copy/volume-type
	reads '125 GiB' volumes/copy/size
	reads prod volumes/copy/tags/env
	tells '^(creating|available)$' volumes/copy/state
	[ "$(cat volumes/data/volume-id)" != "$(cat volumes/copy/volume-id)" ]
	mv volumes/copy volumes/other
	lists 'data other' volumes
	rm -r volumes/data volumes/other
	lists '' volumes
	tells 'us-east-1/volumes/copy renamed$' "$CLOUD/events"
	tells 'us-east-1/volumes/other removed$' "$CLOUD/events"
}

@test "tar brings a volume back as it was" {
	mkdir volumes/data
	printf 'size 10\nvolume-type gp3\nthroughput 200\n' >volumes/data/spec
	echo available >volumes/data/wait # tar looks whether what it reads changes meanwhile
	tar -C volumes -cf "$CLOUD_HOME/data.tar" data
	rm -r volumes/data
	tar -C volumes -xf "$CLOUD_HOME/data.tar"
	reads '10 GiB' volumes/data/size
	reads 200 volumes/data/throughput
}

@test "quotas are kept" {
	printf 'volumes 1\ngp3-storage 20\nio1-iops 1000\n' >quotas
	mkdir volumes/a volumes/b
	refuses EDQUOT 'echo 21 > volumes/a/size'
	tells '^VolumeLimitExceeded: .*gp3-storage' volumes/a/error
	echo 20 >volumes/a/size
	refuses EDQUOT 'echo 1 > volumes/b/size'
	tells '^VolumeLimitExceeded: .*raise volumes' volumes/b/error
	rmdir volumes/a
	echo io1 >volumes/b/volume-type
	echo 1001 >volumes/b/iops
	refuses EDQUOT 'echo 100 > volumes/b/size'
	tells '^MaxIOPSLimitExceeded' volumes/b/error
}

@test "a link attaches, its removal detaches" {
	stopped web-1
	stopped web-2
	volume=$(root_of web-1)
	reads available "volumes/$volume/state"
	reads false "volumes/$volume/delete-on-termination"
	lists '' instances/web-1/volumes
	refuses EINVAL 'echo running > instances/web-1/state'
	tells 'no volume is attached at /dev/xvda' instances/web-1/error

	ln -s "../../../volumes/$volume" instances/web-2/volumes/sdf
	reads in-use "volumes/$volume/state"
	lists 'sdf xvda' instances/web-2/volumes
	[ "$(readlink instances/web-2/volumes/sdf)" = "../../../volumes/$volume" ]
	[ "$(readlink "volumes/$volume/attachment")" = ../../instances/web-2 ]
	reads /dev/sdf "volumes/$volume/attached-device"
	reads attached "volumes/$volume/attachment-state"
	reads 'web-2 /dev/sdf attached' "volumes/$volume/attachments"
	mv instances/web-2 instances/db
	[ "$(readlink "volumes/$volume/attachment")" = ../../instances/db ]
	mv "volumes/$volume" volumes/data
	[ "$(readlink instances/db/volumes/sdf)" = ../../../volumes/data ]

	refuses EBUSY 'rmdir volumes/data'
	tells '^VolumeInUse: .*attached to the instance db as sdf' volumes/data/error
	refuses EBUSY 'ln -s ../../../volumes/data instances/web-1/volumes/sdg'
	tells '^VolumeInUse' instances/web-1/error
	rm instances/db/volumes/sdf
	reads available volumes/data/state
	[ ! -e volumes/data/attachment ]
	# Back where it was.
	ln -s ../../../volumes/data instances/web-1/volumes/xvda
	echo running >instances/web-1/state
	echo running >instances/web-1/wait
	cloud_restart -o stop-timeout=1
	[ "$(readlink instances/web-1/volumes/xvda)" = ../../../volumes/data ]
}

@test "what cannot be attached is refused, and nothing is changed" {
	mkdir availability-zones/us-east-1b
	stopped web-1
	stopped web-2
	stopped far us-east-1b
	volume=$(root_of web-1)
	export volume
	refuses EXDEV 'ln -s ../../../volumes/$volume instances/far/volumes/sdf'
	tells '^InvalidVolume.ZoneMismatch: .*in us-east-1a, and the instance in us-east-1b' instances/far/error
	refuses EEXIST 'ln -sT ../../../volumes/$volume instances/web-2/volumes/xvda'
	refuses EINVAL 'ln -s ../../../volumes/$volume instances/web-2/volumes/data'
	tells '^InvalidParameterValue: .*data is no device' instances/web-2/error
	refuses ENOENT 'ln -s ../../../images/tiny instances/web-2/volumes/sdf'
	tells '^InvalidVolume.NotFound' instances/web-2/error
	refuses ENOENT 'ln -s ../../../volumes/none instances/web-2/volumes/sdf'
	mkdir volumes/draft
	refuses EBUSY 'ln -s ../../../volumes/draft instances/web-2/volumes/sdf'
	tells '^IncorrectState: .*write its size first' instances/web-2/error
	reads available "volumes/$volume/state"
	lists xvda instances/web-2/volumes
	refuses ENOTCONN 'echo detach sdf > instances/web-2/ctl'
	tells '^InvalidAttachment.NotFound' instances/web-2/error
	refuses EINVAL 'echo detach > instances/web-2/ctl'
	refuses EINVAL 'echo detach xvda now > instances/web-2/ctl'
}

@test "a device name that is taken is refused: by a link, by a move, by the image's mappings at the launch" {
	stopped web-1
	for i in data other; do
		mkdir "volumes/$i"
		echo 1 >"volumes/$i/size"
		becomes available "volumes/$i/state"
	done
	ln -s ../../../volumes/data instances/web-1/volumes/sdf
	refuses EEXIST 'ln -sT ../../../volumes/other instances/web-1/volumes/sdf'
	echo running >instances/web-1/state
	echo running >instances/web-1/wait
	refuses EEXIST 'ln -sT ../../../volumes/other instances/web-1/volumes/sdf'
	refuses EEXIST 'ln -sT ../../../volumes/other instances/web-1/volumes/xvda'
	reads available volumes/other/state
	ln -s ../../../volumes/other instances/web-1/volumes/sdg
	refuses EPERM 'mv -T instances/web-1/volumes/sdg instances/web-1/volumes/sdf'
	[ "$(readlink instances/web-1/volumes/sdf)" = ../../../volumes/data ]
	reads 'web-1 /dev/sdg attached' volumes/other/attachments
	rm instances/web-1/volumes/sdg
	becomes available volumes/other/state

	# A launch that would have two at one name.
	echo '/dev/sdf size:2' >images/tiny/block-device-mappings
	mkdir instances/web-2
	cp "$CLOUD_HOME/spec" instances/web-2/spec
	ln -s ../../../volumes/other instances/web-2/volumes/sdf
	refuses EINVAL 'echo running > instances/web-2/state'
	tells '^InvalidBlockDeviceMapping: .*something else at /dev/sdf, where volumes/ has other' instances/web-2/error
	lists sdf instances/web-2/volumes
	echo '/dev/sdf none' >instances/web-2/block-device-mappings
	echo running >instances/web-2/state
	echo running >instances/web-2/wait
	lists 'sdf xvda' instances/web-2/volumes
}

@test "ln -sf replaces what is attached, or changes nothing" {
	stopped web-1
	stopped web-2
	one=$(root_of web-1)
	mkdir volumes/draft
	ln -s "../../../volumes/$one" instances/web-2/volumes/sdf
	refuses EBUSY 'ln -sfn ../../../volumes/draft instances/web-2/volumes/sdf'
	[ "$(readlink instances/web-2/volumes/sdf)" = "../../../volumes/$one" ]
	reads in-use "volumes/$one/state"
	stopped web-3
	two=$(root_of web-3)
	ln -sfn "../../../volumes/$two" instances/web-2/volumes/sdf
	[ "$(readlink instances/web-2/volumes/sdf)" = "../../../volumes/$two" ]
	reads available "volumes/$one/state"
	reads in-use "volumes/$two/state"
}

@test "a root volume stays while its instance runs; rm -r removes both" {
	stopped web-1
	echo running >instances/web-1/state
	echo running >instances/web-1/wait
	refuses EPERM 'rm instances/web-1/volumes/xvda'
	tells '^OperationNotPermitted: .*root volume of a running instance' instances/web-1/error
	refuses EPERM 'echo detach xvda > instances/web-1/ctl'
	reads in-use instances/web-1/volumes/xvda/state
	rm -r instances/web-1
	lists '' instances
	soon 5 eval '[ -z "$(ls volumes)" ]'
}

@test "a volume is not made smaller, nor a root volume of a type that does not boot" {
	stopped web-1
	cd instances/web-1/volumes/xvda
	refuses ERANGE 'echo st1 > volume-type'
	echo 3 >size
	refuses EINVAL 'echo 2 > size'
	tells '^InvalidParameterValue: .*only grows' error
	reads '3 GiB' size
	tells '^(modifying|optimizing|completed)$' modification-state
}

@test "what a draft is linked to is attached by the launch" {
	stopped web-1
	volume=$(root_of web-1)
	mkdir instances/web-2
	echo tiny >instances/web-2/image
	echo t3.nano >instances/web-2/instance-type
	ln -s "../../../volumes/$volume" instances/web-2/volumes/sdf
	reads in-use "volumes/$volume/state"
	echo running >instances/web-2/state
	echo running >instances/web-2/wait
	lists 'sdf xvda' instances/web-2/volumes
	echo true >"volumes/$volume/delete-on-termination"
	echo terminated >instances/web-2/state
	echo terminated >instances/web-2/wait
	soon 5 eval '[ -z "$(ls volumes)" ]'
	# A draft that goes leaves it free.
	stopped web-3
	volume=$(root_of web-3)
	mkdir instances/web-4
	ln -s "../../../volumes/$volume" instances/web-4/volumes/sdf
	rm -r instances/web-4
	reads available "volumes/$volume/state"
}

@test "df tells the storage's capacity" {
	[ "$(df --output=size volumes | tail -1)" -gt 0 ]
	[ "$(df --output=size volumes | tail -1)" = "$(df --output=size availability-zones/us-east-1a | tail -1)" ]
	mkdir -p "$CLOUD_HOME/small" availability-zones/us-east-1b
	mount -t tmpfs -o size=8M tmpfs "$CLOUD_HOME/small" || skip "nothing can be mounted here"
	echo "file:$CLOUD_HOME/small/volumes" >availability-zones/us-east-1b/storage
	size=$(df --output=size availability-zones/us-east-1b | tail -1)
	both=$(df --output=size volumes | tail -1)
	first=$(df --output=size availability-zones/us-east-1a | tail -1)
	umount -l "$CLOUD_HOME/small"
	[ "$size" -eq 8192 ]
	[ "$both" -eq $((first + size)) ]
}

# running NAME
running()
{
	mkdir "instances/$1"
	printf 'image tiny\ninstance-type t3.nano\n' >"$CLOUD_HOME/spec"
	cp "$CLOUD_HOME/spec" "instances/$1/spec"
	echo running >"instances/$1/state"
	echo running >"instances/$1/wait"
}

@test "a running machine gets a volume, sees it grow, and lets go of it" {
	running web-1
	mkdir volumes/data
	echo 1 >volumes/data/size
	becomes available volumes/data/state 10
	ln -s ../../../volumes/data instances/web-1/volumes/sdf
	becomes attached volumes/data/attachment-state 10
	serial=$(tr -d - <volumes/data/volume-id)
	tells "^sim: $serial came" instances/web-1/console
	echo 3 >volumes/data/size
	becomes completed volumes/data/modification-state 10
	tells "^sim: $serial has 3221225472 bytes" instances/web-1/console
	[ "$(stat -Lc %s volumes/data/device)" = 3221225472 ]
	rm instances/web-1/volumes/sdf
	becomes available volumes/data/state 10
	tells "^sim: $serial went" instances/web-1/console
}

@test "what becomes of a snapshot, and of a volume that begins as one" {
	running web-1
	volume=$(basename "$(readlink instances/web-1/volumes/xvda)")
	printf hello | dd of="volumes/$volume/device" conv=notrunc status=none
	mkdir "volumes/$volume/snapshots/one"
	becomes completed "snapshots/$volume-one/state" 10
	printf later | dd of="volumes/$volume/device" conv=notrunc status=none
	[ "$(head -c 5 "snapshots/$volume-one/disk")" = hello ]
	mkdir volumes/copy
	printf 'snapshot %s-one\nsize 2\n' "$volume" >"$CLOUD_HOME/spec"
	cp "$CLOUD_HOME/spec" volumes/copy/spec
	becomes available volumes/copy/state 10
	[ "$(head -c 5 volumes/copy/device)" = hello ]
	rmdir "snapshots/$volume-one" volumes/copy
	rmdir instances/web-1
	soon 10 eval '[ "$(ls "$STATE/volumes")" = "" ]'
}

@test "a guest that does not listen keeps its disk until it stops" {
	echo sim:ignore-power-button >availability-zones/us-east-1a/compute
	running web-1
	mkdir volumes/data
	echo 1 >volumes/data/size
	becomes available volumes/data/state 10
	ln -s ../../../volumes/data instances/web-1/volumes/sdf
	becomes attached volumes/data/attachment-state 10
	rm instances/web-1/volumes/sdf
	becomes busy volumes/data/attachment-state 20
	reads in-use volumes/data/state
	echo 'stop --force' >instances/web-1/ctl
	becomes available volumes/data/state 10
}

@test "detach --force takes a volume from a guest that does not let go" {
	echo sim:ignore-power-button >availability-zones/us-east-1a/compute
	running web-1
	mkdir volumes/data
	echo 1 >volumes/data/size
	becomes available volumes/data/state 10
	refuses ENOTCONN 'echo detach sdf --force > instances/web-1/ctl'
	refuses EPERM 'echo detach xvda --force > instances/web-1/ctl'
	tells '^OperationNotPermitted: .*root volume of a running instance' instances/web-1/error
	ln -s ../../../volumes/data instances/web-1/volumes/sdf
	becomes attached volumes/data/attachment-state 10
	echo 'detach sdf --force' >instances/web-1/ctl
	becomes available volumes/data/state 10
	tells "^sim: $(tr -d - <volumes/data/volume-id) was cut off" instances/web-1/console
	# Also one that is waited for already.
	ln -s ../../../volumes/data instances/web-1/volumes/sdf
	becomes attached volumes/data/attachment-state 10
	rm instances/web-1/volumes/sdf
	tells '^(detaching|busy)$' volumes/data/attachment-state
	echo 'detach sdf --force' >instances/web-1/ctl
	becomes available volumes/data/state 10
	reads running instances/web-1/state
}

@test "what was under way goes on after a kill" {
	running web-1
	mkdir volumes/data
	for i in 1 2 3 4 5; do
		mkdir "volumes/v$i"
		echo 1 >"volumes/v$i/size"
	done
	echo 1 >volumes/data/size
	becomes available volumes/data/state 10
	echo 2 >volumes/data/size
	mkdir volumes/data/snapshots/one
	rmdir volumes/v5
	cloud_kill
	cloud_start -o stop-timeout=1
	for i in 1 2 3 4; do becomes available "volumes/v$i/state" 10; done
	becomes completed volumes/data/modification-state 10
	becomes completed snapshots/data-one/state 10
	[ ! -e volumes/v5 ]
	# The root volume, data, and four.
	soon 10 eval '[ "$(find "$STATE/volumes" -name "vol-*" | wc -l)" = 6 ]'
	rm -r instances/web-1
	rm -r volumes/data volumes/v? snapshots/data-one
	soon 10 eval '[ "$(ls "$STATE/volumes")" = "" ]'
}

@test "filesystem tells what is on a volume" {
	command -v mkfs.ext4 >/dev/null || skip "mkfs.ext4 is not installed"
	mkdir volumes/data
	[ -z "$(cat volumes/data/filesystem)" ]
	echo 1 >volumes/data/size
	becomes available volumes/data/state
	[ -z "$(cat volumes/data/filesystem)" ]
	mkfs.ext4 -q -F -L backup "$(readlink -f volumes/data/device)"
	tells '^type ext4$' volumes/data/filesystem
	tells '^label backup$' volumes/data/filesystem
	tells '^uuid [0-9a-f-]{36}$' volumes/data/filesystem
	mkdir volumes/data/snapshots/full volumes/copy
	becomes completed volumes/data/snapshots/full/state
	echo data-full >volumes/copy/snapshot
	becomes available volumes/copy/state
	tells '^label backup$' volumes/copy/filesystem
}

@test "storage that is full takes no volume, and says so" {
	mkdir -p "$CLOUD_HOME/small" availability-zones/us-east-1b
	mount -t tmpfs -o size=8M tmpfs "$CLOUD_HOME/small" || skip "nothing can be mounted here"
	echo "file:$CLOUD_HOME/small/volumes" >availability-zones/us-east-1b/storage
	head -c 12M /dev/urandom >"$CLOUD_HOME/big"
	mkdir snapshots/big volumes/data
	cp "$CLOUD_HOME/big" snapshots/big/disk
	echo us-east-1b >volumes/data/availability-zone
	echo big >volumes/data/snapshot
	becomes error volumes/data/state
	tells '^InsufficientVolumeCapacity: ' volumes/data/state-reason
	refuses EBUSY 'mkdir volumes/data/snapshots/x'
	refuses EBUSY 'echo available > volumes/data/wait'
	tells '^IncorrectState: .*it is error, and will not be available: InsufficientVolumeCapacity' volumes/data/error
	# Nothing of it stays.
	[ -z "$(find "$CLOUD_HOME/small/volumes" -type f ! -name .owner)" ]
	rmdir volumes/data
	# Nor one whose header has no room.
	head -c 6M /dev/urandom >"$CLOUD_HOME/small/other"
	mkdir volumes/sealed
	printf 'availability-zone us-east-1b\nencrypted true\nsize 1\n' >"$CLOUD_HOME/spec"
	cp "$CLOUD_HOME/spec" volumes/sealed/spec
	becomes error volumes/sealed/state
	tells '^InsufficientVolumeCapacity: .*No space left on device' volumes/sealed/state-reason
	[ -z "$(find "$CLOUD_HOME/small/volumes" -type f ! -name .owner)" ]
	rmdir volumes/sealed
	soon 10 rmdir availability-zones/us-east-1b
	umount -l "$CLOUD_HOME/small"
}
