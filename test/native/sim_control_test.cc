// SPDX-License-Identifier: Apache-2.0
// The control socket of rpmsg-soc: who may use it, what it answers, and clients that misbehave.
#include <doctest/doctest.h>

#include <csignal>
#include <sys/stat.h>

#include <vector>

#include "scu/scfw_api.h"
#include "support/scu_client.h"
#include "support/soc_control.h"
#include "support/soc_process.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const Words kGetPartition = {
    SCFW_WORD0(1u, uint32_t{SCFW_SVC_RM}, uint32_t{SCFW_RM_GET_PARTITION})};

} // namespace

TEST_CASE("the control socket is its owner's alone and goes with the board") {
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/other.control";
  struct stat file = {};
  {
    SocProcess soc({"--control", path});
    REQUIRE(::stat(path.c_str(), &file) == 0);
    CHECK((file.st_mode & 0777) == 0600);
    CHECK(!SocControl(soc.socket()).ready()); // not at the default's place
    SocControl control(path, 0);
    CHECK(contains(control.ask("status"), "\"ok\":true"));
    soc.process().signal(SIGTERM);
    REQUIRE(soc.process().wait() == 0);
  }
  CHECK(::stat(path.c_str(), &file) != 0);
  SocProcess without({"--control", "none"});
  CHECK(without.ready());
  CHECK(!SocControl(without.socket()).ready());
}

TEST_CASE("status tells of the board, its cores, SCFW and who is attached") {
  SocProcess soc({"--soc", "imx8qm"});
  SocControl control(soc.socket());
  const std::string fresh = control.ask("status");
  CHECK(contains(fresh, "\"soc\":\"imx8qm\""));
  CHECK(contains(fresh, "\"name\":\"cm41\",\"state\":\"off\",\"host\":null,\"firmware\":null"));
  CHECK(contains(fresh, "\"partition\":3"));
  CHECK(contains(fresh, "\"scfw\":{\"client\":null,\"host_partition\":1"));
  Process firmware = soc.start_firmware();
  ScuClient scu(soc.socket());
  REQUIRE(scu.ready());
  scu.enable(SCFW_IRQ_GROUP_REBOOT, 4);
  const std::string later = control.ask("status");
  CHECK(contains(later, "\"firmware\":" + std::to_string(firmware.pid())));
  CHECK(contains(later, "\"state\":\"running\""));
  CHECK(contains(later, "\"client\":" + std::to_string(::getpid())));
  CHECK(contains(later, "\"reboot\":{\"enabled\":4,\"pending\":0}"));
  CHECK(control.number("calls") == 1);
}

TEST_CASE("a board without SCFW says so, and its cores can be reset all the same") {
  SocProcess soc({"--soc", "imx8mm", "--firmware", "m4=" + program_path("rpmsg-firmware")});
  SocControl control(soc.socket());
  REQUIRE(soc.wait_event("m4 firmware attached"));
  CHECK(contains(control.ask("status"), "\"scfw\":null"));
  CHECK(contains(control.ask("scu-delay 5"), "imx8mm has no SCFW"));
  CHECK(contains(control.ask("notify m4 reboot"), "no SCFW"));
  CHECK(control.does("reset m4 0"));
  CHECK(soc.wait_event("m4 firmware ended"));
  CHECK(soc.wait_event("m4 firmware attached"));
}

TEST_CASE("a request that cannot be carried out says what is wrong and what would be right") {
  SocProcess soc;
  SocControl control(soc.socket());
  const auto error = [&control](const std::string& request, const std::string& part) {
    const std::string answer = control.ask(request);
    CAPTURE(request);
    CAPTURE(answer);
    CHECK(answer.rfind("{\"ok\":false,\"error\":\"", 0) == 0);
    CHECK(contains(answer, part));
  };
  error("", "a request is a line with a verb; there are: status, reset");
  error("explode", "there is no verb \\\"explode\\\"; there are: status, reset");
  error("status cm40", "status takes no argument");
  error("reset", "the request must be: reset CORE [GRACE_MS]");
  error("reset cm40 1 2", "the request must be: reset CORE [GRACE_MS]");
  error("reset cm41", "there is no core \\\"cm41\\\" on this imx8qxp; it has: cm40");
  error("reset cm40", "core cm40 has no running firmware: it is off");
  error("kill cm40", "core cm40 has no running firmware: it is off");
  error("lockup cm40", "core cm40 has no running firmware: it is off");
  error("silent-restart cm40", "core cm40 has no running firmware: it is off");
  error("notify cm40 now", "\\\"now\\\" must be reboot or rebooted");
  error("start-delay cm40 soon", "\\\"soon\\\" must be a number from 0 to 999999");
  error("scu-delay -1", "\\\"-1\\\" must be a number from 0 to 999999");
  error("scu-drop 1000000", "must be a number from 0 to 999999");
  error(std::string("re\x01\xff\"set"), "there is no verb \\\"re\\u0001?\\\"set\\\"");
  Process firmware = soc.start_firmware();
  error("reset cm40 soon", "\\\"soon\\\" must be a number from 0 to 999999");
  error("lockup cm40 x", "\\\"x\\\" must be a number from 0 to 999999");
}

TEST_CASE("answers of SCFW come late or not at all when told so") {
  SocProcess soc;
  SocControl control(soc.socket());
  ScuClient scu(soc.socket());
  REQUIRE(scu.ready());
  CHECK(control.does("scu-drop 2"));
  CHECK(scu.call(kGetPartition, 20).empty());
  CHECK(scu.call(kGetPartition, 20).empty());
  CHECK(scu.call(kGetPartition).size() == 2);
  CHECK(control.number("drop") == 0);
  CHECK(control.does("scu-delay 60000"));
  CHECK(scu.call(kGetPartition, 20).empty());
  CHECK(control.number("delay_ms") == 60000);
  CHECK(control.does("scu-delay 1"));
  REQUIRE(scu.reset_rpc()); // the answer that was held back is forgotten
  CHECK(scu.call(kGetPartition).size() == 2);
}

TEST_CASE("several requests at once are answered in order, and the last line needs no end") {
  SocProcess soc;
  SocControl control(soc.socket());
  control.write("hold cm40\nexplode\nrelease cm40");
  control.end_of_requests();
  CHECK(control.read_line() == "{\"ok\":true}");
  CHECK(contains(control.read_line(), "explode"));
  CHECK(control.read_line() == "{\"ok\":true}");
  CHECK(control.read_line() == "");
}

TEST_CASE("clients that send junk, hang or do not read delay nobody") {
  SocProcess soc;
  SocControl junk(soc.socket()), deaf(soc.socket());
  std::vector<SocControl> silent;
  for (int i = 0; i < 12; i++)
    silent.emplace_back(soc.socket());
  junk.write(std::string(100000, 'x'));
  CHECK(contains(junk.read_line(), "a request has at most 1024 bytes"));
  CHECK(junk.read_line() == "");
  for (int i = 0; i < 400; i++) // never reads: its socket fills and it is dropped
    deaf.write("status\nstatus\nstatus\nstatus\nstatus\nstatus\nstatus\nstatus\n");
  SocControl control(soc.socket());
  CHECK(contains(control.ask("status"), "\"ok\":true"));
  for (int i = 0; i < 20; i++)
    silent.emplace_back(soc.socket()); // more than there is room for: the oldest go
  CHECK(silent.front().read_line() == "");
  CHECK(contains(silent.back().ask("status"), "\"ok\":true"));
  Process firmware = soc.start_firmware();
  CHECK(firmware.pid() > 0);
}
