// SPDX-License-Identifier: Apache-2.0
// The ways in which a remote can break a ring. One of them is enough to poison it.
#pragma once

#include <cstdint>

namespace rpmsg {

/// The numbers are stored in the persistent state and never change their meaning.
enum class RingFault : uint8_t {
  none = 0,
  used_index_jump = 1,       // more entries appeared than buffers are in flight; value: used.idx
  used_id_out_of_range = 2,  // value: the id
  used_id_not_in_flight = 3, // never posted, or returned twice; value: the id
  used_length_too_long = 4,  // more than was posted; value: the length in bytes
  used_length_too_short = 5, // shorter than an RPMsg header; value: the length in bytes
};

/// The fault as one snake_case word, e.g. "used_index_jump". Any thread.
const char* ring_fault_name(RingFault fault);

} // namespace rpmsg
