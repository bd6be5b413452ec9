// SPDX-License-Identifier: Apache-2.0
// A host that ends, in order or by SIGKILL, is followed by one that goes on with the same rings,
// the same numbers and everything that was not delivered; the remote notices nothing.
#include <doctest/doctest.h>

#include "support/resume_bench.h"

using namespace rpmsg;
using namespace rpmsg::test;

TEST_CASE("a host that is killed is followed by one that has every message, in order, once") {
  Bench bench;
  bench.remote.ready();
  in_dying_process([&] {
    Host host(bench.setup());
    bench.take_messages(host, 5);
    host.link().release(host.id, 2);
  });
  Host host(bench.setup());
  REQUIRE(host.wait_remote(0, RemoteState::attached));
  CHECK(host.remote_reasons[0] == "resumed");
  CHECK(host.generations[0] == 1);
  REQUIRE(host.until([&] { return host.count() == 3; }));
  for (uint32_t n = 0; n < 3; ++n) {
    CHECK(host.received[host.id][n].seq == n + 2);
    CHECK(host.received[host.id][n].data == std::vector<uint8_t>{static_cast<uint8_t>(n + 2)});
  }
}

TEST_CASE("what was noted as leaving is not told again, although its slots were not free yet") {
  Bench bench;
  bench.remote.ready();
  in_dying_process([&] {
    Host host(bench.setup());
    bench.take_messages(host, 3);
    host.link().note_released(host.id, 2);
  });
  Host host(bench.setup());
  REQUIRE(host.until([&] { return host.count() == 1; }));
  CHECK(host.received[host.id][0].seq == 2);
}

TEST_CASE("a host that stopped in order is followed by one that wants interrupts again") {
  Bench bench;
  bench.bring_up();
  CHECK(bench.remote.u16(0, 0, 0x1000) == 1);
  CHECK(bench.remote.u16(0, 1, 0x1000) == 1);
  Host host(bench.setup());
  REQUIRE(host.wait_vdev(0, 0, VdevState::up));
  CHECK(bench.remote.u16(0, 0, 0x1000) == 0);
  CHECK(bench.remote.u16(0, 1, 0x1000) == 0);
  CHECK(host.generations[0] == 1);
}

TEST_CASE("every queue's word follows a resume, for nobody knows which the former host wrote") {
  Bench bench;
  bench.bring_up(2);
  bench.remote.take_word();
  Host host(bench.setup(2));
  REQUIRE(host.wait_remote(0, RemoteState::attached));
  std::set<uint32_t> words;
  REQUIRE(host.until([&] {
    if ((bench.remote.mu().receive_full() >> 1 & 1) != 0) {
      words.insert(bench.remote.mu().read_receive(1) >> 16);
    }
    return words.size() == 4;
  }));
}

TEST_CASE("a host that was killed before the remote came offers the same rings again") {
  Bench bench;
  in_dying_process([&] {
    Host host(bench.setup());
    if (!host.wait_vdev(0, 0, VdevState::offered)) _exit(1);
    if (host.send(host.id, 7, {9}) != Errc::ok) _exit(1);
  });
  Host host(bench.setup());
  REQUIRE(host.wait_vdev(0, 0, VdevState::offered));
  CHECK(host.generations[0] == 1);
  bench.remote.ready();
  CHECK(bench.remote.hear(0) == std::vector<uint8_t>{9});
  bench.say(0);
  REQUIRE(host.until([&] { return host.count() == 1; }));
  CHECK(host.generations[0] == 1);
}

TEST_CASE("the credits that the remote holds are an endpoint's after a resume too") {
  Bench bench;
  bench.bring_up();
  in_dying_process([&] {
    LinkHarness host;
    if (host.open(bench.setup()) != 0 || host.endpoint(0, 0, kLocal) == 0) _exit(1);
    const uint32_t id = host.endpoint(0, 0, 2000, 16, 2);
    if (!host.start() || !host.wait_vdev(0, 0, VdevState::up)) _exit(1);
    for (uint8_t n = 0; n < 2; ++n)
      if (host.send(id, 7, {n}) != Errc::ok) _exit(1);
  });
  Host host(bench.setup());
  const uint32_t id = host.endpoint(0, 0, 2000, 16, 100); // claimed: it keeps its two
  REQUIRE(host.wait_vdev(0, 0, VdevState::up));
  CHECK(host.begin(id, 7, {2}, 0, 1, 1).error == Errc::would_block);
  CHECK(bench.remote.hear(0) == std::vector<uint8_t>{0});
  REQUIRE(
      host.until([&] { return host.begin(id, 7, {2}, 0, 1, 1).kind == SendOutcome::Kind::sent; }));
  CHECK(host.begin(id, 7, {3}, 0, 1, 1).error == Errc::would_block);
}

TEST_CASE("an endpoint of the former host is told, keeps what comes, and is claimed or dropped") {
  Bench bench;
  bench.bring_up();
  bench.say(1);
  LinkHarness host;
  host.hold = true;
  const auto opened = host.link().open_remote(bench.setup());
  REQUIRE(opened.ok);
  CHECK(opened.resume == Resume::Kind::resumed);
  CHECK(opened.generation == 1);
  REQUIRE(opened.endpoints.size() == 2); // the name service's, and ours
  const auto& kept = opened.endpoints[1];
  CHECK(kept.local == kLocal);
  CHECK(kept.next_seq == 1);
  REQUIRE(host.start());
  // Nobody has claimed it, and the remote may talk to it all the same.
  REQUIRE(host.until([&] { return host.link().vdev(0, 0)->counters().rx_messages.get() == 1; }));
  EndpointSetup claim{kept.id, 0, 0, kLocal + 1, 256, 128, 0};
  CHECK(host.link().open_endpoint(claim).error().code == Errc::invalid_argument);
  claim.id = 99;
  claim.local = kLocal;
  CHECK(host.link().open_endpoint(claim).error().code == Errc::address_in_use);
  claim.id = kept.id;
  REQUIRE(host.link().open_endpoint(claim).ok());
  host.link().grant(kept.id, 100);
  REQUIRE(host.until([&] { return host.received[kept.id].size() == 1; }));
  CHECK(host.received[kept.id][0].seq == 1);
  host.link().drop_unclaimed();
  REQUIRE(host.until([&] { return host.closed.size() == 1; }));
  CHECK(host.closed[0] == opened.endpoints[0].id);
}

TEST_CASE(
    "a doorbell that rang while nobody was there begins a new life, and keeps what was said") {
  Bench bench;
  bench.bring_up();
  in_dying_process([&] {
    Host host(bench.setup());
    bench.say(1);
    if (!host.until([&] { return host.count() == 1; })) _exit(1);
  });
  bench.remote.ready();
  Host host(bench.setup());
  REQUIRE(host.until([&] { return host.generations[0] == 2; }));
  REQUIRE(host.wait_vdev(0, 0, VdevState::offered));
  bench.remote.ready();
  bench.say(2);
  REQUIRE(host.until([&] { return host.count() == 2; }));
  CHECK(host.received[host.id][0].generation == 1);
  CHECK(host.received[host.id][1].generation == 2);
  CHECK(host.received[host.id][1].seq == host.received[host.id][0].seq + 1);
  CHECK(host.generations[0] == 2);
}

TEST_CASE("a doorbell of the remote's first start belongs to the rings that wait for it") {
  Bench bench;
  in_dying_process([&] {
    Host host(bench.setup());
    if (!host.wait_vdev(0, 0, VdevState::offered)) _exit(1);
  });
  bench.remote.ready();
  bench.say(1); // on the rings that the former host offered
  Host host(bench.setup());
  REQUIRE(host.until([&] { return host.count() == 1; }));
  CHECK(host.generations[0] == 1);
}

TEST_CASE("another board is another life, and what the former one said is kept") {
  Bench bench;
  bench.bring_up();
  in_dying_process([&] {
    Host host(bench.setup());
    bench.say(1);
    if (!host.until([&] { return host.count() == 1; })) _exit(1);
  });
  SocProcess other;
  RemoteSetup setup = bench.setup();
  setup.sim_socket = other.socket();
  Host host(setup);
  CHECK(host.opened.resume == Resume::Kind::cold);
  CHECK(host.opened.generation == 2);
  REQUIRE(host.wait_vdev(0, 0, VdevState::offered));
  CHECK(host.generations[0] == 2);
  CHECK(host.remote_reasons[0] == "the state file is of another board");
  REQUIRE(host.until([&] { return host.count() == 1; }));
  CHECK(host.received[host.id][0].generation == 1);
}
