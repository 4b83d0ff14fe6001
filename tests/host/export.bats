# The tree on a second host: over NFS, 9P and sshfs, as docs/remote.md says, with users, refusals and a restart of ec2fs.
# For a kernel that has these: tests/system/export.bats runs this in the test host. The second host is a network
# namespace, "desk", at the other end of a veth.
load ../lib/cloud

SERVER=192.168.50.1
DESK=192.168.50.2

setup_file()
{
	local tool

	for tool in exportfs diod sshfs rsync; do
		command -v $tool >/dev/null || skip_all "$tool is not installed"
	done
	modprobe -q nfsd 2>/dev/null || skip_all "this kernel has no NFS server"
	modprobe -q 9p 2>/dev/null || skip_all "this kernel has no 9P"
	[ -z "${SKIP_ALL-}" ] || return 0
	export DESK_NETNS=desk-$$
	users
	wire
	cloud_start
	mkdir images/tiny
	truncate -s 1M "$CLOUD_HOME/disk"
	cp "$CLOUD_HOME/disk" images/tiny/disk
	# Who may make something here, and nobody removes what is another's.
	chmod 1777 images instances security-groups volumes
	serve
	mounts
	becomes available images/tiny/state
}

setup() { cloud_enter; }

teardown_file()
{
	local at

	[ -n "${CLOUD-}" ] || return 0
	cd /
	for at in nfs 9p ssh; do
		umount -l "$CLOUD_HOME/$at" 2>/dev/null || true
	done
	exportfs -u "$DESK:$CLOUD" 2>/dev/null || true
	systemctl stop nfs-server 2>/dev/null || true
	[ ! -e "$CLOUD_HOME/diod" ] || kill -9 "$(cat "$CLOUD_HOME/diod")" 2>/dev/null || true
	cloud_stop
	ip netns del "$DESK_NETNS" 2>/dev/null || true
}

# Alice and Bob have the same numbers on both hosts, which here they have anyway.
users()
{
	local user

	for user in alice bob; do
		getent passwd $user >/dev/null || useradd -m $user
	done
	# sshd lets nobody in whose account is locked.
	usermod -p '*' alice
	install -d -o alice -m 700 ~alice/.ssh
	[ -e ~alice/.ssh/id_ed25519.pub ] || as alice "ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519"
	install -o alice -m 600 ~alice/.ssh/id_ed25519.pub ~alice/.ssh/authorized_keys
}

wire()
{
	ip netns add "$DESK_NETNS"
	echo "$DESK_NETNS" >>"${TMPDIR:-/tmp}/.namespaces"
	ip link add wire type veth peer name wire netns "$DESK_NETNS"
	ip addr add $SERVER/24 dev wire
	ip link set wire up
	ip -n "$DESK_NETNS" link set lo up
	ip -n "$DESK_NETNS" addr add $DESK/24 dev wire
	ip -n "$DESK_NETNS" link set wire up
	# diod serves only those whose name it can find.
	grep -q $DESK /etc/hosts || printf '%s\n' "$SERVER server" "$DESK desk" >>/etc/hosts
}

serve()
{
	sysctl -qw fs.leases-enable=0
	systemctl start nfs-server
	exportfs -o rw,no_subtree_check,fsid=1,mountpoint "$DESK:$CLOUD"
	diod -f -n -e "$CLOUD" -l $SERVER:564 >"$CLOUD_HOME/diod.log" 2>&1 </dev/null 3>&- 4>&- &
	echo $! >"$CLOUD_HOME/diod"
}

mounts()
{
	mkdir -p "$CLOUD_HOME"/{nfs,9p,ssh}
	chown alice "$CLOUD_HOME/ssh"
	desk mount -t nfs -o vers=4.2,sync,actimeo=1 "$SERVER:$CLOUD" "$CLOUD_HOME/nfs"
	soon 60 desk mount -t 9p -o "trans=tcp,version=9p2000.L,access=user,aname=$CLOUD,port=564" $SERVER "$CLOUD_HOME/9p"
	desk setpriv --reuid=alice --regid=alice --clear-groups env "HOME=$(home_of alice)" \
		sshfs -o StrictHostKeyChecking=no,sshfs_sync,dcache_timeout=1,no_contain_symlinks \
		"alice@$SERVER:$CLOUD" "$CLOUD_HOME/ssh" 3>&- 4>&-
}

# desk COMMAND…: as if typed at the desk, by root.
desk() { nsenter "--net=/run/netns/$DESK_NETNS" "$@"; }

home_of() { getent passwd "$1" | cut -d: -f6; }

# as USER 'COMMANDS': in a shell of that user, with the helpers; ends at the first that fails.
as()
{
	setpriv --reuid="$1" --regid="$1" --clear-groups env "HOME=$(home_of "$1")" LIB="$BATS_TEST_DIRNAME/../lib/cloud.bash" \
		bash -c '. "$LIB"; set -eEuo pipefail; trap "echo failed: \$BASH_COMMAND" ERR; cd "${AT:-.}"; eval "$0"' "$2"
}

# at PLACE: from here on `as` goes to the tree as that mount shows it.
at() { export AT=$CLOUD_HOME/$1/us-east-1; }

# story NAME ERRNO: what Alice does at the desk in the mount of that name, where a refused write tells that errno.
story()
{
	export N=$1 E=$2 W=$BATS_TEST_TMPDIR/work

	install -d -m 777 "$W"
	at "$1"
	as alice '
		mkdir instances/$N security-groups/$N volumes/$N
		[ "$(stat -c "%U %a" instances/$N)" = "alice 755" ]
		tells "^user-data$" <(ls instances/$N)

		# A value takes effect with its write, or the write says why not.
		echo t3.nano >instances/$N/instance-type
		reads t3.nano instances/$N/instance-type
		refuses $E "echo t9.huge >instances/$N/instance-type"
		soon 20 grep -q "t9.huge" instances/$N/error
		reads t3.nano instances/$N/instance-type
		sed -i s/nano/micro/ instances/$N/instance-type
		reads t3.micro instances/$N/instance-type
		refuses ENOENT "echo x >instances/$N/instance-typ"
		refuses EACCES "echo x >security-groups/$N/group-id"

		# A document.
		echo "tcp 22 10.0.0.0/8" >security-groups/$N/ingress
		echo "tcp 80 10.0.0.0/8  # web" >>security-groups/$N/ingress
		reads "tcp 22 10.0.0.0/8"$'\''\n'\''"tcp 80 10.0.0.0/8  # web" security-groups/$N/ingress
		sed -i /web/d security-groups/$N/ingress
		refuses $E "echo tcp 99999 x >security-groups/$N/ingress"
		soon 20 grep -q Malformed security-groups/$N/error
		reads "tcp 22 10.0.0.0/8" security-groups/$N/ingress
		{ echo "tcp 1 10.0.0.0/8"; echo "tcp 2 10.0.0.0/8"; } >security-groups/$N/ingress
		[ "$(wc -l <security-groups/$N/ingress)" = 2 ]
		: >security-groups/$N/ingress
		soon 20 eval "! grep -q . security-groups/$N/ingress"
		printf "%s\n" "#!/bin/sh" "echo "{1..20} >$W/script
		dd if=$W/script of=instances/$N/user-data bs=37 status=none
		cmp $W/script instances/$N/user-data

		# Tags: files that come and go.
		echo prod >instances/$N/tags/env
		(set -C && ! echo test >instances/$N/tags/env) 2>/dev/null
		sed -i s/prod/test/ instances/$N/tags/env
		reads test instances/$N/tags/env
		mv instances/$N/tags/env instances/$N/tags/stage
		(set -C && echo new >instances/$N/tags/new)
		lists "new stage" instances/$N/tags
		rm instances/$N/tags/stage
		lists new instances/$N/tags

		# Links.
		ln -s ../../../security-groups/$N instances/$N/security-groups/
		[ "$(readlink instances/$N/security-groups/$N)" = ../../../security-groups/$N ]
		echo 1 >volumes/$N/size
		becomes available volumes/$N/state 60
		ln -s ../../../volumes/$N instances/$N/volumes/sdf
		mv volumes/$N volumes/$N-data
		soon 20 [ -e instances/$N/volumes/sdf/size ]
		rm instances/$N/volumes/sdf
		rmdir volumes/$N-data

		# Tools.
		rsync -a instances/$N/tags $W/
		reads new $W/tags/new
		echo newer >$W/tags/new
		rsync -a $W/tags instances/$N/
		reads newer instances/$N/tags/new
		tar -C instances/$N -cf $W/tar tags
		echo newest >instances/$N/tags/new
		tar -C instances/$N -xf $W/tar
		reads newer instances/$N/tags/new

		# A life.
		echo tiny >instances/$N/image
		echo running >instances/$N/state
		echo running 100 >instances/$N/wait
		reads running instances/$N/state
	'
	cloud_enter
	[ "$(stat -c %U "instances/$N/user-data" "instances/$N/tags/new" | sort -u)" = alice ]
	cmp "$W/script" "instances/$N/user-data"
	reads newer "instances/$N/tags/new"
	lists "$N" "instances/$N/security-groups"
	# Seen there what changes here.
	echo false >"instances/$N/source-dest-check"
	at "$N"
	as alice 'soon 30 reads false instances/$N/source-dest-check'
	as alice 'echo stopped >instances/$N/state; becomes stopped instances/$N/state 100'
}

# Who is not Alice reads, but for secrets, and writes nothing of hers.
others()
{
	export N=$1
	at "$1"
	as bob '
		reads stopped instances/$N/state
		refuses EACCES "cat instances/$N/user-data"
		refuses EACCES "echo t3.small >instances/$N/instance-type"
		refuses EACCES "echo x >instances/$N/tags/b"
		refuses EACCES "rm instances/$N/tags/new"
		refuses EPERM "rmdir instances/$N"
		refuses EPERM "mv instances/$N instances/bobs-$N"
		refuses EPERM "chmod 777 instances/$N"
		mkdir instances/bobs-$N
		[ "$(stat -c %U instances/bobs-$N)" = bob ]
		rmdir instances/bobs-$N
	'
}

@test "NFS: values, documents, tags, links, tools, an instance's life" { story nfs EINVAL; }
@test "9P: the same" { story 9p EINVAL; }
# SFTP has no words for most errors.
@test "sshfs: the same" { story ssh EIO; }

@test "other users of the desk are other users" {
	others nfs
	others 9p
	as bob "! ls $CLOUD_HOME/ssh 2>/dev/null"
	# The desk's root is nobody here.
	cd "$CLOUD_HOME/nfs/us-east-1"
	refuses EACCES 'echo x >instances/nfs/tags/root'
	mkdir instances/roots
	[ "$(stat -c %U instances/roots)" = nobody ]
	rmdir instances/roots
}

@test "NFS: the server asks for a file that its kernel has forgotten" {
	at nfs
	as alice 'sed -i s/micro/nano/ instances/nfs/instance-type; echo one >instances/nfs/tags/a'
	cd "$CLOUD_HOME/nfs/us-east-1/instances/nfs/tags"
	exec 7<a
	echo 2 >/proc/sys/vm/drop_caches
	reads one a
	reads t3.nano ../instance-type
	[ "$(cat <&7)" = one ]
	[ "$(stat -c %i .)" = "$(stat -c %i "$CLOUD/us-east-1/instances/nfs/tags")" ]
	as alice 'echo stopped >instances/nfs/wait'
	exec 7<&-
	lacks 'root generation|fileid changed' <(dmesg)
}

@test "NFS: more wait than the server has threads, and it serves the others" {
	at nfs
	cd "$AT"
	for i in $(seq 12); do
		setpriv --reuid=alice --regid=alice --clear-groups bash -c 'echo running >instances/nfs/wait' 3>&- 4>&- &
	done
	sleep 3
	reads stopped instances/nfs/state
	as alice 'echo running >instances/nfs/state'
	wait
	reads running instances/nfs/state
	as alice 'echo stopped >instances/nfs/state; echo stopped >instances/nfs/wait'
}

@test "tail -f events" {
	for place in nfs ssh 9p; do
		# tail hopes to be told of a change of a file in a 9P mount, and is not.
		[ $place = 9p ] && polls=---disable-inotify || polls=
		setpriv --reuid=alice --regid=alice --clear-groups \
			timeout 200 tail $polls -n 0 -f "$CLOUD_HOME/$place/events" >"$CLOUD_HOME/tail.$place" 2>&1 3>&- 4>&- &
		echo $! >>"$CLOUD_HOME/tails"
	done
	for place in nfs ssh 9p; do
		followed() { echo "$RANDOM" >images/tiny/description && sleep 1 && grep -q images/tiny/description "$CLOUD_HOME/tail.$place"; }
		soon 60 followed || fail "$place: $(cat "$CLOUD_HOME/tail.$place")"
	done
	xargs kill <"$CLOUD_HOME/tails"
}

@test "ec2fs is killed and starts again: all go on where they were" {
	export AT=$CLOUD_HOME/nfs/us-east-1/instances/nfs/tags
	cd "$AT"
	as alice 'sed -i s/nano/micro/ ../instance-type; echo before >b'
	kill -9 "$(cloud_pid)"
	cloud_await_exit || true
	refuses EIO "cat ../state-reason"
	umount -l "$CLOUD"
	(cd / && cloud_start)
	reads before b
	reads t3.micro ../instance-type
	as alice "rm b; echo before >b; echo after >c; reads after c"
	for place in 9p ssh; do
		as alice "cd $CLOUD_HOME/$place/us-east-1/instances/$place/tags; reads newer new; echo after >c; reads after c"
		reads after "$CLOUD/us-east-1/instances/$place/tags/c"
	done
	others nfs
}

@test "what is done with goes" {
	for place in nfs 9p ssh; do
		export N=$place
		as alice "cd $CLOUD_HOME/$place/us-east-1; rmdir instances/\$N; rm -r security-groups/\$N; [ ! -e instances/\$N ]"
	done
	lists '' instances
}
