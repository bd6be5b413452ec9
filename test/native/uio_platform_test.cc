// SPDX-License-Identifier: Apache-2.0
// A remote made of UIO devices: which bytes a region is, who owns a device, what is refused and
// how. Interrupts need a real device: test/vm has them.
#include <doctest/doctest.h>

#include <cstring>

#include "platform/uio/uio_devices.h"
#include "platform/uio/uio_register_window.h"
#include "support/link_harness.h"
#include "support/uio_fixture.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

struct Machine : UioFixture {
  Machine() {
    add("uio0", "rpmsg-mu", {{"0x5d200000", "0x1000"}, {"0x5d300000", "0x4000", "0x80"}});
    add("uio1", "rpmsg-memory", {{"0x90000000", "0x8000"}, {"0x90400000", "0x10000"}});
  }
  UioDevices devices{sysfs(), dev()};
};

UioBoard board() {
  UioBoard made;
  made.mu.name = "rpmsg-mu";
  made.soc = "imx8qxp";
  return made;
}

} // namespace

TEST_CASE("a region is the bytes of its map from its in-page offset on") {
  Machine machine;
  const OpenedPlatform opened = machine.devices.open(board());
  REQUIRE(opened.error.message == "");
  auto in_second_map = opened.platform->map(0x5d300080, 0x100);
  REQUIRE(in_second_map);
  CHECK(in_second_map->physical() == 0x5d300080);
  CHECK(in_second_map->size() == 0x100);
  *in_second_map->at(3, 1) = 0xA5;
  CHECK(machine.byte("uio0", UioFixture::page() + 0x83) == 0xA5);
  auto from_inside = opened.platform->map(0x5d301000, 8);
  REQUIRE(from_inside);
  *from_inside->at(0, 1) = 0x5A;
  CHECK(machine.byte("uio0", 2 * UioFixture::page()) == 0x5A);
}

TEST_CASE("memory is found by its address where no memory device is named") {
  Machine machine;
  const OpenedPlatform opened = machine.devices.open(board());
  REQUIRE(opened.platform);
  auto buffers = opened.platform->map(0x90400000, 0x10000);
  REQUIRE(buffers);
  *buffers->at(0, 1) = 0x77;
  CHECK(machine.byte("uio1", UioFixture::page()) == 0x77);
}

TEST_CASE("a named memory device is the only one that memory is taken from") {
  Machine machine;
  UioBoard named = board();
  named.memory_device = "rpmsg-memory";
  const OpenedPlatform opened = machine.devices.open(named);
  REQUIRE(opened.platform);
  CHECK(opened.platform->map(0x90000000, 0x8000));
  CHECK_FALSE(opened.platform->map(0x5d300080, 0x100));
  CHECK(
      opened.platform->map_problem() ==
      "UIO device \"rpmsg-memory\" (" + machine.dev() +
          "/uio1) has map0 0x90000000 + 0x8000, map1 0x90400000 + 0x10000, and none of them all of "
          "0x5d300080 + 0x100: add it to the node's \"reg\", or name another memory_device");
}

TEST_CASE("a region that no map has, or not all of it, is refused with what there is") {
  Machine machine;
  const OpenedPlatform opened = machine.devices.open(board());
  REQUIRE(opened.platform);
  for (const auto& [physical, size] : {std::pair<uint64_t, uint64_t>{0x90007000, 0x2000},
                                       {0x80000000, 0x1000},
                                       {0x5d300000, 0x80},        // before the in-page offset
                                       {0x90000000, 0x410000}}) { // two maps are not one
    CAPTURE(physical);
    const auto mapped = opened.platform->map(physical, size);
    REQUIRE_FALSE(mapped);
    CHECK(mapped.error().code == Errc::invalid_argument);
    CHECK(mapped.error().detail == physical);
    const std::string problem = opened.platform->map_problem();
    CHECK_MESSAGE(contains(problem, range_text(physical, size)), problem);
    CHECK_MESSAGE(contains(problem, "uio1 \"rpmsg-memory\" has map0 0x90000000 + 0x8000, map1"),
                  problem);
  }
  CHECK_FALSE(opened.platform->map(UINT64_MAX - 10, 100));
  CHECK_FALSE(opened.platform->map(0x90000000, 0));
}

TEST_CASE("the registers are those of map0, and none is touched by opening") {
  UioFixture machine;
  machine.add("uio0", "mu", {{"0x5d200000", "0x1000", "0x100"}});
  UioDevices devices(machine.sysfs(), machine.dev());
  UioBoard made = board();
  made.mu = {"", 0x5d200100};
  const OpenedPlatform opened = devices.open(made);
  REQUIRE_MESSAGE(opened.platform, opened.error.message);
  for (size_t at = 0x100; at < 0x128; ++at)
    CHECK(machine.byte("uio0", at) == 0);
  opened.platform->mu().write32(0x24, 0x04030201);
  CHECK(machine.byte("uio0", 0x124) == 1);
  CHECK(machine.byte("uio0", 0x127) == 4);
  CHECK(opened.platform->mu().read32(0x24) == 0x04030201);
  CHECK(opened.platform->soc() == "imx8qxp");
}

TEST_CASE("a window whose device went reads 0 and writes nothing") {
  alignas(4) uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  UioRegisterWindow window(SharedSpan(bytes, sizeof bytes, 0x5d200000));
  CHECK(window.read32(4) == 0x08070605);
  window.disconnect();
  CHECK(window.read32(4) == 0);
  window.write32(4, 0);
  CHECK(bytes[4] == 5);
}

TEST_CASE("a UIO device has one owner: the second is refused with the first one's process id") {
  Machine machine;
  UioDevices second(machine.sysfs(), machine.dev());
  {
    const OpenedPlatform first = machine.devices.open(board());
    REQUIRE(first.platform);
    const OpenedPlatform refused = second.open(board());
    CHECK_FALSE(refused.platform);
    CHECK(refused.error.message == "UIO device \"rpmsg-mu\" (" + machine.dev() +
                                       "/uio0) is held by process " + std::to_string(getpid()) +
                                       ": one at a time may own it, end the other first");
  }
  CHECK(second.open(board()).platform);
}

TEST_CASE("two remotes share a memory device, and neither has the other's MU") {
  Machine machine;
  machine.add("uio2", "other-mu", {{"0x5d210000", "0x1000"}});
  UioBoard one = board();
  one.memory_device = "rpmsg-memory";
  UioBoard two = one;
  two.mu.name = "other-mu";
  const OpenedPlatform first = machine.devices.open(one);
  {
    const OpenedPlatform second = machine.devices.open(two);
    REQUIRE_MESSAGE(second.platform, second.error.message);
    CHECK(first.platform->map(0x90000000, 0x1000));
    CHECK(second.platform->map(0x90001000, 0x1000));
    const OpenedPlatform third = machine.devices.open(one);
    CHECK(contains(third.error.message, "is the MU of another remote already"));
  }
  CHECK(machine.devices.open(two).platform);
}

TEST_CASE("what cannot be a MU is refused with the device, its map and the rule") {
  UioFixture machine;
  machine.add("uio0", "short", {{"0x44230000", "0x1000", "0xd80"}});
  machine.add("uio1", "bare", {});
  machine.add("uio2", "odd", {{"0x44240000", "0x1000", "0x2"}});
  machine.add("uio3", "gone", {{"0x44250000", "0x1000"}});
  REQUIRE(::unlink((machine.dev() + "/uio3").c_str()) == 0);
  UioDevices devices(machine.sysfs(), machine.dev());
  UioBoard made = board();
  made.soc = "imx93";
  made.mu_generation = MuGeneration::v2;
  const auto problem = [&](const char* name) {
    made.mu.name = name;
    return devices.open(made).error.message;
  };
  CHECK(contains(problem("short"), "/uio0): map0 has 0x280 bytes, the registers of a MU of imx93 "
                                   "need 0x290"));
  CHECK(contains(problem("bare"), "/uio1) has no map0, where the MU's registers are to be"));
  CHECK(contains(problem("odd"), "/uio2): map0 begins at 0x44240002, registers of 32 bits do not"));
  CHECK(contains(problem("gone"), "/uio3: No such file or directory: sysfs has the device"));
}

TEST_CASE("/dev/mem is used for what no map has, and only when it is asked for") {
  Machine machine;
  machine.write(machine.dev() + "/mem", std::string(16 * UioFixture::page(), 'm'));
  UioBoard asked = board();
  asked.dev_mem = true;
  {
    const OpenedPlatform opened = machine.devices.open(asked);
    REQUIRE(opened.platform);
    auto mapped = opened.platform->map(UioFixture::page() + 0x20, 0x100);
    REQUIRE(mapped);
    CHECK(*mapped->at(0, 1) == 'm');
    REQUIRE(opened.platform->map(0x90000000, 0x1000)); // a map has it
  }
  const OpenedPlatform opened = machine.devices.open(board());
  REQUIRE(opened.platform);
  CHECK_FALSE(opened.platform->map(UioFixture::page() + 0x20, 0x100));
}

TEST_CASE("/dev/mem that cannot be had is an error that says what it takes") {
  Machine machine;
  UioBoard asked = board();
  asked.dev_mem = true;
  const OpenedPlatform opened = machine.devices.open(asked);
  REQUIRE(opened.platform);
  CHECK_FALSE(opened.platform->map(0x1000, 0x100));
  CHECK(
      contains(opened.platform->map_problem(), "dev_mem needs the right to it and CAP_SYS_RAWIO"));
}

TEST_CASE("a remote on UIO whose rings no map has is refused with the key's value and the maps") {
  Machine machine;
  LinkHarness host{BoardChoice(UioDevices(machine.sysfs(), machine.dev()))};
  RemoteSetup setup = sim_setup("", "cm40", 1);
  setup.uio = board();
  CHECK(host.open(setup) == -1);
  CHECK(contains(host.error,
                 "cannot map the vring window at 0x90000000, 0x10000 bytes: no map of any"
                 " UIO device has all of 0x90000000 + 0x10000: uio0 \"rpmsg-mu\" has"));
  setup.uio->mu.name = "nobody";
  CHECK(host.open(setup) == -1);
  CHECK(contains(host.error, "there is no UIO device \"nobody\""));
}
