// SPDX-License-Identifier: Apache-2.0
// A stream's client with sd-bus: opens an endpoint on a channel that answers each message with the
// same, acquires its stream, and for each line of standard input, a number, sends so many packets and
// takes as many back. stream-glib.c and stream.py are the same program.
//
// usage: stream-sd-bus BUS_ADDRESS CHANNEL_PATH

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>

// How many may be on their way: an endpoint that does not read in time loses messages.
enum { WINDOW = 32 };

static void fail(const char* what, const sd_bus_error* error, int result) {
  const char* text = error != NULL && error->message != NULL ? error->message : strerror(-result);
  fprintf(stderr, "%s: %s\n", what, text);
  exit(1);
}

static sd_bus* connect_bus(const char* address) {
  sd_bus* bus = NULL;
  int result = sd_bus_new(&bus);
  if (result >= 0) result = sd_bus_set_address(bus, address);
  if (result >= 0) result = sd_bus_set_bus_client(bus, 1);
  if (result >= 0) result = sd_bus_negotiate_fds(bus, 1);
  if (result >= 0) result = sd_bus_start(bus);
  if (result < 0) fail(address, NULL, result);
  return bus;
}

/// The path of a new endpoint, which the caller frees.
static char* open_channel(sd_bus* bus, const char* channel) {
  sd_bus_error error = SD_BUS_ERROR_NULL;
  sd_bus_message* reply = NULL;
  const char* path;
  int result = sd_bus_call_method(bus, "org.rpmsg", channel, "org.rpmsg.Channel", "Open", &error,
                                  &reply, "a{sv}", 0);
  if (result >= 0) result = sd_bus_message_read(reply, "o", &path);
  if (result < 0) fail("Open", &error, result);
  char* copy = strdup(path);
  sd_bus_message_unref(reply);
  return copy;
}

/// The socket, which the caller closes, and the most bytes of a packet.
static int acquire_stream(sd_bus* bus, const char* endpoint, uint16_t* mtu) {
  sd_bus_error error = SD_BUS_ERROR_NULL;
  sd_bus_message* reply = NULL;
  int fd;
  int result = sd_bus_call_method(bus, "org.rpmsg", endpoint, "org.rpmsg.Endpoint",
                                  "AcquireStream", &error, &reply, "a{sv}", 1, "hold", "u", 64);
  if (result >= 0) result = sd_bus_message_read(reply, "hq", &fd, mtu);
  if (result < 0) fail("AcquireStream", &error, result);
  // The message owns the one that it holds.
  const int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  sd_bus_message_unref(reply);
  return own;
}

static void send_packet(int stream, uint8_t* packet, size_t size, uint32_t number) {
  memcpy(packet, &number, sizeof number);
  if (send(stream, packet, size, MSG_NOSIGNAL) < 0) fail("send", NULL, -errno);
}

static void exchange(int stream, uint16_t mtu, uint32_t count) {
  static uint8_t packet[UINT16_MAX];
  for (uint32_t sent = 0, taken = 0; taken < count; taken++) {
    for (; sent < count && sent < taken + WINDOW; sent++)
      send_packet(stream, packet, mtu, sent);
    const ssize_t size = recv(stream, packet, mtu, 0);
    if (size < 0) fail("recv", NULL, -errno);
    if (size == 0) fail("recv", NULL, -EPIPE); // the endpoint was closed
    uint32_t number;
    memcpy(&number, packet, sizeof number);
    if (size != mtu || number != taken) fail("recv", NULL, -EBADMSG);
  }
  printf("%u packets of %u bytes came back\n", count, mtu);
}

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  setvbuf(stdout, NULL, _IOLBF, 0);
  sd_bus* bus = connect_bus(argv[1]);
  char* endpoint = open_channel(bus, argv[2]);
  uint16_t mtu;
  const int stream = acquire_stream(bus, endpoint, &mtu);
  char line[32];
  while (fgets(line, sizeof line, stdin) != NULL)
    exchange(stream, mtu, (uint32_t)strtoul(line, NULL, 10));
  // The endpoint dies with the connection to the bus, and the stream with it.
  sd_bus_flush_close_unref(bus);
  free(endpoint);
  return 0;
}
