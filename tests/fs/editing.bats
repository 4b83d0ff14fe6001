# Tools that change a file where it is: by a temporary file and a rename, or by an editor's own ways.
load ../lib/cloud
load ../lib/files

setup_file() { cloud_start; }
teardown_file() { cloud_stop; }

setup()
{
	files_begin
	# Editors make no backups below /tmp; told to, they do. Their own files are to stay away from the user's.
	export HOME=$W
	cp "$W/new/type" "$TYPE"
	cp "$W/new/data" "$DATA"
	cp "$W/new/spec" "$SPEC"
	cp "$W/new/tag" "$TAG"
	cp "$W/new/description" "$DESCRIPTION"
}

@test "sed -i" {
	sed -i '/^disable-api-stop/s/true/false/' "$SPEC"
	tells '^# of the web tier$' "$SPEC"
	reads false "$INSTANCE/disable-api-stop"
	sed -i '/^#/d' "$SPEC"
	lacks '#' "$SPEC"
	sed -i s/nano/small/ "$TYPE"
	reads t3.small "$TYPE"
	sed -i 's/^key-pairs .*/key-pairs 77/' quotas
	tells '^key-pairs 77$' quotas
	sed -i 's/o/0/g; $a last' "$DATA"
	sed -i 's/o/0/g' "$TAG" "$DESCRIPTION"
	sed -i 's/o/0/g; $a last' "$W/new/data"
	sed -i 's/o/0/g' "$W/new/tag" "$W/new/description"
	files_written data tag description
}

@test "sed -i.bak leaves the copy for a moment, the value for good" {
	sed -i.bak s/nano/small/ "$TYPE"
	reads t3.small "$TYPE"
	reads t3.nano "$TYPE.bak"
	rm "$TYPE.bak"
	sed -i.orig 's/one/uno/' "$DATA"
	cmp "$W/new/data" "$DATA.orig"
	tells uno "$DATA"
	rm "$DATA.orig"
	sed -i~ 's/Debian/Devuan/' "$DESCRIPTION"
	reads 'Debian 12, of this week' "$DESCRIPTION~"
	reads 'Devuan 12, of this week' "$DESCRIPTION"
	rm "$DESCRIPTION~"
	files_alone
}

@test "sed -n -i, sed -i on several files, sed --follow-symlinks" {
	sed -n -i p "$TYPE" "$DATA" "$TAG" "$DESCRIPTION"
	files_written type data tag description
	ln -s "$PWD/$TYPE" "$W/link"
	sed -i --follow-symlinks s/nano/small/ "$W/link"
	reads t3.small "$TYPE"
	[ -L "$W/link" ]
}

@test "perl -i, with and without a backup" {
	perl -pi -e 's/nano/small/' "$TYPE"
	reads t3.small "$TYPE"
	perl -pi -e 's/o/0/g' "$DATA" "$TAG" "$DESCRIPTION"
	for kind in data tag description; do perl -pi -e 's/o/0/g' "$W/new/$kind"; done
	files_written data tag description
	perl -pi.bak -e 's/0/o/g' "$DATA" "$DESCRIPTION"
	cmp "$W/new/data" "$DATA.bak"
	rm "$DATA.bak" "$DESCRIPTION.bak"
	perl -pi -e 's/0/o/g' "$TAG"
	for kind in data tag description; do perl -pi -e 's/0/o/g' "$W/new/$kind"; done
	files_written data tag description
	perl -pi -e 's/true/false/' "$SPEC"
	reads false "$INSTANCE/disable-api-stop"
}

@test "patch, and patch -R with a backup" {
	sed 's/one/uno/; 2a # added' "$W/new/data" >"$W/after"
	diff -u --label user-data --label user-data "$W/new/data" "$W/after" >"$W/patch" || [ $? = 1 ]
	patch -s -d "$INSTANCE" -p0 <"$W/patch"
	cmp "$W/after" "$DATA"
	patch -s -R -b -d "$INSTANCE" -p0 <"$W/patch"
	cmp "$W/new/data" "$DATA"
	cmp "$W/after" "$DATA.orig"
	rm "$DATA.orig"
	printf -- '--- instance-type\n+++ instance-type\n@@ -1 +1 @@\n-t3.nano\n+t3.small\n' | patch -s "$TYPE"
	reads t3.small "$TYPE"
	files_alone
}

@test "a patch that does not apply changes nothing" {
	printf -- '--- user-data\n+++ user-data\n@@ -1 +1 @@\n-nothing like it\n+x\n' >"$W/patch"
	run patch -f -s -r - --no-backup-if-mismatch -d "$INSTANCE" -p0 <"$W/patch"
	[ "$status" = 1 ]
	files_written data
}

@test "ed" {
	printf '%s\n' 's/nano/small/' w q | ed -s "$TYPE"
	reads t3.small "$TYPE"
	printf '%s\n' '2d' '$a' 'last' . w q | ed -s "$DATA"
	printf '%s\n' '2d' '$a' 'last' . w q | ed -s "$W/new/data"
	files_written data
	printf '%s\n' ',s/prod/test/' w q | ed -s "$TAG"
	reads 'test, mostly' "$TAG"
	printf '%s\n' '/stop/s/true/false/' w q | ed -s "$SPEC"
	reads false "$INSTANCE/disable-api-stop"
}

# vi COMMAND FILE: an editor's session without a screen.
vi()
{
	"$VI" -es -u NONE -i NONE --not-a-term "${@:1:$#-1}" "${@:$#}" </dev/null
}

@test "vim, with each of its ways to write, with and without swap and backup files" {
	VI=$(command -v vim || command -v vim.tiny) || skip "vim is not installed"
	local value=1 copy backup swap

	for copy in auto yes no; do
		for backup in 'nobackup writebackup' 'backup' 'nobackup nowritebackup'; do
			for swap in swapfile noswapfile; do
				value=$((value + 1))
				# shellcheck disable=SC2086 # two words
				vi -c "set nocompatible backupskip= backupcopy=$copy $swap $backup" \
					-c "%s/.*/value $value/" -c wq "$DESCRIPTION"
				reads "value $value" "$DESCRIPTION"
				vi -c "set nocompatible backupskip= backupcopy=$copy $swap $backup" \
					-c "1s/.*/# line $value/" -c wq "$DATA"
				[ "$(head -n 1 "$DATA")" = "# line $value" ]
				[ "$(tail -n +2 "$DATA")" = "$(tail -n +2 "$W/new/data")" ]
			done
		done
	done
	rm -f "$DESCRIPTION~" "$DATA~"
	vi -c 'set backupskip=' -c '%s/nano/small/' -c wq "$TYPE"
	reads t3.small "$TYPE"
	vi -c 'set backupskip=' -c '%s/prod/test/' -c w -c 'normal Ax' -c wq "$TAG"
	reads 'test, mostlyx' "$TAG"
	vi -c 'set backupskip=' -c '%s/true/false/' -c wq "$SPEC"
	reads false "$INSTANCE/disable-api-stop"
	files_alone
}

@test "vim's refused write stays in the editor, and changes nothing" {
	VI=$(command -v vim || command -v vim.tiny) || skip "vim is not installed"
	run vi -c 'set backupskip= backupcopy=no' -c '%s/.*/t9.huge/' -c w -c 'q!' "$TYPE"
	reads t3.nano "$TYPE"
	tells 't9.huge' "$INSTANCE/error"
	# Here it writes the old value back, which succeeds.
	run vi -c 'set backupskip= backupcopy=yes' -c '%s/.*/t9.large/' -c w -c 'q!' "$TYPE"
	reads t3.nano "$TYPE"
	tells "$TYPE: you wrote \"t9.large\"" <(head -n 1 "$CLOUD/errors")
	rm -f "$TYPE~"
	files_alone
}

@test "nano" {
	command -v nano >/dev/null || skip "nano is not installed"
	command -v script >/dev/null || skip "script(1) gives nano its terminal, and is not installed"
	# Ctrl-K cuts the line; Ctrl-O, Enter writes; Ctrl-X leaves.
	{ for keys in '\013written by nano' '\017' '\r' '\030'; do printf "$keys" && sleep 0.4; done; } |
		TERM=xterm timeout 20 script -qec "nano --ignorercfiles $DESCRIPTION" /dev/null >"$W/screen"
	tells '^written by nano$' "$DESCRIPTION"
}

@test "emacs" {
	command -v emacs >/dev/null || skip "emacs is not installed"
	emacs -Q --batch "$DESCRIPTION" --eval '(progn (goto-char (point-max)) (delete-char -1) (insert ", by emacs\n") (save-buffer))'
	reads 'Debian 12, of this week, by emacs' "$DESCRIPTION"
	emacs -Q --batch "$DATA" --eval '(progn (setq make-backup-files t) (insert "#\n") (save-buffer))'
	reads '#' <(head -n 1 "$DATA")
}
