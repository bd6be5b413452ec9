// SPDX-License-Identifier: Apache-2.0
// How a life starts in this process: fresh, or gone on with as an earlier process left it.
#include <algorithm>
#include <mutex>

#include "link/remote_life.h"

namespace rpmsg {

namespace {

using Lock = std::lock_guard<PiMutex>;

} // namespace

void RemoteLife::start(const Resume& resume, uint64_t now_ns) {
  if (resume.kind == Resume::Kind::cold) {
    start_cold(resume, now_ns);
  } else {
    take_over(resume, now_ns);
  }
  // A reset that nobody read yet: no word before SCFW has said whether there was one.
  if (judge_.check(now_ns)) hold_words();
}

void RemoteLife::start_cold(const Resume& resume, uint64_t now_ns) {
  // Without its state nothing tells what the remote has seen of rings that an earlier owner left,
  // and it cannot notice that they are new: whoever reads the log should know.
  const bool used_before =
      std::any_of(parts_.vdevs.begin(), parts_.vdevs.end(),
                  [](const auto& vdev) { return vdev->rx().has_used() || vdev->tx().has_used(); });
  const bool is_reset = phase_of(parts_.record) == RemotePhase::resetting;
  if (is_reset && !resume.reason.empty()) return begin(resume.reason.c_str(), {}, now_ns);
  begin(used_before ? "start over an earlier owner's rings: firmware whose link is up must "
                      "initialise its RPMsg stack again"
                    : "start",
        {}, now_ns);
}

void RemoteLife::take_over(const Resume& resume, uint64_t now_ns) {
  {
    const Lock lock(parts_.mutex);
    parts_.words.reset();
  }
  for (auto& vdev : parts_.vdevs)
    take_over_vdev(*vdev, resume, now_ns);
  is_taken_over_ = true;
  last_offer_ns_ = now_ns;
  const bool is_attached = phase_of(parts_.record) == RemotePhase::attached;
  offered_ = is_attached || parts_.record.offered != 0;
  if (!offered_) {
    offer_at_ns_ = now_ns + parts_.ready_wait_ms * kNsPerMs;
    evidence_ = Evidence::timeout;
    return move(RemoteState::waiting, resume.reason.c_str());
  }
  for (auto& vdev : parts_.vdevs) {
    if (vdev->state() != VdevState::faulted) set_vdev(*vdev, VdevState::offered, "");
  }
  if (!is_attached) {
    take_over_table();
    return move(RemoteState::waiting, resume.reason.c_str());
  }
  move(RemoteState::attached, resume.reason.c_str());
  if (parts_.record.in_doubt != 0) { // the former process died while SCFW was asked
    doubt_until_ns_ = now_ns + parts_.ready_wait_ms * kNsPerMs;
    hold_words();
  }
  for (auto& vdev : parts_.vdevs) {
    look_at(*vdev); // up, or faulted again, as the former process left it
    const bool is_used = vdev->rx().has_used() || vdev->tx().has_used();
    if (is_used && vdev->state() == VdevState::offered) set_vdev(*vdev, VdevState::up, "");
  }
  take_over_table();
}

void RemoteLife::take_over_vdev(Vdev& vdev, const Resume& resume, uint64_t now_ns) {
  const uint32_t bit = 1u << vdev.index();
  if ((resume.lost_vdevs & bit) != 0) {
    return set_vdev(vdev, VdevState::faulted, resume.reason.c_str());
  }
  if ((resume.blank_vdevs & bit) != 0) lay_out_rings(vdev);
  (void)vdev.post_empties();      // what was taken and not posted again yet
  vdev.rx().set_interrupts(true); // an orderly stop asked for none
  {
    const Lock lock(parts_.mutex);
    vdev.tx().set_interrupts(true);
  }
  repeats_[vdev.index()] = Repeat{now_ns + kFirstRepeatNs, kFirstRepeatNs};
}

void RemoteLife::tell_taken_over() {
  if (is_quiet()) return; // comes back
  const bool is_due = is_taken_over_ && offered_;
  is_taken_over_ = false;
  if (!is_due) return;
  const Lock lock(parts_.mutex);
  parts_.mu.set_flags(1);
  for (auto& vdev : parts_.vdevs) {
    if (vdev->state() == VdevState::faulted) continue;
    parts_.words.mark_pending(1u << vdev->rx_queue_id() | 1u << vdev->tx_queue_id());
  }
}

} // namespace rpmsg
