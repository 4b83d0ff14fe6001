# Removing, renaming and copying: attributes away and back, resources whole.
load ../lib/cloud
load ../lib/files

setup_file() { cloud_start; }
setup() { files_begin; }

# rename(2) and nothing else; mv(1) says something strange at EINVAL.
rename_it()
{
	perl -e 'rename $ARGV[0], $ARGV[1] or die "$!\n"' "$1" "$2"
}
export -f rename_it

teardown_file() { cloud_stop; }

@test "unlink and create is a write; the mode and time are the attribute's own" {
	each_file 'cp "$from" "$to"'
	chmod 640 "$TYPE"
	rm "$TYPE"
	[ ! -e "$TYPE" ]
	lacks '^instance-type$' <(ls "$INSTANCE")
	echo t3.small >"$TYPE"
	reads t3.small "$TYPE"
	each_file 'rm "$to"; [ ! -e "$to" ]; cp "$from" "$to"'
	files_written
}

@test "what was unlinked comes back by itself: with its value, or empty where it is optional" {
	each_file 'cp "$from" "$to"'
	mkdir "$INSTANCE-2"
	id=$(cat "$INSTANCE/instance-id")
	rm "$TYPE" "$DATA" "$TAG" "$DISK"
	rm -f "$INSTANCE/instance-id" "$INSTANCE/state"
	[ ! -e "$TYPE" ] && [ ! -e "$INSTANCE/state" ]
	lists '' "$INSTANCE/tags"
	tells '^instance-type +t3.nano$' "$SPEC"
	# Who has one open writes it, whatever happens to the name.
	cp "$W/new/data" "$INSTANCE-2/user-data"
	exec 7<"$INSTANCE-2/user-data" 8>>"$INSTANCE-2/user-data"
	mv "$INSTANCE-2/user-data" "$INSTANCE-2/user-data~"
	cmp "$W/new/data" - <&7
	echo more >&8
	exec 7<&- 8>&-
	cmp "$W/new/data" "$INSTANCE-2/user-data~"

	soon 8 test -e "$TYPE" -a -e "$DATA" -a -e "$DISK" -a -e "$INSTANCE/instance-id" -a -e "$INSTANCE/state" \
		-a -e "$INSTANCE-2/user-data"
	reads t3.nano "$TYPE"
	cmp "$W/new/disk" "$DISK"
	reads "$id" "$INSTANCE/instance-id"
	reads draft "$INSTANCE/state"
	[ ! -s "$DATA" ]
	[ ! -e "$TAG" ]
	[ "$(tail -n 1 "$INSTANCE-2/user-data")" = more ]
}

@test "an attribute renamed away leaves its value; renamed back, all is as before" {
	each_file 'cp "$from" "$to"'
	inode=$(stat -c %i "$TYPE")
	each_file 'mv "$to" "$to~"; [ ! -e "$to" ]; cmp "$from" "$to~"; mv "$to~" "$to"; cmp "$from" "$to"' \
		type data spec description disk
	files_written
	[ "$(stat -c %i "$TYPE")" = "$inode" ]
	# 200 times: the numbers that the kernel has for it go round.
	for i in {1..200}; do
		mv "$TYPE" "$TYPE.bak"
		mv "$TYPE.bak" "$TYPE"
	done
	reads t3.nano "$TYPE"
	[ ! -s "$INSTANCE/error" ]
	# Written between: the copy is the old value, and brings it back.
	mv "$TYPE" "$TYPE~"
	echo t3.small >"$TYPE"
	reads t3.small "$TYPE"
	reads t3.nano "$TYPE~"
	mv "$TYPE~" "$TYPE"
	reads t3.nano "$TYPE"
}

@test "an attribute does not move elsewhere, nor take another's place" {
	mkdir "$INSTANCE-2"
	refuses EPERM "mv -T $TYPE $INSTANCE/key-pair"
	tells '^OperationNotPermitted: instance-type: ' "$INSTANCE/error"
	refuses EPERM "rename_it $TYPE $INSTANCE-2/instance-type"
	refuses EPERM "rename_it $TYPE $INSTANCE/tags/type"
	refuses EPERM "rename_it $INSTANCE/tags $INSTANCE/labels"
	refuses EPERM "rename_it $INSTANCE/tags $INSTANCE-2/tags" || refuses ENOTEMPTY "rename_it $INSTANCE/tags $INSTANCE-2/tags"
	# Not EINVAL, of which mv says "to a subdirectory of itself".
	refuses EPERM "mv $INSTANCE images/"
	echo x >"$INSTANCE/tags/a"
	refuses EPERM "mv $INSTANCE/tags/a $INSTANCE-2/tags/"
	refuses EISDIR "rename_it $TYPE $INSTANCE-2"
	refuses ENOTDIR "rename_it $INSTANCE-2 $TYPE"
	refuses EPERM "ln $TYPE $INSTANCE/user-data.bak"
	refuses EPERM "rename_it us-east-1 us-west-1" || refuses ENOENT "rename_it us-east-1 us-west-1"
	reads t3.micro "$TYPE"
	reads t3.micro "$INSTANCE-2/instance-type"
	[ -d "$INSTANCE/tags" ]
}

@test "resources are renamed; not over another one; exchange is refused" {
	id=$(cat "$INSTANCE/instance-id")
	cp "$W/new/data" "$DATA"
	mv "$INSTANCE" "$INSTANCE-b"
	[ ! -e "$INSTANCE" ]
	reads "$id" "$INSTANCE-b/instance-id"
	cmp "$W/new/data" "$INSTANCE-b/user-data"
	mkdir "$INSTANCE"
	refuses EEXIST "mv -T $INSTANCE $INSTANCE-b"
	reads "$id" "$INSTANCE-b/instance-id"
	[ -d "$INSTANCE" ]
	refuses EINVAL "rename_it $INSTANCE instances/.hidden"
	refuses EINVAL "rename_it $INSTANCE instances/tmp.1234567890"
	[ -d "$INSTANCE" ]
	cd "$INSTANCE" # where one is goes along
	mv "../${INSTANCE##*/}" "../${INSTANCE##*/}-c"
	reads t3.micro instance-type
}

@test "tags are renamed, also over another" {
	cp "$W/new/tag" "$TAG"
	echo b >"$INSTANCE/tags/b"
	mv "$TAG" "$INSTANCE/tags/stage"
	lists 'b stage' "$INSTANCE/tags"
	mv "$INSTANCE/tags/stage" "$INSTANCE/tags/b"
	lists b "$INSTANCE/tags"
	reads 'prod, mostly' "$INSTANCE/tags/b"
	refuses EINVAL "rename_it $INSTANCE/tags/b $INSTANCE/tags/aws:b"
	reads 'prod, mostly' "$INSTANCE/tags/b"
	mv -n "$INSTANCE/tags/b" "$INSTANCE/tags/c"
	lists c "$INSTANCE/tags"
}

# twin OF NAME: has all that OF has, and an ID of its own.
twin()
{
	for file in user-data instance-type spec tags/env; do
		cmp "$1/$file" "$2/$file"
	done
	[ "$(cat "$1/instance-id")" != "$(cat "$2/instance-id")" ]
	reads draft "$2/state"
	[ "$(ls "$1")" = "$(ls "$2")" ]
}

@test "cp -r, cp -a, cp -rT of a resource to a new name, and to one that is there" {
	each_file 'cp "$from" "$to"'
	cp -r "$INSTANCE" "$INSTANCE-r"
	twin "$INSTANCE" "$INSTANCE-r"
	chmod 640 "$TYPE"
	touch -d '2001-02-03 04:05:06' "$TYPE" "$DATA"
	cp -a "$INSTANCE" "$INSTANCE-a"
	twin "$INSTANCE" "$INSTANCE-a"
	[ "$(stat -c '%a %Y' "$INSTANCE-a/instance-type")" = "$(stat -c '%a %Y' "$TYPE")" ]
	[ "$(stat -c '%a %Y' "$INSTANCE-a/user-data")" = "$(stat -c '%a %Y' "$DATA")" ]
	mkdir "$INSTANCE-t"
	cp "$TYPE" "$DATA" "$SPEC" "$INSTANCE-t"
	cp -r "$INSTANCE/tags" "$INSTANCE-t"
	twin "$INSTANCE" "$INSTANCE-t"
	cp -r "$IMAGE" "$IMAGE-r"
	cmp "$DISK" "$IMAGE-r/disk"
	reads available "$IMAGE-r/state"
	reads 'Debian 12, of this week' "$IMAGE-r/description"
}

@test "cp -r out of the cloud and in again; python's copytree" {
	each_file 'cp "$from" "$to"'
	cp -r "$INSTANCE" "$W/out"
	cmp "$W/out/user-data" "$DATA"
	cp -r "$W/out" "$INSTANCE-2"
	twin "$INSTANCE" "$INSTANCE-2"
	/usr/bin/python3 -c 'import shutil, sys; shutil.copytree(sys.argv[1], sys.argv[2])' "$INSTANCE" "$INSTANCE-3"
	twin "$INSTANCE" "$INSTANCE-3"
	mv "$W/out" "$INSTANCE-4"
	twin "$INSTANCE" "$INSTANCE-4"
	[ ! -e "$W/out" ]
}

@test "rm -r, rm -rf and find -delete remove resources" {
	each_file 'cp "$from" "$to"'
	echo false >"$INSTANCE/disable-api-stop"
	cp -r "$INSTANCE" "$INSTANCE-2"
	cp -r "$INSTANCE" "$INSTANCE-3"
	rm -r "$INSTANCE" "$IMAGE"
	[ ! -e "$INSTANCE" ] && [ ! -e "$IMAGE" ]
	rm -rf "$INSTANCE-2"
	find "$INSTANCE-3" -delete
	[ -z "$(find instances -name "${INSTANCE##*/}*")" ]
	# What is in a directory that is gone is gone.
	mkdir "$INSTANCE"
	exec 7<"$TYPE" 8>"$DATA"
	rmdir "$INSTANCE"
	run bash -c 'echo x >&8'
	[ "$status" != 0 ]
	exec 7<&- 8>&-
}

@test "who makes a resource reads it too, in the same process" {
	python3 - <<-'END'
		import os
		os.mkdir('instances/x')
		assert open('instances/x/instance-id').read().startswith('i-')
		assert open('instances/x/state').read() == 'draft\n'
		assert 'instance-type' in os.listdir('instances/x')
		open('instances/x/instance-type', 'w').write('t3.nano\n')
		assert open('instances/x/instance-type').read() == 't3.nano\n'
		open('instances/x/tags/env', 'w').write('lab\n')
		assert not os.path.exists('instances/x/nothing')
		assert os.path.exists('instances/x/user-data')
	END
	reads lab instances/x/tags/env
	mkdir vpcs/a vpcs/a/subnets/x
	[ -d vpcs/a/subnets/x ]
}
