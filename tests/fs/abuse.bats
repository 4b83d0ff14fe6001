# What is left half done, what is there twice, and calls that few tools make: a clear errno, nothing changed, and the
# daemon lives. (odd.bats has offsets, sizes and names.)
load ../lib/cloud
load ../lib/files

setup_file() { cloud_start -o scratch-timeout=2; }
teardown_file() { cloud_stop; }

setup()
{
	files_begin
	each_file 'cp "$from" "$to"'
}

# No name in the directory matches.
none_like()
{
	! grep -qE "$1" <(ls -A "$2")
}

@test "an editor that is killed: the value stays, others go on, what it left goes after a while" {
	VI=$(command -v vim || command -v vim.tiny) || skip "vim is not installed"
	mkfifo "$W/hold"
	# Changed and not written; it waits for a script that does not come.
	"$VI" -es -u NONE -i NONE --not-a-term -c 'set swapfile' -c 'normal ccchanged' -c preserve -c "source $W/hold" "$DATA" </dev/null 3>&- 4>&- &
	editor=$!
	soon 20 test -e "$INSTANCE/.user-data.swp"
	kill -9 $editor
	wait $editor || true
	cmp "$W/new/data" "$DATA"
	echo 'of another' >"$DATA"
	reads 'of another' "$DATA"
	soon 30 none_like swp "$INSTANCE"
	[ ! -e "$INSTANCE/.user-data.swp" ]
}

@test "rsync and Ansible, killed between the temporary file and the rename" {
	calls '
for name in ".user-data.AbC123", ".ansible_tmpabcdefghuser-data", "sedAbC123":
    pid = os.fork()
    if pid == 0:
        fd = os.open(inst + "/" + name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(fd, b"half of it")
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    assert name in os.listdir(inst)
'
	files_written_but_scratch
	soon 30 none_like '^\.|^sed' "$INSTANCE"
	files_written
}

files_written_but_scratch()
{
	local kind

	for kind in type data spec tag description disk; do cmp "$W/new/$kind" "${FILES[$kind]}"; done
}

@test "half a document, and who holds it open" {
	/usr/bin/python3 -c '
import os, sys, time
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_TRUNC)
os.write(fd, b"#!/bin/sh\nhalf of a li")
open(sys.argv[2] + "/ready", "w").close()
while not os.path.exists(sys.argv[2] + "/go"):
    time.sleep(0.02)
os.close(fd)' "$DATA" "$W" 3>&- 4>&- &
	holder=$!
	soon 20 test -e "$W/ready"
	files_written data
	# Another one writes, and is done; what the first closes comes later.
	echo '#!/bin/sh' >"$DATA"
	reads '#!/bin/sh' "$DATA"
	: >"$W/go"
	wait $holder
	[ "$(cat "$DATA")" = $'#!/bin/sh\nhalf of a li' ]
	# Rules end where a line ends, or at close.
	calls '
group = "security-groups/half"
os.mkdir(group)
fd = os.open(group + "/ingress", os.O_WRONLY | os.O_TRUNC)
os.write(fd, b"tcp 22 0.0.0.0/0\ntcp 80 0.0")
assert open(group + "/ingress").read() == ""
refused(errno.EINVAL, os.close, fd)
assert open(group + "/ingress").read() == ""
os.rmdir(group)
'
}

@test "a directory where a file should be, and the other way round" {
	rm "$TYPE"
	refuses EPERM "mkdir $TYPE"
	soon 10 test -f "$TYPE"
	mkdir "$W/instance-type"
	if cp -r "$W/instance-type" "$INSTANCE/" 2>"$W/said"; then fail "a directory took the place of a file"; fi
	if mv "$W/instance-type" "$INSTANCE/" 2>"$W/said"; then fail "a directory took the place of a file"; fi
	rm -r "$INSTANCE/tags"
	soon 10 test -d "$INSTANCE/tags"
	refuses EISDIR "echo x > $INSTANCE/tags"
	[ -d "$INSTANCE/tags" ]
	if cp --remove-destination -T /etc/hostname "$INSTANCE/volumes" 2>"$W/said"; then fail "a file took the place of a directory"; fi
	if ln -sfT /etc "$INSTANCE/volumes" 2>"$W/said"; then fail "a link took the place of a directory"; fi
	[ -d "$INSTANCE/volumes" ] && [ ! -L "$INSTANCE/volumes" ]
	cp "$W/new/tag" "$TAG"
	files_written
}

@test "renames from one kind to another, and from one resource to another" {
	mkdir "$INSTANCE-b"
	calls '
other = inst + "-b"
def scratch(name, text):
    fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(fd, text)
    os.close(fd)
no = (errno.EPERM, errno.EXDEV, errno.EINVAL, errno.EISDIR, errno.ENOTDIR, errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST, errno.EACCES)
for a in type_, data, spec, tag, disk, inst + "/tags", inst + "/volumes", inst + "/instance-id", inst, image:
    for b in other + "/instance-type", other + "/tags", other + "/nothing", "images/" + os.path.basename(inst) + "-c", "../" + os.path.basename(a), "key-pairs":
        if (a, os.path.dirname(b)) == (image, "images"):
            continue
        refused(no, os.rename, a, b)
    refused((errno.EPERM, errno.EINVAL), os.link, a, other + "/tags/link")
# A temporary file may be anywhere: its content counts where it goes.
scratch(inst + "/tmpAbC123", b"t3.small\n")
os.rename(inst + "/tmpAbC123", other + "/instance-type")
assert open(other + "/instance-type").read() == "t3.small\n"
scratch(inst + "/tmpAbC123", b"t3.small\n")
for target in other, other + "/tags", "instances", other + "/instance-id", other + "/nothing", other + "/volumes/sdf":
    refused(no, os.rename, inst + "/tmpAbC123", target)
os.unlink(inst + "/tmpAbC123")
'
	files_written
	rmdir "$INSTANCE-b"
}

@test "writes through a mapping are refused; a private one is the process's own" {
	calls '
for path in type_, data, spec, tag, disk:
    old = open(path, "rb").read()
    fd = os.open(path, os.O_RDWR)
    refused((errno.ENODEV, errno.EACCES), mmap.mmap, fd, len(old), mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
    os.close(fd)
    assert open(path, "rb").read() == old
time.sleep(0.5)
with open(data, "rb") as f:
    m = mmap.mmap(f.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE)
    m[0:2] = b"XX"
    m.close()
'
	files_written
}

@test "holes: a sparse disk stays sparse, and reads as zeros" {
	calls '
fd = os.open(disk, os.O_WRONLY | os.O_TRUNC)
os.pwrite(fd, b"begin", 0)
os.pwrite(fd, b"end", (3 << 30) - 3)
os.close(fd)
assert os.stat(disk).st_size == 3 << 30
with open(disk, "rb") as f:
    assert f.read(5) == b"begin"
    f.seek((1 << 30) + 77)
    assert f.read(1000) == bytes(1000)
    f.seek(-3, os.SEEK_END)
    assert f.read() == b"end"
'
	[ "$(du -sk "$STATE" | cut -f1)" -lt 200000 ]
	truncate -s 2G "$W/hole"
	cp --sparse=always "$W/hole" "$DISK"
	[ "$(stat -c %s "$DISK")" = $((2 << 30)) ]
	[ "$(du -sk "$STATE" | cut -f1)" -lt 200000 ]
	# Where no hole can be there is none.
	refuses EFBIG "cp --sparse=always $W/hole $DATA"
	truncate -s 100 "$W/hole"
	refuses EINVAL "cp --sparse=always $W/hole $DATA"
	refuses EINVAL "cp --sparse=always $W/hole $SPEC"
	refuses EINVAL "cp --sparse=always $W/hole $TYPE"
	tells 'some were not written' "$INSTANCE/error"
	cp "$W/new/disk" "$DISK"
	files_written
}

@test "calls that few tools make" {
	calls '
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *args):
    if getattr(libc, name)(*args) < 0:
        raise OSError(ctypes.get_errno(), name)
old = open(data, "rb").read()
# Exchange, whiteouts.
refused((errno.EINVAL, errno.ENOSYS), call, "renameat2", -100, type_.encode(), -100, spec.encode(), 2)
refused((errno.EINVAL, errno.EPERM, errno.ENOSYS), call, "renameat2", -100, type_.encode(), -100, b"instances/x", 4)
# Files without a name.
refused((errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL), os.open, inst, os.O_TMPFILE | os.O_RDWR)
fd = os.open(data, os.O_RDWR)
refused((errno.EOPNOTSUPP, errno.EINVAL), call, "fallocate", fd, 3, ctypes.c_long(0), ctypes.c_long(5))
refused((errno.EINVAL,), os.pwrite, fd, b"x", -1)
assert os.write(fd, b"") == 0
fcntl.flock(fd, fcntl.LOCK_EX)
fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
fcntl.lockf(fd, fcntl.LOCK_UN)
refused((errno.ENOTTY, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP), fcntl.ioctl, fd, 0x5401, b"\0" * 64)
os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
os.close(fd)
assert open(data, "rb").read() == old
# One value in many pieces is one write.
fd = os.open(type_, os.O_WRONLY | os.O_TRUNC)
os.writev(fd, [b"t3", b".", b"small", b"\n"])
os.close(fd)
assert open(type_).read() == "t3.small\n"
with open(data, "rb") as a, open(w + "/copy", "wb") as b:
    os.sendfile(b.fileno(), a.fileno(), 0, 1 << 20)
assert open(w + "/copy", "rb").read() == old
a = os.open(data, os.O_RDONLY)
b = os.open(inst + "/tags/env", os.O_WRONLY | os.O_TRUNC)
refused((errno.EINVAL, errno.EFBIG, errno.EXDEV), lambda: os.write(b, os.read(a, 1 << 20)))
os.close(a)
os.close(b)
# Directories are read from anywhere.
d = os.open("instances", os.O_RDONLY | os.O_DIRECTORY)
os.lseek(d, 1 << 62, os.SEEK_SET)
assert os.listdir(d) is not None
os.fsync(d)
refused((errno.EISDIR, errno.EBADF), os.write, d, b"x")
os.close(d)
'
	cp "$W/new/type" "$TYPE"
	files_written type data spec disk
}
