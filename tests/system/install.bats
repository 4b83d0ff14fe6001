# What `make install` puts where, and that mount(8), an fstab line included, finds it.
load ../lib/cloud

setup()
{
	cloud_paths
	root=$BATS_TEST_TMPDIR/root
	cd "$BATS_TEST_DIRNAME/../.."
	mkdir -p "$CLOUD"
	options=state=$STATE,compute=sim
}

teardown()
{
	cd /
	! mountpoint -q "$CLOUD" || umount "$CLOUD"
	# The daemon ends a moment after its mount.
	soon 10 no_process "$CLOUD"
}

# mount(8) drops PATH, so that what mount.fuse3 starts is looked for where the shell looks by itself: /usr/local and
# /usr, where `make install` puts it. Here it is installed into a /usr/local that only the given commands see.
installed()
{
	[ "$(id -u)" = 0 ] || skip "only root can mount like this"
	[ -e /sbin/mount.fuse ] || [ -e /sbin/mount.fuse3 ] || skip "fuse3 is not installed"
	unshare -m true 2>/dev/null || skip "no mount namespace can be made here"
	cat >"$BATS_TEST_TMPDIR/installed" <<-END
		set -e
		mount -t tmpfs none /usr/local
		make -s install BUILD="${EC2FS%/*}"
		[ -x /usr/local/sbin/ec2fs ]
		$1
		umount "$CLOUD"
	END
	unshare -m --propagation private bash "$BATS_TEST_TMPDIR/installed"
}

@test "make install and make uninstall" {
	make -s install BUILD="${EC2FS%/*}" DESTDIR="$root" PREFIX=/opt/ec2fs
	for file in lib/systemd/system/ec2fs.service sbin/ec2fs share/man/man7/ec2fs.tree.7 share/man/man8/ec2fs.8 \
		share/bash-completion/completions/ec2fs share/doc/ec2fs/README.md share/doc/ec2fs/docs/tree.md \
		share/doc/ec2fs/examples/cloud.mount share/doc/ec2fs/examples/images/make-tiny-image; do
		[ -s "$root/opt/ec2fs/$file" ] || fail "$file is not installed"
	done
	# What runs can be run, and nothing else can.
	[ -z "$(find "$root" -type f -perm /111 ! -path '*/sbin/ec2fs' ! -path '*/examples/*')" ]
	[ -x "$root/opt/ec2fs/share/doc/ec2fs/examples/images/make-tiny-image" ]
	tells '^ExecStart=/opt/ec2fs/sbin/ec2fs ' "$root/opt/ec2fs/lib/systemd/system/ec2fs.service"
	[ "$("$root/opt/ec2fs/sbin/ec2fs" --version)" = "$("$EC2FS" --version)" ]
	make -s uninstall DESTDIR="$root" PREFIX=/opt/ec2fs
	[ -z "$(find "$root" ! -type d)" ] || fail "left behind:" "$(find "$root" ! -type d)"
	# Directories that others share stay: sbin, share, share/man.
	[ -z "$(find "$root" -type d -iname '*ec2fs*' ! -path "$root/opt/ec2fs")" ]
}

@test "uninstall leaves alone what it has not installed" {
	make -s install BUILD="${EC2FS%/*}" DESTDIR="$root"
	touch "$root/usr/local/share/man/man8/other.8" "$root/usr/local/sbin/other"
	make -s uninstall DESTDIR="$root"
	[ "$(cd "$root" && find . -type f | sort | tr '\n' ' ')" = "./usr/local/sbin/other ./usr/local/share/man/man8/other.8 " ]
	make -s uninstall DESTDIR="$root"
}

@test "the units of systemd are well formed" {
	command -v systemd-analyze >/dev/null || skip "systemd is not installed"
	mkdir -p "$root"
	sed "s|@SBINDIR@|${EC2FS%/*}|" dist/ec2fs.service >"$root/ec2fs.service"
	cp dist/cloud.mount "$root/"
	systemd-analyze verify --man=no "$root/ec2fs.service" "$root/cloud.mount" >"$root/said" 2>&1 || true
	lacks 'ec2fs.service:|cloud.mount:' "$root/said"
}

@test "mount -t fuse.ec2fs" {
	installed "mount -t fuse.ec2fs -o '$options' none '$CLOUD'
		[ \"\$(findmnt -n -o FSTYPE '$CLOUD')\" = fuse.ec2fs ]
		grep -q . '$CLOUD/version'"
}

@test "a line in fstab" {
	echo "none $CLOUD fuse.ec2fs $options,nofail,x-systemd.automount 0 0" >"$BATS_TEST_TMPDIR/fstab"
	installed "mount -T '$BATS_TEST_TMPDIR/fstab' '$CLOUD'
		grep -q . '$CLOUD/version'"
}

@test "what cannot be mounted is told to who called mount" {
	run installed "mount -t fuse.ec2fs -o '$options,compute=nonsense:' none '$CLOUD'"
	[ "$status" -ne 0 ]
	[[ $output == *"write a libvirt URI"* ]]
}
