# One resource of every kind, called made, with all but a little of what resources have at times only. Typed in a region.
every_kind()
{
	truncate -s 1M "$BATS_TEST_TMPDIR/disk.raw"
	mkdir images/made key-pairs/made instances/made volumes/made security-groups/made prefix-lists/made addresses/made vpcs/made
	cp "$BATS_TEST_TMPDIR/disk.raw" images/made/disk
	becomes available images/made/state 30
	echo ed25519 >key-pairs/made/key-type
	echo 1 >volumes/made/size
	becomes available volumes/made/state 30
	mkdir volumes/made/snapshots/one
	becomes completed snapshots/made-one/state 30
	echo made >instances/made/image
	echo running >instances/made/state
	echo running 60 >instances/made/wait
	ln -s ../../../volumes/made instances/made/volumes/sdf
	echo made >addresses/made/instance
	echo value >instances/made/tags/key

	cd vpcs/made
	echo 10.9.0.0/16 >cidr-block
	mkdir subnets/made route-tables/made network-acls/made nat-gateways/made peerings/made vpn/made ../other
	echo 10.9.0.0/24 >../other/cidr-block
	# Blocks that overlap: the peering fails, and says why.
	echo other >peerings/made/peer-vpc
	cd ../..
}
