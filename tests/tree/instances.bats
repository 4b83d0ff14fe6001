# The life of an instance, on the simulated provider.
load ../lib/cloud

setup()
{
	cloud_start -o stop-timeout=1
	mkdir images/tiny
	head -c 1M /dev/zero >"$CLOUD_HOME/disk"
	cp "$CLOUD_HOME/disk" images/tiny/disk
}
teardown() { cloud_stop; }

launch()
{
	mkdir "instances/$1"
	echo tiny >"instances/$1/image"
	echo t3.nano >"instances/$1/instance-type"
	echo running >"instances/$1/state"
	echo running >"instances/$1/wait"
}

@test "mkdir makes a draft with EC2's defaults" {
	mkdir instances/web-1
	reads draft instances/web-1/state
	reads t3.micro instances/web-1/instance-type
	reads us-east-1a instances/web-1/availability-zone
	reads stop instances/web-1/instance-initiated-shutdown-behavior
	reads false instances/web-1/disable-api-termination
	tells '^i-[0-9a-f]{17}$' instances/web-1/instance-id
	rmdir instances/web-1
	[ ! -e instances/web-1 ]
}

@test "from draft to running, stopped, running, terminated" {
	launch web-1
	reads running instances/web-1/state
	tells '^20..-..-..T' instances/web-1/launch-time
	lists xvda instances/web-1/volumes
	reads in-use instances/web-1/volumes/xvda/state
	reads '1 GiB' instances/web-1/volumes/xvda/size

	echo stopped >instances/web-1/state
	echo stopped >instances/web-1/wait
	tells '^Client.UserInitiatedShutdown: User initiated \(20' instances/web-1/state-reason
	reads in-use instances/web-1/volumes/xvda/state

	echo running >instances/web-1/state
	echo running >instances/web-1/wait
	reads '' <(cat instances/web-1/state-reason; echo)

	echo terminated >instances/web-1/state
	echo terminated >instances/web-1/wait
	lists '' volumes
	reads terminated instances/web-1/state
	refuses EIDRM 'echo running > instances/web-1/state'
}

@test "writing the state it is in succeeds, and changes nothing" {
	launch web-1
	before=$(cat instances/web-1/launch-time)
	echo running >instances/web-1/state
	reads "$before" instances/web-1/launch-time
	echo stopped >instances/web-1/state
	echo stopped >instances/web-1/wait
	echo stopped >instances/web-1/state
}

@test "rmdir terminates and frees the name; by-id remembers" {
	launch web-1
	id=$(cat instances/web-1/instance-id)
	[ "$(readlink by-id/"$id")" = ../instances/web-1 ]
	rmdir instances/web-1
	lists '' instances
	becomes terminated "by-id/$id/state"
	lists '' volumes
	mkdir instances/web-1
	reads draft instances/web-1/state
}

@test "rm -r of one that is protected takes nothing from it" {
	launch web-1
	mkdir security-groups/web volumes/data addresses/www
	echo default >security-groups/web/vpc
	echo stopped >instances/web-1/state
	echo stopped >instances/web-1/wait
	echo hello >instances/web-1/user-data
	echo 1 >volumes/data/size
	echo available >volumes/data/wait
	ln -s ../../../volumes/data instances/web-1/volumes/sdf
	ln -s ../../../security-groups/web instances/web-1/security-groups/
	echo web-1 >addresses/www/instance
	echo prod >instances/web-1/tags/env
	echo x >security-groups/web/tags/mine
	echo true >instances/web-1/disable-api-termination
	before=$(wc -l <"$CLOUD/events")
	refuses EPERM 'rm -r instances/web-1'
	refuses ENOTEMPTY 'rm -r security-groups/web'
	[ "$(wc -l <"$CLOUD/events")" = "$before" ]
	# What rm has "removed" was away for the moment.
	reads prod instances/web-1/tags/env
	reads hello instances/web-1/user-data
	lists 'default web' instances/web-1/security-groups
	lists 'sdf xvda' instances/web-1/volumes
	lists www instances/web-1/addresses
	reads x security-groups/web/tags/mine
	# rm -r of a directory in it is meant.
	rm -r instances/web-1/tags
	lists '' instances/web-1/tags
	echo prod >instances/web-1/tags/env
	echo false >instances/web-1/disable-api-termination
	rm -r instances/web-1
	rm -r security-groups/web
}

@test "rm -r removes a running instance" {
	launch web-1
	echo prod >instances/web-1/tags/env
	rm -r instances/web-1
	lists '' instances
}

@test "protection refuses, and changes nothing" {
	launch web-1
	echo true >instances/web-1/disable-api-termination
	refuses EPERM 'echo terminated > instances/web-1/state'
	tells '^OperationNotPermitted: state: you wrote "terminated": .*disable-api-termination' instances/web-1/error
	refuses EPERM 'rmdir instances/web-1'
	reads running instances/web-1/state
	echo true >instances/web-1/disable-api-stop
	refuses EPERM 'echo stopped > instances/web-1/state'
	reads running instances/web-1/state
	echo false >instances/web-1/disable-api-stop
	reads '' <(cat instances/web-1/error; echo)
	echo stopped >instances/web-1/state
	echo stopped >instances/web-1/wait
}

@test "a guest that powers itself off is seen at once" {
	launch web-1
	id=$(cat instances/web-1/instance-id)
	echo poweroff >"$STATE/instances/$id/console.guest"
	echo stopped 10 >instances/web-1/wait
	tells '^Client.InstanceInitiatedShutdown' instances/web-1/state-reason
}

@test "with shutdown behaviour terminate it is gone, protected or not" {
	launch web-1
	id=$(cat instances/web-1/instance-id)
	echo terminate >instances/web-1/instance-initiated-shutdown-behavior
	echo true >instances/web-1/disable-api-termination
	echo poweroff >"$STATE/instances/$id/console.guest"
	echo terminated 10 >instances/web-1/wait
	lists '' volumes
}

@test "a guest that crashes is stopped, and says so" {
	launch web-1
	id=$(cat instances/web-1/instance-id)
	echo crash >"$STATE/instances/$id/console.guest"
	echo stopped 10 >instances/web-1/wait
	tells 'the guest crashed' instances/web-1/state-reason
}

@test "a guest that does not listen loses its power in time; with --force at once" {
	launch web-1
	launch web-2
	for i in web-1 web-2; do
		echo hang >"$STATE/instances/$(cat instances/$i/instance-id)/console.guest"
		soon 5 test ! -e "$STATE/instances/$(cat instances/$i/instance-id)/console.guest"
	done
	echo stopped >instances/web-1/state
	echo 'stop --force' >instances/web-2/ctl
	echo stopped 20 >instances/web-2/wait
	echo stopped 20 >instances/web-1/wait
}

@test "hibernation, where it was enabled at launch" {
	launch web-1
	refuses EOPNOTSUPP 'echo hibernated > instances/web-1/state'
	mkdir instances/web-2
	echo tiny >instances/web-2/image
	echo true >instances/web-2/hibernation-options
	echo running >instances/web-2/state
	echo running >instances/web-2/wait
	echo hibernated >instances/web-2/state
	echo stopped >instances/web-2/wait
	tells '^Client.UserInitiatedHibernate' instances/web-2/state-reason
	echo hibernated >instances/web-2/state
	refuses EBUSY 'echo t3.nano > instances/web-2/instance-type'
	echo running >instances/web-2/state
	echo running >instances/web-2/wait
}

@test "type and user data change only while stopped" {
	launch web-1
	refuses EBUSY 'echo t3.small > instances/web-1/instance-type'
	tells '^IncorrectInstanceState: instance-type: you wrote "t3.small"' instances/web-1/error
	echo '#!/bin/sh' >"$CLOUD_HOME/data"
	refuses EBUSY 'cp "$CLOUD_HOME/data" instances/web-1/user-data'
	reads t3.nano instances/web-1/instance-type
	echo stopped >instances/web-1/state
	echo stopped >instances/web-1/wait
	echo t3.small >instances/web-1/instance-type
	cp "$CLOUD_HOME/data" instances/web-1/user-data
	cmp "$CLOUD_HOME/data" instances/web-1/user-data
	refuses EBUSY 'echo other > instances/web-1/key-pair'
}

@test "spec is everything at once, whole or not at all, and keeps its comments" {
	mkdir instances/web-1 instances/web-2
	cat >"$CLOUD_HOME/spec" <<-END
		# the web tier
		image tiny
		instance-type   t3.small

		disable-api-termination true
	END
	cp "$CLOUD_HOME/spec" instances/web-1/spec
	reads t3.small instances/web-1/instance-type
	reads true instances/web-1/disable-api-termination
	cmp "$CLOUD_HOME/spec" instances/web-1/spec

	printf 'instance-type t3.large\nimage nothing\n' >"$CLOUD_HOME/bad"
	refuses EN 'cp "$CLOUD_HOME/bad" instances/web-1/spec' || refuses ENOENT 'cp "$CLOUD_HOME/bad" instances/web-1/spec'
	tells 'line 2: image: there is no image nothing' instances/web-1/error
	reads t3.small instances/web-1/instance-type

	# It tells what is, once that is something else.
	echo t3.nano >instances/web-1/instance-type
	tells '^instance-type t3.nano$' instances/web-1/spec
	cp instances/web-1/spec instances/web-2/spec
	reads t3.nano instances/web-2/instance-type
	reads tiny instances/web-2/image
}

@test "a launch that cannot succeed is refused, and tells why" {
	mkdir instances/web-1
	refuses EINVAL 'echo running > instances/web-1/state'
	tells '^MissingParameter: .*no image' instances/web-1/error
	refuses ENOENT 'echo tinny > instances/web-1/image'
	tells 'did you mean tiny\?' instances/web-1/error
	mkdir images/empty
	echo empty >instances/web-1/image
	refuses EBUSY 'echo running > instances/web-1/state'
	tells '^InvalidAMIID.Unavailable' instances/web-1/error
	echo tiny >instances/web-1/image
	echo t4g.nano >instances/web-1/instance-type
	refuses EINVAL 'echo running > instances/web-1/state'
	tells '^InvalidParameterCombination: .*arm64' instances/web-1/error
	echo t3.micro >instances/web-1/instance-type
	echo vcpus 1 >quotas
	refuses EDQUOT 'echo running > instances/web-1/state'
	tells '^VcpuLimitExceeded: .*quota is 1' instances/web-1/error
	reads draft instances/web-1/state
	lists '' volumes
}

@test "a launch that fails on the way ends terminated, with its reason" {
	echo sim:fail-start=1 >availability-zones/us-east-1a/compute
	mkdir instances/web-1
	echo tiny >instances/web-1/image
	echo running >instances/web-1/state
	refuses EBUSY 'echo running > instances/web-1/wait' || true
	becomes terminated instances/web-1/state
	tells '^Server' instances/web-1/state-reason
	lists '' volumes
}

@test "a wait ends in time, is interrupted, and tells what cannot be" {
	mkdir instances/web-1
	refuses ETIMEDOUT 'echo running 1 > instances/web-1/wait'
	run timeout 1 bash -c 'echo running > instances/web-1/wait'
	[ "$status" -eq 124 ]
	refuses EINVAL 'echo dancing > instances/web-1/wait'
	refuses EINVAL 'echo running -5 > instances/web-1/wait'
	refuses EINVAL 'echo running 5 6 > instances/web-1/wait'
	refuses ERANGE 'echo running 99999999999 > instances/web-1/wait'
	launch web-2
	rmdir instances/web-2
	reads draft instances/web-1/state
}

@test "user data of 16 KiB fits, 17 MiB does not" {
	mkdir instances/web-1
	head -c 16K /dev/urandom >"$CLOUD_HOME/fits"
	cp "$CLOUD_HOME/fits" instances/web-1/user-data
	cmp "$CLOUD_HOME/fits" instances/web-1/user-data
	head -c 17M /dev/zero >"$CLOUD_HOME/big"
	refuses EFBIG 'cp "$CLOUD_HOME/big" instances/web-1/user-data'
	cmp "$CLOUD_HOME/fits" instances/web-1/user-data
	[ "$(stat -c %a instances/web-1/user-data)" = 600 ]
	rm instances/web-1/user-data
	[ ! -s instances/web-1/user-data ]
}

@test "console, screenshot and metrics of a running instance" {
	launch web-1
	soon 5 grep -q . instances/web-1/console
	cat instances/web-1/screenshot.png >"$CLOUD_HOME/shot.png"
	[ "$(head -c 8 "$CLOUD_HOME/shot.png" | od -An -tx1 | tr -d ' ')" = 89504e470d0a1a0a ]
	tells '^cpu-seconds [0-9]' instances/web-1/metrics
	echo stopped >instances/web-1/state
	echo stopped >instances/web-1/wait
	[ -z "$(cat instances/web-1/metrics)" ]
	grep -q . instances/web-1/console
}

@test "cp -r of an instance makes another one" {
	mkdir instances/web-1
	echo tiny >instances/web-1/image
	echo t3.nano >instances/web-1/instance-type
	echo prod >instances/web-1/tags/env
	cp -r instances/web-1 instances/web-2
	reads tiny instances/web-2/image
	reads t3.nano instances/web-2/instance-type
	reads prod instances/web-2/tags/env
	[ "$(cat instances/web-1/instance-id)" != "$(cat instances/web-2/instance-id)" ]
}

@test "mv renames, also while it runs" {
	launch web-1
	id=$(cat instances/web-1/instance-id)
	mv instances/web-1 instances/www
	reads running instances/www/state
	[ ! -e instances/web-1 ]
	[ "$(readlink by-id/"$id")" = ../instances/www ]
	[ "$(readlink instances/www/volumes/xvda/attachment)" = ../../instances/www ]
}

@test "odd names are refused with a reason" {
	refuses EINVAL 'mkdir instances/.hidden'
	refuses EINVAL 'mkdir instances/tmp.1234567890'
	refuses EINVAL 'mkdir instances/$'"'a\\nb'"
	refuses EINVAL 'mkdir instances/$'"'a\\xff'"
	tells 'control character|UTF-8|dot|temporary' "$CLOUD/errors"
	mktemp -d instances/web-XXXXXX
	mkdir 'instances/with space' "instances/$(printf 'x%.0s' {1..255})"
	refuses EEXIST 'mkdir "instances/with space"'
	lists '' by-id || true
}

@test "reboot and reset leave it running" {
	launch web-1
	before=$(cat instances/web-1/launch-time)
	echo reboot >instances/web-1/ctl
	echo reset >instances/web-1/ctl
	soon 5 grep -qi 'boot' instances/web-1/console
	reads running instances/web-1/state
	reads "$before" instances/web-1/launch-time
	refuses EINVAL 'echo dance > instances/web-1/ctl'
}

@test "ten launches at once" {
	for i in {1..10}; do
		mkdir "instances/n-$i"
		printf 'image tiny\ninstance-type t3.nano\n' >"instances/n-$i/spec"
	done
	for i in {1..10}; do echo running >"instances/n-$i/state"; done
	for i in {1..10}; do echo running 20 >"instances/n-$i/wait"; done
}
