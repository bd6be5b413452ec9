// SPDX-License-Identifier: Apache-2.0
// What the sd-bus clients of streams share: the bus, an endpoint of their own, its stream, and numbered
// messages whose every byte can be checked.
#pragma once

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>

enum { MOST_BYTES = 496 };

static inline void fail(const char* what, const sd_bus_error* error, int result) {
  const char* text = error != NULL && error->message != NULL ? error->message : strerror(-result);
  fprintf(stderr, "%s: %s\n", what, text);
  exit(1);
}

static inline sd_bus* connect_bus(const char* address) {
  sd_bus* bus = NULL;
  int result = sd_bus_new(&bus);
  if (result >= 0) result = sd_bus_set_address(bus, address);
  if (result >= 0) result = sd_bus_set_bus_client(bus, 1);
  if (result >= 0) result = sd_bus_negotiate_fds(bus, 1);
  if (result >= 0) result = sd_bus_start(bus);
  if (result < 0) fail(address, NULL, result);
  return bus;
}

/// The path of a new endpoint of the channel; it ends with this process.
static inline char* open_channel(sd_bus* bus, const char* channel) {
  sd_bus_error error = SD_BUS_ERROR_NULL;
  sd_bus_message* reply = NULL;
  const char* path;
  int result = sd_bus_call_method(bus, "org.rpmsg", channel, "org.rpmsg.Channel", "Open", &error,
                                  &reply, "a{sv}", 0);
  if (result >= 0) result = sd_bus_message_read(reply, "o", &path);
  if (result < 0) fail("Open", &error, result);
  char* const copy = strdup(path);
  sd_bus_message_unref(reply);
  return copy;
}

/// A socket that never blocks.
static inline int acquire_stream(sd_bus* bus, const char* endpoint, uint32_t hold) {
  sd_bus_error error = SD_BUS_ERROR_NULL;
  sd_bus_message* reply = NULL;
  int fd;
  uint16_t mtu;
  int result = sd_bus_call_method(bus, "org.rpmsg", endpoint, "org.rpmsg.Endpoint",
                                  "AcquireStream", &error, &reply, "a{sv}", 1, "hold", "u", hold);
  if (result >= 0) result = sd_bus_message_read(reply, "hq", &fd, &mtu);
  if (result < 0) fail("AcquireStream", &error, result);
  if (mtu < MOST_BYTES) fail("mtu", NULL, -EMSGSIZE);
  // The message owns the one that it holds.
  const int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  sd_bus_message_unref(reply);
  if (fcntl(own, F_SETFL, O_NONBLOCK) != 0) fail("O_NONBLOCK", NULL, -errno);
  return own;
}

/// Messages that the daemon says this process has lost, or not sent.
static uint64_t overrun;
static uint32_t refused;

static inline int on_signal(sd_bus_message* message, void* data, sd_bus_error* error) {
  (void)data;
  (void)error;
  uint64_t dropped;
  uint32_t count;
  if (sd_bus_message_is_signal(message, "org.rpmsg.Endpoint", "Overrun") > 0 &&
      sd_bus_message_read(message, "t", &dropped) >= 0) {
    overrun += dropped;
  } else if (sd_bus_message_is_signal(message, "org.rpmsg.Endpoint", "PacketRefused") > 0 &&
             sd_bus_message_read(message, "u", &count) >= 0) {
    refused += count;
  }
  return 0;
}

static inline void hear_signals(sd_bus* bus) {
  const int result = sd_bus_add_filter(bus, NULL, on_signal, NULL);
  if (result < 0) fail("filter", NULL, result);
}

static inline void process_bus(sd_bus* bus) {
  int result;
  while ((result = sd_bus_process(bus, NULL)) > 0) {
  }
  if (result < 0) fail("the bus", NULL, result);
}

/// Byte i of message `number` is number + i, but for the number itself in front.
static inline size_t fill_message(uint8_t* message, uint32_t number, size_t bytes) {
  for (size_t i = sizeof number; i < bytes; i++)
    message[i] = (uint8_t)(number + i);
  memcpy(message, &number, sizeof number);
  return bytes;
}

static inline uint32_t number_of(const uint8_t* message) {
  uint32_t number;
  memcpy(&number, message, sizeof number);
  return number;
}
