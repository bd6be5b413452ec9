// SPDX-License-Identifier: Apache-2.0
// Which Platform a remote gets, and which System Controller: the one place where hardware and
// simulation part ways.
#pragma once

#include <string>

#include "link/remote_setup.h"
#include "platform/platform.h"
#include "platform/uio/uio_devices.h"

namespace rpmsg {

/// Set-up only, main thread. Outlives the platforms it opened, in its place.
class BoardChoice {
public:
  explicit BoardChoice(UioDevices uio = UioDevices()) : uio_(std::move(uio)) {}

  OpenedPlatform open(const RemoteSetup& setup);

  /// What tells this remote's System Controller from others: remotes that say the same share it.
  /// Empty: the configuration names none.
  static std::string scu_name(const RemoteSetup& setup);
  /// What SCFW calls the MU of open_scu().
  static uint16_t scu_resource(const RemoteSetup& setup);
  /// Opens the MU towards it; `is_absent` on a simulated board that has none.
  OpenedPlatform open_scu(const RemoteSetup& setup);

private:
  UioDevices uio_;
};

} // namespace rpmsg
