# What stat(2) tells: sizes, times, modes, owners, numbers; and that it stays so over a new mount.
load ../lib/cloud
load ../lib/files

setup()
{
	cloud_start
	files_begin
	each_file 'cp "$from" "$to"'
}
teardown() { cloud_stop; }

@test "st_size is what reading gives, of every file there is" {
	refuses EINVAL "echo t9.huge > $TYPE"
	mkdir key-pairs/k
	echo ed25519 >key-pairs/k/key-type
	/usr/bin/python3 - "$CLOUD" <<-'END'
		import os, sys
		seen = 0
		for base, dirs, files in os.walk(sys.argv[1]):
		    for name in files:
		        path = os.path.join(base, name)
		        if name in ("metrics", "events", "errors") or os.path.islink(path):
		            continue
		        size = os.stat(path).st_size
		        assert len(open(path, "rb").read()) == size == os.stat(path).st_size, path
		        seen += 1
		assert seen > 100, seen
	END
	[ -s "$TYPE" ] && [ -s "$DATA" ]
	[ "$(find "$INSTANCE" -name user-data -size "$(stat -c %s "$W/new/data")c" | wc -l)" = 1 ]
	# After a change at once, whatever the length.
	for value in a bbbbbbbbbbbbbbbbbbbbbb ccc; do
		echo "$value" >"$DESCRIPTION"
		[ "$(stat -c %s "$DESCRIPTION")" = $((${#value} + 1)) ]
	done
}

@test "mtime is when the value changed last; the epoch when nobody ever set it" {
	[ "$(stat -c %Y "$INSTANCE/disable-api-termination")" = 0 ]
	before=$(stat -c %y "$TYPE")
	cat "$TYPE" "$SPEC" >/dev/null
	echo t3.nano >"$TYPE" # as it is
	[ "$(stat -c %y "$TYPE")" = "$before" ]
	echo t3.small >"$TYPE"
	[ "$(stat -c %y "$TYPE")" != "$before" ]
	[ "$TYPE" -nt "$W/new/type" ]
	# A directory's: when something below it changed.
	directory=$(stat -c %y "$INSTANCE")
	other=$(stat -c %y "$IMAGE")
	echo test >"$TAG"
	[ "$(stat -c %y "$INSTANCE")" != "$directory" ]
	[ "$(stat -c %y "$IMAGE")" = "$other" ]
	instances=$(stat -c %y instances)
	mkdir "$INSTANCE-2"
	[ "$(stat -c %y instances)" != "$instances" ]
	# One that is set holds until the next change.
	for directory in "$INSTANCE" "$INSTANCE/tags" instances; do
		touch -d '2001-02-03 04:05:06 UTC' "$directory"
		[ "$(stat -c %Y "$directory")" = 981173106 ]
	done
	echo prod >"$TAG"
	mkdir "$INSTANCE-3"
	for directory in "$INSTANCE" "$INSTANCE/tags" instances; do
		[ "$(stat -c %Y "$directory")" -gt 981173106 ]
	done
}

@test "modes, owners, times and numbers are kept over a new mount, and over kill -9" {
	chmod 640 "$TYPE" "$DATA" "$TAG" "$DISK" "$DESCRIPTION"
	chmod 750 "$INSTANCE" "$INSTANCE/tags"
	chown 12:34 "$TYPE" "$DATA" "$TAG" "$DISK" "$INSTANCE/tags" "$IMAGE"
	touch -d '2001-02-03 04:05:06.789 UTC' "$TYPE" "$DATA" "$TAG" "$DISK"
	# A zone's computers are looked at anew, which changes its times and those of what holds it.
	facts() { find images instances key-pairs quotas instance-types/t3.micro -name metrics -prune -o -printf '%p %i %m %U %G %s %T@\n' | sort; }
	facts >"$W/before"
	cloud_restart
	facts >"$W/after"
	diff "$W/before" "$W/after"
	cloud_kill
	cloud_start
	facts >"$W/after"
	diff "$W/before" "$W/after"
	[ "$(stat -c '%a %u %g %Y' "$DISK")" = '640 12 34 981173106' ]
	files_written
	# No number twice, but of the name by which an ID leads to the same thing.
	[ -z "$(find . -printf '%i\n' | sort | uniq -d)" ]
}

@test "temporary files do not outlive the daemon; what was hidden is back" {
	/usr/bin/python3 -c 'import os, sys; os.open(sys.argv[1], os.O_RDWR | os.O_CREAT | os.O_EXCL)' "$INSTANCE/tmpAbC123"
	rm "$TYPE"
	cloud_restart
	[ ! -e "$INSTANCE/tmpAbC123" ]
	reads t3.nano "$TYPE"
}

@test "modes are enforced: a stranger reads and writes what he may" {
	other=(setpriv --reuid 12345 --regid 12345 --clear-groups bash -c)
	[ "$("${other[@]}" "cat $TYPE")" = t3.nano ]
	run "${other[@]}" "cat $DATA"
	[[ $output == *'Permission denied'* ]]
	run "${other[@]}" "echo t3.small > $TYPE"
	[[ $output == *'Permission denied'* ]]
	run "${other[@]}" "mkdir instances/mine"
	[[ $output == *'Permission denied'* ]]
	run "${other[@]}" "chmod 666 $TYPE"
	[[ $output == *'Operation not permitted'* ]]
	chmod 666 "$TYPE"
	chmod 644 "$DATA"
	"${other[@]}" "echo t3.small > $TYPE && cat $DATA" | cmp - "$W/new/data"
	reads t3.small "$TYPE"
	chmod 777 instances
	"${other[@]}" 'mkdir instances/mine && echo t3.nano > instances/mine/instance-type'
	[ "$(stat -c %u instances/mine instances/mine/instance-type | sort -u)" = 12345 ]
	# He hears of his own refusals, not of mine.
	refuses EINVAL "echo t9.mine > $TYPE"
	run "${other[@]}" 'echo t9.his > instances/mine/instance-type'
	tells t9.his <("${other[@]}" "cat $CLOUD/errors")
	lacks t9.mine <("${other[@]}" "cat $CLOUD/errors")
	tells t9.mine "$CLOUD/errors"
	tells t9.his "$CLOUD/errors"
}

@test "what cannot be written stays 0444, whatever chmod says; secrets are 0600 and 0400" {
	chmod 666 "$INSTANCE/instance-id"
	[ "$(stat -c %a "$INSTANCE/instance-id")" = 444 ]
	cp "$W/new/data" "$DATA"
	mkdir key-pairs/k
	echo ed25519 >key-pairs/k/key-type
	[ "$(stat -c %a key-pairs/k/private-key)" = 400 ]
	[ "$(stat -c %a "$INSTANCE/error" "$CLOUD/errors" | sort -u)" = 444 ]
}

@test "mmap reads, of text and of a disk; a shared mapping not in the moment after a change" {
	sleep 0.5
	/usr/bin/python3 - "$TYPE" "$DATA" "$DISK" <<-'END'
		import mmap, sys
		for path in sys.argv[1:]:
		    with open(path, "rb") as f:
		        m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)
		        assert m[:] == open(path, "rb").read(), path
	END
}

@test "readers of any kind: head, tail, dd, od, split reads, sendfile, grep -r, diff -r, less than a page" {
	[ "$(head -c 3 "$TYPE")" = t3. ]
	[ "$(tail -c 5 "$TYPE")" = nano ]
	cmp <(dd if="$DATA" bs=3 status=none) "$W/new/data"
	cmp <(dd if="$DISK" bs=4099 status=none) "$W/new/disk"
	cmp <(tail -c +299000 "$DISK") <(tail -c +299000 "$W/new/disk")
	[ "$(sha256sum <"$DISK")" = "$(sha256sum <"$W/new/disk")" ]
	/usr/bin/python3 -c 'import os, sys
with open(sys.argv[1], "rb") as a, open(sys.argv[2], "wb") as b:
    while os.sendfile(b.fileno(), a.fileno(), None, 100000): pass' "$DISK" "$W/copy"
	cmp "$W/copy" "$W/new/disk"
	[ "$(grep -rl 'prod, mostly' instances)" = "$TAG" ]
	diff -r "$INSTANCE/tags" "$INSTANCE/tags"
	[ "$(wc -c <"$DATA")" = "$(stat -c %s "$W/new/data")" ]
	[ "$(df --output=fstype . | tail -n 1)" = fuse.ec2fs ]
	[ "$(stat -f -c %l .)" = 255 ]
	# Monitoring must not take it for full.
	[ "$(df --output=ipcent . | tail -n 1 | tr -d ' %')" -le 1 ]
	[ "$(df --output=iused . | tail -n 1)" -gt 10 ]
}
