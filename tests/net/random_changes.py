#!/usr/bin/env python3
"""Random changes of a VPC for netfw_tool: COUNT commits, always the same."""
import random
import sys

random.seed(7)
groups = ["sg-%02x" % i for i in range(12)]
subnets = ["subnet-a", "subnet-b", "subnet-c"]


def cidr():
    prefix = random.choice((0, 8, 16, 20, 24, 28, 31, 32))
    address = (10 << 24 | random.randrange(3) << 16 | random.randrange(1 << 12)) & (0xffffffff << (32 - prefix))
    return ".".join(str(address >> s & 255) for s in (24, 16, 8, 0)) + "/%d" % prefix


def peer():
    return random.choice(groups) if random.random() < 0.3 else cidr()


def rule(way):
    kind = random.choice(("tcp", "tcp", "udp", "icmp", "47", "50", "all"))
    first = random.randrange(60000)
    ports = random.choice(("-", str(first), "%d-%d" % (first, first + random.randrange(5000))))
    if kind == "icmp":
        ports = random.choice(("-", "8", "3/%d" % random.randrange(6)))
    return "%s %s %s %s" % (way, kind, ports, peer())


def vpc():
    print("vpc vpc-1 10.0.0.0/16 internet" + random.choice(("", " dns", " gateway vgw-0123456789ab eth1")))
    for i, s in enumerate(subnets):
        print("subnet %s 10.0.%d.0/24%s" % (s, i, random.choice(("", " acl acl-1", " acl acl-2"))))
    print("acl acl-1 all\nacl acl-2")
    for n in range(random.randrange(8)):
        print("entry %s %d %s tcp %d %s" % (random.choice(("in", "out")), random.randrange(1, 999),
                                            random.choice(("allow", "deny")), random.randrange(60000), cidr()))
    for n in range(random.randrange(3)):
        print("nat nat-00000000000%d 10.0.0.9 203.0.113.20%d" % (n, n))
        print("peering pcx-00000000000%d vpc-2" % n)


def change():
    what = random.random()
    if what < 0.5:
        print("group " + random.choice(groups))
        for _ in range(random.randrange(random.choice((3, 30)))):
            print(rule(random.choice(("in", "out"))))
    elif what < 0.6:
        print("drop-group " + random.choice(groups))
    elif what < 0.9:
        n = random.randrange(60)
        print("interface eni-0000000000%02x 02:00:00:00:00:%02x 10.0.0.%d %s %s%s%s" % (
            n, n, n + 10, random.choice(subnets), ",".join(random.sample(groups, random.randrange(1, 4))),
            random.choice(("", " public 203.0.113.%d" % n)), random.choice(("", "", " forwarder"))))
    elif what < 0.95:
        print("drop-interface eni-0000000000%02x" % random.randrange(60))
    else:
        vpc()


for n in range(int(sys.argv[1])):
    print("whole" if n == 0 else "begin")
    if n == 0:
        vpc()
    for _ in range(random.randrange(1, 5)):
        change()
    print("commit")
