// SPDX-License-Identifier: Apache-2.0
// One wire of the Messaging Unit, as README.md, "The MU", wants it read and written.
#pragma once

#include <cstdint>

namespace rpmsg::sim {

inline uint32_t load(const uint32_t& wire) {
  return __atomic_load_n(&wire, __ATOMIC_ACQUIRE);
}
inline void store(uint32_t& wire, uint32_t value) {
  __atomic_store_n(&wire, value, __ATOMIC_RELEASE);
}

} // namespace rpmsg::sim
