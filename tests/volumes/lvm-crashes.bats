#!/usr/bin/env bats
# The back end lvm when its user is killed between any two programs, and when the power goes. Takes up to 1200 s. Beside others.

load lvm

setup_file() { lvm_host; }
teardown_file() { host_stop; }
setup() { lvm_setup; }

# doomed PATTERN…: the commands at once, by one who is killed when, for each pattern, a program stands still before its work.
# The programs go on by themselves.
doomed()
{
	host "cat >commands" <"$BATS_TEST_TMPDIR/commands"
	printf '%s\n' "$@" | host "
		mkdir -p /run/halt.new/standing && mkfifo /run/halt.new/go && cat >/run/halt.new/before && mv /run/halt.new /run/halt
		OWNER=one ./tool $storage batch <commands >output 2>&1 & tool=\$!
		for ((i = 0; i < 3000; i++)); do
			standing=\$(ls /run/halt/standing | wc -l)
			[ \$standing -lt $# ] && kill -0 \$tool 2>/dev/null || break
			sleep 0.3
		done
		kill -9 \$tool; wait \$tool; status=\$?
		rm /run/halt/before
		sleep 1 <>/run/halt/go
		rm -r /run/halt
		[ \$status = 137 ] && [ \$standing = $# ] || { echo \"\$standing of $# stand still, status \$status:\"; cat output; exit 1; }"
}

@test "killed between any two programs, a command is done, or not begun, and done again" {
	storage=$storage,device=/dev/vdb tool batch <<-END
		import snap-0 image
		create vol-0 $((48 * MIB)) image
		create vol-10 $((48 * MIB))
		create vol-11 $((48 * MIB))
	END
	# Each command once for each program that it runs.
	cat >"$BATS_TEST_TMPDIR/commands" <<-END
		&create vol-1 $((48 * MIB))
		&create vol-2 $((64 * MIB)) image
		&create vol-3 $((64 * MIB)) image
		&clone vol-4 $((48 * MIB)) snap-0
		&clone vol-5 $((64 * MIB)) snap-0
		&clone vol-6 $((64 * MIB)) snap-0
		&clone vol-7 $((64 * MIB)) snap-0
		&import snap-1 image
		&import snap-2 image
		&snapshot vol-0 snap-3
		&snapshot vol-0 snap-4 vol-0 snap-5
		&snapshot vol-0 snap-6 vol-0 snap-7
		&resize vol-10 $((64 * MIB))
		&remove vol-11
	END
	doomed '^lvcreate .*--name vol-1 ' '^lvcreate .*--name vol-2 ' '^lvchange .*/vol-3$' '^lvcreate .*--name vol-4 ' \
		'^lvcreate .*--name vol-5 ' '^lvextend .*/vol-6$' '^lvchange .*/vol-7$' '^lvcreate .*--name snap-1 ' '^lvchange .*/snap-2$' \
		'^lvcreate .*--name snap-3 ' '^lvcreate .*--name snap-4 ' '^lvcreate .*--name snap-7 ' '^lvextend .*/vol-10$' '^lvremove .*"vol-11"'
	host ': >/run/programs'
	run tool batch < <(cat "$BATS_TEST_TMPDIR/commands"; printf '%s\n' wait 'snapshot-path snap-'{1,2,3,5,7} list)
	[ "$status" = 0 ] || lvm_fail "status $status"
	lists_all
	lists_these "volume vol-"{1,4}" $((48 * MIB))" "volume vol-"{2,3,5,6,7,10}" $((64 * MIB))" "snapshot snap-"{1..7}" $((48 * MIB))"
	! grep '^volume vol-11 ' <<<"$output" || lvm_fail "vol-11 is there"
	begin_as_image /dev/ec2/{vol-{2..7},snap-{1,2,3,5,7}}
	# Six sweep, 28 make what is not whole or find that it is, a dozen ask whether the pool has it too; the others look.
	host '[ $(wc -l </run/programs) -le 52 ]' || lvm_fail "$(host 'cat /run/programs')"
	host 'rm /run/programs; lvremove -qq --yes --select "segtype=thin && lv_tags=ec2fs.owner=one" ec2'
}

# power COUNT LINE…: the commands, all at once; the power goes when that many are done. $told has what was told, $output what is
# there afterwards.
power()
{
	local count=$1 pid
	shift

	: >"$BATS_TEST_TMPDIR/told"
	printf '&%s\n' "$@" | shuf | tool batch >"$BATS_TEST_TMPDIR/told" 2>/dev/null 3>&- &
	pid=$!
	until [ "$(grep -c '^ok' "$BATS_TEST_TMPDIR/told")" -ge "$count" ] || ! kill -0 $pid 2>/dev/null; do sleep 0.02; done
	sleep "0.$((RANDOM % 10))"
	host_cut
	wait $pid || true
	told=$(<"$BATS_TEST_TMPDIR/told")
	# The last line may be half of one.
	[[ $told != *failed* ]] || { output=$told lvm_fail "something failed"; return 1; }
	host_boot
	run tool list
	[ "$status" = 0 ] || lvm_fail "after the cut:" || return
	lists_all && acknowledged "$@"
}

# Is what was told done, and what was not whole or absent?
acknowledged()
{
	local line id size words paths=()

	for line in "$@"; do
		read -ra words <<<"$line"
		id=${words[1]} size=${words[2]-}
		if grep -qxF "ok $line" <<<"$told"; then
			case $line in
			remove*) ! grep -q " $id " <<<"$output" ;;
			snapshot*) grep -q "^snapshot ${words[2]} " <<<"$output" && grep -q "^snapshot ${words[4]-${words[2]}} " <<<"$output" ;;
			import*) grep -q "^snapshot $id " <<<"$output" ;;
			*) grep -q "^volume $id $size\$" <<<"$output" ;;
			esac || lvm_fail "lost: $line" || return
		fi
		# Whole, when it is there.
		[[ $line != *image && $line != clone* ]] || ! grep -q " $id " <<<"$output" || paths+=("$id")
		[[ $line != snapshot\ vol-0* ]] || ! grep -q " ${words[2]} " <<<"$output" || paths+=("${words[2]}")
	done
	printf '%s\n' "${paths[@]}" | sed -n 's/^snap/snapshot-path &/p' | tool batch >/dev/null
	begin_as_image "${paths[@]/#//dev/ec2/}" || lvm_fail "not whole, one of: ${paths[*]}"
}

@test "when the power goes, nothing acknowledged is lost, and nothing orphaned" {
	storage=$storage,device=/dev/vdb tool batch <<-END
		import snap-0 image
		create vol-0 $((48 * MIB)) image
		create vol-1 $((48 * MIB))
		create vol-2 $((48 * MIB))
	END
	power 4 \
		"create vol-11 $((64 * MIB))" \
		"create vol-12 $((64 * MIB)) image" \
		"clone vol-13 $((48 * MIB)) snap-0" \
		"clone vol-14 $((64 * MIB)) snap-0" \
		"import snap-15 image" \
		"snapshot vol-0 snap-16" \
		"snapshot vol-0 snap-17 vol-1 snap-18" \
		"resize vol-1 $((64 * MIB))" \
		"remove vol-2"
	# The pool's own records are sound.
	host 'lvremove -qq --yes --select "segtype=thin && lv_tags=ec2fs.owner=one" ec2 && vgchange -qq -an ec2 && lvconvert -qq --yes --repair ec2/pool' ||
		lvm_fail "$(host 'dmesg | tail -n 30')"
}
