// SPDX-License-Identifier: Apache-2.0
// The ways in which this firmware can be told to misbehave, and when.
#pragma once

#include <cstdint>
#include <string>

namespace rpmsg::sim {

enum class Fault : uint8_t {
  none,
  // a bad message in a sound ring
  bad_length,
  unknown_dst,
  ns_39,
  ns_41,
  ns_unterminated,
  ns_not_utf8,
  ns_duplicate,
  // a broken ring
  used_id_range,
  used_id_duplicate,
  used_idx_jump,
  short_used_len,
  header_len_overrun,
  // what a resource table says
  bad_table,
  needs_reset,
  status_zero,
  // a MU or a life gone wrong
  never_drain_rr,
  bad_word,
  crash_at,
  silent_restart,
  // a service that does not answer as it should
  nxp_version,
  nxp_failure,
  nxp_silent,
};

/// The points inside a register access at which a process can die.
enum class Step : uint8_t {
  tr_data,    // TR: the word is stored, the channel not yet full
  tr_full,    // TR: full, the peer not yet told
  rr_read,    // RR: the word is read, the channel not yet empty
  rr_clear,   // RR: empty, the peer not yet told
  gir,        // GIR: pending, the peer not yet told
  raise_mask, // raise: the line is masked, the eventfd not yet written
  none,
};

struct FaultPlan {
  Fault fault = Fault::none;
  Step step = Step::none; // for crash_at
  uint32_t nth = 1;       // on which occasion, counted from 1; 0: on every one
  int vdev = -1;          // only this one; -1: all

  /// True on the nth time that this is asked with the planned fault.
  bool due(Fault asked, uint32_t vdev_index, uint32_t& count) const {
    if (fault != asked || (vdev >= 0 && static_cast<uint32_t>(vdev) != vdev_index)) return false;
    return ++count == nth || nth == 0;
  }
};

/// "NAME", "NAME:N" or "crash-at:STEP[:N]". False if it is none of those.
bool parse_fault(const std::string& text, FaultPlan& plan);
/// All names, separated by ", ".
std::string fault_names();
std::string step_names();

} // namespace rpmsg::sim
