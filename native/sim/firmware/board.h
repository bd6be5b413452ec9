// SPDX-License-Identifier: Apache-2.0
// The firmware's half of the attach protocol: the power line, the memory and the MU of one core.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "sim/fd.h"
#include "sim/protocol.h"

namespace rpmsg::sim {

class AttachedBoard {
public:
  AttachedBoard() = default;
  AttachedBoard(const AttachedBoard&) = delete;
  AttachedBoard& operator=(const AttachedBoard&) = delete;
  ~AttachedBoard();

  /// An empty string, or a sentence that says why not.
  std::string attach(const std::string& socket_path, const std::string& core);

  const rpmsg_sim_reply& reply() const { return reply_; }
  rpmsg_sim_mu* mu() const { return mu_; }
  int descriptor(rpmsg_sim_descriptor index) const { return descriptors_[index].get(); }
  /// Hangs up when the SoC is gone.
  int power_line() const { return socket_.get(); }
  /// Where a physical range is mapped, or null if no segment holds all of it.
  uint8_t* at(uint64_t physical, uint64_t length) const {
    for (uint32_t i = 0; i < reply_.segment_count; i++) {
      const rpmsg_sim_segment& s = reply_.segments[i];
      const uint64_t offset = physical - s.physical;
      if (offset < s.length && length <= s.length - offset) return bases_[i] + offset;
    }
    return nullptr;
  }

private:
  std::string exchange(const std::string& path, const std::string& core);
  std::string receive();
  std::string map();

  Fd socket_;
  rpmsg_sim_reply reply_ = {};
  std::array<Fd, RPMSG_SIM_FD_COUNT> descriptors_;
  rpmsg_sim_mu* mu_ = nullptr;
  std::array<uint8_t*, RPMSG_SIM_MAX_SEGMENTS> bases_ = {};
};

} // namespace rpmsg::sim
