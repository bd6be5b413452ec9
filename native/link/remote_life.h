// SPDX-License-Identifier: Apache-2.0
// The life of a remote: fresh rings, the wait for evidence that it is ready, link-up words repeated
// until it answers, a new life when it says so. No JavaScript in it; told afterwards. Link thread
// only.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "link/event_writer.h"
#include "link/pi_mutex.h"
#include "link/remote_setup.h"
#include "link/remote_table.h"
#include "link/reset_judge.h"
#include "link/reset_notices.h"
#include "link/resume.h"
#include "link/send_path.h"
#include "link/states.h"
#include "link/tap.h"
#include "link/vdev.h"
#include "mu/word_sender.h"

namespace rpmsg {

/// What a life works on; owned by the Remote, which outlives it.
struct RemoteParts {
  uint32_t index;
  uint32_t ready_wait_ms;
  PiMutex& mutex;
  Mu& mu;
  WordSender& words;
  SendPath& sends;
  std::vector<std::unique_ptr<Vdev>>& vdevs;
  RemoteRecord& record;
  RemoteTable& table;
  EventWriter& events;
  const Tap& tap;
};

class RemoteLife final : public ResetNoticeListener {
public:
  explicit RemoteLife(const RemoteParts& parts) : parts_(parts) {}

  RemoteState state() const { return state_; }
  uint32_t generation() const { return parts_.record.generation; }
  /// Rings are laid out and the remote was told: there is something to look at.
  bool offered() const { return offered_; }
  /// Nobody sends, no word goes out and nothing is repeated: a reset was announced, or SCFW is
  /// being asked about one. What the remote does is looked at all the same.
  bool is_quiet() const;

  /// Where SCFW can be asked. Before start().
  void set_notices(ResetNotices* notices);
  void on_partition(uint8_t partition) override;
  void on_no_notices(const char* reason, uint64_t now_ns) override;
  void on_status_begins(bool is_announced) override;
  void on_status(const ResetStatus& status, uint64_t now_ns) override;
  /// Tells the present state again with something to know about it.
  void restate(const char* reason);

  /// The MU is open, nothing was looked at yet: begins a life, or goes on with the one there is.
  void start(const Resume& resume, uint64_t now_ns);
  /// Rings that were taken over alive and are still: tells the remote about every queue, since
  /// nobody knows which of the former process's words it got.
  void tell_taken_over();
  /// Before the doorbell by which a remote says that its stack is ready is acknowledged: whether it
  /// ends the present life is decided here, and stored. What is found in the rings from now on was
  /// done after the doorbell, or is not to be told from that.
  void expect_ready_doorbell();
  /// That doorbell was acknowledged.
  void on_ready_doorbell(uint64_t now_ns);
  /// A sample of the remote's MU flags; bit 0 set means the same as the doorbell.
  void on_flags(uint8_t flags, uint64_t now_ns);
  /// A sample of the status bytes in the resource table: 0 or NEEDS_RESET, where DRIVER_OK was
  /// shown, is the remote's wish for a new life.
  void look_at_table(uint64_t now_ns);
  /// After looks at the rings: who is up, who broke a rule, whether the remote took its word.
  void on_progress(uint64_t now_ns);
  void on_timer(uint64_t now_ns);
  /// A new life by hand: zeroes and refills the rings, then waits for evidence again.
  void reinitialize(uint64_t now_ns);
  /// The board is gone for good.
  void on_board_gone();

  /// When on_timer() wants to be called, or kNever.
  uint64_t next_deadline() const;
  /// Reports again what the event ring had no room for; false if it still has none.
  bool report();

private:
  static constexpr uint64_t kFirstRepeatNs = 10 * kNsPerMs;

  struct Repeat {
    uint64_t at_ns;
    uint64_t interval_ns;
  };

  /// The first life has no cause: nothing was reset.
  void begin(const char* reason, std::optional<ResetCause> cause, uint64_t now_ns);
  void apply(const ResetJudge::Verdict& verdict, uint64_t now_ns);
  void on_rebooted(uint64_t now_ns);
  void quiesce(const char* reason, uint64_t now_ns);
  void end_quiet(uint64_t now_ns);
  void act_on_ready(Evidence evidence, uint64_t now_ns);
  bool is_reset_announced() const;
  void end_doubt();
  void hold_words();
  void release_words();
  void note_attached();
  void tell_reset(ResetCause cause, uint64_t now_ns);
  void take_over(const Resume& resume, uint64_t now_ns);
  void take_over_vdev(Vdev& vdev, const Resume& resume, uint64_t now_ns);
  void start_cold(const Resume& resume, uint64_t now_ns);
  bool is_touched() const;
  void remember_flag(bool was_clear);
  void lay_out_rings(Vdev& vdev);
  void offer(uint64_t now_ns);
  void reset_table(std::optional<ResetCause> cause);
  bool admit_table(uint64_t now_ns);
  void fault_table();
  void show_driver(Vdev& vdev);
  void repeat_table();
  void take_over_table();
  bool is_used() const { return offered_ && is_touched(); }
  void on_ready(Evidence evidence, bool is_over, uint64_t now_ns);
  void tell(Vdev& vdev, uint64_t now_ns);
  void repeat_words(uint64_t now_ns);
  void look_at(Vdev& vdev);
  void move(RemoteState to, const char* reason);
  void set_vdev(Vdev& vdev, VdevState state, const char* reason);
  void tap_state(uint8_t vdev, const char* state, const char* reason) const;
  bool any_vdev(VdevState state) const;
  bool all_faulted() const;

  RemoteParts parts_;
  RemoteState state_ = RemoteState::offline;
  bool offered_ = false;
  bool is_taken_over_ = false; // and not told so yet
  uint64_t offer_at_ns_ = kNever;
  Evidence evidence_ = Evidence::timeout; // by which the rings are offered then
  uint64_t last_offer_ns_ = 0;
  uint64_t no_offer_before_ns_ = 0;
  std::array<Repeat, kMaxVdevs> repeats_{};
  std::array<char, 256> reason_{}; // of the present state
  uint32_t unreported_vdevs_ = 0;  // bit n = vdev n
  bool unreported_state_ = false;
  bool unreported_ready_ = false;

  ResetJudge judge_;
  bool doorbell_ends_life_ = false; // the rings were in use when it was seen
  bool is_tentative_ = false;      // phase `resetting` is stored until SCFW has answered, no longer
  bool ready_was_awaited_ = false; // nobody had used the rings when the remote said it
  bool ready_ends_life_ = false;   // the rings were in use when the remote said that it is ready
  uint64_t doubt_until_ns_ = kNever; // until then a reset that nobody knows of may show itself
  RemoteState state_before_quiet_ = RemoteState::waiting;
  uint64_t quiet_until_ns_ = kNever; // for want of the reset that was announced
  std::optional<Evidence> unheard_ready_;
  RemotePhase tentative_phase_ = RemotePhase::none; // what is stored again if nothing was reset
  uint8_t partition_ = 0;
  bool unreported_partition_ = false;
  ResetCause reset_cause_ = ResetCause::rebooted;
  uint64_t reset_ns_ = 0;
  bool unreported_reset_ = false;
  bool is_silent_restart_ = false; // a replay of vring1 was seen in this life
  bool is_by_hand_ = false;        // this life began by reinitialize() and was not offered yet
  uint64_t progress_by_ns_ = kNever;
};

} // namespace rpmsg
