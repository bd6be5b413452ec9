#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A fresh machine: makes a minimal Debian 12 root with Debian's own Node and npm, clones this checkout
# into it, and runs the README's two commands there as written. Needs root and mmdebstrap. Packages
# come from wherever this machine's own apt and npm get theirs. The last line adds the tests up.
set -euo pipefail

checkout=$(cd "$(dirname "$0")/../.." && pwd)
demo_seconds=${RPMSGD_DEMO_SECONDS:-10}
# shellcheck source=packaging/dev/debian-sources.sh
source "$checkout/packaging/dev/debian-sources.sh"

# Mounts live in a namespace of this script's own: they end with it, however it ends.
if [[ ${RPMSGD_FRESH_ROOT_NAMESPACE:-} != own ]]; then
  base=$(mktemp -d "${TMPDIR:-/var/tmp}/rpmsgd-fresh-root.XXXXXX")
  child=
  stop() {
    trap '' TERM INT
    [[ -z $child ]] || kill -TERM -- "-$child" 2>/dev/null || true
  }
  # One file system only: nothing that was mounted inside can be reached from here.
  trap 'rm -rf --one-file-system "$base"' EXIT
  trap stop TERM INT
  set -m
  RPMSGD_FRESH_ROOT_NAMESPACE=own unshare --mount --propagation private --pid --fork \
    --kill-child=KILL -- "$0" "$base" </dev/null &
  child=$!
  set +m
  status=0
  wait "$child" || status=$?
  # A signal ends `wait` early: the namespace is to be gone before its folder goes.
  while kill -0 "$child" 2>/dev/null; do wait "$child" || status=$?; done
  exit "$status"
fi

base=$1
root=$base/root
log() { printf '== fresh root: %s\n' "$*"; }

make_root() {
  local certificates=/etc/ssl/certs/ca-certificates.crt
  debian_root "$base" "$root" --include=nodejs,npm,ca-certificates
  [[ ! -f $certificates ]] || cp -L "$certificates" "$root$certificates"
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
}

mount_kernel() {
  mount -t proc proc "$root/proc"
  mount -t sysfs -o ro sysfs "$root/sys"
  mount -t tmpfs -o mode=0755,size=64m tmpfs "$root/dev"
  local node
  for node in null zero full random urandom tty; do
    touch "$root/dev/$node"
    mount --bind "/dev/$node" "$root/dev/$node"
  done
  ln -s /proc/self/fd "$root/dev/fd"
  mkdir "$root/dev/shm" "$root/dev/pts"
  mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
  ln -s pts/ptmx "$root/dev/ptmx"
  mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
  mount -t tmpfs -o mode=0755 tmpfs "$root/run"
}

# Settings that this machine's npm was given, as environment: no file of a user is copied.
npm_settings() {
  local key value
  for key in registry cafile proxy https-proxy noproxy strict-ssl; do
    value=$(cd / && npm config get "$key" 2>/dev/null) || continue
    [[ -z $value || $value == null || $value == undefined ]] && continue
    [[ $key != cafile ]] || value=/etc/ssl/certs/ca-certificates.crt
    printf 'npm_config_%s=%s\n' "${key//-/_}" "$value"
  done
  for key in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
    [[ -z ${!key:-} ]] || printf '%s=%s\n' "$key" "${!key}"
  done
}

# Runs a command line in the root's checkout, as root or as the user given, with a clean environment.
inside() {
  local user=$1 home=$2
  shift 2
  env -i "${settings[@]}" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME="$home" LANG=C.UTF-8 CI=true NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt \
    chroot --userspec="$user" "$root" /bin/sh -c 'cd /src && exec "$@"' sh "$@"
}

passed=0 failed=0 skipped=0

verdict() { # verdict OK? WHAT
  if [[ $1 == yes ]]; then
    passed=$((passed + 1))
    log "ok: $2"
  else
    failed=$((failed + 1))
    log "FAILED: $2"
  fi
}

# Someone who may not install packages is told the exact line, and nothing is tried.
check_unprivileged() {
  local output status=0 ok=no
  output=$(inside 65534:65534 /tmp npm test 2>&1) || status=$?
  printf '%s\n' "$output"
  [[ $status == 1 && $output == *'apt-get install --no-install-recommends g++ '* ]] && ok=yes
  verdict "$ok" 'without root, a missing package is an apt-get line and exit status 1'
}

# What shows traffic: a channel's name, which no line of the demo's set-up carries.
demo_traffic='rpmsg-(openamp-demo-channel|client-sample)|\becho\b'

# `npm run demo` runs until Ctrl-C: it has to show traffic, then to end in good order.
run_demo() {
  local status=0 ok=no output=$base/demo.log pid
  : >"$output"
  set -m
  inside 0:0 /root npm run demo >"$output" 2>&1 </dev/null &
  pid=$!
  set +m
  tail -f --pid="$pid" "$output" &
  local waited=0
  # Set-up comes first and takes its time; then lines of traffic.
  while kill -0 "$pid" 2>/dev/null && ! grep -qE "$demo_traffic" "$output"; do
    sleep 1
    ((++waited < 600)) || break
  done
  sleep "$demo_seconds"
  # The program itself, as its status is asked for: a shell and npm that get Ctrl-C say 130 whatever
  # the program says.
  kill -INT "$(pgrep -g "$pid" -xf 'node packaging/dev/demo.mjs')" || true
  for ((waited = 0; waited < 30; waited++)); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 1
  done
  kill -KILL -- "-$pid" 2>/dev/null || true
  wait "$pid" || status=$?
  wait
  grep -qE "$demo_traffic" "$output" && [[ $status == 0 ]] && ok=yes
  verdict "$ok" "npm run demo shows traffic and ends at Ctrl-C (exit status $status)"
}

# The sanitizers' builds are half of it, and find the same here as on the machine that calls.
run_tests() {
  local status=0 output=$base/test.log sum
  settings+=("RPMSGD_TEST_SKIP=${RPMSGD_TEST_SKIP:-}")
  inside 0:0 /root npm test </dev/null 2>&1 | tee "$output" || status=$?
  sum=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$output" | tail -n 1) || true
  if [[ $sum =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
    passed=$((passed + BASH_REMATCH[1]))
    failed=$((failed + BASH_REMATCH[2]))
    skipped=$((skipped + ${BASH_REMATCH[4]:-0}))
    [[ $status == 0 || ${BASH_REMATCH[2]} -gt 0 ]] || verdict no "npm test: exit status $status"
  else
    verdict no "npm test ended without its sum (exit status $status)"
  fi
}

timed() { # timed WHAT COMMAND...
  local what=$1 started=$SECONDS
  shift
  log "$what"
  "$@"
  log "$what: $((SECONDS - started)) s"
}

mount -t proc proc /proc
timed 'make the root' make_root
mount_kernel
mapfile -t settings < <(npm_settings)
# The checkout may be another user's, which git refuses unless it is told otherwise.
printf '[safe]\n\tdirectory = *\n' >"$base/gitconfig"
GIT_CONFIG_GLOBAL=$base/gitconfig git clone --quiet --no-hardlinks "$checkout" "$root/src"
chmod a+rX "$root" "$base"
timed 'npm test, without root' check_unprivileged
if [[ -e $root/src/packaging/dev/demo.mjs ]]; then
  timed 'npm run demo' run_demo
else
  log 'NO DEMO YET: packaging/dev/demo.mjs does not exist, so npm run demo is not tried'
fi
timed 'npm test' run_tests
printf '%d passed, %d failed' "$passed" "$failed"
((skipped == 0)) || printf ', %d skipped' "$skipped"
printf '\n'
((failed == 0 && passed > 0))
