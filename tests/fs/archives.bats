# Tools that bring many files: tar, rsync, git, and Ansible's way to replace one.
load ../lib/cloud
load ../lib/files

setup_file()
{
	cloud_start
	export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
}
setup() { files_begin; }
teardown_file() { cloud_stop; }

# The new contents by their names in an instance's directory, and in an image's.
by_name()
{
	mkdir -p "$W/instance/tags" "$W/image"
	cp "$W/new/type" "$W/instance/instance-type"
	cp "$W/new/data" "$W/instance/user-data"
	cp "$W/new/spec" "$W/instance/spec"
	cp "$W/new/tag" "$W/instance/tags/env"
	cp "$W/new/description" "$W/new/disk" "$W/image"
}

@test "tar x over what is there, and again" {
	by_name
	chmod 640 "$W"/instance/* "$W"/image/*
	chmod 750 "$W/instance/tags"
	touch -d '2001-02-03 04:05:06' "$W"/instance/* "$W"/image/*
	tar -C "$W/instance" -cf "$W/instance.tar" .
	tar -C "$W/image" -cf "$W/image.tar" .
	for _ in 1 2; do
		tar -C "$INSTANCE" -xf "$W/instance.tar"
		tar -C "$IMAGE" -xf "$W/image.tar"
		files_written
		[ "$(stat -c '%a %Y' "$TYPE")" = "$(stat -c '%a %Y' "$W/instance/instance-type")" ]
		[ "$(stat -c '%a %Y' "$DATA")" = "$(stat -c '%a %Y' "$W/instance/user-data")" ]
		[ "$(stat -c '%a %Y' "$DISK")" = "$(stat -c '%a %Y' "$W/image/disk")" ]
	done
}

@test "tar x --overwrite, --unlink-first, --keep-newer-files" {
	by_name
	tar -C "$W/instance" -cf "$W/instance.tar" .
	tar -C "$W/image" -cf "$W/image.tar" .
	tar -C "$INSTANCE" --overwrite -xf "$W/instance.tar"
	tar -C "$IMAGE" --overwrite -xf "$W/image.tar"
	files_written
	tar -C "$INSTANCE" --unlink-first -xf "$W/instance.tar" ./instance-type ./user-data ./spec ./tags/env
	tar -C "$IMAGE" --unlink-first -xf "$W/image.tar"
	files_written
	echo t3.small >"$TYPE"
	tar -C "$INSTANCE" --keep-newer-files --warning=none -xf "$W/instance.tar"
	reads t3.small "$TYPE"
	cmp "$W/new/data" "$DATA"
}

@test "tar c | tar x carries an instance to another name" {
	each_file 'cp "$from" "$to"'
	mkdir "$INSTANCE-2"
	tar -C "$INSTANCE" -cf - . | tar -C "$INSTANCE-2" -xf -
	cmp "$W/new/spec" "$INSTANCE-2/spec"
	cmp "$W/new/data" "$INSTANCE-2/user-data"
	reads 'prod, mostly' "$INSTANCE-2/tags/env"
	[ "$(cat "$INSTANCE/instance-id")" != "$(cat "$INSTANCE-2/instance-id")" ]
	# One whose directory tar makes.
	tar -cf - "$INSTANCE" | tar --transform "s,$INSTANCE,$INSTANCE-3," -xf -
	cmp "$W/new/data" "$INSTANCE-3/user-data"
	reads t3.nano "$INSTANCE-3/instance-type"
	reads 'prod, mostly' "$INSTANCE-3/tags/env"
	reads draft "$INSTANCE-3/state"
}

@test "rsync of files: plain, --inplace, --append-verify, -c, twice" {
	command -v rsync >/dev/null || skip "rsync is not installed"
	each_file 'rsync "$from" "$to"'
	files_written
	each_file 'printf "# more\n" >> "$from"; rsync --inplace "$from" "$to"' data spec
	files_written
	each_file 'sed -i 1d "$from"; rsync --inplace "$from" "$to"' data spec
	files_written
	each_file 'rsync -c --inplace "$from" "$to"'
	each_file 'rsync -c "$from" "$to"'
	files_written
	head -c 1M /dev/urandom >>"$W/new/disk"
	rsync --append-verify "$W/new/disk" "$DISK"
	rsync --no-whole-file --inplace "$W/new/disk" "$DISK"
	files_written
}

@test "rsync -a of a directory; the second time it finds no file to bring" {
	command -v rsync >/dev/null || skip "rsync is not installed"
	by_name
	touch -d '2001-02-03 04:05:06' "$W/instance" "$W/instance/tags" "$W/image" # older than what is in them
	rsync -a "$W/instance/" "$INSTANCE/"
	rsync -a "$W/image/" "$IMAGE/"
	files_written
	# But for a directory's time: that of the latest change anywhere below it, and rsync sets it too early.
	lacks '^[^.]|^\.f' <(rsync -ai "$W/instance/" "$INSTANCE/")
	lacks '^[^.]|^\.f' <(rsync -ai "$W/image/" "$IMAGE/")
	[ -z "$(rsync -ai "$W/instance/" "$INSTANCE/")" ]
	[ -z "$(rsync -ai "$W/image/" "$IMAGE/")" ]
	echo t3.small >"$W/instance/instance-type"
	sed -i 's/t3.nano/t3.small/' "$W/instance/spec"
	rsync -a "$W/instance/" "$INSTANCE/"
	reads t3.small "$TYPE"
}

@test "rsync -a makes the instance that it brings" {
	command -v rsync >/dev/null || skip "rsync is not installed"
	by_name
	rsync -a "$W/instance/" "$INSTANCE-2"
	cmp "$W/new/data" "$INSTANCE-2/user-data"
	cmp "$W/new/spec" "$INSTANCE-2/spec"
	reads t3.nano "$INSTANCE-2/instance-type"
	reads 'prod, mostly' "$INSTANCE-2/tags/env"
	rsync -a "$INSTANCE-2/" "$W/back"
	cmp "$W/back/user-data" "$W/new/data"
	[ "$(ls "$W/back")" = "$(ls "$INSTANCE-2")" ]
}

@test "git checkout onto the mount, and git apply there" {
	command -v git >/dev/null || skip "git is not installed"
	by_name
	git -C "$W/instance" init -q
	git -C "$W/instance" add . && git -C "$W/instance" commit -qm one
	git --git-dir="$W/instance/.git" --work-tree="$INSTANCE" checkout -qf
	files_written type data spec tag
	echo 'echo three' >>"$W/instance/user-data"
	echo test >"$W/instance/tags/env"
	git -C "$W/instance" diff >"$W/diff"
	git -C "$W/instance" commit -qam two
	(cd "$INSTANCE" && GIT_CEILING_DIRECTORIES=$CLOUD git apply "$W/diff")
	cmp "$W/instance/user-data" "$DATA"
	reads test "$TAG"
	git --git-dir="$W/instance/.git" --work-tree="$INSTANCE" checkout -qf HEAD^
	files_written type data spec tag
	git --git-dir="$W/instance/.git" --work-tree="$INSTANCE" checkout -qf -
	reads test "$TAG"
	[ -z "$(git --git-dir="$W/instance/.git" --work-tree="$INSTANCE" status --porcelain -uno)" ]
}

# As ansible.builtin.copy does (atomic_move): a file beside, closed, written by its name, dressed, renamed.
replace_py()
{
	/usr/bin/python3 -c '
import os, shutil, sys, tempfile
source, target = sys.argv[1:3]
fd, temp = tempfile.mkstemp(prefix=".ansible_tmp", suffix=os.path.basename(target), dir=os.path.dirname(target))
os.close(fd)
try:
    shutil.copyfile(source, temp)
    os.utime(temp, (981173106, 981173106))
    os.chmod(temp, 0o640)
    os.rename(temp, target)
except OSError as e:
    os.unlink(temp)
    sys.exit(e.strerror)
os.chmod(target, 0o644)
' "$1" "$2"
}
export -f replace_py

@test "Ansible's copy: a temporary file, utime, chmod, rename" {
	each_file 'replace_py "$from" "$to"'
	files_written
	[ "$(stat -c '%a %Y' "$TYPE" "$DATA" "$TAG" "$DISK" | sort -u)" = '644 981173106' ]
	# lineinfile
	/usr/bin/python3 -c '
import sys
lines = open(sys.argv[1]).readlines()
open(sys.argv[2], "w").writelines(l.replace("one", "uno") for l in lines)' "$DATA" "$W/lines"
	replace_py "$W/lines" "$DATA"
	tells uno "$DATA"
	# Refused, it leaves nothing.
	echo t9.huge >"$W/bad"
	refuses EINVAL "replace_py $W/bad $TYPE"
	reads t3.nano "$TYPE"
	tells t9.huge "$INSTANCE/error"
	files_alone
}

@test "python: open, pathlib, shutil; each way to write" {
	/usr/bin/python3 - "$INSTANCE" "$IMAGE" "$W" <<-'END'
		import os, pathlib, shutil, sys
		instance, image, w = map(pathlib.Path, sys.argv[1:4])
		(instance / "instance-type").write_text("t3.small\n")
		assert (instance / "instance-type").read_text() == "t3.small\n"
		with open(instance / "user-data", "w") as f:
		    for i in range(1000):
		        f.write("line %d\n" % i)
		assert len((instance / "user-data").read_text().splitlines()) == 1000
		with open(instance / "user-data", "r+") as f:
		    text = f.read()
		    f.seek(0)
		    f.write(text.replace("line", "Line"))
		    f.truncate()
		assert (instance / "user-data").read_text().startswith("Line 0\nLine 1\n")
		with open(instance / "tags" / "env", "x") as f:
		    f.write("prod")
		assert (instance / "tags" / "env").read_text() == "prod\n"
		shutil.copy2(w / "new" / "disk", image / "disk")
		with open(image / "disk", "r+b", buffering=0) as f:
		    f.seek(512 * 3)
		    f.write(b"x" * 512)
		assert (image / "disk").read_bytes()[512 * 3:512 * 4] == b"x" * 512
		assert (image / "disk").read_bytes()[512 * 4:] == (w / "new" / "disk").read_bytes()[512 * 4:]
		with open(instance / "user-data", "w") as f:
		    f.write("one\n")
		    f.flush()
		    assert (instance / "user-data").read_text().startswith("Line 0\n"), "a document takes effect whole"
		    os.fsync(f.fileno())
		    assert (instance / "user-data").read_text() == "one\n"
	END
}
