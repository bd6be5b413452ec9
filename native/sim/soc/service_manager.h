// SPDX-License-Identifier: Apache-2.0
// Tells the service manager that clients can attach (sd_notify(3)).
#pragma once

namespace rpmsg::sim {

/// Sends READY=1 to $NOTIFY_SOCKET, if there is one, and takes the variable out of the environment,
/// so that firmware started from here does not speak in our name.
void notify_ready();

} // namespace rpmsg::sim
