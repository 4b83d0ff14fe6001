#!/bin/bash
# Runs in a test host: lvm.bash RUNS. A line each: what, and a ratio. One process of the tool lives for all, as the daemon
# does; what it does is measured in turn with lvm by hand, in the same pool.
set -euo pipefail
RUNS=$1
now_us() { local t=$EPOCHREALTIME; echo "${t/[.,]/}"; }
# took COMMAND…: its microseconds, in $us.
took()
{
	local start

	start=$(now_us)
	"$@" >/dev/null
	us=$(($(now_us) - start))
}

coproc TOOL { OWNER=bench ./tool lvm:ec2/pool,device=/dev/vdb batch; }
# tool COMMAND: and waits for its answer.
tool()
{
	local answer

	echo "$*" >&"${TOOL[1]}"
	read -r answer <&"${TOOL[0]}"
	[[ $answer == ok* ]] || { echo "$answer" >&2; exit 1; }
}

ratio() { awk -v what="$1" -v a="$2" -v b="$3" 'BEGIN {printf "%s %.3f\n", what, a / b}'; }
size=$((64 << 20))
tool create vol-0 $size
# Their first times are those of cold caches.
for ((i = -1; i < RUNS; i++)); do
	took tool create "vol-a$i" $size
	ours=$us
	took lvcreate -qq --type thin -V ${size}b -n "vol-b$i" --thinpool pool ec2
	[ "$i" -lt 0 ] || ratio volume "$ours" "$us"
	took tool snapshot vol-0 "snap-a$i"
	ours=$us
	took lvcreate -qq --snapshot -n "snap-b$i" ec2/vol-0
	[ "$i" -lt 0 ] || ratio snapshot "$ours" "$us"
	took tool clone "vol-c$i" $size "snap-a$i"
	ours=$us
	took lvcreate -qq --snapshot --setactivationskip n -n "vol-d$i" "ec2/snap-b$i"
	[ "$i" -lt 0 ] || ratio clone "$ours" "$us"
	lvremove -qq --yes "ec2/vol-b$i" "ec2/vol-d$i" "ec2/snap-b$i"
	tool remove "vol-a$i"
	tool remove "vol-c$i"
	tool remove "snap-a$i"
done

# An import, and the same bytes copied to a file system in the same pool.
head -c $((512 << 20)) /dev/urandom >bytes
lvcreate -qq --type thin -V 1g -n files --thinpool pool ec2
mkfs.ext4 -q /dev/ec2/files
mount /dev/ec2/files /mnt
cat bytes >/dev/null
for ((i = -1; i < RUNS; i++)); do
	took tool import snap-1 bytes
	ours=$us
	took eval 'cp bytes /mnt/bytes && sync /mnt/bytes'
	[ "$i" -lt 0 ] || ratio import "$us" "$ours"
	tool remove snap-1
	rm /mnt/bytes
	fstrim /mnt
done
# A launch's disk from an image of 2 GiB, against one of 100 MiB.
for size in 100 2048; do
	truncate -s ${size}M image-$size
	dd if=bytes of=image-$size bs=1M count=90 conv=notrunc status=none
	tool import snap-$size image-$size
done
for ((i = 0; i < RUNS; i++)); do
	took tool clone vol-small $((2048 << 20)) snap-100
	small=$us
	took tool clone vol-large $((2048 << 20)) snap-2048
	ratio large "$us" "$small"
	tool remove vol-small
	tool remove vol-large
done
umount /mnt
