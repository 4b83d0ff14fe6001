# An image of Debian 12 that ec2fs boots: what make-debian-image and tests/host/make-host share.
#
# They set the array `packages`, may define furnish, and call debian_image. Packages come from where apt on this machine
# gets Debian's own from, checked by Debian's keys.
# shellcheck shell=bash

architecture=amd64
# What every image needs; no more of the kernel's modules in the ramdisk than finding the root takes.
base_packages=(
	systemd-sysv udev dbus "linux-image-cloud-$architecture" initramfs-tools zstd e2fsprogs
	openssh-server iproute2 iputils-ping netbase procps kmod ca-certificates
)
ramdisk_modules=(virtio_pci virtio_blk)
# Nobody reads a manual in a machine that lives for a day.
dpkg_options=(
	'path-exclude=/usr/share/man/*' 'path-exclude=/usr/share/info/*' 'path-exclude=/usr/share/locale/*'
	'path-include=/usr/share/locale/locale.alias' 'path-exclude=/usr/share/doc/*' 'path-include=/usr/share/doc/*/copyright'
)

die()
{
	echo "${0##*/}: $*" >&2
	exit 1
}

# For what is this machine's fault, or the network's.
unable()
{
	echo "${0##*/}: $*" >&2
	exit 75
}

# The archives of Debian 12 that apt knows, as lines of a sources.list.
debian_sources()
{
	# shellcheck disable=SC2016 # apt-get puts the values in
	apt-get indextargets --format \
		'$(CODENAME) deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' 'Origin: Debian' "Architecture: $architecture" 2>/dev/null |
		sed -nE 's/^bookworm(-updates|-security)? deb /deb /p' | sort -u
}

# Reads what mmdebstrap says into a log; a terminal sees it move, anyone else a line every 20 seconds.
progress()
{
	local count=0 last=$SECONDS line

	while IFS= read -r line; do
		echo "$line" >>"$1"
		case $line in
		Get:* | Unpacking* | Setting\ up*) count=$((count + 1)) ;;
		*) continue ;;
		esac
		if [ -t 2 ]; then
			printf '\r\033[K  %s' "${line:0:70}" >&2
		elif [ $((SECONDS - last)) -ge 20 ]; then
			echo "  step $count: ${line:0:60}" >&2
			last=$SECONDS
		fi
	done
	[ ! -t 2 ] || printf '\r\033[K' >&2
}

# Unpacks and configures the packages into the directory $work/root.
debian_root()
{
	local option options=() include

	for option in "${dpkg_options[@]}"; do options+=(--dpkgopt="$option"); done
	include=$(IFS=, && echo "${base_packages[*]},${packages[*]}")
	# How this machine reaches its archives is nobody's business in the image.
	apt-config dump 2>/dev/null | grep -E '^Acquire::(https?::|Check-|Retries|Languages|ForceIPv)' >"$work/apt.conf" || true
	cat >"$work/before" <<-'EOF'
		#!/bin/sh -e
		cp "${0%/*}/apt.conf" "$1/etc/apt/apt.conf.d/00builder"
	EOF
	cat >"$work/ramdisk" <<-EOF
		#!/bin/sh -e
		mkdir -p "\$1/etc/initramfs-tools/conf.d"
		printf '%s\n' ${ramdisk_modules[*]} >"\$1/etc/initramfs-tools/modules"
		printf '%s\n' MODULES=list COMPRESS=gzip >"\$1/etc/initramfs-tools/conf.d/image"
	EOF
	chmod +x "$work/before" "$work/ramdisk"
	debian_sources >"$work/sources.list"
	if [ ! -s "$work/sources.list" ]; then
		apt-get -q update >"$work/log" 2>&1 || true
		debian_sources >"$work/sources.list"
	fi
	[ -s "$work/sources.list" ] || unable "apt knows no archive of Debian 12 here"
	DEBIAN_FRONTEND=noninteractive mmdebstrap --verbose --mode=root --format=directory --variant=minbase \
		--architectures=$architecture "${options[@]}" --setup-hook="'$work/before' \"\$1\"" \
		--essential-hook="'$work/ramdisk' \"\$1\"" --include="$include" \
		bookworm "$work/root" "$work/sources.list" </dev/null 2>&1 | progress "$work/log" || {
		tail -n 15 "$work/log" >&2
		! grep -qE '^(E|Err).*(Failed to fetch|Unable to fetch|Could not resolve)' "$work/log" ||
			unable "the packages cannot be fetched"
		die "the packages cannot be installed"
	}
	rm "$work/root/etc/apt/apt.conf.d/00builder"
}

# What must not be the same in two machines, nor that of the machine that built the image.
debian_anonymous()
{
	rm -f "$1/etc/resolv.conf" "$1"/etc/ssh/ssh_host_* "$1/var/lib/systemd/random-seed" "$1/var/lib/dbus/machine-id"
	: >"$1/etc/machine-id" # empty: each gets its own at its first boot
	echo debian >"$1/etc/hostname"
	# Present in every image, unlike en_US.
	echo LANG=C.UTF-8 >"$1/etc/default/locale"
	echo '/dev/vda / ext4 errors=remount-ro 0 1' >"$1/etc/fstab"
	rm -rf "$1"/var/log/{apt,dpkg.log,alternatives.log,bootstrap.log,fontconfig.log}
}

# furnish ROOT DIR: puts into the root directory what is in no package, and into DIR what belongs beside the disk.
furnish() { :; }

# debian_image DIR SIZE SOURCE…: writes DIR/disk (ext4, sparse), kernel, ramdisk and cmdline; nothing when what is there
# has been made of the same sources (files) and size. Exits with 75 where it cannot be made at all.
debian_image()
{
	local out size=$2 stamp start=$SECONDS file

	[[ $size =~ ^[1-9][0-9]*[MG]$ ]] || die "\"$size\" is no size; 2G, 3000M … are"
	[ "$(id -u)" = 0 ] || unable "only root can make this image"
	[ "$(dpkg --print-architecture)" = $architecture ] || unable "this image is for $architecture only"
	command -v mmdebstrap >/dev/null || unable "the package mmdebstrap is not installed"
	mkdir -p "$1"
	out=$(cd "$1" && pwd)
	shift 2
	exec 9<"$out"
	flock 9 # another who makes it at the same time
	stamp=$(cat "$@" "${BASH_SOURCE[0]}" - <<<"$size" | sha256sum)
	if [ "$(cat "$out/.stamp" 2>/dev/null)" = "$stamp" ] &&
		[ -f "$out/disk" ] && [ -f "$out/kernel" ] && [ -f "$out/ramdisk" ] && [ -f "$out/cmdline" ]; then
		return 0
	fi
	rm -rf --one-file-system "$out"/.new.*
	work=$(mktemp -d "$out/.new.XXXXXX")
	trap 'rm -rf --one-file-system "$work"' EXIT
	chmod 755 "$work"

	echo "making an image of Debian 12 in $out, once: a minute or two" >&2
	debian_root 9>&-
	debian_anonymous "$work/root"
	mkdir "$work/new"
	cp "$work"/root/boot/vmlinuz-* "$work/new/kernel"
	# Not compressed: an emulated processor would spend seconds on it.
	gzip -dc "$work"/root/boot/initrd.img-* >"$work/new/ramdisk"
	echo "root=/dev/vda ro console=ttyS0 quiet" >"$work/new/cmdline"
	furnish "$work/root" "$work/new"
	truncate -s "$size" "$work/new/disk"
	PATH=$PATH:/sbin:/usr/sbin mke2fs -q -F -t ext4 -L debian -m 1 -E lazy_itable_init=1,lazy_journal_init=1 \
		-d "$work/root" "$work/new/disk" >"$work/log" 2>&1 || die "a file system of $size cannot be made: $(tail -n 3 "$work/log")"
	rm -f "$out/.stamp"
	for file in "$work"/new/*; do
		mv "$file" "$out/${file##*/}"
	done
	echo "$stamp" >"$out/.stamp"
	echo "made it in $((SECONDS - start)) s" >&2
}
