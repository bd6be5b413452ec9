// SPDX-License-Identifier: Apache-2.0
// The simulated firmware as an OpenAMP remote: its resource table and what hangs on it, held
// against a host written by hand.
#include <doctest/doctest.h>

#include <cstring>
#include <set>
#include <string>

#include "support/hand_host.h"
#include "support/soc_process.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

constexpr uint32_t kOurs = 1024;
constexpr uint32_t kFirst = 1024; // of the firmware's addresses
constexpr uint64_t kTable = 0x900FF000;

/// One SoC, one firmware of one vdev, and a host that reads and writes its resource table by hand.
struct OpenampBench {
  explicit OpenampBench(std::vector<std::string> options = {"--behaviour", "openamp"})
      : firmware(start(std::move(options))), opened(open_sim_platform(soc.socket(), "cm40")) {
    REQUIRE_MESSAGE(opened.platform, opened.error.message);
    memory = *opened.platform->map(0x90000000, 0x100000);
    host.emplace(*opened.platform, 0);
    host->prepare();
    for (int i = 0; i < 10000 && word(0) != 1; i++) // it may be attached and no further
      host->receive(1);
    REQUIRE(word(0) == 1);
  }
  Process start(std::vector<std::string> options) {
    options.insert(options.end(), {"--vdevs", "1"});
    return soc.start_firmware(options);
  }

  volatile uint32_t& word(uint64_t at) {
    return *reinterpret_cast<volatile uint32_t*>(memory.at(kTable - 0x90000000 + at, 4));
  }
  uint32_t vdev() { return word(16); }
  volatile uint8_t& status() { return *memory.at(kTable - 0x90000000 + vdev() + 24, 1); }
  volatile uint16_t& ring_u16(uint64_t at) {
    return *reinterpret_cast<volatile uint16_t*>(memory.at(at, 2));
  }
  /// What a host does once it has laid out its rings.
  void drive() {
    word(vdev() + 28) = 0x90000000;
    word(vdev() + 48) = 0x90008000;
    status() = 7;
  }
  /// Takes what comes until a message that is no announcement; its destination.
  uint32_t answered() {
    const auto answer = host->receive_data();
    REQUIRE(answer);
    return answer->dst;
  }
  bool until_status(uint8_t value) {
    for (int i = 0; i < 10000 && status() != value; i++)
      host->receive(1);
    return status() == value;
  }

  SocProcess soc;
  Process firmware;
  OpenedPlatform opened;
  SharedSpan memory;
  std::optional<HandHost> host;
};

} // namespace

TEST_CASE("an OpenAMP firmware waits for DRIVER_OK in its resource table, and for nothing else") {
  OpenampBench bench;
  bench.host->kick(0);
  CHECK(!bench.host->receive(50));
  bench.status() = 3;
  CHECK(!bench.host->receive(50));
  bench.drive();
  CHECK(bench.host->receive());
}

TEST_CASE("it announces by itself, counts its addresses from 1024 and mutes vring0") {
  OpenampBench bench;
  bench.drive();
  std::set<uint32_t> addresses;
  for (int i = 0; i < 6; i++) {
    const auto message = bench.host->receive();
    REQUIRE(message);
    CHECK(message->dst == 53);
    addresses.insert(message->src);
  }
  CHECK(addresses == std::set<uint32_t>{1024, 1025, 1026, 1027, 1028, 1029});
  CHECK((bench.ring_u16(0x2000) & 1) == 1);
}

TEST_CASE(
    "its table leaves the rings to the host and has a carve-out, a trace and a vendor's entry") {
  OpenampBench bench;
  CHECK(bench.word(0) == 1);
  REQUIRE(bench.word(4) == 4);
  CHECK(bench.word(bench.vdev()) == 3);
  CHECK(bench.word(bench.vdev() + 28) == 0xFFFFFFFF);
  CHECK(bench.word(bench.word(20)) == 0);
  CHECK(bench.word(bench.word(24)) == 2);
  CHECK(bench.word(bench.word(28)) == 128);
}

TEST_CASE("it honours NO_INTERRUPT of the host when it has sent") {
  OpenampBench bench;
  bench.drive();
  for (int i = 0; i < 6; i++)
    REQUIRE(bench.host->receive());
  while (bench.host->wait_word(0, 20)) { // of the announcements
  }
  bench.ring_u16(0x1000) = 1;
  REQUIRE(bench.host->send(kOurs, kFirst + 2, "quiet"));
  CHECK(!bench.host->wait_word(0, 50));
  CHECK(bench.host->receive_data()->payload == "quiet");
}

TEST_CASE("the demo channel talks to whoever spoke to it first, an echo to who asks") {
  OpenampBench bench;
  bench.drive();
  REQUIRE(bench.host->send(2000, kFirst, "hello world!"));
  CHECK(bench.answered() == 2000);
  REQUIRE(bench.host->send(3000, kFirst, "hello world!"));
  CHECK(bench.answered() == 2000);
  REQUIRE(bench.host->send(3000, kFirst + 2, "echo"));
  CHECK(bench.answered() == 3000);
}

TEST_CASE("it writes the buffer's number into the reserved word of what it received") {
  OpenampBench bench;
  bench.drive();
  for (int i = 0; i < 3; i++) {
    REQUIRE(bench.host->send(kOurs, kFirst + 2, "x"));
    bench.answered();
  }
  for (int i = 0; i < 10000 && bench.host->used_index(1) != 3; i++)
    bench.host->receive(1);
  Result<SharedSpan> buffers = bench.opened.platform->map(0x90400000 + 0x20000, 0x20000);
  for (uint32_t id = 0; id < 3; id++)
    CHECK(*reinterpret_cast<volatile uint32_t*>(buffers->at(512 * id + 8, 4)) == id);
}

TEST_CASE("NEEDS_RESET makes it write 0 and begin anew once it is driven again") {
  OpenampBench bench;
  bench.drive();
  REQUIRE(bench.host->send(kOurs, kFirst + 2, "before"));
  bench.answered();
  bench.status() = 0x43;
  REQUIRE(bench.until_status(0));
  bench.host->prepare();
  bench.drive();
  const auto first = bench.host->receive();
  REQUIRE(first);
  CHECK(first->dst == 53);
  REQUIRE(bench.host->send(kOurs, kFirst + 2, "after"));
  CHECK(bench.host->receive_data()->payload == "after");
}

TEST_CASE("told to, it asks for a reset by NEEDS_RESET, or says by 0 that it began anew") {
  for (const auto& [fault, byte] : {std::pair{"needs-reset", 0x47}, {"status-zero", 0}}) {
    OpenampBench bench({"--behaviour", "openamp", "--fault", fault});
    bench.drive();
    REQUIRE(bench.host->send(kOurs, kFirst + 2, "last"));
    bench.answered();
    REQUIRE(bench.until_status(static_cast<uint8_t>(byte)));
    bench.host->prepare();
    bench.status() = 0;
    bench.drive();
    const auto first = bench.host->receive();
    REQUIRE(first);
    CHECK(first->dst == 53);
  }
}

TEST_CASE("its trace buffer has lines of text") {
  OpenampBench bench;
  bench.drive();
  REQUIRE(bench.host->receive());
  const uint32_t trace = bench.word(24);
  const uint64_t at = bench.word(trace + 4) - 0x90000000u;
  const std::string text(const_cast<const char*>(
      reinterpret_cast<volatile char*>(bench.memory.at(at, bench.word(trace + 8)))));
  CHECK(text == "stack ready\nvdev 0: up\n");
}

TEST_CASE("an RPMsg-Lite firmware can have a table, with addresses in it, and never looks at it") {
  OpenampBench bench({"--resource-table"});
  CHECK(bench.word(bench.vdev() + 28) == 0x90000000);
  CHECK(bench.word(bench.vdev() + 48) == 0x90008000);
  bench.host->kick(0);
  CHECK(bench.host->receive());
  CHECK(bench.status() == 0);
}
