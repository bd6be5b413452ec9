// SPDX-License-Identifier: Apache-2.0
#include "sim/firmware/nxp_rtc.h"

#include <ctime>

namespace rpmsg::sim {
namespace {

enum Command : uint8_t { kSetTime, kGetTime, kSetAlarm, kGetAlarm, kEnableAlarm };

// Within the eight bytes.
constexpr uint32_t kCodeAt = 1, kSecondsAt = 2, kEnableAt = 6, kPendingAt = 7;

int64_t milliseconds(clockid_t clock) {
  timespec now = {};
  ::clock_gettime(clock, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

} // namespace

int64_t monotonic_ms() {
  return milliseconds(CLOCK_MONOTONIC);
}

NxpRtc::NxpRtc() : started_ms_(monotonic_ms() - milliseconds(CLOCK_REALTIME)) {}

void NxpRtc::serve(const NxpRequest& request, bool is_known_version, int64_t now_ms,
                   uint8_t* answer) {
  std::memset(answer, 0, kBodyBytes);
  NxpCode code = NxpCode::unsupported;
  if (is_known_version && request.length == kBodyBytes) code = carry_out(request, now_ms, answer);
  answer[kCodeAt] = static_cast<uint8_t>(code);
}

NxpCode NxpRtc::carry_out(const NxpRequest& request, int64_t now_ms, uint8_t* answer) {
  const uint32_t seconds = get32(request.body + kSecondsAt);
  switch (request.command) {
  case kSetTime: started_ms_ = now_ms - int64_t{seconds} * 1000; return NxpCode::ok;
  case kGetTime:
    put32(answer + kSecondsAt, static_cast<uint32_t>((now_ms - started_ms_) / 1000));
    return NxpCode::ok;
  case kSetAlarm:
    alarm_ = seconds;
    enabled_ = request.body[kEnableAt] != 0;
    pending_ = false;
    return NxpCode::ok;
  case kGetAlarm:
    put32(answer + kSecondsAt, alarm_);
    answer[kEnableAt] = enabled_ ? 1 : 0;
    answer[kPendingAt] = pending_ ? 1 : 0;
    return NxpCode::ok;
  case kEnableAlarm: enabled_ = request.body[kEnableAt] != 0; return NxpCode::ok;
  default: return NxpCode::unsupported;
  }
}

int64_t NxpRtc::alarm_due_ms() const {
  return enabled_ ? started_ms_ + int64_t{alarm_} * 1000 : INT64_MAX;
}

void NxpRtc::alarm_told() {
  enabled_ = false;
  pending_ = true;
}

} // namespace rpmsg::sim
