// SPDX-License-Identifier: Apache-2.0
#include "link/reset_judge.h"

namespace rpmsg {

bool ResetJudge::check(uint64_t now_ns) {
  if (notices_ == nullptr) return false;
  is_waiting_ = true;
  awaited_pass_ = 1;
  deadline_ns_ = now_ns + kCheckLimitNs;
  return true;
}

// SCFW raises REBOOTED before it starts the CPU: what a reading finds that begins after the
// evidence belongs to the life that is ready, and a REBOOTED of a later reading to a later one.
bool ResetJudge::on_evidence(Evidence evidence, uint64_t now_ns) {
  if (notices_ == nullptr) return true;
  if (evidence_) return false; // one that waits already: the same life, or one that ended since
  is_waiting_ = true;
  evidence_ = evidence;
  awaited_pass_ = 0; // should the reading end before it is known by its number
  deadline_ns_ = now_ns + kReadLimitNs;
  const uint64_t pass = notices_->read_status(now_ns);
  if (is_waiting_) awaited_pass_ = pass;
  return false;
}

ResetJudge::Verdict ResetJudge::on_status(const ResetStatus& status, uint64_t now_ns) {
  Verdict verdict;
  if (is_waiting_ && !evidence_ && !status.is_complete) return verdict; // it is tried again
  if (is_waiting_ && status.pass >= awaited_pass_) {
    verdict = end_wait();
    // What it did not tell, and is told soon, belongs to the evidence that is acted on now.
    merge_until_ns_ = status.is_complete ? 0 : now_ns + kMergeNs;
    verdict.rebooted = status.rebooted;
    verdict.reboot = status.reboot;
    return verdict;
  }
  // REBOOT comes before REBOOTED: what is told late of one reset may be either, or both.
  const bool is_known = status.since_ns < merge_until_ns_;
  verdict.rebooted = status.rebooted && !is_known;
  verdict.reboot = status.reboot && !is_known;
  if (status.rebooted) merge_until_ns_ = 0; // once
  return verdict;
}

ResetJudge::Verdict ResetJudge::on_timer(uint64_t now_ns) {
  if (!is_waiting_ || now_ns < deadline_ns_) return {};
  const Verdict verdict = end_wait();
  if (verdict.ready) merge_until_ns_ = now_ns + kMergeNs;
  return verdict;
}

ResetJudge::Verdict ResetJudge::on_no_notices() {
  notices_ = nullptr;
  return is_waiting_ ? end_wait() : Verdict{};
}

ResetJudge::Verdict ResetJudge::end_wait() {
  Verdict verdict;
  verdict.ready = evidence_;
  is_waiting_ = false;
  evidence_.reset();
  return verdict;
}

} // namespace rpmsg
