// SPDX-License-Identifier: Apache-2.0
// The three tables. i.MX7ULP is V1 with its registers spread out; V2 splits SR and CR by event
// kind.
#include "mu/mu_layout.h"

namespace rpmsg {
namespace {

constexpr MuLayout v1_bits(uint32_t transmit, uint32_t receive, uint32_t status, uint32_t control) {
  constexpr uint32_t kFlagUpdatePending = 1u << 8;
  constexpr uint32_t kReset = 1u << 5;
  constexpr uint32_t kNmi = 1u << 3;
  const MuField ring{control, 19, -1};
  return MuLayout{
      .window_bytes = control + 4,
      .transmit = transmit,
      .receive = receive,
      .transmit_empty = {status, 23, -1},
      .receive_full = {status, 27, -1},
      .doorbell_pending = {status, 31, -1},
      .transmit_enable = {control, 23, -1},
      .receive_enable = {control, 27, -1},
      .doorbell_enable = {control, 31, -1},
      .doorbell_ring = ring,
      .own_flags = control,
      .remote_flags = status,
      .flags_update = status,
      .flags_update_bit = kFlagUpdatePending,
      .action_bits = ring.mask() | kReset | kNmi,
  };
}

constexpr MuLayout kV1 = v1_bits(0x00, 0x10, 0x20, 0x24);
constexpr MuLayout kImx7ulp = v1_bits(0x20, 0x40, 0x60, 0x64);
constexpr MuLayout kV2 = {
    .window_bytes = 0x280 + 4 * kMuChannels,
    .transmit = 0x200,
    .receive = 0x280,
    .transmit_empty = {0x124, 0, 1},
    .receive_full = {0x12C, 0, 1},
    .doorbell_pending = {0x118, 0, 1},
    .transmit_enable = {0x120, 0, 1},
    .receive_enable = {0x128, 0, 1},
    .doorbell_enable = {0x110, 0, 1},
    .doorbell_ring = {0x114, 0, 1},
    .own_flags = 0x100,
    .remote_flags = 0x104,
    .flags_update = 0x0C,
    .flags_update_bit = 1u << 3,
    .action_bits = 0xF, // GCR holds GIR only; NMI and MUR are in registers that are never written
};

} // namespace

const MuLayout& mu_layout(MuGeneration generation) {
  switch (generation) {
  case MuGeneration::imx7ulp: return kImx7ulp;
  case MuGeneration::v2: return kV2;
  case MuGeneration::v1: break;
  }
  return kV1;
}

} // namespace rpmsg
