# Several users in one cloud: what is whose, what others may do with it, what they hear, how much they may have.
load ../lib/cloud

setup()
{
	[ "$(id -u)" = 0 ] || skip "only root can become somebody else"
	for user in games daemon; do
		getent passwd $user >/dev/null || skip "there is no user $user"
	done
	cloud_start
	# Like /tmp: everybody makes things, nobody removes another's.
	chmod 1777 instances volumes security-groups images key-pairs addresses
	mkdir images/tiny
	head -c 1M /dev/zero >images/tiny/disk
}

teardown() { cloud_stop; }

# Shell commands as alice, who is games, and bob, who is daemon.
alice='setpriv --reuid=games --regid=games --clear-groups bash -c'
bob='setpriv --reuid=daemon --regid=daemon --clear-groups bash -c'

@test "what one makes is one's own, and stays so" {
	$alice 'mkdir instances/hers && echo tiny > instances/hers/image && echo prod > instances/hers/tags/env'
	$alice 'echo "secret" > instances/hers/user-data; mkdir key-pairs/k && echo ed25519 > key-pairs/k/key-type'
	look() { (cd "$CLOUD/us-east-1" && stat -c '%U:%G %a %n' instances/hers instances/hers/{image,state,user-data,tags,tags/env} key-pairs/k/private-key); }
	look >"$CLOUD_HOME/before"
	[ "$(cut -d' ' -f1 "$CLOUD_HOME/before" | sort -u)" = games:games ]
	tells '^games:games 600 instances/hers/user-data' "$CLOUD_HOME/before"
	tells '^games:games 400 key-pairs/k/private-key' "$CLOUD_HOME/before"
	$alice 'cat instances/hers/user-data key-pairs/k/private-key' >/dev/null
	refuses EACCES "$bob 'cat instances/hers/user-data'"
	refuses EACCES "$bob 'cat key-pairs/k/private-key'"
	refuses EACCES "$bob 'echo running > instances/hers/state'"
	refuses EACCES "$bob 'rm instances/hers/tags/env'"
	# Sticky: neither removed nor renamed, but by who owns it.
	refuses EPERM "$bob 'rmdir instances/hers'"
	refuses EPERM "$bob 'mv instances/hers instances/his'"
	refuses EPERM "$bob 'chmod 777 instances/hers'"
	refuses EPERM "$bob 'chown daemon instances/hers'"
	refuses EPERM "$alice 'chown daemon instances/hers'"
	cloud_restart
	look | diff "$CLOUD_HOME/before" -
	cloud_kill
	cloud_start
	look | diff "$CLOUD_HOME/before" -
	# Given away by root; then it is his to change and not hers.
	chown -R daemon:daemon instances/hers
	refuses EACCES "$alice 'echo t3.nano > instances/hers/instance-type'"
	$bob 'echo t3.nano > instances/hers/instance-type; mv instances/hers instances/his; echo running > instances/his/state'
	becomes running instances/his/state
	# What the launch made is its owner's.
	[ "$(stat -L -c %U instances/his/volumes/xvda)" = daemon ]
	$bob 'rmdir instances/his'
}

@test "others' resources are taken into use as their owners allow" {
	$alice 'mkdir volumes/hers && echo 1 > volumes/hers/size && mkdir instances/a && echo tiny > instances/a/image && echo running > instances/a/state'
	$bob 'mkdir instances/b && echo tiny > instances/b/image && echo running > instances/b/state'
	becomes running instances/a/state && becomes running instances/b/state && becomes available volumes/hers/state
	refuses EACCES "$bob 'ln -s ../../../volumes/hers instances/b/volumes/sdf'"
	tells '^UnauthorizedOperation: .*somebody else' instances/b/error
	reads available volumes/hers/state
	chmod o+w volumes/hers
	$bob 'ln -s ../../../volumes/hers instances/b/volumes/sdf'
	$bob 'rm instances/b/volumes/sdf'
	becomes available volumes/hers/state
	# An address moves into an instance, an image comes out of one.
	refuses EACCES "$bob 'mkdir addresses/x && echo a > addresses/x/instance'"
	refuses EACCES "$bob 'mkdir images/stolen && echo a > images/stolen/source-instance'"
	# What one may not read, one may not name: images, groups, subnets.
	$alice 'mkdir security-groups/hers && chmod 700 security-groups/hers'
	refuses EACCES "$bob 'ln -s ../../../security-groups/hers instances/b/security-groups/'"
	$bob 'mkdir security-groups/his'
	refuses EACCES "$bob 'echo all - sg:hers > security-groups/his/ingress'"
	refuses EACCES "$bob 'echo security-groups hers > instances/b/spec'"
	chmod 700 images/tiny
	$bob 'mkdir instances/b2'
	refuses EACCES "$bob 'echo tiny > instances/b2/image'"
	chmod 755 images/tiny
	$bob 'echo tiny > instances/b2/image'
	chmod 700 vpcs/default
	refuses EACCES "$bob 'echo us-east-1a > instances/b2/subnet'"
	chmod 755 vpcs/default
}

@test "groups: the one of the resource, also as a supplementary one" {
	$alice 'mkdir volumes/ours instances/ours && echo 1 > volumes/ours/size && echo tiny > instances/ours/image && echo running > instances/ours/state'
	becomes available volumes/ours/state && becomes running instances/ours/state
	chgrp -R audio volumes/ours instances/ours
	chmod 775 volumes/ours instances/ours instances/ours/volumes
	chmod 664 instances/ours/instance-initiated-shutdown-behavior
	refuses EACCES "$bob 'echo terminate > instances/ours/instance-initiated-shutdown-behavior'"
	refuses EACCES "$bob 'ln -s ../../../volumes/ours instances/ours/volumes/sdf'"
	member='setpriv --reuid=daemon --regid=daemon --groups=audio,video bash -c'
	$member 'echo terminate > instances/ours/instance-initiated-shutdown-behavior'
	$member 'ln -s ../../../volumes/ours instances/ours/volumes/sdf'
	# An owner gives to a group she is in.
	setpriv --reuid=games --regid=games --groups=video bash -c 'chgrp video instances/ours/tags'
	[ "$(stat -c %G instances/ours/tags)" = video ]
	refuses EPERM "$alice 'chgrp disk instances/ours/tags'"
}

@test "each finds their own refusals; error tells whose it was; events keep secrets" {
	$alice 'mkdir instances/hers'
	chmod 666 instances/hers/instance-type
	refuses EINVAL "$alice 'echo t9.hers > instances/hers/instance-type'"
	tells 'instance-type: you wrote "t9.hers"' instances/hers/error
	refuses EINVAL "$bob 'echo t9.his > instances/hers/instance-type'"
	tells 'instance-type: daemon wrote "t9.his"' instances/hers/error
	$alice "cat $CLOUD/errors" >"$CLOUD_HOME/hers"
	tells 't9.hers' "$CLOUD_HOME/hers"
	lacks 't9.his' "$CLOUD_HOME/hers"
	$bob "cat $CLOUD/errors" >"$CLOUD_HOME/his"
	tells 'you wrote "t9.his"' "$CLOUD_HOME/his"
	lacks 't9.hers' "$CLOUD_HOME/his"
	tells 'games wrote "t9.hers"' "$CLOUD/errors"
	tells 'daemon wrote "t9.his"' "$CLOUD/errors"
	# A value that others may not read is in events for nobody.
	$alice 'chmod 600 instances/hers/instance-type; echo t3.nano > instances/hers/instance-type'
	$alice 'mkdir instances/closed && chmod 700 instances/closed && echo t3.small > instances/closed/instance-type'
	$alice 'mkdir instances/open && echo t3.large > instances/open/instance-type'
	tells 'instances/hers/instance-type changed$' "$CLOUD/events"
	tells 'instances/closed/instance-type changed$' "$CLOUD/events"
	tells 'instances/open/instance-type .* -> t3.large$' "$CLOUD/events"
	lacks 't3.nano|t3.small' "$CLOUD/events"
	refuses EACCES "$bob 'cat instances/closed/error'"
}

@test "quotas by owner: of one user, of each, beside the region's" {
	printf 'instances@games 2\nkey-pairs@* 1\nvcpus@2 0\nvolumes@games 2\nvcpus@games 2\n' >>quotas
	refuses EINVAL 'echo "subnets-per-vpc@games 2" >> quotas'
	refuses EINVAL 'echo "instances@ 2" >> quotas'
	refuses ENOENT 'echo "instances@nobody-at-all 2" >> quotas'
	tells '^instances@games 2$' quotas
	tells '^vcpus 64$' quotas
	$alice 'mkdir instances/a1 instances/a2'
	refuses EDQUOT "$alice 'mkdir instances/a3'"
	tells 'InstanceLimitExceeded.*instances@USER' "$CLOUD/errors"
	$bob 'mkdir instances/b1 instances/b2 instances/b3'
	mkdir instances/r1 instances/r2 instances/r3
	$alice 'rmdir instances/a1 && mkdir instances/a3'
	# Each but root, who has no line of their own.
	$alice 'mkdir key-pairs/a1'
	refuses EDQUOT "$alice 'mkdir key-pairs/a2'"
	$bob 'mkdir key-pairs/b1'
	refuses EDQUOT "$bob 'mkdir key-pairs/b2'"
	mkdir key-pairs/r1 key-pairs/r2
	echo 'key-pairs@daemon 2' >>quotas
	$bob 'mkdir key-pairs/b2'
	refuses EDQUOT "$bob 'mkdir key-pairs/b3'"
	# What runs: t3.micro has 2 vCPUs. Root volumes count as volumes.
	$alice 'echo tiny > instances/a2/image; echo tiny > instances/a3/image; echo running > instances/a2/state'
	refuses EDQUOT "$alice 'echo running > instances/a3/state'"
	tells '^VcpuLimitExceeded: .*vcpus@USER' instances/a3/error
	$alice 'mkdir volumes/a1'
	refuses EDQUOT "$alice 'mkdir volumes/a2'"
	# What root gives, one has; and what is over is only not added to.
	chown games instances/r1
	refuses EDQUOT "$alice 'mkdir instances/a4'"
	reads t3.micro instances/a2/instance-type
	cloud_restart
	refuses EDQUOT "$alice 'mkdir instances/a4'"
	sed -i /@/d quotas
	$alice 'mkdir instances/a4'
}
