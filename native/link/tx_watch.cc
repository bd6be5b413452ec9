// SPDX-License-Identifier: Apache-2.0
#include "link/tx_watch.h"

#include <algorithm>

#include "base/clock.h"

namespace rpmsg {

namespace {

constexpr uint64_t kFirstPollNs = 1 * kNsPerMs;
constexpr uint64_t kLastPollNs = 10 * kNsPerMs;
constexpr uint64_t kFirstWordNs = 100 * kNsPerMs;
constexpr uint64_t kLastWordNs = 5000 * kNsPerMs;

} // namespace

bool TxWatch::after_look(uint32_t vdev, bool waits, bool in_flight, uint64_t used_position,
                         uint64_t now_ns) {
  State& state = states_[vdev];
  const bool progress = used_position != state.used_position;
  state.used_position = used_position;
  if (!waits) {
    state.poll_at_ns = kNever;
  } else if (progress || state.poll_at_ns == kNever) {
    state.poll_interval_ns = kFirstPollNs;
    state.poll_at_ns = now_ns + state.poll_interval_ns;
  } else if (state.poll_at_ns <= now_ns) {
    state.poll_interval_ns = std::min(state.poll_interval_ns * 2, kLastPollNs);
    state.poll_at_ns = now_ns + state.poll_interval_ns;
  }
  if (!in_flight) {
    // While there is traffic it goes on: else each of many single messages would have to wake us.
    state.word_interval_ns = 0;
    if (progress)
      state.word_at_ns = now_ns + kFirstWordNs;
    else if (state.word_at_ns <= now_ns)
      state.word_at_ns = kNever;
    return false;
  }
  if (progress || state.word_interval_ns == 0) {
    state.word_interval_ns = kFirstWordNs;
    state.word_at_ns = now_ns + state.word_interval_ns;
    return false;
  }
  if (state.word_at_ns > now_ns) return false;
  state.word_interval_ns = std::min(state.word_interval_ns * 2, kLastWordNs);
  state.word_at_ns = now_ns + state.word_interval_ns;
  return true;
}

uint64_t TxWatch::next_look() const {
  uint64_t earliest = kNever;
  for (const State& state : states_) {
    earliest = std::min({earliest, state.poll_at_ns, state.word_at_ns});
  }
  return earliest;
}

bool TxWatch::is_idle() const {
  return next_look() == kNever;
}

} // namespace rpmsg
