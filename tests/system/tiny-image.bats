# The tiny image on QEMU alone: what other tests and the demo rely on, without ec2fs in between.
load ../lib/cloud

setup()
{
	command -v qemu-system-x86_64 >/dev/null || skip "QEMU is not installed"
	image=${EC2FS%/*}/tiny-image
	"$BATS_TEST_DIRNAME/../../examples/images/make-tiny-image" "$image" || skip "the tiny image cannot be made here"
	cd "$BATS_TEST_TMPDIR"
	cp --sparse=always "$image/disk" disk
	mkfifo monitor
}

teardown()
{
	[ -z "${qemu-}" ] || kill "$qemu" 2>/dev/null || true
}

# boot CMDLINE [NETDEV] [OPTION…]: starts the image. The guest's network has no way out of this machine.
boot()
{
	local cmdline=$1 netdev=${2:-user,id=net,restrict=on}

	shift $(($# < 2 ? $# : 2))
	# Opened for both ways, the monitor's input never ends.
	qemu-system-x86_64 -M q35 -m 256 -display none -no-reboot -kernel "$image/kernel" -initrd "$image/ramdisk" \
		-append "$(cat "$image/cmdline") $cmdline" -drive file=disk,format=raw,if=virtio \
		-netdev "$netdev" -device virtio-net-pci,netdev=net -serial file:console -monitor stdio \
		"$@" <>monitor >monitor.log 2>&1 3>&- 4>&- &
	qemu=$!
}

ended()
{
	! kill -0 "$qemu" 2>/dev/null
}

@test "it greets on the console, and the power button ends it" {
	boot ""
	soon 30 tells 'tiny# ' console
	tells 'address +10\.0\.2\.15' console
	tells 'boots +1' console
	echo system_powerdown >monitor
	soon 5 ended
	tells 'Power down' console
}

@test "the root volume counts boots" {
	boot ec2fs.test=poweroff
	soon 30 ended
	boot ec2fs.test=poweroff
	soon 30 ended
	tells 'boots +2' console
}

@test "a hanging guest ignores the power button" {
	boot ec2fs.test=hang
	soon 30 tells 'tiny# ' console
	echo system_powerdown >monitor
	sleep 2
	kill -0 "$qemu"
}

@test "a crash reaches the host through pvpanic" {
	boot ec2fs.test=crash "" -device pvpanic -action panic=shutdown
	soon 30 ended
	tells 'sysrq: Trigger a crash|Kernel panic' console
}

@test "it asks the metadata service with a token, and runs user data once" {
	local net="user,id=net,restrict=on,net=169.254.0.0/16"

	net+=",guestfwd=tcp:169.254.169.254:80-cmd:$BATS_TEST_DIRNAME/../lib/fake-imds"
	boot ec2fs.test=poweroff "$net"
	soon 30 ended
	tells 'instance +i-0123456789abcdef0' console
	tells 'metadata +yes' console
	tells 'user data ran on ip-10-0-0-9' console
	boot ec2fs.test=poweroff "$net"
	soon 30 ended
	tells 'boots +2' console
	lacks 'user data ran' console
}

@test "a metadata service that speaks of another machine is not believed" {
	boot ec2fs.test=poweroff "user,id=net,restrict=on,net=169.254.0.0/16,guestfwd=tcp:169.254.169.254:80-cmd:$BATS_TEST_DIRNAME/../lib/fake-imds" \
		-smbios type=2,asset=i-00000000000000001
	soon 30 ended
	tells 'instance +i-00000000000000001' console
	tells 'metadata +no' console
	lacks 'user data ran' console
}
