// SPDX-License-Identifier: Apache-2.0
// inprocess-host SOCKET [each|batch] [yield|tie]: what streams are held against. A host without a
// daemon: one thread that owns rings and MU, writes a word for every message, and before each waits
// until the former was taken, as the ports of these SoCs do. The rings are the product's own
// DriverQueue, and the registers its Mu. `batch`: of the buffers that it returns, a word for all of
// a look; `tie`: it sleeps for TE until the interrupt comes; default: each, yield.
//
// Prints READY, then answers each line "tx|rx|rtt SIZE COUNT" of standard input by a line of JSON.
// Every message is checked, either here or by the firmware's sink: status 1 if one is not as sent.
#include <poll.h>
#include <sched.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "measure.h"
#include "mu/mu.h"
#include "platform/platform.h"
#include "rpmsg/rpmsg_header.h"
#include "virtio/driver_queue.h"

using namespace rpmsg;

namespace {

constexpr uint64_t kVringBase = 0x90000000; // vdev 0 of an i.MX8QXP: native/sim/README.md
constexpr uint64_t kVring1Offset = 0x8000;
constexpr uint64_t kBufferBase = 0x90400000;
constexpr uint32_t kOurAddress = 1024;
constexpr size_t kNameBytes = 32;
constexpr int kPatienceMs = 10000;

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "inprocess-host: %s\n", why.c_str());
  std::exit(1);
}

struct Received {
  RpmsgHeader header;
  std::array<uint8_t, 512> data;
};

class Host {
public:
  Host(Platform& platform, bool batches, bool sleeps)
      : platform_(platform), mu_(platform.mu(), platform.mu_generation()), batches_(batches),
        sleeps_(sleeps), state_(2 * DriverQueue::state_bytes({}) / 8 + 2),
        rx_({}, BufferUse::remote_writes, map(kVringBase, ring_bytes()),
            map(kBufferBase, half_bytes()), state(0)),
        tx_({}, BufferUse::remote_reads, map(kVringBase + kVring1Offset, ring_bytes()),
            map(kBufferBase + half_bytes(), half_bytes()), state(1)) {}

  /// Rings complete, then the link-up word.
  void open() {
    rx_.start_fresh();
    tx_.start_fresh();
    while (rx_.post_empty()) {
    }
    mu_.open();
    mu_.set_transmit_interrupt(kRpmsgMuChannel, false);
    mu_.set_flags(1);
    platform_.unmask_interrupt();
    kick(0);
  }

  void send(uint32_t destination, std::span<const uint8_t> payload) {
    while (tx_.idle_buffers() == 0 && !reclaim())
      wait_a_little();
    RpmsgHeader header;
    header.source = kOurAddress;
    header.destination = destination;
    header.length = static_cast<uint16_t>(payload.size());
    std::array<uint8_t, kHeaderBytes> head;
    encode_header(header, head);
    if (!tx_.post_message(head, payload, 0)) fail("vring1 is poisoned");
    kick(1);
  }

  /// The next message, copied out once, its buffer posted again. Sleeps until there is one.
  void receive(Received& message) {
    UsedBuffer used;
    for (;;) {
      const auto peek = rx_.peek(used);
      if (peek == DriverQueue::Peek::fault) fail("vring0 is poisoned");
      if (peek == DriverQueue::Peek::ready) break;
      if (owed_ > 0)
        kick_returned();
      else
        wait_for_message();
    }
    std::array<uint8_t, kHeaderBytes> head;
    rx_.copy_out(used, 0, head);
    message.header = decode_header(head);
    if (message.header.length > used.length_bytes - kHeaderBytes)
      fail("a message longer than its buffer");
    rx_.copy_out(used, kHeaderBytes, std::span(message.data).first(message.header.length));
    rx_.take(used);
    rx_.post_empty();
    owed_++;
    if (!batches_) kick_returned();
  }

private:
  static size_t ring_bytes() { return DriverQueue::ring_bytes({}); }
  static size_t half_bytes() { return size_t{256} * 512; }

  std::span<std::byte> state(size_t which) {
    const size_t bytes = DriverQueue::state_bytes({});
    return std::as_writable_bytes(std::span(state_)).subspan(which * bytes, bytes);
  }

  SharedSpan map(uint64_t physical, uint64_t size) {
    auto mapped = platform_.map(physical, size);
    if (!mapped.ok()) fail("the board has no such memory");
    return mapped.value();
  }

  bool reclaim() {
    UsedBuffer used;
    bool any = false;
    while (tx_.peek(used) == DriverQueue::Peek::ready) {
      tx_.take(used);
      any = true;
    }
    if (tx_.poisoned()) fail("vring1 is poisoned");
    return any;
  }

  void kick_returned() {
    owed_ = 0;
    kick(0);
  }

  /// A word, always; before it the former one has to be taken.
  void kick(uint32_t queue) {
    while (!mu_.transmit_empty(kRpmsgMuChannel)) {
      if (sleeps_)
        wait_for_te();
      else
        wait_a_little();
    }
    mu_.transmit(kRpmsgMuChannel, queue << 16);
  }

  /// As an interrupt handler would meanwhile: a remote that waits for our RR goes on.
  void wait_a_little() {
    take_words();
    ::sched_yield();
  }

  void wait_for_te() {
    mu_.set_transmit_interrupt(kRpmsgMuChannel, true);
    sleep();
    mu_.set_transmit_interrupt(kRpmsgMuChannel, false);
  }

  void take_words() {
    uint32_t word = 0;
    while (mu_.receive(kRpmsgMuChannel, word)) {
    }
  }

  void wait_for_message() {
    take_words();
    mu_.take_doorbells();
    if (!rx_.has_used()) sleep(); // looked at after the words: one that comes now wakes us
  }

  void sleep() {
    platform_.unmask_interrupt();
    pollfd on[] = {{platform_.interrupt_fd(), POLLIN, 0}, {platform_.board_fd(), POLLIN, 0}};
    if (::poll(on, 2, kPatienceMs) <= 0) fail("nothing came for 10 s");
    if (on[1].revents != 0) fail("the board is gone");
    platform_.consume_interrupt();
    take_words();
  }

  Platform& platform_;
  Mu mu_;
  bool batches_;
  bool sleeps_;
  std::vector<uint64_t> state_;
  DriverQueue rx_;
  DriverQueue tx_;
  uint32_t owed_ = 0; // buffers returned since the last word for them
};

class Measurement {
public:
  explicit Measurement(Host& host) : host_(host) {}

  /// Until the firmware has announced all that is measured.
  void learn_names() {
    while (names_.count("echo") + names_.count("sink") + names_.count("source") < 3) {
      host_.receive(message_);
      if (message_.header.destination != kNameServiceAddress || message_.header.length != 40)
        continue;
      const auto* name = reinterpret_cast<const char*>(message_.data.data());
      names_[std::string(name, strnlen(name, kNameBytes))] = message_.header.source;
    }
  }

  void tx(size_t size, uint32_t count) {
    say("check");
    const uint64_t started = now_ns();
    std::array<uint8_t, kMaxPayload> payload;
    for (uint32_t number = 0; number < count; number++) {
      fill_message(payload.data(), number, size);
      host_.send(names_["sink"], std::span(payload).first(size));
    }
    say("checked?");
    next();
    const uint64_t ended = now_ns();
    uint64_t counts[2];
    if (message_.header.length != sizeof counts) fail("the sink does not say what it got");
    std::memcpy(counts, message_.data.data(), sizeof counts);
    if (counts[0] != count || counts[1] != 0)
      fail("the sink got " + std::to_string(counts[0]) + " messages of " + std::to_string(count) +
           ", " + std::to_string(counts[1]) + " of them altered");
    print_result(count, ended - started, nullptr);
  }

  void rx(size_t size, uint32_t count) {
    const uint64_t started = now_ns();
    const uint32_t order[2] = {count, static_cast<uint32_t>(size)};
    host_.send(names_["source"], std::span(reinterpret_cast<const uint8_t*>(order), sizeof order));
    for (uint32_t number = 0; number < count; number++)
      expect(number, size);
    print_result(count, now_ns() - started, nullptr);
  }

  void rtt(size_t size, uint32_t count) {
    static histogram latencies;
    latencies = {};
    const uint64_t started = now_ns();
    std::array<uint8_t, kMaxPayload> payload;
    for (uint32_t number = 0; number < count; number++) {
      const uint64_t sent = now_ns();
      fill_message(payload.data(), number, size);
      host_.send(names_["echo"], std::span(payload).first(size));
      expect(number, size);
      count_latency(&latencies, now_ns() - sent);
    }
    print_result(count, now_ns() - started, &latencies);
  }

private:
  void say(const char* text) {
    host_.send(names_["sink"],
               std::span(reinterpret_cast<const uint8_t*>(text), std::strlen(text)));
  }

  void next() {
    do
      host_.receive(message_);
    while (message_.header.destination != kOurAddress);
  }

  void expect(uint32_t number, size_t size) {
    next();
    if (message_.header.length != size || !is_message(message_.data.data(), number, size))
      fail("message " + std::to_string(number) + " is missing or altered");
  }

  Host& host_;
  std::map<std::string, uint32_t> names_;
  Received message_ = {};
};

} // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 64;
  bool batches = false, sleeps = false;
  for (int i = 2; i < argc; i++) {
    batches |= std::strcmp(argv[i], "batch") == 0;
    sleeps |= std::strcmp(argv[i], "tie") == 0;
  }
  const OpenedPlatform opened = open_sim_platform(argv[1], "cm40");
  if (!opened.platform) fail(opened.error.message);
  Host host(*opened.platform, batches, sleeps);
  host.open();
  Measurement measurement(host);
  measurement.learn_names();
  std::puts("READY");
  std::fflush(stdout);
  char mode[8];
  unsigned size = 0, count = 0;
  while (std::scanf("%7s %u %u", mode, &size, &count) == 3) {
    if (size > kMaxPayload) return 64;
    if (std::strcmp(mode, "tx") == 0) measurement.tx(size, count);
    if (std::strcmp(mode, "rx") == 0) measurement.rx(size, count);
    if (std::strcmp(mode, "rtt") == 0) measurement.rtt(size, count);
    std::fflush(stdout);
  }
}
