# kill -9 at random moments of a random workload: every acknowledged change is there, no refused one,
# nothing is left over.
load ../lib/cloud

setup() { cloud_start -o stop-timeout=1; }
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
	cp -r instances/web-1/spec "$CLOUD_HOME/spec"
	cloud_restart
	becomes running instances/web-1/state
	reads prod instances/web-1/tags/env
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

# Does things at random and notes what was acknowledged: "NAME VALUE" for each tag, "- NAME" for what went.
worker()
{
	local n=0 name value

	cd "$CLOUD/us-east-1" || return
	while read -r _ 2>/dev/null <"$CLOUD/version"; do # as long as somebody serves
		name=w$1-$((RANDOM % 6)) value=$((n += 1))
		case $((RANDOM % 5)) in
		0) echo "try + $name" && mkdir "instances/$name" 2>/dev/null && echo "ok + $name" ;;
		1) echo "try - $name" && rmdir "instances/$name" 2>/dev/null && echo "ok - $name" ;;
		2 | 3)
			[ -d "instances/$name" ] || continue
			echo "try tag $name $value"
			echo "$value" 2>/dev/null >"instances/$name/tags/n" && echo "ok tag $name $value"
			;;
		4)
			[ -d "instances/$name" ] || continue
			echo tiny 2>/dev/null >"instances/$name/image"
			echo running 2>/dev/null >"instances/$name/state"
			;;
		esac
	done 2>/dev/null >>"$CLOUD_HOME/log-$1"
}

# What the worker's instances must be now, from its log: only its last, unanswered try is open.
check()
{
	local log=$CLOUD_HOME/log-$1 name there tag open

	open=$(tail -n 1 "$log")
	for name in w$1-{0..5}; do
		[[ $open == "try "*" $name"* ]] && continue
		there=$(grep -E "^ok [+-] $name\$" "$log" | tail -n 1)
		case $there in
		"ok + $name")
			[ -d "instances/$name" ] || fail "$name was made, and is gone:" "$(tail -n 5 "$log")"
			tag=$(awk -v n="$name" '$0 == "ok + " n {t = ""} $1 == "ok" && $2 == "tag" && $3 == n {t = $4} END {print t}' "$log")
			[ -z "$tag" ] || reads "$tag" "instances/$name/tags/n"
			;;
		*) [ ! -d "instances/$name" ] || fail "$name was not made, or removed, and is there" ;;
		esac
	done
	# The next round takes it as it turned out.
	# shellcheck disable=SC2086 # words
	set -- $open
	case $open in
	"try + "*) [ ! -d "instances/$3" ] || echo "ok + $3" >>"$log" ;;
	"try - "*) [ -d "instances/$3" ] || echo "ok - $3" >>"$log" ;;
	"try tag "*) [ "$(cat "instances/$3/tags/n" 2>/dev/null)" != "$4" ] || echo "ok tag $3 $4" >>"$log" ;;
	esac
}

@test "kill -9 loses nothing that was acknowledged" {
	image
	for round in 1 2 3 4 5 6; do
		pids=()
		for w in 1 2 3; do
			worker $w 3>&- 4>&- &
			pids+=($!)
		done
		sleep "0.$((RANDOM % 9 + 1))"
		cloud_kill
		kill "${pids[@]}" 2>/dev/null || true
		wait "${pids[@]}" 2>/dev/null || true
		cloud_start -o stop-timeout=1
		for w in 1 2 3; do
			check $w
		done
	done
	# Whatever was under way comes to an end, and nothing is orphaned.
	for i in instances/*/; do
		soon 20 grep -qxE 'draft|running|stopped|terminated' "$i/state"
	done
	for i in instances/*/; do rmdir "$i"; done
	soon 20 eval '[ -z "$(ls volumes)" ]'
	soon 20 eval '[ -z "$(find "$STATE/volumes" -name "vol-*")" ]'
}
