// SPDX-License-Identifier: Apache-2.0
// The UIO devices that a process has open, and the remotes made of them. A device is opened once,
// however many remotes have memory in it: a second lock on it would fail.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "platform/platform.h"
#include "platform/uio/uio_device.h"

namespace rpmsg {

/// A remote made of devices of this machine.
struct UioBoard {
  UioName mu;                // registers in its map0, and the interrupt
  std::string memory_device; // whose maps have rings and buffers; empty: whichever device has them
  bool dev_mem = false;      // what no map has is taken from /dev/mem
  std::string soc;           // what Platform::soc() is to say
  MuGeneration mu_generation = MuGeneration::v1;
  uint32_t max_vdevs = 8;
};

/// Set-up only, main thread. Outlives the platforms it opened.
class UioDevices {
public:
  /// Tests put fixtures in the place of /sys and /dev.
  explicit UioDevices(std::string sysfs_root = "/sys", std::string dev_root = "/dev");

  /// Opens the devices, claims the MU's interrupt, which stays masked, and maps the registers; none
  /// of them is touched. Errors name device, map and rule.
  OpenedPlatform open(const UioBoard& board);

  /// The device with a map that has all of the range; null without a problem if there is none.
  UioDevice::Opened find_memory(uint64_t physical, uint64_t size_bytes);
  /// Every device and its maps, for a message.
  std::string list() const;

private:
  UioDevice::Opened find(const UioName& wanted);
  UioDevice::Opened open_once(UioEntry entry);
  UioDevice::Opened find_mu(const UioBoard& board);

  std::string sysfs_root_;
  std::string dev_root_;
  std::map<std::string, std::weak_ptr<UioDevice>> open_; // by node
};

} // namespace rpmsg
