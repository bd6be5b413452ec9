// SPDX-License-Identifier: Apache-2.0
// What a host asks of the System Controller: who owns a core, and which partitions were reset
// (groups REBOOT and REBOOTED of the IRQ service). Source: SCFW API irq, rm and pm.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "scu/scu_rpc.h"

namespace rpmsg {

/// What one reading of both groups found. Bit n = partition n, of any partition: who enabled which
/// does not matter to SCFW.
struct ScuStatus {
  uint64_t pass = 0;        // which reading: Scu::read_status() told its number
  uint32_t rebooted = 0;    // were reset; their CPU starts after SCFW raised this
  uint32_t reboot = 0;      // are about to be
  bool is_complete = false; // SCFW answered; else what it had to tell may be lost
  uint64_t since_ns = 0;    // it began then, or the first of those that failed before it did
};

class ScuListener {
public:
  virtual ~ScuListener() = default;
  /// SCFW forgets as it answers: store now that a reset may have happened, or, announced by its
  /// doorbell, that one has.
  virtual void on_status_begins(bool is_announced) = 0;
  virtual void on_status(const ScuStatus& status, uint64_t now_ns) = 0;
  /// Ends find_owner(), once SCFW answers.
  virtual void on_owner(uint16_t resource, const ScuAnswer& answer, uint64_t now_ns) = 0;
  /// Ends find_reset_reason(): result 0 of an answer that is ok is an enum scfw_reset_reason.
  virtual void on_reset_reason(const ScuAnswer&, uint64_t) {}
  /// Ends watch(), once SCFW answers: false means that no notice of a reset will come.
  virtual void on_watched(bool is_enabled, uint64_t now_ns) = 0;
};

/// Drives one SCU MU. One thread; no call waits. Calls that time out are tried three times,
/// readings ever more slowly after that: what SCFW has latched would else be told as something new
/// later.
class Scu final : private ScuRpcClient {
public:
  /// `resource` is the SCFW number of this MU (SCFW_R_MU_1A and so on).
  Scu(Mu& mu, uint16_t resource, ScuListener& listener)
      : mu_(mu), resource_(resource), listener_(listener), rpc_(mu, *this) {}

  /// Opens the MU. Nothing is asked yet.
  void start();
  /// Asks which partition owns a resource: byte 0 of the answer's first result.
  void find_owner(uint16_t resource, uint64_t now_ns);
  /// Asks why SCFW did its last reset that concerns the caller.
  void find_reset_reason(uint64_t now_ns);
  /// Asks for interrupts when these partitions (bit n = partition n) are reset; more may follow.
  void watch(uint32_t partitions, uint64_t now_ns);
  /// Asks for a reading that begins after this call; on_status() with this pass, or a later one,
  /// ends it.
  uint64_t read_status(uint64_t now_ns);
  /// Answers the REBOOT notice of a partition. What SCFW says to it is ignored.
  void reboot_continue(uint8_t partition, uint64_t now_ns);

  void on_interrupt(uint64_t now_ns);
  void on_timer(uint64_t now_ns);
  /// kNever unless SCFW owes an answer.
  uint64_t next_deadline() const { return std::min(rpc_.next_deadline(), retry_at_ns_); }

private:
  enum class Ask : uint8_t {
    rebooted,
    reboot,
    owner,
    enable_rebooted,
    enable_reboot,
    go_on,
    reason
  };

  void on_answer(uint32_t tag, const ScuAnswer& answer, uint64_t now_ns) override;
  void on_status_answer(Ask ask, const ScuAnswer& answer, uint64_t now_ns);
  void on_enable_answer(Ask ask, const ScuAnswer& answer, uint64_t now_ns);
  void begin_pass(uint64_t now_ns);
  void end_pass(bool is_complete, uint64_t now_ns);
  void ask_status(Ask ask, uint64_t now_ns);
  void ask_enable(Ask ask, uint64_t now_ns);
  bool call(Ask ask, uint16_t detail, const ScuCall& call, uint64_t now_ns);
  bool may_retry(const ScuAnswer& answer);
  void ask_later(uint64_t now_ns);
  bool keep_owner(uint16_t resource);

  Mu& mu_;
  uint16_t resource_;
  ScuListener& listener_;
  ScuRpc rpc_;
  ScuStatus status_{};        // of the pass that is under way
  uint64_t begun_ = 0;        // passes begun
  uint64_t wanted_ = 0;       // the pass that somebody waits for
  bool is_announced_ = false; // SCFW rang, and was not asked why yet
  bool is_reading_ = false;   // a pass is under way
  uint64_t since_ns_ = 0;     // of the first pass that failed, 0 if the last one did not
  // What is asked again then.
  uint64_t retry_at_ns_ = kNever;
  uint64_t retry_interval_ns_ = 0;
  std::array<uint16_t, 8> unanswered_owners_{};
  uint32_t unanswered_owner_count_ = 0;
  bool is_enable_unanswered_ = false;
  bool is_status_unanswered_ = false;
  uint32_t watched_ = 0;      // partitions
  uint32_t retries_left_ = 0; // of calls that time out, until one is answered
};

} // namespace rpmsg
