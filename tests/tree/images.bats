# Images: import by writing, and what is refused.
load ../lib/cloud

setup()
{
	cloud_start
	W=$CLOUD_HOME
	mkdir images/debian
}
teardown() { cloud_stop; }

@test "an image is pending until there is something to boot" {
	reads pending images/debian/state
	head -c 3M /dev/urandom >"$W/disk"
	cp "$W/disk" images/debian/disk
	reads available images/debian/state
	cmp "$W/disk" images/debian/disk
	tells '^ami-[0-9a-f]{17}$' images/debian/image-id
}

@test "a sparse disk comes back as it was" {
	truncate -s 8M "$W/disk"
	printf hello | dd of="$W/disk" bs=1 seek=4000000 conv=notrunc status=none
	cp --sparse=always "$W/disk" images/debian/disk
	cmp "$W/disk" images/debian/disk
	[ "$(stat -c %s images/debian/disk)" = 8388608 ]
}

# sparse FILE: it takes less than 1 MiB of the 8 or more that it has.
sparse() { [ "$(du -k "$1" | cut -f1)" -lt 1024 ] || fail "$1 has no holes"; }

@test "the holes of a disk are seen, and kept by who copies it out" {
	truncate -s 8M "$W/disk"
	printf hello | dd of="$W/disk" bs=1 seek=4000000 conv=notrunc status=none
	cp "$W/disk" images/debian/disk
	sparse images/debian/disk
	/usr/bin/python3 - images/debian/disk images/debian/name images/debian/tags <<-'END'
		import errno, os, sys
		def seek(f, at, whence):
		    try:
		        return os.lseek(f, at, whence)
		    except OSError as e:
		        return errno.errorcode[e.errno]
		disk = os.open(sys.argv[1], os.O_RDONLY)
		data = seek(disk, 0, os.SEEK_DATA)
		assert 0 < data <= 4000000, data
		hole = seek(disk, data, os.SEEK_HOLE)
		assert 4000005 <= hole < 5000000, hole
		assert os.pread(disk, 5, 4000000) == b"hello"
		assert seek(disk, 0, os.SEEK_HOLE) == 0
		assert seek(disk, 4000001, os.SEEK_DATA) == 4000001
		assert seek(disk, hole, os.SEEK_DATA) == "ENXIO"
		assert seek(disk, hole, os.SEEK_HOLE) == hole
		assert seek(disk, 8 << 20, os.SEEK_HOLE) == "ENXIO"
		assert seek(disk, 9 << 20, os.SEEK_DATA) == "ENXIO"
		assert seek(disk, -1, os.SEEK_DATA) == "ENXIO"
		assert seek(disk, 0, os.SEEK_END) == 8 << 20
		# What has none is data, and a hole behind its end.
		text = os.open("README", os.O_RDONLY)
		size = os.fstat(text).st_size
		assert seek(text, 0, os.SEEK_DATA) == 0 and seek(text, 5, os.SEEK_DATA) == 5
		assert seek(text, 5, os.SEEK_HOLE) == size
		assert seek(text, size, os.SEEK_DATA) == "ENXIO" == seek(text, size, os.SEEK_HOLE)
		assert len(os.read(text, 1 << 20)) == 0 and os.lseek(text, 0, os.SEEK_SET) == 0
		assert len(os.read(text, 1 << 20)) == size
		# Who writes sees his own.
		out = os.open(sys.argv[1], os.O_RDWR | os.O_TRUNC)
		os.pwrite(out, b"x" * 512, 1 << 20)
		assert seek(out, 0, os.SEEK_DATA) == 1 << 20
		assert seek(out, 0, os.SEEK_HOLE) == 0
		assert seek(out, 1 << 21, os.SEEK_DATA) == "ENXIO"
		os.ftruncate(out, 0)
		os.pwrite(out, open(os.path.dirname(sys.argv[1]) + "/disk", "rb").read(), 0)
	END
	cp "$W/disk" images/debian/disk
	mkdir "$W/rsync" "$W/tar" "$W/new"
	cp images/debian/disk "$W/cp"
	tar -cSf "$W/disk.tar" images/debian/disk
	[ "$(stat -c %s "$W/disk.tar")" -lt 1000000 ]
	tar -xSf "$W/disk.tar" -C "$W/tar"
	sparse "$W/tar/images/debian/disk"
	sparse "$W/cp"
	cmp "$W/disk" "$W/cp"
	cmp "$W/disk" "$W/tar/images/debian/disk"
	if command -v rsync >/dev/null; then
		rsync -aS images/debian/disk "$W/rsync/"
		sparse "$W/rsync/disk"
		cmp "$W/disk" "$W/rsync/disk"
	fi
	if command -v qemu-img >/dev/null; then
		[ "$(qemu-img map -f raw --output json images/debian/disk | grep -c '"data": true')" = 1 ]
		qemu-img convert -f raw -O raw images/debian/disk "$W/converted"
		sparse "$W/converted"
		cmp "$W/disk" "$W/converted"
	fi
	# And within the mount.
	mkdir images/twin
	cp images/debian/disk images/twin/disk
	sparse images/twin/disk
	cmp "$W/disk" images/twin/disk
}

@test "dd, tee and install import as well as cp" {
	head -c 1M /dev/urandom >"$W/disk"
	dd if="$W/disk" of=images/debian/disk bs=64k status=none
	cmp "$W/disk" images/debian/disk
	mkdir images/two images/three
	tee images/two/disk <"$W/disk" >/dev/null
	cmp "$W/disk" images/two/disk
	install "$W/disk" images/three/disk
	cmp "$W/disk" images/three/disk
}

@test "qcow2 is converted, and reads as raw" {
	command -v qemu-img >/dev/null || skip "qemu-img is not installed"
	head -c 2M /dev/urandom >"$W/raw"
	qemu-img convert -f raw -O qcow2 "$W/raw" "$W/disk.qcow2"
	cp "$W/disk.qcow2" images/debian/disk
	becomes available images/debian/state 20
	cmp "$W/raw" images/debian/disk
}

@test "what is no disk is refused, and nothing is changed" {
	head -c 1M /dev/urandom >"$W/good"
	cp "$W/good" images/debian/disk
	head -c 1000 /dev/zero >"$W/odd"
	refuses EINVAL 'cp "$CLOUD_HOME/odd" images/debian/disk'
	tells 'sectors of 512 bytes' images/debian/error
	gzip -c "$W/good" >"$W/gz"
	refuses EINVAL 'cp "$CLOUD_HOME/gz" images/debian/disk'
	tells 'gunzip' images/debian/error
	cmp "$W/good" images/debian/disk
	reads available images/debian/state
}

@test "a qcow2 that reaches for other files is refused" {
	command -v qemu-img >/dev/null || skip "qemu-img is not installed"
	qemu-img create -q -f raw "$W/base" 1M
	qemu-img create -q -f qcow2 -b "$W/base" -F raw "$W/child"
	refuses EINVAL 'cp "$CLOUD_HOME/child" images/debian/disk'
	tells 'backing file' images/debian/error
	qemu-img create -q -f qcow2 -o data_file="$W/ext" "$W/outer" 1M
	refuses EINVAL 'cp "$CLOUD_HOME/outer" images/debian/disk'
	reads pending images/debian/state
}

@test "a qcow2 of an absurd size, or one that is cut short, is refused, and the disk stays" {
	command -v qemu-img >/dev/null || skip "qemu-img is not installed"
	head -c 1M /dev/urandom >"$W/good"
	cp "$W/good" images/debian/disk
	qemu-img create -q -f qcow2 "$W/huge" 1T
	# The virtual size, 8 bytes at 24: 2^60, then 2^63.
	for size in '\x10\0\0\0\0\0\0\0' '\x80\0\0\0\0\0\0\0'; do
		# shellcheck disable=SC2059
		printf "$size" | dd of="$W/huge" bs=1 seek=24 conv=notrunc status=none
		refuses EINVAL 'cp "$CLOUD_HOME/huge" images/debian/disk'
		tells '^InvalidParameterValue' images/debian/error
	done
	qemu-img convert -f raw -O qcow2 "$W/good" "$W/short"
	truncate -s 60 "$W/short"
	refuses EINVAL 'cp "$CLOUD_HOME/short" images/debian/disk'
	tells '^InvalidParameterValue' images/debian/error
	cmp "$W/good" images/debian/disk
	reads available images/debian/state
	soon 5 eval '[ "$(ls "$STATE/blobs" | wc -l)" = 1 ]'
}

@test "a kernel must be one" {
	echo nonsense >"$W/kernel"
	refuses EINVAL 'cp "$CLOUD_HOME/kernel" images/debian/kernel'
	tells 'no Linux kernel' images/debian/error
	echo 'console=ttyS0 quiet' >images/debian/cmdline
	reads 'console=ttyS0 quiet' images/debian/cmdline
	rm images/debian/cmdline
}

@test "an image is removed with all it holds" {
	head -c 1M /dev/urandom >"$W/disk"
	cp "$W/disk" images/debian/disk
	[ "$(ls "$STATE/blobs" | wc -l)" = 1 ]
	cp "$W/disk" images/debian/disk
	soon 5 eval '[ "$(ls "$STATE/blobs" | wc -l)" = 1 ]'
	rm -r images/debian
	soon 5 eval '[ "$(ls "$STATE/blobs" | wc -l)" = 0 ]'
}

@test "deregistering leaves what was launched" {
	head -c 1M /dev/zero >"$W/disk"
	cp "$W/disk" images/debian/disk
	id=$(cat images/debian/image-id)
	mkdir instances/web-1
	echo debian >instances/web-1/image
	echo running >instances/web-1/state
	echo running >instances/web-1/wait
	rmdir images/debian
	reads "$id" instances/web-1/image
	reads running instances/web-1/state
	echo stopped >instances/web-1/state
	echo stopped >instances/web-1/wait
	echo running >instances/web-1/state
	echo running >instances/web-1/wait
}
