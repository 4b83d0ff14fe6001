# Storage in a test host: the group ec2 and its thin pool on /dev/vdb, driven by volumes_tool.
# shellcheck shell=bash
. "$BATS_TEST_DIRNAME/../host/host.bash"

storage=lvm:ec2/pool
GIB=$((1 << 30)) MIB=$((1 << 20))

# lvm_host [DATA]: boots a host with the tool, and an image of 48 MiB which begins and ends with what looks like nothing else.
lvm_host()
{
	local staged=$BATS_FILE_TMPDIR/put

	lvm_possible || return 0
	host_start "$BATS_FILE_TMPDIR/host" "${1:-6G}" || return
	mkdir -p "$staged/root" "$staged/usr/local/sbin"
	cp "$(dirname "$EC2FS")/tests/volumes/volumes_tool" "$staged/root/tool"
	cp "$BATS_TEST_DIRNAME/halting-lvm" "$staged/usr/local/sbin/lvm"
	host_put "$staged" / &&
		host "head -c $((3 * MIB)) /dev/urandom >image && truncate -s $((47 * MIB)) image && head -c $MIB image >>image && sync"
}

# Why there is no host is told once; each test then skips.
lvm_possible()
{
	export LVM_SKIP

	case $EC2FS in
	*/san-*) LVM_SKIP="the test host emulates a processor: sanitizers would take too long in it" ;;
	*) "$BATS_TEST_DIRNAME/../host/make-host" "$(dirname "$EC2FS")/host" 2>"$BATS_FILE_TMPDIR/why" ||
		LVM_SKIP="no test host: $(tail -n 1 "$BATS_FILE_TMPDIR/why")" ;;
	esac
	[ -z "${LVM_SKIP-}" ]
}

lvm_setup()
{
	[ -z "${LVM_SKIP-}" ] || skip "$LVM_SKIP"
	host_up
}

# tool COMMAND…: volumes_tool in the host; with batch, commands on standard input.
tool()
{
	host "OWNER=${OWNER:-one} ./tool $storage $*"
}

# in_pool: the thin volumes of the group as lvm itself sees them, whoever's they are: name, tags.
in_pool()
{
	host 'lvs --noheadings --select segtype=thin -o lv_name,lv_tags ec2' | awk '{print $1, $2}'
}

# begin_as_image PATH…: the first 48 MiB of each are the image's.
begin_as_image()
{
	host "for path in $*; do cmp -n $((48 * MIB)) image \$path || exit; done"
}

# lists_all: $output tells what is there, and in the pool is no more than that, nor anything half made.
lists_all()
{
	local told is

	told=$(awk '/^(volume|snapshot) / {print $2}' <<<"$output" | sort)
	is=$(in_pool) || return
	[[ $is != *making* ]] && [ "$(awk 'NF {print $1}' <<<"$is" | sort)" = "$told" ] ||
		lvm_fail "in the pool are:" "$is" "listed are:" "$told"
}

# lists_these LINE…: among what is listed are these, whole lines.
lists_these()
{
	local line

	for line in "$@"; do
		grep -qxF -- "$line" <<<"$output" || lvm_fail "not listed: $line" || return
	done
}

# What has failed, last and by itself: the runner shows the beginning of what a test says.
lvm_fail()
{
	printf '%s\n' "$@" "what was told:" "${output-}" | tail -n 40 >&2
	return 1
}
