// SPDX-License-Identifier: Apache-2.0
// The memory and the two interrupt lines of one Messaging Unit, as the board owns them.
#pragma once

#include <array>
#include <cstdint>

#include "sim/fd.h"
#include "sim/protocol.h"

namespace rpmsg::sim {

/// A memfd sealed against resizing, so that no client can make another's mapping fault.
Fd make_memory(const char* name, uint64_t bytes);

class BoardMu {
public:
  static constexpr uint64_t kBytes = 4096;

  BoardMu() = default;
  BoardMu(const BoardMu&) = delete;
  BoardMu& operator=(const BoardMu&) = delete;
  ~BoardMu();

  /// False if the system gave no memory or descriptors. `name` shows in /proc/*/maps.
  bool create(const char* name);
  rpmsg_sim_mu& wires() { return *wires_; }
  int interrupt(uint32_t side) const { return interrupts_[side].get(); }
  /// What a client on `side` is handed, in the protocol's order.
  std::array<int, RPMSG_SIM_FD_COUNT> descriptors(uint32_t side, int ddr_fd) const;

  /// Closes the one gap of the model: a side that died between changing a wire and writing the
  /// eventfd. A spurious interrupt is legal, so both are told each time.
  void wake_both();
  /// Makes what `side` drives, what waits for it and its enables those of a fresh board.
  void reset(uint32_t side);

private:
  Fd memory_;
  std::array<Fd, 2> interrupts_; // by side
  rpmsg_sim_mu* wires_ = nullptr;
};

} // namespace rpmsg::sim
