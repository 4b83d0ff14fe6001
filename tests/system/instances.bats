# Real machines under libvirt.
load ../lib/cloud

setup()
{
	cloud_paths
	cloud_real
	cloud_start -o stop-timeout=40
	tiny_image
}
teardown() { cloud_stop; }

launch()
{
	mkdir "instances/$1"
	printf 'image tiny\ninstance-type t3.nano\n' >"instances/$1/spec"
	echo running >"instances/$1/state"
	echo running 60 >"instances/$1/wait"
}

@test "from mkdir to a running machine, and through its whole life" {
	launch hello
	id=$(cat instances/hello/instance-id)
	[ "$(virsh -q -c qemu:///system domstate "$id" | head -n 1)" = running ]
	tells '^ec2' <(virsh -c qemu:///system domuuid "$id")
	soon 60 grep -q '^Hello from ec2fs' instances/hello/console
	tells '^ +boots +1' instances/hello/console
	tells '^cpu-seconds [0-9]+\.[0-9]+$' instances/hello/metrics
	cat instances/hello/screenshot.png >"$CLOUD_HOME/screen.png"
	tells PNG "$CLOUD_HOME/screen.png" || file "$CLOUD_HOME/screen.png"

	# The root volume outlives a stop; the power button is heard.
	echo stopped >instances/hello/state
	echo stopped 60 >instances/hello/wait
	[ -z "$(virsh -q -c qemu:///system list --all --name | grep "$id")" ]
	tells '^Client.UserInitiatedShutdown' instances/hello/state-reason
	echo running >instances/hello/state
	echo running 60 >instances/hello/wait
	soon 60 grep -qE '^ +boots +2' instances/hello/console

	rmdir instances/hello
	soon 20 eval '[ -z "$(virsh -q -c qemu:///system list --all --name | grep "$id")" ]'
	lists '' volumes
	soon 10 eval '[ -z "$(ls "$STATE/volumes")" ]'
}

@test "a guest that powers itself off, one that crashes" {
	TINY_CMDLINE=ec2fs.test=poweroff tiny_image off
	TINY_CMDLINE=ec2fs.test=crash tiny_image crash
	mkdir instances/off instances/crash
	printf 'image off\ninstance-type t3.nano\n' >instances/off/spec
	printf 'image crash\ninstance-type t3.nano\ninstance-initiated-shutdown-behavior terminate\n' >instances/crash/spec
	for i in off crash; do echo running >instances/$i/state; done
	echo stopped 90 >instances/off/wait
	tells '^Client.InstanceInitiatedShutdown' instances/off/state-reason
	echo terminated 90 >instances/crash/wait
}

@test "hibernation keeps what runs" {
	mkdir instances/sleeper
	printf 'image tiny\ninstance-type t3.nano\nhibernation-options true\n' >instances/sleeper/spec
	echo running >instances/sleeper/state
	echo running 60 >instances/sleeper/wait
	soon 60 grep -q '^Hello from ec2fs' instances/sleeper/console
	echo hibernated >instances/sleeper/state
	echo stopped 60 >instances/sleeper/wait
	tells '^Client.UserInitiatedHibernate' instances/sleeper/state-reason
	echo running >instances/sleeper/state
	echo running 60 >instances/sleeper/wait
	sleep 1
	# It went on where it was: no second boot.
	lacks '^ +boots +2' instances/sleeper/console
	tells '^cpu-seconds' instances/sleeper/metrics
}

@test "instances outlive the daemon: unmounted or killed" {
	launch one
	id=$(cat instances/one/instance-id)
	cloud_restart -o stop-timeout=40
	reads running instances/one/state
	[ "$(virsh -q -c qemu:///system domstate "$id" | head -n 1)" = running ]
	cloud_kill
	[ "$(virsh -q -c qemu:///system domstate "$id" | head -n 1)" = running ]
	virsh -q -c qemu:///system destroy "$id"
	cloud_start -o stop-timeout=40
	becomes stopped instances/one/state 20
	tells 'while nobody watched' instances/one/state-reason
}

@test "what is destroyed from outside is seen" {
	launch one
	virsh -q -c qemu:///system destroy "$(cat instances/one/instance-id)"
	becomes stopped instances/one/state 10
	tells 'from outside' instances/one/state-reason
}

@test "ten launches at once" {
	mkdir instance-types/small
	echo 1 >instance-types/small/vcpus
	echo 128 MiB >instance-types/small/memory
	for i in {0..9}; do
		mkdir "instances/w$i"
		printf 'image tiny\ninstance-type small\n' >"instances/w$i/spec"
	done
	for i in {0..9}; do echo running >"instances/w$i/state"; done
	for i in {0..9}; do echo running 120 >"instances/w$i/wait"; done
	for i in {0..9}; do
		[ "$(virsh -q -c qemu:///system domstate "$(cat "instances/w$i/instance-id")" | head -n 1)" = running ]
	done
	rmdir instances/*
	soon 60 eval '[ -z "$(ls volumes)" ]'
	soon 10 eval '[ -z "$(ls "$STATE/volumes")" ]'
}

# In EC2 this is seen within moments, not at the next look: by libvirt's events.
@test "a guest that ends is seen at once" {
	launch one
	soon 60 grep -q '^Hello from ec2fs' instances/one/console
	kill -9 "$(cat "/run/libvirt/qemu/$(cat instances/one/instance-id).pid")"
	echo stopped 5 >instances/one/wait
	tells '^Client.InternalError' instances/one/state-reason
}
