# A test host: a virtual machine with Debian's kernel and device-mapper, for what the machine at hand cannot run.
#
#	host_start DIR [DATA]   makes its disks and files below DIR, an absolute path, and boots it
#	host COMMAND…           runs a shell command in it as root; its output, its exit status (255: the host is gone)
#	host_put DIR TARGET     copies what is in DIR to TARGET in the host
#	host_put_ec2fs          installs ec2fs in it by `make install`, and copies the tests to /root/ec2fs: host 'cd ec2fs && tests/run tree'
#	host_cut; host_boot     the power goes, at once; the same disks boot again
#	host_up                 boots it unless it runs
#	host_stop               ends it, disks and all
#
# and for files of bats, after lib/cloud (their setup is can_run):
#
#	host_made               for setup_file: has the host's image made; says skip_all where there can be no test host
#	host_with_ec2fs         for setup_file: host_made, and a host that has ec2fs
#	host_passes FILE COUNT  that file of tests/host passes in it, COUNT tests and none skipped
#
# /dev/vdb is an empty disk of size DATA, 8G by default. The host dies with the shell that booted it, so that is never
# a $(…). Its network reaches this machine's loopback address for ssh, and nothing else.
# shellcheck shell=bash

host_home=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

host_fail()
{
	printf '%s\n' "$@" >&2
	return 1
}

# Where the image is; makes it first when it must. A build with sanitizers shares that of the others.
host_image()
{
	local build=${EC2FS:-$host_home/../../build/ec2fs}

	build=$(realpath -m "${build%/*}")
	HOST_IMAGE=${build%/san-*}/host
	"$host_home/make-host" "$HOST_IMAGE"
}

host_start()
{
	HOST_DIR=$1
	export HOST_DIR HOST_IMAGE
	host_image || return
	mkdir -p "$HOST_DIR"
	# What a qcow2 file has allocated, and not been told to flush, is lost with its QEMU: as in a disk's cache.
	qemu-img create -q -f qcow2 -F raw -b "$HOST_IMAGE/disk" "$HOST_DIR/root.qcow2" &&
		qemu-img create -q -f qcow2 "$HOST_DIR/data.qcow2" "${2:-8G}" && host_boot
}

host_boot()
{
	local tries=0

	rm -f "$HOST_DIR"/{console,monitor,monitor.log,ssh}
	mkfifo "$HOST_DIR/monitor"
	# Opened for both ways, the monitor's input never ends. Of a simple processor less has to be emulated.
	setpriv --pdeathsig KILL qemu-system-x86_64 -M q35 -cpu qemu64,+rdrand,+rdseed -smp "${HOST_CPUS:-2}" -m "${HOST_MEMORY:-2048}" \
		-display none -no-reboot -nodefaults -kernel "$HOST_IMAGE/kernel" -initrd "$HOST_IMAGE/ramdisk" \
		-append "$(cat "$HOST_IMAGE/cmdline") panic=1" \
		-drive "file=$HOST_DIR/root.qcow2,format=qcow2,if=none,id=root" -device virtio-blk-pci,drive=root \
		-drive "file=$HOST_DIR/data.qcow2,format=qcow2,if=none,id=data,discard=unmap" -device virtio-blk-pci,drive=data,serial=data \
		-netdev 'user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:0-:22' -device virtio-net-pci,netdev=net,romfile= \
		-device virtio-rng-pci -serial "file:$HOST_DIR/console" -monitor stdio \
		<>"$HOST_DIR/monitor" >"$HOST_DIR/monitor.log" 2>&1 3>&- 4>&- &
	echo $! >"$HOST_DIR/qemu.pid"
	until grep -q '^host ready' "$HOST_DIR/console" 2>/dev/null; do
		kill -0 "$(cat "$HOST_DIR/qemu.pid")" 2>/dev/null && [ $((tries += 1)) -lt 3000 ] ||
			host_fail "the test host does not boot:" "$(tail -n 20 "$HOST_DIR/monitor.log" "$HOST_DIR/console" 2>&1)" ||
			return
		sleep 0.1
	done
	echo 'info usernet' >"$HOST_DIR/monitor"
	until grep -q HOST_FORWARD "$HOST_DIR/monitor.log"; do
		[ -e "/proc/$(cat "$HOST_DIR/qemu.pid")/exe" ] || host_fail "QEMU ended:" "$(cat "$HOST_DIR/monitor.log")" || return
		sleep 0.05
	done
	awk '/HOST_FORWARD/ {print $4; exit}' "$HOST_DIR/monitor.log" >"$HOST_DIR/port"
	# One connection for all commands: each new one would cost seconds of an emulated processor.
	(unset host_command && host_ssh -N -M) </dev/null >"$HOST_DIR/ssh.log" 2>&1 3>&- 4>&- &
	echo $! >"$HOST_DIR/ssh.pid"
	tries=0
	until [ -S "$HOST_DIR/ssh" ]; do
		kill -0 "$(cat "$HOST_DIR/ssh.pid")" 2>/dev/null && [ $((tries += 1)) -lt 3000 ] ||
			host_fail "no way into the test host:" "$(cat "$HOST_DIR/ssh.log")" || return
		sleep 0.1
	done
}

# host_ssh OPTION…: ssh to the host, in place of the (sub)shell that calls it. The control socket's path is relative for
# the kernel's sake, which knows only 107 characters.
host_ssh()
{
	cd "$HOST_DIR" && exec ssh -F none -i "$HOST_IMAGE/key" -p "$(cat port)" -o ControlPath=ssh -o BatchMode=yes \
		-o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
		-o ServerAliveInterval=60 -o ServerAliveCountMax=10 -o ConnectTimeout=120 "$@" root@127.0.0.1 ${host_command+"$host_command"}
}

host()
{
	local host_command=$*

	# Without the master there is no host, and no waiting for it.
	[ -S "$HOST_DIR/ssh" ] || return 255
	(host_ssh -o ControlMaster=no)
}

host_put()
{
	tar -C "$1" -c --sparse --owner=0 --group=0 . | host "mkdir -p '$2' && tar -x -C '$2'"
}

host_put_ec2fs()
{
	local tree=$host_home/../.. build=${EC2FS:-$host_home/../../build/ec2fs} staged=$HOST_DIR/install

	build=$(realpath --relative-to="$tree" "${build%/*}")
	make -s -C "$tree" BUILD="$build" DESTDIR="$staged" install >&2 || return
	mkdir -p "$staged/root/ec2fs/build"
	ln -s /usr/local/sbin/ec2fs "$staged/root/ec2fs/build/ec2fs"
	cp -r "$tree"/{tests,examples,scripts} "$staged/root/ec2fs/"
	# To make it there again would take a minute.
	"$tree/examples/images/make-tiny-image" "$tree/${build%/san-*}/tiny-image" &&
		cp -r --sparse=always "$tree/${build%/san-*}/tiny-image" "$staged/root/ec2fs/build/" &&
		rm -rf "$staged/root/ec2fs/build/tiny-image/.packages" && host_put "$staged" / && rm -r "$staged"
}

# host_lives PID: has the process a thread that has not ended, and let go of its files? Memory goes first, and with it
# /proc/PID/exe: the disks may be locked still. Another shell's child stays a zombie until that looks.
host_lives()
{
	grep -qsv '^State:.*[ZX] (' <(grep -hs '^State:' /proc/"$1"/task/*/status)
}

host_cut()
{
	local pid

	for pid in qemu ssh; do
		pid=$(cat "$HOST_DIR/$pid.pid" 2>/dev/null) || continue
		kill -9 "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		while host_lives "$pid"; do sleep 0.02; done
	done
	rm -f "$HOST_DIR"/{qemu.pid,ssh.pid,ssh}
	return 0
}

# Boots it unless it runs: a test before this one may have cut its power.
host_up()
{
	[ -S "$HOST_DIR/ssh" ] && host true || { host_cut && host_boot; }
}

host_stop()
{
	[ -n "${HOST_DIR-}" ] || return 0
	host_cut
	rm -rf "$HOST_DIR"
}

host_made()
{
	case $EC2FS in
	*/san-*) skip_all "the test host emulates a processor: sanitizers would take too long in it" ;;
	*) command -v qemu-system-x86_64 qemu-img >/dev/null || skip_all "QEMU is not installed" ;;
	esac
	[ -n "${SKIP_ALL-}" ] || image_made "$host_home/make-host"
}

host_with_ec2fs()
{
	host_made
	[ -n "${SKIP_ALL-}" ] || { host_start "$BATS_FILE_TMPDIR/host" 1G && host_put_ec2fs; }
}

host_passes()
{
	run host "cd ec2fs && TEST_LIMIT=600 tests/run tests/host/$1 2>&1"
	[ "$status" = 0 ] || fail "exit status $status:" "$output" "$(host "tail -n 80 ec2fs/build/test-logs/$1.tap")"
	[[ ${lines[-1]} == "$2 passed, 0 failed, 0 skipped" ]] || fail "$output"
}
