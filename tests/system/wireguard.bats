# A VPC joined to an office by WireGuard, in the test host: Debian's kernel has it.
# Takes up to 900 s. Beside others. (the first time, where the host's image is built)
load ../lib/cloud
. "$BATS_TEST_DIRNAME/../host/host.bash"

setup_file() { host_with_ec2fs; }
setup() { can_run; }
teardown_file() { host_stop; }

@test "the office and the instances meet as routes and groups say, by WireGuard alone" {
	host_passes wireguard.bats 3
}
