// SPDX-License-Identifier: Apache-2.0
// The register layouts of the Messaging Unit that this project knows (mu_layout.h has the tables).
#pragma once

#include <cstdint>

namespace rpmsg {

enum class MuGeneration : uint8_t {
  v1,      // i.MX6SX, 7D, 8M*, 8QM, 8QXP, 8DXL
  imx7ulp, // V1 bits at other offsets
  v2,      // i.MX8ULP, 93, 95: one register an event kind
};

} // namespace rpmsg
