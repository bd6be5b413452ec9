// SPDX-License-Identifier: Apache-2.0
// The reserved DDR of the board: windows at physical addresses, in a memfd or in the maps of a UIO
// device, and the segments by which clients are told of them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/fd.h"
#include "sim/protocol.h"

namespace rpmsg::sim {

struct Window {
  uint64_t physical;
  uint64_t bytes;
};

class BoardMemory {
public:
  /// A memfd with the windows one after another. False, with errno, if the system gives none.
  bool make(std::span<const Window> windows);
  /// The UIO device of that name, whose maps must have every window at its very address: it is
  /// locked, and the windows are zeroed, as a new board's are. Waits 2 s at most for the clients of
  /// an earlier board, which end when they see its end. A sentence if it cannot be.
  std::string open_uio(const std::string& name, std::span<const Window> windows);

  int fd() const { return fd_.get(); }
  /// Writes the segments that have these windows to `segments`, each once; returns how many. A map
  /// of a UIO device is one segment, all of it: it cannot be mapped in part.
  uint32_t describe(std::span<const Window> windows, rpmsg_sim_segment* segments) const;

private:
  const rpmsg_sim_segment* segment_of(const Window& window) const;
  std::string zero(const Window& window);

  Fd fd_;
  std::vector<rpmsg_sim_segment> segments_;
};

} // namespace rpmsg::sim
