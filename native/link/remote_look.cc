// SPDX-License-Identifier: Apache-2.0
// How one remote is looked at, and how long before the link thread may sleep.
#include <algorithm>
#include <mutex>

#include "base/clock.h"
#include "link/remote.h"

namespace rpmsg {

namespace {

using Lock = std::lock_guard<PiMutex>;

// What one vdev takes of a turn before the next one gets its own, and words before a ring does.
constexpr uint32_t kVdevBudget = 32;
constexpr uint32_t kWordBudget = 8;
// What a remote needs at most from the word that was taken to its next message.
constexpr uint64_t kGatherNs = 4'000;
// What is taken in a burst before it is told: messages and words.
constexpr uint32_t kBurstBudget = 256;

} // namespace

/// Until two looks found nothing; true if one did find something.
bool Remote::look_twice(uint32_t& budget, uint64_t now_ns) {
  bool any = false;
  for (unsigned empty_looks = 0; budget > 0 && empty_looks < 2;) {
    const bool found = look(budget, now_ns);
    empty_looks = found ? 0 : empty_looks + 1;
    any = any || found;
  }
  found_ = found_ || any;
  if (any) burst_.on_found(monotonic_ns());
  return any;
}

bool Remote::look_on() {
  // What ended the turn's work early, be it a command that comes first, ends this too.
  bool found = false;
  while (looks_on_ && !found && burst_.is_on(monotonic_ns())) {
    uint32_t budget = kBurstBudget;
    found = look_twice(budget, service_ns_);
    if (found) {
      // As at the end of service(): a doorbell before what counts as the use of a ring.
      take_ready(budget, service_ns_);
      life_.on_progress(service_ns_);
    }
    looks_on_ = budget > 0;
  }
  return found && looks_on_;
}

/// In a burst messages for streams are gathered for a moment: one system call, and one wake-up of a
/// client, for several of them.
bool Remote::may_gather() {
  if (is_full_ || undelivered_ >= kStreamBatch) return false;
  const uint64_t now_ns = monotonic_ns();
  return burst_.is_on(now_ns) && now_ns - last_reaped_ns_ < kGatherNs;
}

bool Remote::deliver_streams(uint32_t& budget) {
  bool found = false;
  undelivered_ = 0;
  is_full_ = false;
  for (auto& vdev : vdevs_) {
    if (budget == 0) break;
    const uint32_t moved = streams_.deliver(*vdev, life_.generation(), budget);
    budget -= std::min(budget, moved);
    if (moved > 0 && vdev->is_lossless()) give_back_empties(*vdev);
    found = moved > 0 || found;
  }
  return found;
}

bool Remote::drain_words(uint32_t& budget) {
  bool found = false;
  uint32_t word = 0;
  for (uint32_t i = 0; i < kWordBudget && budget > 0; ++i) {
    if (!mu_.receive(kRpmsgMuChannel, word)) break;
    found = true;
    --budget;
    // A hint only: every ring is looked at whatever it says. One that names no queue of ours is
    // counted where it can be seen.
    const uint32_t queue = word >> 16;
    const bool known = (queue >> 1) < vdevs_.size();
    Vdev& vdev = *vdevs_[known ? queue >> 1 : 0];
    (known ? vdev.counters().rx_words : vdev.counters().rx_malformed).add();
  }
  return found;
}

bool Remote::reap(Vdev& vdev, uint32_t& budget) {
  if (vdev.state() == VdevState::faulted || vdev.state() == VdevState::down) return false;
  const bool found = take_messages(vdev, budget);
  give_back_empties(vdev); // all at once: one look at a time is cheaper than one a message
  return found;
}

/// Empty buffers go back to the remote, which is told only if it had none left.
void Remote::give_back_empties(Vdev& vdev) {
  if (!vdev.post_empties() || !vdev.rx().remote_wants_kick()) return;
  const Lock lock(mutex_);
  words_.kick(vdev.rx_queue_id());
}

bool Remote::take_messages(Vdev& vdev, uint32_t& budget) {
  bool found = false;
  for (uint32_t taken = 0; taken < kVdevBudget && budget > 0; ++taken) {
    drain_words(budget); // before each message: a remote spins in its send until RR is read
    const auto outcome = receive_.receive_one(vdev, life_.generation());
    if (outcome == ReceivePath::Outcome::nothing) return found;
    if (outcome == ReceivePath::Outcome::full) {
      is_full_ = true;
      return found;
    }
    if (outcome == ReceivePath::Outcome::deferred) {
      budget = 0; // ends this turn: commands come first in the next one
      return true;
    }
    if (outcome == ReceivePath::Outcome::fault) {
      const uint64_t now_ns = monotonic_ns();
      take_ready(budget, now_ns); // before anything counts as used, as in service()
      life_.on_progress(now_ns);
      return true;
    }
    found = true;
    ++undelivered_;
    if (budget > 0) --budget;
  }
  return found;
}

} // namespace rpmsg
