#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A stream's client in Python: what stream-sd-bus.c does.

usage: stream.py BUS_ADDRESS CHANNEL_PATH
"""

import socket
import struct
import sys

import dbus
import dbus.bus

# How many may be on their way: an endpoint that does not read in time loses messages.
WINDOW = 32


def open_channel(bus, channel):
    """The object of a new endpoint on a channel."""
    options = dbus.Dictionary({}, signature="sv")
    proxy = dbus.Interface(bus.get_object("org.rpmsg", channel), "org.rpmsg.Channel")
    return bus.get_object("org.rpmsg", proxy.Open(options))


def acquire_stream(endpoint):
    """The socket of an endpoint's stream, and the most bytes of a packet."""
    options = dbus.Dictionary({"hold": dbus.UInt32(64)}, signature="sv")
    fd, mtu = dbus.Interface(endpoint, "org.rpmsg.Endpoint").AcquireStream(options)
    return socket.socket(fileno=fd.take()), int(mtu)


def exchange(stream, mtu, count):
    """Sends `count` packets and takes as many back."""
    sent = 0
    for taken in range(count):
        while sent < count and sent < taken + WINDOW:
            stream.send(struct.pack("=I", sent).ljust(mtu, b"\0"))
            sent += 1
        packet = stream.recv(mtu)
        if not packet:
            sys.exit("the endpoint was closed")
        if len(packet) != mtu or struct.unpack_from("=I", packet) != (taken,):
            sys.exit(f"wrong packet in place of {taken}")
    print(f"{count} packets of {mtu} bytes came back", flush=True)


def main():
    address, channel = sys.argv[1:]
    bus = dbus.bus.BusConnection(address)
    endpoint = open_channel(bus, channel)
    stream, mtu = acquire_stream(endpoint)
    for line in sys.stdin:
        exchange(stream, mtu, int(line))


main()
