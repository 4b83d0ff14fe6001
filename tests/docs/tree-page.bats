# ec2fs.tree(7) against a mounted tree: every file is in it, and what is in it is there.
load ../lib/cloud
load ../lib/every_kind

setup()
{
	page=${EC2FS%/*}/man/ec2fs.tree.7
	cloud_start
}

teardown()
{
	cloud_stop
}

# "SECTION NAME" lines of the page.
described()
{
	awk '/^[.]Sh / { files = $2 == "FILES" } files && /^[.]Ss / { section = $2 } files && /^[.]It Pa / { print section, $3 }' "$1"
}

# The same of the tree. What users name (resources, tags, links) is in no page.
found()
{
	find "$CLOUD" -mindepth 1 -printf '%y/%P\n' | awk -F/ '
		{ slash = $1 == "d" ? "/" : ""; depth = NF - 1 }
		depth == 1 && $1 != "d" { print "/", $2; next }
		depth == 2 { print "REGION", $3 slash; next }
		$3 == "by-id" { next }
		$3 == "vpcs" && depth == 6 && $5 != "tags" { print "vpcs/VPC/" $5 "/NAME", $7 slash; next }
		depth == 4 { print $3 "/NAME", $5 slash }
	' | sort -u
}

@test "every file of the tree is in ec2fs.tree(7), and every file of ec2fs.tree(7) in the tree" {
	every_kind
	described "$page" | sort -u >"$BATS_TEST_TMPDIR/page"
	# Of images that are being converted, or failed, alone.
	{ found; echo "images/NAME progress"; echo "images/NAME state-reason"; } | sort -u >"$BATS_TEST_TMPDIR/tree"
	diff "$BATS_TEST_TMPDIR/tree" "$BATS_TEST_TMPDIR/page"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/page")" -gt 150 ]
}

@test "each file is described in words" {
	# A .It is followed by a line of text.
	awk '/^[.]It Pa / { getline; if ($0 == "" || /^[.]/) { print; bad = 1 } } END { exit bad }' "$page"
}

@test "the pages have no fault" {
	if command -v mandoc >/dev/null; then
		mandoc -T lint -W warning "$page" "$BATS_TEST_DIRNAME/../../docs/man/ec2fs.8" >"$BATS_TEST_TMPDIR/said" 2>/dev/null || true
		[ ! -s "$BATS_TEST_TMPDIR/said" ] || fail "$(cat "$BATS_TEST_TMPDIR/said")"
	fi
	command -v man >/dev/null || skip "man is not installed"
	for one in "$page" "$BATS_TEST_DIRNAME/../../docs/man/ec2fs.8"; do
		[ -z "$(MANROFFSEQ='' man --warnings -E UTF-8 -l "$one" 2>&1 >/dev/null)" ]
	done
}
