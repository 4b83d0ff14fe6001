# The command ec2fs: options, exit codes, the background, one daemon a state, a stale mount.
load ../lib/cloud

setup()
{
	cloud_paths
	mkdir -p "$CLOUD" "$STATE"
	options=state=$STATE,compute=sim
}

teardown()
{
	cd /
	! mountpoint -q "$CLOUD" || umount "$CLOUD"
	# The daemon ends a moment after its mount.
	soon 10 no_process "$CLOUD"
}

# The exit code of ec2fs with these arguments; what it says stays in $output.
exits()
{
	local wanted=$1

	shift
	run timeout 20 "$EC2FS" "$@" 3>&- 4>&-
	[ "$status" -eq "$wanted" ] || fail "ec2fs $*: exit status $status, wanted $wanted" "$output"
}

@test "--help and --version" {
	exits 0 --help
	[[ $output == usage:* ]]
	[[ $output == *state=DIR* ]]
	exits 0 --version
	[ "$output" = "ec2fs $(cat "$BATS_TEST_DIRNAME/../../VERSION")" ]
	exits 0 -V
	exits 0 -h
}

@test "wrong usage is exit code 2, says what is wrong, and makes nothing" {
	exits 2
	[[ $output == *"mount point is missing"* ]]
	exits 2 --frobnicate "$CLOUD"
	[[ $output == *frobnicate*--help* ]]
	exits 2 -o "$options" one two three
	[[ $output == *"three"* ]]
	exits 2 -o "$options,stop-timeout=soon" "$CLOUD"
	[[ $output == *"seconds from 1 to 86400"* ]]
	exits 2 -o "$options,stop-timeout=0" "$CLOUD"
	exits 2 -o "$options,scratch-timeout=0" "$CLOUD"
	exits 2 -o "state=,compute=sim" "$CLOUD"
	exits 2 -o "state=$STATE,compute=nonsense:" "$CLOUD"
	[[ $output == *"libvirt URI"* ]]
	exits 2 -o "$options,storage=relative" "$CLOUD"
	exits 2 -o "$options,storage=file:relative" "$CLOUD"
	[[ $output == *"absolute path"* ]]
	[ -z "$(ls -A "$STATE")" ]
}

@test "trouble is exit code 1, and leaves nothing mounted" {
	exits 1 -o "$options" "$CLOUD_HOME/nothing-here"
	[[ $output == *"No such file or directory"* ]]
	: >"$CLOUD_HOME/file"
	exits 1 -o "$options" "$CLOUD_HOME/file"
	[[ $output == *"no directory"* ]]
	exits 1 -o "state=/proc/none,compute=sim" "$CLOUD"
	[[ $output == *"state directory"* ]]
	exits 1 -o "$options,unheard-of-option" "$CLOUD"
	[[ $output == *unheard-of-option* ]]
	! mountpoint -q "$CLOUD"
}

@test "a state that is damaged or newer is left alone" {
	exits 0 -o "$options" "$CLOUD"
	umount "$CLOUD"
	soon 10 no_process "$CLOUD"
	command -v sqlite3 >/dev/null || skip "sqlite3 is not installed"
	sqlite3 "$STATE/state.db" 'PRAGMA user_version = 99'
	exits 1 -o "$options" "$CLOUD"
	[[ $output == *"newer ec2fs"* ]]
	echo "this is no database, and long enough to be looked at by whoever would open it as one" >"$STATE/state.db"
	rm -f "$STATE"/state.db-*
	exits 1 -o "$options" "$CLOUD"
	[[ $output == *"not a database"* ]]
	tells '^this is no database' "$STATE/state.db"
}

@test "it goes to the background once it serves" {
	exits 0 -o "$options" "$CLOUD"
	[ -z "$output" ]
	tells . "$CLOUD/version"
	# It holds nothing of who started it: neither the directory nor standard output.
	run timeout 10 cat < <(cd "$CLOUD_HOME" && "$EC2FS" -o "$options" "$CLOUD_HOME/other" 2>&1 3>&- 4>&-)
	[ "$status" -eq 0 ]
	for process in $(pgrep -f -- "$CLOUD\$"); do
		[ "$(readlink "/proc/$process/cwd")" = / ]
		[ "$(readlink "/proc/$process/fd/1")" = /dev/null ]
		[ "$(ps -o tty= -p "$process")" = '?' ]
	done
}

@test "-f stays, logs to standard error, and ends with 0 when it is unmounted or told to" {
	for how in 'umount "$CLOUD"' 'kill -TERM "$(cloud_pid)"' 'kill -INT "$(cloud_pid)"' 'kill -HUP "$(cloud_pid)"'; do
		cloud_start
		tells . "$CLOUD/version"
		cd /
		eval "$how"
		cloud_await_exit
		! mountpoint -q "$CLOUD"
	done
	tells 'sim is reached' "$CLOUD_HOME/log"
}

@test "-d logs the requests" {
	cloud_start -d
	cat "$CLOUD/version"
	cloud_unmount
	tells 'LOOKUP|lookup' "$CLOUD_HOME/log"
}

@test "relative paths, and what mount(8) passes on" {
	cd "$CLOUD_HOME"
	exits 0 none cloud -o "rw,defaults,nofail,_netdev,x-systemd.automount,state=state,compute=sim,noatime"
	tells . "$CLOUD/version"
	[ -e "$STATE/state.db" ]
	umount "$CLOUD"
	soon 10 no_process ' cloud '
}

@test "-o ro" {
	exits 0 -o "$options,ro" "$CLOUD"
	refuses EROFS "mkdir $CLOUD/us-east-1/instances/web-1"
	tells . "$CLOUD/version"
}

@test "one daemon a state directory, one mount a directory after a crash" {
	cloud_start
	mkdir "$CLOUD_HOME/second"
	exits 3 -o "$options" "$CLOUD_HOME/second"
	[[ $output == *"another ec2fs (process $(cloud_pid))"* ]]
	reads available availability-zones/us-east-1a/state
	kill -9 "$(cloud_pid)"
	cloud_await_exit || true
	cd /
	run ls "$CLOUD"
	[[ $output == *"not connected"* ]]
	exits 0 -o "$options" "$CLOUD"
	[ "$(grep -c " $CLOUD " /proc/mounts)" = 1 ]
	tells . "$CLOUD/version"
}

# Holds the lock of a directory in the kernel while the daemon has to answer, and the daemon's own thread wants it.
@test "a daemon that is killed leaves no process behind that cannot end" {
	for round in 1 2 3 4 5 6; do
		cloud_start
		for w in 1 2 3 4; do
			perl -e 'chdir "instances"; while (mkdir $ARGV[0] and rmdir $ARGV[0]) { }' "w$w" 3>&- 4>&- &
			pids[w]=$!
		done
		sleep "0.$((RANDOM % 5 + 1))"
		kill -9 "$(cloud_pid)"
		cloud_await_exit || true
		cd /
		for w in 1 2 3 4; do soon 5 eval "! kill -0 ${pids[w]}"; done
		umount -l "$CLOUD"
	done
}
