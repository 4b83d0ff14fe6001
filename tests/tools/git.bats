# git with the mount as its work tree, and its own directory elsewhere: a commit is what a region is to be.
load ../lib/cloud

setup()
{
	command -v git >/dev/null || skip "git is not installed"
	cloud_start
	W=$BATS_TEST_TMPDIR
	export HOME=$W GIT_DIR=$W/region.git GIT_WORK_TREE=$PWD
	git init -q
	git config user.name nobody
	git config user.email nobody@example.org
	cp "$BATS_TEST_DIRNAME/../../examples/git/exclude" "$GIT_DIR/info/exclude"
	mkdir images/tiny && head -c 512 /dev/zero >images/tiny/disk
}
teardown() { cloud_stop; }

# commit MESSAGE: of all there is; git sees no difference then.
commit()
{
	git add -A
	git commit -q --allow-empty -m "$1"
	clean
}

clean()
{
	[ -z "$(git status --porcelain)" ] || fail "git sees a difference:" "$(git status --porcelain; git diff)"
}

# two_tiers: web and db, a machine each.
two_tiers()
{
	mkdir security-groups/web security-groups/db
	echo 'tcp 80 0.0.0.0/0   # anybody' >security-groups/web/ingress
	echo 'tcp 5432 sg:web' >security-groups/db/ingress
	for tier in web db; do
		mkdir instances/$tier-1
		printf '# of the tier %s\nimage tiny\ninstance-type t3.micro\nsecurity-groups %s\n' $tier $tier >instances/$tier-1/spec
		printf '#!/bin/sh\necho %s\n' $tier >instances/$tier-1/user-data
		echo prod >instances/$tier-1/tags/env
	done
}

@test "checkout goes from one commit to another, and status tells drift" {
	two_tiers
	commit one
	echo 'tcp 443 0.0.0.0/0' >>security-groups/web/ingress
	sed -i s/micro/small/ instances/web-1/spec
	echo test >instances/web-1/tags/env
	echo t3.nano >instances/db-1/instance-type
	git diff >"$W/drift"
	tells '^\+tcp 443 0.0.0.0/0$' "$W/drift"
	tells '^\+instance-type t3.nano$' "$W/drift"
	commit two

	git checkout -q HEAD^
	clean
	reads 'tcp 80 0.0.0.0/0   # anybody' security-groups/web/ingress
	reads t3.micro instances/web-1/instance-type
	reads t3.micro instances/db-1/instance-type
	reads prod instances/web-1/tags/env
	git checkout -q -
	clean
	tells 443 security-groups/web/ingress
	reads t3.small instances/web-1/instance-type
	reads t3.nano instances/db-1/instance-type
	reads test instances/web-1/tags/env
	# Between the same commit and itself nothing happens.
	wc -l <"$CLOUD/events" >"$W/events"
	git checkout -q HEAD
	git reset -q --hard
	reads "$(cat "$W/events")" <(wc -l <"$CLOUD/events")
	[ ! -s "$CLOUD/errors" ] || fail "$(cat "$CLOUD/errors")"
}

@test "checkout makes what a commit has, and removes what it has not" {
	commit nothing
	two_tiers
	commit two
	echo running | tee instances/*/state >/dev/null
	becomes running instances/web-1/state
	becomes running instances/db-1/state
	clean

	git checkout -q HEAD^
	lists '' instances
	soon 30 git_removed
	lists default security-groups
	clean

	# git goes by the alphabet: who names comes before what is named. The second time that is there.
	git checkout -q -f - || git reset -q --hard
	clean
	lists 'db-1 web-1' instances
	lists web instances/web-1/security-groups
	reads draft instances/web-1/state
	tells '^tcp 5432 sg:web$' security-groups/db/ingress
	echo running >instances/web-1/state
	becomes running instances/web-1/state
	clean
}

# Groups that were in use a moment ago.
git_removed()
{
	[ "$(ls security-groups)" = default ] || { rmdir security-groups/web security-groups/db; false; }
}

@test "a file that a commit has not takes no resource along" {
	two_tiers
	mkdir instances/bare
	echo 'echo hello' >instances/bare/user-data
	echo 1 >instances/bare/tags/one
	commit one
	id=$(cat instances/web-1/instance-id)
	rm instances/web-1/tags/env instances/db-1/user-data instances/bare/tags/one
	commit two
	git checkout -q HEAD^
	reads prod instances/web-1/tags/env
	# git tries rmdir on what these were in.
	git checkout -q -
	clean
	[ ! -e instances/web-1/tags/env ]
	[ ! -s instances/db-1/user-data ]
	lists 'bare db-1 web-1' instances
	reads "$id" instances/web-1/instance-id
	tells '^image tiny$' instances/web-1/spec
	tells 'DependencyViolation: .* is left of it' instances/web-1/error
	# Whoever removes nothing else, or everything, means it.
	rmdir instances/web-1
	rm -r instances/bare
	lists db-1 instances
}

@test "stash, restore, apply, rm, and a branch that was merged" {
	two_tiers
	commit one
	echo 'tcp 22 0.0.0.0/0' >>security-groups/web/ingress
	git stash -q
	clean
	lacks '^tcp 22' security-groups/web/ingress
	git stash pop -q
	tells '^tcp 22' security-groups/web/ingress
	git diff >"$W/diff"
	git restore security-groups/web/ingress
	clean
	git apply "$W/diff"
	tells '^tcp 22' security-groups/web/ingress
	git checkout -q -b ssh
	commit ssh
	git checkout -q -
	echo dev >instances/db-1/tags/env
	commit dev
	git merge -q -m merged ssh
	clean
	tells '^tcp 22' security-groups/web/ingress
	reads dev instances/db-1/tags/env
	git rm -q -r instances/db-1
	lists web-1 instances
	[ -z "$(find . -name '*.orig' -o -name '.merge_file*')" ]
}

@test "what a commit says that cannot be is refused, and git says so" {
	two_tiers
	commit one
	sed 's/t3.micro/t9.huge/' instances/web-1/spec >"$W/spec"
	blob=$(git hash-object -w "$W/spec")
	git update-index --cacheinfo 100644,"$blob",instances/web-1/spec
	git commit -qm bad
	git checkout -q -f HEAD^
	run git checkout -q -f -
	[ "$status" != 0 ]
	[[ $output == *"unable to write file instances/web-1/spec"* ]] || fail "$output"
	reads t3.micro instances/web-1/instance-type
	tells 't9.huge' instances/web-1/error
}
