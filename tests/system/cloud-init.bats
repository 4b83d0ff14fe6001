# EC2's promise to a guest: the unmodified cloud-init of Debian finds its datasource, takes host name, key and user
# data from it, and whoever has the key logs in. Takes up to 900 s. (the first time, where the image is built)
load ../lib/cloud

setup()
{
	cloud_paths
	cloud_real
	command -v ssh >/dev/null || skip "there is no ssh client"
	cloud_start -o stop-timeout=60
	debian_image
}
teardown() { cloud_stop; }

# login COMMAND…: from the cloud's host, to the public address, with the private key that the tree gave.
login()
{
	on_host ssh -i "$CLOUD_HOME/key" -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		-o LogLevel=ERROR -o ConnectTimeout=5 -o BatchMode=yes "debian@$(cat instances/web-1/public-ip-address)" "$@"
}

@test "cloud-init finds its instance, and the key opens it" {
	mkdir key-pairs/alice
	echo ed25519 >key-pairs/alice/key-type
	(umask 077 && cat key-pairs/alice/private-key >"$CLOUD_HOME/key")
	mkdir security-groups/ssh instances/web-1
	echo 'tcp 22 0.0.0.0/0' >security-groups/ssh/ingress
	printf '#!/bin/sh\necho "user data ran on $(hostname)" >/run/user-data-ran\n' >instances/web-1/user-data
	printf 'image debian-12\ninstance-type t3.small\nkey-pair alice\nsecurity-groups ssh\n' >instances/web-1/spec
	echo running >instances/web-1/state
	echo running 60 >instances/web-1/wait
	soon 180 login true
	login cloud-init status --wait
	[ "$(login cloud-init query cloud_name)" = aws ]
	[ "$(login cloud-init query instance_id)" = "$(cat instances/web-1/instance-id)" ]
	[ "$(login cloud-init query region)" = us-east-1 ]
	[ "$(login hostname)" = "$(cut -d. -f1 instances/web-1/private-dns-name)" ]
	[ "$(login cat /run/user-data-ran)" = "user data ran on $(cut -d. -f1 instances/web-1/private-dns-name)" ]
	login 'ip -4 addr show' | grep -qF "$(cat instances/web-1/private-ip-address)/"
	# Nothing was changed in the image for it.
	[ -z "$(login 'cat /etc/cloud/ds-identify.cfg /etc/cloud/cloud.cfg.d/90_dpkg.cfg 2>/dev/null' | grep -v '^#' | grep -i 'ec2.*only')" ]

	# Without the rule there is no way in.
	: >security-groups/ssh/ingress
	sleep 1
	run on_host timeout 3 bash -c "exec 3<>/dev/tcp/$(cat instances/web-1/public-ip-address)/22"
	[ "$status" -ne 0 ]

	# A reboot keeps all of it.
	echo 'tcp 22 0.0.0.0/0' >security-groups/ssh/ingress
	before=$(login cat /proc/sys/kernel/random/boot_id)
	echo reboot >instances/web-1/ctl
	soon 180 eval '[ -n "$(login cat /proc/sys/kernel/random/boot_id | grep -v "$before")" ]'
}
