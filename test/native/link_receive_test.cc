// SPDX-License-Identifier: Apache-2.0
// Received messages between the ring and the main thread: queues, grants, drops, hostile remotes,
// new lives, boards that go.
#include <doctest/doctest.h>

#include <cstring>

#include "support/link_harness.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

using Bytes = std::vector<uint8_t>;

struct Board {
  explicit Board(const std::vector<std::string>& firmware_options, uint32_t vdevs = 1) {
    firmware = soc.start_firmware(firmware_options);
    REQUIRE(host.open(sim_setup(soc.socket(), "cm40", vdevs)) == 0);
  }
  SocProcess soc;
  Process firmware;
  LinkHarness host;
};

// What the source application takes: how many messages, of how many bytes each.
Bytes source_request(uint32_t count, uint32_t bytes) {
  Bytes request(8);
  std::memcpy(request.data(), &count, 4);
  std::memcpy(request.data() + 4, &bytes, 4);
  return request;
}

uint32_t number_of(const Message& message) {
  uint32_t number = 0;
  std::memcpy(&number, message.data.data(), sizeof number);
  return number;
}

} // namespace

TEST_CASE("an endpoint that nobody reads keeps the newest messages and its numbers show the gap") {
  Board board({"--vdevs", "1"});
  REQUIRE(board.host.start());
  const uint32_t source = board.host.wait_name(0, 0, "source");
  REQUIRE(source != 0);
  Link& link = board.host.link();
  // Opened bare: nothing is granted, so that nothing leaves the native queue.
  REQUIRE(link.open_endpoint({900, 0, 0, 1024, 16, 128, 0}).ok());
  REQUIRE(board.host.begin(900, source, source_request(100, 8), 0, 1, 1).kind ==
          SendOutcome::Kind::sent);
  REQUIRE(board.host.until([&] { return link.endpoint_counters(900)->rx_messages.get() == 100; }));
  CHECK(link.endpoint_counters(900)->rx_dropped.get() == 84);
  link.grant(900, 1000);
  REQUIRE(board.host.until([&] { return board.host.received[900].size() == 16; }));
  for (uint32_t i = 0; i < 16; ++i) {
    CHECK(board.host.received[900][i].seq == 84 + i);
    CHECK(number_of(board.host.received[900][i]) == 84 + i);
  }
}

TEST_CASE("messages are handed over as far as granted, and a sync comes after them") {
  Board board({"--vdevs", "1"});
  REQUIRE(board.host.start());
  const uint32_t source = board.host.wait_name(0, 0, "source");
  Link& link = board.host.link();
  REQUIRE(link.open_endpoint({901, 0, 0, 1024, 64, 128, 0}).ok());
  REQUIRE(board.host.begin(901, source, source_request(20, 8), 0, 1, 1).kind ==
          SendOutcome::Kind::sent);
  REQUIRE(board.host.until([&] { return link.endpoint_counters(901)->rx_messages.get() == 20; }));
  CHECK(board.host.received[901].empty());
  link.grant(901, 5);
  link.sync(901, 77);
  REQUIRE(board.host.until([&] { return !board.host.synced.empty(); }));
  CHECK(board.host.synced.front() == 77);
  CHECK(board.host.received[901].size() == 5);
  link.grant(901, 20);
  CHECK(board.host.until([&] { return board.host.received[901].size() == 20; }));
}

TEST_CASE("a flood while the main thread is busy fills queues, not memory, and traffic goes on") {
  Board board({"--vdevs", "1"});
  REQUIRE(board.host.start());
  const uint32_t source = board.host.wait_name(0, 0, "source");
  const uint32_t echo = board.host.wait_name(0, 0, "echo");
  board.host.hold = true;
  const uint32_t flooded = board.host.endpoint(0, 0, 1024, 1024);
  const uint32_t quiet = board.host.endpoint(0, 0, 1025);
  Link& link = board.host.link();
  REQUIRE(board.host.send(flooded, source, source_request(20000, 496)) == Errc::ok);
  // Nobody drains events here: the counter alone says how far the remote got.
  const uint64_t deadline = monotonic_ns() + kPatienceMs * kNsPerMs;
  while (link.endpoint_counters(flooded)->rx_messages.get() < 20000 && monotonic_ns() < deadline) {
    sched_yield();
  }
  REQUIRE(link.endpoint_counters(flooded)->rx_messages.get() == 20000);
  REQUIRE(board.host.send(quiet, echo, {1, 2, 3}) == Errc::ok);
  CHECK(board.host.until([&] { return board.host.received[quiet].size() == 1; }));
  // Whatever was not handed over was counted as dropped, and the last message is there.
  CHECK(board.host.until([&] {
    const auto& got = board.host.received[flooded];
    return !got.empty() && got.back().seq == 19999;
  }));
  CHECK(board.host.received[flooded].size() + link.endpoint_counters(flooded)->rx_dropped.get() ==
        20000);
}

TEST_CASE("a poisoned ring faults its vdev alone; the other goes on") {
  for (const char* fault : {"used-id-range:1", "used-id-duplicate:1", "used-idx-jump:1"}) {
    CAPTURE(fault);
    Board board({"--vdevs", "2", "--fault", fault, "--vdev-fault", "1"}, 2);
    REQUIRE(board.host.start());
    const uint32_t victim = board.host.wait_name(0, 1, "echo");
    const uint32_t provoking = board.host.endpoint(0, 1, 1025);
    REQUIRE(board.host.send(provoking, victim, {1}) == Errc::ok);
    REQUIRE(board.host.wait_vdev(0, 1, VdevState::faulted));
    CHECK(board.host.vdev_reasons[{0, 1}].find("vring") == 0);
    const uint32_t echo = board.host.wait_name(0, 0, "echo");
    const uint32_t sound = board.host.endpoint(0, 0, 1024);
    CHECK(board.host.send(sound, echo, {1}) == Errc::ok);
    CHECK(board.host.until([&] { return board.host.received[sound].size() == 1; }));
    const uint32_t other = board.host.endpoint(0, 1, 1024);
    CHECK(board.host.send(other, 1, {1}) == Errc::peer_fault);
    CHECK(board.host.remote_states[0] == RemoteState::attached);
  }
}

TEST_CASE("a bad message in a sound ring is counted, its buffer comes back, traffic goes on") {
  Board board({"--vdevs", "1", "--fault", "header-len-overrun:1"});
  REQUIRE(board.host.start());
  const uint32_t echo = board.host.wait_name(0, 0, "echo");
  REQUIRE(board.host.send(board.host.endpoint(0, 0, 1025), echo, {1}) == Errc::ok);
  REQUIRE(board.host.until(
      [&] { return board.host.link().vdev(0, 0)->counters().rx_malformed.get() == 1; }));
  const uint32_t source = board.host.wait_name(0, 0, "source");
  REQUIRE(source != 0);
  const uint32_t endpoint = board.host.endpoint(0, 0, 1024, 1024);
  REQUIRE(board.host.send(endpoint, source, source_request(1000, 16)) == Errc::ok);
  CHECK(board.host.until([&] { return board.host.received[endpoint].size() == 1000; }));
}

TEST_CASE("firmware that starts again and rings finds fresh rings; the generation counts on") {
  Board board({"--vdevs", "1"});
  REQUIRE(board.host.start());
  REQUIRE(board.host.wait_name(0, 0, "echo") != 0);
  const uint32_t generation = board.host.generations[0];
  board.firmware.kill();
  board.host.names.clear();
  board.firmware = board.soc.start_firmware({"--vdevs", "1"});
  const uint32_t echo = board.host.wait_name(0, 0, "echo");
  REQUIRE(echo != 0);
  CHECK(board.host.generations[0] == generation + 1);
  const uint32_t endpoint = board.host.endpoint(0, 0, 1024);
  CHECK(board.host.send(endpoint, echo, {9}) == Errc::ok);
  REQUIRE(board.host.until([&] { return board.host.received[endpoint].size() == 1; }));
  CHECK(board.host.received[endpoint][0].generation == generation + 1);
}

TEST_CASE("the death of the board is told once and every vdev is down") {
  Board board({"--vdevs", "2"}, 2);
  REQUIRE(board.host.start());
  REQUIRE(board.host.wait_name(0, 1, "echo") != 0);
  board.soc.process().kill();
  REQUIRE(board.host.until([&] { return board.host.boards_gone > 0; }));
  CHECK(board.host.boards_gone == 1);
  CHECK(board.host.wait_vdev(0, 0, VdevState::down));
  CHECK(board.host.wait_vdev(0, 1, VdevState::down));
  const uint32_t endpoint = board.host.endpoint(0, 0, 1024);
  CHECK(board.host.send(endpoint, 1, {1}) == Errc::remote_down);
}

TEST_CASE("what cannot be opened is refused in a sentence, before a register is touched") {
  SocProcess soc;
  REQUIRE(soc.ready());
  LinkHarness host;
  RemoteSetup setup = sim_setup("/nonexistent/soc.sock", "cm40", 1);
  CHECK(host.open(setup) == -1);
  CHECK(host.error.find("/nonexistent/soc.sock") != std::string::npos);
  setup = sim_setup(soc.socket(), "cm40", 9);
  CHECK(host.open(setup) == -1);
  CHECK(host.error.find("vdevs is 9") != std::string::npos);
  setup = sim_setup(soc.socket(), "cm40", 1);
  setup.vring_base = 0x1'0000'0000;
  CHECK(host.open(setup) == -1);
  CHECK(host.error.find("4 GiB") != std::string::npos);
  setup = sim_setup(soc.socket(), "cm40", 1);
  setup.buffer_base = 0x10000000;
  CHECK(host.open(setup) == -1);
  CHECK(host.error.find("0x10000000") != std::string::npos);
  setup = sim_setup(soc.socket(), "cm40", 1);
  setup.soc = "imx8ulp";
  CHECK(host.open(setup) == -1);
  CHECK(host.error.find("the board is an imx8qxp") != std::string::npos);
  SocProcess four({"--soc", "imx8qm"});
  REQUIRE(four.ready());
  CHECK(host.open(sim_setup(four.socket(), "cm40", 5)) == -1);
  CHECK(host.error.find("can address 4 at most") != std::string::npos);
  setup = sim_setup(soc.socket(), "m7", 1);
  CHECK(host.open(setup) == -1);
  CHECK(host.error.find("cm40") != std::string::npos);
}

TEST_CASE("a host that starts over the rings of an earlier one says so") {
  SocProcess soc;
  REQUIRE(soc.ready());
  Process firmware = soc.start_firmware({"--vdevs", "1"});
  for (const bool is_second : {false, true}) {
    CAPTURE(is_second);
    LinkHarness host;
    REQUIRE(host.open(sim_setup(soc.socket(), "cm40", 1)) == 0);
    REQUIRE(host.start());
    REQUIRE(host.until([&] { return host.remote_reasons.count(0) != 0; }));
    CHECK((host.remote_reasons[0].find("earlier owner") != std::string::npos) == is_second);
    if (!is_second) REQUIRE(host.wait_name(0, 0, "echo") != 0);
  }
}
