# examples/shell/two-tier: the application of examples/ansible by a plain shell script, which may be run again.
load ../lib/cloud

setup()
{
	cloud_start
	W=$BATS_TEST_TMPDIR
	SCRIPT=$BATS_TEST_DIRNAME/../../examples/shell/two-tier
	export REGION=$PWD
	mkdir images/debian-12 && head -c 1M /dev/zero >images/debian-12/disk
	becomes available images/debian-12/state
}
teardown() { cloud_stop; }

# everything: names, times, sizes and contents of all that may be set.
everything()
{
	find . -perm /222 -type f -size -1M -exec sha256sum {} + | LC_ALL=C sort -k2
	find . -printf '%p %l %m %T@ %s\n' | LC_ALL=C sort
}

@test "it builds; again, it changes nothing; another type changes just that; absent removes it all" {
	everything >"$W/empty"
	"$SCRIPT"
	lists 'shop-db-1 shop-db-2 shop-web-1 shop-web-2' instances
	for i in instances/*; do
		reads running "$i/state"
	done
	reads shop/web instances/shop-web-2/subnet
	lists shop-db instances/shop-db-1/security-groups
	reads '10 GiB' volumes/shop-db-1/size
	reads in-use volumes/shop-db-2/state
	tells '^198\.51\.100\.' instances/shop-web-1/public-ip-address
	soon 30 eval '[ "$(cat volumes/*/state | sort -u)" = in-use ]'

	everything >"$W/built"
	cp "$CLOUD/events" "$W/events"
	"$SCRIPT"
	diff "$W/events" "$CLOUD/events"
	diff "$W/built" <(everything)

	TYPE=t3.small "$SCRIPT"
	for i in instances/*; do
		reads t3.small "$i/instance-type"
		reads running "$i/state"
	done
	tail -n +$(($(wc -l <"$W/events") + 1)) "$CLOUD/events" >"$W/changed"
	lacks '/(vpcs|security-groups|key-pairs|volumes)/' "$W/changed"
	[ ! -s "$CLOUD/errors" ] || fail "$(cat "$CLOUD/errors")"

	"$SCRIPT" absent
	lists '' instances
	lists '' key-pairs
	lists default security-groups
	lists default vpcs
	soon 30 eval '[ -z "$(ls volumes)" ]'
	"$SCRIPT" absent
	# What was terminated stays in by-id for an hour.
	diff <(grep -o '^\.[^ ]*' "$W/empty" | grep -v by-id) <(everything | grep -o '^\.[^ ]*' | grep -v by-id)
}

@test "ln -sfn to where a link points already changes nothing, also of what runs" {
	"$SCRIPT"
	cp "$CLOUD/events" "$W/events"
	ln -sfn ../../../volumes/shop-db-1 instances/shop-db-1/volumes/sdf
	ln -sfn ../../../security-groups/shop-db instances/shop-db-1/security-groups/shop-db
	mkdir addresses/www
	ln -s ../../../addresses/www instances/shop-db-1/addresses/www
	ln -sfn ../../../addresses/www instances/shop-db-1/addresses/www
	diff "$W/events" <(head -n "$(wc -l <"$W/events")" "$CLOUD/events")
	tail -n +$(($(wc -l <"$W/events") + 1)) "$CLOUD/events" >"$W/changed"
	lacks 'volumes|security-groups' "$W/changed"
	[ "$(grep -c addresses/www "$W/changed")" = "$(grep -c -e 'addresses/www made' -e 'addresses/www/' "$W/changed")" ]
	for link in instances/shop-db-1/{volumes/sdf,security-groups/shop-db,addresses/www}; do
		[ -L "$link" ] && [ -d "$link/tags" ]
	done
	# Elsewhere is something else: EC2 detaches first.
	refuses EINVAL 'ln -sfn ../../../volumes/shop-db-2 instances/shop-db-1/volumes/sdf'
	reads shop-db-1 <(basename "$(readlink instances/shop-db-1/volumes/sdf)")
	[ -z "$(find instances -name 'Cu*')" ]
}
