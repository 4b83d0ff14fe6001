#!/usr/bin/env bats
# The back end lvm when its user is killed between any two programs, and when the power goes. Takes up to 1200 s.

load lvm

setup_file()
{
	lvm_host
}

teardown_file()
{
	host_stop
}

setup()
{
	lvm_setup
}

# What is half made is never left behind a sweep, and what is listed is all there is.
nothing_orphaned()
{
	run in_pool
	[[ $output != *making* ]]
	[ "$(awk 'NF {print $1}' <<<"$output" | sort)" = "$(awk '/^(volume|snapshot) / {print $2}' <<<"$listed" | sort)" ]
}

@test "killed between any two programs, a command is done, or not begun, and done again" {
	storage=$storage,device=/dev/vdb tool batch <<-END
		import snap-0 image
		create vol-0 $((48 * MIB))
	END
	# In place of lvm, one that kills who drives it when the time has come, and lives on.
	host 'cat >/usr/local/sbin/lvm && chmod +x /usr/local/sbin/lvm' <<-'END'
		#!/bin/sh
		echo >>/root/programs
		if [ "$(wc -l </root/programs)" = "$(cat /root/kill 2>/dev/null)" ]; then
			rm /root/kill
			kill -9 "$(cat /root/tool.pid)"
			sleep 1
		fi
		exec /usr/sbin/lvm "$@"
	END
	host 'cat >doomed && chmod +x doomed' <<-'END'
		#!/bin/bash
		# doomed STORAGE PROGRAM COMMAND…: is killed while that program runs, if there are so many.
		echo $2 >kill
		: >programs
		(echo $BASHPID >tool.pid && exec env OWNER=one ./tool $1 "${@:3}") >output 2>&1
		status=$?
		rm -f kill
		exit $status
	END
	# Four programs sweep; then each command runs as many as stand before it.
	local commands=(
		"2 create vol-1 $((64 * MIB)) image"
		"3 clone vol-1 $((64 * MIB)) snap-0"
		"2 import snap-1 image"
		"1 resize vol-0 $((64 * MIB))"
		"3 snapshot vol-0 snap-1 vol-0 snap-2"
		"1 remove vol-0"
	)
	for command in "${commands[@]}"; do
		count=${command%% *} command=${command#* }
		for ((program = 5; program < 5 + count; program++)); do
			echo "$command, killed while program $program runs:"
			run host "./doomed $storage $program $command"
			[ "$status" = 137 ]
			run tool batch <<<"$command"$'\nlist'
			echo "$output"
			[ "$status" = 0 ]
			listed=$output
			nothing_orphaned
			made=/dev/ec2/vol-1
			case $command in
			import*) [[ $listed == *"snapshot snap-1 "* ]] && made=/dev/ec2/snap-1 && host 'lvchange -qq -ay -K ec2/snap-1' ;;
			resize*) [[ $listed == *"volume vol-0 $((64 * MIB))"* ]] && continue ;;
			snapshot*) [[ $listed == *"snapshot snap-1 "*"snapshot snap-2 "* ]] ;;
			remove*) [[ $listed != *"vol-0"* ]] && continue ;;
			*) [[ $listed == *"volume vol-1 $((64 * MIB))"* ]] ;;
			esac
			[[ $command == snapshot* ]] || begins_as_image $made
			host 'lvremove -qq --yes --select "lv_name=vol-1 || lv_name=snap-1 || lv_name=snap-2" ec2'
		done
		# It runs no more than those; what is there already is not made again.
		host "./doomed $storage 99 $command && [ \$(wc -l <programs) -le $((4 + count)) ] || { cat output; exit 1; }"
		host 'lvremove -qq --yes --select "lv_name=vol-1 || lv_name=snap-1 || lv_name=snap-2" ec2'
	done
	host 'rm /usr/local/sbin/lvm'
}

# power COUNT LINE…: the commands, all at once; the power goes when that many are done. $done has what was told.
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
	[[ $told != *failed* ]]
	host_boot
	run tool list
	[ "$status" = 0 ]
	listed=$output
	nothing_orphaned
	acknowledged "$@"
}

# Is what was told done, and what was not whole or absent?
acknowledged()
{
	local line id size words

	for line in "$@"; do
		read -ra words <<<"$line"
		id=${words[1]} size=${words[2]}
		if [[ $'\n'$told$'\n' == *$'\n'"ok $line"$'\n'* ]]; then
			echo "acknowledged: $line"
			case $line in
			remove*) [[ $listed != *" $id "* ]] ;;
			snapshot*) for id in ${words[2]} ${words[4]-}; do [[ $listed == *"snapshot $id "* ]]; done ;;
			import*) [[ $listed == *"snapshot $id "* ]] ;;
			*) [[ $listed == *"volume $id $size"* ]] ;;
			esac || { echo "lost: $line; there are: $listed"; return 1; }
		fi
		case $line in
		*image | clone*)
			# Whole, when it is there.
			if [[ $listed == *" $id "* ]]; then
				tool "$([[ $id == snap-* ]] && echo snapshot-path || echo path) $id" >/dev/null
				begins_as_image "/dev/ec2/$id" || { echo "not whole: $line"; return 1; }
			fi
			;;
		esac
	done
}

@test "when the power goes, nothing acknowledged is lost, and nothing orphaned" {
	storage=$storage,device=/dev/vdb tool batch <<-END
		remove vol-0
		remove snap-0
		import snap-0 image
		create vol-0 $((48 * MIB)) image
		create vol-1 $((48 * MIB))
		create vol-2 $((48 * MIB))
	END
	for round in 1 2 3 4; do
		# Each round the power goes a little later.
		power $((3 * round - 3)) \
			"create vol-1$round $((64 * MIB))" \
			"create vol-2$round $((64 * MIB)) image" \
			"clone vol-3$round $((48 * MIB)) snap-0" \
			"clone vol-4$round $((64 * MIB)) snap-0" \
			"import snap-5$round image" \
			"snapshot vol-0 snap-6$round" \
			"snapshot vol-0 snap-7$round vol-1 snap-8$round" \
			"resize vol-1 $((48 * MIB + round * 16 * MIB))" \
			"remove vol-2$((round - 1))" \
			"remove snap-5$((round - 1))"
		begins_as_image /dev/ec2/vol-0
		for id in 6 7; do
			[[ $listed != *"snap-$id$round "* ]] || { tool "snapshot-path snap-$id$round" && begins_as_image "/dev/ec2/snap-$id$round"; }
		done
	done
	# The pool's own records are sound.
	tool list | awk '/^(volume|snapshot) / {print "remove", $2}' | tool batch >/dev/null
	host 'vgchange -qq -an ec2 && lvconvert -qq --yes --repair ec2/pool' || { host 'dmesg | tail -n 30' && false; }
}
