# The tree on a second host over NFS, 9P and sshfs, in the test host: Debian's kernel has both ends of all three.
# Takes up to 900 s. Beside others. (the first time, where the host's image is built)
load ../lib/cloud
. "$BATS_TEST_DIRNAME/../host/host.bash"

setup_file() { host_with_ec2fs; }
setup() { can_run; }
teardown_file() { host_stop; }

@test "NFS, 9P and sshfs show the tree to a second host, and take what is written there" {
	host_passes export.bats 9
}
