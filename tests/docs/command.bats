# ec2fs(8), ec2fs --help and the shell's completion tell of the same options.
load ../lib/cloud

setup()
{
	cd "$BATS_TEST_DIRNAME/../.."
	# "--foreground", "-f", "state=": a line each.
	"$EC2FS" --help | grep -oE '^ +(-[a-zA-Z], --[a-z-]+|-o|[a-z-]+=)' | grep -oE -- '--[a-z-]+|-[a-zA-Z]\b|[a-z-]+=' | sort -u >"$BATS_TEST_TMPDIR/help"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/help")" -ge 13 ]
}

# complete WORD…: what the shell offers for the last word.
completes()
{
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	_ec2fs
	printf '%s\n' ${COMPREPLY[@]+"${COMPREPLY[@]}"} | sort | tr '\n' ' '
}

@test "every option of --help is in ec2fs(8), and every one of ec2fs(8) in --help" {
	# In a list of options a .It names them: ".It Fl f , Fl \-foreground", ".It Fl o Cm state Ns = …".
	sed -n '/^The options:/,/^[.]El/s/^[.]It //p' docs/man/ec2fs.8 | tr ',' '\n' |
		sed -nE 's/^ *Fl o Cm ([a-z-]+) Ns =.*/\1=\n-o/; s/^ *Fl \\-([a-z-]+) *$/--\1/; s/^ *Fl ([a-zA-Z]) *$/-\1/; p' | sort -u |
		diff "$BATS_TEST_TMPDIR/help" -
}

@test "the defaults that ec2fs(8) names are those of --help" {
	local default

	for default in /var/lib/ec2fs qemu:///system 120; do
		tells "\\($default\\)" <("$EC2FS" --help)
		tells "$default" docs/man/ec2fs.8
	done
}

@test "completion knows the options, their values and directories" {
	. dist/ec2fs.bash-completion
	mkdir -p "$BATS_TEST_TMPDIR/cloud-dir"
	[ "$(completes ec2fs -)" = "$(grep '^-' "$BATS_TEST_TMPDIR/help" | sort | tr '\n' ' ')" ]
	for option in $(grep '=$' "$BATS_TEST_TMPDIR/help"); do
		[ "$(completes ec2fs -o "${option%??}")" = "$option " ]
	done
	[ "$(completes ec2fs -o compute = si)" = "sim " ]
	[ "$(completes ec2fs -o compute =)" = "qemu:///session qemu:///system sim " ]
	[ "$(completes ec2fs -o state = /srv,stop)" = "/srv,stop-timeout= " ]
	[ "$(completes ec2fs -o state = /srv,compute = s)" = "sim " ]
	[ "$(completes ec2fs -o state = "$BATS_TEST_TMPDIR/cloud-d")" = "$BATS_TEST_TMPDIR/cloud-dir " ]
	[ "$(completes ec2fs "$BATS_TEST_TMPDIR/cloud-d")" = "$BATS_TEST_TMPDIR/cloud-dir " ]
}
