// SPDX-License-Identifier: Apache-2.0
// Name service from the remote's side: 40 bytes to address 53 for each application, and the
// malformed ones that a fault asks for.
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "sim/firmware/link.h"

namespace rpmsg::sim {
namespace {

constexpr uint32_t kNameService = 53;
constexpr uint32_t kNameBytes = 32;
constexpr uint32_t kAnnouncementBytes = 40;
constexpr uint32_t kFaultAddress = 99; // where the malformed announcements say they come from

} // namespace

void Link::announce(int64_t now_ms) {
  if (options_.quiet || now_ms < announce_at_ms_) return;
  if (!fault_announced_ && !announce_fault()) return;
  fault_announced_ = true;
  for (; next_announcement_ < all_apps().size(); next_announcement_++) {
    const AppInfo& app = all_apps()[next_announcement_];
    if ((options_.apps >> (app.number - 1) & 1) == 0) continue;
    if (!announce_one(app.name, base_address_ + app.number, kAnnouncementBytes)) return;
  }
  announce_channels();
}

void Link::announce_channels() {
  const auto apps = static_cast<uint32_t>(all_apps().size());
  for (; next_announcement_ < apps + options_.channels; next_announcement_++) {
    const uint32_t channel = next_announcement_ - apps;
    char name[kNameBytes];
    std::snprintf(name, sizeof name, "channel-%" PRIu32, channel + 1);
    const uint32_t address = base_address_ + kFirstChannel + channel;
    if (!announce_one(name, address, kAnnouncementBytes)) return;
  }
}

bool Link::announce_one(const char* name, uint32_t address, uint32_t bytes) {
  uint8_t* out = begin(bytes);
  if (out == nullptr) return false;
  const uint32_t create = 0;
  std::memset(out, 0, bytes);
  std::memcpy(out, name, strnlen(name, kNameBytes));
  std::memcpy(out + kNameBytes, &address, sizeof address);
  std::memcpy(out + kNameBytes + 4, &create, bytes < kAnnouncementBytes ? 3 : 4);
  commit(address, kNameService, bytes);
  return true;
}

bool Link::announce_fault() {
  const FaultPlan& plan = options_.fault;
  if (plan.vdev >= 0 && static_cast<uint32_t>(plan.vdev) != index_) return true;
  switch (plan.fault) {
  case Fault::ns_39: return announce_one("ns-39", kFaultAddress, 39);
  case Fault::ns_41: return announce_one("ns-41", kFaultAddress, 41);
  case Fault::ns_unterminated:
    return announce_one("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", kFaultAddress, kAnnouncementBytes);
  case Fault::ns_not_utf8:
    return announce_one("bad-\xff\xfe/\x01name", kFaultAddress, kAnnouncementBytes);
  case Fault::ns_duplicate: return announce_one("echo", base_address_ + 3, kAnnouncementBytes);
  default: return true;
  }
}

} // namespace rpmsg::sim
