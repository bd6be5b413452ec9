// SPDX-License-Identifier: Apache-2.0
// One look at a Messaging Unit from outside of its driver, for who finds out what is wrong with it.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "mu/mu_layout.h"
#include "mu/register_window.h"

namespace rpmsg {

struct MuRegister {
  uint32_t offset = 0; // in bytes
  uint32_t value = 0;
};

/// What the status and control registers of our side said. Sets have bit n for channel n, or for
/// general interrupt n. Plain data.
struct MuState {
  uint8_t transmit_empty = 0;    // TE: our word was taken
  uint8_t receive_full = 0;      // RF: a word waits
  uint8_t doorbells_pending = 0; // GIP
  uint8_t transmit_enabled = 0;  // TIE
  uint8_t receive_enabled = 0;   // RIE
  uint8_t doorbells_enabled = 0; // GIE
  uint8_t doorbells_ringing = 0; // GIR: ours, which the other side has not acknowledged
  uint8_t own_flags = 0;         // Fn as we show it, bits 2:0
  uint8_t remote_flags = 0;      // Fn as the other side shows it
  bool flags_crossing = false;   // FUP
  /// Every register that was read, in the order of their offsets.
  std::span<const MuRegister> registers() const { return {all.data(), count}; }

  std::array<MuRegister, 12> all; // V2 has ten
  uint32_t count = 0;
};

/// Reads each status and control register that a generation's table names once, and nothing else:
/// RRn above all is left alone, as reading it takes the word. Nothing is written. Any thread,
/// beside the driver's.
MuState read_mu_state(RegisterWindow& registers, MuGeneration generation);

} // namespace rpmsg
