# Storage in a test host: the group ec2 and its thin pool on /dev/vdb, driven by volumes_tool.
# shellcheck shell=bash
. "$BATS_TEST_DIRNAME/../host/host.bash"

storage=lvm:ec2/pool
GIB=$((1 << 30)) MIB=$((1 << 20))

# lvm_host: boots a host with the tool, and an image of 48 MiB which begins and ends with what looks like nothing else.
lvm_host()
{
	local staged=$BATS_FILE_TMPDIR/put

	if ! "$BATS_TEST_DIRNAME/../host/make-host" "$(dirname "$EC2FS")/host" 2>"$BATS_FILE_TMPDIR/why"; then
		export LVM_SKIP
		LVM_SKIP="no test host: $(tail -n 1 "$BATS_FILE_TMPDIR/why")"
		return 0
	fi
	host_start "$BATS_FILE_TMPDIR/host" "${1:-6G}" || return
	mkdir -p "$staged/root"
	cp "$(dirname "$EC2FS")/tests/volumes/volumes_tool" "$staged/root/tool"
	host_put "$staged" / &&
		host "head -c $((3 * MIB)) /dev/urandom >image && truncate -s $((47 * MIB)) image && head -c $MIB image >>image"
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

# begins_as_image PATH: its first 48 MiB are the image's.
begins_as_image()
{
	host "cmp -n $((48 * MIB)) image $1"
}
