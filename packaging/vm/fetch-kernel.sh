#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# fetch-kernel.sh DIRECTORY: Debian 12's own arm64 kernel, the modules that the emulated machine needs
# and uio_pdrv_genirq.ko, which Debian leaves out: built from its source against its headers, with the
# cross compiler. DIRECTORY appears when it is complete, and is never made twice. Nothing is installed.
set -euo pipefail
target=$1
[[ ! -d $target ]] || exit 0
# shellcheck source=packaging/dev/debian-sources.sh
source "$(dirname "$0")/../dev/debian-sources.sh"

mkdir -p "$(dirname "$target")"
scratch=$(mktemp -d "$(dirname "$target")/making.XXXXXX")
trap 'rm -rf --one-file-system "$scratch"' EXIT

# An apt of its own, for two architectures: this machine's knows one and stays as it is.
mkdir -p "$scratch"/apt/{lists/partial,cache/archives/partial} "$scratch"/{debs,unpacked,out/modules}
debian_sources "$scratch/apt/sources"
[[ -n $(ls "$scratch/apt/sources") ]] || {
  echo "fetch-kernel: apt knows no source of Debian 12 (bookworm) on this machine: add one" >&2
  exit 1
}
{
  apt_settings
  cat <<SETTINGS
APT::Architecture "amd64";
APT::Architectures { "amd64"; "arm64"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$scratch/apt/sources";
Dir::State::Lists "$scratch/apt/lists";
Dir::State::Status "$scratch/apt/status";
Dir::Cache "$scratch/apt/cache";
SETTINGS
} >"$scratch/apt/apt.conf"
touch "$scratch/apt/status"
export APT_CONFIG=$scratch/apt/apt.conf
apt-get -qq update

image=$(apt-cache depends linux-image-arm64:arm64 | grep -oE 'linux-image-[0-9][^: ]*' | head -n 1)
release=${image#linux-image-}
version=${release%-arm64}
series=$(grep -oE '^[0-9]+\.[0-9]+' <<<"$version")
(cd "$scratch/debs" && apt-get -qq download "$image:arm64" "linux-headers-$release:arm64" \
  "linux-headers-$version-common" "linux-kbuild-$series:amd64" "linux-source-$series")

for package in "$scratch"/debs/linux-{image,headers,kbuild}-*.deb; do
  dpkg-deb --extract "$package" "$scratch/unpacked"
done
headers=$scratch/unpacked/usr/src/linux-headers-$release
sed -i "s,/usr/src/,$scratch/unpacked/usr/src/," "$headers/Makefile"

mkdir "$scratch/module"
source=linux-source-$series
dpkg-deb --fsys-tarfile "$scratch"/debs/"$source"_*.deb | tar -xO "./usr/src/$source.tar.xz" |
  tar -xJO "$source/drivers/uio/uio_pdrv_genirq.c" >"$scratch/module/uio_pdrv_genirq.c"
echo 'obj-m := uio_pdrv_genirq.o' >"$scratch/module/Makefile"
make -s -C "$headers" M="$scratch/module" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- modules \
  2> >(grep -v 'Skipping BTF' >&2)

modules=$scratch/unpacked/lib/modules/$release
for module in drivers/uio/uio drivers/virtio/virtio_mmio drivers/char/virtio_console; do
  install -D -m 644 "$modules/kernel/$module.ko" "$scratch/out/modules/$release/kernel/$module.ko"
done
install -D -m 644 "$scratch/module/uio_pdrv_genirq.ko" \
  "$scratch/out/modules/$release/extra/uio_pdrv_genirq.ko"
aarch64-linux-gnu-strip --strip-debug "$scratch/out/modules/$release/extra/uio_pdrv_genirq.ko"
cp "$modules"/modules.{builtin,builtin.modinfo,order} "$scratch/out/modules/$release/"
cp "$scratch/unpacked/boot/vmlinuz-$release" "$scratch/out/vmlinuz"
mv "$scratch/out" "$target"
