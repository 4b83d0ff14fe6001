# libvirtd goes away in the middle and comes back. One of the test's own, in namespaces for mounts and the network: that of
# the machine is never touched.
load ../lib/cloud

setup() { cloud_paths; }

# Runs a story with a libvirtd and a virtlogd that only it sees.
with_own_libvirtd()
{
	[ "$(id -u)" = 0 ] || skip "real machines need root"
	command -v virsh libvirtd virtlogd qemu-system-x86_64 >/dev/null || skip "libvirt or QEMU is not installed"
	unshare -m -n true 2>/dev/null || skip "no namespaces can be made here"
	"$BATS_TEST_DIRNAME/../../examples/images/make-tiny-image" "${EC2FS%/*}/tiny-image" >/dev/null ||
		skip "the tiny image cannot be made here"
	[ ! -c /dev/kvm ] || "$BATS_TEST_DIRNAME/../../scripts/ensure-libvirtd" >/dev/null 2>&1 3>&- 4>&- || true
	{
		cat <<-'END'
			set -eEuo pipefail
			. "$BATS_TEST_DIRNAME/../lib/cloud.bash"
			trap 'echo "failed at line $LINENO of the story: $BASH_COMMAND"; tail -n 30 "$CLOUD_HOME/log" | cut -c1-200' ERR
			skip() { fail "cannot go on: $*"; }
			end()
			{
				set +e
				trap - ERR
				cloud_stop || exit 1
				stop_libvirtd -TERM
				kill "$(cat /run/virtlogd.pid)"
			}
			start_libvirtd()
			{
				env -i PATH="$PATH" LC_ALL=C libvirtd -d </dev/null >/dev/null 2>&1
				soon 30 virsh -q -c qemu:///system uri
			}
			stop_libvirtd()
			{
				local pid

				pid=$(cat /run/libvirtd.pid) || return 0
				kill "$1" "$pid" 2>/dev/null
				soon 20 eval "! [ -e /proc/$pid/exe ]"
				rm -f /run/libvirtd.pid
			}
			qemu_of() { cat "/run/libvirt/qemu/$1.pid"; }
			launch()
			{
				mkdir "instances/$1"
				printf 'image tiny\ninstance-type t3.nano\n' >"instances/$1/spec"
				echo running >"instances/$1/state"
			}
			# The machine's own network may have the addresses of another cloud.
			ip link set lo up
			mount -t tmpfs -o mode=755 none /run
			mount -t tmpfs -o mode=755 none /var/lib/libvirt
			export CLOUD_COMPUTE=qemu:///system
			env -i PATH="$PATH" LC_ALL=C virtlogd -d </dev/null >/dev/null 2>&1
			start_libvirtd
			trap end EXIT
			cloud_start -o stop-timeout=30
			tiny_image
		END
		cat
	} >"$BATS_TEST_TMPDIR/story"
	export BATS_TEST_DIRNAME BATS_TEST_TMPDIR EC2FS
	timeout -k 10 250 unshare -m -n --propagation private bash "$BATS_TEST_TMPDIR/story" 3>&- 4>&-
}

@test "while libvirtd is away the tree reads, states are true, and what was asked for is done when it is back" {
	with_own_libvirtd <<'END'
launch one
echo running 60 >instances/one/wait
id=$(cat instances/one/instance-id)
qemu=$(qemu_of "$id")
stop_libvirtd -TERM

# It runs on, and that is what its state says; everything can be read, soon.
[ -e "/proc/$qemu/exe" ]
reads running instances/one/state
timeout 20 grep -r . "$CLOUD" >/dev/null
soon 10 grep -q 'not reachable' availability-zones/us-east-1a/messages
reads running instances/one/state

# What is asked for is taken, and waits.
launch two
soon 10 grep -qE 'Unavailable|libvirt' instances/two/state-reason
reads pending instances/two/state
echo stopped >instances/one/state
reads stopping instances/one/state
mkdir instances/three
rmdir instances/three

start_libvirtd
becomes running instances/two/state 60
becomes stopped instances/one/state 60
[ ! -e "/proc/$qemu/exe" ]
soon 10 eval '[ ! -s availability-zones/us-east-1a/messages ]'
END
}

@test "what happens while libvirtd is away is found when it is back" {
	with_own_libvirtd <<'END'
launch one
launch two
echo running 60 >instances/one/wait
echo running 60 >instances/two/wait
qemu=$(qemu_of "$(cat instances/one/instance-id)")
stop_libvirtd -KILL
kill -9 "$qemu"
rmdir instances/two
start_libvirtd
becomes stopped instances/one/state 30
tells . instances/one/state-reason
soon 30 eval '[ -z "$(virsh -q -c qemu:///system list --all --name)" ]'
soon 10 eval '[ "$(ls "$STATE/volumes" | wc -l)" = 1 ]'
END
}

@test "libvirtd is killed in the middle of launches" {
	with_own_libvirtd <<'END'
for i in 1 2 3; do
	launch "m$i"
	sleep "0.$i"
	stop_libvirtd -KILL
	start_libvirtd
done
for i in 1 2 3; do
	echo running 60 >"instances/m$i/wait"
	id=$(cat "instances/m$i/instance-id")
	[ "$(pgrep -cf -- "guest=$id,")" = 1 ]
	reads running <(virsh -q -c qemu:///system domstate "$id" | sed '/^$/d')
done
END
}
