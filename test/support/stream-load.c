// SPDX-License-Identifier: Apache-2.0
// Traffic in both directions at once through streams: opens an endpoint on each channel, all of which
// answer every message with the same, acquires its stream, and sends numbered messages of several sizes
// through all of them as long as they take more, while the answers come back. Each answer is compared
// byte by byte with the next one that is due. Says "acquired N", "part P" as each thousandth of them is
// back, and at the end "N messages came back, N overrun, N refused"; status 1 for anything lost, altered or
// out of order.
//
// usage: stream-load BUS_ADDRESS MESSAGES WINDOW CHANNEL_PATH...
//   MESSAGES of all streams together; WINDOW: how many of one stream may be on their way

#include "stream-client.h"

enum { MOST_STREAMS = 64, BURST = 32, IDLE_MS = 60000, PARTS = 1000 };

static const uint16_t sizes[] = {12, 16, 256, 496};

struct stream {
  int fd;
  uint32_t count; // to send, in all
  uint32_t sent;
  uint32_t back;
};

static struct stream streams[MOST_STREAMS];
static struct pollfd polled[MOST_STREAMS + 1];

static size_t next_message(uint8_t* message, uint32_t number) {
  return fill_message(message, number, sizes[number % (sizeof sizes / sizeof *sizes)]);
}

static void send_some(struct stream* stream, uint32_t window) {
  uint8_t message[MOST_BYTES];
  for (int burst = 0; burst < BURST; burst++) {
    if (stream->sent == stream->count || stream->sent - stream->back >= window) return;
    const size_t bytes = next_message(message, stream->sent);
    if (send(stream->fd, message, bytes, MSG_NOSIGNAL) < 0) {
      if (errno == EAGAIN) return;
      fail("send", NULL, -errno);
    }
    stream->sent++;
  }
}

/// How many came.
static uint32_t receive_some(struct stream* stream) {
  uint8_t message[MOST_BYTES + 1], due[MOST_BYTES];
  for (uint32_t came = 0; came < BURST; came++) {
    const ssize_t bytes = recv(stream->fd, message, sizeof message, 0);
    if (bytes < 0 && errno == EAGAIN) return came;
    if (bytes < 0) fail("recv", NULL, -errno);
    if (bytes == 0) fail("recv: end of file", NULL, -EPIPE);
    const size_t wanted = next_message(due, stream->back);
    if ((size_t)bytes != wanted || memcmp(message, due, wanted) != 0) {
      fprintf(stderr, "stream %td: %u was due, and %zd bytes came with number %u\n",
              stream - streams, stream->back, bytes, number_of(message));
      exit(1);
    }
    stream->back++;
  }
  return BURST;
}

static void wait_for_any(sd_bus* bus, int count, uint32_t window) {
  for (int i = 0; i < count; i++) {
    const struct stream* stream = &streams[i];
    const int may_send = stream->sent < stream->count && stream->sent - stream->back < window;
    polled[i] = (struct pollfd){stream->fd, (short)(POLLIN | (may_send ? POLLOUT : 0)), 0};
    if (stream->back == stream->count) polled[i].fd = -1;
  }
  polled[count] = (struct pollfd){sd_bus_get_fd(bus), POLLIN, 0};
  const int ready = poll(polled, (nfds_t)count + 1, IDLE_MS);
  if (ready < 0) fail("poll", NULL, -errno);
  if (ready > 0) return;
  for (int i = 0; i < count; i++) {
    fprintf(stderr, "stream %d: %u sent, %u back, of %u\n", i, streams[i].sent, streams[i].back,
            streams[i].count);
  }
  fail("nothing comes any more", NULL, -ETIMEDOUT);
}

int main(int argc, char** argv) {
  const int count = argc - 4;
  if (count < 1 || count > MOST_STREAMS) return 64;
  const uint64_t total = strtoull(argv[2], NULL, 10) / (uint64_t)count * (uint64_t)count;
  const uint32_t window = (uint32_t)strtoul(argv[3], NULL, 10);
  setvbuf(stdout, NULL, _IOLBF, 0);
  sd_bus* bus = connect_bus(argv[1]);
  hear_signals(bus);
  for (int i = 0; i < count; i++) {
    char* const endpoint = open_channel(bus, argv[4 + i]);
    streams[i] = (struct stream){acquire_stream(bus, endpoint, window),
                                 (uint32_t)(total / (uint64_t)count), 0, 0};
    free(endpoint);
  }
  printf("acquired %d\n", count);
  uint64_t back = 0;
  for (uint64_t part = 1; back < total;) {
    for (int i = 0; i < count; i++)
      send_some(&streams[i], window);
    wait_for_any(bus, count, window);
    if (polled[count].revents != 0) process_bus(bus);
    for (int i = 0; i < count; i++)
      if (polled[i].revents != 0) back += receive_some(&streams[i]);
    for (; back * PARTS >= total * part && part <= PARTS; part++)
      printf("part %" PRIu64 "\n", part);
  }
  process_bus(bus);
  printf("%" PRIu64 " messages came back, %" PRIu64 " overrun, %u refused\n", back, overrun, refused);
  sd_bus_flush_close_unref(bus);
  return overrun == 0 && refused == 0 ? 0 : 1;
}
