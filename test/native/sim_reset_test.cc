// SPDX-License-Identifier: Apache-2.0
// The reset of a partition in the simulator: what is told to the host, in which order, and when the
// firmware starts again.
#include <doctest/doctest.h>

#include <cerrno>
#include <csignal>

#include "scu/scfw_api.h"
#include "support/scu_client.h"
#include "support/soc_control.h"
#include "support/soc_process.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

constexpr uint32_t kBit = 1u << 2; // of cm40's partition
const std::string kNever = "999999";

uint32_t pm(uint32_t size, uint32_t function) {
  return SCFW_WORD0(size, uint32_t{SCFW_SVC_PM}, function);
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A board that supervises cm40, a host on its SCU MU and a hand on its control socket.
struct Scene {
  explicit Scene(std::vector<std::string> options = {}, bool enabled = true)
      : soc(with_firmware(std::move(options))), first(soc.wait_started("cm40")), scu(soc.socket()),
        control(soc.socket()) {
    REQUIRE(scu.ready());
    REQUIRE(control.wait_status("\"state\":\"running\""));
    if (!enabled) return;
    REQUIRE(scu.enable(SCFW_IRQ_GROUP_REBOOT, kBit) == SCFW_ERR_NONE);
    REQUIRE(scu.enable(SCFW_IRQ_GROUP_REBOOTED, kBit) == SCFW_ERR_NONE);
  }
  static std::vector<std::string> with_firmware(std::vector<std::string> options) {
    options.insert(options.end(), {"--firmware", "cm40=" + program_path("rpmsg-firmware")});
    return options;
  }
  int go_on() { return scu.call_code({pm(2, SCFW_PM_REBOOT_CONTINUE), 2}); }
  int reason() { return static_cast<int>(scu.call({pm(1, SCFW_PM_RESET_REASON)}).at(1)); }

  SocProcess soc;
  pid_t first;
  ScuClient scu;
  SocControl control;
};

} // namespace

TEST_CASE(
    "a death is told as REBOOT, waits for the host, then REBOOTED comes, then the next life") {
  Scene scene({"--reboot-timeout-ms", kNever, "--start-delay-ms", "0"});
  CHECK(scene.scu.status(SCFW_IRQ_GROUP_REBOOT) == 0); // the first attach is no reset
  CHECK(scene.scu.status(SCFW_IRQ_GROUP_REBOOTED) == 0);
  ::kill(scene.first, SIGKILL);
  REQUIRE(scene.scu.wait_doorbell());
  CHECK(scene.scu.status(SCFW_IRQ_GROUP_REBOOT) == kBit);
  CHECK(scene.scu.status(SCFW_IRQ_GROUP_REBOOTED) == 0);
  CHECK(contains(scene.control.ask("status"), "\"state\":\"rebooting\""));
  CHECK(scene.go_on() == SCFW_ERR_NONE);
  REQUIRE(scene.scu.wait_doorbell());
  CHECK(scene.scu.status(SCFW_IRQ_GROUP_REBOOTED) == kBit);
  CHECK(scene.go_on() == SCFW_ERR_NOTFOUND); // nobody waits any more
  for (const char* event : {"cm40 reboot partition 2", "cm40 rebooted partition 2",
                            "cm40 firmware started", "cm40 firmware attached"})
    CHECK_MESSAGE(scene.soc.wait_event(event), event);
  CHECK(scene.reason() == SCFW_RESET_WDOG);
  CHECK(scene.control.number("lives") == 2);
  CHECK(scene.control.number("deaths") == 1);
}

TEST_CASE("a host that does not answer is waited for until the time-out") {
  Scene scene({"--reboot-timeout-ms", "30", "--start-delay-ms", "0"});
  ::kill(scene.first, SIGKILL);
  CHECK(scene.soc.wait_event("cm40 firmware ended"));
  CHECK(scene.soc.wait_event("cm40 rebooted partition 2"));
  CHECK(scene.soc.wait_event("cm40 firmware attached"));
}

TEST_CASE("a host that enabled nothing is not waited for, and reads the bits later") {
  Scene scene({"--reboot-timeout-ms", kNever, "--start-delay-ms", "0"}, false);
  ::kill(scene.first, SIGKILL);
  CHECK(scene.soc.wait_event("cm40 rebooted partition 2"));
  CHECK(scene.soc.wait_event("cm40 firmware attached"));
  CHECK(!scene.scu.doorbell());
  CHECK(scene.scu.status(SCFW_IRQ_GROUP_REBOOT) == kBit);
  CHECK(scene.scu.status(SCFW_IRQ_GROUP_REBOOTED) == kBit);
}

TEST_CASE("a dying firmware runs on until its grace ends or the host continues") {
  Scene scene({"--start-delay-ms", "0"});
  CHECK(scene.control.does("reset cm40 " + kNever));
  REQUIRE(scene.scu.wait_doorbell());
  CHECK(scene.scu.status(SCFW_IRQ_GROUP_REBOOT) == kBit);
  CHECK(scene.scu.status(SCFW_IRQ_GROUP_REBOOTED) == 0);
  CHECK(scene.control.number("firmware") == scene.first);
  CHECK(contains(scene.control.ask("reset cm40"), "is being reset already"));
  CHECK(scene.go_on() == SCFW_ERR_NONE);
  REQUIRE(scene.scu.wait_doorbell());
  CHECK(::kill(scene.first, 0) == -1); // REBOOTED: the old program is no more
  CHECK(errno == ESRCH);
  CHECK(scene.scu.status(SCFW_IRQ_GROUP_REBOOTED) == kBit);
  CHECK(scene.soc.wait_event("cm40 firmware ended pid " + std::to_string(scene.first)));
  CHECK(scene.soc.wait_event("cm40 rebooted"));
  CHECK(scene.soc.wait_event("cm40 firmware attached"));
  CHECK(scene.reason() == SCFW_RESET_SW);
  CHECK(scene.control.does("reset cm40 20"));
  CHECK(scene.soc.wait_event("cm40 firmware attached"));
}

TEST_CASE("a firmware that dies within its grace still waits for the host") {
  Scene scene({"--start-delay-ms", "0"});
  CHECK(scene.control.does("reset cm40 " + kNever));
  REQUIRE(scene.scu.wait_doorbell());
  CHECK(scene.control.does("kill cm40"));
  REQUIRE(scene.soc.wait_event("cm40 firmware ended"));
  CHECK(scene.scu.status(SCFW_IRQ_GROUP_REBOOTED) == 0);
  CHECK(contains(scene.control.ask("status"), "\"state\":\"rebooting\""));
  CHECK(scene.go_on() == SCFW_ERR_NONE);
  CHECK(scene.soc.wait_event("cm40 firmware attached"));
}

TEST_CASE("a core that locks up is reset by its watchdog, and the reason says so") {
  Scene scene({"--start-delay-ms", "0"});
  CHECK(scene.control.does("lockup cm40 " + kNever));
  CHECK(contains(scene.control.ask("status"), "\"state\":\"locked-up\""));
  CHECK(scene.scu.status(SCFW_IRQ_GROUP_REBOOT) == 0);
  CHECK(scene.control.does("lockup cm40 0"));
  REQUIRE(scene.scu.wait_doorbell());
  CHECK(scene.go_on() == SCFW_ERR_NONE);
  CHECK(scene.soc.wait_event("cm40 firmware attached"));
  CHECK(scene.reason() == SCFW_RESET_LOCKUP);
}

TEST_CASE("a silent restart tells nobody") {
  Scene scene({"--start-delay-ms", "0"});
  CHECK(scene.control.does("silent-restart cm40"));
  REQUIRE(scene.soc.wait_event("cm40 firmware ended"));
  REQUIRE(scene.soc.wait_event("cm40 firmware attached"));
  CHECK(!scene.scu.doorbell());
  CHECK(scene.scu.status(SCFW_IRQ_GROUP_REBOOT) == 0);
  CHECK(scene.scu.status(SCFW_IRQ_GROUP_REBOOTED) == 0);
  CHECK(scene.reason() == SCFW_RESET_POR);
  ::kill(static_cast<pid_t>(scene.control.number("program")),
         SIGKILL); // but the next death is told
  CHECK(scene.scu.wait_doorbell());
}

TEST_CASE("a core that is held stays off after REBOOTED until it is released") {
  Scene scene({"--start-delay-ms", "0", "--reboot-timeout-ms", "0"});
  CHECK(scene.control.does("hold cm40"));
  CHECK(contains(scene.control.ask("status"), "\"state\":\"running\""));
  CHECK(scene.control.does("kill cm40"));
  CHECK(scene.soc.wait_event("cm40 rebooted partition 2"));
  CHECK(scene.control.wait_status("\"state\":\"held\""));
  CHECK(scene.control.number("lives") == 1);
  CHECK(scene.control.does("release cm40"));
  CHECK(scene.soc.wait_event("cm40 firmware attached"));
  CHECK(scene.scu.status(SCFW_IRQ_GROUP_REBOOTED) == kBit); // once, not again with the start
}

TEST_CASE("a notification can be spurious or doubled") {
  Scene scene;
  CHECK(scene.control.does("notify cm40 rebooted"));
  REQUIRE(scene.scu.wait_doorbell());
  CHECK(scene.scu.status(SCFW_IRQ_GROUP_REBOOTED) == kBit);
  CHECK(scene.control.does("notify cm40 reboot"));
  CHECK(scene.control.does("notify cm40 reboot"));
  REQUIRE(scene.scu.wait_doorbell());
  CHECK(scene.scu.status(SCFW_IRQ_GROUP_REBOOT) == kBit);
  CHECK(scene.scu.status(SCFW_IRQ_GROUP_REBOOT) == 0);
  CHECK(scene.control.number("deaths") == 0);
}

TEST_CASE("the start delay of a core can be changed while it lives") {
  Scene scene({"--reboot-timeout-ms", "0"});
  CHECK(scene.control.does("start-delay cm40 " + kNever));
  CHECK(scene.control.does("kill cm40"));
  CHECK(scene.soc.wait_event("cm40 rebooted"));
  CHECK(scene.control.wait_status("\"state\":\"off\""));
  CHECK(scene.control.does("hold cm40"));
  CHECK(scene.control.does("release cm40")); // starts at once
  CHECK(scene.soc.wait_event("cm40 firmware attached"));
}

TEST_CASE(
    "firmware that others start is told of alike, and waits to attach until the reset is over") {
  SocProcess soc({"--reboot-timeout-ms", kNever});
  ScuClient scu(soc.socket());
  SocControl control(soc.socket());
  REQUIRE(scu.ready());
  scu.enable(SCFW_IRQ_GROUP_REBOOT, kBit);
  scu.enable(SCFW_IRQ_GROUP_REBOOTED, kBit);
  Process first = soc.start_firmware();
  CHECK(!scu.doorbell());
  CHECK(control.does("reset cm40 " + kNever));
  REQUIRE(scu.wait_doorbell());
  first.kill();
  Process second({program_path("rpmsg-firmware"), "--socket", soc.socket()});
  CHECK(control.wait_status("\"firmware\":null"));
  CHECK(contains(control.ask("status"), "\"state\":\"rebooting\""));
  CHECK(scu.call_code({pm(2, SCFW_PM_REBOOT_CONTINUE), 2}) == SCFW_ERR_NONE);
  CHECK(soc.wait_event("cm40 rebooted partition 2"));
  CHECK(soc.wait_event("cm40 firmware attached pid " + std::to_string(second.pid())));
  CHECK(control.does("kill cm40")); // what others started can be killed from here, too
  CHECK(second.wait() != -1);
}

TEST_CASE("a program that ends before it attached resets no partition and is started ever later") {
  SocProcess soc({"--firmware", "cm40=false"});
  SocControl control(soc.socket());
  for (int i = 0; i < 3; i++)
    CHECK(soc.wait_event("cm40 firmware ended"));
  CHECK(contains(control.ask("status"), "\"reboot\":{\"enabled\":0,\"pending\":0}"));
  CHECK(contains(control.ask("status"), "\"rebooted\":{\"enabled\":0,\"pending\":0}"));
}

TEST_CASE("the death of a program takes along what it started") {
  const std::string program = program_path("rpmsg-firmware");
  SocProcess soc({"--firmware", "cm40=sh -c '" + program + " & wait'"});
  const pid_t first = soc.wait_started("cm40");
  REQUIRE(soc.wait_event("cm40 firmware attached"));
  ::kill(first, SIGKILL);
  CHECK(soc.wait_event("cm40 firmware gone"));
  CHECK(soc.wait_event("cm40 rebooted"));
  CHECK(soc.wait_event("cm40 firmware attached"));
}

TEST_CASE("a program that hung up and lives on is ended before REBOOTED is told") {
  const std::string program = program_path("rpmsg-firmware");
  SocProcess soc({"--firmware", "cm40=sh -c '" + program + " & while :; do sleep 60; done'"});
  SocControl control(soc.socket());
  const pid_t shell = soc.wait_started("cm40");
  REQUIRE(soc.wait_event("cm40 firmware attached"));
  ::kill(static_cast<pid_t>(control.number("firmware")), SIGKILL);
  CHECK(soc.wait_event("cm40 firmware gone"));
  CHECK(soc.wait_event("cm40 firmware ended pid " + std::to_string(shell)));
  CHECK(soc.wait_event("cm40 rebooted"));
  CHECK(soc.wait_event("cm40 firmware attached"));
}

TEST_CASE("a hundred resets without a delay all come back") {
  Scene scene({"--start-delay-ms", "0"});
  for (int i = 1; i <= 100; i++) {
    CAPTURE(i);
    REQUIRE(scene.control.does("reset cm40"));
    REQUIRE(scene.scu.wait_doorbell());
    while (scene.scu.status(SCFW_IRQ_GROUP_REBOOT) == 0)
      REQUIRE(scene.scu.wait_doorbell());
    REQUIRE(scene.go_on() == SCFW_ERR_NONE);
    REQUIRE(scene.soc.wait_event("cm40 rebooted"));
    REQUIRE(scene.soc.wait_event("cm40 firmware attached"));
  }
  CHECK(scene.control.number("lives") == 101);
}
