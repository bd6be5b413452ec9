#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# make-root.sh ARCHITECTURE DIRECTORY: makes the Debian 12 root that the packages are installed in,
# with what they depend on and nothing to build with. DIRECTORY appears when it is complete, and is
# never made twice. Needs root; another architecture needs its emulator registered.
set -euo pipefail
architecture=$1 target=$2
[[ ! -d $target ]] || exit 0
# shellcheck source=packaging/dev/debian-sources.sh
source "$(dirname "$0")/../dev/debian-sources.sh"

# What the packages depend on: the roots have no network. Two bus daemons, of which a test picks one.
case $architecture in
  amd64) packages=nodejs,systemd,systemd-sysv,udev,dbus,dbus-broker,apt-utils,procps ;;
  *) packages=nodejs,systemd,systemd-sysv,udev,dbus,kmod ;;
esac

mkdir -p "$(dirname "$target")"
scratch=$(mktemp -d "$(dirname "$target")/making.XXXXXX")
trap 'rm -rf --one-file-system "$scratch"' EXIT
# Nothing is written to disk for safety's sake: a root that was not completed is thrown away.
debian_root "$scratch" "$scratch/root" --architectures="$architecture" --include="$packages" \
  --dpkgopt='force-unsafe-io' --dpkgopt='path-exclude=/usr/share/locale/*' \
  --customize-hook='printf "%032d\n" 1 >"$1/etc/machine-id"' \
  --customize-hook='printf "%s\n" machine >"$1/etc/hostname"'
# Kept whatever the umask: users of the root walk through it.
chmod 0755 "$scratch/root"
mv "$scratch/root" "$target"
