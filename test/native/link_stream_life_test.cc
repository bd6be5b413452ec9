// SPDX-License-Identifier: Apache-2.0
// Streams over resets of the remote and deaths of the host, and beside sends of others.
#include <doctest/doctest.h>

#include <cstring>

#include "rpmsg/rpmsg_header.h"
#include "support/resume_bench.h"
#include "support/stream_client.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint32_t kPeer = 7;

/// Takes words and messages until the remote has heard `count` of them.
std::vector<Bytes> hear(LinkHarness& host, HandRemote& remote, size_t count) {
  std::vector<Bytes> heard;
  REQUIRE(host.until([&] {
    remote.take_word();
    while (const auto payload = remote.hear(0))
      heard.push_back(*payload);
    return heard.size() >= count;
  }));
  return heard;
}

uint64_t dropped(Host& host) {
  return host.link().endpoint_counters(host.id)->tx_dropped.get();
}

/// Fills the ring as far as one endpoint may, and leaves `more` packets in the socket.
uint32_t fill(Host& host, StreamClient& client, uint32_t more) {
  uint8_t n = 0;
  Vdev& vdev = *host.link().vdev(0, 0);
  REQUIRE(host.until([&] {
    const std::lock_guard<PiMutex> lock(host.link().send_mutex(0));
    if (vdev.tx().in_flight() == 128) return true;
    return client.send({n++}) != 0 && false;
  }));
  for (uint32_t i = 0; i < more; ++i)
    REQUIRE(client.send({0xAA}) == 0);
  return n;
}

struct NewLife {
  explicit NewLife(bool keep) {
    bench.bring_up();
    host.emplace(bench.setup());
    REQUIRE(host->wait_vdev(0, 0, VdevState::up));
    REQUIRE(
        client
            .acquire(*host, host->id, kPeer, {.keep_on_reset = keep, .fixed_peer = true, .hold = 8})
            .ok());
  }
  Bench bench;
  std::optional<Host> host;
  StreamClient client;
};

} // namespace

TEST_CASE("what a client writes before the remote's first life begins is sent in that") {
  SocProcess soc;
  HandRemote remote(soc.socket(), "cm40");
  LinkHarness host;
  const Link::OpenedRemote opened = host.open_named(sim_setup(soc.socket(), "cm40", 1));
  REQUIRE(opened.ok);
  host.generations[0] = opened.generation;
  const uint32_t endpoint = host.endpoint(0, 0, kLocal);
  StreamClient client;
  REQUIRE(client.acquire(host, endpoint, kAnyAddress, {.hold = 8}).ok());
  host.link().set_stream_peer(endpoint, kPeer, opened.generation);
  REQUIRE(client.send({1}) == 0);
  REQUIRE(host.start()); // SCFW is asked first; until it has answered there is no life
  remote.ready();
  REQUIRE(host.wait_vdev(0, 0, VdevState::offered));
  CHECK(hear(host, remote, 1) == std::vector<Bytes>{{1}});
  CHECK(host.link().endpoint_counters(endpoint)->tx_dropped.get() == 0);
}

TEST_CASE("what a reset finds in the socket was for the former life: it is dropped and counted") {
  NewLife life(false);
  const uint32_t sent = fill(*life.host, life.client, 5);
  REQUIRE(life.bench.remote.say(0, kPeer, kLocal, {1})); // taken before the life ends
  life.bench.remote.ready();
  REQUIRE(life.host->until([&] { return life.host->generations[0] == 2; }));
  REQUIRE(life.host->until([&] { return dropped(*life.host) > 0; }));
  CHECK(dropped(*life.host) == sent + 5 - 128);
  CHECK(life.client.receive() == Bytes{1});
  REQUIRE(life.host->wait_vdev(0, 0, VdevState::offered));
  REQUIRE(life.client.send({0xBB}) == 0);
  CHECK(hear(*life.host, life.bench.remote, 1) == std::vector<Bytes>{{0xBB}});
}

TEST_CASE("unless it is to be kept: then the next life has it") {
  NewLife life(true);
  (void)fill(*life.host, life.client, 3);
  life.bench.remote.ready();
  REQUIRE(life.host->until([&] { return life.host->generations[0] == 2; }));
  REQUIRE(life.host->wait_vdev(0, 0, VdevState::offered));
  const auto heard = hear(*life.host, life.bench.remote, 3);
  CHECK(heard.back() == Bytes{0xAA});
  CHECK(dropped(*life.host) == 0);
}

TEST_CASE("a peer that was not given for good is to be told anew in each life") {
  Bench bench;
  bench.bring_up();
  Host host(bench.setup());
  REQUIRE(host.wait_vdev(0, 0, VdevState::up));
  StreamClient client;
  REQUIRE(client.acquire(host, host.id, kPeer).ok());
  bench.remote.ready();
  REQUIRE(host.until([&] { return host.generations[0] == 2; }));
  REQUIRE(host.wait_vdev(0, 0, VdevState::offered));
  REQUIRE(client.send({1}) == 0);
  host.link().set_stream_peer(host.id, 8, 1); // of the former life
  host.link().set_stream_peer(host.id, 9, 2);
  CHECK(hear(host, bench.remote, 1) == std::vector<Bytes>{{1}});
}

TEST_CASE("a stream outlives its host with every packet on its way, in order, once") {
  Bench bench;
  bench.remote.ready();
  StreamClient client;
  in_dying_process([&] {
    Host host(bench.setup());
    if (!host.wait_vdev(0, 0, VdevState::offered)) _exit(1);
    if (!client.acquire(host, host.id, kPeer).ok()) _exit(1);
    for (uint8_t n = 0; n < 3; ++n) {
      bench.remote.take_word();
      if (!bench.remote.say(0, kPeer, kLocal, {n}) || client.send({n}) != 0) _exit(1);
    }
    // Both sides have something, and the client has not read: it is in its socket.
    if (!host.until([&] { return client.has_packet() && bench.remote.avail_index(0, 1) == 3; })) {
      _exit(1);
    }
  });
  for (uint8_t n = 3; n < 6; ++n) { // while there is no host
    bench.remote.take_word();
    REQUIRE(bench.remote.say(0, kPeer, kLocal, {n}));
    REQUIRE(client.send({n}) == 0);
  }
  Host host(bench.setup());
  REQUIRE(host.link().had_stream(host.id));
  REQUIRE(host.link().resume_stream(host.id, client.daemon_end()));
  for (uint8_t n = 0; n < 6; ++n)
    CHECK(client.receive() == Bytes{n});
  const std::vector<Bytes> all = {{0}, {1}, {2}, {3}, {4}, {5}};
  CHECK(hear(host, bench.remote, 6) == all);
}

TEST_CASE("a stream whose socket is gone is dropped, and its endpoint goes on") {
  Bench bench;
  bench.remote.ready();
  StreamClient client;
  in_dying_process([&] {
    Host host(bench.setup());
    if (!host.wait_vdev(0, 0, VdevState::offered)) _exit(1);
    if (!client.acquire(host, host.id, kPeer).ok()) _exit(1);
  });
  client.forget_daemon_end();
  Host host(bench.setup());
  host.link().drop_unresumed();
  CHECK_FALSE(host.link().had_stream(host.id));
  CHECK(client.is_at_end());
  REQUIRE(host.wait_vdev(0, 0, VdevState::offered));
  bench.say(1);
  REQUIRE(host.until([&] { return host.count() == 1; }));
  StreamClient next;
  CHECK(next.acquire(host, host.id, kPeer).ok());
}

TEST_CASE("nobody's send passes a stream that waits for a buffer, and both get their turns") {
  Bench bench;
  bench.bring_up();
  Host host(bench.setup());
  REQUIRE(host.wait_vdev(0, 0, VdevState::up));
  const uint32_t greedy = host.endpoint(0, 0, 2000, 16, 256);
  const uint32_t other = host.endpoint(0, 0, 2001, 16, 256);
  StreamClient client;
  REQUIRE(client.acquire(host, greedy, kPeer, {.fixed_peer = true, .hold = 8}).ok());
  Vdev& vdev = *host.link().vdev(0, 0);
  REQUIRE(host.until([&] {
    while (client.send({1}) == 0) {
    }
    const std::lock_guard<PiMutex> lock(host.link().send_mutex(0));
    return vdev.tx().in_flight() == 256 && vdev.streams_wait;
  }));
  CHECK(host.begin(other, kPeer, {2}, 0, 5, 1).error == Errc::would_block);
  for (uint32_t token = 1; token <= 10; ++token)
    REQUIRE(host.begin(other, kPeer, {2}, 20000, 5, token).kind == SendOutcome::Kind::queued);
  const auto heard = hear(host, bench.remote, 256 + 40);
  // Of what came after the full ring, the ten are within the first forty: a turn each.
  const auto late = std::count(heard.begin() + 256, heard.begin() + 256 + 40, Bytes{2});
  CHECK(late == 10);
  CHECK(host.until([&] { return host.done.size() == 10; })); // told after the ring has them
}
