// SPDX-License-Identifier: Apache-2.0
// Sends that wait: full rings, credits, order, fairness, deadlines, callers and endpoints that go.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <mutex>

#include "support/hand_remote.h"
#include "support/link_harness.h"
#include "support/resume_bench.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

using Bytes = std::vector<uint8_t>;
using Kind = SendOutcome::Kind;

// One vdev whose firmware takes nothing until it is told to, and an endpoint that talks to its
// sink.
struct HeldRemote {
  explicit HeldRemote(const std::vector<std::string>& more = {}) {
    std::vector<std::string> options{"--vdevs", "1"};
    options.insert(options.end(), more.begin(), more.end());
    firmware = soc.start_firmware(options);
    REQUIRE(host.open(sim_setup(soc.socket(), "cm40", 1)) == 0);
    REQUIRE(host.start());
    echo = host.wait_name(0, 0, "echo");
    sink = host.wait_name(0, 0, "sink");
    REQUIRE(echo != 0);
    REQUIRE(sink != 0);
  }

  void switch_hold() { firmware.signal(SIGUSR1); }

  // Holds the remote for sure: an echo that does not come back is not asked for; a full ring is.
  uint32_t fill(uint32_t endpoint) {
    uint32_t sent = 0;
    while (host.begin(endpoint, sink, {1}, 0, 1, 1).kind == Kind::sent)
      ++sent;
    return sent;
  }

  SocProcess soc;
  Process firmware;
  LinkHarness host;
  uint32_t echo = 0;
  uint32_t sink = 0;
};

// Sends until the held ring is full for good: what the remote still took before it held is
// refilled.
void fill_for_good(HeldRemote& remote, uint32_t endpoint, Vdev& vdev) {
  REQUIRE(remote.host.until([&] {
    remote.fill(endpoint);
    const std::lock_guard<PiMutex> lock(remote.host.link().send_mutex(0));
    return vdev.tx().idle_buffers() == 0 && !vdev.tx().has_used();
  }));
}

} // namespace

TEST_CASE(
    "with every TX buffer taken a try would block, and a send waits until the remote consumes") {
  HeldRemote remote({"--hold"});
  const uint32_t endpoint = remote.host.endpoint(0, 0, 1024, 256, 256);
  Vdev& vdev = *remote.host.link().vdev(0, 0);
  fill_for_good(remote, endpoint, vdev);
  CHECK(remote.host.link().unused_messages(0, vdev) == 256);
  CHECK(remote.host.begin(endpoint, remote.sink, {2}, 0, 1, 1).error == Errc::would_block);
  CHECK(remote.host.begin(endpoint, remote.sink, {2}, 20000, 1, 7).kind == Kind::queued);
  CHECK(remote.host.done.empty());
  remote.switch_hold();
  REQUIRE(remote.host.until([&] { return remote.host.done.count(7) != 0; }));
  CHECK(remote.host.done[7] == Errc::ok);
  CHECK(remote.host.until([&] { return remote.host.link().unused_messages(0, vdev) == 0; }));
}

TEST_CASE("firmware that never says it freed a buffer does not keep a waiting send waiting") {
  HeldRemote remote({"--hold", "--consumed-notify", "off"});
  const uint32_t endpoint = remote.host.endpoint(0, 0, 1024, 256, 256);
  fill_for_good(remote, endpoint, *remote.host.link().vdev(0, 0));
  for (uint32_t token = 1; token <= 600; ++token) {
    REQUIRE(remote.host.begin(endpoint, remote.sink, {3}, 20000, 1, token).kind == Kind::queued);
  }
  remote.switch_hold();
  REQUIRE(remote.host.until([&] { return remote.host.done.size() == 600; }));
  CHECK(std::is_sorted(remote.host.done_order.begin(), remote.host.done_order.end()));
}

TEST_CASE("waiting callers take turns, and each caller's own sends stay in order") {
  HeldRemote remote({"--hold"});
  const uint32_t endpoint = remote.host.endpoint(0, 0, 1024, 256, 256);
  fill_for_good(remote, endpoint, *remote.host.link().vdev(0, 0));
  // Caller 1 is there first with all of its sends; 2 and 3 come later. Token = caller × 100 + n.
  for (uint32_t caller = 1; caller <= 3; ++caller) {
    for (uint32_t n = 0; n < 16; ++n) {
      REQUIRE(remote.host.begin(endpoint, remote.sink, {4}, 20000, caller, caller * 100 + n).kind ==
              Kind::queued);
    }
  }
  remote.switch_hold();
  REQUIRE(remote.host.until([&] { return remote.host.done.size() == 48; }));
  std::vector<uint32_t> next(4, 0);
  for (size_t i = 0; i < 48; ++i) {
    const uint32_t caller = remote.host.done_order[i] / 100;
    CHECK(remote.host.done_order[i] % 100 == next[caller]++);
    if (i % 3 != 2) continue;
    const auto turns = std::minmax({next[1], next[2], next[3]});
    CHECK(turns.second - turns.first <= 1);
  }
}

TEST_CASE("a caller that is gone leaves no hole, and others move up") {
  HeldRemote remote({"--hold"});
  const uint32_t endpoint = remote.host.endpoint(0, 0, 1024, 256, 256);
  fill_for_good(remote, endpoint, *remote.host.link().vdev(0, 0));
  for (uint32_t token = 1; token <= 9; ++token) {
    remote.host.begin(endpoint, remote.sink, {5}, 20000, token % 2, token);
  }
  remote.host.link().cancel_caller(1);
  remote.switch_hold();
  REQUIRE(remote.host.until([&] { return remote.host.done.size() == 4; }));
  CHECK(remote.host.done_order == std::vector<uint32_t>{2, 4, 6, 8});
  CHECK(remote.host.send(endpoint, remote.sink, {6}) == Errc::ok);
}

TEST_CASE("nothing of a caller that is gone is sent, though a buffer becomes free at that moment") {
  Bench bench;
  bench.bring_up();
  Host host(bench.setup());
  const uint32_t endpoint = host.endpoint(0, 0, kLocal + 1, 256, 256);
  REQUIRE(host.wait_vdev(0, 0, VdevState::up));
  for (uint32_t round = 0; round < 100; ++round) {
    CAPTURE(round);
    while (host.begin(endpoint, 7, {0}, 0, 2, 1).kind == Kind::sent) {
    }
    REQUIRE(host.begin(endpoint, 7, {1}, 20000, 1, 2).kind == Kind::queued);
    host.link().cancel_caller(1);
    for (int taken = 0; taken < 4; ++taken)
      REQUIRE(bench.remote.hear(0) == Bytes{0});
    bench.remote.take_word();
    REQUIRE(bench.remote.word(1u << 16));
    host.synced.clear();
    host.link().sync(endpoint, round);
    REQUIRE(host.until([&] { return !host.synced.empty(); }));
  }
  while (const auto payload = bench.remote.hear(0))
    CHECK(*payload == Bytes{0});
}

TEST_CASE("a send that waits too long times out, and its message is never sent") {
  HeldRemote remote({"--hold"});
  const uint32_t endpoint = remote.host.endpoint(0, 0, 1024, 256, 256);
  fill_for_good(remote, endpoint, *remote.host.link().vdev(0, 0));
  CHECK(remote.host.send(endpoint, remote.sink, {7}, 30) == Errc::timed_out);
  CHECK(remote.host.link().vdev(0, 0)->counters().tx_timeouts.get() == 1);
}

TEST_CASE("an endpoint whose credits the remote holds does not keep others from sending") {
  HeldRemote remote({"--hold"});
  const uint32_t hog = remote.host.endpoint(0, 0, 1024, 256, 16);
  const uint32_t other = remote.host.endpoint(0, 0, 1025, 256, 16);
  CHECK(remote.fill(hog) >= 16);
  REQUIRE(remote.host.begin(hog, remote.sink, {8}, 20000, 1, 1).kind == Kind::queued);
  CHECK(remote.host.send(other, remote.sink, {9}, 5000, 2) == Errc::ok);
  CHECK(remote.host.until(
      [&] { return remote.host.begin(other, remote.sink, {9}, 0, 2, 2).kind == Kind::sent; }));
  CHECK(remote.host.done.count(1) == 0);
}

TEST_CASE("closing an endpoint ends its waiting sends and frees its address at once") {
  HeldRemote remote({"--hold"});
  const uint32_t endpoint = remote.host.endpoint(0, 0, 1024, 256, 256);
  fill_for_good(remote, endpoint, *remote.host.link().vdev(0, 0));
  remote.host.begin(endpoint, remote.sink, {10}, 20000, 1, 5);
  remote.host.link().close_endpoint(endpoint);
  CHECK(remote.host.endpoint(0, 0, 1024) != 0);
  REQUIRE(remote.host.until([&] { return !remote.host.closed.empty(); }));
  CHECK(remote.host.done[5] == Errc::no_such_endpoint);
  CHECK(remote.host.begin(endpoint, remote.sink, {1}, 0, 1, 1).error == Errc::no_such_endpoint);
}

TEST_CASE("a vdev that is down refuses at once") {
  SocProcess soc;
  REQUIRE(soc.ready());
  LinkHarness host;
  RemoteSetup setup = sim_setup(soc.socket(), "cm40", 1);
  setup.ready_wait_ms = 60000;
  REQUIRE(host.open(setup) == 0);
  const uint32_t endpoint = host.endpoint(0, 0, 1024);
  REQUIRE(host.start());
  REQUIRE(host.wait_remote(0, RemoteState::waiting));
  CHECK(host.begin(endpoint, 1, {1}, 20000, 1, 1).error == Errc::remote_down);
}

TEST_CASE("a message that the remote was told of and does not use is told of again") {
  SocProcess soc;
  REQUIRE(soc.ready());
  HandRemote remote(soc.socket(), "cm40");
  LinkHarness host;
  REQUIRE(host.open(sim_setup(soc.socket(), "cm40", 1)) == 0);
  REQUIRE(host.start());
  const uint32_t endpoint = host.endpoint(0, 0, 2000);
  remote.ready();
  REQUIRE(host.until([&] {
    remote.take_word();
    return remote.say(0, 7, 2000, {1});
  }));
  REQUIRE(host.wait_vdev(0, 0, VdevState::up));
  remote.take_word();
  REQUIRE(host.send(endpoint, 7, {5}) == Errc::ok);
  const auto word_waits = [&] { return (remote.mu().receive_full() & 2) != 0; };
  for (int i = 0; i < 3; ++i) { // lost, one after the other
    REQUIRE(host.until(word_waits));
    remote.take_word();
  }
  REQUIRE(host.until(word_waits));
  CHECK(remote.hear(0) == std::vector<uint8_t>{5});
}
