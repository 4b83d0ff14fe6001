# The tree on a second host over NFS, 9P and sshfs, in the test host: Debian's kernel has both ends of all three.
# Takes up to 900 s. Beside others. (the first time, where the host's image is built)
load ../lib/cloud
. "$BATS_TEST_DIRNAME/../host/host.bash"

setup_file()
{
	case $EC2FS in */san-*) skip "the test host emulates a processor: sanitizers would take too long in it" ;; esac
	command -v qemu-system-x86_64 qemu-img >/dev/null || skip "QEMU is not installed"
	image_made "$BATS_TEST_DIRNAME/../host/make-host"
	host_start "$BATS_FILE_TMPDIR/host" 1G && host_put_ec2fs
}

teardown_file() { host_stop; }

@test "NFS, 9P and sshfs show the tree to a second host, and take what is written there" {
	run host 'cd ec2fs && TEST_LIMIT=600 tests/run tests/host/export.bats 2>&1'
	[ "$status" = 0 ] || fail "exit status $status:" "$output" "$(host 'tail -n 80 ec2fs/build/test-logs/export.bats.tap')"
	[[ ${lines[-1]} == "5 passed, 0 failed, 0 skipped" ]] || fail "$output"
}
