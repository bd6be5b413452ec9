// SPDX-License-Identifier: Apache-2.0
// What the host asks of SCFW: partitions learned, resets noticed, and nothing of other partitions.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "scu/scu.h"
#include "support/fake_scfw.h"

using namespace rpmsg;
using namespace rpmsg::test;

namespace {

constexpr uint32_t kRebooted = SCFW_IRQ_GROUP_REBOOTED;
constexpr uint32_t kReboot = SCFW_IRQ_GROUP_REBOOT;

struct Host final : ScuListener {
  FakeScfw scfw;
  Mu mu{scfw.mu, MuGeneration::v1};
  Scu scu{mu, SCFW_R_MU_1A, *this};
  std::vector<ScuStatus> read;
  std::vector<uint8_t> owners;
  std::vector<ScuAnswer::Kind> owner_answers;
  std::vector<bool> watched;
  std::vector<uint32_t> reasons;
  uint32_t begins = 0;
  std::function<void()> at_begin;
  uint64_t now = 1'000'000'000;

  Host() {
    scu.start();
    run();
  }
  void on_status_begins(bool) override {
    ++begins;
    if (at_begin) at_begin();
  }
  void on_status(const ScuStatus& status, uint64_t) override { read.push_back(status); }
  void on_owner(uint16_t, const ScuAnswer& answer, uint64_t) override {
    owner_answers.push_back(answer.kind);
    if (answer.ok()) owners.push_back(static_cast<uint8_t>(answer.results[0]));
  }
  void on_reset_reason(const ScuAnswer& answer, uint64_t) override {
    CHECK(answer.ok());
    reasons.push_back(answer.results[0] & 0xFF);
  }
  void on_watched(bool is_enabled, uint64_t) override { watched.push_back(is_enabled); }

  void run() {
    do {
      scu.on_interrupt(now);
    } while (scfw.serve() || scfw.mu.line());
  }
  void pass(uint64_t ns) {
    const uint64_t end = now + ns;
    while (scu.next_deadline() <= end) {
      now = std::max(now, scu.next_deadline());
      scu.on_timer(now);
      run();
    }
    now = end;
    run();
  }
};

} // namespace

TEST_CASE("the partition of a core is that of its program's resource") {
  Host host;
  host.scfw.owner = 5;
  host.scu.find_owner(SCFW_R_M4_0_PID0, host.now);
  host.run();
  CHECK(host.owners == std::vector<uint8_t>{5});
  CHECK(host.scfw.requests.back() == FakeScfw::Words{0x21'03'02'01, 278});
}

TEST_CASE("SCFW tells the reason of its last reset") {
  Host host;
  host.scu.find_reset_reason(host.now);
  host.run();
  CHECK(host.reasons == std::vector<uint32_t>{SCFW_RESET_LOCKUP});
  CHECK(host.scfw.requests.back() == FakeScfw::Words{0x0A'02'01'01});
}

TEST_CASE("only the partitions asked for are enabled, in REBOOTED and REBOOT and no other group") {
  Host host;
  host.scu.watch(1u << 3, host.now);
  host.run();
  host.scu.watch(1u << 5, host.now);
  host.run();
  CHECK(host.watched == std::vector<bool>{true, true});
  for (uint32_t group = 0; group < SCFW_IRQ_GROUPS; ++group) {
    const bool is_ours = group == kRebooted || group == kReboot;
    CHECK(host.scfw.enabled[group] == (is_ours ? 1u << 3 | 1u << 5 : 0u));
  }
  // resource 214, group 5, on
  CHECK(host.scfw.requests.front() == FakeScfw::Words{0x01'08'03'01, 8, 0x01'05'00'D6});
}

TEST_CASE("a reset is read from both groups, REBOOTED first, after a doorbell") {
  Host host;
  host.scu.watch(1u << 3, host.now);
  host.run();
  host.scfw.raise(kReboot, 3);
  host.run();
  REQUIRE(host.read.size() == 1);
  CHECK(host.read[0].is_complete);
  CHECK(host.read[0].reboot == 8);
  CHECK(host.read[0].rebooted == 0);
  host.scfw.raise(kRebooted, 3);
  host.run();
  REQUIRE(host.read.size() == 2);
  CHECK(host.read[1].rebooted == 8);
  CHECK(host.read[1].reboot == 0);
  CHECK(host.scfw.requests[host.scfw.requests.size() - 2][1] == (214u | 5u << 16));
  CHECK(host.scfw.requests.back()[1] == (214u | 6u << 16));
  CHECK_FALSE(host.scfw.mu.line());
}

TEST_CASE("a spurious doorbell and a status register that is already zero tell of no reset") {
  Host host;
  host.scfw.mu.remote_ring(SCFW_DOORBELL_SVC);
  host.run();
  REQUIRE(host.read.size() == 1);
  CHECK(host.read[0].is_complete);
  CHECK((host.read[0].rebooted | host.read[0].reboot) == 0);
  // Doorbells of other kinds ask for nothing.
  host.scfw.mu.remote_ring(SCFW_DOORBELL_WAKE);
  host.scu.on_interrupt(host.now);
  CHECK(host.read.size() == 1);
}

TEST_CASE("what is raised before it is enabled rings at once, and is read") {
  Host host;
  host.scfw.raise(kRebooted, 3);
  CHECK(host.read.empty());
  host.scu.watch(1u << 3, host.now);
  host.run();
  REQUIRE(host.read.size() == 1);
  CHECK(host.read[0].rebooted == 8);
}

TEST_CASE("bits of partitions that nobody enabled come along as SCFW has them") {
  Host host;
  host.scu.watch(1u << 3, host.now);
  host.run();
  host.scfw.raise(kRebooted, 7); // foreign: rings nobody
  host.run();
  CHECK(host.read.empty());
  host.scfw.raise(kReboot, 3);
  host.run();
  REQUIRE(host.read.size() == 1);
  CHECK(host.read[0].rebooted == 1u << 7);
  CHECK(host.read[0].reboot == 8);
}

TEST_CASE("the listener stores that a reset may have happened before SCFW can forget it") {
  Host host;
  host.scu.watch(1u << 3, host.now);
  host.run();
  size_t asked = 0;
  host.at_begin = [&] {
    asked = host.scfw.requests.size();
    CHECK(host.scfw.mu.remote_receive(0) == std::nullopt);
    CHECK(host.scfw.status[kRebooted] == 8);
  };
  host.scfw.raise(kRebooted, 3);
  host.run();
  CHECK(host.begins == 1);
  CHECK(host.scfw.requests.size() == asked + 2);
}

TEST_CASE("a reading that is asked for while one is under way is another one, after it") {
  Host host;
  const uint64_t first = host.scu.read_status(host.now);
  const uint64_t second = host.scu.read_status(host.now);
  CHECK(second == first + 1);
  CHECK(host.scu.read_status(host.now) == second); // has not begun: the same will do
  host.run();
  REQUIRE(host.read.size() == 2);
  CHECK(host.read[0].pass == first);
  CHECK(host.read[1].pass == second);
}

TEST_CASE("a reset that is raised during a reading is found by the next one") {
  Host host;
  host.scu.watch(1u << 3, host.now);
  host.run();
  bool is_raised = false;
  host.scfw.answer = [&](const FakeScfw::Words& request) {
    auto answer = host.scfw.right_answer(request);
    if (!is_raised && request[1] == (214u | 5u << 16)) {
      is_raised = true;
      host.scfw.raise(kReboot, 3);
      host.scfw.raise(kRebooted, 3);
    }
    return answer;
  };
  host.scu.read_status(host.now);
  host.run();
  REQUIRE(host.read.size() == 2);
  CHECK(host.read[0].rebooted == 0);
  CHECK(host.read[0].reboot == 8);
  CHECK(host.read[1].rebooted == 8); // never a REBOOT after its REBOOTED
  CHECK(host.read[1].reboot == 0);
}

TEST_CASE("a reading that SCFW does not answer ends incomplete after 30 ms and is tried again, at "
          "once, then ever more slowly") {
  Host host;
  host.scfw.is_silent = true;
  const uint64_t asked = host.now;
  host.scu.read_status(host.now);
  host.pass(ScuRpc::kTimeoutNs - 1);
  CHECK(host.read.empty());
  host.pass(1);
  REQUIRE(host.read.size() == 1);
  CHECK_FALSE(host.read[0].is_complete);
  host.pass(2 * ScuRpc::kTimeoutNs);
  CHECK(host.read.size() == 3);
  host.pass(100'000 * kNsPerMs);
  const size_t tries = host.read.size();
  CHECK(tries < 20);
  host.pass(100'000 * kNsPerMs);
  CHECK(host.read.size() <= tries + 10);
  // Once SCFW is back it is asked, and what it tells is as old as the first question.
  host.scfw.is_silent = false;
  host.scfw.serve();
  host.scfw.raise(kRebooted, 3);
  host.pass(20'000 * kNsPerMs);
  CHECK(host.read.back().is_complete);
  CHECK(host.read.back().rebooted == 8);
  CHECK(host.read.back().since_ns == asked);
  CHECK(host.scu.next_deadline() == kNever);
  host.scu.read_status(host.now);
  host.run();
  CHECK(host.read.back().since_ns == host.now);
}

TEST_CASE("an SCFW that does not answer at first is asked until it does") {
  Host host;
  host.scfw.is_silent = true;
  host.scu.find_owner(SCFW_R_M4_0_PID0, host.now);
  host.scu.find_owner(SCFW_R_M4_1_PID0, host.now);
  host.scu.watch(8, host.now);
  host.pass(5'000 * kNsPerMs);
  CHECK(host.owner_answers.empty());
  CHECK(host.watched.empty());
  host.scfw.is_silent = false;
  host.scfw.serve();
  host.pass(20'000 * kNsPerMs);
  CHECK(host.owners.size() == 2);
  CHECK(host.watched == std::vector<bool>{true});
  CHECK(host.scfw.enabled[kRebooted] == 8);
  CHECK(host.scfw.enabled[kReboot] == 8);
  CHECK(host.scu.next_deadline() == kNever);
}

TEST_CASE("a status that was only late is found by the reading that follows") {
  Host host;
  host.scu.watch(1u << 3, host.now);
  host.run();
  host.scfw.is_silent = true; // takes the request, forgets nothing
  host.scfw.raise(kRebooted, 3);
  host.run();
  host.scfw.is_silent = false;
  host.pass(ScuRpc::kTimeoutNs);
  REQUIRE(host.read.size() == 2);
  CHECK_FALSE(host.read[0].is_complete);
  CHECK(host.read[1].is_complete);
  CHECK(host.read[1].rebooted == 8);
}

TEST_CASE("a refused call is told once and not tried again") {
  Host host;
  host.scfw.answer = [](const FakeScfw::Words&) {
    return FakeScfw::Words{1u | 1u << 8 | 1u << 16 | uint32_t{SCFW_ERR_NOACCESS} << 24};
  };
  host.scu.find_owner(SCFW_R_M4_0_PID0, host.now);
  host.scu.watch(8, host.now);
  host.scu.read_status(host.now);
  host.scu.reboot_continue(3, host.now); // whatever SCFW says to it
  host.run();
  CHECK(host.owner_answers == std::vector<ScuAnswer::Kind>{ScuAnswer::Kind::refused});
  CHECK(host.watched == std::vector<bool>{false});
  REQUIRE(host.read.size() == 1);
  CHECK_FALSE(host.read[0].is_complete);
  CHECK(host.scfw.requests.size() == 4);
  CHECK(host.scfw.requests.back() == FakeScfw::Words{0x19'02'02'01, 3});
}

TEST_CASE("no call waits for SCFW, and an idle one needs no timer") {
  Host host;
  CHECK(host.scu.next_deadline() == kNever);
  const unsigned before = host.scfw.mu.counts.reads;
  host.scu.read_status(host.now);
  host.scu.find_owner(SCFW_R_M4_0_PID0, host.now);
  host.scu.watch(8, host.now);
  for (int i = 0; i < 10; ++i)
    host.scu.on_interrupt(host.now);
  CHECK(host.scfw.mu.counts.reads - before < 200); // bounded: it looks and goes
  CHECK(host.scu.next_deadline() == host.now + ScuRpc::kTimeoutNs);
  host.run();
  CHECK(host.scu.next_deadline() == kNever);
}
