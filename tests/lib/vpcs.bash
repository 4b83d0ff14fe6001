# Two VPCs for tests of networks, as descriptions for netfw.

V1=vpc-0a0000000000000a1 V2=vpc-0b0000000000000b2
A=eni-0a00000000000a0a1 B=eni-0a00000000000b0b1 C=eni-0a00000000000c0c1 D=eni-0b00000000000d0d2
NAT=nat-0a000000000000e1 PCX=pcx-0a000000000000f1
OPEN="in:all:all:0.0.0.0/0 out:all:all:0.0.0.0/0"
EDGE()
{
	echo "ec2fs-${OWNER:0:8}"
}

# One VPC: a public subnet with a and b, of which a has a public address, and a private one with c behind NAT.
describe_v1()
{
	cat <<-END
		change $V1 whole
		vpc 10.0.0.0/16
		internet
		table rtb-public 0.0.0.0/0=igw ${1-}
		table rtb-private 0.0.0.0/0=$NAT
		subnet subnet-1 10.0.1.0/24 rtb-public
		subnet subnet-2 10.0.2.0/24 rtb-private
		nat $NAT 10.0.1.100 198.51.100.9
		group sg-open $OPEN
		interface $A 10.0.1.5 subnet-1 public=198.51.100.5 group=sg-open
		interface $B 10.0.1.6 subnet-1 group=sg-open ${2-}
		interface $C 10.0.2.7 subnet-2 group=sg-open
		commit
	END
}

start_v1()
{
	guest a $A 10.0.1.5/24
	guest b $B 10.0.1.6/24
	guest c $C 10.0.2.7/24
	{
		echo "pool 198.51.100.0/24"
		describe_v1 "$@"
		printf 'attach %s %s\n' $V1 $A $V1 $B $V1 $C
	} | netfw
}

# A second VPC with one subnet: describe_v2 [CIDR ADDRESS [LINE…]]
describe_v2()
{
	local cidr=${1:-10.0.0.0/16} address=${2:-10.0.1.5}

	shift $(($# < 2 ? $# : 2))
	cat <<-END
		change $V2 whole
		vpc $cidr
		internet
		table rtb-2 0.0.0.0/0=igw ${ROUTE_2-}
		subnet subnet-3 ${address%.*}.0/24 rtb-2
		group sg-open $OPEN
		interface $D $address subnet-3 public=198.51.100.20 group=sg-open
	END
	printf '%s\n' "$@" commit
}

start_v2()
{
	guest d $D "${2:-10.0.1.5}/24"
	{
		describe_v2 "$@"
		echo "attach $V2 $D"
	} | netfw
}
