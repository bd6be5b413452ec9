// SPDX-License-Identifier: Apache-2.0
#include "virtio/ring_fault.h"

namespace rpmsg {

const char* ring_fault_name(RingFault fault) {
  switch (fault) {
  case RingFault::none: return "none";
  case RingFault::used_index_jump: return "used_index_jump";
  case RingFault::used_id_out_of_range: return "used_id_out_of_range";
  case RingFault::used_id_not_in_flight: return "used_id_not_in_flight";
  case RingFault::used_length_too_long: return "used_length_too_long";
  case RingFault::used_length_too_short: return "used_length_too_short";
  }
  return "unknown";
}

} // namespace rpmsg
