// SPDX-License-Identifier: Apache-2.0
// Makes one reset out of the two ways in which it is told: by SCFW (REBOOTED, over the SCU MU) and
// by the remote itself (ready, over its own MU), in whichever order they are seen. ARCHITECTURE.md
// has the rules.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "link/reset_notices.h"
#include "link/states.h"

namespace rpmsg {

class ResetJudge {
public:
  /// A remote is not kept waiting for SCFW longer than this.
  static constexpr uint64_t kReadLimitNs = 30 * kNsPerMs;
  /// The first reading comes after other calls.
  static constexpr uint64_t kCheckLimitNs = 3 * kReadLimitNs;
  /// After a reading that SCFW did not answer, a REBOOTED that was asked for this soon tells of the
  /// same reset, however long SCFW takes.
  static constexpr uint64_t kMergeNs = 100 * kNsPerMs;

  /// What is to be done, in this order.
  struct Verdict {
    bool rebooted = false;
    bool reboot = false;
    std::optional<Evidence> ready;
  };

  /// With nobody to ask (null, the default) evidence is acted on at once.
  void set_notices(ResetNotices* notices) { notices_ = notices; }
  ResetNotices* notices() const { return notices_; }
  /// A reading is waited for: neither words nor offers may go out.
  bool is_waiting() const { return is_waiting_; }

  /// At the start of a process: what SCFW noticed before anybody asked. False if nobody can be
  /// asked. The first pass will do.
  bool check(uint64_t now_ns);
  /// The remote says that its stack is ready. True: it is to be acted on now; false: verdict
  /// follows.
  bool on_evidence(Evidence evidence, uint64_t now_ns);
  Verdict on_status(const ResetStatus& status, uint64_t now_ns);
  /// Ends a wait that lasted too long.
  Verdict on_timer(uint64_t now_ns);
  /// There is nobody to ask any more: ends a wait.
  Verdict on_no_notices();
  uint64_t next_deadline() const { return is_waiting_ ? deadline_ns_ : kNever; }

private:
  Verdict end_wait();

  ResetNotices* notices_ = nullptr;
  bool is_waiting_ = false;
  std::optional<Evidence> evidence_;
  uint64_t awaited_pass_ = 0;
  uint64_t deadline_ns_ = kNever;
  uint64_t merge_until_ns_ = 0;
};

} // namespace rpmsg
