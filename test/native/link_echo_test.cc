// SPDX-License-Identifier: Apache-2.0
// The link against the simulated SoC and real firmware processes: up, names, messages both ways.
#include <doctest/doctest.h>

#include <numeric>

#include "support/link_harness.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

std::vector<uint8_t> pattern(size_t bytes) {
  std::vector<uint8_t> data(bytes);
  std::iota(data.begin(), data.end(), uint8_t{1});
  return data;
}

} // namespace

TEST_CASE("a remote comes up, announces its names and echoes every legal size unchanged") {
  SocProcess soc;
  REQUIRE(soc.ready());
  Process firmware = soc.start_firmware();
  LinkHarness host;
  REQUIRE(host.open(sim_setup(soc.socket(), "cm40", 2)) == 0);
  REQUIRE(host.start());
  for (uint32_t vdev = 0; vdev < 2; ++vdev) {
    const uint32_t echo = host.wait_name(0, vdev, "echo");
    REQUIRE(echo != 0);
    const uint32_t endpoint = host.endpoint(0, vdev, 1024);
    size_t count = 0;
    for (const size_t bytes : {size_t{0}, size_t{1}, size_t{495}, size_t{496}}) {
      CHECK(host.send(endpoint, echo, pattern(bytes)) == Errc::ok);
      ++count;
      REQUIRE(host.until([&] { return host.received[endpoint].size() == count; }));
      CHECK(host.received[endpoint].back().data == pattern(bytes));
      CHECK(host.received[endpoint].back().source == echo);
      CHECK(host.received[endpoint].back().seq == count - 1);
    }
    CHECK(host.send(endpoint, echo, pattern(497)) == Errc::message_too_long);
    CHECK(host.vdev_states[{0, vdev}] == VdevState::up);
  }
  CHECK(host.remote_states[0] == RemoteState::attached);
}

TEST_CASE("a quiet remote that waits to be spoken to is offered, then up with the first message") {
  SocProcess soc;
  REQUIRE(soc.ready());
  Process firmware = soc.start_firmware({"--quiet"});
  LinkHarness host;
  REQUIRE(host.open(sim_setup(soc.socket(), "cm40", 1)) == 0);
  const uint32_t endpoint = host.endpoint(0, 0, 30);
  REQUIRE(host.start());
  REQUIRE(host.wait_remote(0, RemoteState::attached));
  CHECK(host.vdev_states[{0, 0}] == VdevState::offered);
  CHECK(host.send(endpoint, 30, pattern(5)) == Errc::ok);
  REQUIRE(host.until([&] { return host.received[endpoint].size() == 1; }));
  CHECK(host.received[endpoint][0].data == pattern(5));
  CHECK(host.wait_vdev(0, 0, VdevState::up));
}

TEST_CASE(
    "of eight vdevs offered, the two that the remote serves come up and the rest stay offered") {
  SocProcess soc;
  REQUIRE(soc.ready());
  Process firmware = soc.start_firmware({"--link", "1,6"});
  LinkHarness host;
  REQUIRE(host.open(sim_setup(soc.socket(), "cm40", 8)) == 0);
  REQUIRE(host.start());
  CHECK(host.wait_name(0, 1, "echo") != 0);
  CHECK(host.wait_name(0, 6, "echo") != 0);
  for (uint32_t vdev = 0; vdev < 8; ++vdev) {
    const bool served = vdev == 1 || vdev == 6;
    CHECK(host.vdev_states[{0, vdev}] == (served ? VdevState::up : VdevState::offered));
  }
}

TEST_CASE("evidence of readiness is the doorbell, the flag or the time that passed") {
  struct Case {
    const char* ready;
    Evidence evidence;
  };
  for (const Case& each : {Case{"rxdb", Evidence::rxdb}, Case{"flag", Evidence::flag},
                           Case{"none", Evidence::timeout}}) {
    CAPTURE(each.ready);
    SocProcess soc;
    REQUIRE(soc.ready());
    Process firmware = soc.start_firmware({"--ready", each.ready});
    LinkHarness host;
    REQUIRE(host.open(sim_setup(soc.socket(), "cm40", 1)) == 0);
    REQUIRE(host.start());
    CHECK(host.wait_name(0, 0, "echo") != 0);
    REQUIRE_FALSE(host.evidence.empty());
    CHECK(host.evidence.front() == each.evidence);
  }
}

TEST_CASE("firmware that comes up long after the host is reached by the repeated word") {
  SocProcess soc;
  REQUIRE(soc.ready());
  LinkHarness host;
  REQUIRE(host.open(sim_setup(soc.socket(), "cm40", 2)) == 0);
  REQUIRE(host.start());
  REQUIRE(host.wait_vdev(0, 1, VdevState::offered));
  CHECK(host.remote_states[0] == RemoteState::waiting);
  Process firmware = soc.start_firmware({"--ready", "none"});
  CHECK(host.wait_name(0, 0, "echo") != 0);
  CHECK(host.wait_name(0, 1, "echo") != 0);
  CHECK(host.remote_states[0] == RemoteState::attached);
}

TEST_CASE("two remotes of one board run side by side") {
  SocProcess soc({"--soc", "imx8qm"});
  REQUIRE(soc.ready());
  Process first = soc.start_firmware({"--vdevs", "4"}, "cm40");
  Process second = soc.start_firmware({"--vdevs", "4"}, "cm41");
  LinkHarness host;
  REQUIRE(host.open(sim_setup(soc.socket(), "cm40", 4)) == 0);
  REQUIRE(host.open(sim_setup(soc.socket(), "cm41", 4)) == 1);
  REQUIRE(host.start());
  for (uint32_t remote = 0; remote < 2; ++remote) {
    const uint32_t echo = host.wait_name(remote, 3, "echo");
    REQUIRE(echo != 0);
    const uint32_t endpoint = host.endpoint(remote, 3, 2000);
    CHECK(host.send(endpoint, echo, pattern(16)) == Errc::ok);
    CHECK(host.until([&] { return host.received[endpoint].size() == 1; }));
  }
}
