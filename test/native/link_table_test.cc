// SPDX-License-Identifier: Apache-2.0
// The resource table in the life of a remote: when its status byte is driven, what is answered, and
// what becomes of a remote whose table is wrong, late or not there.
#include <doctest/doctest.h>

#include "support/table_board.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

ResetCause last_cause(const Host& host) {
  REQUIRE(!host.resets.empty());
  return host.resets.back().cause;
}

} // namespace

TEST_CASE("a remote that is ready finds rings, addresses and DRIVER_OK before its word") {
  TableBench bench;
  bench.write_vdevs(1);
  Host host(bench.setup());
  bench.remote.ready();
  REQUIRE(host.until([&] { return (bench.remote.mu().receive_full() >> 1 & 1) != 0; }));
  CHECK(bench.status() == kDriving);
  CHECK(bench.remote.avail_index(0, 0) == 256);
  const volatile uint8_t* const vring0 = bench.remote.memory(kTablePlace + 20 + 28, 20);
  CHECK(*reinterpret_cast<const volatile uint32_t*>(vring0) == 0x90000000);
  REQUIRE(host.wait_vdev(0, 0, VdevState::offered));
  CHECK(host.link().device_status(0, *host.link().vdev(0, 0)) == kDriving);
}

TEST_CASE("a remote without a table in its place is offered its rings all the same") {
  TableBench bench;
  Host host(bench.setup());
  bench.remote.ready();
  REQUIRE(host.wait_vdev(0, 0, VdevState::offered));
  REQUIRE(host.until([&] { return !host.remote_reasons[0].empty(); }));
  bench.remote.take_word();
  REQUIRE(bench.remote.say(0, 7, kLocal, {1}));
  CHECK(host.wait_vdev(0, 0, VdevState::up));
  CHECK(host.link().device_status(0, *host.link().vdev(0, 0)) == kDriving); // as it would be
}

TEST_CASE("a table that comes late is found and driven, without a word from the remote") {
  TableBench bench;
  Host host(bench.setup());
  REQUIRE(host.wait_vdev(0, 0, VdevState::offered)); // the ready wait is over
  CHECK(host.remote_reasons[0].find("no resource table at 0x900ff000") == 0);
  bench.write_vdevs(1);
  CHECK(host.until([&] { return bench.status() == kDriving; }));
}

TEST_CASE("a table that its firmware writes anew is driven anew, on rings that nobody has used") {
  TableBench bench;
  bench.write_vdevs(1);
  Host host(bench.setup());
  REQUIRE(host.until([&] { return bench.status() == kDriving; }));
  bench.write_vdevs(1);
  bench.remote.ready();
  CHECK(host.until([&] { return bench.status() == kDriving; }));
  CHECK(host.generations[0] == 1);
}

TEST_CASE("a broken table faults the remote and names entry, offset and rule") {
  TableBench bench;
  TableBuilder table(1);
  table.vdev();
  table.put(16, 0xFFFFFFF0);
  bench.write_table(table);
  Host host(bench.setup());
  SUBCASE("at once, if the remote says that it is ready") {
    bench.remote.ready();
  }
  SUBCASE("at the second look, if it says nothing: it may just be writing it") {}
  REQUIRE(host.wait_remote(0, RemoteState::faulted));
  CHECK(
      host.remote_reasons[0].find("resource table at 0x900ff000, entry 0, offset 0x10: its offset "
                                  "is 0xfffffff0, must leave room") == 0);
  CHECK(host.wait_vdev(0, 0, VdevState::faulted));
  CHECK(bench.remote.mu().receive_full() == 0); // no word, so that nobody comes up
}

TEST_CASE(
    "a table that does not fit the rings faults the remote, and a mended one brings it back") {
  TableBench bench;
  TableBuilder table(1);
  table.vdev(0x90000000, 0x90009000);
  bench.write_table(table);
  Host host(bench.setup());
  bench.remote.ready();
  REQUIRE(host.wait_remote(0, RemoteState::faulted));
  CHECK(host.remote_reasons[0].find("da of vring1 is 0x90009000") != std::string::npos);
  bench.write_vdevs(1);
  bench.come_up(host);
  CHECK(host.generations[0] == 2);
}

TEST_CASE("NEEDS_RESET is answered by a reset, fresh rings and DRIVER_OK again") {
  TableBench bench;
  bench.write_vdevs(1);
  Host host(bench.setup());
  bench.come_up(host);
  bench.status() = kDriving | kAskedToReset;
  bench.remote.word(0);
  REQUIRE(host.until([&] { return host.generations[0] == 2; }));
  CHECK(last_cause(host) == ResetCause::status);
  REQUIRE(host.until([&] { return bench.status() == kDriving; }));
  CHECK(host.evidence.back() == Evidence::status);
  CHECK(bench.remote.u16(0, 0, 0x2002) == 0); // used.idx of a ring that is fresh
}

TEST_CASE("a remote that writes 0 gets a new life, and is found without a word within a second") {
  TableBench bench;
  bench.write_vdevs(1);
  Host host(bench.setup());
  bench.come_up(host);
  bench.status() = 0;
  REQUIRE(host.until([&] { return host.generations[0] == 2; }));
  CHECK(last_cause(host) == ResetCause::status);
  CHECK(host.until([&] { return bench.status() == kDriving; }));
}

TEST_CASE("a vdev beside one that was reset is asked to reset itself, and waited for") {
  TableBench bench;
  bench.write_vdevs(2);
  RemoteSetup setup = bench.setup(2);
  setup.ready_wait_ms = 5000;
  Host host(setup);
  REQUIRE(host.link().open_endpoint({900, 0, 1, kLocal, 256, 128, 0}));
  bench.come_up(host, 2);
  bench.status(0) = 0;
  bench.remote.word(0);
  REQUIRE(host.until([&] { return (bench.status(1) & kAskedToReset) != 0; }));
  CHECK((bench.status(1) & 4) == 0); // no DRIVER_OK: it must not send
  REQUIRE(host.wait_remote(0, RemoteState::waiting));
  CHECK(bench.status(0) == 0);
  // What it still writes until it sees that: gone once it has answered.
  bench.remote.set_used_index(1, 0, 77);
  bench.status(1) = 0;
  REQUIRE(host.until([&] { return bench.status(0) == kDriving && bench.status(1) == kDriving; }));
  CHECK(bench.remote.u16(1, 0, 0x2002) == 0);
  CHECK(host.generations[0] == 2);
}

TEST_CASE(
    "Reinitialize asks a remote that lives to reset itself, before the rings are its own again") {
  TableBench bench;
  bench.write_vdevs(1);
  RemoteSetup setup = bench.setup();
  setup.ready_wait_ms = 5000;
  Host host(setup);
  bench.come_up(host);
  host.link().reinitialize(0);
  REQUIRE(host.until([&] { return (bench.status() & kAskedToReset) != 0; }));
  bench.status() = 0;
  REQUIRE(host.until([&] { return bench.status() == kDriving; }));
  CHECK(last_cause(host) == ResetCause::reinitialize);
  bench.remote.ready(); // forgets its place in the rings
  CHECK(host.wait_vdev(0, 0, VdevState::offered));
}

TEST_CASE("a remote that does not answer is offered its rings after the ready wait") {
  TableBench bench;
  bench.write_vdevs(1);
  Host host(bench.setup());
  bench.come_up(host);
  host.link().reinitialize(0);
  REQUIRE(host.until([&] { return host.generations[0] == 2; }));
  CHECK(host.until([&] { return bench.status() == kDriving; }));
}

TEST_CASE("a vdev that broke its ring is shown FAILED, and its neighbour is not") {
  TableBench bench;
  bench.write_vdevs(2);
  Host host(bench.setup(2));
  REQUIRE(host.link().open_endpoint({900, 0, 1, kLocal, 256, 128, 0}));
  bench.come_up(host, 2);
  bench.remote.set_used_index(0, 0, 5000);
  bench.remote.word(0);
  REQUIRE(host.wait_vdev(0, 0, VdevState::faulted));
  CHECK(host.until([&] { return bench.status(0) == (kDriving | 0x80); }));
  CHECK(bench.status(1) == kDriving);
}

TEST_CASE("a host that follows stores nothing to a status byte that is driven") {
  TableBench bench;
  bench.write_vdevs(1);
  in_dying_process([&] {
    Host host(bench.setup());
    bench.come_up(host);
  });
  bench.status() = kDriving | 0x20; // a bit that nobody has: any store would take it away
  Host host(bench.setup());
  REQUIRE(host.wait_remote(0, RemoteState::attached));
  bench.say(9);
  REQUIRE(host.until([&] { return host.count() == 2; }));
  CHECK(bench.status() == (kDriving | 0x20));
  CHECK(host.generations[0] == 1);
}

TEST_CASE("a host that follows drives a table that nobody drove, and takes nothing back for it") {
  TableBench bench;
  in_dying_process([&] {
    Host host(bench.Bench::setup()); // it was told of no table
    bench.write_vdevs(1);
    bench.remote.ready();
    if (!host.wait_vdev(0, 0, VdevState::offered)) _exit(1);
    bench.remote.take_word();
    if (!bench.remote.say(0, 7, kLocal, {0}) || !host.wait_vdev(0, 0, VdevState::up)) _exit(1);
  });
  CHECK(bench.status() == 0);
  bench.remote.take_word();
  Host host(bench.setup());
  REQUIRE(host.wait_remote(0, RemoteState::attached));
  CHECK(host.until([&] { return bench.status() == kDriving; }));
  CHECK(host.generations[0] == 1);
}

TEST_CASE("a remote that wrote 0 while no host was there gets its new life from the next one") {
  TableBench bench;
  bench.write_vdevs(1);
  in_dying_process([&] {
    Host host(bench.setup());
    bench.come_up(host);
  });
  bench.status() = 0;
  Host host(bench.setup());
  REQUIRE(host.until([&] { return bench.status() == kDriving; }));
  CHECK(host.generations[0] == 2);
}

TEST_CASE("a table that is overwritten while its remote is up disturbs nobody") {
  TableBench bench;
  bench.write_vdevs(1);
  Host host(bench.setup());
  bench.come_up(host);
  for (size_t i = 0; i < 1024; ++i)
    if (i != 44) bench.remote.memory(kTablePlace, 1024)[i] = 0xFF; // all but the status byte
  bench.say(1);
  REQUIRE(host.until([&] { return host.count() == 2; }));
  CHECK(host.vdev_states[{0, 0}] == VdevState::up);
}

TEST_CASE("a resource table outside the board's memory is refused with its address") {
  SocProcess soc;
  LinkHarness host;
  RemoteSetup setup = sim_setup(soc.socket(), "cm40", 1);
  setup.table_base = 0x20000000;
  setup.table_bytes = 0x1000;
  CHECK(host.open(setup) == -1);
  CHECK(host.error.find("cannot map the resource table at 0x20000000") == 0);
}
