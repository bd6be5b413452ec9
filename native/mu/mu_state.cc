// SPDX-License-Identifier: Apache-2.0
// i.MX8QXP RM, i.MX7ULP RM, i.MX93 RM (MU): of all registers only RRn does something when it is
// read.
#include "mu/mu_state.h"

#include <algorithm>

namespace rpmsg {
namespace {

/// Reads registers into a state, each once: several fields may be in one, and are of one moment.
class OneLook {
public:
  OneLook(RegisterWindow& registers, MuState& state) : registers_(registers), state_(state) {}

  uint32_t at(uint32_t offset) {
    for (const MuRegister& known : state_.registers())
      if (known.offset == offset) return known.value;
    MuRegister& next = state_.all[state_.count++];
    next = {offset, registers_.read32(offset)};
    return next.value;
  }
  uint8_t channels(const MuField& field) { return field.channels(at(field.offset)); }
  uint8_t flags(uint32_t offset) { return static_cast<uint8_t>(at(offset) & kMuFlagsMask); }

private:
  RegisterWindow& registers_;
  MuState& state_;
};

} // namespace

MuState read_mu_state(RegisterWindow& registers, MuGeneration generation) {
  const MuLayout& layout = mu_layout(generation);
  MuState state;
  OneLook look(registers, state);
  state.transmit_empty = look.channels(layout.transmit_empty);
  state.receive_full = look.channels(layout.receive_full);
  state.doorbells_pending = look.channels(layout.doorbell_pending);
  state.transmit_enabled = look.channels(layout.transmit_enable);
  state.receive_enabled = look.channels(layout.receive_enable);
  state.doorbells_enabled = look.channels(layout.doorbell_enable);
  state.doorbells_ringing = look.channels(layout.doorbell_ring);
  state.own_flags = look.flags(layout.own_flags);
  state.remote_flags = look.flags(layout.remote_flags);
  state.flags_crossing = look.at(layout.flags_update) & layout.flags_update_bit;
  std::sort(state.all.begin(), state.all.begin() + state.count,
            [](const MuRegister& a, const MuRegister& b) { return a.offset < b.offset; });
  return state;
}

} // namespace rpmsg
