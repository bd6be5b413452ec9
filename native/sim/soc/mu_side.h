// SPDX-License-Identifier: Apache-2.0
// SCFW's side of its MU: the register accesses of README.md, by a processor that never waits.
#pragma once

#include <cstdint>

#include "sim/soc/board_mu.h"

namespace rpmsg::sim {

class MuSide {
public:
  MuSide(BoardMu& mu, uint32_t side) : mu_(mu), side_(side) {}

  bool transmit_empty(uint32_t channel);
  /// Only with TE.
  void write_transmit(uint32_t channel, uint32_t word);
  /// False if RR is empty.
  bool read_receive(uint32_t channel, uint32_t& word);
  void ring(uint32_t doorbell);
  bool pending(uint32_t doorbell);
  void clear_pending(uint32_t doorbell);
  /// Interrupts on: bit n = channel or doorbell n.
  void enable(uint32_t receive, uint32_t transmit_empty, uint32_t doorbells);

  /// Takes an interrupt: the line stays masked until unmask().
  void consume_interrupt();
  void unmask();

private:
  bool level(uint32_t side);
  void raise(uint32_t side);

  BoardMu& mu_;
  uint32_t side_;
};

} // namespace rpmsg::sim
