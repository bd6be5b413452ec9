// SPDX-License-Identifier: Apache-2.0
// A stream's client with GLib's GDBus: opens an endpoint on a channel that answers each message with the
// same, acquires its stream, and for each line of standard input, a number, sends so many packets and
// takes as many back.
//
// usage: stream-glib BUS_ADDRESS CHANNEL_PATH

#include <gio/gio.h>
#include <gio/gunixfdlist.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

// How many may be on their way: an endpoint that does not read in time loses messages.
enum { WINDOW = 32 };

static void check(const char* what, GError* error) {
  if (error == NULL) return;
  fprintf(stderr, "%s: %s\n", what, error->message);
  exit(1);
}

static GDBusConnection* connect_bus(const char* address) {
  GError* error = NULL;
  const GDBusConnectionFlags flags = G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                     G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION;
  GDBusConnection* bus =
      g_dbus_connection_new_for_address_sync(address, flags, NULL, NULL, &error);
  check(address, error);
  return bus;
}

/// The path of a new endpoint, which the caller frees.
static char* open_channel(GDBusConnection* bus, const char* channel) {
  GError* error = NULL;
  GVariant* reply = g_dbus_connection_call_sync(
      bus, "org.rpmsg", channel, "org.rpmsg.Channel", "Open", g_variant_new("(a{sv})", NULL),
      G_VARIANT_TYPE("(o)"), G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);
  check("Open", error);
  char* path;
  g_variant_get(reply, "(o)", &path);
  g_variant_unref(reply);
  return path;
}

/// The socket, which the caller closes, and the most bytes of a packet.
static int acquire_stream(GDBusConnection* bus, const char* endpoint, guint16* mtu) {
  GError* error = NULL;
  GUnixFDList* fds = NULL;
  GVariantBuilder options;
  g_variant_builder_init(&options, G_VARIANT_TYPE("a{sv}"));
  g_variant_builder_add(&options, "{sv}", "hold", g_variant_new_uint32(64));
  GVariant* reply = g_dbus_connection_call_with_unix_fd_list_sync(
      bus, "org.rpmsg", endpoint, "org.rpmsg.Endpoint", "AcquireStream",
      g_variant_new("(a{sv})", &options), G_VARIANT_TYPE("(hq)"), G_DBUS_CALL_FLAGS_NONE, -1, NULL,
      &fds, NULL, &error);
  check("AcquireStream", error);
  gint32 index;
  g_variant_get(reply, "(hq)", &index, mtu);
  const int fd = g_unix_fd_list_get(fds, index, &error); // a duplicate
  check("AcquireStream", error);
  g_object_unref(fds);
  g_variant_unref(reply);
  return fd;
}

static void exchange(GSocket* stream, guint16 mtu, guint32 count) {
  static char packet[G_MAXUINT16];
  for (guint32 sent = 0, taken = 0; taken < count; taken++) {
    GError* error = NULL;
    for (; sent < count && sent < taken + WINDOW; sent++) {
      memcpy(packet, &sent, sizeof sent);
      g_socket_send(stream, packet, mtu, NULL, &error);
      check("send", error);
    }
    const gssize size = g_socket_receive(stream, packet, mtu, NULL, &error);
    check("receive", error);
    guint32 number;
    memcpy(&number, packet, sizeof number);
    if (size != mtu || number != taken) {
      fprintf(stderr, "receive: %s\n", size == 0 ? "the endpoint was closed" : "wrong packet");
      exit(1);
    }
  }
  printf("%u packets of %u bytes came back\n", count, mtu);
}

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  setvbuf(stdout, NULL, _IOLBF, 0);
  GDBusConnection* bus = connect_bus(argv[1]);
  char* endpoint = open_channel(bus, argv[2]);
  guint16 mtu;
  GError* error = NULL;
  const int fd = acquire_stream(bus, endpoint, &mtu);
  GSocket* stream = g_socket_new_from_fd(fd, &error);
  check("socket", error);
  char line[32];
  while (fgets(line, sizeof line, stdin) != NULL)
    exchange(stream, mtu, (guint32)strtoul(line, NULL, 10));
  g_object_unref(stream);
  g_free(endpoint);
  g_object_unref(bus); // the endpoint dies with the connection
  return 0;
}
