// SPDX-License-Identifier: Apache-2.0
// Streams: an endpoint's payload through a socket, both ways, with its options, limits and ends.
#include <doctest/doctest.h>

#include <cerrno>
#include <cstring>
#include <numeric>

#include "rpmsg/rpmsg_header.h"
#include "support/resume_bench.h"
#include "support/stream_client.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint32_t kPeer = 7;

Bytes pattern(size_t bytes) {
  Bytes data(bytes);
  std::iota(data.begin(), data.end(), uint8_t{1});
  return data;
}

Bytes with_header(uint32_t destination, const Bytes& payload, uint32_t claimed) {
  RpmsgHeader header;
  header.destination = destination;
  header.length = static_cast<uint16_t>(claimed);
  Bytes packet(kHeaderBytes);
  encode_header(header, std::span<uint8_t, kHeaderBytes>(packet.data(), kHeaderBytes));
  packet.insert(packet.end(), payload.begin(), payload.end());
  return packet;
}

// One vdev whose remote is in the test's hands, and a host with an endpoint at kLocal.
struct Board {
  explicit Board(uint32_t lossless = 0, uint32_t slots = 1024) {
    bench.remote.ready();
    RemoteSetup setup = bench.setup();
    setup.lossless_vdevs = lossless;
    setup.slots = slots;
    host.emplace(setup);
    REQUIRE(host->wait_vdev(0, 0, VdevState::offered));
    bench.remote.take_word();
  }
  HandRemote& remote() { return bench.remote; }
  Link& link() { return host->link(); }
  uint32_t id() { return host->id; }

  bool say(const Bytes& payload, uint32_t from = kPeer) {
    remote().take_word();
    return remote().say(0, from, kLocal, payload);
  }
  /// What the remote receives next, taking words meanwhile.
  Bytes hear() {
    std::optional<Bytes> heard;
    REQUIRE(host->until([&] {
      remote().take_word();
      heard = remote().hear(0);
      return heard.has_value();
    }));
    return *heard;
  }
  uint64_t count(Counter EndpointCounters::*which) {
    return (link().endpoint_counters(id())->*which).get();
  }

  Bench bench;
  std::optional<Host> host;
};

} // namespace

TEST_CASE("a stream carries packets of every legal size both ways, in order and unchanged") {
  SocProcess soc;
  Process firmware = soc.start_firmware();
  LinkHarness host;
  REQUIRE(host.open(sim_setup(soc.socket(), "cm40", 1)) == 0);
  REQUIRE(host.start());
  const uint32_t echo = host.wait_name(0, 0, "echo");
  const uint32_t endpoint = host.endpoint(0, 0, 1024);
  StreamClient client;
  REQUIRE(client.acquire(host, endpoint, echo).ok());
  for (const size_t bytes : {1, 2, 15, 16, 17, 255, 495, 496}) {
    CAPTURE(bytes);
    REQUIRE(client.send(pattern(bytes)) == 0);
    CHECK(client.receive() == pattern(bytes));
  }
  // More at once than a batch, a socket's worth of packets under way.
  uint32_t sent = 0;
  for (uint32_t received = 0; received < 5000; ++received) {
    Bytes packet(4);
    while (sent < 5000 && sent < received + 100) {
      std::memcpy(packet.data(), &sent, sizeof sent);
      if (client.send(packet) != 0) break;
      ++sent;
    }
    const auto answer = client.receive();
    REQUIRE(answer);
    uint32_t number = 0;
    std::memcpy(&number, answer->data(), sizeof number);
    REQUIRE(number == received);
  }
  CHECK(host.received[endpoint].empty());
}

TEST_CASE("an empty message goes to the remote, and comes back only if that was asked for") {
  bool wanted = false;
  SUBCASE("asked for") {
    wanted = true;
  }
  SUBCASE("not asked for") {}
  Board board;
  StreamClient client;
  REQUIRE(client.acquire(*board.host, board.id(), kPeer, {.zero_length = wanted, .hold = 8}).ok());
  REQUIRE(client.send({}) == 0);
  CHECK(board.hear().empty());
  REQUIRE(board.say({}));
  REQUIRE(board.say({1}));
  if (wanted) CHECK(client.receive() == Bytes{});
  CHECK(client.receive() == Bytes{1});
  CHECK(board.count(&EndpointCounters::rx_empty) == (wanted ? 0 : 1));
}

TEST_CASE("with headers a client hears everyone, and says whom it speaks to") {
  Board board;
  StreamClient client;
  REQUIRE(client.acquire(*board.host, board.id(), kPeer, {.with_header = true, .hold = 8}).ok());
  REQUIRE(board.say({1}, 99));
  const auto packet = client.receive();
  REQUIRE(packet);
  REQUIRE(packet->size() == 17);
  const RpmsgHeader header =
      decode_header(std::span<const uint8_t, kHeaderBytes>(packet->data(), kHeaderBytes));
  CHECK(header.source == 99);
  CHECK(header.destination == kLocal);
  CHECK(header.length == 1);
  REQUIRE(client.send(with_header(kAnyAddress, {2}, 1)) == 0);
  CHECK(board.hear() == Bytes{2});
  REQUIRE(client.send(with_header(55, {3}, 1)) == 0);
  CHECK(board.hear() == Bytes{3});
  board.link().guard(0, 0, {60, 55, kPeer});
  REQUIRE(client.send(with_header(55, {4}, 1)) == 0);
  REQUIRE(client.send(with_header(kPeer, {5}, 1)) == 0); // its own peer, whoever else may not
  REQUIRE(client.send(with_header(56, {6}, 2)) == 0);
  REQUIRE(client.send({1, 2, 3}) == 0);
  REQUIRE(client.send(with_header(56, {7}, 1)) == 0);
  CHECK(board.hear() == Bytes{5});
  CHECK(board.hear() == Bytes{7});
  CHECK(board.count(&EndpointCounters::tx_refused) == 3);
}

TEST_CASE("a packet longer than the MTU is refused, told of and not cut; the next one goes") {
  Board board;
  StreamClient client;
  REQUIRE(client.acquire(*board.host, board.id(), kPeer).ok());
  REQUIRE(client.send(pattern(497)) == 0);
  REQUIRE(client.send(pattern(900)) == 0);
  REQUIRE(client.send({9}) == 0);
  CHECK(board.hear() == Bytes{9});
  auto& notes = board.host->stream_notes[board.id()];
  REQUIRE(board.host->until([&] { return notes.refused == 2; }));
  CHECK(notes.refused_bytes == 900);
  CHECK(notes.refusal == Refusal::too_long);
  CHECK(board.count(&EndpointCounters::tx_refused) == 2);
}

TEST_CASE("a full ring leaves packets in the socket, and all of them arrive in order later") {
  Board board;
  StreamClient client;
  REQUIRE(client.acquire(*board.host, board.id(), kPeer).ok());
  uint32_t sent = 0;
  const auto fill = [&] {
    Bytes packet(4);
    for (;; ++sent) {
      std::memcpy(packet.data(), &sent, sizeof sent);
      if (client.send(packet) != 0) return;
    }
  };
  // Until the ring has what one endpoint may have in it, and the socket is full again.
  Vdev& vdev = *board.link().vdev(0, 0);
  REQUIRE(board.host->until([&] {
    fill();
    const std::lock_guard<PiMutex> lock(board.link().send_mutex(0));
    return vdev.tx().in_flight() == 128;
  }));
  fill();
  CHECK(board.count(&EndpointCounters::tx_messages) == 128);
  for (uint32_t i = 0; i < sent; ++i) {
    const Bytes heard = board.hear();
    uint32_t number = 0;
    std::memcpy(&number, heard.data(), sizeof number);
    REQUIRE(number == i);
  }
}

TEST_CASE("a remote that looks only when it is told gets all that a client writes at once") {
  Board board;
  StreamClient client;
  REQUIRE(client.acquire(*board.host, board.id(), kPeer).ok());
  Vdev& vdev = *board.link().vdev(0, 0);
  const uint64_t before = vdev.counters().tx_words.get();
  uint64_t words = 0;
  for (const uint32_t packets : {1, 2, 31, 32, 33, 64, 65, 100, 127, 128}) {
    CAPTURE(packets);
    for (uint32_t i = 0; i < packets; ++i)
      REQUIRE(client.send(pattern(40)) == 0);
    uint32_t heard = 0;
    REQUIRE(board.host->until([&] {
      if ((board.remote().mu().receive_full() >> kRpmsgMuChannel & 1) == 0) return false;
      board.remote().take_word();
      ++words;
      while (board.remote().hear(0))
        ++heard;
      return heard == packets;
    }));
  }
  // Not because messages that nobody uses are told of once more.
  CHECK(words <= vdev.counters().tx_words.get() - before);
}

TEST_CASE("a client that does not read has as many messages held as it asked for, and is told of "
          "the others") {
  Board board;
  StreamClient client;
  REQUIRE(client.acquire(*board.host, board.id(), kPeer, {.hold = 20}).ok());
  const auto dropped = [&] { return board.count(&EndpointCounters::rx_dropped); };
  uint32_t said = 0;
  REQUIRE(board.host->until([&] {
    if (dropped() >= 5) return true;
    if (board.say({static_cast<uint8_t>(said), static_cast<uint8_t>(said >> 8)})) ++said;
    return false;
  }));
  const uint64_t lost = dropped();
  const auto kept = static_cast<uint32_t>(said - lost);
  CHECK(kept > 20);
  for (uint32_t i = 0; i < kept; ++i) {
    const auto packet = client.receive();
    REQUIRE(packet);
    REQUIRE((packet->at(0) | packet->at(1) << 8) == static_cast<int>(i));
  }
  auto& notes = board.host->stream_notes[board.id()];
  REQUIRE(board.host->until([&] { return notes.dropped == lost; }));
  REQUIRE(board.say({0xEE, 0xEE}));
  CHECK(client.receive() == Bytes{0xEE, 0xEE});
}

TEST_CASE("on a lossless vdev a client that does not read stalls its remote, and loses nothing") {
  Board board(1, 64);
  StreamClient client;
  REQUIRE(client.acquire(*board.host, board.id(), kPeer, {.hold = 8}).ok());
  uint32_t said = 0;
  // Until no empty buffer comes back any more: slots and socket are full.
  uint32_t refused_in_a_row = 0;
  REQUIRE(board.host->until([&] {
    const bool is_taken = board.say({static_cast<uint8_t>(said), static_cast<uint8_t>(said >> 8)});
    said += is_taken ? 1 : 0;
    refused_in_a_row = is_taken ? 0 : refused_in_a_row + 1;
    return refused_in_a_row == 30;
  }));
  CHECK(board.count(&EndpointCounters::rx_dropped) == 0);
  for (uint32_t i = 0; i < said; ++i) {
    const auto packet = client.receive();
    REQUIRE(packet);
    REQUIRE((packet->at(0) | packet->at(1) << 8) == static_cast<int>(i));
  }
  REQUIRE(board.host->until([&] { return board.say({0xEE}); }));
  CHECK(client.receive() == Bytes{0xEE});
}

TEST_CASE("what a client sent before it closed goes to the remote, then its stream is over") {
  Board board;
  StreamClient client;
  REQUIRE(client.acquire(*board.host, board.id(), kPeer).ok());
  for (uint8_t n = 0; n < 100; ++n)
    REQUIRE(client.send({n}) == 0);
  client.close();
  for (uint8_t n = 0; n < 100; ++n)
    REQUIRE(board.hear() == Bytes{n});
  REQUIRE(board.host->until([&] { return board.host->streams_over.count(board.id()) != 0; }));
  CHECK(board.host->streams_over[board.id()].why == StreamEnd::hung_up);
  // The endpoint goes on without it, and may have another one.
  REQUIRE(board.say({1}));
  REQUIRE(board.host->until([&] { return board.host->count() == 1; }));
  StreamClient next;
  CHECK(next.acquire(*board.host, board.id(), kPeer).ok());
}

TEST_CASE("a client that shuts only its writing still hears the remote") {
  Board board;
  StreamClient client;
  REQUIRE(client.acquire(*board.host, board.id(), kPeer).ok());
  REQUIRE(client.send({1}) == 0);
  client.shut_writing();
  CHECK(board.hear() == Bytes{1});
  REQUIRE(board.say({2}));
  CHECK(client.receive() == Bytes{2});
  CHECK(board.host->streams_over.empty());
}

TEST_CASE("a direction that was not asked for is closed, and belongs to everyone else") {
  Board board;
  StreamClient reader;
  REQUIRE(reader.acquire(*board.host, board.id(), kPeer, {.writes = false, .hold = 8}).ok());
  REQUIRE(board.host->until([&] { return reader.send({1}) == EPIPE; }));
  CHECK(board.host->send(board.id(), kPeer, {2}) == Errc::ok);
  CHECK(board.hear() == Bytes{2});
  board.link().close_stream(board.id());
  CHECK(reader.is_at_end());
  REQUIRE(board.host->until([&] { return board.host->streams_over.count(board.id()) != 0; }));
  StreamClient writer;
  REQUIRE(writer.acquire(*board.host, board.id(), kPeer, {.reads = false, .hold = 8}).ok());
  REQUIRE(board.say({3}));
  REQUIRE(board.host->until([&] { return board.host->count() == 1; }));
  CHECK(writer.is_at_end());
  REQUIRE(writer.send({4}) == 0);
  CHECK(board.hear() == Bytes{4});
}

TEST_CASE("messages of others than the peer are counted and not delivered") {
  Board board;
  StreamClient client;
  REQUIRE(client.acquire(*board.host, board.id(), kPeer).ok());
  REQUIRE(board.say({1}, 8));
  REQUIRE(board.say({2}, kPeer));
  CHECK(client.receive() == Bytes{2});
  CHECK(board.count(&EndpointCounters::rx_foreign) == 1);
}

TEST_CASE("without a peer packets wait, and whoever sends first is it") {
  Board board;
  StreamClient client;
  REQUIRE(client.acquire(*board.host, board.id(), kAnyAddress).ok());
  REQUIRE(client.send({1}) == 0);
  REQUIRE(board.say({2}, 41));
  CHECK(client.receive() == Bytes{2});
  CHECK(board.hear() == Bytes{1});
  REQUIRE(board.host->until([&] { return board.host->stream_notes[board.id()].peer == 41; }));
  // One that the main thread tells later is the peer from then on.
  board.link().set_stream_peer(board.id(), 42, board.host->generations[0]);
  REQUIRE(board.host->until([&] {
    REQUIRE(board.say({3}, 42));
    return client.has_packet();
  }));
}

TEST_CASE("a stream begins with what waits at its endpoint, and leaves what it did not deliver") {
  Board board;
  board.link().grant(board.id(), 1);
  for (uint8_t n = 0; n < 4; ++n)
    REQUIRE(board.say({n}));
  REQUIRE(board.host->until([&] { return board.host->count() == 4; })); // not released
  StreamClient client;
  REQUIRE(board.link()
              .open_stream(board.id(), client.daemon_end(), {.hold = 8}, kPeer,
                           board.host->generations[0], 1)
              .ok());
  for (uint8_t n = 1; n < 4; ++n)
    CHECK(client.receive() == Bytes{n});
  board.host->received.clear();
  board.link().close_stream(board.id());
  REQUIRE(board.host->until([&] { return board.host->streams_over.count(board.id()) != 0; }));
  CHECK(board.host->streams_over[board.id()].next_seq == 4);
  CHECK(board.host->count() == 0);
  REQUIRE(board.say({4}));
  REQUIRE(board.host->until([&] { return board.host->count() == 1; }));
  CHECK(board.host->received[board.id()][0].seq == 4);
}

TEST_CASE("an endpoint has one stream, and its end comes with the endpoint's") {
  Board board;
  StreamClient client, second;
  REQUIRE(client.acquire(*board.host, board.id(), kPeer).ok());
  CHECK(second.acquire(*board.host, board.id(), kPeer).error().code == Errc::busy);
  CHECK(second.acquire(*board.host, 999, kPeer).error().code == Errc::no_such_endpoint);
  REQUIRE(client.send({1}) == 0);
  board.link().close_endpoint(board.id());
  REQUIRE(board.host->until([&] { return !board.host->closed.empty(); }));
  CHECK(board.host->streams_over.count(board.id()) == 1);
  CHECK(board.hear() == Bytes{1}); // it had been sent
  CHECK(client.is_at_end());
}

TEST_CASE("a stream may hold half the slots at most") {
  Board board(0, 64);
  StreamClient client;
  const auto hold = [&](uint32_t messages) {
    return client.acquire(*board.host, board.id(), kPeer, {.hold = messages});
  };
  CHECK(hold(0).error().code == Errc::invalid_argument);
  CHECK(hold(33).error().code == Errc::invalid_argument);
  CHECK(hold(32).ok());
}
