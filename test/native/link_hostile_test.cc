// SPDX-License-Identifier: Apache-2.0
// Hostile remotes against a real link: whatever one core writes into rings and registers, the
// process lives, a turn of the link thread stays bounded, and the core beside it keeps its echo.
#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <random>
#include <thread>

#include "support/hand_remote.h"
#include "support/link_harness.h"
#include "support/scu_client.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

constexpr uint32_t kVdevs = 2;

/// A board with a hostile core cm40, and cm41 with sound firmware whose echo has to answer.
struct Board {
  Board() : sound(soc.start_firmware({"--vdevs", "1"}, "cm41")), hostile(soc.socket(), "cm40") {
    REQUIRE(host.open(sim_setup(soc.socket(), "cm40", kVdevs)) == 0);
    REQUIRE(host.open(sim_setup(soc.socket(), "cm41", 1)) == 1);
    REQUIRE(host.start());
    echo = host.wait_name(1, 0, "echo");
    REQUIRE(echo != 0);
    endpoint = host.endpoint(1, 0, 2000);
    hostile.ready();
    for (uint32_t vdev = 0; vdev < kVdevs; ++vdev)
      REQUIRE(host.wait_vdev(0, vdev, VdevState::offered));
  }

  void check_echo(size_t messages = 20) {
    for (size_t i = 0; i < messages; ++i) {
      const size_t before = host.received[endpoint].size();
      REQUIRE(host.send(endpoint, echo, {1, 2, 3}) == Errc::ok);
      REQUIRE(host.until([&] { return host.received[endpoint].size() > before; }));
    }
  }

  void check_commands() {
    const auto tag = static_cast<uint32_t>(host.synced.size());
    host.link().sync(endpoint, tag);
    REQUIRE(host.until([&] { return host.synced.size() > tag; }));
    const uint64_t beats = host.link().heartbeat();
    REQUIRE(host.until([&] { return host.link().heartbeat() > beats; }));
  }

  /// After whatever it did, the core starts again, says so and is heard on every vdev.
  void check_recovers() {
    const uint32_t listener = host.endpoint(0, 0, 3000);
    const uint32_t second = host.endpoint(0, 1, 3000);
    // First break every ring for good: what a storm left half done is no known state. Again and
    // again, since a life that just begins wipes it out.
    bool broken = false;
    for (int attempt = 0; attempt < 200 && !broken; ++attempt) {
      for (uint32_t ring = 0; ring < 2 * kVdevs; ++ring)
        hostile.set_used_index(ring / 2, ring % 2, 0xBAD);
      hostile.take_word();
      hostile.word(0);
      const auto faulted = [&](uint32_t vdev) {
        return host.vdev_states[{0, vdev}] == VdevState::faulted;
      };
      broken = host.until([&] { return faulted(0) && faulted(1); }, 50);
    }
    REQUIRE(broken);
    host.evidence.clear();
    hostile.ready();
    REQUIRE(host.until([&] {
      hostile.take_word();
      return host.vdev_states[{0, 0}] == VdevState::offered &&
             host.vdev_states[{0, 1}] == VdevState::offered && !host.evidence.empty();
    }));
    REQUIRE(hostile.say(0, 7, 3000, {9}));
    REQUIRE(host.until([&] { return !host.received[listener].empty(); }));
    REQUIRE(host.until([&] { return hostile.say(1, 7, 3000, {9}); }));
    REQUIRE(host.until([&] { return !host.received[second].empty(); }));
    CHECK(host.vdev_states[{0, 0}] == VdevState::up);
    CHECK(host.vdev_states[{0, 1}] == VdevState::up);
  }

  SocProcess soc{{"--soc", "imx8qm"}};
  Process sound;
  HandRemote hostile;
  LinkHarness host;
  uint32_t echo = 0;
  uint32_t endpoint = 0;
};

/// Does one thing for ever on a thread of its own, as a core does.
class Storm {
public:
  explicit Storm(std::function<void(uint64_t)> step)
      : thread_([this, step] {
          for (uint64_t n = 0; !stop_.load(std::memory_order_relaxed); ++n)
            step(n);
        }) {}
  ~Storm() {
    stop_ = true;
    thread_.join();
  }

private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

} // namespace

TEST_CASE("hostile: a storm of words, of queues that exist or not, starves nobody else") {
  Board board;
  const Counter& malformed = board.host.link().vdev(0, 0)->counters().rx_malformed;
  {
    Storm storm([&](uint64_t n) {
      board.hostile.word(n % 3 == 0 ? 0xFFFFFFFF : static_cast<uint32_t>(n % 40) << 16);
    });
    REQUIRE(board.host.until([&] { return malformed.get() > 0; })); // it blows
    board.check_echo();
    board.check_commands();
  }
  board.check_recovers();
}

TEST_CASE("hostile: a storm of ready doorbells starves nobody else") {
  Board board;
  {
    Storm storm([&](uint64_t) { board.hostile.mu().ring(2); });
    board.check_echo();
    board.check_commands();
  }
  board.check_recovers();
}

TEST_CASE("hostile: a storm of lives, each of which uses the rings, starves nobody else") {
  Board board;
  {
    Storm storm([&](uint64_t) {
      board.hostile.put_used(0, 0, 0, 64);
      board.hostile.mu().ring(2);
    });
    board.check_echo();
    board.check_commands();
  }
  board.check_recovers();
}

TEST_CASE("hostile: every doorbell ringing and every flag toggling starves nobody else") {
  Board board;
  {
    Storm storm([&](uint64_t n) {
      board.hostile.mu().ring(15);
      board.hostile.mu().set_flags(n & 7);
      if (n % 5 == 0) board.hostile.set_used_index(0, 1, static_cast<uint16_t>(n));
    });
    board.check_echo();
    board.check_commands();
  }
  board.check_recovers();
}

TEST_CASE("hostile: messages without end to nobody starve nobody else") {
  Board board;
  {
    Storm storm([&](uint64_t n) {
      (void)board.hostile.say(static_cast<uint32_t>(n % kVdevs), 7, 0xDEAD, {1});
    });
    board.check_echo();
    board.check_commands();
  }
  board.check_recovers();
}

TEST_CASE("hostile: a flood of announcements costs its own vdev only") {
  Board board;
  {
    const std::vector<uint8_t> announcement(40, 'x');
    Storm storm([&](uint64_t n) {
      (void)board.hostile.say(0, static_cast<uint32_t>(n), 53, announcement);
    });
    board.check_echo();
    board.check_commands();
  }
  board.check_recovers();
}

TEST_CASE("hostile: each broken ring rule faults one vdev with its reason; a doorbell ends it") {
  struct Case {
    const char* reason;
    std::function<void(HandRemote&)> act;
  };
  const Case cases[] = {
      {"used_index_jump", [](HandRemote& r) { r.set_used_index(0, 0, 1000); }},
      {"used_index_jump", [](HandRemote& r) { r.set_used_index(0, 0, 0xFFFF); }},
      {"used_id_out_of_range", [](HandRemote& r) { r.put_used(0, 0, 0x10000, 64); }},
      {"used_length_too_long", [](HandRemote& r) { r.put_used(0, 0, 0, 513); }},
      {"used_length_too_short", [](HandRemote& r) { r.put_used(0, 0, 0, 15); }},
      {"used_id_not_in_flight", [](HandRemote& r) { r.put_used(0, 1, 0, 16); }},
      {"vring1: used_index_jump", [](HandRemote& r) { r.set_used_index(0, 1, 1); }},
  };
  Board board;
  for (const Case& each : cases) {
    CAPTURE(each.reason);
    // A message in flight on vring1, so that an id that is not can be told from a jump.
    const uint32_t sender = board.host.endpoint(0, 0, 4000);
    const bool duplicate = std::string(each.reason) == "used_id_not_in_flight";
    if (duplicate) {
      REQUIRE(board.host.send(sender, 7, {1}) == Errc::ok);
      REQUIRE(board.host.send(sender, 7, {1}) == Errc::ok);
      board.hostile.put_used(0, 1, 0, 16);
    }
    each.act(board.hostile);
    board.hostile.word(0);
    REQUIRE(board.host.wait_vdev(0, 0, VdevState::faulted));
    const std::string why = board.host.vdev_reasons[{0, 0}];
    CHECK_MESSAGE(why.find(each.reason) != std::string::npos, why);
    CHECK(board.host.vdev_states[{0, 1}] != VdevState::faulted);
    board.check_echo(1);
    board.host.link().close_endpoint(sender);
    board.hostile.ready();
    REQUIRE(board.host.until([&] {
      board.hostile.take_word();
      return board.host.vdev_states[{0, 0}] == VdevState::offered;
    }));
  }
  board.check_recovers();
}

TEST_CASE(
    "hostile: a ring broken by the time its first doorbell is heard is a fault, and no new life") {
  // With no SCFW to ask, whatever a doorbell means is done at once.
  SocProcess soc;
  ScuClient other(soc.socket());
  REQUIRE(other.ready());
  HandRemote hostile(soc.socket(), "cm40");
  LinkHarness host;
  REQUIRE(host.open(sim_setup(soc.socket(), "cm40", 1)) == 0);
  REQUIRE(host.start());
  REQUIRE(host.wait_vdev(0, 0, VdevState::offered)); // for want of a doorbell
  hostile.set_used_index(0, 0, 1000);
  hostile.ready();
  REQUIRE(host.until([&] { return host.vdev_states[{0, 0}] != VdevState::offered; }));
  const uint64_t beats = host.link().heartbeat();
  REQUIRE(host.until([&] { return host.link().heartbeat() > beats; }));
  CHECK(host.vdev_states[{0, 0}] == VdevState::faulted);
  CHECK(host.resets.empty());
  hostile.ready();
  REQUIRE(host.until([&] { return host.resets.size() == 1; }));
  CHECK(host.wait_vdev(0, 0, VdevState::offered));
}

TEST_CASE("hostile: a broken vring1 that a sender finds first fails those who wait at once") {
  Board board;
  const uint32_t sender = board.host.endpoint(0, 0, 4000, 256, 256);
  uint32_t sent = 0;
  while (board.host.begin(sender, 7, {1}, 0, 1, 1).kind == SendOutcome::Kind::sent)
    ++sent;
  CHECK(sent == 256);
  REQUIRE(board.host.begin(sender, 7, {1}, 20000, 1, 77).kind == SendOutcome::Kind::queued);
  const uint64_t beats = board.host.link().heartbeat();
  board.hostile.set_used_index(0, 1, 5000);
  REQUIRE(board.host.until([&] { return board.host.done.count(77) != 0; }));
  CHECK(board.host.done[77] == Errc::peer_fault);
  CHECK(board.host.vdev_states[{0, 0}] == VdevState::faulted);
  (void)beats;
}

TEST_CASE("hostile: headers that lie and receivers that do not exist are counted, not fatal") {
  Board board;
  const uint32_t listener = board.host.endpoint(0, 0, 3000);
  for (const uint16_t length : {uint16_t{497}, uint16_t{0xFFFF}}) {
    const auto id = board.hostile.fill(0, 7, 3000, {1, 2, 3}, length);
    REQUIRE(id);
    board.hostile.put_used(0, 0, *id, 512);
  }
  const auto id = board.hostile.fill(0, 7, 3000, {1, 2, 3}, 4);
  REQUIRE(id);
  board.hostile.put_used(0, 0, *id, 16 + 3);
  REQUIRE(board.hostile.say(0, 7, 0xFFFFFFFF, {1}));
  REQUIRE(board.hostile.say(0, 7, 3000, {5}));
  board.hostile.word(0);
  REQUIRE(board.host.until([&] { return board.host.received[listener].size() == 1; }));
  CHECK(board.host.received[listener][0].data == std::vector<uint8_t>{5});
  const VdevCounters& counters = board.host.link().vdev(0, 0)->counters();
  CHECK(counters.rx_malformed.get() == 3);
  CHECK(counters.rx_no_endpoint.get() == 1);
  CHECK(board.host.vdev_states[{0, 0}] == VdevState::up);
}

TEST_CASE(
    "hostile: a remote that never reads its register blocks no sender for longer than asked") {
  Board board;
  const uint32_t sender = board.host.endpoint(0, 0, 4000, 256, 256);
  uint32_t sent = 0;
  while (board.host.begin(sender, 7, {1}, 0, 1, 1).kind == SendOutcome::Kind::sent)
    ++sent;
  CHECK(sent == 256);
  CHECK(board.host.send(sender, 7, {1}, 20) == Errc::timed_out);
  board.check_echo();
  board.check_commands();
}

TEST_CASE("hostile: scribbling over rings, buffers and registers under traffic never ends us") {
  Board board;
  const uint32_t sender = board.host.endpoint(0, 0, 4000);
  constexpr uint64_t kSteps = 60000;
  std::atomic<uint64_t> steps{0};
  {
    std::minstd_rand random(20190801);
    Storm storm([&](uint64_t n) {
      if (n >= kSteps) return std::this_thread::yield();
      const uint32_t vdev = static_cast<uint32_t>(random() % kVdevs);
      switch (random() % 12) {
      case 0: board.hostile.rings(vdev)[random() % 0x10000] = static_cast<uint8_t>(random()); break;
      case 1:
        board.hostile.buffers(vdev)[random() % 0x40000] = static_cast<uint8_t>(random());
        break;
      case 2: board.hostile.put_used(vdev, random() % 2, random() % 300, random() % 600); break;
      case 3: board.hostile.word(static_cast<uint32_t>(random() << 8)); break;
      case 4:
        if (random() % 16 == 0) board.hostile.ready();
        break;
      case 5: board.hostile.mu().set_flags(static_cast<uint32_t>(random() & 7)); break;
      case 6: board.hostile.take_word(); break;
      case 7: board.hostile.mu().ring(static_cast<uint32_t>(random() & 15)); break;
      default:
        (void)board.hostile.say(vdev, static_cast<uint32_t>(random()), 53, {1, 2, 3});
        board.hostile.take_word();
      }
      steps = n;
    });
    while (steps < kSteps - 1) {
      (void)board.host.begin(sender, 7, {1, 2, 3}, 0, 1, 1);
      board.check_echo(1);
    }
    board.check_commands();
  }
  board.check_recovers();
}
