# kill -9 at random moments of a random workload: every acknowledged change is there, no refused one,
# nothing is left over.
load ../lib/cloud

setup()
{
	life=$BATS_TEST_DIRNAME/../lib/random-life
	cloud_start -o stop-timeout=1
}
teardown() { cloud_stop; }

image()
{
	mkdir images/tiny
	head -c 64K /dev/zero >"$CLOUD_HOME/disk"
	cp "$CLOUD_HOME/disk" images/tiny/disk
}

@test "a restart finds everything again, and running instances run" {
	image
	mkdir instances/web-1
	echo tiny >instances/web-1/image
	echo running >instances/web-1/state
	echo running >instances/web-1/wait
	echo prod >instances/web-1/tags/env
	mkdir "instances/  blanks in front"
	cp -r instances/web-1/spec "$CLOUD_HOME/spec"
	cloud_restart
	becomes running instances/web-1/state
	reads prod instances/web-1/tags/env
	reads draft "instances/  blanks in front/state"
	cmp "$CLOUD_HOME/spec" instances/web-1/spec
	cmp "$CLOUD_HOME/disk" images/tiny/disk
}

@test "one daemon a state directory" {
	mkdir "$CLOUD_HOME/second"
	run "$EC2FS" -o "state=$STATE,compute=sim" "$CLOUD_HOME/second"
	[ "$status" -eq 3 ]
	[[ $output == *"another ec2fs (process $(cloud_pid))"* ]]
	reads available availability-zones/us-east-1a/state
}

@test "a stale mount is cleared" {
	kill -9 "$(cloud_pid)"
	cloud_await_exit || true
	cd /
	run ls "$CLOUD"
	[[ $output == *"not connected"* ]]
	"$EC2FS" -o "state=$STATE,compute=sim" "$CLOUD" 3>&- 4>&-
	lists us-east-1a "$CLOUD/us-east-1/availability-zones"
	umount "$CLOUD"
	soon 10 flock -n "$STATE/lock" true
}

# Starts a daemon and kills it that many seconds later, wherever it is then.
born_to_die()
{
	local pid

	cd /
	"$EC2FS" -f -o "state=$STATE,compute=sim" "$CLOUD" >>"$CLOUD_HOME/log" 2>&1 3>&- 4>&- &
	pid=$!
	sleep "$1"
	kill -9 "$pid"
	wait "$pid" 2>/dev/null || true
	umount -l "$CLOUD" 2>/dev/null || true
}

# No file is without a resource: blobs, volumes, directories of instances.
nothing_is_orphaned()
{
	local region name

	cd "$CLOUD"
	for region in *-*-*; do
		for name in "$region"/by-id/*; do basename "$name"; done
		for name in "$region"/volumes/*; do basename "$name"; done
	done | sort >"$CLOUD_HOME/ids"
	for name in "$STATE"/volumes/* "$STATE"/instances/*; do
		[ -e "$name" ] || continue
		name=${name##*/}
		grep -qxF -- "${name%.raw}" "$CLOUD_HOME/ids" || fail "nothing has $name"
	done
	[ "$(find "$STATE/blobs" -type f | wc -l)" = "$(find . -path '*/images/*/disk' -size +0 | wc -l)" ] ||
		fail "blobs: $(ls "$STATE/blobs")" "disks: $(find . -path '*/images/*/disk' -size +0)"
	cd - >/dev/null
}

@test "kill -9 loses nothing that was acknowledged, keeps nothing that was refused" {
	cd "$CLOUD"
	mkdir eu-west-1 eu-west-2
	for round in 1 2 3 4 5 6 7 8; do
		pids=()
		for region in us-east-1 eu-west-1 eu-west-2; do
			"$life" live "$CLOUD_HOME/$region" "$CLOUD/$region" 3>&- 4>&- &
			pids+=($!)
		done
		sleep "0.$((RANDOM % 9))$((RANDOM % 10))"
		cloud_kill
		wait "${pids[@]}"
		# The next ones die young.
		born_to_die "0.00$((RANDOM % 10))"
		born_to_die "0.0$((RANDOM % 10))"
		cloud_start -o stop-timeout=1
		for region in us-east-1 eu-west-1 eu-west-2; do
			"$life" check "$CLOUD_HOME/$region" "$CLOUD/$region"
		done
		soon 20 nothing_is_orphaned
	done
	# Whatever was under way comes to an end.
	cd "$CLOUD"
	for i in */instances/*/; do
		[ ! -d "$i" ] || soon 20 grep -qxE 'draft|running|stopped|terminated' "$i/state"
	done
	for i in */instances/*/ */images/*/; do
		[ ! -d "$i" ] || soon 20 rmdir "$i"
	done
	soon 20 eval '[ -z "$(find . -path "*/volumes/*")" ]'
	soon 20 eval '[ -z "$(find "$STATE/volumes" "$STATE/blobs" -type f ! -name .owner)" ]'
	# It was no empty life, and the check sees what is missing.
	[ "$(wc -l <"$CLOUD_HOME/us-east-1")" -gt 10 ]
	run "$life" check "$CLOUD_HOME/us-east-1" us-east-1
	[ "$status" -eq 1 ]
	[[ $output == *"is gone"* ]]
}
