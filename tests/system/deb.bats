# `make deb`: the package is built from this tree, lintian finds nothing, and what is in it works. Takes up to 1500 s.
load ../lib/cloud

setup_file()
{
	local tool

	for tool in dpkg-buildpackage dh lintian; do
		command -v $tool >/dev/null || return 0
	done
	cd "$BATS_TEST_DIRNAME/../.."
	export DEB=$BATS_FILE_TMPDIR/deb
	# What make has for its children is not for this one.
	env -u MAKEFLAGS -u MAKELEVEL scripts/make-deb "$DEB" >"$BATS_FILE_TMPDIR/said" 2>&1 || cat "$BATS_FILE_TMPDIR/said" >&2
}

setup()
{
	[ -n "${DEB-}" ] || skip "dpkg-buildpackage, debhelper or lintian is not installed"
	cloud_paths
	package=$(echo "$DEB"/ec2fs_*.deb)
	root=$BATS_TEST_TMPDIR/root
	[ -e "$package" ] || fail "there is no package:" "$(cat "$BATS_FILE_TMPDIR/said")"
}

teardown()
{
	cd /
	! mountpoint -q "$CLOUD" || umount "$CLOUD"
	soon 10 no_process "$CLOUD"
}

@test "lintian finds nothing" {
	[ ! -s "$DEB/lintian" ] || fail "$(cat "$DEB/lintian")"
}

@test "the package has the version of the tree, and what belongs into it" {
	[ "$(dpkg-deb -f "$package" Version)" = "$(cat "$BATS_TEST_DIRNAME/../../VERSION")" ]
	dpkg-deb -c "$package" >"$BATS_TEST_TMPDIR/files"
	for file in usr/sbin/ec2fs lib/systemd/system/ec2fs.service etc/default/ec2fs usr/share/man/man8/ec2fs.8.gz \
		usr/share/man/man7/ec2fs.tree.7.gz usr/share/bash-completion/completions/ec2fs \
		usr/share/doc/ec2fs/README.md usr/share/doc/ec2fs/examples/images/make-tiny-image; do
		tells " \./$file$" "$BATS_TEST_TMPDIR/files"
	done
	[ "$(dpkg-deb --ctrl-tarfile "$package" | tar -xO ./conffiles)" = /etc/default/ec2fs ]
	# A package starts nobody's cloud.
	lacks 'start' <(dpkg-deb --ctrl-tarfile "$package" | tar -xO ./postinst)
}

@test "the daemon of the package mounts, and its unit is well formed" {
	dpkg-deb -x "$package" "$root"
	mkdir -p "$CLOUD"
	"$root/usr/sbin/ec2fs" -o "state=$STATE,compute=sim" "$CLOUD"
	[ "$(cat "$CLOUD/version")" = "$(cat "$BATS_TEST_DIRNAME/../../VERSION")" ]
	umount "$CLOUD"
	command -v systemd-analyze >/dev/null || skip "systemd is not installed"
	sed "s|/usr/sbin|$root/usr/sbin|" "$root/lib/systemd/system/ec2fs.service" >"$BATS_TEST_TMPDIR/ec2fs.service"
	systemd-analyze verify --man=no "$BATS_TEST_TMPDIR/ec2fs.service" >"$BATS_TEST_TMPDIR/said" 2>&1 || true
	lacks 'ec2fs.service:' "$BATS_TEST_TMPDIR/said"
}

@test "dpkg installs it, keeps a configuration that was changed, and purges it" {
	[ "$(id -u)" = 0 ] || skip "only root can install"
	mkdir -p "$root/var/lib/dpkg/"{updates,info}
	touch "$root/var/lib/dpkg/"{status,available}
	# A root of its own has nothing that maintainer scripts need: they are told to run without chroot.
	dpkg_there()
	{
		dpkg --root="$root" --force-depends --force-script-chrootless --force-confold --log=/dev/null "$@" >"$BATS_TEST_TMPDIR/said" 2>&1 ||
			fail "$(cat "$BATS_TEST_TMPDIR/said")"
	}
	dpkg_there -i "$package"
	[ "$(dpkg --root="$root" -l ec2fs | awk 'END { print $1 }')" = ii ]
	echo "CLOUD=/elsewhere" >"$root/etc/default/ec2fs"
	dpkg_there -i "$package"
	reads CLOUD=/elsewhere "$root/etc/default/ec2fs"
	dpkg_there -r ec2fs
	[ ! -e "$root/usr/sbin/ec2fs" ]
	[ -e "$root/etc/default/ec2fs" ]
	dpkg_there -P ec2fs
	[ -z "$(find "$root" -name '*ec2fs*' ! -path '*/var/lib/dpkg/*')" ] || fail "$(find "$root" -name '*ec2fs*')"
}
