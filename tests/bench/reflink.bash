#!/bin/bash
# reflink.bash TOOL DIRECTORY RUNS: as lvm.bash, on a new XFS, which clones files: a launch's disk from an image of 2 GiB,
# against one of 100 MiB. DIRECTORY is empty.
set -euo pipefail
TOOL=$1 home=$2 RUNS=$3
finish()
{
	[ -z "${BATCH_PID-}" ] || { eval "exec ${BATCH[1]}>&-" && wait "$BATCH_PID"; } || true
	! mountpoint -q "$home/mnt" || umount "$home/mnt"
}
trap finish EXIT
truncate -s 6G "$home/disk"
mkfs.xfs -q -m reflink=1 "$home/disk"
mkdir -p "$home/mnt"
mount -o loop "$home/disk" "$home/mnt"
mkdir "$home/mnt/volumes"

coproc BATCH { OWNER=bench "$TOOL" "file:$home/mnt/volumes" batch; }
tool()
{
	local answer

	echo "$*" >&"${BATCH[1]}"
	read -r answer <&"${BATCH[0]}"
	[[ $answer == ok* ]] || { echo "$answer" >&2; exit 1; }
}
# took COMMAND…: its microseconds, in $us.
took()
{
	local start=${EPOCHREALTIME/[.,]/}

	"$@" >/dev/null
	us=$((${EPOCHREALTIME/[.,]/} - start))
}
for size in 100 2048; do
	head -c $((size * 9 / 10))M /dev/zero | tr '\0' x >"$home/mnt/image"
	truncate -s ${size}M "$home/mnt/image"
	tool import snap-$size "$home/mnt/image"
	rm "$home/mnt/image"
done
sync "$home/mnt"
for ((i = -1; i < RUNS; i++)); do
	took tool clone vol-small $((2048 << 20)) snap-100
	small=$us
	took tool clone vol-large $((2048 << 20)) snap-2048
	[ "$i" -lt 0 ] || awk -v a="$us" -v b="$small" 'BEGIN {printf "reflink %.3f\n", a / b}'
	tool remove vol-small
	tool remove vol-large
done
