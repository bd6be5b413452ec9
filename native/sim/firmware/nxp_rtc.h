// SPDX-License-Identifier: Apache-2.0
// A clock with an alarm. It starts with the time of the machine, as one with a battery would.
#pragma once

#include <cstdint>

#include "sim/firmware/nxp_packet.h"

namespace rpmsg::sim {

class NxpRtc {
public:
  static constexpr uint32_t kBodyBytes = 8; // reserved, code, seconds, enable, pending

  NxpRtc();
  /// Fills the eight bytes behind the answer's head.
  void serve(const NxpRequest& request, bool is_known_version, int64_t now_ms, uint8_t* answer);
  /// When the alarm goes off, in ms of CLOCK_MONOTONIC; INT64_MAX: not at all.
  int64_t alarm_due_ms() const;
  void alarm_told();

private:
  NxpCode carry_out(const NxpRequest& request, int64_t now_ms, uint8_t* answer);

  int64_t started_ms_; // when the clock showed 0
  uint32_t alarm_ = 0;
  bool enabled_ = false;
  bool pending_ = false;
};

/// CLOCK_MONOTONIC.
int64_t monotonic_ms();

} // namespace rpmsg::sim
