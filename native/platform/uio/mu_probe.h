// SPDX-License-Identifier: Apache-2.0
// Reads the state of a MU through its UIO device, beside whoever owns the device.
#pragma once

#include <cstdint>
#include <string>

#include "mu/mu_generation.h"
#include "mu/mu_state.h"

namespace rpmsg {

/// Where the registers are: sysfs says it of a UIO device.
struct MuPlace {
  std::string path;    // of the device's node; a regular file stands in for one in tests
  uint32_t map = 0;    // number of the map
  uint64_t offset = 0; // from the start of the map
  MuGeneration generation = MuGeneration::v1;
};

struct MuProbe {
  enum class Outcome : uint8_t {
    read,
    refused,   // `error` is the errno of open(2) or mmap(2)
    bus_error, // the registers do not answer
  };
  Outcome outcome = Outcome::refused;
  int error = 0;
  MuState state; // if it was read
};

/// Opens the device for reading, without the lock that its owner holds, maps the registers for
/// reading, and looks once (mu/mu_state.h). A child process does the looking: where the MU has no
/// clock a read may end in a bus error, which would end the caller. It can also stop the whole
/// machine, which nothing here can prevent: ask the device tree before. Opening a UIO device powers
/// it (runtime power management) for as long as it is open. Main thread; waits for the child.
MuProbe probe_mu(const MuPlace& place);

} // namespace rpmsg
