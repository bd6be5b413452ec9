// SPDX-License-Identifier: Apache-2.0
// How a life ends: SCFW says so, the remote does, or somebody asks for a new one.
#include <mutex>

#include "link/remote_life.h"
#include "virtio/persist.h"

namespace rpmsg {

namespace {

using Lock = std::lock_guard<PiMutex>;

// A reset that SCFW announced is waited for so long: its own limit for what the partitions have to
// say about it is far below.
constexpr uint64_t kAnnouncedNs = 5000 * kNsPerMs;

} // namespace

void RemoteLife::set_notices(ResetNotices* notices) {
  judge_.set_notices(notices);
}

bool RemoteLife::is_reset_announced() const {
  return state_ == RemoteState::quiescing;
}

bool RemoteLife::is_quiet() const {
  return state_ == RemoteState::quiescing || judge_.is_waiting() || doubt_until_ns_ != kNever;
}

void RemoteLife::on_partition(uint8_t partition) {
  partition_ = partition;
  unreported_partition_ = !parts_.events.pair(EventKind::remote_partition, parts_.index, partition);
}

void RemoteLife::on_no_notices(const char* reason, uint64_t now_ns) {
  if (state_ == RemoteState::offline) return;
  apply(judge_.on_no_notices(), now_ns);
  restate(reason);
}

void RemoteLife::reinitialize(uint64_t now_ns) {
  if (state_ == RemoteState::offline) return;
  const bool is_silent = is_silent_restart_;
  is_by_hand_ = true;
  begin("reinitialize", is_silent ? ResetCause::silent_restart : ResetCause::reinitialize, now_ns);
}

/// SCFW forgets what it answers. Announced by its doorbell there is a reset, which is stored
/// before; taken back when it is not so. In a reading for another reason there hardly ever is: to
/// reset a remote that lives would break its rings, so a successor only holds its words back for a
/// while.
void RemoteLife::on_status_begins(bool is_announced) {
  const RemotePhase phase = phase_of(parts_.record);
  if (state_ == RemoteState::offline || phase == RemotePhase::resetting) return;
  if (!is_announced) return persist_store(parts_.record.in_doubt, 1);
  begin_reset(parts_.record);
  is_tentative_ = true;
  tentative_phase_ = phase;
}

void RemoteLife::note_attached() {
  if (is_tentative_) {
    tentative_phase_ = RemotePhase::attached;
  } else {
    store_phase(parts_.record, RemotePhase::attached);
  }
}

void RemoteLife::on_status(const ResetStatus& status, uint64_t now_ns) {
  if (state_ == RemoteState::offline) return;
  const ResetJudge::Verdict verdict = judge_.on_status(status, now_ns);
  // What the former life did is seen before it ends.
  on_progress(now_ns);
  apply(verdict, now_ns);
  ResetNotices* const notices = judge_.notices();
  if (status.reboot && notices != nullptr) notices->reboot_continue(partition_, now_ns);
  if (is_tentative_) {
    is_tentative_ = false;
    store_phase(parts_.record, tentative_phase_);
  }
  if (doubt_until_ns_ == kNever) end_doubt();
}

void RemoteLife::end_doubt() {
  doubt_until_ns_ = kNever;
  if (parts_.record.in_doubt != 0) persist_store(parts_.record.in_doubt, 0);
  if (is_quiet()) return;
  tell_taken_over();
  release_words();
}

void RemoteLife::apply(const ResetJudge::Verdict& verdict, uint64_t now_ns) {
  // Rings that waited for what is ready are its own, whatever it did with them meanwhile.
  const bool is_awaited = verdict.ready && ready_was_awaited_ && !is_reset_announced();
  if (verdict.rebooted && !is_awaited) on_rebooted(now_ns);
  if (verdict.reboot && !verdict.rebooted) {
    quiesce("SCFW announced a reset", now_ns);
    unheard_ready_ = verdict.ready; // by what is about to be reset, as it seems
  } else if (verdict.ready) {
    act_on_ready(*verdict.ready, now_ns);
  }
  if (is_quiet()) return;
  tell_taken_over();
  release_words();
}

void RemoteLife::on_rebooted(uint64_t now_ns) {
  // Rings that nobody has used yet are as good for the life that starts now: this is told twice, or
  // of a reset before this process began the present life.
  const bool is_fresh = state_ == RemoteState::waiting && !is_touched();
  if (!is_fresh) return begin("SCFW reset the partition", ResetCause::rebooted, now_ns);
  if (!offered_) return;
  for (auto& vdev : parts_.vdevs)
    tell(*vdev, now_ns);
}

/// No word and no send from here on; what the remote still does is looked at. Ends with a new life.
void RemoteLife::quiesce(const char* reason, uint64_t now_ns) {
  quiet_until_ns_ = now_ns + kAnnouncedNs;
  if (state_ != RemoteState::attached && state_ != RemoteState::waiting) return;
  state_before_quiet_ = state_;
  begin_reset(parts_.record);
  is_tentative_ = false;
  hold_words();
  move(RemoteState::quiescing, reason);
  for (auto& vdev : parts_.vdevs) {
    {
      const Lock lock(parts_.mutex);
      vdev->is_quiet = true;
    }
    parts_.sends.fail_all(*vdev, Errc::remote_reset);
  }
}

/// A reset that was announced and did not come: the remote goes on, with the rings it had.
void RemoteLife::end_quiet(uint64_t now_ns) {
  quiet_until_ns_ = kNever;
  if (unheard_ready_) return act_on_ready(*unheard_ready_, now_ns);
  if (state_ != RemoteState::quiescing) return;
  const bool was_attached = state_before_quiet_ == RemoteState::attached;
  store_phase(parts_.record, was_attached ? RemotePhase::attached : RemotePhase::waiting);
  for (auto& vdev : parts_.vdevs) {
    const Lock lock(parts_.mutex);
    vdev->is_quiet = false;
  }
  move(state_before_quiet_, "SCFW announced a reset that did not come");
  if (!is_quiet()) release_words();
}

void RemoteLife::on_ready(Evidence evidence, bool is_over, uint64_t now_ns) {
  if (state_ == RemoteState::offline) return;
  // As it is now: while SCFW is asked the remote may go on and use its rings.
  ready_ends_life_ = is_over || (judge_.is_waiting() && ready_ends_life_);
  ready_was_awaited_ = state_ == RemoteState::waiting && offered_ && !ready_ends_life_;
  if (judge_.on_evidence(evidence, now_ns)) return act_on_ready(evidence, now_ns);
  if (!judge_.is_waiting()) return; // answered at once
  hold_words();
  if (is_over) quiesce(evidence_name(evidence), now_ns);
}

void RemoteLife::hold_words() {
  const Lock lock(parts_.mutex);
  parts_.words.hold(true);
}

void RemoteLife::release_words() {
  const Lock lock(parts_.mutex);
  parts_.words.hold(false);
}

} // namespace rpmsg
