// SPDX-License-Identifier: Apache-2.0
// A Messaging Unit's registers as an object, so that one driver serves silicon (a UIO mapping) and
// the simulated SoC (wires in shared memory) and cannot tell them apart.
#pragma once

#include <cstdint>

namespace rpmsg {

class RegisterWindow {
public:
  virtual ~RegisterWindow() = default;
  /// One 32-bit access at a byte offset from the start of the MU. Reads may have side effects
  /// (RRn clears RFn). Link thread, or under the remote's send mutex for TR and CR.
  virtual uint32_t read32(uint32_t offset) = 0;
  virtual void write32(uint32_t offset, uint32_t value) = 0;
};

} // namespace rpmsg
