// SPDX-License-Identifier: Apache-2.0
// Copies between private memory and memory shared with a remote. The shared side may be mapped as
// Device memory, where an unaligned access faults and libc's memcpy and memset are not allowed: it
// sees aligned volatile accesses of 1, 2, 4 or 8 bytes only. The private side may have any
// alignment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace rpmsg {

/// Any thread. No ordering is implied: see memory/barrier.h.
void copy_to_shared(volatile uint8_t* to, std::span<const uint8_t> from);

/// Reads each byte of the shared side once. What arrives is a private copy: check that, not the
/// source, which can change meanwhile.
void copy_from_shared(std::span<uint8_t> to, const volatile uint8_t* from);

void zero_shared(volatile uint8_t* to, size_t size_bytes);

} // namespace rpmsg
