# For tests of how tools write: one file of each kind that the tree has, and what is to be in it.
#
#	load ../lib/cloud
#	load ../lib/files
#	setup_file() { cloud_start; }
#	setup() { files_begin; }
#	teardown_file() { cloud_stop; }
#
# Afterwards $TYPE, $DESCRIPTION (one value), $DATA, $SPEC (documents), $TAG and $DISK (a blob) are files of a new
# instance $INSTANCE and a new image $IMAGE, and $W is a directory elsewhere, with a new content for each.

files_begin()
{
	cloud_enter
	W=$BATS_TEST_TMPDIR
	INSTANCE=instances/i$BATS_TEST_NUMBER
	IMAGE=images/m$BATS_TEST_NUMBER
	export W
	mkdir "$INSTANCE" "$IMAGE"
	TYPE=$INSTANCE/instance-type DATA=$INSTANCE/user-data SPEC=$INSTANCE/spec TAG=$INSTANCE/tags/env
	DESCRIPTION=$IMAGE/description DISK=$IMAGE/disk
	declare -gA FILES=([type]=$TYPE [data]=$DATA [spec]=$SPEC [tag]=$TAG [description]=$DESCRIPTION [disk]=$DISK)
	files_content
}

# The new contents; none is as long as what is there, or as another one.
files_content()
{
	mkdir -p "$W/new"
	echo t3.nano >"$W/new/type"
	printf '#!/bin/sh\n# first\necho "one"\n\techo two   \n' >"$W/new/data"
	printf '# of the web tier\ninstance-type   t3.nano\n\ndisable-api-stop true\n' >"$W/new/spec"
	echo 'prod, mostly' >"$W/new/tag"
	echo 'Debian 12, of this week' >"$W/new/description"
	head -c 300032 /dev/urandom >"$W/new/disk"
}

# each_file 'COMMAND' [KIND…]: the shell command for one file after the other, in a shell of its own, with $from (the
# new content, elsewhere) and $to (the file), and $name and $in, which are $to's.
each_file()
{
	local command=$1 kind

	shift
	[ $# != 0 ] || set -- type data spec tag description disk
	for kind; do
		from=$W/new/$kind to=${FILES[$kind]} name=${FILES[$kind]##*/} in=${FILES[$kind]%/*} \
			bash -euo pipefail -c "$command" 3>&- || fail "failed for $kind: $command"
	done
}

# files_written [KIND…]: each holds its new content, has its length, and says so to whoever asks.
files_written()
{
	local kind

	[ $# != 0 ] || set -- type data spec tag description disk
	for kind; do
		cmp "$W/new/$kind" "${FILES[$kind]}" || fail "$kind is: $(head -c 300 "${FILES[$kind]}")"
		[ "$(stat -c %s "${FILES[$kind]}")" = "$(stat -c %s "$W/new/$kind")" ] || fail "$kind has the wrong size"
	done
	# Nothing else came of it.
	files_alone
}

# No temporary file is left.
files_alone()
{
	lacks '~$|^\.|^sed|^XX|^tmp|^4913$|\.(bak|orig|rej|new)$' <(ls -A "$INSTANCE" "$INSTANCE/tags" "$IMAGE")
}

# calls 'PYTHON': with os, errno, fcntl, mmap, signal, sys, time and the files as names: inst, image, type_, data, spec,
# tag, disk, description; w is a directory elsewhere. `refused(ERRNO, function, …)` insists on the errno.
calls()
{
	/usr/bin/python3 -c '
import errno, fcntl, mmap, os, signal, sys, time
inst, image, w = sys.argv[1:4]
type_, data, spec, tag = inst + "/instance-type", inst + "/user-data", inst + "/spec", inst + "/tags/env"
disk, description = image + "/disk", image + "/description"
def refused(number, call, *args, **named):
    try:
        call(*args, **named)
    except OSError as e:
        assert e.errno in (number if isinstance(number, tuple) else (number,)), e
        return
    sys.exit("not refused: %s %r" % (getattr(call, "__name__", call), args))
'"$1" "$INSTANCE" "$IMAGE" "$W" || fail "fails: $1"
}
