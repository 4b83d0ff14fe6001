# What the documents show is what happens.
load ../lib/cloud
load ../lib/documents

setup()
{
	docs=$(cd "$BATS_TEST_DIRNAME/../../docs" && pwd)
	document_start
}

teardown()
{
	cloud_stop
}

@test "the tutorial" {
	document_run "$docs/tutorial.md"
}

# What the page says is there: a region, with an image.
tiny_is_there()
{
	mkdir images/tiny
	cp ~/tiny/* images/tiny/
	becomes available images/tiny/state 30
}

@test "the recipes" {
	tiny_is_there
	document_run "$docs/recipes.md"
}

@test "networks" {
	mkdir vpcs/shared instances/web-{1,2}
	echo 10.1.0.0/16 >vpcs/shared/cidr-block
	tiny_is_there
	printf 'image tiny\ninstance-type t3.nano\n' | tee instances/web-{1,2}/spec
	echo running >instances/web-2/state
	document_run "$docs/networks.md"
}

@test "storage" {
	tiny_is_there
	mkdir instances/web-1
	printf 'image tiny\ninstance-type t3.nano\n' >instances/web-1/spec
	echo running >instances/web-1/state
	echo running >instances/web-1/wait
	document_run "$docs/storage.md"
}

@test "the first look in README.md" {
	tiny_is_there
	document_run "$docs/../README.md"
}

@test "what a page shows wrongly is found" {
	local wrong

	page()
	{
		printf '```console\n%s\n```\n' "$1" >"$BATS_TEST_TMPDIR/page.md"
	}
	page $'$ cd /cloud/us-east-1\n$ echo t3.nano | tee here 2>/dev/null\nt3.nano\n$ rmdir none\nrmdir: failed to remove \'none\': No such …'
	cd ~
	run document_run "$BATS_TEST_TMPDIR/page.md"
	[ "$status" = 1 ] # tee fails: its status is the command's, and the page does not show how
	for wrong in $'$ echo one\ntwo' $'$ echo one' $'$ true\none' '$ false' $'$ echo a; echo b\na' $'$ echo \'a*\'\naa'; do
		page "$wrong"
		run document_run "$BATS_TEST_TMPDIR/page.md"
		[ "$status" = 1 ] || fail "passed: $wrong"
	done
	page $'$ cat <<END\none\ntwo\nEND\n…\ntwo\n$ echo \'a*\'; cd /\na*\n$ pwd\n/'
	document_run "$BATS_TEST_TMPDIR/page.md"
	page ''
	run document_run "$BATS_TEST_TMPDIR/page.md"
	[ "$status" = 1 ]
}
