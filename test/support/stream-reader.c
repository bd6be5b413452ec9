// SPDX-License-Identifier: Apache-2.0
// Reads a stream for as long as somebody lets it: opens an endpoint on a channel that sends numbered
// messages on demand ({count, bytes, interval in ms} as u32), acquires its stream and orders COUNT of
// them, INTERVAL_MS apart. Says "reading" as the first is there. When the last one was read and everything that
// was lost has been told, or after 20 s without either, it says "R received, F first without a gap after
// the longest pause, G missing, O overrun".
//
// usage: stream-reader BUS_ADDRESS CHANNEL_PATH HOLD COUNT INTERVAL_MS

#include "stream-client.h"

#include <time.h>

enum { BYTES = 64, IDLE_MS = 20000 };

static uint32_t received, next_number;
static uint64_t missing;
// From the longest pause on: what was read without a gap.
static uint64_t last_ns, longest_ns;
static uint32_t after_pause;
static int is_counting;

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void note_pause(void) {
  const uint64_t now = now_ns();
  if (last_ns != 0 && now - last_ns > longest_ns) {
    longest_ns = now - last_ns;
    after_pause = 0;
    is_counting = 1;
  }
  last_ns = now;
}

/// 0 when there is none.
static int read_one(int stream) {
  uint8_t message[MOST_BYTES], due[BYTES];
  const ssize_t bytes = recv(stream, message, sizeof message, 0);
  if (bytes < 0 && errno == EAGAIN) return 0;
  if (bytes != BYTES) fail("recv", NULL, bytes < 0 ? -errno : -EBADMSG);
  const uint32_t number = number_of(message);
  fill_message(due, number, BYTES);
  if (memcmp(message, due, BYTES) != 0 || number < next_number) fail("recv", NULL, -EBADMSG);
  note_pause();
  if (number > next_number) is_counting = 0;
  after_pause += (uint32_t)is_counting;
  missing += number - next_number;
  next_number = number + 1;
  if (received++ == 0) printf("reading\n");
  return 1;
}

int main(int argc, char** argv) {
  if (argc != 6) return 64;
  setvbuf(stdout, NULL, _IOLBF, 0);
  const uint32_t count = (uint32_t)strtoul(argv[4], NULL, 10);
  const uint32_t order[] = {count, BYTES, (uint32_t)strtoul(argv[5], NULL, 10)};
  sd_bus* bus = connect_bus(argv[1]);
  hear_signals(bus);
  char* const endpoint = open_channel(bus, argv[2]);
  const int stream = acquire_stream(bus, endpoint, (uint32_t)strtoul(argv[3], NULL, 10));
  if (send(stream, order, sizeof order, MSG_NOSIGNAL) < 0) fail("send", NULL, -errno);
  while (next_number < count || overrun < missing) {
    struct pollfd polled[] = {{stream, POLLIN, 0}, {sd_bus_get_fd(bus), POLLIN, 0}};
    if (poll(polled, 2, IDLE_MS) == 0) break;
    while (read_one(stream)) {
    }
    process_bus(bus);
  }
  process_bus(bus);
  printf("%u received, %u first without a gap after the longest pause, %" PRIu64
         " missing, %" PRIu64 " overrun\n",
         received, after_pause, missing, overrun);
  free(endpoint);
  sd_bus_flush_close_unref(bus);
  return 0;
}
