# Names that are no attribute: temporary files of tools, copies of attributes, and typing errors.
load ../lib/cloud

setup_file() { cloud_start; }
teardown_file() { cloud_stop; }

setup()
{
	cloud_enter
	W=$BATS_TEST_TMPDIR
	I=instances/i$BATS_TEST_NUMBER
	mkdir "$I"
}

# As mkstemp(3) opens a file: O_RDWR, O_CREAT, O_EXCL.
mkstemp()
{
	/usr/bin/python3 -c 'import os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
os.write(fd, sys.argv[2].encode())' "$1" "${2-}"
}

@test "a temporary file can be made, written, read, changed, renamed and removed" {
	mkstemp "$I/tmpAbC123" hello
	[ "$(cat "$I/tmpAbC123")" = hello ]
	[ "$(stat -c '%a %s' "$I/tmpAbC123")" = '600 5' ]
	chmod 640 "$I/tmpAbC123"
	chown 12:34 "$I/tmpAbC123"
	touch -d '2001-02-03 04:05:06 UTC' "$I/tmpAbC123"
	[ "$(stat -c '%a %u %g %Y' "$I/tmpAbC123")" = '640 12 34 981173106' ]
	echo world >>"$I/tmpAbC123"
	[ "$(cat "$I/tmpAbC123")" = helloworld ]
	truncate -s 3 "$I/tmpAbC123"
	[ "$(cat "$I/tmpAbC123")" = hel ]
	mkstemp "$I/.hidden" || fail "a dot makes no difference"
	rm "$I/tmpAbC123" "$I/.hidden"
	[ ! -e "$I/tmpAbC123" ]
	files=$(ls -A "$I")
	[[ $files != *tmp* && $files != *hidden* ]]
}

@test "its owner sees it in listings, others do not" {
	mkstemp "$I/tmpAbC123" hello
	tells tmpAbC123 <(ls "$I")
	chmod 755 "$CLOUD_HOME" "$CLOUD"
	lacks tmpAbC123 <(setpriv --reuid 12345 --regid 12345 --clear-groups ls "$I")
	tells instance-type <(setpriv --reuid 12345 --regid 12345 --clear-groups ls "$I")
	rm "$I/tmpAbC123"
}

@test "it is nobody's attribute" {
	mkstemp "$I/tmpAbC123" hello
	lacks tmpAbC123 "$I/spec"
	lacks tmpAbC123 "$CLOUD/events"
	[ -z "$(find by-id -name 'tmp*')" ]
	rm "$I/tmpAbC123"
}

@test "rmdir of a resource takes its temporary files along; the name makes a new one" {
	mkstemp "$I/tmpAbC123" hello
	rmdir "$I"
	mkdir "$I"
	[ ! -e "$I/tmpAbC123" ]
	mkstemp "$I/tmpAbC123" again
	rm -r "$I"
}

@test "it holds as much as the attributes here, and next to a disk as much as a disk" {
	mkstemp "$I/tmpAbC123"
	head -c 65536 /dev/zero >"$I/tmpAbC123"
	refuses EFBIG "head -c 65537 /dev/zero > $I/tmpAbC123"
	tells 'at most 65536 bytes' "$CLOUD/errors"
	refuses EFBIG "truncate -s 1G $I/tmpAbC123"
	rm "$I/tmpAbC123"
	mkdir "images/m$BATS_TEST_NUMBER"
	cd "images/m$BATS_TEST_NUMBER"
	head -c 3M /dev/urandom >"$W/disk"
	mkstemp .disk.AbC123
	cp "$W/disk" .disk.AbC123
	cmp "$W/disk" .disk.AbC123
	mv .disk.AbC123 disk
	cmp "$W/disk" disk
	reads available state
}

@test "a mistyped name is refused, with what it might have been" {
	refuses ENOENT "echo x > $I/instance-typ"
	tells 'i[0-9]*/instance-typ: UnknownParameter: there is no instance-typ here; did you mean instance-type\?' "$CLOUD/errors"
	tells 'did you mean instance-type' "$I/error"
	for command in tee 'dd status=none of=' 'cp /dev/null ' 'touch ' 'install /dev/null ' 'mv MOVED ' 'ln -s /dev/null '; do
		echo x >"$W/moved"
		command="${command/MOVED/"$W/moved"}"
		[[ $command == *[=\ ] ]] || command="$command "
		if bash -c "echo x | $command$I/user-dat" 2>"$W/said"; then fail "was not refused: $command"; fi
		[ ! -e "$I/user-dat" ] && [ ! -L "$I/user-dat" ]
	done
	# noclobber, python's "x"
	refuses ENOENT "set -C; echo x > $I/user-dat"
	refuses ENOENT "/usr/bin/python3 -c 'open(\"$I/user-dat\", \"x\")'"
	refuses ENOENT "echo x > us-east-2"
	refuses ENOENT "echo x > instances/web"
	refuses ENOENT "echo x > images/debian"
	lacks '^user-dat$' <(ls "$I")
}

@test "a temporary file is not renamed to a typing error" {
	mkstemp "$I/tmpAbC123" t3.nano
	refuses ENOENT "mv $I/tmpAbC123 $I/instance-typ"
	tells 'did you mean instance-type' "$CLOUD/errors"
	mv "$I/tmpAbC123" "$I/instance-type"
	reads t3.nano "$I/instance-type"
}

@test "names derived from an attribute are copies of it" {
	for name in user-data~ .user-data.swp .user-data.swpx user-data.bak user-data.orig .user-data.AbC123 '#user-data#'; do
		cp /etc/passwd "$I/$name"
		cmp /etc/passwd "$I/$name"
		mv "$I/$name" "$I/user-data.save"
		cmp /etc/passwd "$I/user-data.save"
		rm "$I/user-data.save"
	done
	for name in nothing~ .nothing.swp nothing.bak .nothing.AbC123 '#nothing#' .user-data; do
		refuses ENOENT "echo x > '$I/$name'"
	done
	[ ! -s "$I/user-data" ]
}

@test "ln -sf goes by a temporary link; what may not be linked stays" {
	ln -s nowhere "$I/CuAbC123"
	[ "$(readlink "$I/CuAbC123")" = nowhere ]
	rm "$I/CuAbC123"
	if ln -sf /etc/passwd "$I/instance-type" 2>"$W/said"; then fail "an attribute became a link"; fi
	[ ! -L "$I/instance-type" ]
	[ "$(cat "$I/instance-type")" = t3.micro ]
	if ln -s /etc/passwd "$I/link" 2>"$W/said"; then fail "links are made where they mean something"; fi
	if ln -sfn /etc by-id/i-0123456789abcdef0 2>"$W/said"; then fail "a link in by-id was made"; fi
	lacks '^Cu' <(ls -A "$I" by-id)
	# emacs's lock
	ln -s user@host.1 "$I/.#user-data"
	[ "$(readlink "$I/.#user-data")" = user@host.1 ]
	rm "$I/.#user-data"
}

@test "mkdir of temporary names makes nothing; mktemp -d with a name of one's own does" {
	for name in .web tmp.1234567890 .git; do
		refuses EINVAL "mkdir instances/$name"
		refuses EINVAL "mkdir images/$name"
	done
	refuses EINVAL 'mktemp -d -p instances'
	web=$(mktemp -d instances/web-XXXXXX)
	reads draft "$web/state"
	[ "$(stat -c %a "$web")" = 700 ]
	rmdir "$web"
	refuses EPERM "mkdir $I/folder" || refuses EINVAL "mkdir $I/folder" || refuses ENOENT "mkdir $I/folder"
	[ ! -e "$I/folder" ]
}

@test "a thousand temporary files are too many, and none is in the way" {
	/usr/bin/python3 - "$I" <<-'END'
		import errno, os, sys
		made = []
		try:
		    for i in range(2000):
		        name = "%s/tmp%06d" % (sys.argv[1], i)
		        os.close(os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
		        made.append(name)
		except OSError as e:
		    assert e.errno == errno.ENOSPC, e
		assert 500 < len(made) < 2000, len(made)
		assert len([n for n in os.listdir(sys.argv[1]) if n.startswith("tmp")]) == len(made)
		open(sys.argv[1] + "/instance-type", "w").write("t3.nano\n")
		for name in made:
		    os.unlink(name)
		assert not [n for n in os.listdir(sys.argv[1]) if n.startswith("tmp")]
	END
	sed -i s/nano/small/ "$I/instance-type"
	reads t3.small "$I/instance-type"
}
