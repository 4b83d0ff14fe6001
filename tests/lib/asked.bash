# Guests that do what they are told: the tiny image, with another /init. It reads commands from the first block of its root
# disk, runs them, and prints the last line of what they say to the console. No network is needed.
#
#	asked_ramdisk DIR TINY       makes DIR/ramdisk from the tiny image's in TINY, and DIR/disk
#	asked_wait CONSOLE           returns when the guest of that console is up
#	ask DISK CONSOLE COMMAND     has the guest run it; the milliseconds it took (to ten), and its last line. DISK is where the
#	                             host has the guest's root disk.
#
# A guest looks four times a second.
# shellcheck shell=bash

asked_ramdisk()
{
	local work

	mkdir -p "$1"
	work=$(mktemp -d "$1/XXXXXX")
	cat >"$work/init" <<'INIT'
#!/bin/sh
export PATH=/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
exec </dev/null >/dev/ttyS0 2>&1
for module in /modules/*.ko; do insmod "$module"; done
acpid -c /etc/acpi -l /run/acpid.log -p /run/acpid.pid
trap 'sync; poweroff -f' USR2
echo "asked: up"
last=0
while :; do
	dd if=/dev/vda of=/run/asked bs=4k count=1 iflag=direct 2>/dev/null
	read -r number command </run/asked
	if [ "$number" -gt "$last" ] 2>/dev/null; then
		last=$number
		read -r before _ </proc/uptime
		said=$(sh -c "$command" 2>&1 | tail -n 1)
		read -r after _ </proc/uptime
		echo "asked: $number $(((${after/./} - ${before/./}) * 10)) $said"
	fi
	sleep 0.25
done
INIT
	chmod +x "$work/init"
	# What comes later in a ramdisk replaces what came before.
	{ cat "$2/ramdisk" && (cd "$work" && echo init | busybox cpio -o -H newc -R 0:0 2>/dev/null); } >"$1/ramdisk"
	rm -r "$work"
	truncate -s 1M "$1/disk"
}

asked_wait()
{
	local tries=0

	until grep -q '^asked: up' "$1" 2>/dev/null; do
		[ $((tries += 1)) -le 1200 ] || { echo "the guest does not boot: $(tail -n 5 "$1")" >&2; return 1; }
		sleep 0.1
	done
}

ask()
{
	local number tries=0

	number=$(awk '/^asked: [0-9]/ {n++} END {print n + 1}' "$2")
	printf '%d %s\n' "$number" "$3" | dd of="$1" bs=4k conv=sync,notrunc,fsync status=none
	# The line is whole when its end is there: it comes byte by byte.
	until grep -q "^asked: $number .*"$'\r$' "$2"; do
		[ $((tries += 1)) -le 6000 ] || { echo "the guest never answers to: $3" >&2; return 1; }
		sleep 0.02
	done
	sed -n "s/^asked: $number \([^\r]*\)\r*$/\1/p" "$2"
}
