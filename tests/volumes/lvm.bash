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

# A whole cloud in the host, put there by host_put_ec2fs: on the pool, and with machines that are not real.

# cloud_on_lvm: it is there, as systemd starts it at each boot.
cloud_on_lvm()
{
	host '[ ! -e /etc/systemd/system/ec2fs.service.d/sim.conf ] || exec systemctl start ec2fs
		mkdir -p /etc/systemd/system/ec2fs.service.d &&
		printf "[Unit]\nWants=\n[Service]\nExecStart=\nExecStart=/usr/local/sbin/ec2fs -o compute=sim /cloud\nExecStartPost=/bin/sh -c \"until mountpoint -q /cloud; do sleep 0.1; done\"\n" \
			>/etc/systemd/system/ec2fs.service.d/sim.conf &&
		systemctl daemon-reload && systemctl enable -q ec2fs && systemctl start ec2fs && sync &&
		echo lvm:ec2/pool,device=/dev/vdb >/cloud/us-east-1/availability-zones/us-east-1a/storage'
}

life() { host "ec2fs/tests/volumes/storage-life $*"; }

# power N [stand]: round N of every operation; the power goes when each stands still in its middle, or at any moment. Then all
# is looked at.
power()
{
	local told=$BATS_TEST_TMPDIR/told pid enough='^(all stand|failed)' count=1

	[ -n "${2-}" ] || { enough='^(asked|done|failed) ' count=$((RANDOM % 25)); }
	: >"$told"
	life round "$@" >"$told" 2>&1 3>&- &
	pid=$!
	until [ "$(grep -cE "$enough" "$told")" -ge $count ] || ! kill -0 $pid 2>/dev/null; do sleep 0.02; done
	[ -n "${2-}" ] || sleep "$((RANDOM % 4)).$((RANDOM % 10))"
	! grep '^failed' "$told" || lvm_fail "round $1:" "$(cat "$told")" || return
	host_cut
	wait $pid || true
	host_boot || return
	# Returns when the one that the boot began is done.
	host 'systemctl start ec2fs' || lvm_fail "after round $1:" "$(host 'journalctl -u ec2fs -n 10 --no-pager')" || return
	# The last line may be half of one.
	run life check "$1" < <(sed '$!b; /^all stand\|^refused\|^asked [a-z]*$\|^done [a-z]*$/!d' "$told")
	[ "$status" = 0 ] || lvm_fail "after round $1: status $status" "$(host 'journalctl -u ec2fs -n 10 --no-pager')" "$(cat "$told")"
}
