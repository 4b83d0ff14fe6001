#!/usr/bin/env bats
# Power cuts at random moments of a whole ec2fs on LVM, SOAK of them: `make soak` runs it, `make test` skips it.

load lvm

setup_file()
{
	[ -n "${SOAK-}" ] || { export LVM_SKIP="make soak runs it" && return 0; }
	lvm_possible || return 0
	host_start "$BATS_FILE_TMPDIR/host" 8G && host_put_ec2fs
}

teardown_file() { host_stop; }
setup() { lvm_setup; }

@test "the power goes at any moment, again and again: what was acknowledged is there, and no more" {
	cloud_on_lvm
	life begin
	for ((n = 1; n <= SOAK; n++)); do
		power "$n"
		echo "round $n: $output, with $(grep -c '^asked' "$BATS_TEST_TMPDIR/told") asked for at the cut" | tee -a "${SOAK_LOG:-/dev/null}"
	done
}
