// SPDX-License-Identifier: Apache-2.0
// What sysfs says of UIO devices, read from fixtures: who is meant, where maps lie, what is
// nonsense.
#include <doctest/doctest.h>

#include "platform/uio/uio_sysfs.h"
#include "support/uio_fixture.h"

using namespace rpmsg;
using namespace rpmsg::test;

TEST_CASE("a UIO device is found by its name, with what its maps have") {
  UioFixture machine;
  machine.add("uio0", "rpmsg-mu", {{"0x000000005d200000", "0x0000000000010000"}});
  machine.add("uio1", "rpmsg-memory",
              {{"0x0000000090000000", "0x1000", "0x40"}, {"0x90400000", "0x100000"}});
  const UioSearch found = find_uio(machine.sysfs(), {"rpmsg-memory"});
  REQUIRE(found.problem == "");
  CHECK(found.entry.node == "uio1");
  CHECK(found.entry.device_number == "247:0");
  REQUIRE(found.entry.maps.size() == 2);
  CHECK(found.entry.maps[0].begin() == 0x90000040);
  CHECK(found.entry.maps[0].end() == 0x90001000);
  CHECK(found.entry.maps[1].number == 1);
  CHECK(found.entry.maps[1].has(0x90400000, 0x100000));
  CHECK_FALSE(found.entry.maps[1].has(0x90400000, 0x100001));
  CHECK_FALSE(found.entry.maps[1].has(0x90500000, 0));
}

TEST_CASE("UIO devices of one name are told apart by their addresses") {
  UioFixture machine;
  machine.add("uio10", "mailbox", {{"0x5d210000", "0x10000"}});
  machine.add("uio2", "mailbox", {{"0x5d200000", "0x10000"}});
  const std::string problem = find_uio(machine.sysfs(), {"mailbox"}).problem;
  CHECK(problem ==
        "2 UIO devices are \"mailbox\": uio2 \"mailbox\" at 0x5d200000, uio10 \"mailbox\""
        " at 0x5d210000; name and address together say which");
  CHECK(find_uio(machine.sysfs(), {"mailbox", 0x5d210000}).entry.node == "uio10");
  CHECK(find_uio(machine.sysfs(), {"", 0x5d200000}).entry.node == "uio2");
}

TEST_CASE("a UIO device that is not there is named, with those that are") {
  UioFixture machine;
  machine.add("uio0", "mailbox", {{"0x5d200000", "0x10000"}});
  machine.add("uio1", "trigger", {});
  CHECK(
      find_uio(machine.sysfs(), {"mu"}).problem ==
      "there is no UIO device \"mu\"; there are: uio0 \"mailbox\" at 0x5d200000, uio1 \"trigger\"");
  CHECK(contains(find_uio(machine.sysfs(), {"mailbox", 0x5d210000}).problem,
                 "no UIO device \"mailbox\" at 0x5d210000"));
  UioFixture without;
  CHECK(
      contains(find_uio(without.sysfs(), {"mu"}).problem, "is the module uio_pdrv_genirq loaded"));
}

TEST_CASE("a number of sysfs that makes no sense is refused with its file and the rule") {
  struct Case {
    FakeMap map;
    std::string expected;
  };
  const Case cases[] = {
      {{"5d2zz", "0x1000"}, "map0/addr says \"5d2zz\", which is no number"},
      {{"", "0x1000"}, "map0/addr says \"\", which is no number"},
      {{"-4096", "0x1000"}, "map0/addr says \"-4096\", which is no number"},
      {{"0x1ffffffffffffffff", "0x1000"}, "says \"0x1ffffffffffffffff\", which is no number"},
      {{"0x5d200010", "0x1000"}, "map0 begins at 0x5d200010, which is no page"},
      {{"0x5d200000", "0x0"}, "an offset of 0x0: it must be smaller than a page and than its size"},
      {{"0x5d200000", "0x20000", "0x10000"},
       "an offset of 0x10000: it must be smaller than a page"},
      {{"0xfffffffffffff000", "0x2000"}, "which do not end inside 64 bits"},
  };
  for (const Case& each : cases) {
    CAPTURE(each.expected);
    UioFixture machine;
    machine.add("uio0", "mu", {each.map});
    const std::string problem = find_uio(machine.sysfs(), {"mu"}).problem;
    CHECK_MESSAGE(contains(problem, each.expected), problem);
  }
}

TEST_CASE("nonsense in a UIO device that nobody asked for does not matter") {
  UioFixture machine;
  machine.add("uio0", "other", {{"x", "y"}});
  machine.add("uio1", "mu", {{"0x5d200000", "0x10000"}});
  CHECK(find_uio(machine.sysfs(), {"mu"}).entry.node == "uio1");
  CHECK(find_uio(machine.sysfs(), {"", 0x5d200000}).entry.node == "uio1");
  CHECK(list_uio(machine.sysfs()).size() == 1);
}
