#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Talks to a channel of an M core: one message and its answer by D-Bus calls, then lines of
standard input as messages of a stream, and messages received as lines of standard output, through
resets of the M core.

usage: talk.py [CHANNEL]        (default echo)
"""

import os
import socket
import sys

import dbus
import dbus.mainloop.glib
from gi.repository import GLib

QUIET_MS = 1000  # after the end of the input: nothing came for so long


def find_channel(bus, name):
    """The path of the first channel of that name that is announced."""
    manager = dbus.Interface(
        bus.get_object("org.rpmsg", "/org/rpmsg"), "org.freedesktop.DBus.ObjectManager"
    )
    for path, interfaces in sorted(manager.GetManagedObjects().items()):
        channel = interfaces.get("org.rpmsg.Channel")
        if channel and channel["Name"] == name and channel["RemoteAddress"] != 0xFFFFFFFF:
            return path
    sys.exit(f"no M core has announced {name}")


class Talk:
    """A stream between standard input and output, until the input has ended and no answer comes."""

    def __init__(self, stream, mtu):
        self.stream = stream
        self.mtu = mtu
        self.loop = GLib.MainLoop()
        self.rest = b""
        self.timer = 0
        # What has come is read before more is sent: who does not read loses messages.
        GLib.io_add_watch(stream.fileno(), GLib.PRIORITY_HIGH, GLib.IO_IN | GLib.IO_HUP, self.receive)
        GLib.io_add_watch(0, GLib.PRIORITY_DEFAULT, GLib.IO_IN | GLib.IO_HUP, self.read_lines)

    def receive(self, *_):
        packet = self.stream.recv(self.mtu)
        if not packet:
            sys.exit("the endpoint was closed")
        print(packet.decode(errors="replace"), flush=True)
        if self.timer:
            self.wait_for_more()
        return True

    def read_lines(self, *_):
        data = os.read(0, 4096)
        *lines, self.rest = (self.rest + data).split(b"\n")
        if not data:  # the end; a last line may have none
            lines.append(self.rest)
            self.wait_for_more()
        for line in filter(None, lines):
            if len(line) > self.mtu:
                sys.exit(f"a line of {len(line)} bytes: a message has {self.mtu} at most")
            self.stream.send(line)  # blocks while the M core is slow, or being reset
        return bool(data)

    def wait_for_more(self):
        if self.timer:
            GLib.source_remove(self.timer)
        self.timer = GLib.timeout_add(QUIET_MS, self.loop.quit)


def main():
    name = sys.argv[1] if len(sys.argv) > 1 else "echo"
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    bus = dbus.SystemBus()
    options = dbus.Dictionary({}, signature="sv")

    path = find_channel(bus, name)
    print(f"channel {path}", flush=True)
    channel = dbus.Interface(bus.get_object("org.rpmsg", path), "org.rpmsg.Channel")
    endpoint = bus.get_object("org.rpmsg", channel.Open(options))
    rpmsg = dbus.Interface(endpoint, "org.rpmsg.Endpoint")

    rpmsg.Send(b"hello")
    messages, _dropped = rpmsg.Receive(dbus.UInt32(1), dbus.UInt32(1000), byte_arrays=True)
    for _seq, source, _generation, _time_ns, data in messages:
        print(f"received {bytes(data).decode()} from {source}", flush=True)

    def changed(_interface, properties, _gone):
        if "Connected" in properties:
            state = "is back" if properties["Connected"] else "is being reset"
            print(f"the M core {state}", file=sys.stderr, flush=True)

    endpoint.connect_to_signal(
        "PropertiesChanged", changed, dbus_interface="org.freedesktop.DBus.Properties"
    )
    endpoint.connect_to_signal(
        "Overrun",
        lambda count: print(f"{count} messages lost: not read in time", file=sys.stderr),
        dbus_interface="org.rpmsg.Endpoint",
    )
    fd, mtu = rpmsg.AcquireStream(options)
    stream = socket.socket(fileno=fd.take())
    print(f"streaming, {mtu} bytes a message at most", flush=True)
    Talk(stream, mtu).loop.run()


main()
