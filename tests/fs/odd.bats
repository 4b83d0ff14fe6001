# What nobody should do: odd offsets, huge writes, names of any bytes, files where directories are. Each gets a clear
# errno, changes nothing, and the daemon lives.
load ../lib/cloud
load ../lib/files

setup_file() { cloud_start; }
teardown_file() { cloud_stop; }

setup()
{
	files_begin
	each_file 'cp "$from" "$to"'
}

@test "writes at odd offsets" {
	calls '
for path in type_, tag, description:
    for off in 100, 4096, 1 << 40, (1 << 63) - 1000:
        fd = os.open(path, os.O_WRONLY)
        refused((errno.EINVAL, errno.EFBIG), os.pwrite, fd, b"x\n", off)
        os.close(fd)
for path in data, spec:
    size = os.stat(path).st_size
    for off in size + 1, 4096, 1 << 40, (1 << 63) - 1000:
        fd = os.open(path, os.O_WRONLY)
        refused((errno.EINVAL, errno.EFBIG), os.pwrite, fd, b"x\n", off)
        os.close(fd)
fd = os.open(disk, os.O_WRONLY)
refused(errno.EFBIG, os.pwrite, fd, b"x", (1 << 63) - 1000)
refused(errno.EFBIG, os.write, fd, b"x") # it is broken until it is closed
os.close(fd)
'
	files_written
	# In the middle of a document is fine.
	calls '
fd = os.open(data, os.O_WRONLY)
os.pwrite(fd, b"ONE", 11)
os.close(fd)
assert open(data, "rb").read()[11:14] == b"ONE"
'
}

@test "truncation and growth" {
	calls '
for path in type_, tag, description, data, spec:
    size = os.stat(path).st_size
    refused((errno.EINVAL, errno.EFBIG), os.truncate, path, size + 1)
    refused((errno.EINVAL, errno.EFBIG), os.truncate, path, 1 << 40)
    fd = os.open(path, os.O_RDWR)
    refused((errno.EINVAL, errno.EFBIG), os.ftruncate, fd, size + 1000)
    os.close(fd)
refused(errno.EACCES, os.open, inst + "/instance-id", os.O_WRONLY | os.O_TRUNC)
refused((errno.EACCES, errno.EINVAL, errno.EPERM), os.truncate, inst + "/instance-id", 3)
fd = os.open(disk, os.O_RDWR)
refused(errno.EFBIG, os.ftruncate, fd, 1 << 60)
os.close(fd)
for path in type_, data, spec, tag:
    fd = os.open(path, os.O_RDWR)
    refused((errno.EOPNOTSUPP, errno.EINVAL), os.posix_fallocate, fd, 1 << 20, 1 << 20)
    os.close(fd)
'
	files_written
}

@test "values that are too long, in one write, in many, and in small ones" {
	calls '
for path, most in (type_, 4096), (tag, 1025), (description, 4096), (data, 16384), (spec, 16384):
    for chunk in 100000, 5000, 511:
        fd = os.open(path, os.O_WRONLY | os.O_TRUNC)
        def write():
            for _ in range(100000 // chunk):
                os.write(fd, b"x" * chunk)
        refused((errno.EFBIG, errno.EINVAL, errno.ENAMETOOLONG), write)
        os.close(fd)
'
	files_written
	head -c 17M /dev/zero >"$W/big"
	for path in "$TYPE" "$DATA" "$SPEC" "$TAG" "$DESCRIPTION"; do
		refuses EFBIG "cp $W/big $path"
		refuses EFBIG "cat $W/big > $path"
	done
	files_written
	tells 'at most 16384 bytes' "$CLOUD/errors"
}

@test "bytes that are no text" {
	calls '
for path in type_, tag, description, spec:
    for value in b"\0", b"a\0b\n", b"\xff\xfe\n", b"a\x1bb\n", b"\n\n", b"a\nb\n", b"a\rb\n":
        before = open(path, "rb").read()
        try:
            with open(path, "wb", buffering=0) as f:
                f.write(value)
            after = open(path, "rb").read()
            after.decode()
            assert b"\0" not in after and b"\x1b" not in after and (path == spec or after.count(b"\n") == 1), (path, value, after)
            with open(path, "wb", buffering=0) as f:
                f.write(before)
        except OSError as e:
            assert e.errno == errno.EINVAL, (path, value, e)
            assert open(path, "rb").read() == before, (path, value)
with open(data, "wb") as f: # which may be anything
    f.write(bytes(range(256)) * 60)
assert open(data, "rb").read() == bytes(range(256)) * 60
'
}

@test "names of any bytes" {
	calls '
where = {"instances": "mkdir", "images": "mkdir", "key-pairs": "mkdir", inst: "file", inst + "/tags": "file", ".": "both"}
names = [b"a\nb", b"\xff\xfe", b"a\x7fb", b"\x1b[31m", b"\xc3\x28", b" ", b" a", b"a ", b"-", b"-rf", b"\xe2\x80\xae", b"*", b"a\\b",
         b"x" * 255, "ü".encode() * 127, b"%s%n", b"#", b"~", b"nul", b"..."]
for directory, how in where.items():
    before = sorted(os.listdir(os.fsencode(directory)))
    for name in names:
        path = os.fsencode(directory) + b"/" + name
        for make, unmake in (os.mkdir, os.rmdir), (lambda p: os.close(os.open(p, os.O_WRONLY | os.O_CREAT, 0o644)), os.unlink):
            try:
                make(path)
            except OSError as e:
                assert e.errno in (errno.EINVAL, errno.ENOENT, errno.EPERM, errno.ENAMETOOLONG, errno.EACCES), (path, e)
                continue
            assert name in os.listdir(os.fsencode(directory)), path
            os.stat(path)
            unmake(path)
        refused(errno.ENOENT, os.stat, path)
    refused(errno.ENAMETOOLONG, os.mkdir, os.fsencode(directory) + b"/" + b"x" * 256)
    assert sorted(os.listdir(os.fsencode(directory))) == before, directory
'
	# They do not break the lines of what tells of them.
	lacks $'\x1b|\x07' "$CLOUD/errors"
	/usr/bin/python3 -c 'import sys; open(sys.argv[1], "rb").read().decode()' "$CLOUD/errors"
	[ -z "$(grep -v '^20' "$CLOUD/errors")" ]
}

@test "a long name renamed, and temporary files with long names" {
	calls '
long = "n" * 255
os.rename(inst, "instances/" + long)
os.rename("instances/" + long, inst)
for name in ".user-data." + "x" * 244, "user-data." + "y" * 245, "t" * 255:
    fd = os.open(inst + "/" + name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(fd, b"t3.small\n")
    os.close(fd)
    os.rename(inst + "/" + name, type_)
    assert open(type_).read() == "t3.small\n"
refused(errno.ENAMETOOLONG, os.open, inst + "/" + "t" * 256, os.O_RDWR | os.O_CREAT | os.O_EXCL)
'
}

@test "files as directories, directories as files, nodes of other kinds" {
	calls '
refused(errno.EEXIST, os.mkdir, type_)
refused(errno.ENOTDIR, os.open, type_ + "/x", os.O_RDONLY)
refused(errno.ENOTDIR, os.listdir, type_)
refused(errno.ENOTDIR, os.rmdir, type_)
refused(errno.EISDIR, os.open, inst + "/tags", os.O_WRONLY)
refused((errno.EISDIR, errno.EPERM), os.unlink, inst + "/tags")
refused(errno.ENOTDIR, os.rename, image, type_)
refused((errno.EISDIR, errno.ENOTEMPTY, errno.EEXIST), os.rename, type_, inst + "/tags")
refused((errno.EPERM, errno.EINVAL), os.mkfifo, inst + "/tags/fifo")
refused((errno.EPERM, errno.EINVAL), os.mknod, inst + "/tags/dev", 0o20644, os.makedev(1, 3))
refused((errno.EPERM, errno.EINVAL, errno.ENOENT), os.mkdir, inst + "/tags/folder")
refused((errno.EPERM, errno.EINVAL, errno.ENOENT), os.mkdir, inst + "/folder")
refused((errno.EPERM, errno.EINVAL, errno.EXDEV), os.rename, tag, image + "/tags/env")
refused((errno.EPERM, errno.EINVAL, errno.EXDEV), os.rename, tag, description)
refused((errno.EPERM, errno.EINVAL, errno.EXDEV), os.rename, type_, inst + "/tags/type")
refused((errno.EPERM, errno.EINVAL, errno.EXDEV), os.rename, image, "instances/" + os.path.basename(image))
refused((errno.EPERM, errno.EINVAL, errno.EXDEV), os.rename, "us-east-1".join(["../", ""]), "../us-west-9")
refused((errno.EPERM, errno.EBUSY, errno.ENOTEMPTY), os.rmdir, "instances")
refused((errno.EOPNOTSUPP,), os.setxattr, type_, "user.x", b"y")
refused(errno.EINVAL, os.readlink, type_)
'
	files_written
}

@test "thousands of changes of one thing, and opens that are never closed" {
	calls '
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
held = [os.open(path, flags) for path in (type_, data, spec, tag, disk) for flags in (os.O_RDONLY, os.O_WRONLY) for _ in range(100)]
for i in range(500):
    with open(tag, "w") as f:
        f.write("%d\n" % i)
assert open(tag).read() == "499\n"
'
	# The holder is gone, and everything is as it was.
	files_written type data spec disk
}

@test "the host's disk is full in the middle of an import: nothing of it is taken" {
	[ "$(id -u)" = 0 ] || skip "only root may mount a small file system"
	cloud_stop
	export CLOUD_HOME=$W/small
	mkdir -p "$CLOUD_HOME/state"
	mount -t tmpfs -o size=8m none "$CLOUD_HOME/state" || skip "tmpfs cannot be mounted"
	cloud_start
	mkdir images/big
	head -c 1M "$W/new/disk" >"$W/fits"
	truncate -s 1M "$W/fits"
	cp "$W/fits" images/big/disk
	head -c 16M /dev/urandom >"$W/big"
	refuses ENOSPC "cp $W/big images/big/disk"
	refuses ENOSPC "cat $W/big > images/big/disk"
	refuses ENOSPC "dd if=$W/big of=images/big/disk bs=1M conv=noerror status=none"
	tells '^InsufficientVolumeCapacity: .*the state directory is full' images/big/error
	cmp "$W/fits" images/big/disk
	reads available images/big/state
	[ "$(find "$CLOUD_HOME/state" -size +2M | wc -l)" = 0 ]
	echo still there >images/big/description
	cloud_stop
	umount "$W/small/state"
	CLOUD_HOME=$BATS_FILE_TMPDIR
	cloud_start
}
