// SPDX-License-Identifier: Apache-2.0
#include "link/remote_life.h"

#include <algorithm>
#include <cassert>
#include <cinttypes>
#include <cstdio>
#include <mutex>

#include "base/clock.h"
#include "virtio/persist.h"

namespace rpmsg {

namespace {

using Lock = std::lock_guard<PiMutex>;

constexpr uint64_t kLastRepeatNs = 1000 * kNsPerMs;
// A remote that says it started again, and again, is offered its rings no more often than this: who
// starts in earnest waits for the word and loses nothing.
constexpr uint64_t kShortestLifeNs = 10 * kNsPerMs;
// After a new life by hand, a remote that uses no ring in this time will not.
constexpr uint64_t kProgressNs = 1000 * kNsPerMs;

constexpr char kReplayed[] = ": silent-restart, the firmware seems to have started over without "
                             "notice; Reinitialize, then it must initialise its RPMsg stack again";

constexpr uint8_t kReadyDoorbell = 1u << kRpmsgMuChannel;

ResetCause cause_of(Evidence evidence) {
  switch (evidence) {
  case Evidence::rxdb: return ResetCause::rxdb;
  case Evidence::status: return ResetCause::status;
  default: return ResetCause::flag;
  }
}

} // namespace

void RemoteLife::begin(const char* reason, std::optional<ResetCause> cause, uint64_t now_ns) {
  begin_reset(parts_.record);
  is_tentative_ = false;
  count_reset(parts_.record);
  offered_ = false;
  is_taken_over_ = false;
  persist_store(parts_.record.offered, 0);
  remember_flag(false);
  is_silent_restart_ = false;
  progress_by_ns_ = kNever;
  doubt_until_ns_ = kNever;
  quiet_until_ns_ = kNever;
  unheard_ready_.reset();
  if (cause) tell_reset(*cause, now_ns);
  move(RemoteState::down, reason);
  for (auto& vdev : parts_.vdevs) { // from here on nobody sends, so that no word follows the reset
    set_vdev(*vdev, VdevState::down, reason);
    parts_.sends.fail_all(*vdev, Errc::remote_reset);
  }
  {
    // A word left in TR is harmless: the rings it points at are fresh before anybody can follow it.
    // Opened again because a remote's MU reset (MUR) clears our enables too.
    const Lock lock(parts_.mutex);
    parts_.mu.open();
    parts_.words.reset();
    parts_.words.hold(judge_.is_waiting());
    parts_.mu.set_flags(0);
  }
  reset_table(cause);
  for (auto& vdev : parts_.vdevs)
    lay_out_rings(*vdev);
  store_phase(parts_.record, RemotePhase::waiting);
  offer_at_ns_ = now_ns + parts_.ready_wait_ms * kNsPerMs;
  evidence_ = Evidence::timeout;
  move(RemoteState::waiting, reason);
}

void RemoteLife::lay_out_rings(Vdev& vdev) {
  vdev.rx().start_fresh();
  (void)vdev.post_empties();
  const Lock lock(parts_.mutex);
  vdev.tx().start_fresh();
  vdev.tx_life += 1;
  vdev.waiting_for_credit_only = false;
  vdev.is_quiet = false;
}

void RemoteLife::on_ready_doorbell(uint64_t now_ns) {
  on_ready(Evidence::rxdb, doorbell_ends_life_, now_ns);
}

void RemoteLife::on_flags(uint8_t flags, uint64_t now_ns) {
  const bool set = (flags & 1) != 0;
  if (set && (!offered_ || parts_.record.flag_was_clear != 0)) {
    on_ready(Evidence::flag, is_used(), now_ns);
    remember_flag(false); // one edge is one event, forgotten only once it had its effect
  }
  if (!set) remember_flag(true);
}

void RemoteLife::remember_flag(bool was_clear) {
  const uint32_t value = was_clear ? 1 : 0;
  if (parts_.record.flag_was_clear != value) persist_store(parts_.record.flag_was_clear, value);
}

bool RemoteLife::is_touched() const {
  return any_vdev(VdevState::up) || any_vdev(VdevState::faulted);
}

void RemoteLife::expect_ready_doorbell() {
  doorbell_ends_life_ = is_used();
  if (state_ != RemoteState::offline && doorbell_ends_life_) begin_reset(parts_.record);
}

void RemoteLife::act_on_ready(Evidence evidence, uint64_t now_ns) {
  if (!is_reset_announced() && offered_ && !ready_ends_life_) {
    // Nobody had used these rings yet: they are as fresh as at the start, only the words are due.
    for (auto& vdev : parts_.vdevs)
      tell(*vdev, now_ns);
    return;
  }
  if (offered_ || is_reset_announced()) {
    begin(evidence_name(evidence), cause_of(evidence), now_ns);
    no_offer_before_ns_ = last_offer_ns_ + kShortestLifeNs;
    evidence_ = evidence;
    if (parts_.table.has_asked()) return; // the ready wait is for vdevs that did not ask themselves
  } else if (parts_.table.has_asked()) {
    for (auto& vdev : parts_.vdevs)
      lay_out_rings(*vdev); // used until the remote saw that it was asked to reset itself
  }
  evidence_ = evidence;
  offer_at_ns_ = std::max(now_ns, no_offer_before_ns_);
  if (offer_at_ns_ <= now_ns) offer(now_ns);
}

void RemoteLife::offer(uint64_t now_ns) {
  if (!admit_table(now_ns)) return;
  offered_ = true;
  persist_store(parts_.record.offered, 1);
  offer_at_ns_ = kNever;
  last_offer_ns_ = now_ns;
  {
    // Firmware of the i.MX7ULP kind waits for this flag beside the word. Nobody minds if an earlier
    // update is still crossing and this one is not shown.
    const Lock lock(parts_.mutex);
    parts_.mu.set_flags(1);
  }
  for (auto& vdev : parts_.vdevs) {
    set_vdev(*vdev, VdevState::offered, "");
    tell(*vdev, now_ns);
  }
  unreported_ready_ = !parts_.events.remote_ready(parts_.index, generation(), evidence_);
  if (parts_.table.state() == RemoteTable::Look::missing) restate(parts_.table.problem());
  if (is_by_hand_) progress_by_ns_ = now_ns + kProgressNs;
  is_by_hand_ = false;
}

void RemoteLife::tell(Vdev& vdev, uint64_t now_ns) {
  show_driver(vdev); // some firmware looks at nothing else, and all of it may at any word
  {
    const Lock lock(parts_.mutex);
    parts_.words.kick(vdev.rx_queue_id());
  }
  repeats_[vdev.index()] = Repeat{now_ns + kFirstRepeatNs, kFirstRepeatNs};
}

void RemoteLife::repeat_words(uint64_t now_ns) {
  for (auto& vdev : parts_.vdevs) {
    Repeat& repeat = repeats_[vdev->index()];
    if (vdev->state() != VdevState::offered || repeat.at_ns > now_ns) continue;
    repeat.interval_ns = std::min(repeat.interval_ns * 2, kLastRepeatNs);
    repeat.at_ns = now_ns + repeat.interval_ns;
    show_driver(*vdev);
    const Lock lock(parts_.mutex);
    parts_.words.kick(vdev->rx_queue_id());
    if (vdev->tx().in_flight() > 0) parts_.words.kick(vdev->tx_queue_id());
  }
  repeat_table();
}

void RemoteLife::on_progress(uint64_t) {
  if (!offered_) return;
  for (auto& vdev : parts_.vdevs)
    look_at(*vdev);
  if (state_ == RemoteState::waiting) {
    bool taken = any_vdev(VdevState::up);
    if (!taken) {
      const Lock lock(parts_.mutex);
      taken = parts_.words.taken_since_reset();
    }
    // A doorbell that rang before the word was taken belongs to this life: were it still pending
    // when the phase is stored, a successor would take it for the next one's.
    if (taken && (parts_.mu.pending_doorbells() & kReadyDoorbell) == 0) {
      note_attached();
      move(RemoteState::attached, "");
    }
  }
  if (state_ != RemoteState::faulted && all_faulted()) {
    move(RemoteState::faulted, "every vdev is faulted");
  }
}

void RemoteLife::look_at(Vdev& vdev) {
  if (vdev.state() == VdevState::faulted || vdev.state() == VdevState::down) return;
  RingFault fault = vdev.rx().fault();
  uint64_t value = vdev.rx().fault_value();
  bool moved = vdev.rx().used_position() > 0;
  bool rx_fault = fault != RingFault::none;
  {
    const Lock lock(parts_.mutex);
    moved = moved || vdev.tx().used_position() > 0;
    if (!rx_fault) {
      fault = vdev.tx().fault();
      value = vdev.tx().fault_value();
    }
  }
  if (fault != RingFault::none) {
    (rx_fault ? vdev.counters().rx_faults : vdev.counters().tx_faults).add();
    // Firmware that starts over unnoticed and is sent something replays vring1 from its beginning.
    const bool is_replay = !rx_fault && fault == RingFault::used_index_jump;
    is_silent_restart_ = is_silent_restart_ || is_replay;
    std::array<char, 192> why{};
    std::snprintf(why.data(), why.size(), "vring%d: %s (%" PRIu64 ")%s", rx_fault ? 0 : 1,
                  ring_fault_name(fault), value, is_replay ? kReplayed : "");
    set_vdev(vdev, VdevState::faulted, why.data());
    parts_.sends.fail_all(vdev, Errc::peer_fault);
  } else if (moved && vdev.state() == VdevState::offered) {
    set_vdev(vdev, VdevState::up, "");
  }
}

void RemoteLife::on_timer(uint64_t now_ns) {
  if (judge_.next_deadline() <= now_ns) apply(judge_.on_timer(now_ns), now_ns);
  if (doubt_until_ns_ <= now_ns) end_doubt();
  if (quiet_until_ns_ <= now_ns) end_quiet(now_ns);
  if (is_quiet()) return;
  if (offer_at_ns_ <= now_ns) offer(now_ns);
  if (!offered_) return;
  repeat_words(now_ns);
  if (progress_by_ns_ <= now_ns) {
    progress_by_ns_ = kNever;
    if (!any_vdev(VdevState::up)) restate("the firmware must initialise its RPMsg stack again");
  }
}

uint64_t RemoteLife::next_deadline() const {
  if (is_quiet()) return std::min({judge_.next_deadline(), doubt_until_ns_, quiet_until_ns_});
  uint64_t earliest = offer_at_ns_;
  if (!offered_) return earliest;
  for (const auto& vdev : parts_.vdevs) {
    if (vdev->state() == VdevState::offered) {
      earliest = std::min(earliest, repeats_[vdev->index()].at_ns);
    }
  }
  return std::min(earliest, progress_by_ns_);
}

void RemoteLife::on_board_gone() {
  offered_ = false;
  offer_at_ns_ = kNever;
  quiet_until_ns_ = doubt_until_ns_ = kNever;
  (void)judge_.on_no_notices();
  for (auto& vdev : parts_.vdevs) {
    set_vdev(*vdev, VdevState::down, "the board is gone");
    parts_.sends.fail_all(*vdev, Errc::remote_down);
  }
  if (state_ != RemoteState::offline) move(RemoteState::offline, "the board is gone");
}

void RemoteLife::move(RemoteState to, const char* reason) {
  if (state_ == to) return;
  assert(is_legal_move(state_, to));
  state_ = to;
  restate(reason);
}

/// Tells the state again, with what there is to say about it now.
void RemoteLife::restate(const char* reason) {
  std::snprintf(reason_.data(), reason_.size(), "%s", reason);
  tap_state(kWholeRemote, remote_state_name(state_), reason_.data());
  unreported_state_ =
      !parts_.events.remote_state(parts_.index, state_, generation(), reason_.data());
}

void RemoteLife::set_vdev(Vdev& vdev, VdevState state, const char* reason) {
  if (vdev.state() == state) return;
  {
    const Lock lock(parts_.mutex); // senders look at the state under it
    vdev.set_state(state);
  }
  if (state == VdevState::faulted) parts_.table.show_failed(vdev.index());
  tap_state(static_cast<uint8_t>(vdev.index()), vdev_state_name(state), reason);
  const uint32_t bit = 1u << vdev.index();
  const bool told = parts_.events.vdev_state(parts_.index, vdev.index(), state, reason);
  unreported_vdevs_ = told ? unreported_vdevs_ & ~bit : unreported_vdevs_ | bit;
}

/// For whoever captures: the new state of the remote or of a vdev, and why.
void RemoteLife::tap_state(uint8_t vdev, const char* state, const char* reason) const {
  TapRing* const ring = parts_.tap.received();
  if (ring == nullptr) return;
  std::array<char, 320> text{};
  std::snprintf(text.data(), text.size(), "state: %s%s%s", state, *reason == 0 ? "" : ": ", reason);
  ring->put_text(vdev, monotonic_ns(), text.data());
}

void RemoteLife::tell_reset(ResetCause cause, uint64_t now_ns) {
  reset_cause_ = cause;
  reset_ns_ = now_ns;
  if (TapRing* const ring = parts_.tap.received(); ring != nullptr) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "reset: %s, generation %" PRIu32 " begins",
                  reset_cause_name(cause), generation());
    // When it is told, not when it was noticed: what the life before left was taken meanwhile.
    ring->put_text(kWholeRemote, monotonic_ns(), text.data());
  }
  unreported_reset_ = !parts_.events.remote_reset(parts_.index, generation(), cause, now_ns);
}

bool RemoteLife::report() {
  if (unreported_partition_) {
    unreported_partition_ =
        !parts_.events.pair(EventKind::remote_partition, parts_.index, partition_);
  }
  if (unreported_reset_) {
    unreported_reset_ =
        !parts_.events.remote_reset(parts_.index, generation(), reset_cause_, reset_ns_);
  }
  // What happened while the main thread did not look is told as what is true now.
  for (auto& vdev : parts_.vdevs) {
    const uint32_t bit = 1u << vdev->index();
    if ((unreported_vdevs_ & bit) == 0) continue;
    if (!parts_.events.vdev_state(parts_.index, vdev->index(), vdev->state(), "")) return false;
    unreported_vdevs_ &= ~bit;
  }
  if (unreported_state_) {
    unreported_state_ =
        !parts_.events.remote_state(parts_.index, state_, generation(), reason_.data());
  }
  if (unreported_ready_ && offered_) {
    unreported_ready_ = !parts_.events.remote_ready(parts_.index, generation(), evidence_);
  }
  return !unreported_partition_ && !unreported_reset_ && !unreported_state_ &&
         !(unreported_ready_ && offered_);
}

bool RemoteLife::any_vdev(VdevState state) const {
  return std::any_of(parts_.vdevs.begin(), parts_.vdevs.end(),
                     [&](const auto& vdev) { return vdev->state() == state; });
}

bool RemoteLife::all_faulted() const {
  return std::all_of(parts_.vdevs.begin(), parts_.vdevs.end(),
                     [](const auto& vdev) { return vdev->state() == VdevState::faulted; });
}

} // namespace rpmsg
