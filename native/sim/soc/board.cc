// SPDX-License-Identifier: Apache-2.0
// Addresses: NXP's SDK boards and Linux device trees; link limits: RPMsg-Lite's platform ports.
#include "sim/soc/board.h"

#include "scu/scfw_api.h"

namespace rpmsg::sim {
namespace {

constexpr uint64_t kWindow = 0x100000; // rings, and the resource table at + 0xFF000
constexpr uint32_t kAllIds = 0xFFFF;
constexpr uint32_t kThreeBits = 7; // these ports send (vq & 7) << 16: four vdevs

// Partition 0 is SCFW's and 1 the host's; a board may number them otherwise, and so does
// --partition.
constexpr CoreInfo kCores8qxp[] = {
    {"cm40", 0x90000000, 0x90400000, 2, SCFW_R_M4_0_PID0, SCFW_R_M4_0_MU_1A}};
constexpr CoreInfo kCores8qm[] = {
    {"cm40", 0x90000000, 0x90400000, 2, SCFW_R_M4_0_PID0, SCFW_R_M4_0_MU_1A},
    {"cm41", 0x90100000, 0x90600000, 3, SCFW_R_M4_1_PID0, SCFW_R_M4_1_MU_1A}};
constexpr CoreInfo kCores8mq[] = {{"m4", 0xB8000000, 0xB8400000}};
constexpr CoreInfo kCores8mp[] = {{"m7", 0x55000000, 0x55800000}};
constexpr CoreInfo kCores7ulp[] = {{"m4", 0x9FF00000, 0x9F400000}};
constexpr CoreInfo kCores8ulp[] = {{"m33", 0xAFF00000, 0xA8400000}};
constexpr CoreInfo kCores93[] = {{"m33", 0xA4000000, 0xA4400000}};
constexpr CoreInfo kCores6sx[] = {{"m4", 0x8FFF0000, 0x8F400000}};

constexpr SocInfo kSocs[] = {
    {"imx8qxp", RPMSG_SIM_MU_V1, 0, 8, kAllIds, kWindow, kCores8qxp, true},
    {"imx8dxl", RPMSG_SIM_MU_V1, 0, 8, kAllIds, kWindow, kCores8qxp, true},
    {"imx8qm", RPMSG_SIM_MU_V1, 0, 4, kThreeBits, kWindow, kCores8qm, true},
    {"imx8mq", RPMSG_SIM_MU_V1, 0, 8, kAllIds, kWindow, kCores8mq},
    {"imx8mm", RPMSG_SIM_MU_V1, 0, 8, kAllIds, kWindow, kCores8mq},
    {"imx8mn", RPMSG_SIM_MU_V1, 0, 8, kAllIds, kWindow, kCores8mp},
    {"imx8mp", RPMSG_SIM_MU_V1, 0, 8, kAllIds, kWindow, kCores8mp},
    {"imx7ulp", RPMSG_SIM_MU_IMX7ULP, 1, 8, kAllIds, kWindow, kCores7ulp},
    {"imx8ulp", RPMSG_SIM_MU_V2, 1, 4, kThreeBits, kWindow, kCores8ulp},
    {"imx93", RPMSG_SIM_MU_V2, 1, 4, kThreeBits, kWindow, kCores93},
    {"imx6sx", RPMSG_SIM_MU_V1, 0, 1, 1, kVringStride, kCores6sx},
    {"imx7d", RPMSG_SIM_MU_V1, 0, 1, 1, kVringStride, kCores6sx},
};

} // namespace

const SocInfo* find_soc(const std::string& name) {
  for (const SocInfo& soc : kSocs)
    if (name == soc.name) return &soc;
  return nullptr;
}

std::string soc_names() {
  std::string names;
  for (const SocInfo& soc : kSocs)
    names += (names.empty() ? "" : ", ") + std::string(soc.name);
  return names;
}

std::string core_names(const SocInfo& soc) {
  std::string names;
  for (const CoreInfo& core : soc.cores)
    names += (names.empty() ? "" : ", ") + std::string(core.name);
  return names;
}

} // namespace rpmsg::sim
