# Volumes taken by force from real machines under libvirt.
load ../lib/cloud

setup()
{
	cloud_paths
	cloud_real
	cloud_start -o stop-timeout=40
	# The guest's kernel tells of the disks that come and grow.
	TINY_CMDLINE='loglevel=7' tiny_image
}
teardown() { cloud_stop; }

# lacks TEXT FILE
lacks() { [ "$(grep -c "$1" "$2")" = 0 ]; }

# writer NAME VOLUME WORD [IMAGE]: launches a machine with the volume whose guest writes that word to its beginning each
# second, and tells when that fails.
writer()
{
	mkdir "instances/$1"
	printf 'image %s\ninstance-type t3.nano\n' "${4:-tiny}" >"$CLOUD_HOME/spec"
	cp "$CLOUD_HOME/spec" "instances/$1/spec"
	cat >"$CLOUD_HOME/script" <<END
#!/bin/sh
rm -f /volume/.user-data-*
sync
while :; do
	(echo $3 | dd of=/dev/vdb bs=512 conv=sync,fsync 2>/dev/null) && echo "it was written" || echo "it was not written"
	sleep 1
done
END
	cp "$CLOUD_HOME/script" "instances/$1/user-data"
	ln -s "../../../volumes/$2" "instances/$1/volumes/sdf"
	echo running >"instances/$1/state"
	echo running 90 >"instances/$1/wait"
	soon 90 grep -q '^it was written' "instances/$1/console"
}

@test "detach --force: a guest that keeps its device writes no more, and the volume is another's" {
	TINY_CMDLINE='loglevel=7 acpiphp.disable=1' tiny_image stubborn
	mkdir volumes/data
	echo 1 >volumes/data/size
	becomes available volumes/data/state 20
	writer web-1 data first stubborn
	rm instances/web-1/volumes/sdf
	becomes busy volumes/data/attachment-state 60
	soon 20 eval '[ "$(head -c 5 volumes/data/device)" = first ]'
	echo 'detach sdf --force' >instances/web-1/ctl
	becomes available volumes/data/state 30
	soon 60 grep -q '^it was not written' instances/web-1/console
	reads running instances/web-1/state

	writer web-2 data second
	failures=$(grep -c 'was not written' instances/web-1/console)
	soon 60 eval '[ "$(grep -c "was not written" instances/web-1/console)" -gt $((failures + 2)) ]'
	[ "$(head -c 6 volumes/data/device)" = second ]
	lacks 'was not written' instances/web-2/console
	# A guest that keeps the old device gets neither the volume back nor sleep.
	rmdir instances/web-2
	becomes available volumes/data/state 60
	cloud_restart -o stop-timeout=40
	ln -s ../../../volumes/data instances/web-1/volumes/sdg
	soon 30 grep -q 'sdg cannot be attached: .*detached by force: restart it' instances/web-1/state-reason
	becomes available volumes/data/state 20
	echo 'stop --force' >instances/web-1/ctl
	echo stopped 60 >instances/web-1/wait
	ln -s ../../../volumes/data instances/web-1/volumes/sdg
	echo running >instances/web-1/state
	echo running 90 >instances/web-1/wait
	soon 60 eval '[ "$(head -c 5 volumes/data/device)" = first ]'
}
