# The table of tools and kinds of file in docs/tools.md: what each tool does is found by running it.
# Sourced by table.bats, below a cloud's region, with W for a directory elsewhere.

KINDS=(attribute list spec tag user-data disk state link directory)
REFUSING=(attribute list tag user-data)

# Row by row: name, the program that it needs, the command. It gets f (the file; dir/name), new (a file with the new
# content) and old (what f holds); for a link, who knows links gets a link as new.
WRITERS=(
	'`echo >`, `printf >`' bash 'text=$(cat "$new" && echo .); printf %s "${text%.}" > "$f"'
	'`>>`' bash 'cat "$new" >> "$f"'
	'`tee`' tee 'tee "$f" < "$new"'
	'`cp`' cp 'cp "$new" "$f"'
	'`cp -a`' cp 'cp -aT "$new" "$f"'
	'`mv` from elsewhere' mv 'mv -T "$new" "$f"'
	'`install`' install 'install -m 644 -T "$new" "$f"'
	'`dd`' dd 'dd status=none if="$new" of="$f"'
	'`sed -i`' sed 'sed -i -n "1r $new" "$f"'
	'`perl -i`' perl 'perl -0777 -i -pe '\''BEGIN { open my $n, "<", $ENV{new}; local $/; $text = <$n> } $_ = $text'\'' "$f"'
	'`ed`' ed 'printf "%s\n" ,d "0r $new" w q | ed -s "$f"'
	'`vim`' vim 'vim -es -u NONE -i NONE --not-a-term -c "set nocompatible backupskip=" -c "silent %d" -c "0r $new" -c "silent! \$g/^\$/d" -c w -c q! "$f" </dev/null'
	'`nano`' nano '/usr/bin/python3 "$here/nano_session.py" "$f" "$new"'
	'`emacs`' emacs 'emacs -Q --batch --eval '\''(progn (setq backup-enable-predicate (lambda (name) t) require-final-newline nil) (find-file (getenv "f")) (erase-buffer) (insert-file-contents-literally (getenv "new")) (save-buffer))'\'
	'`rsync -a`' rsync 'mkdir "$W/r"; cp -a "$new" "$W/r/$name"; rsync -aI "$W/r/$name" "$dir/"'
	'`rsync --inplace`' rsync 'rsync -I --inplace "$new" "$f"'
	'`git checkout`' git 'git init -q "$W/g"; cp -a "$new" "$W/g/$name"; cd "$W/g"; git add .; git -c user.name=n -c user.email=e commit -qm one; git --git-dir="$W/g/.git" --work-tree="$dir" checkout -qf'
	'`tar x`' tar 'mkdir "$W/t"; cp -a "$new" "$W/t/$name"; tar cf "$W/tar" -C "$W/t" "$name"; tar xf "$W/tar" -C "$dir"'
	'`cpio -idu`' cpio 'mkdir "$W/c"; cp -a "$new" "$W/c/$name"; (cd "$W/c" && echo "$name" | cpio -o --quiet >"$W/cpio"); cd "$dir" && cpio -idu --quiet <"$W/cpio"'
	'`patch`' patch '{ diff -u --label "$name" --label "$name" "$old" "$new" || [ $? = 1 ]; } | patch -s -f -r - -d "$dir" -p0'
	'Python `open("w")`' /usr/bin/python3 '/usr/bin/python3 -c '\''import os, sys; text = open(os.environ["new"], "rb").read(); f = open(os.environ["f"], "wb"); f.write(text); f.close()'\'
	'Ansible `copy`, `template`' ansible 'module copy "{\"src\": \"$new\", \"dest\": \"$f\", \"remote_src\": true}"'
	'Ansible `replace`, `lineinfile`' ansible 'module replace "{\"path\": \"$f\", \"regexp\": \"(?s)\\\\A.*\\\\Z\", \"replace\": $(/usr/bin/python3 -c "import json, sys; print(json.dumps(open(sys.argv[1]).read()))" "$new")}"'
)
# These copy a link as a link.
KNOW_LINKS='`cp -a`|`mv` from elsewhere|`rsync -a`|`git checkout`|`tar x`|`cpio -idu`|`ln -sfn`'

MAKERS=(
	'`touch`' touch 'touch "$f"'
	'`: >`, `truncate -s 0`' truncate 'truncate -s 0 "$f"'
	'`truncate -s +1`' truncate 'truncate -s +1 "$f"'
	'`mkdir`' mkdir 'mkdir "$f"'
	'`ln -s`' ln 'ln -s "$link" "$f"'
	'`ln -sfn`' ln 'ln -sfn "$link" "$f"'
	'`mv` to another name' mv 'mv -T "$f" "$f-2"'
	'`rm`' rm 'rm "$f"'
	'`unlink`' unlink 'unlink "$f"'
	'`rmdir`' rmdir 'rmdir "$f"'
	'`rm -r`' rm 'rm -r "$f"'
)

# module NAME ARGUMENTS: one of Ansible's modules, without the way there.
module()
{
	echo "{\"ANSIBLE_MODULE_ARGS\": $2}" | /usr/bin/python3 -m "ansible.modules.$1"
}
export -f module

# cell_begin KIND NAME: makes a resource for one cell; sets f, and $W/old, $W/new, $W/bad.
cell_begin()
{
	local kind=$1 name=$2 i=instances/$2

	link=nowhere
	case $kind in
	attribute) mkdir "$i" && f=$i/instance-type && echo t3.nano >"$W/new" && echo t9.huge >"$W/bad" ;;
	list)
		mkdir "security-groups/$name" && f=security-groups/$name/ingress
		echo 'tcp 22 0.0.0.0/0' >"$f"
		echo 'tcp 80 0.0.0.0/0   # the web' >"$W/new"
		echo 'tcp 80 nowhere' >"$W/bad"
		;;
	spec) mkdir "$i" && f=$i/spec && echo 'disable-api-stop true' >"$W/new" && echo 'instance-type t9.huge' >"$W/bad" ;;
	tag) mkdir "$i" && f=$i/tags/env && echo prod >"$f" && echo test >"$W/new" && printf '%0300d\n' 0 >"$W/bad" ;;
	user-data)
		mkdir "$i" && f=$i/user-data
		printf '#!/bin/sh\n' >"$f"
		printf '#!/bin/sh\necho hello\n' >"$W/new"
		head -c 20000 /dev/zero | tr '\0' '\n' >"$W/bad"
		;;
	disk)
		mkdir "images/$name" && f=images/$name/disk
		printf '%0511d\n' 1 >"$f"
		printf '%01023d\n' 2 >"$W/new"
		# No qcow2, whatever it says.
		{ printf 'QFI\373\0\0\0\3' && printf '%0503d\n' 0; } >"$W/bad"
		;;
	state) mkdir "$i" && echo tiny >"$i/image" && f=$i/state && echo running >"$W/new" && echo flying >"$W/bad" ;;
	link)
		mkdir "$i" "volumes/$name-1" "volumes/$name-2" && f=$i/volumes/sdf
		echo 1 | tee "volumes/$name-1/size" "volumes/$name-2/size" >/dev/null
		soon 60 grep -qx available "volumes/$name-1/state"
		soon 60 grep -qx available "volumes/$name-2/state"
		ln -s "../../../volumes/$name-1" "$f"
		link=../../../volumes/$name-2
		;;
	directory) mkdir "$i" && f=$i ;;
	esac
	[ -f "$f" ] || echo anything >"$W/new"
	[ ! -f "$f" ] || cat "$f" >"$W/old"
}

# errno_in FILE: the names of the errors that it tells, in words or by number.
errno_in()
{
	/usr/bin/python3 -c '
import errno, os, re, sys
said = open(sys.argv[1], errors="replace").read()
names = [name for number, name in errno.errorcode.items()
         if os.strerror(number).lower() in said.lower() or re.search(r"\[Errno %d\]|\(%d\)" % (number, number), said)]
print(" ".join(sorted(set(names))))' "$1"
}

# run_cell COMMAND FILE-OF-CONTENT: runs it; what it said is in $W/said.
run_cell()
{
	local in=$PWD/${f%/*} called=${f##*/} home=$W

	status=0
	env "new=$2" "old=$home/old" "f=$in/$called" "link=$link" "dir=$in" "name=$called" "here=$BATS_TEST_DIRNAME" \
		"W=$home" "HOME=$home" LC_ALL=C \
		timeout 120 bash -o pipefail -c "set -e; $1" >"$W/said" 2>&1 </dev/null 3>&- 4>&- || status=$?
}

# has_become CONTENT: f holds it now.
has_become()
{
	case $f in
	*/state) soon 20 grep -qx running "$f" ;;
	*/sdf) [ "$(readlink "$f")" = "$link" ] ;;
	*) [ -f "$f" ] && cmp -s "$1" "$f" ;;
	esac
}

# write_cell KIND NAME TOOL COMMAND CONTENT(new|bad): one word or two about it.
write_cell()
{
	local errno

	rm -rf "${W:?}"/*
	cell_begin "$1" "$2"
	cp "$W/$5" "$W/content"
	if [ "$1" = link ] && [[ "|$KNOW_LINKS|" == *"|$3|"* ]]; then
		ln -sf "$link" "$W/content"
	fi
	[ "$3" != '`>>`' ] || cat "$W/content" >"$W/more"
	[ ! -f "$W/content" ] || [ -L "$W/content" ] || cp "$W/content" "$W/want"
	[ "$3" != '`>>`' ] || [ ! -f "$W/old" ] || cat "$W/old" "$W/more" >"$W/want"
	run_cell "$4" "$W/content"
	errno=$([ ! -s "$W/said" ] || errno_in "$W/said")
	if [ $status = 0 ] && [ "$5" = new ] && has_become "$W/want"; then
		echo yes
	elif [ -f "$f" ] && [ ! -L "$f" ] && [ "$1" != state ] && ! cmp -s "$W/old" "$f"; then
		echo "${errno:-refused} ($([ -s "$f" ] && echo changed || echo emptied))"
	elif [ "$1" = tag ] && [ ! -e "$f" ]; then
		echo "${errno:-refused} (gone)"
	elif [ $status = 0 ] && [ ! -s "$W/said" ]; then
		echo "no effect"
	else
		errno=${errno:-refused}
		[ $status != 0 ] || errno+=", exit 0"
		echo "$errno"
	fi
}

# table HEADER… -- : the lines of a table's head.
table_head()
{
	printf '| %s ' "$@" && echo '|'
	printf '|---%.0s' "$@" && echo '|'
}

# here TOOL: is it installed?
here()
{
	command -v "$1" >/dev/null
}

# table_of WHAT KIND…: how each writer that is installed writes what is new, or bad, to a file of each kind.
table_of()
{
	local what=$1 n=0 i kind row

	shift
	table_head '' "$@"
	for ((i = 0; i < ${#WRITERS[@]}; i += 3)); do
		here "${WRITERS[i + 1]}" || continue
		row="| ${WRITERS[i]} "
		for kind; do
			n=$((n + 1))
			row+="| $(write_cell "$kind" "$what$n" "${WRITERS[i]}" "${WRITERS[i + 2]}" "$what") "
		done
		echo "$row|"
	done
}

table_of_writers() { table_of new "${KINDS[@]}"; }
table_of_refusals() { table_of bad "${REFUSING[@]}"; }

# What became of f: hidden for a moment it is back by then.
became()
{
	if [ -L "$f" ]; then
		[ "$(readlink "$f")" = "$link" ] && echo "replaced" || echo "stays"
	elif [ -d "$f" ]; then
		echo stays
	elif [ ! -e "$f" ]; then
		[ -e "$f-2" ] && echo renamed || echo gone
	elif [ ! -s "$f" ]; then
		echo emptied
	else
		cmp -s "$W/old.$1" "$f" && echo stays || echo changed
	fi
}

# The names that were unlinked come back within five seconds: all cells act, then all are looked at.
table_of_makers()
{
	local n=0 i kind row
	declare -A at links said

	for ((i = 0; i < ${#MAKERS[@]}; i += 3)); do
		for kind in "${KINDS[@]}"; do
			n=$((n + 1))
			cell_begin "$kind" "m$n"
			[ ! -f "$f" ] || cp "$f" "$W/old.$n"
			run_cell "${MAKERS[i + 2]}" /dev/null
			at[$n]=$f links[$n]=$link
			said[$n]=$([ $status = 0 ] || errno_in "$W/said")
		done
	done
	sleep 6
	n=0
	table_head '' "${KINDS[@]}"
	for ((i = 0; i < ${#MAKERS[@]}; i += 3)); do
		row="| ${MAKERS[i]} "
		for kind in "${KINDS[@]}"; do
			n=$((n + 1))
			f=${at[$n]} link=${links[$n]}
			if [ -n "${said[$n]}" ]; then
				row+="| ${said[$n]} "
				[ "$(became $n)" = stays ] || row+="($(became $n)) "
			else
				row+="| $(became $n) "
			fi
		done
		echo "$row|"
	done
}
