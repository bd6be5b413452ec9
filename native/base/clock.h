// SPDX-License-Identifier: Apache-2.0
// The one clock of the native half: CLOCK_MONOTONIC in nanoseconds, as in every timestamp we hand
// out.
#pragma once

#include <ctime>

#include <cstdint>

namespace rpmsg {

inline constexpr uint64_t kNsPerMs = 1'000'000;
inline constexpr uint64_t kNever = UINT64_MAX;

inline uint64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

} // namespace rpmsg
