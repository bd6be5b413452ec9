// SPDX-License-Identifier: Apache-2.0
// Single aligned accesses to the fields of a ring. Stores are crash points: the remote sees them.
#pragma once

#include <cstdint>

#include "memory/shared_span.h"
#include "virtio/persist.h"

namespace rpmsg {

inline volatile uint16_t* ring_u16(const SharedSpan& ring, size_t offset) {
  return reinterpret_cast<volatile uint16_t*>(ring.at(offset, sizeof(uint16_t)));
}

template<class Field>
void ring_store(const SharedSpan& ring, size_t offset, std::type_identity_t<Field> value) {
  *reinterpret_cast<volatile Field*>(ring.at(offset, sizeof(Field))) = value;
  crash_point();
}

/// Read once, then check and use the local: the remote can change it right after.
inline uint32_t ring_load_u32(const SharedSpan& ring, size_t offset) {
  return *reinterpret_cast<volatile uint32_t*>(ring.at(offset, sizeof(uint32_t)));
}

} // namespace rpmsg
