# What is refused: each tool says so, the reason is in `error`, and nothing has changed, then or later.
load ../lib/cloud
load ../lib/files

setup_file() { cloud_start; }
teardown_file() { cloud_stop; }

setup()
{
	files_begin
	each_file 'cp "$from" "$to"' # what is there, and must stay
	mkdir -p "$W/bad"
	echo t9.huge >"$W/bad/type"
	{ head -c 20000 /dev/zero | tr '\0' x; echo; } >"$W/bad/data"
	printf 'instance-type t3.large\ncolour blue\n' >"$W/bad/spec"
	{ head -c 300 /dev/zero | tr '\0' x; echo; } >"$W/bad/tag"
	printf 'two\nlines\n' >"$W/bad/description"
	head -c 1000 /dev/zero >"$W/bad/disk" # no whole sectors
	# As EC2's limits say, errno for errno.
	declare -gA ERRNO=([type]=EINVAL [data]=EFBIG [spec]=EINVAL [tag]=EFBIG [description]=EINVAL [disk]=EINVAL)
	KINDS='type data spec tag description disk'
}

# each_refused 'COMMAND' [KIND…]: the command, with $from (a bad content) and $to, fails and prints the errno; the
# file is as before, mode and time too (unless the command sets those); and the story is told.
each_refused()
{
	local command=$1 kind before said

	shift
	[ $# != 0 ] || set -- $KINDS
	for kind; do
		to=${FILES[$kind]}
		before=$(stat -c '%Y %s %a' "$to")
		if said=$(from=$W/bad/$kind to=$to bash -uo pipefail -c "$command" 2>&1); then
			fail "was not refused for $kind: $command" "$said"
		fi
		[[ $said == *"$(errno_text "${ERRNO[$kind]}")"* ]] || fail "$kind, wanted: ${ERRNO[$kind]}, said: $said"
		cmp "$W/new/$kind" "$to" || fail "$kind is: $(head -c 100 "$to")"
		tells "^[A-Z][A-Za-z.]+: (tags/)?${to##*/}: ." "$(error_of "$to")"
		[ "$(head -n 1 "$CLOUD/errors" | grep -c "us-east-1/$to")" = 1 ] || fail "errors: $(head -n 2 "$CLOUD/errors")"
		[[ $(stat -c '%Y %s %a' "$to") = "$before" || $command =~ mv|-a|install ]] || fail "$kind changed: $before, $(stat -c '%Y %s %a' "$to")"
	done
}

# The error file of the resource that a file is of.
error_of()
{
	case $1 in
	*/tags/*) echo "${1%/tags/*}/error" ;;
	*) echo "${1%/*}/error" ;;
	esac
}

@test "cat > and echo" {
	each_refused 'cat "$from" > "$to"'
	refuses EINVAL "echo t9.huge > $TYPE"
	refuses EINVAL "printf 't9.huge' > $TYPE"
	refuses EINVAL "echo t9.huge >> $TYPE"
	[ "$(bash -c "echo t9.huge > $TYPE" 2>&1 | tail -n 1)" = 'bash: line 1: echo: write error: Invalid argument' ]
	files_written
}

@test "tee, /bin/echo, cp, cp -a, mv, install" {
	each_refused 'tee "$to" < "$from" >/dev/null'
	each_refused '/bin/echo "$(cat "$from")" > "$to"' type tag description
	each_refused 'cp "$from" "$to"'
	each_refused 'cp -a "$from" "$to"'
	# These two begin by unlinking, which takes a tag or user data away.
	each_refused 'cp "$from" "$from.2"; mv "$from.2" "$to"' type spec description disk
	each_refused 'install "$from" "$to"' type spec description disk
	files_written
}

@test "dd, sort -o, ed, python" {
	each_refused 'dd if="$from" of="$to" status=none'
	each_refused 'dd if="$from" of="$to" bs=100 status=none' spec data
	each_refused 'sort -o "$to" "$from"' type tag data
	each_refused '/usr/bin/python3 -c "
import sys
with open(sys.argv[2], \"wb\") as f:
    f.write(open(sys.argv[1], \"rb\").read())" "$from" "$to"'
}

@test "sed -i and perl -i clean up, patch keeps the old" {
	each_refused 'sed -i "s/.*/t9.huge/" "$to"' type
	refuses EINVAL "sed -i 's/.*/t9.huge/' $TYPE"
	refuses EINVAL "sed -i 's/^#.*/colour blue/' $SPEC"
	refuses EINVAL "sed -i '1i another' $DESCRIPTION"
	files_written
	run perl -pi -e 's/nano/monster/' "$TYPE"
	[ "$status" != 0 ]
	reads t3.nano "$TYPE"
	rm -f "$INSTANCE"/XX*
	files_alone
}

@test "tar, rsync" {
	mkdir "$W/in"
	for kind in type spec; do
		cp "$W/bad/$kind" "$W/in/${FILES[$kind]##*/}"
	done
	tar -C "$W/in" -cf "$W/in.tar" .
	run tar -C "$INSTANCE" -xf "$W/in.tar"
	[ "$status" = 2 ]
	[[ $output == *'Cannot'* ]]
	files_written
	run tar -C "$INSTANCE" --overwrite -xf "$W/in.tar"
	[ "$status" = 2 ]
	files_written
	command -v rsync >/dev/null || skip "rsync is not installed"
	run rsync -a "$W/in/" "$INSTANCE/"
	[ "$status" = 23 ]
	files_written
	run rsync -I --inplace "$W/bad/type" "$TYPE"
	[ "$status" != 0 ]
	files_written
}

@test "what was refused is not stored by a later close" {
	/usr/bin/python3 - "$TYPE" "$SPEC" "$DATA" "$TAG" <<-'END'
		import errno, os, sys
		bad = {0: b"t9.huge\n", 1: b"instance-type t3.large\ncolour blue\n", 2: b"x" * 20000, 3: b"x" * 300 + b"\n"}
		for i, path in enumerate(sys.argv[1:]):
		    before = open(path, "rb").read()
		    for flags in os.O_WRONLY, os.O_WRONLY | os.O_TRUNC, os.O_RDWR | os.O_TRUNC:
		        fd = os.open(path, flags)
		        try:
		            os.write(fd, bad[i])
		            sys.exit("not refused: " + path)
		        except OSError as e:
		            assert e.errno in (errno.EINVAL, errno.ENOENT, errno.EFBIG), e
		        os.fsync(fd)
		        os.close(os.dup(fd))
		        os.close(fd)
		        assert open(path, "rb").read() == before, path
	END
	files_written
}

@test "half a document, then a bad line: nothing of it" {
	refuses EINVAL "{ echo instance-type t3.large; sleep 0.1; echo colour blue; } > $SPEC"
	reads t3.nano "$TYPE"
	refuses EINVAL "exec 9> $SPEC; echo instance-type t3.large | cat >&9; cat $W/bad/spec >&9"
	reads t3.nano "$TYPE"
	files_written
}

@test "a writer that is killed leaves nothing of a document or disk" {
	for kind in data disk; do
		mkfifo "$W/fifo"
		exec 8<>"$W/fifo"
		cp "$W/fifo" "${FILES[$kind]}" 8>&- 3>&- &
		pid=$!
		head -c 5120 /dev/zero >&8
		soon 5 bash -c "grep -q '^pos:.*[1-9]' /proc/$pid/fdinfo/*"
		kill -9 $pid
		wait $pid || [ $? = 137 ]
		exec 8>&-
		rm "$W/fifo"
		files_written "$kind"
	done
}

@test "what cannot be written says so" {
	for file in "$INSTANCE/instance-id" "$INSTANCE/launch-time" "$INSTANCE/console" "$INSTANCE/error" "$IMAGE/state" \
		"$CLOUD/errors" "$CLOUD/README"; do
		before=$(cat "$file")
		refuses EACCES "echo x > '$file'"
		refuses EACCES "cp $W/new/type '$file'" || refuses EACCES "dd if=/dev/zero count=1 status=none of='$file'"
		[ "$file" = "$INSTANCE/error" ] || [ "$file" = "$CLOUD/errors" ] || [ "$(cat "$file")" = "$before" ]
		[ "$(stat -c %a "$file")" = 444 ]
	done
	refuses EACCES "sed -i s/i/j/ $INSTANCE/instance-id"
	tells '^i-' "$INSTANCE/instance-id"
	files_alone
}

@test "emptying what may not be empty is heard of, by who listens" {
	tiny=images/m$BATS_TEST_NUMBER
	echo "$(basename "$tiny")" >"$INSTANCE/image"
	echo running >"$INSTANCE/state"
	echo running 20 >"$INSTANCE/wait"
	refuses EBUSY "cp /dev/null $DATA"
	tells '^IncorrectInstanceState: user-data' "$INSTANCE/error"
	refuses EBUSY "truncate -s 0 $DATA"
	run bash -c ": > $DATA" # no shell listens
	cmp "$W/new/data" "$DATA"
	echo false >"$INSTANCE/disable-api-stop"
	rm -r "$INSTANCE"
}

@test "the error file tells the last refusal, until something succeeds" {
	refuses EINVAL "echo t9.huge > $TYPE"
	tells '^InvalidInstanceAttributeValue: instance-type: you wrote "t9.huge": ' "$INSTANCE/error"
	[ "$(wc -l <"$INSTANCE/error")" = 1 ]
	refuses EINVAL "echo maybe > $INSTANCE/disable-api-stop"
	tells '^InvalidParameterValue: disable-api-stop: you wrote "maybe": ' "$INSTANCE/error"
	[ "$(stat -c %s "$INSTANCE/error")" = "$(wc -c <"$INSTANCE/error")" ]
	echo t3.small >"$TYPE"
	[ ! -s "$INSTANCE/error" ]
	tells 't9.huge' "$CLOUD/errors"
	tells 'maybe' "$CLOUD/errors"
	# Secrets are not told.
	refuses EFBIG "cp $W/bad/data $DATA"
	lacks xxxx "$INSTANCE/error"
}
