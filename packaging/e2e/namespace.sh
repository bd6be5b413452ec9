#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# namespace.sh COMMAND...: runs COMMAND where it may mount and start what it likes. Mounts and
# processes live in namespaces that end with it, however it ends; its scratch directory
# (RPMSGD_E2E_SCRATCH), its control group (RPMSGD_E2E_CGROUP) and an emulator that it had to
# register are cleared away behind it. Needs root.
set -euo pipefail

binfmt=/proc/sys/fs/binfmt_misc

# The parts that only the namespaces see; the caller's file systems stay as they are.
if [[ ${RPMSGD_E2E_NAMESPACE:-} == own ]]; then
  mount -t tmpfs -o mode=0755 tmpfs "$RPMSGD_E2E_SCRATCH"
  # systemd-nspawn keeps its things here, and refuses to clear away what is on a disk.
  mkdir -p /run/systemd/nspawn
  mount -t tmpfs -o mode=0755 tmpfs /run/systemd/nspawn
  mountpoint -q "$binfmt" || mount -t binfmt_misc binfmt_misc "$binfmt"
  [[ -e $binfmt/qemu-aarch64 ]] || update-binfmts --enable qemu-aarch64
  # Not exec: this shell is process 1 here, and takes in whatever loses its parent.
  "$@" || exit "$?"
  exit 0
fi

cgroup2() {
  findmnt --noheadings --first-only --types cgroup2 --output TARGET
}

# Sees the registrations whether or not this machine has them mounted.
with_binfmt() {
  unshare --mount --propagation private sh -c '
    mountpoint -q "$0" || mount -t binfmt_misc binfmt_misc "$0"
    exec "$@"' "$binfmt" "$@"
}

scratch=$(mktemp -d "${TMPDIR:-/var/tmp}/rpmsgd-e2e.XXXXXX")
cgroup=$(cgroup2)/$(basename "$scratch")
mkdir "$cgroup"
registered=no
child=

clean_up() {
  local tries
  # The kernel empties control groups a moment after their processes ended.
  for ((tries = 0; tries < 50; tries++)); do
    find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null && break
    sleep 0.1
  done
  rm -rf --one-file-system "$scratch"
  # Some kernels keep a registration when its mount is gone.
  [[ $registered == no ]] || with_binfmt update-binfmts --disable qemu-aarch64 2>/dev/null || true
}
stop() {
  trap '' TERM INT HUP
  [[ -z $child ]] || kill -KILL -- "-$child" 2>/dev/null || true
}
trap clean_up EXIT
trap stop TERM INT HUP

with_binfmt test -e "$binfmt/qemu-aarch64" || registered=yes
export RPMSGD_E2E_SCRATCH=$scratch RPMSGD_E2E_CGROUP=$cgroup
set -m
RPMSGD_E2E_NAMESPACE=own unshare --mount --propagation private --pid --fork --mount-proc \
  --kill-child=KILL -- "$0" "$@" </dev/null &
child=$!
set +m
status=0
wait "$child" || status=$?
# A signal ends `wait` early: the namespace is to be gone before its folder goes.
while kill -0 "$child" 2>/dev/null; do wait "$child" || status=$?; done
exit "$status"
