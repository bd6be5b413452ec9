// SPDX-License-Identifier: Apache-2.0
#include "link/board_scu.h"

#include <array>
#include <cstdio>
#include <utility>

namespace rpmsg {

namespace {

/// What owns a core's program, and so tells its partition.
uint16_t resource_of(const std::string& core) {
  return core == "cm41" ? SCFW_R_M4_1_PID0 : SCFW_R_M4_0_PID0;
}

std::array<char, 128> why_not(const ScuAnswer& answer) {
  std::array<char, 128> text{};
  const char* what = "no notice of resets: SCFW does not say which partition owns the core";
  if (answer.kind == ScuAnswer::Kind::refused) {
    std::snprintf(text.data(), text.size(), "%s (error %u)", what, answer.error);
  } else if (answer.kind == ScuAnswer::Kind::timed_out) {
    std::snprintf(text.data(), text.size(), "%s (no answer)", what);
  } else {
    std::snprintf(text.data(), text.size(), "%s (not an answer)", what);
  }
  return text;
}

} // namespace

BoardScu::BoardScu(std::string name, std::unique_ptr<Platform> platform, uint16_t mu_resource)
    : name_(std::move(name)), platform_(std::move(platform)),
      mu_(platform_->mu(), platform_->mu_generation()), scu_(mu_, mu_resource, *this) {}

bool BoardScu::is_on(const std::string& soc) {
  return soc == "imx8qxp" || soc == "imx8qm" || soc == "imx8dxl";
}

void BoardScu::add(ResetNoticeListener& listener, const std::string& core, int32_t partition) {
  members_.push_back({&listener, resource_of(core), partition});
}

void BoardScu::start(uint64_t now_ns) {
  is_started_ = true;
  scu_.start();
  platform_->unmask_interrupt();
  for (Member& member : members_) {
    if (member.partition >= 0) {
      settle_partition(member, static_cast<uint8_t>(member.partition));
    } else {
      ++owners_asked_;
      scu_.find_owner(member.resource, now_ns);
    }
  }
  if (owners_asked_ == 0) watch_all(now_ns);
}

void BoardScu::settle_partition(Member& member, uint8_t partition) {
  member.partition = partition;
  member.listener->on_partition(partition);
}

void BoardScu::on_owner(uint16_t resource, const ScuAnswer& answer, uint64_t now_ns) {
  --owners_asked_;
  const uint32_t partition = answer.results[0] & 0xFF;
  for (Member& member : members_) { // the first that still waits for this answer
    if (member.resource != resource || member.partition >= 0 || member.listener == nullptr)
      continue;
    if (answer.ok() && partition < SCFW_MAX_PARTITIONS) {
      settle_partition(member, static_cast<uint8_t>(partition));
    } else {
      give_up(member, why_not(answer).data(), now_ns);
    }
    break;
  }
  if (owners_asked_ == 0) watch_all(now_ns);
}

/// Read before anything is enabled: every remote knows what happened before it came. What is raised
/// in between rings as soon as it is enabled.
void BoardScu::watch_all(uint64_t now_ns) {
  uint32_t partitions = 0;
  for (const Member& member : members_) {
    if (member.partition >= 0) partitions |= 1u << member.partition;
  }
  if (partitions == 0) return;
  scu_.read_status(now_ns);
  scu_.watch(partitions, now_ns);
}

uint64_t BoardScu::read_status(uint64_t now_ns) {
  return is_started_ ? scu_.read_status(now_ns) : 1; // the first reading is yet to come
}

void BoardScu::on_watched(bool is_enabled, uint64_t now_ns) {
  if (is_enabled) return;
  for (Member& member : members_) {
    if (member.listener != nullptr) {
      give_up(member, "no notice of resets: SCFW does not enable its interrupts", now_ns);
    }
  }
}

void BoardScu::give_up(Member& member, const char* reason, uint64_t now_ns) {
  ResetNoticeListener* const listener = std::exchange(member.listener, nullptr);
  listener->on_no_notices(reason, now_ns);
}

void BoardScu::on_interrupt(uint64_t now_ns) {
  if (is_gone_) return;
  platform_->consume_interrupt();
  scu_.on_interrupt(now_ns);
  // The level raises it again at once if SCFW was faster.
  platform_->unmask_interrupt();
}

void BoardScu::on_status_begins(bool is_announced) {
  const bool is_known = is_announced && members_.size() == 1; // whose reset it is
  for (Member& member : members_) {
    if (member.listener == nullptr || member.partition < 0) continue;
    member.listener->on_status_begins(is_known);
  }
}

void BoardScu::on_status(const ScuStatus& status, uint64_t now_ns) {
  for (Member& member : members_) {
    if (member.listener == nullptr || member.partition < 0) continue; // foreign bits concern nobody
    const uint32_t bit = 1u << member.partition;
    member.listener->on_status({status.pass, (status.rebooted & bit) != 0,
                                (status.reboot & bit) != 0, status.is_complete, status.since_ns},
                               now_ns);
  }
}

void BoardScu::stop() {
  if (!is_gone_) mu_.close();
}

} // namespace rpmsg
