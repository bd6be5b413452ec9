// SPDX-License-Identifier: Apache-2.0
// Between the two threads: nobody's events wait for another's flood, no command is left lying, and
// a remote that starts for ever is served no more often than it is worth.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "support/hand_remote.h"
#include "support/link_harness.h"
#include "support/resume_bench.h"

using namespace rpmsg;
using namespace rpmsg::test;

TEST_CASE("commands that did not fit are given once there is room, though no event comes") {
  SocProcess soc;
  REQUIRE(soc.ready());
  LinkHarness host;
  RemoteSetup setup = sim_setup(soc.socket(), "cm40", 1);
  setup.ready_wait_ms = 60000; // nothing happens by itself
  REQUIRE(host.open(setup) == 0);
  const uint32_t endpoint = host.endpoint(0, 0, 1024);
  for (uint32_t i = 0; i < 60000; ++i)
    host.link().grant(endpoint, 0);
  host.link().sync(endpoint, 5);
  REQUIRE(host.start());
  CHECK(host.until([&] { return !host.synced.empty(); }));
}

TEST_CASE("a message that a new endpoint is there for finds it, whatever wakes the link thread") {
  Bench bench;
  bench.bring_up();
  for (uint32_t round = 0; round < 100; ++round) {
    CAPTURE(round);
    Host host(bench.setup());
    const uint32_t id = host.endpoint(0, 0, kLocal + 1);
    REQUIRE(id != 0);
    bench.remote.take_word();
    REQUIRE(bench.remote.say(0, 7, kLocal + 1, {1}));
    REQUIRE(host.until([&] { return host.received[id].size() == 1; }));
    host.link().release(id, host.received[id][0].seq + 1);
    host.link().close_endpoint(id);
    REQUIRE(host.until([&] { return !host.closed.empty(); }));
    bench.remote.take_word();
  }
}

TEST_CASE("a remote that floods the main thread leaves room for the events of another") {
  SocProcess soc({"--soc", "imx8qm"});
  REQUIRE(soc.ready());
  HandRemote flooding(soc.socket(), "cm40");
  Process sound = soc.start_firmware({"--vdevs", "1"}, "cm41");
  LinkHarness host;
  REQUIRE(host.open(sim_setup(soc.socket(), "cm40", 1)) == 0);
  REQUIRE(host.open(sim_setup(soc.socket(), "cm41", 1)) == 1);
  REQUIRE(host.start());
  const uint32_t echo = host.wait_name(1, 0, "echo");
  REQUIRE(echo != 0);
  const uint32_t endpoint = host.endpoint(1, 0, 2000);
  const uint32_t flooded = host.endpoint(0, 0, 3000);
  flooding.ready();
  REQUIRE(host.wait_vdev(0, 0, VdevState::offered));
  std::atomic<bool> stop{false};
  std::thread flood([&] {
    const std::vector<uint8_t> payload(400, 'x');
    while (!stop) {
      (void)flooding.say(0, 7, 3000, payload);
      flooding.take_word();
    }
  });
  // Nothing is drained until more messages came than there is room for.
  Link& link = host.link();
  while (link.endpoint_counters(flooded)->rx_dropped.get() < 1000)
    std::this_thread::yield();
  REQUIRE(host.begin(endpoint, echo, {1}, 0, 1, 1).kind == SendOutcome::Kind::sent);
  while (link.endpoint_counters(endpoint)->rx_messages.get() == 0)
    std::this_thread::yield();
  uint32_t others = 0;
  bool answered = false;
  while (!answered && others < 4 * 1024) {
    link.drain(1, [&](const EventHeader& header, std::span<const uint8_t> record) {
      if (header.kind != EventKind::message) return;
      const auto& message = *reinterpret_cast<const MessageEvent*>(record.data());
      answered = answered || message.endpoint == endpoint;
      ++others;
      link.release(message.endpoint, message.seq + 1);
    });
  }
  stop = true;
  flood.join();
  CHECK(answered);
}

TEST_CASE("a remote that uses its rings and starts again for ever gets a life each 10 ms at most") {
  using Clock = std::chrono::steady_clock;
  SocProcess soc;
  REQUIRE(soc.ready());
  HandRemote remote(soc.socket(), "cm40");
  LinkHarness host;
  REQUIRE(host.open(sim_setup(soc.socket(), "cm40", 1)) == 0);
  REQUIRE(host.start());
  remote.ready();
  REQUIRE(host.wait_vdev(0, 0, VdevState::offered));
  const uint32_t first = host.generations[0];
  const Clock::time_point start = Clock::now();
  for (uint32_t beats = 0; beats < 3000; ++beats) {
    remote.put_used(0, 0, 0, 64);
    remote.mu().ring(2);
    (void)host.link().heartbeat();
    host.until([] { return true; });
    std::this_thread::yield();
  }
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
  host.until([] { return true; });
  CHECK(host.generations[0] - first <= 2 + static_cast<uint64_t>(ms.count()) / 10);
}
