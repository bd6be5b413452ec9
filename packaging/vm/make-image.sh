#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# make-image.sh ROOT KERNEL TREE TESTS IMAGE: the emulated machine's file system as one archive that
# its kernel unpacks into memory: the Debian ROOT, modules of KERNEL (fetch-kernel.sh), what TREE
# installs (npm run install-tree) and the program TESTS. Needs root.
set -euo pipefail
root=$1 kernel=$2 tree=$3 tests=$4 image=$5
here=$(dirname "$0")

scratch=$(mktemp -d "$(dirname "$image")/image.XXXXXX")
trap 'rm -rf --one-file-system "$scratch"' EXIT
# It fills memory twice while it is unpacked: what no test reads stays out.
tar -C "$root" -c --one-file-system --exclude=./usr/share/{doc,man,info,i18n,perl,zoneinfo} \
  --exclude=./usr/lib/udev/hwdb.{bin,d} --exclude=./var/{lib/apt/lists,lib/dpkg/info,cache} . |
  tar -C "$scratch" -x
mkdir -p "$scratch/usr/lib/modules"
cp -R "$kernel/modules/." "$scratch/usr/lib/modules/"
cp -R "$tree/." "$scratch/"
install -m 755 "$tests" "$scratch/usr/lib/rpmsgd/vm-tests"
aarch64-linux-gnu-strip "$scratch/usr/lib/rpmsgd/vm-tests"

# No network, but programs that listen to themselves.
echo '127.0.0.1 localhost' >"$scratch/etc/hosts"
install -m 755 "$here/vm-agent" "$scratch/usr/local/sbin/vm-agent"
install -m 644 "$here/vm-agent.service" "$scratch/etc/systemd/system/vm-agent.service"
mkdir -p "$scratch/etc/systemd/system/multi-user.target.wants"
ln -s ../vm-agent.service "$scratch/etc/systemd/system/multi-user.target.wants/vm-agent.service"
printf '%s\n' virtio_mmio virtio_console uio_pdrv_genirq >"$scratch/etc/modules-load.d/vm.conf"
echo 'options uio_pdrv_genirq of_id=generic-uio' >"$scratch/etc/modprobe.d/uio.conf"
for unit in apt-daily.timer apt-daily-upgrade.timer e2scrub_reap.service getty@tty1.service \
  serial-getty@ttyAMA0.service systemd-firstboot.service modprobe@.service; do
  ln -sf /dev/null "$scratch/etc/systemd/system/$unit"
done
ln -s lib/systemd/systemd "$scratch/init"
depmod -b "$scratch" "$(ls "$kernel/modules")"

(cd "$scratch" && find . -xdev | cpio --quiet -o -H newc -R 0:0) >"$image"
