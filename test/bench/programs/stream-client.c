// SPDX-License-Identifier: Apache-2.0
// stream-client ADDRESS NAME CHANNEL[,CHANNEL...] MODE SIZE COUNT: opens an endpoint and its stream
// on each channel and measures them. With NAME "-" ADDRESS is the path of a SEQPACKET socket
// instead, which stands for one stream. Prints one line of JSON.
//   tx   COUNT messages to `sink` on each, until it has told that it got each of them unaltered
//   rx   COUNT messages from `source` on each
//   rtt  COUNT round trips to `echo` on the first: send, then recv
// tx and rx move up to 64 messages a system call (sendmmsg, recvmmsg) and poll when nothing moves.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "measure.h"

enum {
  kMaxStreams = 8,
  kBatch = 64,
  kPatienceMs = 20000,
};

struct stream {
  int fd;
  uint64_t moved;
};

static struct stream streams[kMaxStreams];
static unsigned stream_count;
static size_t size;
static uint64_t total;

static uint8_t bytes[kBatch][kMaxPayload + 1]; // one more: a message too long shows
static struct iovec vectors[kBatch];
static struct mmsghdr batch[kBatch];

static void fail(const char* what, const char* why) {
  fprintf(stderr, "stream-client: %s: %s\n", what, why);
  exit(1);
}

static void check(int result, const sd_bus_error* error, const char* what) {
  if (result >= 0) return;
  fail(what, error != NULL && error->name != NULL ? error->name : strerror(-result));
}
#define CHECK(call) check((call), NULL, #call)

static void prepare(size_t length) {
  for (unsigned i = 0; i < kBatch; i++) {
    vectors[i] = (struct iovec){bytes[i], length};
    batch[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &vectors[i], .msg_iovlen = 1}};
  }
}

static unsigned left_of(const struct stream* stream) {
  const uint64_t left = total - stream->moved;
  return left < kBatch ? (unsigned)left : kBatch;
}

/// How many moved at once, or -1 if none could.
static int moved(int result, const char* what) {
  if (result > 0) return result;
  if (result < 0 && (errno == EAGAIN || errno == EINTR)) return -1;
  fail(what, result == 0 ? "end of file" : strerror(errno));
  return -1;
}

static int send_some(struct stream* stream) {
  const unsigned count = left_of(stream);
  for (unsigned i = 0; i < count; i++)
    fill_message(bytes[i], (uint32_t)(stream->moved + i), size);
  const int sent = moved(sendmmsg(stream->fd, batch, count, MSG_DONTWAIT | MSG_NOSIGNAL), "send");
  if (sent > 0) stream->moved += (uint64_t)sent;
  return sent;
}

static int receive_some(struct stream* stream) {
  const int got = moved(recvmmsg(stream->fd, batch, left_of(stream), MSG_DONTWAIT, NULL), "recv");
  for (int i = 0; i < got; i++, stream->moved++) {
    if (batch[i].msg_len == 0 && size > 0) fail("recv", "end of file");
    if (batch[i].msg_len != size || !is_message(bytes[i], (uint32_t)stream->moved, size))
      fail("recv", "a message is missing or altered");
  }
  return got;
}

/// Moves `total` on each stream; sleeps when none can move.
static void move_all(int (*some)(struct stream*), short event) {
  for (;;) {
    struct pollfd waiting[kMaxStreams];
    unsigned unfinished = 0, stuck = 0;
    for (unsigned i = 0; i < stream_count; i++) {
      if (streams[i].moved == total) continue;
      waiting[unfinished++] = (struct pollfd){streams[i].fd, event, 0};
      stuck += some(&streams[i]) < 0;
    }
    if (unfinished == 0) return;
    if (stuck == unfinished && poll(waiting, unfinished, kPatienceMs) == 0)
      fail("waiting", "nothing moves");
  }
}

static void say(int fd, const void* words, size_t length) {
  if (send(fd, words, length, MSG_NOSIGNAL) != (ssize_t)length) fail("send", strerror(errno));
}

static void run_tx(void) {
  prepare(size);
  move_all(send_some, POLLOUT);
  for (unsigned i = 0; i < stream_count; i++)
    say(streams[i].fd, "checked?", 8);
  for (unsigned i = 0; i < stream_count; i++) {
    uint64_t counts[2];
    if (recv(streams[i].fd, counts, sizeof counts, 0) != sizeof counts) fail("sink", "no answer");
    if (counts[0] == total && counts[1] == 0) continue;
    fprintf(stderr, "stream-client: sink got %llu of %llu, %llu of them altered\n",
            (unsigned long long)counts[0], (unsigned long long)total,
            (unsigned long long)counts[1]);
    exit(1);
  }
}

static void run_rx(void) {
  const uint32_t order[2] = {(uint32_t)total, (uint32_t)size};
  prepare(kMaxPayload + 1);
  for (unsigned i = 0; i < stream_count; i++)
    say(streams[i].fd, order, sizeof order);
  move_all(receive_some, POLLIN);
}

static void run_rtt(struct histogram* latencies) {
  const int fd = streams[0].fd;
  for (uint64_t i = 0; i < total; i++) {
    const uint64_t started = now_ns();
    fill_message(bytes[0], (uint32_t)i, size);
    say(fd, bytes[0], size);
    const ssize_t got = recv(fd, bytes[1], sizeof bytes[1], 0);
    if (got != (ssize_t)size || !is_message(bytes[1], (uint32_t)i, size))
      fail("recv", got < 0 ? strerror(errno) : "a message is missing or altered");
    count_latency(latencies, now_ns() - started);
  }
}

static int acquire(sd_bus* bus, const char* name, const char* channel) {
  sd_bus_error error = SD_BUS_ERROR_NULL;
  sd_bus_message* reply = NULL;
  const char* endpoint;
  int fd;
  check(sd_bus_call_method(bus, name, channel, "org.rpmsg.Channel", "Open", &error, &reply, "a{sv}",
                           0),
        &error, "Open");
  CHECK(sd_bus_message_read(reply, "o", &endpoint));
  sd_bus_message* stream = NULL;
  check(sd_bus_call_method(bus, name, endpoint, "org.rpmsg.Endpoint", "AcquireStream", &error,
                           &stream, "a{sv}", 1, "mode", "s", "both"),
        &error, "AcquireStream");
  CHECK(sd_bus_message_read(stream, "h", &fd));
  fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (fd < 0) fail("dup", strerror(errno));
  sd_bus_message_unref(stream);
  sd_bus_message_unref(reply);
  return fd;
}

static void add_stream(int fd) {
  // The other end's own flags are not touched by this.
  if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) < 0) fail("fcntl", strerror(errno));
  streams[stream_count++] = (struct stream){fd, 0};
}

static sd_bus* open_streams(const char* address, const char* name, char* channels) {
  sd_bus* bus = NULL;
  CHECK(sd_bus_new(&bus));
  CHECK(sd_bus_set_address(bus, address));
  CHECK(sd_bus_set_bus_client(bus, 1));
  CHECK(sd_bus_negotiate_fds(bus, 1));
  CHECK(sd_bus_start(bus));
  for (char* at = strtok(channels, ","); at != NULL && stream_count < kMaxStreams;
       at = strtok(NULL, ","))
    add_stream(acquire(bus, name, at));
  return bus;
}

static int connect_to(const char* path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) exit(64);
  memcpy(address.sun_path, path, strlen(path));
  const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr*)&address, sizeof address) < 0)
    fail(path, strerror(errno));
  return fd;
}

int main(int argc, char** argv) {
  if (argc != 7) return 64;
  const char* const mode = argv[4];
  size = number_of("SIZE", argv[5], kMaxPayload);
  total = number_of("COUNT", argv[6], UINT32_MAX);
  sd_bus* bus = NULL;
  if (strcmp(argv[2], "-") == 0)
    add_stream(connect_to(argv[1]));
  else
    bus = open_streams(argv[1], argv[2], argv[3]);
  static struct histogram latencies;
  const int is_tx = strcmp(mode, "tx") == 0, is_rtt = strcmp(mode, "rtt") == 0;
  for (unsigned i = 0; is_tx && i < stream_count; i++)
    say(streams[i].fd, "check", 5);
  const uint64_t started = now_ns();
  if (is_tx)
    run_tx();
  else if (is_rtt)
    run_rtt(&latencies);
  else
    run_rx();
  const uint64_t count = is_rtt ? total : total * stream_count;
  print_result(count, now_ns() - started, is_rtt ? &latencies : NULL);
  sd_bus_flush_close_unref(bus);
  return 0;
}
