// SPDX-License-Identifier: Apache-2.0
// The firmware's side of the MU, written from README.md alone: it shares no code with the host's
// model, so that each proves the other. It can be told to die between any two steps.
#pragma once

#include <cstdint>

#include "sim/firmware/fault.h"
#include "sim/protocol.h"

namespace rpmsg::sim {

constexpr uint32_t kRpmsgChannel = 1;  // the channel every RPMsg-Lite port uses
constexpr uint32_t kReadyDoorbell = 1; // rxdb of the Linux device trees

class Mu {
public:
  Mu(rpmsg_sim_mu* wires, uint32_t side, int own_interrupt, int peer_interrupt,
     const FaultPlan& plan)
      : wires_(wires), side_(side), interrupts_{side == 0 ? own_interrupt : peer_interrupt,
                                                side == 0 ? peer_interrupt : own_interrupt},
        plan_(plan) {}

  bool transmit_empty() const;
  /// Only with TE.
  void write_transmit(uint32_t word);
  bool receive_full() const;
  /// Only with RF.
  uint32_t read_receive();

  void ring(uint32_t doorbell);
  void set_flags(uint32_t flags);
  void enable(bool receive, bool transmit_empty);

  /// Takes an interrupt: the line stays masked until unmask().
  void consume_interrupt();
  void unmask();
  int interrupt_fd() const { return interrupts_[side_]; }

private:
  bool level(uint32_t side) const;
  void raise(uint32_t side);
  void step(Step at);

  rpmsg_sim_mu* wires_;
  uint32_t side_;
  int interrupts_[2];
  const FaultPlan& plan_;
  uint32_t steps_ = 0;
};

} // namespace rpmsg::sim
