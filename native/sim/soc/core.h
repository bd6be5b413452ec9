// SPDX-License-Identifier: Apache-2.0
// One M core of the board: its MU, its interrupts, its windows of DDR, and who is attached to it.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>

#include "sim/protocol.h"
#include "sim/soc/board.h"
#include "sim/soc/board_memory.h"
#include "sim/soc/board_mu.h"

namespace rpmsg::sim {

class Core {
public:
  /// The memory must outlive the core, and have its windows().
  Core(const SocInfo& soc, const CoreInfo& info, const BoardMemory& memory, bool clear_on_death);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  /// False if the system gave no memory or descriptors.
  bool create() { return mu_.create("rpmsg-mu"); }
  /// The reserved DDR of a core: rings, buffers.
  static std::array<Window, 2> windows(const SocInfo& soc, const CoreInfo& info);

  const CoreInfo& info() const { return info_; }
  pid_t attached(uint32_t role) const { return attached_[role - 1]; }
  /// Fills what a client of that role is told; the descriptors in the protocol's order.
  void describe(uint32_t role, rpmsg_sim_reply& reply) const;
  std::array<int, RPMSG_SIM_FD_COUNT> descriptors(uint32_t role) const;

  void attach(uint32_t role, pid_t pid);
  void detach(uint32_t role);

private:
  uint32_t side_of(uint32_t role) const;

  const SocInfo& soc_;
  const CoreInfo& info_;
  const BoardMemory& memory_;
  bool clear_on_death_;
  BoardMu mu_;
  std::array<pid_t, 2> attached_ = {0, 0}; // by role - 1
};

} // namespace rpmsg::sim
