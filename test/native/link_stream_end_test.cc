// SPDX-License-Identifier: Apache-2.0
// How streams end: what a client leaves behind, and what its end leaves to others. And whom a
// stream speaks to that has no peer yet.
#include <doctest/doctest.h>

#include "support/resume_bench.h"
#include "support/stream_client.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint32_t kPeer = 7;

struct Board {
  Board() {
    bench.bring_up();
    host.emplace(bench.setup());
    REQUIRE(host->wait_vdev(0, 0, VdevState::up));
  }

  uint32_t in_flight() {
    const std::lock_guard<PiMutex> lock(host->link().send_mutex(0));
    return host->link().vdev(0, 0)->tx().in_flight();
  }
  bool do_streams_wait() {
    const std::lock_guard<PiMutex> lock(host->link().send_mutex(0));
    return host->link().vdev(0, 0)->streams_wait;
  }
  uint64_t count(Counter EndpointCounters::*which) {
    return (host->link().endpoint_counters(host->id)->*which).get();
  }
  void say(const Bytes& payload, uint32_t from = kPeer) {
    bench.remote.take_word();
    REQUIRE(bench.remote.say(0, from, kLocal, payload));
  }
  /// What the remote receives until it has had `count` messages.
  std::vector<Bytes> hear(size_t count) {
    std::vector<Bytes> heard;
    REQUIRE(host->until([&] {
      bench.remote.take_word();
      while (const auto payload = bench.remote.hear(0))
        heard.push_back(*payload);
      return heard.size() >= count;
    }));
    return heard;
  }

  Bench bench;
  std::optional<Host> host;
};

} // namespace

TEST_CASE("what a client sent before it closed is sent, also if it had packets to read") {
  Board board;
  StreamClient client;
  REQUIRE(client.acquire(*board.host, board.host->id, kPeer, {.hold = 8}).ok());
  // As many as one endpoint may have in the ring, and five for which the socket has to be read
  // later.
  for (uint32_t n = 0; n < 128; ++n)
    REQUIRE(board.host->until([&] { return client.send({1}) == 0; }));
  REQUIRE(board.host->until([&] { return board.in_flight() == 128; }));
  for (uint8_t n = 0; n < 5; ++n)
    REQUIRE(client.send({2, n}) == 0);
  board.say({9});
  REQUIRE(board.host->until([&] { return client.has_packet(); }));
  client.close(); // the kernel tells the other end of the unread packet first
  const std::vector<Bytes> heard = board.hear(133);
  for (uint8_t n = 0; n < 5; ++n)
    CHECK(heard[128u + n] == Bytes{2, n});
  REQUIRE(board.host->until([&] { return !board.host->streams_over.empty(); }));
  CHECK(board.count(&EndpointCounters::tx_dropped) == 0);
}

TEST_CASE("the end of a stream that waited for buffers lets others send at once again") {
  Board board;
  Host& host = *board.host;
  const uint32_t greedy = host.endpoint(0, 0, 2000, 16, 256);
  const uint32_t other = host.endpoint(0, 0, 2001, 16, 256);
  StreamClient client;
  REQUIRE(client.acquire(host, greedy, kPeer, {.fixed_peer = true, .hold = 8}).ok());
  REQUIRE(host.until([&] {
    while (client.send({1}) == 0) {
    }
    return board.in_flight() == 256 && board.do_streams_wait();
  }));
  host.link().close_endpoint(greedy);
  REQUIRE(host.until([&] { return !host.streams_over.empty(); }));
  (void)board.hear(256);
  REQUIRE(host.until(
      [&] { return host.begin(other, kPeer, {2}, 0, 5, 1).kind == SendOutcome::Kind::sent; }));
  CHECK(board.hear(1) == std::vector<Bytes>{{2}});
}

TEST_CASE("a stream of a channel whose address is not known yet speaks to nobody who sends to it") {
  Board board;
  Host& host = *board.host;
  StreamClient client;
  REQUIRE(client.acquire(host, host.id, kAnyAddress, {.bound_peer = true, .hold = 8}).ok());
  board.say({1}, 99);
  CHECK(client.receive() == Bytes{1});
  REQUIRE(client.send({2}) == 0);
  board.say({3}, 98);
  CHECK(client.receive() == Bytes{3}); // the link has looked at the socket by now
  CHECK(board.count(&EndpointCounters::tx_messages) == 0);
  host.link().set_stream_peer(host.id, kPeer, host.generations[0]);
  CHECK(board.hear(1) == std::vector<Bytes>{{2}});
}

TEST_CASE("a stream without a peer speaks to whoever sends first") {
  Board board;
  Host& host = *board.host;
  StreamClient client;
  REQUIRE(client.acquire(host, host.id, kAnyAddress, {.hold = 8}).ok());
  REQUIRE(client.send({2}) == 0);
  board.say({1}, 99);
  CHECK(client.receive() == Bytes{1});
  CHECK(board.hear(1) == std::vector<Bytes>{{2}});
  board.say({3}, 98); // another one's
  board.say({4}, 99);
  CHECK(client.receive() == Bytes{4});
  CHECK(board.count(&EndpointCounters::rx_foreign) == 1);
}
