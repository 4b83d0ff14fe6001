# Documents that are run: every command of a page's ```console blocks is typed, in order, in one shell, and what it
# says is compared with what the page shows below it. See document_run.

# What a person has at hand: a directory of its own, with an SSH key and an image in it, and the cloud at /cloud.
document_start()
{
	cloud_start "$@"
	HOME=$BATS_TEST_TMPDIR/home
	export HOME
	mkdir -p ~/.ssh ~/tiny
	ssh-keygen -q -t ed25519 -N '' -C you@home -f ~/.ssh/id_ed25519
	truncate -s 64M ~/tiny/disk
	# sim boots nothing, but a kernel has to look like one.
	{ head -c 514 /dev/zero && printf 'HdrS\0\0\0\0'; } >~/tiny/kernel
	echo initramfs >~/tiny/ramdisk
	echo console=ttyS0 >~/tiny/cmdline
	cp ~/tiny/disk ~/disk.raw
}

# The commands of a page as records "LINE\x1fCOMMAND\x1fOUTPUT\x1e". A command begins behind "$ "; a here-document
# belongs to it.
document_commands()
{
	awk '
		function flush() { if (at) printf "%s\037%s\037%s\036", at, command, output; at = 0; command = output = "" }
		/^```console$/ { inside = 1; next }
		/^```/ { flush(); inside = 0; next }
		!inside { next }
		word != "" { command = command "\n" $0; if ($0 == word) word = ""; next }
		/^[$] / {
			flush()
			at = FNR; command = substr($0, 3)
			if (match(command, /<<[A-Z]+/)) word = substr(command, RSTART + 2, RLENGTH - 2)
			next
		}
		at { output = output (output == "" ? "" : "\n") $0 }
	' "$1"
}

# Does the text match what the page shows? "…" stands for anything, alone in a line for any lines.
document_shows()
{
	local pattern=$2

	pattern=$(sed 's/[][*?\\]/\\&/g; s/…/*/g' <<<"$pattern")
	# shellcheck disable=SC2053 # a pattern
	[[ $1 == $pattern ]]
}

# Types one command; what it says is in $said, in the words of an interactive bash.
document_type()
{
	local command=${1//\/cloud\//$CLOUD/} status=0

	command=${command//\/cloud$'\n'/$CLOUD$'\n'}
	[[ $command != */cloud ]] || command=${command%/cloud}$CLOUD
	eval "$command" >"$BATS_TEST_TMPDIR/said" 2>&1 </dev/null || status=$?
	said=$(sed -E "s|$CLOUD|/cloud|g; s/^[^ ]*: (eval: )?line [0-9]+: /bash: /" "$BATS_TEST_TMPDIR/said")
	return $status
}

# document_run FILE: fails at the first command that says something else than the page does. What is shown below a
# command is all that it says; nothing shown, nothing said. A command may fail when the page shows how. One that only
# reads is tried again for a while: what was asked for takes its time.
document_run()
{
	local at command output status end count=0 said

	while IFS=$'\037' read -r -d $'\036' at command output; do
		end=$(($(date +%s) + 60))
		while :; do
			status=0
			document_type "$command" || status=$?
			! document_shows "$said" "$output" || break
			[[ $command =~ ^(cat|ls|grep|readlink|head|tail|diff|find)\  ]] && [[ $command != *\>* ]] && [ "$(date +%s)" -lt $end ] ||
				fail "$1:$at: $ $command" "said: $said" "the page shows: $output" || return 1
			sleep 0.1
		done
		[ $status = 0 ] || [[ $output =~ ^[a-z]+:\  ]] || [[ $command == diff\ * ]] ||
			fail "$1:$at: $ $command" "its exit status is $status; it said: $said" || return 1
		count=$((count + 1))
	done < <(document_commands "$1")
	[ $count -gt 0 ] || fail "$1 has no commands"
}
