# The image of Debian 12: what it is made of, and that its cloud-init, which is as Debian has it, believes to be on EC2.
# Takes up to 900 s. (the first time, where it is built)
load ../lib/cloud

setup_file()
{
	image_made "$BATS_TEST_DIRNAME/../../examples/images/make-debian-image"
}

setup()
{
	can_run
	cd "$BATS_TEST_TMPDIR"
}

teardown()
{
	[ -z "${qemu-}" ] || kill "$qemu" 2>/dev/null || true
	cloud_stop
}

# inside COMMAND: what debugfs(8) says of the disk.
inside()
{
	PATH=$PATH:/sbin debugfs -R "$1" "$IMAGE/disk" 2>debugfs.log
}

# boot: starts a copy of the image with the tree in imds/ as its metadata; its network has no way out of
# this machine.
boot()
{
	local uuid=ec2a1b2c-3d4e-4f50-8a6b-7c8d9e0f1a2b

	[ -e monitor ] || mkfifo monitor
	[ -e disk ] || cp --sparse=always "$IMAGE/disk" disk
	# Opened for both ways, the monitor's input never ends.
	qemu-system-x86_64 -M q35 -cpu max,la57=off -smp 2 -m 1024 -display none -no-reboot -kernel "$IMAGE/kernel" \
		-initrd "$IMAGE/ramdisk" -append "$(cat "$IMAGE/cmdline")" -drive file=disk,format=raw,if=virtio \
		-netdev "user,id=net,restrict=on,net=169.254.0.0/16,hostfwd=tcp:127.0.0.1:0-:22,guestfwd=tcp:169.254.169.254:80-cmd:$BATS_TEST_DIRNAME/../lib/fake-imds $PWD/imds" \
		-device virtio-net-pci,netdev=net,mac=02:12:34:56:78:9a,romfile= \
		-smbios type=1,manufacturer="Amazon EC2",product=t3.micro,uuid=$uuid,serial=$uuid \
		-serial file:console -monitor stdio <>monitor >monitor.log 2>&1 3>&- 4>&- &
	qemu=$!
	echo 'info usernet' >monitor
	soon 10 grep -q HOST_FORWARD monitor.log
	port=$(awk '/HOST_FORWARD/ {print $4; exit}' monitor.log)
}

# guest COMMAND…: runs it in the guest, logged in with the key.
guest()
{
	ssh -i key -p "$port" -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		-o LogLevel=ERROR -o ConnectTimeout=5 -o BatchMode=yes debian@127.0.0.1 "$@"
}

# metadata: a tree of EC2's as small as cloud-init accepts, with the key and the user data.
metadata()
{
	local mac=imds/meta-data/network/interfaces/macs/02:12:34:56:78:9a

	mkdir -p $mac imds/meta-data/public-keys/0 imds/meta-data/placement imds/dynamic/instance-identity
	echo 0 >$mac/device-number
	echo 169.254.0.15 >$mac/local-ipv4s
	echo vpc-0123456789abcdef0 >$mac/vpc-id
	echo i-0123456789abcdef0 >imds/meta-data/instance-id
	echo ip-169-254-0-15.ec2.internal >imds/meta-data/local-hostname
	echo us-east-1a >imds/meta-data/placement/availability-zone
	echo 0=hello >imds/meta-data/public-keys/.list
	cp key.pub imds/meta-data/public-keys/0/openssh-key
	echo '{"instanceId": "i-0123456789abcdef0", "region": "us-east-1"}' >imds/dynamic/instance-identity/document
	cat >imds/user-data
}

@test "it is made once" {
	stat -c '%n %i %Y' "$IMAGE"/* >before
	"$BATS_TEST_DIRNAME/../../examples/images/make-debian-image" "$IMAGE"
	stat -c '%n %i %Y' "$IMAGE"/* | diff before -
	lists 'cmdline disk kernel ramdisk' "$IMAGE"
	run "$BATS_TEST_DIRNAME/../../examples/images/make-debian-image" other 1x
	[ "$status" = 1 ]
	tells '"1x" is no size' <(echo "$output")
	[ ! -e other ]
}

@test "a sparse ext4 file system on the bare disk, with nothing of who made it" {
	[ $(($(stat -c %b "$IMAGE/disk") * 512)) -lt $(($(stat -c %s "$IMAGE/disk") / 2)) ]
	PATH=$PATH:/sbin e2fsck -fn "$IMAGE/disk" >check 2>&1
	PATH=$PATH:/sbin dumpe2fs -h "$IMAGE/disk" >super 2>&1
	tells '^Filesystem volume name: +debian$' super
	inside 'ls -p /etc/ssh' >etc
	tells '/sshd_config/' etc
	lacks ssh_host_ etc
	inside 'ls -p /etc' >etc
	lacks resolv.conf etc
	inside 'cat /etc/hostname' >hostname
	reads debian hostname
	inside 'stat /etc/machine-id' >id
	tells 'Size: 0$' id
	inside 'ls -p /etc/apt/apt.conf.d' >etc
	lacks builder etc
}

@test "cloud-init is what is in Debian's package" {
	inside 'cat /var/lib/dpkg/info/cloud-init.md5sums' | grep -E ' usr/lib/(cloud-init|python3)/' >sums
	tells ' usr/lib/cloud-init/ds-identify$' sums
	tells '/DataSourceEc2.py$' sums
	inside 'cat /var/lib/dpkg/status' |
		sed -n '/^Package: cloud-init$/,/^$/{s,^ /\(etc/cloud/.*\) \([0-9a-f]\{32\}\)$,\2  \1,p}' >>sums
	tells ' etc/cloud/cloud.cfg$' sums
	mkdir -p root/usr/lib/python3/dist-packages root/etc
	inside 'rdump /usr/lib/cloud-init root/usr/lib'
	inside 'rdump /usr/lib/python3/dist-packages/cloudinit root/usr/lib/python3/dist-packages'
	inside 'rdump /usr/lib/python3/dist-packages/cloud_init-22.4.2.egg-info root/usr/lib/python3/dist-packages'
	inside 'rdump /etc/cloud root/etc'
	(cd root && md5sum --quiet -c ../sums)
	# And nobody says by hand what it has to find out.
	lists '05_logging.cfg README' root/etc/cloud/cloud.cfg.d
	[ ! -e root/etc/cloud/ds-identify.cfg ]
}

@test "it finds EC2's metadata service, takes name, key and user data, and lets the key's owner in" {
	case $EC2FS in */san-*) skip "nothing of ec2fs runs in this test" ;; esac
	command -v qemu-system-x86_64 >/dev/null || skip "QEMU is not installed"
	ssh-keygen -q -t ed25519 -N '' -f key
	printf '#!/bin/sh\necho "user data ran on $(hostname)" | tee /dev/ttyS0 >/root/it-ran\n' | metadata
	boot
	soon 200 guest true
	guest cloud-init status --wait --long >status || fail "$(cat status)"
	tells '^status: done' status
	tells '^DataSourceEc2Local' status
	reads ip-169-254-0-15 <(guest hostname)
	reads 'user data ran on ip-169-254-0-15' <(guest sudo cat /root/it-ran)
	# Others write there at the same time: it need not begin a line.
	tells 'user data ran' console
	reads 'running' <(guest systemctl is-system-running || true)
	# A token first; then each thing once.
	reads 'PUT /latest/api/token 200' <(head -n 1 imds.log)
	lacks ' [45]..$' imds.log
	[ -z "$(sed 1,2d imds.log | sort | uniq -d)" ]
}

@test "it runs as an instance, and stops when it is told to" {
	cloud_paths
	cloud_real
	cloud_start -o stop-timeout=100
	# The network of this machine would carry cloud-init's question for metadata out of it.
	DEBIAN_CMDLINE=cloud-init=disabled debian_image
	mkdir instances/web-1
	printf 'image debian-12\ninstance-type t3.micro\n' >instances/web-1/spec
	echo running >instances/web-1/state
	soon 200 tells 'debian login: ' instances/web-1/console
	echo stopped >instances/web-1/state
	echo stopped 120 >instances/web-1/wait
	tells 'reboot: Power down' instances/web-1/console
}
