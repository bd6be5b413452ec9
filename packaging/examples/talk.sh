#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Talks to a channel of an M core: one message and its answer by calls of busctl, then lines of standard
# input as messages of a stream, and messages received as lines of standard output, through resets of
# the M core.
#
# A shell cannot take the descriptor that a stream is, and busctl has gone with its endpoint after each
# call. So the calls use the channel's shared endpoint, and the stream is rpmsgctl's.
#
# usage: talk.sh [CHANNEL]      (default echo)
set -eu

name=${1:-echo}
rpmsg() {
	busctl --system call org.rpmsg "$@"
}

# The first channel of that name. Paths have it escaped, so each is asked.
channel=
for path in $(busctl --system --list tree org.rpmsg | grep /channel_); do
	found=$(busctl --system get-property org.rpmsg "$path" org.rpmsg.Channel Name)
	[ "$found" != "s \"$name\"" ] || { channel=$path && break; }
done
[ -n "$channel" ] || { echo "no M core has announced $name" >&2 && exit 1; }
echo "channel $channel"

# Bytes are decimal numbers, with their count before them.
set -- $(printf hello | od -An -v -tu1)
rpmsg "$channel" org.rpmsg.Endpoint Send ay $# "$@"
# a(tuutay)t, how many messages; of each: seq, source, generation, time, size, bytes; messages dropped.
set -- $(rpmsg "$channel" org.rpmsg.Endpoint Receive uu 1 1000)
if [ "$2" = 1 ]; then
	source=$4 size=$7
	shift 7
	text=
	while [ "$size" -gt 0 ]; do
		text=$text$(printf '\\%03o' "$1")
		size=$((size - 1))
		shift
	done
	echo "received $(printf "$text") from $source"
fi

place=${channel#/org/rpmsg/}
echo "streaming by rpmsgctl"
exec rpmsgctl stream "${place%/*}" "$name" --lines
