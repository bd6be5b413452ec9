// SPDX-License-Identifier: Apache-2.0
// stream-traffic CHANNEL: opens an endpoint on a channel that echoes, acquires its stream, and
// keeps numbered packets of all sizes going through it both ways, whatever becomes of the daemon
// and of the remote. Acquires the stream again when a daemon comes after the end of file. Ends at
// SIGTERM with one line of JSON: which numbers never came back, what came twice, in another order
// or altered, and what the endpoint counted. Prints OPEN and the endpoint's path; ALIVE, when
// packets have come back, and again when they have under another daemon than before; BACK, when
// they have in a later life of the remote; END at the end of file.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

enum {
  // Packets on their way: more than the ring has buffers (128), so that some wait in the socket.
  // After a reset nobody knows which will be answered, and there may be twice as many: what the
  // endpoint holds for this client (kHold) and the socket keep them.
  kWindow = 192,
  kHold = 256,
  kSignsOfLife = 100, // packets, until the other side is called alive
  kQuietUs = 500000,  // nothing comes any more
  kWaitMs = 50,       // between looks at the clock and at what a signal handler wrote
  kMaxGaps = 64,
};

static const char* const kName = "org.rpmsg";
static const char* const kEndpoint = "org.rpmsg.Endpoint";

/// Numbers that did not come back, between two that did.
struct Gap {
  uint32_t first, count;
};

static sd_bus* bus;
static char* endpoint;
static int stream = -1;
static int is_cut;      // the other end is closed: nothing can be sent
static int may_acquire; // a daemon has come
static uint16_t mtu;
static uint32_t next_number; // to be sent
static uint32_t expected;    // to come back
static uint32_t given_up;    // none before it is waited for
static unsigned echoed, repeated, altered, ends, peer_resets, overruns, refusals, gap_count;
static struct Gap gaps[kMaxGaps];
static uint64_t last_event_us;
static int until_alive = kSignsOfLife, until_back;
static int is_stuck;
static volatile sig_atomic_t stopping;

static void check(int result, const char* what) {
  if (result >= 0) return;
  fprintf(stderr, "stream-traffic: %s: %s\n", what, strerror(-result));
  exit(1);
}
#define CHECK(call) check((call), #call)

static uint64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/// The packet of a number: the number, then bytes that differ from those of its neighbours.
static size_t make_packet(uint8_t* packet, uint32_t number) {
  const size_t size = sizeof number + number % (mtu - sizeof number + 1);
  memcpy(packet, &number, sizeof number);
  for (size_t i = sizeof number; i < size; i++)
    packet[i] = (uint8_t)(number + i);
  return size;
}

static uint32_t on_their_way(void) {
  return next_number - (given_up > expected ? given_up : expected);
}

static void open_on(const char* channel) {
  sd_bus_message* reply = NULL;
  const char* path = NULL;
  CHECK(sd_bus_call_method(bus, kName, channel, "org.rpmsg.Channel", "Open", NULL, &reply, "a{sv}",
                           0));
  CHECK(sd_bus_message_read(reply, "o", &path));
  endpoint = strdup(path);
  sd_bus_message_unref(reply);
}

static void acquire(void) {
  sd_bus_error error = SD_BUS_ERROR_NULL;
  sd_bus_message* reply = NULL;
  int fd = -1;
  const int result = sd_bus_call_method(bus, kName, endpoint, kEndpoint, "AcquireStream", &error,
                                        &reply, "a{sv}", 1, "hold", "u", kHold);
  if (result < 0) fprintf(stderr, "%s: %s\n", error.name, error.message);
  check(result, "AcquireStream");
  CHECK(sd_bus_message_read(reply, "hq", &fd, &mtu));
  stream = fcntl(fd, F_DUPFD_CLOEXEC, 0); // the reply's own is closed with it
  check(stream, "F_DUPFD_CLOEXEC");
  sd_bus_message_unref(reply);
  is_cut = may_acquire = 0;
}

/// What the daemon had not taken is lost with the socket.
static void end_stream(void) {
  close(stream);
  stream = -1;
  given_up = next_number;
  until_alive = kSignsOfLife;
  ends++;
  puts("END");
}

static void take(const uint8_t* packet, size_t size) {
  static uint8_t wanted[UINT16_MAX];
  uint32_t number = next_number;
  if (size >= sizeof number) memcpy(&number, packet, sizeof number);
  last_event_us = now_us();
  is_stuck = 0;
  if (number >= next_number || make_packet(wanted, number) != size ||
      memcmp(packet, wanted, size) != 0) {
    altered++;
    return;
  }
  if (number < expected) {
    repeated++;
    return;
  }
  if (number > expected && gap_count < kMaxGaps)
    gaps[gap_count++] = (struct Gap){expected, number - expected};
  expected = number + 1;
  echoed++;
  if (until_alive > 0 && --until_alive == 0) puts("ALIVE");
  if (until_back > 0 && --until_back == 0) puts("BACK");
}

static void receive_packets(void) {
  static uint8_t packet[UINT16_MAX];
  while (stream >= 0) {
    const ssize_t size = recv(stream, packet, sizeof packet, MSG_DONTWAIT);
    if (size > 0) take(packet, (size_t)size);
    if (size == 0) end_stream();
    if (size >= 0 || errno == EINTR) continue;
    if (errno == EAGAIN) return;
    if (errno != ECONNRESET) check(-errno, "recv");
    peer_resets++; // of packets that nobody has taken; those for us are read after it
    is_cut = 1;
  }
}

static void send_packets(void) {
  static uint8_t packet[UINT16_MAX];
  while (stream >= 0 && !stopping && !is_cut && on_their_way() < kWindow) {
    const size_t size = make_packet(packet, next_number);
    if (send(stream, packet, size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
      next_number++;
      continue;
    }
    if (errno == EAGAIN) return;
    if (errno != EPIPE && errno != ECONNRESET) check(-errno, "send");
    peer_resets += errno == ECONNRESET;
    is_cut = 1;
  }
}

static void notice_silence(void) {
  if (is_stuck || on_their_way() < kWindow || now_us() < last_event_us + kQuietUs) return;
  is_stuck = 1;
  puts("STUCK");
}

static int on_owner(sd_bus_message* signal, void* unused, sd_bus_error* error) {
  (void)unused;
  (void)error;
  const char *name = NULL, *before = NULL, *after = NULL;
  CHECK(sd_bus_message_read(signal, "sss", &name, &before, &after));
  may_acquire = after[0] != '\0';
  if (may_acquire) until_alive = kSignsOfLife;
  return 0;
}

/// Connected again: what the remote's former life had not answered will not be answered.
static int on_connected(sd_bus_message* signal, void* unused, sd_bus_error* error) {
  (void)unused;
  (void)error;
  const char* name = NULL;
  CHECK(sd_bus_message_skip(signal, "s"));
  CHECK(sd_bus_message_enter_container(signal, 'a', "{sv}"));
  while (sd_bus_message_enter_container(signal, 'e', "sv") > 0) {
    int is_connected = 0;
    CHECK(sd_bus_message_read(signal, "s", &name));
    if (strcmp(name, "Connected") == 0)
      CHECK(sd_bus_message_read(signal, "v", "b", &is_connected));
    else
      CHECK(sd_bus_message_skip(signal, "v"));
    CHECK(sd_bus_message_exit_container(signal));
    if (!is_connected) continue;
    given_up = next_number;
    until_back = kSignsOfLife;
  }
  return 0;
}

static int on_overrun(sd_bus_message* signal, void* unused, sd_bus_error* error) {
  (void)unused;
  (void)error;
  uint64_t dropped = 0;
  CHECK(sd_bus_message_read(signal, "t", &dropped));
  overruns += (unsigned)dropped;
  return 0;
}

static int on_refused(sd_bus_message* signal, void* unused, sd_bus_error* error) {
  (void)unused;
  (void)error;
  uint32_t count = 0;
  CHECK(sd_bus_message_read(signal, "u", &count));
  refusals += count;
  return 0;
}

static void watch(void) {
  const char* const properties = "org.freedesktop.DBus.Properties";
  CHECK(sd_bus_match_signal(bus, NULL, NULL, endpoint, properties, "PropertiesChanged",
                            on_connected, NULL));
  CHECK(sd_bus_match_signal(bus, NULL, NULL, endpoint, kEndpoint, "Overrun", on_overrun, NULL));
  CHECK(
      sd_bus_match_signal(bus, NULL, NULL, endpoint, kEndpoint, "PacketRefused", on_refused, NULL));
}

/// Waits until the bus or the stream has something, or may take something.
static void wait_for_both(void) {
  const int wants_to_send = !stopping && !is_cut && on_their_way() < kWindow;
  struct pollfd fds[2] = {
      {.fd = sd_bus_get_fd(bus), .events = (short)sd_bus_get_events(bus)},
      {.fd = stream, .events = (short)(POLLIN | (wants_to_send ? POLLOUT : 0))},
  };
  if (poll(fds, 2, kWaitMs) < 0 && errno != EINTR) check(-errno, "poll");
}

static void print_stats(void) {
  sd_bus_message* reply = NULL;
  const char* key = NULL;
  uint64_t value = 0;
  const char* comma = "";
  CHECK(sd_bus_get_property(bus, kName, endpoint, kEndpoint, "Stats", NULL, &reply, "a{st}"));
  CHECK(sd_bus_message_enter_container(reply, 'a', "{st}"));
  printf("\"stats\":{");
  while (sd_bus_message_read(reply, "{st}", &key, &value) > 0) {
    printf("%s\"%s\":%llu", comma, key, (unsigned long long)value);
    comma = ",";
  }
  printf("}");
  sd_bus_message_unref(reply);
}

static void report(void) {
  printf("{\"sent\":%u,\"echoed\":%u,\"repeated\":%u,", next_number, echoed, repeated);
  printf("\"altered\":%u,\"missing\":%u,\"ends\":%u,", altered, next_number - expected, ends);
  printf("\"peerResets\":%u,", peer_resets);
  printf("\"overruns\":%u,\"refusals\":%u,\"gaps\":[", overruns, refusals);
  for (unsigned i = 0; i < gap_count; i++)
    printf("%s[%u,%u]", i > 0 ? "," : "", gaps[i].first, gaps[i].count);
  printf("],");
  print_stats();
  puts("}");
}

static void stop(int signal) {
  (void)signal;
  stopping = 1;
}

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  setvbuf(stdout, NULL, _IOLBF, 0);
  signal(SIGTERM, stop);
  CHECK(sd_bus_open_system(&bus));
  CHECK(sd_bus_add_match(bus, NULL,
                         "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',"
                         "arg0='org.rpmsg'",
                         on_owner, NULL));
  open_on(argv[1]);
  watch();
  acquire();
  printf("OPEN %s\n", endpoint);
  last_event_us = now_us();
  while (!stopping || now_us() < last_event_us + kQuietUs) {
    int handled = 0;
    while ((handled = sd_bus_process(bus, NULL)) > 0)
      continue;
    CHECK(handled);
    if (stream < 0 && may_acquire) acquire();
    receive_packets();
    send_packets();
    notice_silence();
    wait_for_both();
  }
  report();
  close(stream);
  free(endpoint);
  sd_bus_flush_close_unref(bus);
  return 0;
}
