// SPDX-License-Identifier: Apache-2.0
// One side's view of a simulated Messaging Unit: the atomic steps that native/sim/README.md gives
// for each access, before any generation's register offsets come into it.
#pragma once

#include <cstdint>

#include "sim/protocol.h"

namespace rpmsg {

/// Lock-free. Any thread, with the register's own rule: one writer a TR, one reader a RR.
class MuWires {
public:
  /// `wires` outlives this object; `side` is 0 (A) or 1 (B). The two eventfds are borrowed.
  MuWires(rpmsg_sim_mu* wires, uint32_t side, int own_interrupt_fd, int peer_interrupt_fd);

  void write_transmit(uint32_t channel, uint32_t word);
  uint32_t read_receive(uint32_t channel);
  /// Bit n is TEn / RFn of channel n.
  uint32_t transmit_empty() const;
  uint32_t receive_full() const;

  void ring(uint32_t doorbells);
  /// Bit n: our ring n is not yet cleared by the peer (GIRn); the peer's ring n is pending (GIPn).
  uint32_t rung() const;
  uint32_t pending() const;
  void clear_pending(uint32_t doorbells);

  void set_flags(uint32_t flags);
  uint32_t own_flags() const;
  uint32_t peer_flags() const;

  void set_transmit_enables(uint32_t bits);
  void set_receive_enables(uint32_t bits);
  void set_general_enables(uint32_t bits);
  uint32_t transmit_enables() const;
  uint32_t receive_enables() const;
  uint32_t general_enables() const;
  /// To be called after enables changed: an event that was waiting fires now.
  void enables_changed();

  /// Lets the line fire again, at once if its level is up.
  void unmask();
  /// How often this side wrote a TR that was full.
  uint32_t overruns() const;

private:
  bool level(uint32_t side) const;
  void raise(uint32_t side);
  rpmsg_sim_direction& out() const { return wires_->from[side_]; }
  rpmsg_sim_direction& in() const { return wires_->from[1 - side_]; }
  rpmsg_sim_side& own() const { return wires_->side[side_]; }

  rpmsg_sim_mu* wires_;
  uint32_t side_;
  int interrupt_fd_[2]; // by side
};

} // namespace rpmsg
