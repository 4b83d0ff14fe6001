# What shells and the tools that open, write and close a file do, with every kind of file.
load ../lib/cloud
load ../lib/files

setup_file() { cloud_start; }
setup() { files_begin; }
teardown_file() { cloud_stop; }

@test "cat >" {
	each_file 'cat "$from" > "$to"'
	files_written
}

@test "cat > over what is there, twice, and something shorter" {
	each_file 'cat "$from" > "$to"'
	each_file 'cat "$from" > "$to"'
	files_written
	echo x >"$W/new/tag"
	echo y >"$W/new/description"
	echo z >"$W/new/data"
	head -c 5120 /dev/urandom >"$W/new/disk"
	each_file 'cat "$from" > "$to"' tag data description disk
	files_written tag data description disk
}

@test "echo and printf, with and without a newline" {
	echo t3.nano >"$TYPE"
	reads t3.nano "$TYPE"
	printf t3.small >"$TYPE"
	reads t3.small "$TYPE"
	echo -n t3.micro >"$TYPE"
	reads t3.micro "$TYPE"
	printf 'no end' >"$DESCRIPTION"
	reads 'no end' "$DESCRIPTION"
	printf 'dev' >"$TAG"
	reads dev "$TAG"
	printf 'no end' >"$DATA"
	[ "$(cat "$DATA"; echo .)" = 'no end.' ]
}

@test "one value after the other by one open file: each counts" {
	{ echo t3.nano; echo t3.small; } >"$TYPE"
	reads t3.small "$TYPE"
	[ "$(grep -c "$TYPE" "$CLOUD/events")" -ge 2 ]
	exec 9>"$TAG"
	echo one >&9
	reads one "$TAG"
	echo two >&9
	reads two "$TAG"
	exec 9>&-
	reads two "$TAG"
}

@test ">> adds to a document; a second line is no value" {
	echo t3.nano >"$TYPE"
	refuses EINVAL "echo t3.small >> $TYPE"
	tells 'several lines' "$INSTANCE/error"
	reads t3.nano "$TYPE"
	echo first >>"$DESCRIPTION"
	reads first "$DESCRIPTION"
	echo first >>"$TAG"
	reads first "$TAG"
	refuses EINVAL "echo second >> $TAG"
	reads first "$TAG"
	printf 'one\n' >"$DATA"
	printf 'two\n' >>"$DATA"
	printf 'three' >>"$DATA"
	[ "$(cat "$DATA")" = $'one\ntwo\nthree' ]
	echo 'instance-type t3.nano' >"$SPEC"
	echo 'disable-api-stop true' >>"$SPEC"
	reads true "$INSTANCE/disable-api-stop"
	reads t3.nano "$TYPE"
	head -c 512 "$W/new/disk" >"$DISK"
	tail -c +513 "$W/new/disk" >>"$DISK"
	files_written disk
}

@test "a program that opens a document again before it closes it goes on where it was" {
	# As an SFTP server does, where the program at the other end has long closed it.
	for how in '>' '>>'; do
		echo before >"$DATA"
		exec 8>"$DATA"
		echo one >&8
		eval "exec 9$how\"\$DATA\""
		echo two >&9
		exec 8>&-
		exec 9>&-
		[ "$how" = '>' ] || reads $'one\ntwo' "$DATA"
		reads two <(tail -n 1 "$DATA")
	done
	exec 8>"$DATA"
	exec 9>>"$DATA"
	exec 8>&-
	echo two >&9
	exec 9>&-
	reads two "$DATA"
	exec 8>"$DATA"
	printf 'one, and' >&8
	exec 9<"$DATA"
	printf ' on\n' >&8
	exec 8>&- 9<&-
	reads 'one, and on' "$DATA"
	# A program sees its document when it has closed it, but who reads by SFTP has done so.
	cp "$(command -v bash)" "$W/sftp-server"
	cp "$(command -v bash)" "$W/program"
	for who in program sftp-server; do
		"$W/$who" -c 'exec 8>"$1"; echo new >&8; read -r line <"$1"; echo "$line"' - "$DATA" >"$W/$who.read" 3>&-
		echo 'one, and on' >"$DATA"
	done
	reads 'one, and on' "$W/program.read"
	reads new "$W/sftp-server.read"
}

@test "> alone empties a document and changes no value" {
	echo x >"$DATA"
	: >"$DATA"
	[ ! -s "$DATA" ]
	echo t3.nano >"$TYPE"
	: >"$TYPE"
	reads t3.nano "$TYPE"
	echo x >"$TAG"
	: >"$TAG"
	head -c 1024 /dev/zero >"$DISK"
	: >"$DISK"
	[ "$(stat -c %s "$DISK")" = 1024 ]
}

@test "noclobber" {
	each_file 'set -C; ! cat "$from" > "$to"' type description
	each_file 'cat "$from" > "$to"'
	each_file 'set -C; ! cat "$from" > "$to"'
	each_file 'set -C; cat "$from" >| "$to"'
	files_written
}

@test "tee, and tee -a" {
	each_file 'tee "$to" < "$from" | cmp - "$from"'
	files_written
	echo more | tee -a "$DATA" >/dev/null
	[ "$(tail -n 1 "$DATA")" = more ]
	refuses EINVAL "echo t3.small | tee -a $TYPE >/dev/null; exit \${PIPESTATUS[1]}"
	reads t3.nano "$TYPE"
}

@test "cp" {
	each_file 'cp "$from" "$to"'
	files_written
}

@test "cp -a takes mode and time along" {
	chmod 640 "$W"/new/*
	touch -d '2001-02-03 04:05:06' "$W"/new/*
	each_file 'cp -a "$from" "$to"'
	files_written
	for kind in type data spec tag description disk; do
		[ "$(stat -c "%a %Y" "${FILES[$kind]}")" = "$(stat -c "%a %Y" "$W/new/$kind")" ] ||
			fail "$kind: $(stat -c "%a %Y" "${FILES[$kind]}")"
	done
}

@test "cp --remove-destination, cp --backup, cp -f, cp -u, cp -n" {
	each_file 'cp --remove-destination "$from" "$to"'
	files_written
	each_file 'cp --backup=simple "$from" "$to" && [ -e "$to~" ] && rm "$to~"' type data spec description disk
	files_written
	each_file 'cp -f "$from" "$to"'
	files_written
	each_file 'cp -n /dev/null "$to" || [ -e "$to" ]' type data description
	files_written
	cp /dev/null "$DATA"
	[ ! -s "$DATA" ]
}

@test "cp inside of the mount" {
	each_file 'cp "$from" "$to"'
	mkdir "$INSTANCE-2" "$IMAGE-2"
	cp "$TYPE" "$DATA" "$SPEC" "$INSTANCE-2/"
	cp "$TAG" "$INSTANCE-2/tags/"
	cp "$DISK" "$DESCRIPTION" "$IMAGE-2/"
	cmp "$W/new/data" "$INSTANCE-2/user-data"
	cmp "$W/new/spec" "$INSTANCE-2/spec"
	reads t3.nano "$INSTANCE-2/instance-type"
	reads 'prod, mostly' "$INSTANCE-2/tags/env"
	cmp "$W/new/disk" "$IMAGE-2/disk"
	reads 'Debian 12, of this week' "$IMAGE-2/description"
}

@test "mv from another file system" {
	cp -r "$W/new" "$W/old"
	each_file 'mv "$from" "$to"; [ ! -e "$from" ]'
	mv "$W/old"/* "$W/new"
	files_written
	each_file 'mv -f "$from" "$to"'
}

@test "mv out to another file system gives a copy; what has to have a value keeps it" {
	each_file 'cp "$from" "$to"'
	each_file 'mv "$to" "$W/moved"; cmp "$W/moved" "$from"'
	[ ! -e "$TAG" ]
	tells '^instance-type +t3.nano$' "$SPEC" "$W/new/spec"
	reads available "$IMAGE/state"
}

@test "install, with a mode and a backup" {
	each_file 'install -m 640 "$from" "$to"'
	files_written
	[ "$(stat -c %a "$TYPE" "$DATA" "$TAG" "$DISK" | tr '\n' ' ')" = '640 640 640 640 ' ]
	each_file 'install -b -m 644 "$from" "$to"; rm "$to~"' type data spec description disk
	files_written
}

@test "dd, in blocks of any size" {
	each_file 'dd if="$from" of="$to" bs=1M status=none'
	files_written
	each_file 'dd if="$from" of="$to" bs=7 status=none' data tag description
	files_written
	each_file 'dd if="$from" of="$to" bs=64K conv=fsync status=none'
	files_written
	each_file 'dd if="$from" of="$to" bs=3 conv=notrunc status=none' data
	files_written
}

@test "sort -o, also on itself" {
	printf 'c\na\nb\n' >"$DATA"
	sort -o "$DATA" "$DATA"
	[ "$(tr '\n' ' ' <"$DATA")" = 'a b c ' ]
	printf 'instance-type t3.nano\ndisable-api-stop true\n' >"$SPEC"
	sort -o "$SPEC" "$SPEC"
	tells '^instance-type t3.nano$' "$SPEC"
	[ "$(head -n 1 "$SPEC")" = 'disable-api-stop true' ]
	each_file 'sort -o "$to" "$from"' type tag description
	files_written type tag description
	sort -u -o quotas quotas
	tells '^vcpus 64$' quotas
}

@test "truncate" {
	each_file 'cp "$from" "$to"'
	truncate -s 0 "$DATA"
	[ ! -s "$DATA" ]
	printf 'one\ntwo\n' >"$DATA"
	truncate -s 4 "$DATA"
	reads one "$DATA"
	truncate -s 2M "$DISK"
	[ "$(stat -c %s "$DISK")" = 2097152 ]
	cmp -n 300032 "$DISK" "$W/new/disk"
	truncate -s 512 "$DISK"
	cmp "$DISK" <(head -c 512 "$W/new/disk")
	truncate -s 0 "$TYPE"
	reads t3.nano "$TYPE"
}
