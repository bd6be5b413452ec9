# SPDX-License-Identifier: Apache-2.0
# For scripts that make a Debian 12 root: fetch its packages from where this machine's own apt does.
# shellcheck shell=bash

# debian_sources DIRECTORY: this machine's Debian entries alone, in either of apt's two formats.
debian_sources() {
  local file
  mkdir "$1"
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources}; do
    [[ -f $file ]] || continue
    case $file in
      *.sources) grep -q '^Signed-By:.*debian-archive-keyring' "$file" && cat "$file" && echo ;;
      *) grep -E '^deb .*\bbookworm(-updates|-security)?\b' "$file" | grep -v 'signed-by=' || true ;;
    esac >"$1/$(basename "$file")"
  done
  find "$1" -empty -delete
}

# How this machine's apt fetches (proxies, retries, clocks), without its lists of what to fetch.
apt_settings() {
  apt-config dump | grep -E '^Acquire::(Check-|Retries|Max-|[a-z]*proxy|https?::)' |
    grep -vE '::(Signed-By|.*::Password)' || true
}

# debian_root SCRATCH ROOT OPTION...: makes a minimal Debian 12 in ROOT; mmdebstrap takes the options.
debian_root() {
  local scratch=$1 root=$2
  shift 2
  debian_sources "$scratch/sources"
  apt_settings >"$scratch/apt.conf"
  local sources=("$scratch"/sources/*)
  # A fresh machine whose apt knows no source on this one takes mmdebstrap's default.
  [[ -e ${sources[0]:-} ]] || sources=()
  mmdebstrap --quiet --variant=minbase --aptopt="$scratch/apt.conf" "$@" bookworm "$root" \
    "${sources[@]}"
}
