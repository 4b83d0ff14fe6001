#!/usr/bin/env bats
# A whole ec2fs on LVM, installed in a test host: a machine in the machine, and power cuts. Takes up to 1800 s. Beside others.

load lvm

setup_file()
{
	lvm_possible || return 0
	host_start "$BATS_FILE_TMPDIR/host" 8G && host_put_ec2fs &&
		host 'ln -s /root/ec2fs/tests/volumes/halting-lvm /usr/local/sbin/lvm'
}

teardown_file() { host_stop; }
setup() { lvm_setup; }

@test "an instance has its root on a logical volume, and a second disk while it runs" {
	run host 'cd ec2fs && TEST_LIMIT=1500 tests/run tests/host/lvm-instance.bats 2>&1'
	[ "$status" = 0 ] && [[ ${lines[-1]} == "1 passed, 0 failed, 0 skipped" ]] ||
		lvm_fail "$(host 'tail -n 80 ec2fs/build/test-logs/lvm-instance.bats.tap')"
}

@test "encrypted volumes: in the pool is no plain text, and all that is made of them can be read" {
	cloud_on_lvm
	run host ec2fs/tests/volumes/sealed-life
	[ "$status" = 0 ] && [ "${lines[-1]}" = "sealed and opened" ] || lvm_fail "$(host 'journalctl -u ec2fs -n 10 --no-pager')"
}

@test "the power goes in the middle of every operation: what was acknowledged is there, and no more" {
	cloud_on_lvm
	life begin
	power 1 stand
}
