// SPDX-License-Identifier: Apache-2.0
// SCFW's REBOOTED and the remote's ready evidence, seen in any order, are one reset.
#include <doctest/doctest.h>

#include <cstdint>

#include "link/reset_judge.h"

using namespace rpmsg;

namespace {

struct Scfw final : ResetNotices {
  uint64_t begun = 0;
  uint32_t asked = 0;
  uint64_t read_status(uint64_t) override {
    ++asked;
    return begun + 1;
  }
  void reboot_continue(uint8_t, uint64_t) override {}
};

struct Fixture {
  Scfw scfw;
  ResetJudge judge;
  uint64_t now = 1'000'000'000;
  Fixture() { judge.set_notices(&scfw); }
  ResetStatus status(uint64_t pass, bool rebooted, bool reboot = false, bool is_complete = true) {
    return {pass, rebooted, reboot, is_complete, now};
  }
  ResetStatus asked_at(uint64_t since_ns, uint64_t pass) {
    return {pass, true, false, true, since_ns};
  }
};

} // namespace

TEST_CASE("with nobody to ask, evidence is acted on at once") {
  ResetJudge judge;
  CHECK_FALSE(judge.check(5));
  CHECK(judge.on_evidence(Evidence::rxdb, 5));
  CHECK_FALSE(judge.is_waiting());
  CHECK(judge.next_deadline() == kNever);
}

TEST_CASE_FIXTURE(Fixture, "ready evidence first completes a reading, and a REBOOTED in it is one "
                           "reset with it") {
  CHECK_FALSE(judge.on_evidence(Evidence::rxdb, now));
  CHECK(scfw.asked == 1);
  CHECK(judge.is_waiting());
  const auto verdict = judge.on_status(status(1, true, true), now);
  CHECK(verdict.rebooted);
  CHECK(verdict.ready == Evidence::rxdb);
  CHECK_FALSE(judge.is_waiting());
  // And only one that is read later counts again.
  CHECK(judge.on_status(status(2, true), now).rebooted);
}

TEST_CASE_FIXTURE(Fixture, "evidence without a REBOOTED is acted on once SCFW has answered") {
  judge.on_evidence(Evidence::flag, now);
  const auto verdict = judge.on_status(status(1, false), now);
  CHECK_FALSE(verdict.rebooted);
  CHECK(verdict.ready == Evidence::flag);
}

TEST_CASE_FIXTURE(Fixture, "a reading that began before the evidence does not end the wait") {
  scfw.begun = 4; // under way
  judge.on_evidence(Evidence::rxdb, now);
  const auto early = judge.on_status(status(4, true), now);
  CHECK(early.rebooted);
  CHECK_FALSE(early.ready);
  CHECK(judge.is_waiting());
  const auto verdict = judge.on_status(status(5, false), now);
  CHECK_FALSE(verdict.rebooted);
  CHECK(verdict.ready == Evidence::rxdb);
}

TEST_CASE_FIXTURE(Fixture, "evidence that comes twice before the answer asks once") {
  judge.on_evidence(Evidence::flag, now);
  CHECK_FALSE(judge.on_evidence(Evidence::rxdb, now));
  CHECK(scfw.asked == 1);
  CHECK(judge.on_status(status(1, false), now).ready == Evidence::flag);
}

TEST_CASE_FIXTURE(Fixture, "a remote is kept waiting 30 ms at most; a REBOOTED asked for within "
                           "100 ms after that is the same reset, once") {
  judge.on_evidence(Evidence::rxdb, now);
  CHECK(judge.next_deadline() == now + 30 * kNsPerMs);
  CHECK_FALSE(judge.on_timer(now + 30 * kNsPerMs - 1).ready);
  const uint64_t over = now + 30 * kNsPerMs;
  CHECK(judge.on_timer(over).ready == Evidence::rxdb);
  CHECK(judge.next_deadline() == kNever);
  const uint64_t soon = over + 100 * kNsPerMs - 1;
  CHECK_FALSE(judge.on_status(asked_at(soon, 2), soon + 500 * kNsPerMs).rebooted);
  CHECK(judge.on_status(asked_at(soon, 3), soon + 500 * kNsPerMs).rebooted);
}

TEST_CASE_FIXTURE(Fixture, "a REBOOT told late, with its REBOOTED or without, announces no other "
                           "reset") {
  for (const bool is_rebooted_too : {true, false}) {
    judge.on_evidence(Evidence::rxdb, now);
    now += 30 * kNsPerMs;
    CHECK(judge.on_timer(now).ready == Evidence::rxdb);
    CHECK_FALSE(judge.on_status(status(2, is_rebooted_too, true), now + kNsPerMs).reboot);
    now += 100 * kNsPerMs;
    CHECK(judge.on_status(status(3, false, true), now).reboot);
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "a REBOOTED asked for 100 ms after a reading that timed out is another reset") {
  judge.on_evidence(Evidence::rxdb, now);
  const auto verdict = judge.on_status(status(1, false, false, false), now);
  CHECK(verdict.ready == Evidence::rxdb);
  CHECK(judge.on_status(asked_at(now + 100 * kNsPerMs, 2), now + 100 * kNsPerMs).rebooted);
}

TEST_CASE_FIXTURE(Fixture, "the check at the start ends with the first reading, evidence or not") {
  CHECK(judge.check(now));
  CHECK(judge.is_waiting());
  CHECK(scfw.asked == 0); // whoever starts reads
  const auto verdict = judge.on_status(status(1, true), now);
  CHECK(verdict.rebooted);
  CHECK_FALSE(verdict.ready);
  CHECK_FALSE(judge.is_waiting());
}

TEST_CASE_FIXTURE(
    Fixture, "a first reading that failed is waited for again, 90 ms in all, and merges nothing") {
  judge.check(now);
  (void)judge.on_status(status(1, false, false, false), now);
  CHECK(judge.is_waiting());
  CHECK(judge.next_deadline() == now + 90 * kNsPerMs);
  (void)judge.on_timer(now + 90 * kNsPerMs);
  CHECK_FALSE(judge.is_waiting());
  CHECK(judge.on_status(asked_at(now, 2), now + 91 * kNsPerMs).rebooted);
}

TEST_CASE_FIXTURE(Fixture, "when there is nobody to ask any more, what waits is acted on") {
  judge.on_evidence(Evidence::rxdb, now);
  CHECK(judge.on_no_notices().ready == Evidence::rxdb);
  CHECK_FALSE(judge.is_waiting());
  CHECK(judge.on_evidence(Evidence::rxdb, now));
}
