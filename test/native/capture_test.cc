// SPDX-License-Identifier: Apache-2.0
// Captures of a real link: what is in the file for what passes, for what is dropped, for resets;
// and that the link never waits for a reader.
#include "capture/capture.h"

#include <doctest/doctest.h>

#include <atomic>
#include <numeric>

#include "rpmsg/rpmsg_header.h"
#include "support/pcapng_file.h"
#include "support/resume_bench.h"
#include "support/stream_client.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint32_t kPeer = 7;
constexpr uint32_t kInbound = 1, kOutbound = 2;

CaptureRequest request_of(uint32_t vdevs, uint32_t snap_bytes = 512) {
  CaptureRequest request;
  request.places.push_back({0, kWholeRemote, "cm40", "", "begins"});
  for (uint8_t vdev = 0; vdev < vdevs; ++vdev)
    request.places.push_back({0, vdev, "cm40/vdev" + std::to_string(vdev), "", ""});
  request.snap_bytes = snap_bytes;
  request.application = "test";
  return request;
}

Bytes payload_of(const CapturedPacket& packet) {
  return {packet.bytes.begin() + kHeaderBytes, packet.bytes.end()};
}

RpmsgHeader header_of(const CapturedPacket& packet) {
  REQUIRE(packet.bytes.size() >= kHeaderBytes);
  return decode_header(std::span<const uint8_t, kHeaderBytes>(packet.bytes.data(), kHeaderBytes));
}

// One vdev whose remote is in the test's hands, an endpoint at kLocal, and a capture of both.
struct Board {
  explicit Board(const CaptureRequest& request = request_of(1)) {
    bench.remote.ready();
    host.emplace(bench.setup());
    REQUIRE(host->wait_vdev(0, 0, VdevState::offered));
    bench.remote.take_word();
    capture.emplace(host->link(), [this] { wakes.fetch_add(1); });
    pipe = open(request);
  }
  UniqueFd open(const CaptureRequest& request) {
    auto opened = capture->open(request);
    REQUIRE(opened.ok());
    return std::move(opened->pipe);
  }
  HandRemote& remote() { return bench.remote; }
  bool say(const Bytes& payload, uint32_t to = kLocal) {
    remote().take_word();
    return remote().say(0, kPeer, to, payload);
  }
  /// As say(), with any length in the header.
  void say_length(const Bytes& payload, uint16_t header_length, uint32_t used_length) {
    remote().take_word();
    const auto id = remote().fill(0, kPeer, kLocal, payload, header_length);
    REQUIRE(id);
    remote().put_used(0, 0, *id, used_length);
    remote().word(0);
  }
  /// Reads until it is so.
  bool until(const std::function<bool()>& done) {
    return host->until([&] {
      file.read_from(pipe.get());
      return done();
    });
  }
  /// Ends the daemon's side and reads the rest.
  void finish() {
    capture->close();
    CHECK_FALSE(file.read_from(pipe.get()));
    CHECK(file.problem() == "");
    CHECK(file.is_valid());
  }

  Bench bench;
  std::optional<Host> host;
  std::optional<Capture> capture;
  std::atomic<int> wakes{0};
  UniqueFd pipe;
  PcapngFile file;
};

} // namespace

TEST_CASE("a message from the remote and one to it are captured with header, direction and time") {
  Board board;
  const uint64_t before = monotonic_ns();
  REQUIRE(board.say({1, 2, 3}));
  REQUIRE(board.host->until([&] { return board.host->count() == 1; }));
  REQUIRE(board.host->send(board.host->id, kPeer, {4, 5}) == Errc::ok);
  const uint64_t after = monotonic_ns();
  REQUIRE(board.until([&] { return board.file.messages().size() == 2; }));
  board.finish();
  CHECK(board.file.interfaces == std::vector<std::string>{"cm40", "cm40/vdev0"});
  CHECK(board.file.application == "test");
  const auto messages = board.file.messages();
  CHECK(messages[0].interface == 1);
  CHECK(messages[0].direction == kInbound);
  CHECK(header_of(messages[0]).source == kPeer);
  CHECK(header_of(messages[0]).destination == kLocal);
  CHECK(payload_of(messages[0]) == Bytes{1, 2, 3});
  CHECK(messages[1].direction == kOutbound);
  CHECK(header_of(messages[1]).source == kLocal);
  CHECK(header_of(messages[1]).destination == kPeer);
  CHECK(header_of(messages[1]).length == 2);
  CHECK(payload_of(messages[1]) == Bytes{4, 5});
  CHECK(messages[0].comment == "");
  CHECK(messages[0].time_ns < messages[1].time_ns);
  CHECK(messages[1].time_ns - messages[0].time_ns < after - before);
}

TEST_CASE("packets of a stream are captured both ways") {
  Board board;
  StreamClient client;
  REQUIRE(client.acquire(*board.host, board.host->id, kPeer).ok());
  REQUIRE(client.send({1}) == 0);
  REQUIRE(client.send({2, 2}) == 0);
  REQUIRE(board.until([&] { return board.file.messages().size() == 2; }));
  REQUIRE(board.say({3, 3, 3}));
  REQUIRE(client.receive() == Bytes{3, 3, 3});
  REQUIRE(board.until([&] { return board.file.messages().size() == 3; }));
  board.finish();
  const auto messages = board.file.messages();
  CHECK(payload_of(messages[0]) == Bytes{1});
  CHECK(payload_of(messages[1]) == Bytes{2, 2});
  CHECK(messages[1].direction == kOutbound);
  CHECK(payload_of(messages[2]) == Bytes{3, 3, 3});
  CHECK(messages[2].direction == kInbound);
}

TEST_CASE("messages that get no further are captured with the reason, and none of their buffer's "
          "rest") {
  Board board;
  board.say_length({1, 2, 3, 4}, 500, 20);     // says more than was used
  board.say_length({1, 2, 3, 4}, 0xFFFF, 512); // and more than there is
  REQUIRE(board.say({5}, 4000));               // to nobody
  REQUIRE(board.until([&] { return board.file.messages().size() == 3; }));
  board.finish();
  const auto messages = board.file.messages();
  const char kMalformed[] = "dropped: its length field exceeds what its buffer holds";
  CHECK(messages[0].comment == kMalformed);
  CHECK(messages[0].bytes.size() == 20);
  CHECK(header_of(messages[0]).length == 500);
  CHECK(messages[1].comment == kMalformed);
  CHECK(messages[1].bytes.size() == 512);
  CHECK(messages[2].comment == "dropped: no endpoint has this address");
  CHECK(payload_of(messages[2]) == Bytes{5});
  Vdev& vdev = *board.host->link().vdev(0, 0);
  CHECK(vdev.counters().rx_malformed.get() == 2);
  CHECK(vdev.counters().rx_no_endpoint.get() == 1);
}

TEST_CASE("of a message no more is captured than was asked for, and its length is told") {
  Board board(request_of(1, 20));
  Bytes payload(100);
  std::iota(payload.begin(), payload.end(), uint8_t{1});
  REQUIRE(board.say(payload));
  REQUIRE(board.until([&] { return board.file.messages().size() == 1; }));
  // Another one who wants more does not get the first one more.
  const UniqueFd second_pipe = board.open(request_of(1, 512));
  PcapngFile second;
  REQUIRE(board.say(payload));
  REQUIRE(board.until([&] {
    second.read_from(second_pipe.get());
    return board.file.messages().size() == 2 && second.messages().size() == 1;
  }));
  board.finish();
  for (const CapturedPacket& packet : board.file.messages()) {
    CHECK(packet.bytes.size() == 20);
    CHECK(packet.original_bytes == 116);
  }
  CHECK(second.messages()[0].bytes.size() == 116);
}

TEST_CASE("a capture that nobody reads drops and counts, and no message waits for it") {
  Board board;
  // Far more than a pipe and a ring have room for.
  constexpr uint32_t kRounds = 20000;
  const Bytes payload(480, 9);
  uint32_t sent = 0;
  for (uint32_t round = 0; round < kRounds; ++round) {
    REQUIRE(board.host->send(board.host->id, kPeer, payload) == Errc::ok);
    ++sent;
    board.remote().take_word();
    REQUIRE(board.remote().hear(0));
  }
  REQUIRE(board.say({1}));
  REQUIRE(board.host->until([&] { return board.host->count() == 1; }));
  // All of them, and that the vdev is up.
  REQUIRE(
      board.until([&] { return board.file.packets_of(1) + board.file.dropped(1) == sent + 2; }));
  board.finish();
  CHECK(board.file.messages().size() > 100);
  CHECK(board.file.messages().size() < sent);
}

TEST_CASE("after records were dropped the next one says how many, once") {
  Board board;
  const Bytes payload(480, 9);
  const auto send = [&] {
    REQUIRE(board.host->send(board.host->id, kPeer, payload) == Errc::ok);
    board.remote().take_word();
    REQUIRE(board.remote().hear(0));
  };
  for (uint32_t round = 0; round < 5000; ++round)
    send();
  // Room again, and then messages after everything before them was dealt with.
  REQUIRE(board.until([&] { return board.file.dropped(1) > 0; }));
  REQUIRE(board.until([&] { return board.file.packets_of(1) + board.file.dropped(1) == 5001; }));
  const size_t before = board.file.messages().size();
  send();
  send();
  REQUIRE(board.until([&] { return board.file.messages().size() == before + 2; }));
  board.finish();
  uint64_t said = 0;
  for (const CapturedPacket& packet : board.file.packets) {
    if (packet.interface == 1) said += packet.dropped;
    const std::string words = std::to_string(packet.dropped) + " before this " +
                              (packet.dropped == 1 ? "was" : "were") + " not captured";
    CHECK((packet.dropped > 0) == packet.comment.starts_with(words));
  }
  CHECK(said == board.file.dropped(1));
  CHECK(board.file.messages().back().dropped == 0);
}

TEST_CASE("resets, states and faults are comments, of the remote and of its vdevs") {
  Board board;
  REQUIRE(board.say({1}));
  REQUIRE(board.host->wait_vdev(0, 0, VdevState::up));
  board.remote().set_used_index(0, 0, 0xBAD);
  board.remote().take_word();
  board.remote().word(0);
  REQUIRE(board.host->wait_vdev(0, 0, VdevState::faulted));
  board.remote().ready();
  REQUIRE(board.until([&] { return board.file.has_comment("reset: rxdb, generation 2 begins"); }));
  REQUIRE(board.until([&] { return board.file.has_comment("state: offered"); }));
  board.finish();
  const auto comments = board.file.comments();
  CHECK(comments[0] == "begins");
  CHECK(board.file.has_comment("state: faulted: vring0: "));
  for (const CapturedPacket& packet : board.file.packets) {
    if (packet.comment.starts_with("state: faulted: vring0")) CHECK(packet.interface == 1);
    if (packet.comment.starts_with("reset: ")) CHECK(packet.interface == 0);
  }
}

TEST_CASE("when its reader is gone a capture is over, and the tap is closed with the last one") {
  Board board;
  UniqueFd second = board.open(request_of(1));
  Tap& tap = board.host->link().tap(0);
  REQUIRE(tap.sent() != nullptr);
  board.pipe.reset();
  REQUIRE(board.host->until([&] { return board.wakes.load() == 1; }));
  CHECK(board.capture->take_over() == std::vector<uint32_t>{1});
  CHECK(tap.sent() != nullptr);
  second.reset();
  REQUIRE(board.host->until([&] { return board.wakes.load() == 2; }));
  CHECK(board.capture->take_over() == std::vector<uint32_t>{2});
  CHECK(tap.sent() == nullptr);
  CHECK(tap.received() == nullptr);
  // And the next one begins with nothing of those before.
  REQUIRE(board.say({1}));
  REQUIRE(board.host->until([&] { return board.host->count() == 1; }));
  board.pipe = board.open(request_of(1));
  REQUIRE(board.say({2}));
  REQUIRE(board.until([&] { return !board.file.messages().empty(); }));
  board.finish();
  REQUIRE(board.file.messages().size() == 1);
  CHECK(payload_of(board.file.messages()[0]) == Bytes{2});
}

TEST_CASE("a request for what is not there is refused, and any after the end") {
  Board board;
  const auto code = [&](const CaptureRequest& request) {
    const auto opened = board.capture->open(request);
    return opened.ok() ? Errc::ok : opened.error().code;
  };
  CHECK(code({}) == Errc::invalid_argument);
  CHECK(code(request_of(2)) == Errc::invalid_argument);
  CHECK(code(request_of(1, 15)) == Errc::invalid_argument);
  CHECK(code(request_of(1, BlockBuffer::kMostPacketBytes + 1)) == Errc::invalid_argument);
  CaptureRequest elsewhere = request_of(1);
  elsewhere.places[1].remote = 1;
  CHECK(code(elsewhere) == Errc::invalid_argument);
  board.capture->close();
  CHECK(code(request_of(1)) == Errc::shutting_down);
}
