// SPDX-License-Identifier: Apache-2.0
// Firmware that dies at any instant and is started again: the link comes back by itself and nothing
// of a former life is taken for the present one.
#include <doctest/doctest.h>

#include <csignal>
#include <cstdlib>

#include <random>

#include "support/link_harness.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

std::string firmware_command(const std::string& options) {
  return "cm40=" + program_path("rpmsg-firmware") + " --core cm40 --vdevs 1 " + options;
}

constexpr uint32_t kEcho = 3; // where the firmware's echo always is

/// The echo answers with what this life was sent; answers of former lives say so.
bool echo_answers(LinkHarness& host, uint32_t endpoint, uint8_t mark) {
  auto& received = host.received[endpoint];
  for (int attempt = 0; attempt < 100; ++attempt) {
    received.clear();
    const auto begun = host.begin(endpoint, kEcho, {mark, 1, 2}, 0, 1, 1);
    const bool answered = host.until(
        [&] {
          for (const Message& message : received)
            if (message.data == std::vector<uint8_t>{mark, 1, 2}) return true;
          return false;
        },
        begun.kind == SendOutcome::Kind::sent ? 100 : 10);
    if (answered) return true;
  }
  return false;
}

} // namespace

TEST_CASE("firmware killed at random instants under traffic always comes back and echoes") {
  SocProcess soc({"--firmware", firmware_command("")});
  REQUIRE(soc.ready());
  pid_t pid = soc.wait_started("cm40");
  LinkHarness host;
  REQUIRE(host.open(sim_setup(soc.socket(), "cm40", 1)) == 0);
  REQUIRE(host.start());
  const uint32_t endpoint = host.endpoint(0, 0, 1024);
  std::minstd_rand random(7);
  // Each round waits out rpmsg-soc's restart back-off, which grows to a second.
  const uint32_t rounds = std::getenv("RPMSGD_SOAK") != nullptr ? 100 : 10;
  for (uint32_t round = 0; round < rounds; ++round) {
    CAPTURE(round);
    REQUIRE(pid > 0);
    REQUIRE(echo_answers(host, endpoint, static_cast<uint8_t>(round)));
    CHECK(host.vdev_states[{0, 0}] == VdevState::up);
    const uint64_t instant = random() % 300;
    for (uint64_t n = 0; n < instant; ++n)
      (void)host.begin(endpoint, kEcho, {0xFF}, 0, 1, 1);
    ::kill(pid, SIGKILL);
    pid = soc.wait_started("cm40");
  }
  CHECK(host.remote_states[0] == RemoteState::attached);
}

TEST_CASE("firmware that dies inside a register access is followed by one that works") {
  for (const char* step : {"tr-data", "tr-full", "rr-read", "rr-clear", "gir", "raise-mask"}) {
    CAPTURE(step);
    SocProcess soc;
    REQUIRE(soc.ready());
    LinkHarness host;
    REQUIRE(host.open(sim_setup(soc.socket(), "cm40", 1)) == 0);
    REQUIRE(host.start());
    const uint32_t endpoint = host.endpoint(0, 0, 1024);
    for (const char* nth : {":1", ":2", ":5"}) {
      CAPTURE(nth);
      Process dying =
          soc.start_firmware({"--vdevs", "1", "--fault", std::string("crash-at:") + step + nth});
      // Traffic, so that there is a step to die at; it may die by its first doorbell already.
      host.until(
          [&] {
            (void)host.begin(endpoint, kEcho, {0xFF}, 0, 1, 1);
            return false;
          },
          60);
      dying.kill();
      REQUIRE(soc.wait_event("cm40 firmware gone"));
      Process next = soc.start_firmware({"--vdevs", "1"});
      CHECK(echo_answers(host, endpoint, 7));
      next.kill();
      REQUIRE(soc.wait_event("cm40 firmware gone"));
    }
  }
}
