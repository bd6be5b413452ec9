// SPDX-License-Identifier: Apache-2.0
// The simulator's one clock: CLOCK_MONOTONIC in milliseconds. Whole milliseconds are enough: what
// has no delay is done in the same turn of the event loop.
#pragma once

#include <cstdint>
#include <ctime>

namespace rpmsg::sim {

inline int64_t now_ms() {
  timespec now = {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

/// The sooner of two waits in milliseconds; -1 waits for ever.
inline int64_t sooner(int64_t a_ms, int64_t b_ms) {
  if (a_ms < 0) return b_ms;
  return b_ms < 0 || a_ms < b_ms ? a_ms : b_ms;
}

} // namespace rpmsg::sim
