// SPDX-License-Identifier: Apache-2.0
// Where one remote's rings and buffers lie, as the configuration says and the addon has re-checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "platform/uio/uio_devices.h"
#include "virtio/queue_geometry.h"

namespace rpmsg {

/// Eight vdevs are all a remote can have: sixteen virtqueues, the ids that fit a MU word of the
/// RPMsg-Lite ports (RL_PLATFORM_MAX_ISR_COUNT 32, two a link).
inline constexpr uint32_t kMaxVdevs = 8;

struct RemoteSetup {
  std::optional<UioBoard> uio;  // on devices of this machine; else on the simulated board
  UioName scu_mu;               // with `uio`: the MU by which SCFW is called; empty: SCFW is not
  uint16_t scu_mu_resource = 0; // and what SCFW calls it
  std::string sim_socket;       // rpmsg-soc's attach socket
  std::string core;             // the core's name on that board
  std::string soc;              // what the board must say it is; empty: whatever it is
  std::string state_file;       // what outlives this process; empty: nothing does
  uint32_t vdevs = 1;
  uint64_t vring_base = 0;     // physical, of vdev 0's vring0
  uint64_t vring_stride = 0;   // bytes from one vdev's vring0 to the next one's
  uint64_t vring1_offset = 0;  // bytes from a vdev's vring0 to its vring1
  uint64_t buffer_base = 0;    // physical, of vdev 0's buffers
  uint64_t buffer_stride = 0;  // bytes from one vdev's buffers to the next one's
  uint64_t table_base = 0;     // physical, of the resource table
  uint64_t table_bytes = 0;    // its place; 0: there is none
  QueueGeometry geometry;      // of every ring
  uint32_t slots = 1024;       // of each vdev's arena
  int32_t partition = -1;      // SCFW's number of the core's partition; -1: ask SCFW
  uint32_t ready_wait_ms = 50; // until link-up words are tried without evidence of readiness
  uint32_t lossless_vdevs = 0; // bit n: vdev n withholds empty buffers rather than drop messages

  uint64_t half_bytes() const {
    return static_cast<uint64_t>(geometry.num) * geometry.buffer_bytes;
  }
};

} // namespace rpmsg
