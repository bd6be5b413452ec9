// SPDX-License-Identifier: Apache-2.0
// How packets of clients that write as fast as they can are taken from their sockets. A client that
// finds the link thread asleep pays for waking it, and each system call that finds a packet or two
// costs several times what a message does: in a burst they are let come for a moment.
#pragma once

#include <cstdint>

#include "link/burst.h"

namespace rpmsg {

/// Of one vdev. Link thread.
class PacketPace {
public:
  /// Packets came to a socket that was empty. As with interrupts, single packets, round trips and a
  /// steady trickle begin no burst.
  void on_edge(uint64_t now_ns) { burst_.on_interrupt(now_ns); }

  /// What is in the sockets is better taken a little later.
  bool may_gather(uint64_t now_ns) {
    is_gathering_ = was_dry_ && burst_.is_on(now_ns) && now_ns - taken_ns_ < kGatherNs;
    return is_gathering_;
  }

  /// So many packets were taken; `is_dry`: no socket is known to hold more.
  void on_taken(uint32_t packets, bool is_dry, uint64_t now_ns) {
    is_gathering_ = false;
    was_dry_ = is_dry;
    if (packets == 0) return;
    taken_ns_ = now_ns;
    burst_.on_found(now_ns);
  }
  /// No socket is known to hold any.
  void on_none() { is_gathering_ = false; }

  /// The link thread is to look on rather than sleep.
  bool is_on(uint64_t now_ns) { return is_gathering_ || burst_.is_on(now_ns); }

private:
  // Below the patience of a burst, and so short that a socket of the usual size, which holds some
  // 270 packets, is not filled meanwhile.
  static constexpr uint64_t kGatherNs = 18'000;

  // No longer than the patience: to look on for a client whose packets come later than that would
  // be for nothing.
  static constexpr uint64_t kGapNs = 20'000;

  Burst burst_{kGapNs};
  uint64_t taken_ns_ = 0; // when packets were last taken
  bool was_dry_ = false;  // after that
  bool is_gathering_ = false;
};

} // namespace rpmsg
