# What a volume lets through, as its guest sees it. Only upper bounds: a busy host makes it less.
load ../lib/cloud
load ../lib/asked

setup()
{
	cloud_paths
	cloud_real
	cloud_start -o stop-timeout=5
	tiny_image
	asked_ramdisk "$CLOUD_HOME/asked" "${EC2FS%/*}/tiny-image"
	mkdir images/asked
	cp images/tiny/kernel "$CLOUD_HOME/asked/"{disk,ramdisk} images/asked/
	echo 'console=ttyS0 quiet' >images/asked/cmdline
}
teardown() { cloud_stop; }

# volume NAME LINE…: one of that specification.
volume()
{
	local name=$1
	shift

	mkdir "volumes/$name"
	printf '%s\n' "$@" >"$CLOUD_HOME/spec"
	cp "$CLOUD_HOME/spec" "volumes/$name/spec"
	becomes available "volumes/$name/state" 20
}

# takes MILLISECONDS DISK SIZE COUNT: reading so many blocks takes the guest no less, but for 30 %.
takes()
{
	local took

	read -r took said < <(ask "$root" "$console" "dd if=/dev/$2 of=/dev/null bs=$3 count=$4 iflag=direct")
	[ "$said" = "$4+0 records out" ] || fail "dd: $took $said"
	[ $((took * 13)) -ge $(($1 * 10)) ] || fail "$4 reads of $3 from $2 took $took ms, and not $1"
}

limits_of() { virsh -c qemu:///system blkdeviotune "$(cat instances/web-1/instance-id)" "$1"; }

@test "a guest gets no more than its volume's IOPS and throughput, nor when they change while it runs" {
	volume slow 'size 4' 'volume-type io1' 'iops 100' 'encrypted true'
	volume wide 'size 8'
	volume bursts 'size 10' 'volume-type gp2'
	mkdir instances/web-1
	printf 'image asked\ninstance-type t3.nano\n' >"$CLOUD_HOME/spec"
	cp "$CLOUD_HOME/spec" instances/web-1/spec
	ln -s ../../../volumes/slow instances/web-1/volumes/sdf
	ln -s ../../../volumes/wide instances/web-1/volumes/sdg
	ln -s ../../../volumes/bursts instances/web-1/volumes/sdh
	echo running >instances/web-1/state
	echo running 90 >instances/web-1/wait
	root=$(readlink instances/web-1/volumes/xvda/device)
	console=instances/web-1/console
	asked_wait $console
	takes 4000 vdb 4k 400
	takes 4000 vdc 1M 500

	echo 200 >volumes/slow/iops
	printf 'iops 4000\nthroughput 250\n' >"$CLOUD_HOME/more"
	cp "$CLOUD_HOME/more" volumes/wide/spec
	becomes completed volumes/slow/modification-state 20
	becomes completed volumes/wide/modification-state 20
	tells 'total_iops_sec *: 200$' <(limits_of vdb)
	tells 'total_bytes_sec *: 262144000$' <(limits_of vdc)
	takes 4000 vdb 4k 800
	takes 4000 vdc 1M 1000

	# gp2 has a budget of 5,400,000 operations, to be used at 3000 a second; gp3 has none.
	tells 'total_iops_sec *: 100$' <(limits_of vdd)
	tells 'total_iops_sec_max *: 3000$' <(limits_of vdd)
	tells 'total_iops_sec_max_length *: 1800$' <(limits_of vdd)
	echo gp3 >volumes/bursts/volume-type
	becomes completed volumes/bursts/modification-state 20
	tells 'total_iops_sec *: 3000$' <(limits_of vdd)
	tells 'total_iops_sec_max *: 0$' <(limits_of vdd)
}
