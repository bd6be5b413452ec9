// SPDX-License-Identifier: Apache-2.0
// The simulated SCFW as a process: its attach, each call, each error, and a client that misbehaves.
#include <doctest/doctest.h>

#include <cstring>

#include "scu/scfw_api.h"
#include "support/scu_client.h"
#include "support/soc_process.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

constexpr uint32_t kHost = 1, kCm40 = 2, kCm41 = 3;

uint32_t head(uint32_t size, uint32_t service, uint32_t function) {
  return SCFW_WORD0(size, service, function);
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("an SCU client gets a MU of its own and no window of memory") {
  SocProcess soc;
  ScuClient scu(soc.socket());
  REQUIRE(scu.ready());
  CHECK(scu.reply().mu_generation == RPMSG_SIM_MU_V1);
  CHECK(scu.reply().side == 0);
  CHECK(scu.reply().max_vdevs == 0);
  CHECK(scu.reply().word_mask == 0);
  CHECK(scu.reply().segment_count == 0);
  CHECK(std::string(scu.reply().soc) == "imx8qxp");
  CHECK(soc.wait_event("scu client attached pid "));
}

TEST_CASE("an SCU client is refused on a SoC without SCFW, twice, and under another name") {
  UniqueFd socket;
  std::vector<UniqueFd> fds;
  {
    SocProcess soc({"--soc", "imx8mm"});
    const rpmsg_sim_reply reply = say_hello(soc.socket(), RPMSG_SIM_ROLE_SCU, "scu", socket, fds);
    CHECK(reply.status == RPMSG_SIM_UNKNOWN_CORE);
    CHECK(contains(reply.reason, "imx8mm has no SCFW"));
  }
  SocProcess soc;
  ScuClient first(soc.socket());
  REQUIRE(first.ready());
  rpmsg_sim_reply reply = say_hello(soc.socket(), RPMSG_SIM_ROLE_SCU, "scu", socket, fds);
  CHECK(reply.status == RPMSG_SIM_BUSY);
  CHECK(contains(reply.reason, std::to_string(::getpid())));
  reply = say_hello(soc.socket(), RPMSG_SIM_ROLE_SCU, "cm40", socket, fds);
  CHECK(reply.status == RPMSG_SIM_UNKNOWN_CORE);
  CHECK(contains(reply.reason, "\"cm40\""));
  reply = say_hello(soc.socket(), RPMSG_SIM_ROLE_HOST, "scu", socket, fds);
  CHECK(reply.status == RPMSG_SIM_UNKNOWN_CORE);
  reply = say_hello(soc.socket(), 4, "scu", socket, fds);
  CHECK(reply.status == RPMSG_SIM_BAD_HELLO);
}

TEST_CASE("the resource manager says who owns what") {
  SocProcess soc({"--soc", "imx8qm"});
  ScuClient scu(soc.socket());
  REQUIRE(scu.ready());
  CHECK(scu.call({head(1, SCFW_SVC_RM, SCFW_RM_GET_PARTITION)}) ==
        Words{head(2, SCFW_SVC_RETURN, SCFW_ERR_NONE), kHost});
  const auto owner = [&scu](uint32_t resource) {
    return scu.call({head(2, SCFW_SVC_RM, SCFW_RM_GET_RESOURCE_OWNER), resource});
  };
  CHECK(owner(SCFW_R_M4_0_PID0) == Words{head(2, SCFW_SVC_RETURN, 0), kCm40});
  CHECK(owner(SCFW_R_M4_1_PID0) == Words{head(2, SCFW_SVC_RETURN, 0), kCm41});
  CHECK(owner(SCFW_R_MU_1A) == Words{head(2, SCFW_SVC_RETURN, 0), kHost});
  CHECK(owner(9999) == Words{head(1, SCFW_SVC_RETURN, SCFW_ERR_PARM)});
  const auto owned = [&scu](uint32_t resource) {
    return scu.call_code({head(2, SCFW_SVC_RM, SCFW_RM_IS_RESOURCE_OWNED), resource});
  };
  CHECK(owned(SCFW_R_MU_1A) == 1);
  CHECK(owned(SCFW_R_M4_0_PID0) == 0);
}

TEST_CASE("partitions have the numbers that the options give them") {
  SocProcess soc({"--partition", "cm40=7", "--partition", "host=5"});
  ScuClient scu(soc.socket());
  REQUIRE(scu.ready());
  CHECK(scu.call({head(1, SCFW_SVC_RM, SCFW_RM_GET_PARTITION)})[1] == 5);
  CHECK(scu.call({head(2, SCFW_SVC_RM, SCFW_RM_GET_RESOURCE_OWNER), SCFW_R_M4_0_PID0})[1] == 7);
}

TEST_CASE("the power manager answers what it can and refuses what the host may not do") {
  SocProcess soc;
  ScuClient scu(soc.socket());
  REQUIRE(scu.ready());
  const auto pm = [&scu](uint32_t function, uint32_t argument) {
    return scu.call_code({head(2, SCFW_SVC_PM, function), argument});
  };
  CHECK(pm(SCFW_PM_IS_PARTITION_STARTED, kHost) == 1);
  CHECK(pm(SCFW_PM_IS_PARTITION_STARTED, kCm40) == 0);
  CHECK(pm(SCFW_PM_IS_PARTITION_STARTED, 31) == 0);
  Process firmware = soc.start_firmware();
  CHECK(pm(SCFW_PM_IS_PARTITION_STARTED, kCm40) == 1);
  CHECK(scu.call({head(1, SCFW_SVC_PM, SCFW_PM_RESET_REASON)})[1] == SCFW_RESET_POR);
  CHECK(pm(SCFW_PM_REBOOT_PARTITION, kCm40) == SCFW_ERR_NOACCESS);
  CHECK(pm(SCFW_PM_REBOOT_PARTITION, kCm40 | 1 << 8) == SCFW_ERR_PARM);
  CHECK(pm(SCFW_PM_REBOOT_PARTITION, 20) == SCFW_ERR_NOTFOUND);
  CHECK(pm(SCFW_PM_REBOOT_CONTINUE, kCm40) == SCFW_ERR_NOTFOUND);
  CHECK(pm(SCFW_PM_REBOOT_CONTINUE, 32) == SCFW_ERR_PARM);
}

TEST_CASE("a wrong version, size, service or function is an error and the next call is served") {
  SocProcess soc;
  ScuClient scu(soc.socket());
  REQUIRE(scu.ready());
  const uint32_t get_partition = head(1, SCFW_SVC_RM, SCFW_RM_GET_PARTITION);
  CHECK(scu.call_code({get_partition + 1}) == SCFW_ERR_VERSION);
  CHECK(scu.call_code({head(2, SCFW_SVC_RM, SCFW_RM_GET_PARTITION), 0}) == SCFW_ERR_IPC);
  CHECK(scu.call_code({head(1, SCFW_SVC_RM, 200)}) == SCFW_ERR_NOTFOUND);
  CHECK(scu.call_code({head(1, SCFW_SVC_TIMER, 1)}) == SCFW_ERR_NOTFOUND);
  CHECK(scu.call_code({head(8, 99, 1), 1, 2, 3, 4, 5, 6, 7}) == SCFW_ERR_NOTFOUND);
  CHECK(scu.call({get_partition})[1] == kHost);
}

TEST_CASE("a request of an impossible size is answered once, and then only a reset helps") {
  SocProcess soc;
  ScuClient scu(soc.socket());
  REQUIRE(scu.ready());
  const Words good = {head(1, SCFW_SVC_RM, SCFW_RM_GET_PARTITION)};
  for (uint32_t size : {0u, 9u, 255u}) {
    CAPTURE(size);
    CHECK(scu.call_code({head(size, SCFW_SVC_RM, SCFW_RM_GET_PARTITION)}) == SCFW_ERR_IPC);
    CHECK(scu.call(good, 20).empty());
    REQUIRE(scu.reset_rpc());
    CHECK(scu.call(good).size() == 2);
  }
}

TEST_CASE("a reset forgets half a request and an answer that nobody took") {
  SocProcess soc;
  ScuClient scu(soc.socket());
  REQUIRE(scu.ready());
  const Words good = {head(1, SCFW_SVC_RM, SCFW_RM_GET_PARTITION)};
  REQUIRE(scu.send(0, head(8, SCFW_SVC_RM, SCFW_RM_GET_PARTITION)));
  REQUIRE(scu.send(1, 1));
  REQUIRE(scu.reset_rpc());
  CHECK(scu.call(good)[1] == kHost);
  REQUIRE(scu.send(0, good[0])); // its answer stays where it is
  REQUIRE(scu.receive(1));       // word 1 has come, so word 0 has
  REQUIRE(scu.reset_rpc());
  CHECK(scu.call(good)[1] == kHost);
}

TEST_CASE("words that are no message do not stop the simulator, and a reset brings order") {
  SocProcess soc;
  ScuClient scu(soc.socket());
  REQUIRE(scu.ready());
  uint32_t random = 1;
  for (int round = 0; round < 2000; round++) {
    random = random * 1664525 + 1013904223;
    scu.poke(random >> 30, random, random >> 7 & 3);
    if (round % 100 == 0) REQUIRE(scu.reset_rpc());
  }
  REQUIRE(scu.reset_rpc());
  REQUIRE(scu.reset_rpc()); // words that were written behind the first one's back are gone, too
  CHECK(scu.call({head(1, SCFW_SVC_RM, SCFW_RM_GET_PARTITION)}).size() == 2);
  Process firmware = soc.start_firmware();
  CHECK(firmware.pid() > 0);
}

TEST_CASE("a client that dies in the middle of a call leaves enables and bits for the next one") {
  SocProcess soc;
  {
    ScuClient first(soc.socket());
    REQUIRE(first.ready());
    CHECK(first.enable(SCFW_IRQ_GROUP_REBOOTED, 1u << kCm40) == SCFW_ERR_NONE);
    REQUIRE(first.send(0, head(3, SCFW_SVC_IRQ, SCFW_IRQ_ENABLE)));
  }
  REQUIRE(soc.wait_event("scu client gone"));
  soc.start_firmware().kill();
  REQUIRE(soc.wait_event("cm40 rebooted partition 2"));
  ScuClient second(soc.socket());
  REQUIRE(second.ready());
  CHECK(second.wait_doorbell());
  REQUIRE(second.reset_rpc());
  CHECK(second.status(SCFW_IRQ_GROUP_REBOOTED) == 1u << kCm40);
}

TEST_CASE(
    "an interrupt is told to those who enabled it, and status takes all bits, masked or not") {
  SocProcess soc({"--soc", "imx8qm", "--start-delay-ms", "0"});
  ScuClient scu(soc.socket());
  REQUIRE(scu.ready());
  CHECK(scu.enable(SCFW_IRQ_GROUP_REBOOTED, 1u << kCm40) == SCFW_ERR_NONE);
  soc.start_firmware({}, "cm41").kill();
  REQUIRE(soc.wait_event("cm41 rebooted partition 3"));
  CHECK(scu.status(SCFW_IRQ_GROUP_REBOOTED) == 1u << kCm41); // also a round trip after the event
  CHECK(!scu.doorbell());
  soc.start_firmware({}, "cm41").kill();
  soc.start_firmware().kill();
  CHECK(scu.wait_doorbell());
  REQUIRE(soc.wait_event("cm40 rebooted partition 2"));
  CHECK(scu.status(SCFW_IRQ_GROUP_REBOOTED) == (1u << kCm40 | 1u << kCm41));
  CHECK(scu.status(SCFW_IRQ_GROUP_REBOOTED) == 0);
  CHECK(scu.status(SCFW_IRQ_GROUP_REBOOT) == (1u << kCm40 | 1u << kCm41));
}

TEST_CASE("enabling what is pending rings at once, and disabling keeps it quiet") {
  SocProcess soc;
  ScuClient scu(soc.socket());
  REQUIRE(scu.ready());
  CHECK(scu.enable(SCFW_IRQ_GROUP_REBOOT, 1u << kCm40) == SCFW_ERR_NONE);
  CHECK(scu.enable(SCFW_IRQ_GROUP_REBOOT, 1u << kCm40, false) == SCFW_ERR_NONE);
  soc.start_firmware().kill();
  REQUIRE(soc.wait_event("cm40 rebooted partition 2"));
  CHECK(scu.enable(SCFW_IRQ_GROUP_REBOOT, 1u << kCm41) == SCFW_ERR_NONE);
  CHECK(!scu.doorbell());
  CHECK(scu.enable(SCFW_IRQ_GROUP_REBOOT, 1u << kCm40) == SCFW_ERR_NONE);
  CHECK(scu.wait_doorbell());
}

TEST_CASE("interrupt calls for another MU or group are wrong") {
  SocProcess soc;
  ScuClient scu(soc.socket());
  REQUIRE(scu.ready());
  CHECK(scu.enable(SCFW_IRQ_GROUPS, 1) == SCFW_ERR_PARM);
  CHECK(scu.status(SCFW_IRQ_GROUPS) == ~0u);
  CHECK(scu.call_code({head(2, SCFW_SVC_IRQ, SCFW_IRQ_STATUS), SCFW_R_MU_0A}) == SCFW_ERR_PARM);
  CHECK(scu.call_code({head(3, SCFW_SVC_IRQ, SCFW_IRQ_ENABLE), 1, SCFW_R_MU_2A}) == SCFW_ERR_PARM);
}
