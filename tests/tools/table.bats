# The table in docs/tools.md, made by running every tool on every kind of file. `make docs/tools.md` writes it anew.
# Takes up to 2400 s.
load ../lib/cloud
load table

setup_file()
{
	case $EC2FS in */san-*) skip_all "tests/fs makes the same requests, and less of them" && return 0 ;; esac
	cloud_start
	mkdir images/tiny
	head -c 512 /dev/zero >images/tiny/disk
}
teardown_file() { [ -z "${CLOUD-}" ] || cloud_stop; }

setup()
{
	cloud_enter
	W=$BATS_TEST_TMPDIR/w
	mkdir "$W"
	PAGE=$BATS_TEST_DIRNAME/../../docs/tools.md
	# Ansible's rows are as they are without the way through its connections.
	MADE=$BATS_TEST_TMPDIR/made
}

# documented NAME COMMAND: the page has between its marks what the command prints, or gets it.
documented()
{
	"$2" >"$MADE"
	if [ -n "${TABLE_RENEW-}" ]; then
		sed -i -e "/^<!-- $1 -->/,/^<!-- end -->/{/^|/d}" -e "/^<!-- $1 -->/r $MADE" "$PAGE"
		return
	fi
	sed -n "/^<!-- $1 -->/,/^<!-- end -->/{/^|/p}" "$PAGE" >"$W/is"
	# Rows of programs that are not installed here are not made.
	for ((i = 0; i < ${#WRITERS[@]}; i += 3)); do
		here "${WRITERS[i + 1]}" || sed -i "/^| ${WRITERS[i]//\//\\/} /d" "$W/is"
	done
	diff -u --label docs/tools.md --label "what happens" "$W/is" "$MADE" || fail "$1 is not as it is documented"
}

@test "every tool that writes, on every kind of file" {
	documented writing table_of_writers
	kill -0 "$(cloud_pid)"
}

@test "who tells a refusal" {
	documented refusals table_of_refusals
	kill -0 "$(cloud_pid)"
}

@test "what makes, empties, renames and removes" {
	documented removing table_of_makers
	kill -0 "$(cloud_pid)"
}
