// SPDX-License-Identifier: Apache-2.0
// One M core of the board: its MU, its interrupts, its windows of DDR, and who is attached to it.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>

#include "sim/fd.h"
#include "sim/protocol.h"
#include "sim/soc/board.h"

namespace rpmsg::sim {

/// A memfd sealed against resizing, so that no client can make another's mapping fault.
Fd make_memory(const char* name, uint64_t bytes);

class Core {
public:
  /// Where this core's windows lie in the DDR memfd is handed in; they follow each other.
  Core(const SocInfo& soc, const CoreInfo& info, uint64_t ddr_offset, bool clear_on_death);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  ~Core();

  /// False if the system gave no memory or descriptors.
  bool create();
  static uint64_t ddr_bytes(const SocInfo& soc);

  const CoreInfo& info() const { return info_; }
  pid_t attached(uint32_t role) const { return attached_[role - 1]; }
  /// Fills what a client of that role is told; the descriptors in the protocol's order.
  void describe(uint32_t role, rpmsg_sim_reply& reply) const;
  std::array<int, RPMSG_SIM_FD_COUNT> descriptors(uint32_t role, int ddr_fd) const;

  void attach(uint32_t role, pid_t pid);
  void detach(uint32_t role);

private:
  uint32_t side_of(uint32_t role) const;
  void wake_both();
  void reset_mu(uint32_t side);

  const SocInfo& soc_;
  const CoreInfo& info_;
  uint64_t ddr_offset_;
  bool clear_on_death_;
  Fd mu_fd_;
  std::array<Fd, 2> interrupts_; // by side
  rpmsg_sim_mu* mu_ = nullptr;
  std::array<pid_t, 2> attached_ = {0, 0}; // by role - 1
};

} // namespace rpmsg::sim
