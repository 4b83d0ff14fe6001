# What a test leaves behind: found by the mark in its environment and by its private directory, ended, and told.

# end_networks HOST: takes away the network namespace HOST, and those of the daemon whose cloud was there: one that was
# killed leaves them to the next daemon, which does not come.
end_networks()
{
	local host=$1 owner namespace

	owner=$(ip -n "$host" -o link 2>/dev/null | sed -n 's/.* ec2-\([0-9a-f]\{8\}\)@.*/\1/p')
	for namespace in $([ -z "$owner" ] || ip netns list | cut -d' ' -f1); do
		ip -n "$namespace" link show lo 2>/dev/null | grep -q "ec2fs $owner" || continue
		ip netns pids "$namespace" | xargs -r kill -9
		ip netns del "$namespace"
	done
	ip netns pids "$host" 2>/dev/null | xargs -r kill -9
	ip netns del "$host" 2>/dev/null || true
}

# end_leftovers DIR: ends processes, mounts, virtual machines and networks of this run below DIR; prints each.
end_leftovers()
{
	local directory=$1 domain mount environment namespace pid left=

	# A machine of libvirt's is no child of ours: its disks give it away.
	if [ -n "$directory" ] && [ -e "$directory/.libvirt" ]; then
		for domain in $(virsh -q -c qemu:///system list --all --uuid 2>/dev/null); do
			virsh -c qemu:///system dumpxml "$domain" 2>/dev/null | grep -qF "$directory" || continue
			left+="  virtual machine $domain"$'\n'
			virsh -q -c qemu:///system destroy "$domain" >/dev/null 2>&1
			virsh -q -c qemu:///system undefine "$domain" --managed-save --nvram >/dev/null 2>&1
		done
	fi
	for environment in /proc/[0-9]*/environ; do
		pid=${environment#/proc/} pid=${pid%/environ}
		[ "$pid" != $$ ] && [ "$pid" != "$BASHPID" ] || continue
		tr '\0' '\n' 2>/dev/null <"$environment" | grep -qx "EC2FS_TEST_RUN=$EC2FS_TEST_RUN" || continue
		kill -0 "$pid" 2>/dev/null || continue
		left+="  process $pid: $(tr '\0' ' ' </proc/"$pid"/cmdline 2>/dev/null)"$'\n'
		kill -9 "$pid" 2>/dev/null
	done
	if [ -n "$directory" ] && [ -e "$directory/.namespaces" ]; then
		while read -r namespace; do
			[ -e "/run/netns/$namespace" ] || continue
			left+="  network namespace $namespace"$'\n'
			end_networks "$namespace"
		done <"$directory/.namespaces"
	fi
	if [ -n "$directory" ]; then
		while read -r mount; do
			left+="  mount $mount"$'\n'
			umount -l "$mount" 2>/dev/null || fusermount3 -uz "$mount" 2>/dev/null
		done < <(awk -v d="$directory/" 'index($2, d) == 1 { print $2 }' /proc/mounts | sort -r)
	fi
	printf '%s' "$left"
}
