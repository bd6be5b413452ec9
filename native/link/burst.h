// SPDX-License-Identifier: Apache-2.0
// When to look on for a moment instead of sleeping. A remote sends one word a message and waits
// until it is taken: in a burst the next message comes sooner than its interrupt would be served,
// and each sleep in between costs both sides several times what a message does.
#pragma once

#include <cstdint>

namespace rpmsg {

class Burst {
public:
  /// `gap_ns`: how closely something must follow the last for a burst to begin.
  explicit Burst(uint64_t gap_ns = kGapNs) : gap_ns_(gap_ns) {}

  /// An interrupt came. A burst is on if it follows the last message closely: single messages and
  /// round trips never begin one.
  void on_interrupt(uint64_t now_ns) {
    is_on_ = now_ns - last_ns_ < gap_ns_;
    last_ns_ = now_ns;
  }
  void on_found(uint64_t now_ns) { last_ns_ = now_ns; }
  /// Ends it when nothing has come for about as long as a sleep and an interrupt take.
  bool is_on(uint64_t now_ns) {
    is_on_ = is_on_ && now_ns - last_ns_ < kPatienceNs;
    return is_on_;
  }

private:
  static constexpr uint64_t kGapNs = 40'000;
  static constexpr uint64_t kPatienceNs = 20'000;

  uint64_t gap_ns_;
  uint64_t last_ns_ = 0; // when something came last
  bool is_on_ = false;
};

} // namespace rpmsg
