# Users that are not root: what they may do in root's cloud, and a cloud of their own.
load ../lib/cloud

setup()
{
	cloud_paths
	[ "$(id -u)" = 0 ] || skip "only root can become somebody else"
	getent passwd nobody >/dev/null || skip "there is no user nobody"
}

teardown() { cloud_stop; }

# A shell command as nobody, with nothing of root's.
nobody='setpriv --reuid=nobody --regid=nogroup --clear-groups bash -c'

@test "others read everything but secrets, and write what they own" {
	cloud_start
	mkdir instances/web-1 instances/theirs key-pairs/alice
	echo ed25519 >key-pairs/alice/key-type
	$nobody 'cat instances/web-1/state key-pairs/alice/public-key' >/dev/null
	refuses EACCES "$nobody 'cat key-pairs/alice/private-key'"
	refuses EACCES "$nobody 'cat instances/web-1/user-data'"
	refuses EACCES "$nobody 'echo t3.nano > instances/web-1/instance-type'"
	refuses EACCES "$nobody 'mkdir instances/mine'"
	refuses EACCES "$nobody 'rmdir instances/web-1'"
	reads t3.micro instances/web-1/instance-type
	timeout 20 $nobody 'grep -rs . . >/dev/null; find . >/dev/null'

	# What is given to them is theirs.
	chown -R nobody:nogroup instances/theirs
	$nobody 'echo t3.nano > instances/theirs/instance-type'
	reads t3.nano instances/theirs/instance-type
	$nobody 'echo prod > instances/theirs/tags/env'
	[ "$(stat -c %U instances/theirs/tags/env)" = nobody ]

	# Each sees their own refusals, root all.
	refuses EINVAL "$nobody 'echo t9.huge > instances/theirs/instance-type'"
	refuses EINVAL 'echo t8.huge > instances/web-1/instance-type'
	$nobody "cat $CLOUD/errors" >"$BATS_TEST_TMPDIR/seen"
	tells t9.huge "$BATS_TEST_TMPDIR/seen"
	lacks t8.huge "$BATS_TEST_TMPDIR/seen"
	tells t9.huge "$CLOUD/errors"
	tells t8.huge "$CLOUD/errors"
}

# /dev/fuse as udev makes it, for a shell of its own.
@test "a user mounts a cloud of their own" {
	command -v fusermount3 >/dev/null || skip "fuse3 is not installed"
	unshare -m true 2>/dev/null || skip "no mount namespace can be made here"
	own=$BATS_TEST_TMPDIR/own
	mkdir -p "$own/cloud" "$own/dev"
	cat >"$BATS_TEST_TMPDIR/story" <<-END
		set -eE
		. "$BATS_TEST_DIRNAME/../lib/cloud.bash"
		trap 'echo "failed: \$BASH_COMMAND"' ERR
		mount -t tmpfs none "$own/dev"
		mknod -m 666 "$own/dev/fuse" c 10 229
		mount --bind "$own/dev/fuse" /dev/fuse
		nobody='$nobody'
		start() { \$nobody "'$EC2FS' -o state=$own/state,compute=sim $own/cloud"; }
		chown nobody:nogroup "$own" "$own/cloud"
		start
		\$nobody "cd $own/cloud/us-east-1 && mkdir instances/web-1 && echo prod > instances/web-1/tags/env"
		[ "\$(\$nobody "cat $own/cloud/us-east-1/instances/web-1/tags/env")" = prod ]
		[ "\$(stat -c %U "$own/state/state.db")" = nobody ]
		\$nobody "fusermount3 -u $own/cloud"
		soon 10 no_process "$own/cloud\\$"

		# What a crash leaves mounted is cleared, too.
		start
		kill -9 "\$(cat "$own/state/lock")"
		soon 10 flock -n "$own/state/lock" true
		start
		[ "\$(\$nobody "cat $own/cloud/us-east-1/instances/web-1/tags/env")" = prod ]
		[ "\$(grep -c " $own/cloud " /proc/mounts)" = 1 ]
		kill "\$(cat "$own/state/lock")"
		soon 10 no_process "$own/cloud\\$"
		! grep -q " $own/cloud " /proc/mounts
	END
	chmod 755 "$BATS_TEST_TMPDIR"
	timeout -k 5 60 unshare -m --propagation private bash "$BATS_TEST_TMPDIR/story" 3>&- 4>&-
}
