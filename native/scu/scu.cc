// SPDX-License-Identifier: Apache-2.0
#include "scu/scu.h"

#include <utility>

namespace rpmsg {

namespace {

constexpr uint32_t kRetries = 2;
constexpr uint64_t kFirstRetryNs = 100 * kNsPerMs;
constexpr uint64_t kLastRetryNs = 10'000 * kNsPerMs;

constexpr uint8_t kAllChannels = (1u << SCFW_MU_CHANNELS) - 1;
constexpr uint8_t kService = 1u << SCFW_DOORBELL_SVC;

} // namespace

void Scu::start() {
  mu_.open(kAllChannels, kService);
  retries_left_ = kRetries;
  rpc_.start();
}

bool Scu::call(Ask ask, uint16_t detail, const ScuCall& request, uint64_t now_ns) {
  const uint32_t tag = static_cast<uint32_t>(ask) | uint32_t{detail} << 8;
  return rpc_.call(request, tag, now_ns);
}

void Scu::find_owner(uint16_t resource, uint64_t now_ns) {
  ScuCall request{SCFW_SVC_RM, SCFW_RM_GET_RESOURCE_OWNER, 1, 2, {resource}};
  call(Ask::owner, resource, request, now_ns);
}

void Scu::find_reset_reason(uint64_t now_ns) {
  ScuCall request{SCFW_SVC_PM, SCFW_PM_RESET_REASON, 0, 2, {}};
  call(Ask::reason, 0, request, now_ns);
}

void Scu::watch(uint32_t partitions, uint64_t now_ns) {
  watched_ |= partitions;
  ask_enable(Ask::enable_rebooted, now_ns);
}

void Scu::ask_enable(Ask ask, uint64_t now_ns) {
  const uint32_t group =
      ask == Ask::enable_rebooted ? SCFW_IRQ_GROUP_REBOOTED : SCFW_IRQ_GROUP_REBOOT;
  ScuCall request{SCFW_SVC_IRQ, SCFW_IRQ_ENABLE, 2, 1, {}};
  request.arguments[0] = watched_;
  request.arguments[1] = resource_ | group << 16 | 1u << 24;
  call(ask, 0, request, now_ns);
}

void Scu::reboot_continue(uint8_t partition, uint64_t now_ns) {
  ScuCall request{SCFW_SVC_PM, SCFW_PM_REBOOT_CONTINUE, 1, 1, {partition}};
  call(Ask::go_on, partition, request, now_ns);
}

uint64_t Scu::read_status(uint64_t now_ns) {
  wanted_ = begun_ + 1;
  if (!is_reading_) begin_pass(now_ns);
  return wanted_;
}

void Scu::on_interrupt(uint64_t now_ns) {
  rpc_.advance(now_ns);
  if ((mu_.pending_doorbells() & kService) == 0) return;
  // Acknowledged first: what SCFW raises from here on rings again. The status stays with SCFW until
  // it is read, so a death in between loses nothing.
  mu_.take_doorbells();
  is_announced_ = true;
  read_status(now_ns);
}

void Scu::on_timer(uint64_t now_ns) {
  rpc_.on_timer(now_ns);
  if (retry_at_ns_ > now_ns) return;
  retry_at_ns_ = kNever;
  const uint32_t owners = std::exchange(unanswered_owner_count_, 0);
  const auto resources = unanswered_owners_;
  for (uint32_t i = 0; i < owners; ++i)
    find_owner(resources[i], now_ns);
  if (std::exchange(is_enable_unanswered_, false)) ask_enable(Ask::enable_rebooted, now_ns);
  if (is_status_unanswered_) read_status(now_ns);
}

void Scu::ask_later(uint64_t now_ns) {
  if (retry_at_ns_ != kNever) return;
  retry_interval_ns_ = std::clamp(2 * retry_interval_ns_, kFirstRetryNs, kLastRetryNs);
  retry_at_ns_ = now_ns + retry_interval_ns_;
}

bool Scu::keep_owner(uint16_t resource) {
  if (unanswered_owner_count_ == unanswered_owners_.size()) return false;
  unanswered_owners_[unanswered_owner_count_++] = resource;
  return true;
}

// REBOOTED first: both are raised for one reset, REBOOT before REBOOTED, so that this order can
// find a REBOOT that is still to be followed, and never one whose REBOOTED is already behind us.
void Scu::begin_pass(uint64_t now_ns) {
  is_reading_ = true;
  is_status_unanswered_ = false;
  if (since_ns_ == 0) since_ns_ = now_ns;
  status_ = ScuStatus{++begun_, 0, 0, false, since_ns_};
  listener_.on_status_begins(is_announced_);
  is_announced_ = false;
  ask_status(Ask::rebooted, now_ns);
}

void Scu::ask_status(Ask ask, uint64_t now_ns) {
  const uint32_t group = ask == Ask::rebooted ? SCFW_IRQ_GROUP_REBOOTED : SCFW_IRQ_GROUP_REBOOT;
  ScuCall request{SCFW_SVC_IRQ, SCFW_IRQ_STATUS, 1, 2, {}};
  request.arguments[0] = resource_ | group << 16;
  if (!call(ask, 0, request, now_ns)) end_pass(false, now_ns);
}

void Scu::end_pass(bool is_complete, uint64_t now_ns) {
  is_reading_ = false;
  status_.is_complete = is_complete;
  if (is_complete) since_ns_ = 0;
  listener_.on_status(status_, now_ns);
  if (!is_reading_ && wanted_ > begun_) begin_pass(now_ns);
}

void Scu::on_answer(uint32_t tag, const ScuAnswer& answer, uint64_t now_ns) {
  const auto ask = static_cast<Ask>(tag & 0xFF);
  const bool is_timed_out = answer.kind == ScuAnswer::Kind::timed_out;
  if (!is_timed_out) {
    retries_left_ = kRetries;
    retry_interval_ns_ = 0;
  }
  switch (ask) {
  case Ask::rebooted:
  case Ask::reboot: return on_status_answer(ask, answer, now_ns);
  case Ask::enable_rebooted:
  case Ask::enable_reboot: return on_enable_answer(ask, answer, now_ns);
  case Ask::owner:
    if (may_retry(answer)) return find_owner(static_cast<uint16_t>(tag >> 8), now_ns);
    if (is_timed_out && keep_owner(static_cast<uint16_t>(tag >> 8))) return ask_later(now_ns);
    return listener_.on_owner(static_cast<uint16_t>(tag >> 8), answer, now_ns);
  case Ask::reason: return listener_.on_reset_reason(answer, now_ns);
  case Ask::go_on: return;
  }
}

bool Scu::may_retry(const ScuAnswer& answer) {
  if (answer.kind != ScuAnswer::Kind::timed_out || retries_left_ == 0) return false;
  --retries_left_;
  return true;
}

void Scu::on_status_answer(Ask ask, const ScuAnswer& answer, uint64_t now_ns) {
  if (!answer.ok()) {
    // The status may still be there: asked again in a pass of its own.
    if (may_retry(answer)) {
      wanted_ = begun_ + 1;
    } else if (answer.kind == ScuAnswer::Kind::timed_out) {
      is_status_unanswered_ = true;
      ask_later(now_ns);
    }
    return end_pass(false, now_ns);
  }
  (ask == Ask::rebooted ? status_.rebooted : status_.reboot) = answer.results[0];
  if (ask == Ask::rebooted) return ask_status(Ask::reboot, now_ns);
  end_pass(true, now_ns);
}

void Scu::on_enable_answer(Ask ask, const ScuAnswer& answer, uint64_t now_ns) {
  if (may_retry(answer)) return ask_enable(ask, now_ns);
  if (answer.kind == ScuAnswer::Kind::timed_out) {
    is_enable_unanswered_ = true;
    return ask_later(now_ns);
  }
  if (answer.ok() && ask == Ask::enable_rebooted) return ask_enable(Ask::enable_reboot, now_ns);
  listener_.on_watched(answer.ok(), now_ns);
}

} // namespace rpmsg
