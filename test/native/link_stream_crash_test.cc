// SPDX-License-Identifier: Apache-2.0
// A host is killed after each single persistent store of what it does for a stream, and its
// successor goes on with the socket: each packet arrives once, in order, both ways.
#include <doctest/doctest.h>

#include <atomic>

#include "support/crash_points.h"
#include "support/resume_bench.h"
#include "support/ring_memory.h"
#include "support/stream_client.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint32_t kPeer = 7;
constexpr uint8_t kAtOnce = 3;

struct StreamWorld {
  StreamWorld() {
    bench.bring_up();
    Host first(bench.setup());
    REQUIRE(first.wait_vdev(0, 0, VdevState::up));
    REQUIRE(client.acquire(first, first.id, kPeer, {.fixed_peer = true, .hold = 64}).ok());
    REQUIRE(client.send({0}) == 0);
    REQUIRE(first.until([&] { return take_heard() == std::vector<Bytes>{{0}}; }));
  }

  std::vector<Bytes> take_heard() {
    std::vector<Bytes> heard;
    bench.remote.take_word();
    while (const auto payload = bench.remote.hear(0))
      heard.push_back(*payload);
    return heard;
  }

  /// A host that has the stream and dies after its k-th store from `operation` on; then its
  /// successor, up to the end of `verify`. True if it died.
  template<class Operation, class Verify>
  bool round(uint64_t k, Operation operation, Verify verify) {
    new (&is_armed) std::atomic<bool>(false);
    const pid_t child = fork();
    if (child == 0) {
      Host host(bench.setup());
      if (!host.link().resume_stream(host.id, client.daemon_end())) _exit(1);
      if (!host.wait_remote(0, RemoteState::attached)) _exit(1);
      crash_after(k);
      is_armed = true;
      // Sleeps until it dies, or until the parent has seen what it wanted to see.
      _exit(host.until([&] { return !is_armed; }, 20'000) ? 0 : 2);
    }
    int status = 0;
    pid_t ended = 0;
    while (!is_armed && ended == 0) { // it may die of a store that nobody asked for
      usleep(200);
      ended = waitpid(child, &status, WNOHANG);
    }
    operation();
    for (int i = 0; i < 400 && ended == 0 && !is_seen(); ++i) {
      bench.remote.take_word();
      usleep(500);
      ended = waitpid(child, &status, WNOHANG);
    }
    if (ended == 0) {
      is_armed = false;
      REQUIRE(waitpid(child, &status, 0) == child);
    }
    const bool has_died = WIFSIGNALED(status);
    if (!has_died) REQUIRE(WEXITSTATUS(status) == 0);
    Host next(bench.setup());
    REQUIRE(next.link().resume_stream(next.id, client.daemon_end()));
    verify(next);
    return has_died;
  }

  bool is_seen() { return seen && seen(); }

  Bench bench;
  StreamClient client;
  GuardedPages pages{sizeof(std::atomic<bool>)};
  std::atomic<bool>& is_armed = *new (pages.data()) std::atomic<bool>(false);
  std::function<bool()> seen; // an undisturbed host has done it all
};

} // namespace

TEST_CASE("a host killed at any store of taking packets out of a socket sends each once") {
  StreamWorld world;
  uint8_t number = 1;
  bool has_died = true;
  uint64_t k = 1;
  for (; has_died; ++k) {
    CAPTURE(k);
    const auto first = number;
    const uint16_t before = world.bench.remote.avail_index(0, 1);
    world.seen = [&world, before] {
      return world.bench.remote.avail_index(0, 1) == static_cast<uint16_t>(before + kAtOnce);
    };
    has_died = world.round(
        k,
        [&] {
          for (uint8_t i = 0; i < kAtOnce; ++i)
            REQUIRE(world.client.send({number++}) == 0);
        },
        [&](Host& next) {
          REQUIRE(world.client.send({number++}) == 0);
          std::vector<Bytes> heard;
          REQUIRE(next.until([&] {
            for (const Bytes& payload : world.take_heard())
              heard.push_back(payload);
            return heard.size() >= kAtOnce + 1u;
          }));
          REQUIRE(heard.size() == kAtOnce + 1u);
          for (uint8_t i = 0; i <= kAtOnce; ++i)
            REQUIRE(heard[i] == Bytes{static_cast<uint8_t>(first + i)});
        });
  }
  CHECK(k > 30);
}

TEST_CASE("of a stream closed as soon as it is resumed each packet is sent once, or counted") {
  bool has_died = true;
  for (uint64_t k = 1; has_died; ++k) {
    CAPTURE(k);
    StreamWorld world;
    const uint16_t before = world.bench.remote.avail_index(0, 1);
    world.seen = [&world, before] {
      return world.bench.remote.avail_index(0, 1) == static_cast<uint16_t>(before + kAtOnce);
    };
    has_died = world.round(
        k,
        [&] {
          for (uint8_t i = 0; i < kAtOnce; ++i)
            REQUIRE(world.client.send({i}) == 0);
        },
        [&](Host& next) {
          next.link().close_stream(next.id);
          REQUIRE(next.until([&] { return !next.streams_over.empty(); }));
          std::vector<Bytes> heard;
          const auto& counters = *next.link().endpoint_counters(next.id);
          REQUIRE(next.until([&] {
            for (const Bytes& payload : world.take_heard())
              heard.push_back(payload);
            return heard.size() + counters.tx_dropped.get() >= kAtOnce;
          }));
          CHECK(heard.size() + counters.tx_dropped.get() == kAtOnce);
          for (size_t i = 0; i < heard.size(); ++i)
            CHECK(heard[i] == Bytes{static_cast<uint8_t>(i)});
        });
  }
}

TEST_CASE("a host killed at any store of putting messages into a socket delivers each once") {
  StreamWorld world;
  uint8_t number = 1;
  bool has_died = true;
  uint64_t k = 1;
  for (; has_died; ++k) {
    CAPTURE(k);
    const auto first = number;
    std::vector<Bytes> received;
    world.seen = [&] {
      while (const auto packet = world.client.receive(0))
        received.push_back(*packet);
      return received.size() == kAtOnce;
    };
    const auto say = [&](uint8_t n) {
      world.bench.remote.take_word();
      REQUIRE(world.bench.remote.say(0, kPeer, kLocal, {n}));
    };
    has_died = world.round(
        k,
        [&] {
          for (uint8_t i = 0; i < kAtOnce; ++i)
            say(number++);
        },
        [&](Host& next) {
          say(number++);
          REQUIRE(next.until([&] {
            while (const auto packet = world.client.receive(0))
              received.push_back(*packet);
            return received.size() >= kAtOnce + 1u;
          }));
          REQUIRE(received.size() == kAtOnce + 1u);
          for (uint8_t i = 0; i <= kAtOnce; ++i)
            REQUIRE(received[i] == Bytes{static_cast<uint8_t>(first + i)});
        });
  }
  CHECK(k > 30);
}

TEST_CASE("a host killed at any store of beginning or ending a stream leaves a stream or none") {
  Bench bench;
  bench.bring_up();
  bool has_died = true;
  for (uint64_t k = 1; has_died; ++k) {
    CAPTURE(k);
    StreamClient client;
    const pid_t child = fork();
    if (child == 0) {
      Host host(bench.setup());
      if (!host.wait_remote(0, RemoteState::attached)) _exit(1);
      crash_after(k);
      if (!client.acquire(host, host.id, kPeer, {.fixed_peer = true, .hold = 8}).ok()) _exit(1);
      host.link().close_stream(host.id);
      _exit(host.until([&] { return !host.streams_over.empty(); }) ? 0 : 2);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    has_died = WIFSIGNALED(status);
    if (!has_died) REQUIRE(WEXITSTATUS(status) == 0);
    Host next(bench.setup());
    REQUIRE(next.wait_remote(0, RemoteState::attached));
    if (next.link().had_stream(next.id)) {
      REQUIRE(next.link().resume_stream(next.id, client.daemon_end()));
    } else {
      StreamClient fresh;
      REQUIRE(client.acquire(next, next.id, kPeer, {.fixed_peer = true, .hold = 8}).ok());
    }
    if (client.send({static_cast<uint8_t>(k)}) == 0) { // unless it was shut before the death
      std::vector<Bytes> heard;
      REQUIRE(next.until([&] {
        bench.remote.take_word();
        while (const auto payload = bench.remote.hear(0))
          heard.push_back(*payload);
        return !heard.empty();
      }));
      CHECK(heard == std::vector<Bytes>{{static_cast<uint8_t>(k)}});
    }
    next.link().close_stream(next.id);
    REQUIRE(next.until([&] { return !next.streams_over.empty(); }));
  }
}
