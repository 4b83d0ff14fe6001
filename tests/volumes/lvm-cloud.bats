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
	# KVM on an emulated processor has been seen to spoil the host's kernel ("corrupted stack end detected").
	if [ "$status" = 255 ] && grep -q 'Kernel panic' "$HOST_DIR/console"; then
		host_cut
		skip "the test host's kernel died: $(grep -o -m 1 'Kernel panic.*' "$HOST_DIR/console")"
	fi
	[ "$status" = 0 ] && [[ ${lines[-1]} == "1 passed, 0 failed, 0 skipped" ]] ||
		lvm_fail "$(host 'tail -n 80 ec2fs/build/test-logs/lvm-instance.bats.tap')"
}

life() { host "ec2fs/tests/volumes/storage-life $*"; }

# power: a round of every operation; the power goes when each stands still in its middle. Then all is looked at.
power()
{
	local told=$BATS_TEST_TMPDIR/told pid

	: >"$told"
	life round 1 stand >"$told" 2>&1 3>&- &
	pid=$!
	until grep -qE '^(all stand|failed)' "$told" || ! kill -0 $pid 2>/dev/null; do sleep 0.02; done
	! grep -q '^failed' "$told" || lvm_fail "the round:" "$(cat "$told")" || return
	host_cut
	wait $pid || true
	host_boot
	# Returns when the one that the boot began is done.
	host 'systemctl start ec2fs' || lvm_fail "$(host 'journalctl -u ec2fs -n 10 --no-pager')" || return
	run life check 1 < <(sed '$!b; /^all stand\|^refused\|^asked [a-z]*$\|^done [a-z]*$/!d' "$told")
	[ "$status" = 0 ] || lvm_fail "after the round: status $status" "$(host 'journalctl -u ec2fs -n 10 --no-pager')" "$(cat "$told")"
}

@test "the power goes in the middle of every operation: what was acknowledged is there, and no more" {
	# As systemd starts it, at each boot.
	host 'mkdir -p /etc/systemd/system/ec2fs.service.d &&
		printf "[Unit]\nWants=\n[Service]\nExecStart=\nExecStart=/usr/local/sbin/ec2fs -o compute=sim /cloud\nExecStartPost=/bin/sh -c \"until mountpoint -q /cloud; do sleep 0.1; done\"\n" \
			>/etc/systemd/system/ec2fs.service.d/sim.conf &&
		systemctl daemon-reload && systemctl enable -q ec2fs && systemctl start ec2fs && sync'
	life begin
	power
}
