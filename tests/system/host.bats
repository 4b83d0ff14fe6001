# The test host: a command runs there as it would here, on real device-mapper; the power can be cut.
# Takes up to 900 s. Beside others. (the first time, where its image is built)
load ../lib/cloud
. "$BATS_TEST_DIRNAME/../host/host.bash"

setup_file() { host_made; }

setup()
{
	can_run
	cd "$BATS_TEST_TMPDIR"
}

@test "thin volumes outlive a power cut; what was not flushed does not" {
	cat >before <<-'EOF'
		set -e
		pvcreate -q /dev/vdb
		vgcreate -q vg /dev/vdb
		lvcreate -q --type thin-pool -L 1G -n pool vg
		lvcreate -q -V 100G --thinpool pool -n data vg
		lvcreate -q -L 64M -n plain vg
		yes flushed | dd of=/dev/vg/data bs=1M count=4 iflag=fullblock oflag=direct conv=fsync status=none
		lvcreate -q -s -n monday vg/data
		yes later | dd of=/dev/vg/data bs=1M count=4 iflag=fullblock oflag=direct conv=fsync status=none
		yes lost | dd of=/dev/vg/plain bs=1M count=4 iflag=fullblock oflag=direct status=none
		head -c 5 /dev/vg/plain
		echo cut here
		sleep 100
	EOF
	cat >after <<-'EOF'
		vgchange -q -ay -K vg
		for volume in data monday plain; do
			echo "$volume: $(head -c 8 /dev/vg/$volume | tr -d '\0' | head -n 1)"
		done
		exit 7
	EOF
	run "$BATS_TEST_DIRNAME/../host/run" --data 4G --cut-at '^cut here' --then "$(cat after)" bash -s <before
	echo "$output" >output
	[ "$status" = 7 ] || fail "exit status $status:" "$output"
	tells '^lost$' output
	tells '^data: later$' output
	tells '^monday: flushed$' output
	tells '^plain: $' output
	[ -z "$(ls -d "$TMPDIR"/ec2fs-host-* 2>/dev/null)" ]
}
