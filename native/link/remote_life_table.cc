// SPDX-License-Identifier: Apache-2.0
// The resource table in the life of a remote: what it must be before the rings are offered, the
// status byte that some firmware waits for, and what the remote says by it.
#include <algorithm>

#include "link/remote_life.h"
#include "virtio/persist.h"

namespace rpmsg {

namespace {

// A table that breaks a rule may be one that is just being written.
constexpr uint64_t kTableAgainNs = 10 * kNsPerMs;

} // namespace

void RemoteLife::reset_table(std::optional<ResetCause> cause) {
  if (parts_.record.driven_vdevs != 0) persist_store(parts_.record.driven_vdevs, 0);
  // Only a CPU that was started over, or firmware that says it began again, has nothing to answer.
  const bool may_be_live = !cause || *cause == ResetCause::reinitialize ||
                           *cause == ResetCause::silent_restart || *cause == ResetCause::status;
  parts_.table.reset(may_be_live);
}

/// A table that is missing holds nothing up: the configuration says where the rings are, and an
/// RPMsg-Lite remote needs no more. It is looked for again with each repeated word.
bool RemoteLife::admit_table(uint64_t now_ns) {
  using Look = RemoteTable::Look;
  const Look look = parts_.table.look();
  if (look != Look::broken) return true;
  const bool is_ready = evidence_ == Evidence::rxdb || evidence_ == Evidence::flag;
  if (is_ready || parts_.table.is_broken_for_good()) {
    fault_table();
  } else {
    offer_at_ns_ = now_ns + kTableAgainNs;
  }
  return false;
}

void RemoteLife::fault_table() {
  offer_at_ns_ = kNever;
  offered_ = true; // what a remote says when it is ready ends this, as it ends every other fault
  for (auto& vdev : parts_.vdevs) {
    set_vdev(*vdev, VdevState::faulted, parts_.table.problem());
    parts_.sends.fail_all(*vdev, Errc::peer_fault);
  }
  move(RemoteState::faulted, parts_.table.problem());
}

void RemoteLife::show_driver(Vdev& vdev) {
  // Firmware that came after us, or came again without a word, has written its table since.
  if (parts_.table.state() == RemoteTable::Look::none) return;
  if (!parts_.table.shows_driver_ok(vdev.index())) parts_.table.look();
  if (!parts_.table.show_driver_ok(vdev.index())) return;
  const uint32_t driven = parts_.record.driven_vdevs | 1u << vdev.index();
  if (driven != parts_.record.driven_vdevs) persist_store(parts_.record.driven_vdevs, driven);
}

void RemoteLife::repeat_table() {
  if (parts_.table.state() == RemoteTable::Look::broken && parts_.table.is_broken_for_good()) {
    fault_table();
  }
}

/// After what an earlier process left: what was not shown yet is shown, and nothing is taken back.
void RemoteLife::take_over_table() {
  if (parts_.table.look() != RemoteTable::Look::sound) return;
  for (auto& vdev : parts_.vdevs) {
    const bool is_driven = (parts_.record.driven_vdevs >> vdev->index() & 1) != 0;
    const bool is_offered = vdev->state() == VdevState::offered || vdev->state() == VdevState::up;
    if (is_offered && !is_driven) show_driver(*vdev);
  }
}

void RemoteLife::look_at_table(uint64_t now_ns) {
  if (parts_.table.state() != RemoteTable::Look::sound || state_ == RemoteState::offline) return;
  if (!offered_) {
    if (parts_.table.is_answered()) on_ready(Evidence::status, is_used(), now_ns);
    return;
  }
  const bool wants_reset =
      std::any_of(parts_.vdevs.begin(), parts_.vdevs.end(), [&](const auto& vdev) {
        const bool is_driven = (parts_.record.driven_vdevs >> vdev->index() & 1) != 0;
        return is_driven && parts_.table.wants_reset(vdev->index());
      });
  if (wants_reset) on_ready(Evidence::status, is_used(), now_ns);
}

} // namespace rpmsg
