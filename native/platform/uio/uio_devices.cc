// SPDX-License-Identifier: Apache-2.0
#include "platform/uio/uio_devices.h"

#include "mu/mu_layout.h"
#include "platform/uio/uio_platform.h"

namespace rpmsg {
namespace {

OpenedPlatform refused(std::string message) {
  return {nullptr, {std::move(message)}};
}

} // namespace

UioDevices::UioDevices(std::string sysfs_root, std::string dev_root)
    : sysfs_root_(std::move(sysfs_root)), dev_root_(std::move(dev_root)) {}

UioDevice::Opened UioDevices::find(const UioName& wanted) {
  UioSearch search = find_uio(sysfs_root_, wanted);
  if (!search.problem.empty()) return {nullptr, std::move(search.problem)};
  return open_once(std::move(search.entry));
}

UioDevice::Opened UioDevices::find_memory(uint64_t physical, uint64_t size_bytes) {
  for (UioEntry& entry : list_uio(sysfs_root_))
    for (const UioMap& map : entry.maps)
      if (map.has(physical, size_bytes)) return open_once(std::move(entry));
  return {};
}

std::string UioDevices::list() const {
  std::string text;
  for (const UioEntry& entry : list_uio(sysfs_root_))
    text +=
        (text.empty() ? "" : "; ") + entry.node + " \"" + entry.name + "\" has " + maps_text(entry);
  return text;
}

UioDevice::Opened UioDevices::open_once(UioEntry entry) {
  std::weak_ptr<UioDevice>& known = open_[entry.node];
  if (std::shared_ptr<UioDevice> device = known.lock()) return {std::move(device), {}};
  UioDevice::Opened opened = UioDevice::open(dev_root_, std::move(entry));
  known = opened.device;
  return opened;
}

UioDevice::Opened UioDevices::find_mu(const UioBoard& board) {
  UioDevice::Opened opened = find(board.mu);
  if (!opened.device) return opened;
  const UioDevice& mu = *opened.device;
  const uint64_t needed = mu_layout(board.mu_generation).window_bytes;
  const std::vector<UioMap>& maps = mu.entry().maps;
  if (maps.empty() || maps.front().number != 0)
    return {nullptr, mu.title() + " has no map0, where the MU's registers are to be"};
  const uint64_t there = maps.front().end() - maps.front().begin();
  if (there < needed)
    return {nullptr, mu.title() + ": map0 has " + hex_text(there) + " bytes, the registers of a " +
                         "MU of " + board.soc + " need " + hex_text(needed)};
  if (maps.front().begin() % sizeof(uint32_t) != 0)
    return {nullptr, mu.title() + ": map0 begins at " + hex_text(maps.front().begin()) +
                         ", registers of 32 bits do not"};
  return opened;
}

OpenedPlatform UioDevices::open(const UioBoard& board) {
  UioDevice::Opened mu = find_mu(board);
  if (!mu.device) return refused(std::move(mu.problem));
  UioDevice::Opened memory;
  if (!board.memory_device.empty()) memory = find({board.memory_device});
  if (!memory.problem.empty()) return refused(std::move(memory.problem));
  std::string problem;
  const uint64_t registers_at = mu.device->entry().maps.front().begin();
  const SharedSpan registers =
      mu.device->map(registers_at, mu_layout(board.mu_generation).window_bytes, problem);
  if (!registers) return refused(std::move(problem));
  if (!mu.device->claim_interrupt())
    return refused(mu.device->title() + " is the MU of another remote already: each has its own");
  auto platform =
      std::make_unique<UioPlatform>(*this, board, mu.device, std::move(memory.device), registers);
  if (problem = platform->set_up(); !problem.empty())
    return refused(mu.device->title() + " " + problem);
  if (board.dev_mem) platform->allow_dev_mem(dev_root_ + "/mem");
  return {std::move(platform), {}};
}

} // namespace rpmsg
