// SPDX-License-Identifier: Apache-2.0
// Takes over what an earlier process left of a remote: each queue from its state, else from its
// ring, else not at all. No register is touched; a live ring is only given what it has already.
#include <algorithm>

#include "link/remote.h"
#include "virtio/persist.h"

namespace rpmsg {

namespace {

enum class Taken : uint8_t { resumed, adopted, blank, lost };

Taken take_queue(DriverQueue& queue, SlotArena* arena) {
  if (queue.resume(arena)) return Taken::resumed;
  if (queue.ring_is_blank()) return Taken::blank;
  return queue.adopt() ? Taken::adopted : Taken::lost;
}

Taken take_vdev(Vdev& vdev) {
  const Taken rx = take_queue(vdev.rx(), &vdev.arena());
  const Taken tx = take_queue(vdev.tx(), nullptr);
  if (rx == Taken::blank && tx == Taken::blank) return Taken::blank;
  const bool is_half = rx == Taken::blank || tx == Taken::blank;
  if (is_half || rx == Taken::lost || tx == Taken::lost) {
    vdev.rx().discard_state(); // so that nobody takes one half for the whole later
    vdev.tx().discard_state();
    return Taken::lost;
  }
  return std::max(rx, tx);
}

/// Slots and endpoints as the earlier process committed them, whatever becomes of the rings.
void keep_received(Vdev& vdev, StateUse use) {
  SlotArena& arena = vdev.arena();
  if (use == StateUse::blank || use == StateUse::damaged || !arena.rebuild()) {
    arena.clear();
    return;
  }
  (void)vdev.rx().recover(&arena);
  (void)arena.rebuild();
}

std::string list_of(uint32_t vdevs) {
  std::string list;
  for (uint32_t i = 0; i < kMaxVdevs; ++i) {
    if ((vdevs >> i & 1) == 0) continue;
    list += (list.empty() ? "vdev " : ", ") + std::to_string(i);
  }
  return list;
}

std::string because(const std::string& reason) {
  return reason.empty() ? std::string("its state is damaged") : reason;
}

} // namespace

void Remote::take_over(const ChosenState& chosen) {
  for (auto& vdev : vdevs_)
    keep_received(*vdev, chosen.use);
  has_former_state_ = chosen.use == StateUse::live || chosen.use == StateUse::former;
  resume_.reason = chosen.reason;
  if (chosen.use == StateUse::blank || chosen.use == StateUse::former) return;
  uint32_t resumed = 0;
  for (auto& vdev : vdevs_) {
    const uint32_t bit = 1u << vdev->index();
    switch (take_vdev(*vdev)) {
    case Taken::resumed: resumed |= bit; break;
    case Taken::adopted: resume_.adopted_vdevs |= bit; break;
    case Taken::blank: resume_.blank_vdevs |= bit; break;
    case Taken::lost: resume_.lost_vdevs |= bit; break;
    }
  }
  if ((resumed | resume_.adopted_vdevs | resume_.lost_vdevs) == 0) {
    resume_.blank_vdevs = 0; // nobody has used any ring: a first life like every other
    if (chosen.use == StateUse::live) begin_reset(state_.remote());
    return;
  }
  describe(chosen);
}

void Remote::describe(const ChosenState& chosen) {
  RemoteRecord& record = state_.remote();
  if (chosen.use == StateUse::damaged) { // a new block: that its rings are in use must be in it
    if (record.generation == 0) persist_store(record.generation, 1);
    store_phase(record, RemotePhase::attached);
  }
  if (resume_.lost_vdevs != 0) {
    resume_.kind = Resume::Kind::lost;
    resume_.reason = because(chosen.reason) + " and the rings of " + list_of(resume_.lost_vdevs) +
                     " do not say enough: the firmware must initialise its RPMsg stack again";
  } else if (resume_.adopted_vdevs != 0) {
    resume_.kind = Resume::Kind::adopted;
    resume_.reason = because(chosen.reason) + ": took " + list_of(resume_.adopted_vdevs) +
                     " over from the rings, what was under way may be lost";
  } else {
    resume_.kind = Resume::Kind::resumed;
    resume_.reason = "resumed";
  }
}

} // namespace rpmsg
