# Helpers of the bats files: a private cloud, so that a test reads like a session at a terminal.
#
#	load ../lib/cloud
#	setup() { cloud_start; }
#	teardown() { cloud_stop; }
#
#	@test "a tag is a file" {
#		mkdir instances/web-1
#		echo prod > instances/web-1/tags/env
#		reads prod instances/web-1/tags/env
#		refuses EINVAL 'echo t3.huge > instances/web-1/instance-type'
#		tells t3.huge instances/web-1/error
#	}
#
# Each test has a mount and a state of its own and begins in its directory of the first region. In setup_file and
# teardown_file the same functions make one cloud for all tests of the file, which then `cloud_enter` it.
. "$(dirname "${BASH_SOURCE[0]}")/leftovers.bash"

# An assertion's failure shows what was there instead.
fail()
{
	printf '%s\n' "$@" >&2
	return 1
}

# Where this cloud's things are: below the test's own directory, or the file's in setup_file.
cloud_paths()
{
	CLOUD_HOME=${CLOUD_HOME:-${BATS_TEST_TMPDIR:-$BATS_FILE_TMPDIR}}
	CLOUD=$CLOUD_HOME/cloud
	STATE=$CLOUD_HOME/state
	export CLOUD_HOME CLOUD STATE
	# QEMU, which is another user, has to reach the disks below: mktemp's directories are closed to it.
	local directory=$CLOUD_HOME
	while [ -O "$directory" ] && [ "$directory" != "${TMPDIR:-/tmp}" ] && [ "$directory" != / ]; do
		chmod a+x "$directory"
		directory=${directory%/*}
	done
}

# cloud_host: what the daemon takes for its host's network is a namespace of the test's own, so that no packet
# leaves it. The networks' processes and namespaces are found again by cloud_host_end.
cloud_host()
{
	cloud_paths
	[ -z "${CLOUD_NETNS-}" ] || return 0
	export CLOUD_NETNS=host-$$-$RANDOM
	ip netns add "$CLOUD_NETNS" && ip -n "$CLOUD_NETNS" link set lo up
	echo "$CLOUD_NETNS" >>"${TMPDIR:-/tmp}/.namespaces" # tests/run looks for what is left of it
}

# on_host COMMAND…: as if typed on the cloud's host.
on_host()
{
	nsenter --net="/run/netns/$CLOUD_NETNS" "$@"
}

cloud_host_end()
{
	[ -n "${CLOUD_NETNS-}" ] || return 0
	end_networks "$CLOUD_NETNS"
	unset CLOUD_NETNS
}

# cloud_start [OPTION…]: mounts a cloud on the provider sim (or what CLOUD_COMPUTE says), and goes there.
# Options are the daemon's own: cloud_start -o stop-timeout=2
cloud_start()
{
	local tries=0

	cloud_paths
	mkdir -p "$CLOUD" "$STATE"
	rm -f "$CLOUD_HOME/exit"
	# In a shell of its own, which notes how the daemon ended; bats waits for who holds 3 and 4.
	(
		cd /
		${CLOUD_NETNS:+nsenter "--net=/run/netns/$CLOUD_NETNS"} "$EC2FS" -f -o "state=$STATE,compute=${CLOUD_COMPUTE:-sim}" "$@" "$CLOUD" &
		echo $! >"$CLOUD_HOME/pid"
		status=0
		wait $! || status=$?
		echo $status >"$CLOUD_HOME/exit.new"
		mv "$CLOUD_HOME/exit.new" "$CLOUD_HOME/exit"
	) >>"$CLOUD_HOME/log" 2>&1 </dev/null 3>&- 4>&- &
	until mountpoint -q "$CLOUD"; do
		if [ -e "$CLOUD_HOME/exit" ] || [ $((tries += 1)) -gt 1000 ]; then
			fail "the daemon does not serve:" "$(cat "$CLOUD_HOME/log")"
			return 1
		fi
		sleep 0.02
	done
	cloud_enter
}

# skip_all REASON: for setup_file, in place of skip, which bats before 1.9 takes for a failure there; can_run skips.
skip_all()
{
	export SKIP_ALL=$1
}

# For setup: skips what setup_file has said skip_all of.
can_run()
{
	[ -z "${SKIP_ALL-}" ] || skip "$SKIP_ALL"
}

# Goes to the cloud that setup_file has started, if it has.
cloud_enter()
{
	can_run
	cd "$CLOUD/us-east-1"
}

cloud_pid()
{
	cat "$CLOUD_HOME/pid"
}

# Waits for the daemon's end, which has been asked for; its exit status.
cloud_await_exit()
{
	local tries=0

	until [ -e "$CLOUD_HOME/exit" ]; do
		if [ $((tries += 1)) -gt 1500 ]; then
			kill -9 "$(cloud_pid)"
			fail "the daemon did not end within 30 seconds"
			return 1
		fi
		sleep 0.02
	done
	return "$(cat "$CLOUD_HOME/exit")"
}

# Unmounts and waits for the daemon's end. State and instances stay as they are.
cloud_unmount()
{
	cd /
	umount "$CLOUD" || { sleep 0.3 && umount "$CLOUD"; } || umount -l "$CLOUD"
	cloud_await_exit
}

# Unmounts, and mounts again with the same state.
cloud_restart()
{
	cloud_unmount
	cloud_start "$@"
}

# The power goes: kill -9, nothing else.
cloud_kill()
{
	cd /
	kill -9 "$(cloud_pid)"
	cloud_await_exit || true
	umount -l "$CLOUD" 2>/dev/null || true
}

# In teardown, whatever happened before: ends what cloud_start began. A daemon that crashed or complains
# fails the test.
cloud_stop()
{
	local status=0 instance

	cd /
	[ -n "${CLOUD_HOME-}" ] && [ -e "$CLOUD_HOME/pid" ] || return 0
	if [ "${CLOUD_COMPUTE:-sim}" != sim ] && mountpoint -q "$CLOUD"; then
		# Unmounting leaves real machines running.
		for instance in "$CLOUD"/*/instances/*/; do
			[ ! -d "$instance" ] || cloud_terminate "$instance"
		done
	fi
	if [ -n "${BATS_ERROR_STATUS-}" ] && [ "${BATS_ERROR_STATUS-}" != 0 ]; then
		echo "errors:" && head -n 20 "$CLOUD/errors" 2>/dev/null
		echo "log:" && tail -n 60 "$CLOUD_HOME/log" | cut -c1-160
	fi
	if [ -e "$CLOUD_HOME/exit" ]; then
		umount -l "$CLOUD" 2>/dev/null || true # it crashed, and the test has said so, or:
		[ "$(cat "$CLOUD_HOME/exit")" = 0 ] || [ "$(cat "$CLOUD_HOME/exit")" = 137 ] ||
			fail "the daemon ended with status $(cat "$CLOUD_HOME/exit"):" "$(tail -n 60 "$CLOUD_HOME/log" | cut -c1-160)"
		return
	fi
	cloud_unmount || status=$?
	cloud_host_end
	[ $status = 0 ] || fail "the daemon ended with status $status:" "$(tail -n 60 "$CLOUD_HOME/log" | cut -c1-160)"
}

# Takes the protections off and the instance away, and waits till it is.
cloud_terminate()
{
	local tries=0

	echo false >"$1/disable-api-termination" 2>/dev/null || true
	echo terminated >"$1/state" 2>/dev/null || true
	until [ ! -d "$1" ] || [ "$(cat "$1/state" 2>/dev/null)" = terminated ] || [ $((tries += 1)) -gt 100 ]; do
		sleep 0.1
	done
	rmdir "$1" 2>/dev/null || true
}

# Real machines: the cloud's computers are libvirt's from here on. Skips where that cannot be.
cloud_real()
{
	[ "$(id -u)" = 0 ] || skip "real machines need root"
	command -v virsh qemu-system-x86_64 >/dev/null || skip "libvirt or QEMU is not installed"
	# With a clean environment: what it starts must not look like a test's own.
	env -i PATH="$PATH" "$BATS_TEST_DIRNAME/../../scripts/ensure-libvirtd" >/dev/null 2>&1 3>&- 4>&- ||
		skip "libvirtd cannot be started here"
	virsh -q -c qemu:///system version >/dev/null 2>&1 || skip "libvirtd does not answer"
	cloud_host
	: >"${TMPDIR:-/tmp}/.libvirt" # tests/run looks for machines left behind
	export CLOUD_COMPUTE=qemu:///system
}

# tiny_image [NAME]: imports the tiny image into the region one is in, as NAME (tiny); further lines of the kernel's
# command line come from TINY_CMDLINE.
tiny_image()
{
	local name=${1:-tiny} made=${EC2FS%/*}/tiny-image

	# In a test host it cannot be made; one came along.
	"$BATS_TEST_DIRNAME/../../examples/images/make-tiny-image" "$made" || [ -s "$made/.stamp" ] || skip "the tiny image cannot be made here"
	image_import "$name" "$made" "${TINY_CMDLINE-}"
}

# image_import NAME DIR [CMDLINE]: imports the image in DIR, with more on the kernel's command line.
image_import()
{
	mkdir "images/$1"
	cp --sparse=always "$2/disk" "images/$1/disk"
	cp "$2/kernel" "$2/ramdisk" "images/$1/"
	echo "$(cat "$2/cmdline")${3:+ $3}" >"images/$1/cmdline"
	becomes available "images/$1/state" 60
}

# image_made SCRIPT: has an image made, and sets IMAGE to where it is. Builds with sanitizers share it. Says skip_all where
# it cannot be made.
image_made()
{
	local status=0

	IMAGE=${EC2FS%/*}
	IMAGE=${IMAGE%/san-*}/${1##*/make-}
	export IMAGE
	"$1" "$IMAGE" >&2 || status=$?
	case $status in
	0) ;;
	75) skip_all "${1##*/} cannot work here" ;;
	*) fail "${1##*/} fails" ;;
	esac
}

# debian_image [NAME]: imports the image of Debian 12 into the region one is in, as NAME (debian-12); further lines of
# the kernel's command line come from DEBIAN_CMDLINE.
debian_image()
{
	image_made "$BATS_TEST_DIRNAME/../../examples/images/make-debian-image"
	can_run
	image_import "${1:-debian-12}" "$IMAGE" "${DEBIAN_CMDLINE-}"
}

# Assertions. Each names first what is wanted, then where.

# reads VALUE FILE: the file holds exactly this, and a final newline.
reads()
{
	local is

	is=$(cat "$2" && echo .) || return 1
	[ "$is" = "$1"$'\n.' ] || fail "$2 is: ${is%.}" "wanted: $1"
}

# tells PATTERN FILE…: a line matches this extended regular expression.
tells()
{
	local pattern=$1

	shift
	grep -qE -- "$pattern" "$@" || fail "no line of $* matches $pattern:" "$(cat "$@" 2>&1 | tail -n 20)"
}

# lacks PATTERN FILE…: no line does. (A test does not fail at "! tells", unless it is the last line.)
lacks()
{
	local pattern=$1 found

	shift
	if found=$(grep -E -- "$pattern" "$@"); then
		fail "$* should have no line that matches $pattern:" "$found"
	fi
}

# lists NAMES DIRECTORY: ls shows exactly these names (blanks between, sorted).
lists()
{
	local is

	is=$(LC_ALL=C ls "$2" | tr '\n' ' ')
	[ "${is% }" = "$1" ] || fail "$2 lists: $is" "wanted: $1"
}

# becomes VALUE FILE [SECONDS]: the file holds this soon (within 10 seconds).
becomes()
{
	local end=$(($(date +%s) + ${3:-10})) is

	until [ "$(date +%s)" -ge "$end" ]; do
		is=$(cat "$2" 2>&1)
		[ "$is" != "$1" ] || return 0
		sleep 0.05
	done
	fail "$2 did not become $1 within ${3:-10} seconds, it is: $is" \
		"state-reason: $(cat "${2%/*}/state-reason" 2>/dev/null)"
}

# soon SECONDS COMMAND…: the command succeeds within this time.
soon()
{
	local end=$(($(date +%s) + $1))

	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$end" ] || { fail "never succeeded: $*" "$("$@" 2>&1)"; return 1; }
		sleep 0.05
	done
}

# no_process PATTERN: for soon: no program's command line matches any more.
no_process()
{
	! pgrep -f -- "$1"
}

# refuses ERRNO 'COMMAND': the shell command fails, and says what strerror says of this errno (EINVAL …).
refuses()
{
	local said meant

	meant=$(errno_text "$1") || return 1
	if said=$(bash -c "$2" 2>&1); then
		fail "was not refused: $2" "$said"
	elif [[ $said != *"$meant"* ]]; then
		fail "refused: $2" "wanted: $meant" "said: $said"
	fi
}

errno_text()
{
	case $1 in
	EPERM) echo "Operation not permitted" ;;
	ENOENT) echo "No such file or directory" ;;
	EIO) echo "Input/output error" ;;
	EAGAIN) echo "Resource temporarily unavailable" ;;
	ENOMEM) echo "Cannot allocate memory" ;;
	EACCES) echo "Permission denied" ;;
	EBUSY) echo "Device or resource busy" ;;
	EEXIST) echo "File exists" ;;
	EXDEV) echo "Invalid cross-device link" ;;
	ENOTDIR) echo "Not a directory" ;;
	EISDIR) echo "Is a directory" ;;
	EINVAL) echo "Invalid argument" ;;
	EFBIG) echo "File too large" ;;
	ENOSPC) echo "No space left on device" ;;
	EROFS) echo "Read-only file system" ;;
	ERANGE) echo "Numerical result out of range" ;;
	ENAMETOOLONG) echo "File name too long" ;;
	ENOTEMPTY) echo "Directory not empty" ;;
	EIDRM) echo "Identifier removed" ;;
	ENODATA) echo "No data available" ;;
	EOPNOTSUPP) echo "Operation not supported" ;;
	EALREADY) echo "Operation already in progress" ;;
	ETIMEDOUT) echo "Connection timed out" ;;
	EDQUOT) echo "Disk quota exceeded" ;;
	EADDRINUSE) echo "Address already in use" ;;
	EADDRNOTAVAIL) echo "Cannot assign requested address" ;;
	ENOTCONN) echo "Transport endpoint is not connected" ;;
	ENODEV) echo "No such device" ;;
	ESTALE) echo "Stale file handle" ;;
	*) fail "errno_text knows no $1" ;;
	esac
}
