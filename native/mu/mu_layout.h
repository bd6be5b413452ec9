// SPDX-License-Identifier: Apache-2.0
// The Messaging Unit's registers as data: one table a generation, so that there is one driver and
// no copy of it for a SoC. Sources: i.MX8QXP RM (MU), i.MX7ULP RM (MU), i.MX93 RM (MU).
#pragma once

#include <cassert>
#include <cstdint>

#include "mu/mu_generation.h"

namespace rpmsg {

/// Data channels, and general interrupts, of one MU.
inline constexpr unsigned kMuChannels = 4;

/// One bit a channel in one register. V1 counts channels down from the top bit of a group, V2
/// counts them up from bit 0.
struct MuField {
  uint32_t offset; // of the register, in bytes
  uint8_t channel0_bit;
  int8_t step; // from a channel's bit to that of the next

  constexpr uint32_t bit(unsigned channel) const {
    assert(channel < kMuChannels);
    return 1u << (channel0_bit + step * static_cast<int>(channel));
  }
  /// The bits of all channels.
  constexpr uint32_t mask() const { return bit(0) | bit(1) | bit(2) | bit(3); }
  /// The bits of the channels in a set: bit n = channel n.
  constexpr uint32_t bits(uint8_t channels) const {
    uint32_t found = 0;
    for (unsigned channel = 0; channel < kMuChannels; channel++)
      if (channels >> channel & 1) found |= bit(channel);
    return found;
  }
  /// The channels whose bits are set in a register's value: bit n = channel n.
  constexpr uint8_t channels(uint32_t value) const {
    uint8_t found = 0;
    for (unsigned channel = 0; channel < kMuChannels; channel++)
      if (value & bit(channel)) found = static_cast<uint8_t>(found | 1u << channel);
    return found;
  }
};

/// One MU of one generation, as seen by the side that owns it.
struct MuLayout {
  uint32_t window_bytes; // from the start to the end of the last register that is used

  uint32_t transmit; // TR0; channel n at + 4n
  uint32_t receive;  // RR0; channel n at + 4n

  MuField transmit_empty;   // TE: our word was taken
  MuField receive_full;     // RF: a word waits
  MuField doorbell_pending; // GIP: the other side rang; write 1 to clear

  MuField transmit_enable; // TIE
  MuField receive_enable;  // RIE
  MuField doorbell_enable; // GIE
  MuField doorbell_ring;   // GIR: write 1 to ring, reads 1 until the other side clears its GIP

  uint32_t own_flags;    // register whose bits 2:0 are Fn shown to the other side
  uint32_t remote_flags; // register whose bits 2:0 are Fn shown by the other side
  uint32_t flags_update; // register with FUP: an update of Fn is still crossing
  uint32_t flags_update_bit;

  /// Bits of the register with GIR that do something when a 1 is written back: GIR itself, NMI
  /// (which reaches a core that cannot refuse it) and MUR (which resets both sides).
  uint32_t action_bits;
};

/// Fn, bits 2:0 of own_flags and remote_flags.
inline constexpr uint32_t kMuFlagsMask = 0x7;

/// The table of a generation; constant, any thread.
const MuLayout& mu_layout(MuGeneration generation);

} // namespace rpmsg
