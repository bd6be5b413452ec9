// SPDX-License-Identifier: Apache-2.0
// The interrupt groups of SCFW for the one MU that it serves: what is pending, what is enabled.
#pragma once

#include <array>
#include <cstdint>

#include "scu/scfw_api.h"

namespace rpmsg::sim {

/// Both live as long as the board: the death of a client takes back no enable and loses no bit.
class ScfwIrq {
public:
  /// True if the doorbell is to ring: one of `bits` is enabled.
  bool trigger(uint32_t group, uint32_t bits) {
    pending_[group] |= bits;
    return (enabled_[group] & bits) != 0;
  }
  /// True if the doorbell is to ring: something that is enabled now was pending already.
  bool enable(uint32_t group, uint32_t bits) {
    enabled_[group] |= bits;
    return (enabled_[group] & pending_[group]) != 0;
  }
  void disable(uint32_t group, uint32_t bits) { enabled_[group] &= ~bits; }
  /// What was pending, masked bits too, and pending no more.
  uint32_t take(uint32_t group) {
    const uint32_t bits = pending_[group];
    pending_[group] = 0;
    return bits;
  }

  uint32_t pending(uint32_t group) const { return pending_[group]; }
  uint32_t enabled(uint32_t group) const { return enabled_[group]; }

private:
  std::array<uint32_t, SCFW_IRQ_GROUPS> pending_ = {};
  std::array<uint32_t, SCFW_IRQ_GROUPS> enabled_ = {};
};

} // namespace rpmsg::sim
