# docs/ec2-api.md: no action is forgotten or told twice, and the files that it names are there.
load ../lib/cloud
load ../lib/documents

setup()
{
	docs=$(cd "$BATS_TEST_DIRNAME/../../docs" && pwd)
	api=$docs/ec2-api.md
}

teardown()
{
	cloud_stop
}

@test "every action of the resources that are here is told, and what is told is an action" {
	# `ec2-actions` has EC2's names (API version 2016-11-15), and those of Service Quotas.
	# What is between backticks and looks like an action is one.
	grep -oE '`[A-Z][a-z]+[A-Z][A-Za-z0-9]+`' "$api" | tr -d '`' | sort -u >"$BATS_TEST_TMPDIR/told"
	diff "$BATS_TEST_DIRNAME/ec2-actions" "$BATS_TEST_TMPDIR/told"
}

@test "every file that is told is in the tree" {
	local path page=${EC2FS%/*}/man/ec2fs.tree.7

	awk '/^[.]Ss / { section = $2 } /^[.]It Pa / { sub("/$", "", $3); print section "/" $3 }' "$page" >"$BATS_TEST_TMPDIR/files"
	grep -oE '(instances|images|key-pairs|volumes|snapshots|security-groups|prefix-lists|addresses|availability-zones|instance-types|vpcs)/(NAME|VPC/[a-z-]+/NAME)/[a-z.-]+' "$api" |
		sort -u >"$BATS_TEST_TMPDIR/paths"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/paths")" -gt 80 ]
	while read -r path; do
		grep -qx -- "$path" "$BATS_TEST_TMPDIR/files" || fail "ec2-api.md tells of $path, and there is none"
	done <"$BATS_TEST_TMPDIR/paths"
}

@test "the example is right" {
	document_start
	mkdir images/tiny
	cp ~/tiny/* images/tiny/
	becomes available images/tiny/state 30
	document_run "$api"
}
