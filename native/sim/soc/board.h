// SPDX-License-Identifier: Apache-2.0
// The SoCs that can be simulated: cores, MU generation, DDR windows, what their firmware addresses.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "sim/protocol.h"

namespace rpmsg::sim {

constexpr uint32_t kMaxVdevs = 8;
constexpr uint64_t kVringStride = 0x10000;  // vring0 and vring1 of one vdev, 0x8000 each
constexpr uint64_t kBufferStride = 0x40000; // 2 x 256 buffers of 512 bytes

struct CoreInfo {
  const char* name;
  uint64_t vring_base;
  uint64_t buffer_base;
  // Only where there is SCFW: the partition the core is in, and what SCFW calls its program and
  // its end of an SCU MU.
  uint8_t partition = 0;
  uint16_t program_resource = 0;
  uint16_t mu_resource = 0;
};

struct SocInfo {
  const char* name;
  rpmsg_sim_mu_generation mu_generation;
  uint32_t host_side; // 0 = A, 1 = B
  uint32_t max_vdevs;
  uint32_t word_mask;
  uint64_t vring_window_bytes; // per core, from vring_base
  std::span<const CoreInfo> cores;
  bool has_scfw = false;
};

/// Null if no SoC has that name.
const SocInfo* find_soc(const std::string& name);
/// All names, separated by ", ".
std::string soc_names();
std::string core_names(const SocInfo& soc);

} // namespace rpmsg::sim
