// SPDX-License-Identifier: Apache-2.0
// MU words in both directions, and the only places where this program sleeps.
#pragma once

#include <cstdint>

#include "sim/firmware/mu.h"

namespace rpmsg::sim {

class WordPort {
public:
  WordPort(Mu& mu, uint32_t word_mask, int power_line, const FaultPlan& plan)
      : mu_(mu), word_mask_(word_mask), power_line_(power_line), plan_(plan) {}

  void open();
  /// What the receive interrupt does: reads RR and notes the queue.
  void drain();
  /// The queues named since the last call, as bits.
  uint32_t take_pending();
  bool has_pending() const { return pending_ != 0; }
  /// Tells the host about queue `vq`; looks at TE twice, then sleeps until it is set, taking
  /// words in meanwhile.
  void kick(uint32_t vq) { send((vq & word_mask_) << 16); }
  void send(uint32_t word);
  /// Until an interrupt, a signal or the timeout (-1: none). Ends the program if the SoC is gone.
  void sleep(int timeout_ms);

private:
  Mu& mu_;
  uint32_t word_mask_;
  int power_line_;
  const FaultPlan& plan_;
  uint32_t pending_ = 0;
  uint32_t words_ = 0;
  bool deaf_ = false;
};

} // namespace rpmsg::sim
