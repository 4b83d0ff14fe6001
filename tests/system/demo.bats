# make demo and make demo-stop, in a place of their own.
load ../lib/cloud

setup()
{
	cloud_paths
	cloud_real
	cd "$BATS_TEST_DIRNAME/../.."
	export STATE
}

teardown()
{
	on_host scripts/demo-stop >/dev/null 2>&1 || true
	cloud_host_end
}

@test "the demo launches a machine, again finds it running, and goes without a trace" {
	local start

	on_host scripts/demo >"$BATS_TEST_TMPDIR/first"
	tells '^\$ mkdir .*/instances/hello$' "$BATS_TEST_TMPDIR/first"
	tells '^Hello from ec2fs' "$BATS_TEST_TMPDIR/first"
	tells 'address +[0-9.]+' "$BATS_TEST_TMPDIR/first"
	lacks $'\e' "$BATS_TEST_TMPDIR/first" # no colours where no terminal is
	reads running "$CLOUD/us-east-1/instances/hello/state"

	on_host scripts/demo >"$BATS_TEST_TMPDIR/second"
	tells 'still runs' "$BATS_TEST_TMPDIR/second"
	tells '^Hello from ec2fs' "$BATS_TEST_TMPDIR/second"

	# What it tells to try next works.
	mkdir "$CLOUD/us-east-1/instances/second"
	cp "$CLOUD/us-east-1/instances/hello/spec" "$CLOUD/us-east-1/instances/second/spec"
	echo running >"$CLOUD/us-east-1/instances/second/state"
	echo running >"$CLOUD/us-east-1/instances/second/wait"
	echo 'icmp echo-request 0.0.0.0/0' >"$CLOUD/us-east-1/security-groups/default/ingress"
	soon 5 on_host ping -c 1 -W 1 "$(cat "$CLOUD/us-east-1/instances/hello/public-ip-address")"
	refuses EBUSY "echo t9.huge > $CLOUD/us-east-1/instances/hello/instance-type"
	tells . "$CLOUD/us-east-1/instances/hello/error"

	on_host scripts/demo-stop >"$BATS_TEST_TMPDIR/end"
	[ ! -e "$CLOUD" ] && [ ! -e "$STATE" ] && [ ! -e "$STATE-demo" ]
	no_process "$CLOUD"
	tells 'No demo was here' <(on_host scripts/demo-stop)
}
