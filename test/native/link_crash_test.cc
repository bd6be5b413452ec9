// SPDX-License-Identifier: Apache-2.0
// A host is killed after each single persistent store of each thing that it does for a remote, and
// its successor goes on: the remote's ring is unbroken, every message and every life counts once.
#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "support/crash_points.h"
#include "support/hand_remote.h"
#include "support/link_harness.h"
#include "support/ring_memory.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

constexpr uint32_t kLocal = 1024;
constexpr uint32_t kOther = 1025;

/// What a host that dies has told the world by then.
struct Diary {
  std::atomic<bool> is_armed = false;
  std::atomic<bool> has_received = false; // the message of this round: its clients have it
  uint64_t seq = 0;                       // of that message
  bool is_released = false;
  bool is_sent = false;
  bool is_open = false;
  bool is_closed = false;
};

/// A host with an endpoint that keeps what it receives until told otherwise.
struct Host : LinkHarness {
  explicit Host(const RemoteSetup& setup) {
    hold = true;
    if (open(setup) != 0) return;
    id = endpoint(0, 0, kLocal);
    is_started = id != 0 && start();
  }
  std::vector<Message>& messages() { return received[id]; }
  uint32_t id = 0;
  bool is_started = false;
};

/// One board whose remote, in the test's hands, outlives every host.
struct World {
  World() : remote(soc.socket(), "cm40"), setup(sim_setup(soc.socket(), "cm40", 1)) {
    setup.state_file = directory.path() + "/cm40.state";
    remote.ready();
    Host first(setup);
    REQUIRE(first.is_started);
    REQUIRE(first.wait_vdev(0, 0, VdevState::offered));
    remote.take_word();
    say(0);
    REQUIRE(first.wait_vdev(0, 0, VdevState::up));
    REQUIRE(first.until([&] { return first.messages().size() == 1; }));
    first.link().release(first.id, 1);
  }

  void say(uint8_t number) {
    remote.take_word();
    REQUIRE(remote.say(0, 7, kLocal, {number}));
  }

  /// One round: a host that dies after its k-th store from `operation` on, while the remote does
  /// what it does `meanwhile`, whole, since it never dies; then `verify` with the next one. True if
  /// it died.
  template<class Meanwhile, class Operation, class Verify>
  bool round(uint64_t k, Meanwhile meanwhile, Operation operation, Verify verify) {
    new (&diary) Diary;
    const pid_t child = fork();
    if (child == 0) {
      Host host(setup);
      if (!host.is_started || !host.wait_remote(0, RemoteState::attached)) _exit(1);
      crash_after(k);
      diary.is_armed = true;
      _exit(operation(host) ? 0 : 2);
    }
    meanwhile(child);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    const bool has_died = WIFSIGNALED(status);
    if (!has_died) REQUIRE(WEXITSTATUS(status) == 0);
    Host next(setup);
    INFO(next.error);
    REQUIRE(next.is_started);
    verify(next);
    for (remote.take_word(); next.until([&] { return remote.mu().receive_full() != 0; }, 0);)
      remote.take_word();
    return has_died;
  }

  /// Waits for what the host writes into its diary, or for its death.
  void wait_for(const std::atomic<bool>& entry, pid_t host) const {
    siginfo_t death = {};
    while (!entry && death.si_pid == 0) {
      usleep(200);
      REQUIRE(waitid(P_PID, static_cast<id_t>(host), &death, WEXITED | WNOHANG | WNOWAIT) == 0);
    }
  }

  TemporaryDirectory directory;
  SocProcess soc;
  HandRemote remote;
  RemoteSetup setup;
  GuardedPages pages{sizeof(Diary)};
  Diary& diary = *new (pages.data()) Diary;
};

constexpr auto nothing = [](pid_t) {};

} // namespace

TEST_CASE("a host killed at any store of receiving and releasing delivers each message once") {
  World world;
  uint64_t next_seq = 1;
  bool has_died = true;
  for (uint64_t k = 1; has_died; ++k) {
    CAPTURE(k);
    const auto number = static_cast<uint8_t>(k);
    has_died = world.round(
        k,
        [&](pid_t host) {
          world.wait_for(world.diary.is_armed, host);
          world.say(number);
        },
        [&](Host& host) {
          if (!host.until([&] { return host.messages().size() == 1; })) return false;
          world.diary.seq = host.messages()[0].seq;
          world.diary.has_received = true;
          host.link().release(host.id, world.diary.seq + 1);
          world.diary.is_released = true;
          host.link().sync(host.id, 1);
          return host.until([&] { return !host.synced.empty(); });
        },
        [&](Host& next) {
          if (world.diary.has_received) CHECK(world.diary.seq == next_seq);
          // A message that comes after it arrives in any case, and tells that nothing else will.
          world.say(0xEE);
          REQUIRE(next.until(
              [&] { return !next.messages().empty() && next.messages().back().data[0] == 0xEE; }));
          const bool is_again = next.messages().size() == 2;
          if (world.diary.is_released) CHECK_FALSE(is_again);
          if (!world.diary.has_received) CHECK(is_again);
          if (is_again) {
            CHECK(next.messages()[0].seq == next_seq);
            CHECK(next.messages()[0].data == std::vector<uint8_t>{number});
          }
          CHECK(next.messages().back().seq == next_seq + 1);
          CHECK(next.generations[0] == 1);
          next.link().release(next.id, next_seq + 2);
          next_seq += 2;
        });
  }
  CHECK(next_seq > 30);
}

TEST_CASE("a host killed at any store of sending has sent once what it said it sent") {
  World world;
  bool has_died = true;
  for (uint64_t k = 1; has_died; ++k) {
    CAPTURE(k);
    const auto number = static_cast<uint8_t>(k);
    has_died = world.round(
        k, nothing,
        [&](Host& host) {
          world.diary.is_sent =
              host.begin(host.id, 7, {number}, 0, 1, 1).kind == SendOutcome::Kind::sent;
          return world.diary.is_sent;
        },
        [&](Host& next) {
          REQUIRE(next.wait_remote(0, RemoteState::attached));
          REQUIRE(next.send(next.id, 7, {0xEE}) == Errc::ok);
          std::vector<uint8_t> heard;
          while (const auto payload = world.remote.hear(0))
            heard.push_back(payload->at(0));
          const bool has_both = heard == std::vector<uint8_t>{number, 0xEE};
          CHECK((has_both || (!world.diary.is_sent && heard == std::vector<uint8_t>{0xEE})));
        });
  }
}

TEST_CASE("a host killed at any store of opening and closing leaves an endpoint or none") {
  World world;
  bool has_died = true;
  for (uint64_t k = 1; has_died; ++k) {
    CAPTURE(k);
    has_died = world.round(
        k, nothing,
        [&](Host& host) {
          const uint32_t id = host.endpoint(0, 0, kOther, 8, 4);
          world.diary.is_open = id != 0;
          host.link().close_endpoint(id);
          const bool ended = host.until([&] { return !host.closed.empty(); });
          world.diary.is_closed = true;
          return ended;
        },
        [&](Host& next) {
          // Its id is the next one: claimed if it is there, else opened anew. Either way it works.
          const uint32_t id = next.endpoint(0, 0, kOther, 8, 4);
          REQUIRE(id != 0);
          world.remote.take_word();
          REQUIRE(world.remote.say(0, 7, kOther, {1}));
          REQUIRE(next.until([&] { return next.received[id].size() == 1; }));
          next.link().close_endpoint(id);
          REQUIRE(next.until([&] { return !next.closed.empty(); }));
        });
  }
}

TEST_CASE("a host killed at any store of a reset counts it once and keeps what it had received") {
  World world;
  uint32_t generation = 1;
  uint64_t next_seq = 1;
  bool has_died = true;
  for (uint64_t k = 1; has_died; k += k < 40 ? 1 : 97) {
    CAPTURE(k);
    world.say(static_cast<uint8_t>(k)); // of the former life, taken or not when the remote dies
    has_died = world.round(
        k,
        [&](pid_t host) {
          world.wait_for(world.diary.has_received, host);
          world.remote.ready();
        },
        [&](Host& host) {
          if (!host.until([&] { return host.messages().size() == 1; })) return false;
          world.diary.has_received = true;
          return host.until([&] { return host.generations[0] == generation + 1; }) &&
                 host.wait_vdev(0, 0, VdevState::offered);
        },
        [&](Host& next) {
          REQUIRE(next.until([&] { return next.generations[0] == generation + 1; }));
          REQUIRE(next.wait_vdev(0, 0, VdevState::offered));
          // The same for everybody: the remote's first message of the new life.
          world.remote.ready();
          world.say(0xEE);
          REQUIRE(next.until(
              [&] { return !next.messages().empty() && next.messages().back().data[0] == 0xEE; }));
          CHECK(next.messages().back().generation == generation + 1);
          if (world.diary.has_received) {
            REQUIRE(next.messages().size() == 2);
            CHECK(next.messages()[0].generation == generation);
            CHECK(next.messages()[0].seq == next_seq);
          }
          next_seq = next.messages().back().seq + 1;
          next.link().release(next.id, next_seq);
          REQUIRE(next.wait_remote(0, RemoteState::attached));
          CHECK(next.generations[0] == generation + 1);
          ++generation;
        });
  }
}
